//! The accent colour: links, buttons and marks. It has to be readable on the surfaces of our pages.
//!
//! Contrast is that of WCAG 2.2. An admin chooses the colour for light pages; the one for dark pages is
//! the same, lightened.

use std::fmt;
use std::str::FromStr;

use super::colour::{BLACK, Colour, MIN_CONTRAST, STEPS, WHITE};

/// A colour that is readable as text on every light surface, and white text on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(Colour);

/// Surfaces of light pages: `--wool` and `--linen` in `public/style/parts/tokens.css`.
const LIGHT_SURFACES: [Colour; 2] = [Colour([0xf2, 0xf3, 0xee]), Colour([0xfd, 0xfd, 0xfb])];

/// Surfaces of dark pages.
const DARK_SURFACES: [Colour; 2] = [Colour([0x15, 0x19, 0x1a]), Colour([0x1e, 0x23, 0x24])];

/// Contrast of the colour on dark pages, which is that of the built-in one or a little less.
const DARK_CONTRAST: f64 = 7.0;

impl Accent {
    /// The colour of pages without a setting: `--spruce`.
    pub const DEFAULT: &'static str = "#1d5747";

    /// Returns the colour.
    pub(super) fn colour(self) -> Colour {
        self.0
    }

    /// Returns the style sheet that replaces the built-in colour. Its last rule is the mark of a complete
    /// sheet, without which `public/app/loader.js` requests it again.
    pub fn style_sheet(self) -> String {
        let (light, light_hover) = (self.0, self.0.mixed(BLACK, STEPS / 4));
        let dark = self.0.until(WHITE, &DARK_SURFACES, DARK_CONTRAST);
        let dark_hover = dark.mixed(WHITE, STEPS / 4);
        let on_dark = DARK_SURFACES[0];
        format!(
            ":root{{--spruce:{light};--spruce-deep:{light_hover};--on-spruce:{WHITE}}}\n\
             @media (prefers-color-scheme:dark){{\
             :root{{--spruce:{dark};--spruce-deep:{dark_hover};--on-spruce:{on_dark}}}}}\n\
             #complete{{order:1}}\n"
        )
    }
}

/// Parses six hex digits after a `#`.
impl FromStr for Accent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "Choose a colour, for example #1d5747.".to_owned();
        let colour = Colour::parse(text).ok_or_else(invalid)?;
        let contrast = colour.contrast(&LIGHT_SURFACES);
        if contrast >= MIN_CONTRAST {
            return Ok(Accent(colour));
        }
        let darker = colour.until(BLACK, &LIGHT_SURFACES, MIN_CONTRAST);
        Err(format!(
            "This colour is too light to read on our pages: its contrast is {contrast:.1} to 1, and text \
             needs {MIN_CONTRAST} to 1. {darker} is a darker shade of it that works."
        ))
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_that_is_too_light_is_refused_with_one_that_works() {
        for text in ["#ffffff", "#f59e0b", "#00ff00", "#808080"] {
            let message = text.parse::<Accent>().unwrap_err();
            let (_, rest) = message.split_once(" to 1. ").unwrap();
            let proposed = rest.split(' ').next().unwrap();
            assert!(proposed.parse::<Accent>().is_ok(), "{text}: {message}");
        }
        for text in [
            "", "1d5747", "#1d574", "#1d57471", "#zzzzzz", "#+d5747", "red", "#é5747",
        ] {
            let message = text.parse::<Accent>().unwrap_err();
            assert!(message.starts_with("Choose a colour"), "{text}: {message}");
        }
    }

    /// Returns the value of a property in the first or the last block of a style sheet.
    fn property(sheet: &str, name: &str, is_dark: bool) -> Colour {
        let start = format!("{name}:");
        let mut values = sheet.split(&start).skip(1);
        let value = if is_dark {
            values.last()
        } else {
            values.next()
        };
        let [_, red, green, blue] = u32::from_str_radix(&value.unwrap().trim()[1..7], 16)
            .unwrap()
            .to_be_bytes();
        Colour([red, green, blue])
    }

    #[test]
    fn every_accepted_colour_is_readable_on_light_and_on_dark_pages() {
        for text in [
            Accent::DEFAULT,
            "#000000",
            "#7a0019",
            "#0000ff",
            "#8a4b00",
            "#6d28d9",
        ] {
            let sheet = text.parse::<Accent>().unwrap().style_sheet();
            for (is_dark, surfaces) in [(false, LIGHT_SURFACES), (true, DARK_SURFACES)] {
                let on = property(&sheet, "--on-spruce", is_dark);
                for name in ["--spruce", "--spruce-deep"] {
                    let colour = property(&sheet, name, is_dark);
                    assert!(
                        colour.contrast(&surfaces) >= MIN_CONTRAST,
                        "{name}: {sheet}"
                    );
                    assert!(colour.contrast(&[on]) >= MIN_CONTRAST, "{name}: {sheet}");
                }
            }
        }
    }

    #[test]
    fn the_surfaces_and_the_default_are_those_of_the_style_sheet() {
        let tokens = include_str!("../../../public/style/parts/tokens.css");
        for (is_dark, surfaces) in [(false, LIGHT_SURFACES), (true, DARK_SURFACES)] {
            let used = ["--wool", "--linen"].map(|name| property(tokens, name, is_dark));
            assert_eq!(used, surfaces);
        }
        let default = property(tokens, "--spruce", false);
        assert_eq!(default.to_string(), Accent::DEFAULT);
    }
}
