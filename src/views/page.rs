//! Which template draws which page.

use serde::Serialize;

use super::account::AccountPage;
use super::audit::{AuditPage, HistoryPage};
use super::confirm::ConfirmPage;
use super::form::FormPage;
use super::pets::{CardsPage, IndexPage, ShowPage};
use super::server::{ApiDocsPage, DoctorPage, ErrorPage, HelloPage};
use super::sign_in::{SignInPage, WelcomePage};
use super::staff::StaffPage;

/// A page: which template draws it, and from what.
pub trait Page: Serialize {
    const TEMPLATE: &'static str;

    /// True if people type text into the page. With `no-store`, a browser would lose that text when
    /// its reader goes back, and ask before it shows the answer to a form again. Passwords and links
    /// that are shown once are on other pages.
    const IS_TYPED_INTO: bool = false;
}

macro_rules! drawn_by {
    ($($page:ident: $template:literal,)*) => {
        $(impl Page for $page {
            const TEMPLATE: &'static str = $template;
        })*
    };
}

drawn_by! {
    IndexPage: "pages/index.html",
    CardsPage: "parts/pet/cards.html",
    ShowPage: "pages/show.html",
    ConfirmPage: "pages/confirm.html",
    HistoryPage: "pages/history.html",
    WelcomePage: "pages/invitation.html",
    AccountPage: "pages/account.html",
    StaffPage: "pages/staff.html",
    AuditPage: "pages/audit.html",
    HelloPage: "pages/hello.html",
    DoctorPage: "pages/doctor.html",
    ErrorPage: "pages/error.html",
    ApiDocsPage: "pages/api_docs.html",
}

impl Page for FormPage {
    const TEMPLATE: &'static str = "pages/form.html";
    const IS_TYPED_INTO: bool = true;
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "pages/sign_in.html";
    const IS_TYPED_INTO: bool = true;
}
