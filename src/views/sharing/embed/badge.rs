//! Context of the badge of a pet: a small picture with its name and what it is doing.

use serde::Serialize;

use crate::model::{Pet, Status};
use crate::views::Now;

/// The longest text on either side, in characters.
const TEXT_LIMIT: usize = 40;

/// Size of the font, in pixels.
const FONT_PX: f32 = 11.0;

/// Blank space on each side of a text, in pixels.
const PADDING_PX: u32 = 8;

/// Room for the icon, in pixels.
const ICON_PX: u32 = 18;

/// Colours of a status that has none of its own here, or that is old. As in `public/style/parts/tokens.css`.
const QUIET: [&str; 2] = ["#e6e7e1", "#3a4038"];

/// The badge as a picture (SVG). It is the same for every reader.
///
/// The text is measured here, because a picture cannot load a font; `textLength` makes every renderer use this width.
#[derive(Serialize)]
pub struct BadgePage {
    name: Label,
    status: Label,
    width: u32,
    /// Colour of the ground and of the text.
    colours: [&'static str; 2],
    /// The icon as a path in a square of 16 pixels, and where it begins.
    icon: Option<(&'static str, u32)>,
    #[serde(skip)]
    look: Option<Look>,
}

/// The colours and the icon of a status.
type Look = ([&'static str; 2], &'static str);

/// A text on a badge.
#[derive(Serialize)]
struct Label {
    text: String,
    /// Width of the text.
    length: u32,
    /// Middle of the text.
    middle: f32,
    /// Width of the ground.
    ground: u32,
}

impl BadgePage {
    /// The badge of `pet`, as of now.
    pub fn new(pet: &Pet, now: &Now) -> Self {
        if now.is_old(pet.since) {
            return BadgePage::last_seen(pet, now);
        }
        let text = now.activities.text(pet.status);
        BadgePage::with_texts(&pet.profile.name, &text, look(pet.status.as_str()))
    }

    /// The badge of `pet` when it is not known what it is doing now.
    pub fn last_seen(pet: &Pet, now: &Now) -> Self {
        let mut text = now.activities.text(pet.status);
        if pet.status != Status::NotSetYet {
            text = format!("last seen {}", text.to_lowercase());
        }
        BadgePage::with_texts(&pet.profile.name, &text, None)
    }

    /// The badge for an id without a pet that visitors know.
    pub fn no_pet() -> Self {
        BadgePage::with_texts("Pet", "not listed", None)
    }

    /// Leaves out the letters that a font does not have. A text of which nothing is left is replaced by its stand-in.
    pub fn in_letters(self, is_known: impl Fn(char) -> bool, [name, status]: [&str; 2]) -> Self {
        let name = in_letters(&self.name.text, &is_known, name);
        let status = in_letters(&self.status.text, &is_known, status);
        BadgePage::with_texts(&name, &status, self.look)
    }

    fn with_texts(name: &str, text: &str, look: Option<Look>) -> Self {
        let name = Label::new(name, 0, 0);
        let icon_px = look.map_or(0, |_| ICON_PX);
        let status = Label::new(text, name.ground, icon_px);
        BadgePage {
            width: name.ground + status.ground,
            colours: look.map_or(QUIET, |(colours, _)| colours),
            icon: look.map(|(_, icon)| (icon, name.ground + PADDING_PX - 1)),
            name,
            status,
            look,
        }
    }
}

impl Label {
    /// A text whose ground begins at `start`, with `before` pixels in front of the text.
    fn new(text: &str, start: u32, before: u32) -> Self {
        let mut text: String = text.to_owned();
        if text.chars().count() > TEXT_LIMIT {
            text = text.chars().take(TEXT_LIMIT - 1).collect();
            text.push('…');
        }
        let length = length_px(&text);
        let ground = before + length + 2 * PADDING_PX;
        Label {
            middle: as_float(start + before + PADDING_PX) + as_float(length) / 2.0,
            text,
            length,
            ground,
        }
    }
}

fn in_letters(text: &str, is_known: impl Fn(char) -> bool, stand_in: &str) -> String {
    let known: String = text.chars().filter(|letter| is_known(*letter)).collect();
    if !known.contains(char::is_alphanumeric) && text.contains(char::is_alphanumeric) {
        return stand_in.to_owned();
    }
    let words: Vec<&str> = known.split_whitespace().collect();
    words.join(" ")
}

/// Returns about how wide a text is in a humanist font such as Verdana.
fn length_px(text: &str) -> u32 {
    let ems = text.chars().map(|letter| match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' => 0.32,
        'f' | 'r' | 't' | ' ' | '(' | ')' | '[' | ']' | '-' | '/' => 0.42,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 0.95,
        letter if letter.is_uppercase() => 0.72,
        // Combining marks take no room of their own.
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        '\u{1100}'.. => 1.05,
        _ => 0.62,
    });
    let width: f32 = ems.sum::<f32>() * FONT_PX;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at most 40 letters of 12 pixels"
    )]
    let width = width.ceil() as u32;
    width.max(1)
}

