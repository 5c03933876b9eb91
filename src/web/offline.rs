//! The board as an app: its manifest, its service worker, and the page for readers without a network.
//!
//! `public/worker` is the service worker. It stores only what the server marks as public, and only in browsers.

use std::sync::Arc;

use clap::ValueEnum;
use poem::http::{HeaderMap, header};
use poem::web::Data;
use poem::{Request, Response, handler};
use serde_json::json;

use super::Site;
use super::assets;
use super::middleware::security_headers::OwnPolicy;
use super::pages::make_cacheable;
use crate::auth::{AuthMode, Rights};
use crate::error::Failure;
use crate::views::{AssetSource, OfflinePage};

/// The service worker of this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServiceWorker {
    /// Browsers keep the last board for times without a network.
    On,
    /// Browsers that have one remove it, with what it has stored.
    Off,
}

impl ServiceWorker {
    /// Returns the service worker in this mode. The demo has none: browsers would keep it for whatever is developed at the same
    /// address later.
    pub fn in_mode(self, mode: AuthMode) -> Self {
        match mode {
            AuthMode::Demo => ServiceWorker::Off,
            AuthMode::Serve => self,
        }
    }

    /// Returns the file of the script.
    fn script(self) -> &'static str {
        match self {
            ServiceWorker::On => "service-worker.js",
            ServiceWorker::Off => "remove-worker.js",
        }
    }
}

/// Colours of the window before the page has loaded. As in the light theme.
const BACKGROUND: &str = "#f2f3ee";

/// Home screens show about this many characters below an icon.
const SHORT_NAME_CHARACTERS: usize = 15;

/// Serves the script of the service worker. Its address decides which pages it is for: those beside and below it.
#[handler]
pub fn worker(Data(site): Data<&Arc<Site>>, request: &Request) -> poem::Result<Response> {
    let mut response = assets::revalidated(site, site.worker.script(), request)?;
    response.set_data(OwnPolicy::worker());
    Ok(response)
}

/// Describes the board as an app. Its addresses are relative, so that it is right below any path.
#[handler]
pub async fn manifest(Data(site): Data<&Arc<Site>>, headers: &HeaderMap) -> poem::Result<Response> {
    let rescue = site.app.rescue();
    let icon = |name: &str, size: u32, purpose: &str| {
        let path = site.assets.path(name).unwrap_or_default();
        json!({
            "src": path.trim_start_matches('/'),
            "sizes": format!("{size}x{size}"),
            "type": "image/png",
            "purpose": purpose,
        })
    };
    let manifest = json!({
        "name": rescue.shown_name(),
        "short_name": short_name(rescue.shown_name()),
        "description": "See what every pet is up to right now.",
        "lang": "en",
        "dir": "auto",
        "start_url": "pets",
        "scope": "./",
        "display": "standalone",
        "background_color": BACKGROUND,
        "theme_color": BACKGROUND,
        "icons": [
            icon("icon-192.png", 192, "any"),
            icon("icon-512.png", 512, "any"),
            icon("icon-maskable.png", 512, "maskable"),
        ],
    });
    let response = Response::builder()
        .content_type("application/manifest+json")
        .body(manifest.to_string());
    make_cacheable(response, headers, "no-cache").await
}

/// Shows the page for readers without a network. It is the same for everyone, whatever cookies the request has.
#[handler]
pub fn show_offline(Data(site): Data<&Arc<Site>>) -> poem::Result<Response> {
    let visitor = Rights::shared(site.app.auth(), false);
    let html = site
        .views
        .render(&site.app.rescue(), &visitor, &OfflinePage {});
    let html = html.ok_or_else(Failure::internal)?;
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(html))
}

/// Returns the first words of a name, as many as home screens show. A long first word stays whole; they cut it.
fn short_name(name: &str) -> &str {
    let ends = name.char_indices().filter(|(_, letter)| *letter == ' ');
    let ends = ends.map(|(at, _)| at).chain([name.len()]);
    let mut words = ends.map(|end| &name[..end]);
    let first = words.next().unwrap_or(name);
    let fits = |words: &&str| words.chars().count() <= SHORT_NAME_CHARACTERS;
    words.rfind(fits).unwrap_or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_name_is_as_many_words_as_fit() {
        for (name, expected) in [
            ("Pet rescue", "Pet rescue"),
            ("Happy Tails Animal Rescue", "Happy Tails"),
            ("Tierschutzverein Musterstadt", "Tierschutzverein"),
            ("Österreichische Pfoten", "Österreichische"),
        ] {
            assert_eq!(short_name(name), expected);
        }
    }
}
