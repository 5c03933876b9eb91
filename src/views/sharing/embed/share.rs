//! Context of the page that helps people to show pets on another website.

use serde::Serialize;

use super::{EmbedFrame, escape};
use crate::model::{Pet, Rescue};
use crate::views::{PETS_FEED, pet_feed};

/// The page for one pet or for all pets. Its snippets are for other sites, so their addresses are complete.
#[derive(Serialize)]
pub struct SharePage {
    /// Name of the pet; `None` for all pets. (In the layout, `name` is that of the account.)
    pet_name: Option<String>,
    /// Number of the pet.
    pet: Option<u64>,
    /// Path of the page that is shared.
    path: String,
    /// Address of that page, for `WordPress`; `None` while the rescue allows no site to frame its pets.
    address: Option<String>,
    frame: Option<FrameView>,
    element: String,
    pictures: Option<PicturesView>,
    /// Address of the feed; `None` without a public address.
    feed: Option<String>,
}

/// A frame, and its snippet.
#[derive(Serialize)]
struct FrameView {
    path: String,
    title: String,
    width: u32,
    height: u32,
    snippet: String,
}

/// The pictures of a pet, and their snippets.
#[derive(Serialize)]
struct PicturesView {
    badge: String,
    badge_html: String,
    badge_markdown: String,
    /// The picture that changes.
    live: String,
    live_html: String,
}

impl SharePage {
    /// The page for all pets of `rescue`, whose server is at `base`.
    pub fn board(rescue: &Rescue, base: &str, has_feed: bool) -> Self {
        let frame = EmbedFrame::board(&format!("{base}/embed/board"), rescue.shown_name());
        let link = link(&format!("{base}/pets"), "Our pets");
        SharePage {
            pet_name: None,
            pet: None,
            path: "/pets".to_owned(),
            address: Some(format!("{base}/pets")),
            frame: Some(FrameView::new("/embed/board".to_owned(), &frame)),
            element: element(base, &format!("<pet-board>{link}</pet-board>")),
            pictures: None,
            feed: has_feed.then(|| format!("{base}{PETS_FEED}")),
        }
    }

    /// The page for a pet, whose server is at `base`.
    pub fn pet(pet: &Pet, base: &str, has_feed: bool) -> Self {
        let (name, path) = (&pet.profile.name, format!("/pets/{}", pet.id));
        let address = format!("{base}{path}");
        let frame_path = format!("/embed{path}");
        let frame = EmbedFrame::pet(&format!("{base}{frame_path}"), name);
        let link = link(&address, name);
        SharePage {
            pet_name: Some(name.clone()),
            pet: Some(pet.id.get()),
            frame: Some(FrameView::new(frame_path, &frame)),
            element: element(
                base,
                &format!("<pet-status pet=\"{}\">{link}</pet-status>", pet.id),
            ),
            pictures: Some(PicturesView::new(&path, &address, name)),
            feed: has_feed.then(|| format!("{base}{}", pet_feed(pet.id))),
            address: Some(address),
            path,
        }
    }

    /// Leaves out what needs a frame.
    pub fn without_frames(self) -> Self {
        SharePage {
            address: None,
            frame: None,
            ..self
        }
    }
}

impl FrameView {
    fn new(path: String, frame: &EmbedFrame) -> Self {
        FrameView {
            path,
            title: frame.title().to_owned(),
            width: frame.width(),
            height: frame.height(),
            snippet: frame.html(),
        }
    }
}

impl PicturesView {
    fn new(path: &str, address: &str, name: &str) -> Self {
        let alt = escape(name);
        let html = |file: &str| {
            format!(
                "<a href=\"{address}\"><img src=\"{address}/{file}\" alt=\"{alt}\" height=\"20\"></a>"
            )
        };
        // Brackets and backslashes would end the text.
        let text = name.replace(['[', ']', '\\', '`'], " ");
        PicturesView {
            badge_html: html("badge.svg"),
            badge_markdown: format!("[![{text}]({address}/badge.svg)]({address})"),
            badge: format!("{path}/badge.svg"),
            live_html: html("live.png"),
            live: format!("{path}/live.png"),
        }
    }
}

/// Returns the snippet of an element of the library for other sites.
fn element(base: &str, element: &str) -> String {
    format!("<script type=\"module\" src=\"{base}/live/client.js\"></script>\n{element}")
}

fn link(address: &str, text: &str) -> String {
    format!("<a href=\"{address}\">{}</a>", escape(text))
}