fn as_float(pixels: u32) -> f32 {
    f32::from(u16::try_from(pixels).unwrap_or(u16::MAX))
}

/// Returns the colours and the icon of one of the four statuses, as the elements for other sites have them.
fn look(status: &str) -> Option<Look> {
    Some(match status {
        "eating" => (["#f6dc98", "#3a2900"], "M1 8h14a7 7 0 0 1-14 0z"),
        "bathing" => (["#c3e2ea", "#08303c"], "M8 1c7 9 4 14 0 14s-7-5 0-14z"),
        "sleeping" => (["#dad5ef", "#261f4c"], "M6 1a7 7 0 1 0 9 9 6 6 0 0 1-9-9z"),
        "playing" => (
            ["#cfe4b2", "#1d3009"],
            "M8 1l2 5h5l-4 4 2 5-5-3-5 3 2-5-4-4h5z",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A picture can refer to neither the style of the site nor the icons of the elements, so it has copies.
    #[test]
    fn a_badge_has_the_colours_of_the_site_and_the_icons_of_the_elements() {
        let tokens = include_str!("../../../../public/style/parts/tokens.css");
        let (light, _) = tokens.split_once("@media").unwrap();
        let icons = include_str!("../../../../public/petstore/elements/badge.js");
        let has_colours = |name: &str, [ground, ink]: [&str; 2]| {
            light.contains(&format!("--{name}-patch: {ground};"))
                && light.contains(&format!("--{name}-ink: {ink};"))
        };
        assert!(has_colours("stale", QUIET));
        for status in Status::FOUR {
            let status = status.as_str();
            let (colours, icon) = look(status).unwrap();
            assert!(has_colours(status, colours), "{status}");
            assert!(icons.contains(&format!("{status}: \"{icon}\"")), "{status}");
        }
    }

    #[test]
    fn a_badge_is_as_wide_as_its_texts() {
        let short = BadgePage::with_texts("Bo", "Eating", look("eating"));
        let long = BadgePage::with_texts("Bartholomew", "Eating", look("eating"));
        assert!(short.width < long.width);
        assert_eq!(short.width, short.name.ground + short.status.ground);
        let endless = BadgePage::with_texts(&"W".repeat(500), "Eating", None);
        assert!(endless.width < 600, "{}", endless.width);
        assert!(endless.name.text.ends_with('…'));
    }

    #[test]
    fn letters_that_a_font_does_not_have_are_left_out_unless_nothing_is_left() {
        let draw = |name| {
            let badge = BadgePage::with_texts(name, "Eating", look("eating"));
            let badge = badge.in_letters(|letter| letter.is_ascii(), ["Pet 7", "Eating"]);
            (badge.name.text, badge.width)
        };
        assert_eq!(draw("Biscuit"), draw("Biscuit 🐾"));
        assert_eq!(draw("田中 Mo").0, "Mo");
        assert_eq!(draw("田中").0, "Pet 7");
        assert_eq!(draw("!").0, "!");
    }
}
