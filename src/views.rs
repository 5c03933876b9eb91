//! The pages' HTML: minijinja templates and the typed context of each.
//!
//! `page` says which template draws which page. Templates are part of the binary. Text is escaped by
//! the template's file name, which ends in `.html` for all of them.

mod account;
mod audit;
mod choice;
mod confirm;
mod form;
mod page;
mod pets;
mod server;
mod sign_in;
mod staff;
mod time_text;

use minijinja::Environment;
use minijinja::value::Serde;
use rust_embed::RustEmbed;
use serde::Serialize;

pub use self::account::AccountPage;
pub use self::audit::{AuditPage, HistoryPage, Subject};
pub use self::confirm::ConfirmPage;
pub use self::form::FormPage;
pub use self::page::Page;
pub use self::pets::{CardsPage, IndexPage, ShowPage, UndoView};
pub use self::server::{ApiDocsPage, DoctorPage, ErrorPage, HelloPage, RetryForm};
pub use self::sign_in::{PendingForm, SignInPage, WelcomePage};
pub use self::staff::{StaffPage, counted};
use crate::auth::{AuthMode, Rights};

#[derive(RustEmbed)]
#[folder = "views/"]
struct Templates;

/// What every template is given beside its page's own context.
#[derive(Serialize)]
struct Context<'a, P> {
    assets: &'a str,
    mode: &'static str,
    can_write: bool,
    is_admin: bool,
    /// Who is signed in.
    name: Option<&'a str>,
    /// `name=value` of the cookie that says who is signed in.
    account_cookie: Option<&'a str>,
    /// What every form carries.
    form_token: Option<&'a str>,
    #[serde(flatten)]
    page: &'a P,
}

/// Draws pages.
pub struct Views {
    environment: Environment<'static>,
    assets: String,
}

impl Views {
    /// `assets` is the address under which the pages' styles and modules are served.
    pub fn new(assets: String) -> Self {
        let mut environment = Environment::new();
        environment.set_loader(|name| Ok(Templates::get(name).map(text)));
        Views {
            environment,
            assets,
        }
    }

    /// The page as HTML, for one with these rights. A template that fails is a defect of this
    /// program: it is logged, and the answer is `None`.
    pub fn render<P: Page>(&self, rights: &Rights, page: &P) -> Option<String> {
        let context = Context {
            assets: &self.assets,
            mode: match rights.auth {
                AuthMode::Demo => "demo",
                AuthMode::Serve => "serve",
            },
            can_write: rights.is_staff,
            is_admin: rights.is_admin,
            name: rights.name.as_deref(),
            account_cookie: rights.account_cookie.as_deref(),
            form_token: rights.form_token.as_deref(),
            page,
        };
        let template = self.environment.get_template(P::TEMPLATE);
        match template.and_then(|template| template.render(Serde(context))) {
            Ok(html) => Some(html),
            Err(error) => {
                tracing::error!(page = P::TEMPLATE, %error, "a page could not be drawn");
                None
            }
        }
    }
}

fn text(file: rust_embed::EmbeddedFile) -> String {
    String::from_utf8_lossy(&file.data).into_owned()
}
