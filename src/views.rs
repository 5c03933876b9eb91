//! Renders pages: minijinja templates, and the typed context of each.
//!
//! `page` names the template of each context. Templates are part of the binary. All their names end in
//! `.html` or `.xml`, which makes minijinja escape text.

mod account;
mod ask;
mod audit;
mod choice;
mod confirm;
mod day;
mod find;
mod form;
mod import;
mod lobby;
mod page;
mod pets;
mod photos;
mod print;
mod server;
mod sharing;
mod sign_in;
mod staff;
mod templates;
mod time_text;

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, Error, ErrorKind};
use serde::Serialize;

pub use self::account::AccountPage;
pub use self::ask::AskView;
pub use self::audit::{AuditPage, HistoryPage, Subject};
pub use self::confirm::ConfirmPage;
pub use self::day::{DayPage, DayStrip, day_path};
pub use self::find::{FindView, view_address};
pub use self::form::{
    ActivitiesPage, FieldMessages, FormPage, WebhookPage, WebhooksPage, activity_form, webhook_form,
};
pub use self::import::{ImportPage, ImportPreview, ImportedPet};
pub use self::lobby::{LobbyCardsPage, LobbyPage};
pub use self::page::Page;
pub use self::pets::{
    BoardLayout, BulkUndoView, CardsPage, FeedEntry, FeedPage, IndexPage, PETS_FEED, ShowPage,
    StatusForm, TrashPage, UndoView, pet_feed,
};
use self::photos::LogoView;
pub use self::photos::{LogoPage, PhotosPage, logo_path};
pub use self::print::{PrintPage, PrintSheet};
pub use self::server::{ApiDocsPage, DoctorPage, ErrorPage, HelloPage, OfflinePage, RetryForm};
pub use self::sharing::{BadgePage, EmbedFrame, EmbedPage, SharePage, SharedPhoto, Sharing, Theme};
pub use self::sign_in::{InvitationPage, PendingForm, SignInPage};
pub use self::staff::{StaffPage, counted};
pub use self::time_text::Now;
use crate::auth::{AuthMode, Rights};
use crate::model::{ActivitiesVersion, ActivitySheet, Rescue};

/// Context that every template gets in addition to that of its page.
#[derive(Serialize)]
struct Context<'a, P> {
    mode: &'static str,
    can_write: bool,
    is_admin: bool,
    is_station: bool,
    /// The settings by the names of their fields.
    rescue: BTreeMap<&'static str, &'a str>,
    logo: Option<LogoView>,
    /// Name of the rescue, or a general one until it has a name.
    site_name: &'a str,
    /// Digits of the accent colour, if it is not the built-in one.
    accent: Option<String>,
    /// Name of the style sheet of the rescue's own activities, if it has some.
    activity_sheet: Option<String>,
    /// Version of these activities, by which the page notices that it needs them again.
    activities_version: Option<ActivitiesVersion>,
    /// Names of these activities that do not follow from their words, as JSON.
    activity_names: Option<String>,
    /// The link that calls the rescue.
    phone_link: Option<String>,
    /// True if pages install the service worker.
    has_worker: bool,
    /// Name of the account that is signed in.
    name: Option<&'a str>,
    /// `name=value` of the cookie with the account that is signed in.
    account_cookie: Option<&'a str>,
    /// Token of every form against request forgery.
    form_token: Option<&'a str>,
    #[serde(flatten)]
    page: &'a P,
}

/// Renders pages.
pub struct Views {
    environment: Environment<'static>,
    has_worker: bool,
}

impl Views {
    /// Loads templates when they are needed. The filter `asset` turns the name of an asset into its address,
    /// `inline` into its content, and `script_data` makes JSON the content of a script element. The variable `base`
    /// is `base_path`, which addresses of the site start with. With `has_worker`, pages install the service worker.
    pub fn new<A: AssetSource>(assets: Arc<A>, base_path: &str, has_worker: bool) -> Self {
        let mut environment = Environment::new();
        // A line with nothing but a block leaves no blank line in the page.
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build();
        environment.set_syntax(syntax.expect("the delimiters are the default ones"));
        environment.set_loader(|name| Ok(templates::read(name)));
        let base = base_path.to_owned();
        environment.add_global("base", base.clone());
        let paths = Arc::clone(&assets);
        environment.add_filter("asset", move |name: &str| {
            let address = paths.path(name).map(|path| format!("{base}{path}"));
            safe_text(name, address.as_deref())
        });
        environment.add_filter("inline", move |name: &str| {
            safe_text(name, assets.content(name))
        });
        environment.add_filter("script_data", |json: &str| {
            // No text in it can end the element.
            Value::from_safe_string(json.replace('<', "\\u003c"))
        });
        Views {
            environment,
            has_worker,
        }
    }

    /// Renders a page of `rescue` for a reader with `rights`. A template that fails is a bug: the failure is logged,
    /// and the result is `None`.
    pub fn render<P: Page>(&self, rescue: &Rescue, rights: &Rights, page: &P) -> Option<String> {
        let context = Context {
            mode: match rights.auth {
                AuthMode::Demo => "demo",
                AuthMode::Serve => "serve",
            },
            can_write: rights.is_staff,
            is_admin: rights.is_admin,
            is_station: rights.is_station,
            rescue: rescue.texts(),
            logo: rescue.logo.as_ref().map(LogoView::new),
            site_name: rescue.shown_name(),
            accent: rescue
                .accent()
                .map(|accent| accent.to_string()[1..].to_owned()),
            activity_sheet: ActivitySheet::name(&rescue.activities),
            activities_version: ActivitiesVersion::new(&rescue.activities),
            activity_names: rescue.activities.names_json(),
            phone_link: rescue.phone_link(),
            has_worker: self.has_worker,
            name: rights.name.as_deref(),
            account_cookie: rights.account_cookie.as_deref(),
            form_token: rights.form_token.as_deref(),
            page,
        };
        let template = self.environment.get_template(P::TEMPLATE);
        match template.and_then(|template| template.render(Serde(context))) {
            Ok(html) => Some(html),
            Err(error) => {
                tracing::error!(template = P::TEMPLATE, %error, "cannot render page");
                None
            }
        }
    }
}

/// Files that pages refer to.
pub trait AssetSource: Send + Sync + 'static {
    /// Returns the path of the file with this name.
    fn path(&self, name: &str) -> Option<&str>;

    /// Returns the text of the file with this name.
    fn content(&self, name: &str) -> Option<&str>;
}

/// Returns text that templates do not escape.
fn safe_text(name: &str, text: Option<&str>) -> Result<Value, Error> {
    let text = text.ok_or_else(|| {
        let detail = format!("there is no asset {name}");
        Error::new(ErrorKind::InvalidOperation, detail)
    })?;
    Ok(Value::from_safe_string(text.to_owned()))
}
