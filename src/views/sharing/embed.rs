//! Contexts of pages that other sites show in a frame, and the frame itself.

mod badge;
mod share;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::badge::BadgePage;
pub use self::share::SharePage;
use crate::hub::Board;
use crate::model::{Cursor, Pet};
use crate::views::Now;
use crate::views::pets::{AsOf, PetView};

/// A page with one pet or all pets, without its cards. It is the same for every reader.
#[derive(Serialize)]
pub struct EmbedPage {
    /// `None` if there is no such pet: the page is not live then.
    #[serde(flatten)]
    as_of: Option<AsOf>,
    title: String,
    /// The page with everything.
    path: String,
    /// The pet, if the page has one pet.
    pet: Option<u64>,
    has_pets: bool,
    /// An empty pet: the page copies its card for pets that are added later.
    blank: PetView,
    theme: Theme,
}

/// The colours that the site around a frame asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// Light colours.
    Light,
    /// Dark colours.
    Dark,
    /// The colours that the reader's device prefers.
    #[default]
    #[serde(other)]
    Auto,
}

/// The element with which another site shows a page for a frame.
pub struct EmbedFrame {
    address: String,
    title: String,
    width: u32,
    height: u32,
}

impl EmbedFrame {
    /// Width of a frame, unless the site has less room: that of a column of text.
    const WIDTH: u32 = 600;

    /// Frames below this width show the pet below its photo, and not beside it.
    const NARROW_WIDTH: u32 = 480;

    /// The frame with all pets, from the public `address` of its page.
    pub fn board(address: &str, rescue: &str) -> Self {
        EmbedFrame {
            address: address.to_owned(),
            title: format!("The pets of {rescue}"),
            width: EmbedFrame::WIDTH,
            height: 800,
        }
    }

    /// The frame with the pet of this name, from the public `address` of its page.
    pub fn pet(address: &str, name: &str) -> Self {
        EmbedFrame {
            address: address.to_owned(),
            title: name.to_owned(),
            width: EmbedFrame::WIDTH,
            height: 280,
        }
    }

    /// Fits the frame into the room of a site.
    pub fn within(self, max_width: Option<u32>, max_height: Option<u32>) -> Self {
        let width = max_width.map_or(self.width, |max| self.width.min(max));
        // The cover has a ratio of four to three.
        let height = if width < EmbedFrame::NARROW_WIDTH && self.height < width {
            width * 3 / 4 + 140
        } else {
            self.height
        };
        let height = max_height.map_or(height, |max| height.min(max));
        EmbedFrame {
            width,
            height,
            ..self
        }
    }

    /// Returns the title, which readers hear before the frame.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Returns the width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels. A page that listens gets a better one.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the element behind a link to `page`. `WordPress` shows the link instead of the frame until the frame tells its height,
    /// and loads the script that listens only for a frame with such a link.
    pub fn html_with_link(&self, page: &str) -> String {
        let (page, title) = (escape(page), escape(&self.title));
        let link = format!("<blockquote><a href=\"{page}\">{title}</a></blockquote>");
        link + &self.html()
    }

    /// Returns the element. Slashes stay as they are, because `WordPress` reads the address without decoding it.
    pub fn html(&self) -> String {
        format!(
            "<iframe src=\"{}\" title=\"{}\" width=\"{}\" height=\"{}\" frameborder=\"0\" \
             sandbox=\"allow-scripts allow-popups allow-popups-to-escape-sandbox\"></iframe>",
            escape(&self.address),
            escape(&self.title),
            self.width,
            self.height
        )
    }
}

/// Escapes text for HTML that people copy. Slashes stay as they are.
pub(super) fn escape(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

impl EmbedPage {
    /// Placeholder of the cards. Text of people is escaped, so it cannot contain this.
    pub const CARDS: &'static str = "<!--cards-->";

    /// The page with all pets, as of now.
    pub fn board(board: &Board, theme: Theme, now: &Now) -> Self {
        EmbedPage {
            as_of: Some(AsOf::of_frame(board.cursor, now)),
            title: "Our pets".to_owned(),
            path: "/pets".to_owned(),
            pet: None,
            has_pets: !board.pets.is_empty(),
            blank: PetView::blank(now),
            theme,
        }
    }

    /// The page with one pet, as of now.
    pub fn pet(pet: &Arc<Pet>, cursor: Cursor, theme: Theme, now: &Now) -> Self {
        EmbedPage {
            as_of: Some(AsOf::of_frame(cursor, now)),
            title: pet.profile.name.clone(),
            path: format!("/pets/{}", pet.id),
            pet: Some(pet.id.get()),
            has_pets: true,
            blank: PetView::blank(now),
            theme,
        }
    }

    /// The page for an id without a pet that visitors know.
    pub fn no_pet(theme: Theme, now: &Now) -> Self {
        EmbedPage {
            as_of: None,
            title: "Not listed".to_owned(),
            path: "/pets".to_owned(),
            pet: None,
            has_pets: false,
            blank: PetView::blank(now),
            theme,
        }
    }
}

impl Theme {
    /// Returns a style sheet in these colours alone, whatever the reader's device prefers.
    pub fn apply(self, sheet: &str) -> String {
        let (scheme, media) = match self {
            Theme::Light => ("light", " not all"),
            Theme::Dark => ("dark", " all"),
            Theme::Auto => return sheet.to_owned(),
        };
        sheet
            .replace("color-scheme:light dark", &format!("color-scheme:{scheme}"))
            .replace("(prefers-color-scheme:dark)", media)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fits_into_the_room_and_no_name_ends_its_attribute() {
        let frame = || EmbedFrame::pet("https://pets.example/embed/pets/7", "A \"><script>");
        assert_eq!((frame().width(), frame().height()), (600, 280));
        let narrow = frame().within(Some(320), None);
        assert_eq!((narrow.width(), narrow.height()), (320, 380));
        let low = frame().within(Some(1200), Some(200));
        assert_eq!((low.width(), low.height()), (600, 200));
        let html = frame().html();
        assert!(
            html.contains("src=\"https://pets.example/embed/pets/7\""),
            "{html}"
        );
        assert!(
            html.contains("title=\"A &quot;&gt;&lt;script&gt;\""),
            "{html}"
        );
    }

    #[test]
    fn a_theme_decides_instead_of_the_device() {
        let sheet =
            ":root{color-scheme:light dark;--a:1}@media(prefers-color-scheme:dark){:root{--a:2}}";
        let of = |theme: Theme| theme.apply(sheet);
        assert_eq!(of(Theme::Auto), sheet);
        assert_eq!(
            of(Theme::Dark),
            ":root{color-scheme:dark;--a:1}@media all{:root{--a:2}}"
        );
        assert_eq!(
            of(Theme::Light),
            ":root{color-scheme:light;--a:1}@media not all{:root{--a:2}}"
        );
        assert_eq!(
            serde_json::from_str::<Theme>("\"pink\"").unwrap(),
            Theme::Auto
        );
    }
}
