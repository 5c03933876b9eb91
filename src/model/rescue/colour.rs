//! Colours, and their contrast to each other as in WCAG 2.2.

use std::fmt;

/// Red, green and blue (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// Black.
pub const BLACK: Colour = Colour([0; 3]);

/// White.
pub const WHITE: Colour = Colour([0xff; 3]);

/// The least contrast of text (WCAG 1.4.3).
pub const MIN_CONTRAST: f64 = 4.5;

/// Steps in which a colour is made darker or lighter.
pub const STEPS: u8 = 64;

impl Colour {
    /// Parses six hex digits after a `#`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        // The parser of numbers also takes a sign.
        let digits = Some(digits).filter(|digits| !digits.starts_with('+'))?;
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Colour([red, green, blue]))
    }

    /// Returns the colour with `share` of 64 parts of `other`.
    pub fn mixed(self, other: Colour, share: u8) -> Self {
        let (share, all) = (u32::from(share), u32::from(STEPS));
        let mix = |own: u8, other: u8| {
            let sum = u32::from(own) * (all - share) + u32::from(other) * share;
            (sum / all) as u8
        };
        let ([red, green, blue], other) = (self.0, other.0);
        Colour([
            mix(red, other[0]),
            mix(green, other[1]),
            mix(blue, other[2]),
        ])
    }

    /// Mixes `other` into the colour until it has this contrast to every surface.
    pub fn until(self, other: Colour, surfaces: &[Colour], contrast: f64) -> Self {
        let shades = (0..STEPS).map(|share| self.mixed(other, share));
        let mut readable = shades.filter(|shade| shade.contrast(surfaces) >= contrast);
        readable.next().unwrap_or(other)
    }

    /// Returns the least contrast to any of the surfaces.
    pub fn contrast(self, surfaces: &[Colour]) -> f64 {
        let own = self.luminance();
        let contrasts = surfaces.iter().map(|surface| {
            let other = surface.luminance();
            (own.max(other) + 0.05) / (own.min(other) + 0.05)
        });
        contrasts.fold(f64::INFINITY, f64::min)
    }

    /// Returns the relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|channel| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 {
                channel / 12.92
            } else {
                ((channel + 0.055) / 1.055).powf(2.4)
            }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        for (one, other, contrast) in [
            (BLACK, WHITE, 21.0),
            (Colour([0x77; 3]), WHITE, 4.48),
            (Colour([0xff, 0, 0]), WHITE, 4.0),
        ] {
            assert!((one.contrast(&[other]) - contrast).abs() < 0.005);
        }
    }
}
