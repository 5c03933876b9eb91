//! The template of each page.

use serde::Serialize;

use super::account::AccountPage;
use super::audit::{AuditPage, HistoryPage};
use super::confirm::ConfirmPage;
use super::day::DayPage;
use super::form::{ActivitiesPage, FormPage, WebhookPage, WebhooksPage};
use super::import::ImportPage;
use super::lobby::{LobbyCardsPage, LobbyPage};
use super::pets::{CardsPage, FeedPage, IndexPage, ShowPage, TrashPage};
use super::photos::{LogoPage, PhotosPage};
use super::print::PrintPage;
use super::server::{ApiDocsPage, DoctorPage, ErrorPage, HelloPage, OfflinePage};
use super::sharing::{BadgePage, EmbedPage, SharePage};
use super::sign_in::{InvitationPage, SignInPage};
use super::staff::StaffPage;

/// The context of a page.
pub trait Page: Serialize {
    /// The template that renders the page.
    const TEMPLATE: &'static str;

    /// True if people enter text that they would miss. With `no-store`, a browser loses that text on
    /// Back, and asks before it shows the answer to a form again. Pages with secrets are not among
    /// these.
    const HAS_TEXT_INPUT: bool = false;

    /// Returns true if the page can contain a secret that is the same in each answer, such as a token, or a link that
    /// is shown once. Such a page is neither compressed nor stored. The form token is none, since it is masked.
    fn has_secret(&self) -> bool {
        false
    }
}

macro_rules! templates {
    ($($page:ident: $template:literal,)*) => {
        $(impl Page for $page {
            const TEMPLATE: &'static str = $template;
        })*
    };
}

templates! {
    IndexPage: "pages/index.html",
    CardsPage: "parts/pet/cards.html",
    LobbyPage: "pages/lobby.html",
    LobbyCardsPage: "parts/lobby/cards.html",
    LogoPage: "pages/logo.html",
    DayPage: "pages/day.html",
    EmbedPage: "pages/elsewhere/frame.html",
    BadgePage: "pages/elsewhere/badge.xml",
    SharePage: "pages/elsewhere/share.html",
    FeedPage: "pages/elsewhere/feed.xml",
    ConfirmPage: "pages/confirm.html",
    HistoryPage: "pages/history.html",
    ActivitiesPage: "pages/form/activities.html",
    WebhooksPage: "pages/form/webhooks.html",
    PrintPage: "pages/print.html",
    AuditPage: "pages/audit.html",
    TrashPage: "pages/trash.html",
    HelloPage: "pages/server/hello.html",
    OfflinePage: "pages/server/offline.html",
    DoctorPage: "pages/server/doctor.html",
    ErrorPage: "pages/error.html",
    ApiDocsPage: "pages/server/api_docs.html",
}

impl Page for ShowPage {
    const TEMPLATE: &'static str = "pages/show.html";
    const HAS_TEXT_INPUT: bool = true;
}

impl Page for FormPage {
    const TEMPLATE: &'static str = "pages/form.html";
    const HAS_TEXT_INPUT: bool = true;

    fn has_secret(&self) -> bool {
        self.has_secret
    }
}

impl Page for ImportPage {
    const TEMPLATE: &'static str = "pages/import.html";
    const HAS_TEXT_INPUT: bool = true;
}

impl Page for PhotosPage {
    const TEMPLATE: &'static str = "pages/photos.html";
    const HAS_TEXT_INPUT: bool = true;
}

impl Page for InvitationPage {
    const TEMPLATE: &'static str = "pages/invitation.html";

    fn has_secret(&self) -> bool {
        true
    }
}

impl Page for AccountPage {
    const TEMPLATE: &'static str = "pages/account.html";

    fn has_secret(&self) -> bool {
        true
    }
}

impl Page for StaffPage {
    const TEMPLATE: &'static str = "pages/staff.html";

    fn has_secret(&self) -> bool {
        true
    }
}

impl Page for WebhookPage {
    const TEMPLATE: &'static str = "pages/form/webhook.html";

    fn has_secret(&self) -> bool {
        true
    }
}

impl Page for SignInPage {
    const TEMPLATE: &'static str = "pages/sign_in.html";
    const HAS_TEXT_INPUT: bool = true;
}
