//! The pages' HTML: minijinja templates and the typed context of each.
//!
//! Templates are part of the binary. Text is escaped by the template's file name, which ends in
//! `.html` for all of them.

mod page;

use minijinja::Environment;
use minijinja::value::Serde;
use rust_embed::RustEmbed;
use serde::Serialize;

pub use self::page::{
    ApiDocsPage, DoctorPage, ErrorPage, FormPage, HelloPage, IndexPage, PetView, ShowPage,
};
use crate::auth::Auth;

#[derive(RustEmbed)]
#[folder = "views/"]
struct Templates;

/// A page: which template draws it, and from what.
pub trait Page: Serialize {
    const TEMPLATE: &'static str;
}

/// What every template is given beside its page's own context.
#[derive(Serialize)]
struct Context<'a, P> {
    assets: &'a str,
    mode: &'static str,
    can_write: bool,
    #[serde(flatten)]
    page: &'a P,
}

/// Draws pages.
pub struct Views {
    environment: Environment<'static>,
    assets: String,
    auth: Auth,
}

impl Views {
    /// `assets` is the address under which the pages' styles and modules are served.
    pub fn new(assets: String, auth: Auth) -> Self {
        let mut environment = Environment::new();
        environment.set_loader(|name| Ok(Templates::get(name).map(text)));
        Views {
            environment,
            assets,
            auth,
        }
    }

    /// The page as HTML. A template that fails is a defect of this program: it is logged, and the
    /// answer is `None`.
    pub fn render<P: Page>(&self, page: &P) -> Option<String> {
        let context = Context {
            assets: &self.assets,
            mode: match self.auth {
                Auth::Demo => "demo",
                Auth::Serve => "serve",
            },
            can_write: self.auth.can_write(),
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
