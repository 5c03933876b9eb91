//! The style sheet of activities. Its address contains everything that it depends on, so
//! every node serves it, and it can be cached forever.

use std::fmt::Write as _;

use super::super::Accent;
use super::super::colour::{BLACK, Colour, MIN_CONTRAST, STEPS, WHITE};
use super::{Activities, Activity, ActivityIcon, OwnActivity};

/// Contrast of text on a patch.
const TEXT_CONTRAST: f64 = 9.0;

/// Contrast of an icon on its patch in dark pages.
const DARK_CONTRAST: f64 = 6.0;

/// Contrast of a dark patch to black: about that of the four statuses.
const DARK_PATCH_CONTRAST: f64 = 1.45;

/// The colours of an activity on light or on dark pages, as in `public/style/parts/tokens.css`.
#[derive(Debug)]
struct Shades {
    patch: Colour,
    ink: Colour,
    strong: Colour,
}

/// The style sheet with the icons and the colours of activities.
#[derive(Debug)]
pub struct ActivitySheet;

impl ActivitySheet {
    /// Returns the name of the style sheet of `activities`; `None` without any.
    pub fn name(activities: &Activities) -> Option<String> {
        let looks = activities.0.iter().map(|activity| {
            let digits = activity.colour.trim_start_matches('#');
            format!("{}.{}.{digits}", activity.word, activity.icon)
        });
        let looks: Vec<String> = looks.collect();
        (!looks.is_empty()).then(|| looks.join(","))
    }

    /// Returns the style sheet with this name; `None` for another text. Its last rule is the mark of a complete
    /// sheet, without which `public/app/loader.js` requests it again.
    pub fn render(name: &str) -> Option<String> {
        let looks: Vec<&str> = name.split(',').collect();
        if looks.len() > Activities::LIMIT_WITH_HIDDEN.max(ActivityIcon::ALL.len()) {
            return None;
        }
        let (mut light, mut dark) = (String::new(), String::new());
        for look in looks {
            let mut parts = look.split('.');
            let (word, icon, digits) = (parts.next()?, parts.next()?, parts.next()?);
            let colour: Accent = format!("#{digits}").parse().ok()?;
            OwnActivity::new(word, "playing").filter(|_| parts.next().is_none())?;
            let icon = ActivityIcon::find(icon)?.css();
            let selector = format!("[data-status=\"{word}\"],[value=\"{word}\"]");
            let (day, night) = (Shades::light(colour), Shades::dark(colour));
            let _ = writeln!(light, "{selector}{{{};--icon:{icon}}}", day.css());
            let _ = writeln!(dark, "{selector}{{{}}}", night.css());
        }
        Some(format!(
            "{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n#complete{{order:1}}\n"
        ))
    }

    /// Returns the name of a style sheet in which each icon stands for an activity of its own word.
    pub fn name_of_icons() -> String {
        let activity = |icon: &ActivityIcon| Activity {
            word: icon.word.to_owned(),
            icon: icon.word.to_owned(),
            colour: Accent::DEFAULT.to_owned(),
            ..Activity::default()
        };
        let all = Activities(ActivityIcon::ALL.iter().map(activity).collect());
        ActivitySheet::name(&all).unwrap_or_default()
    }
}

impl Shades {
    fn light(accent: Accent) -> Self {
        let patch = accent.colour().mixed(WHITE, STEPS / 4 * 3);
        let surfaces = [patch];
        Shades {
            patch,
            ink: accent.colour().until(BLACK, &surfaces, TEXT_CONTRAST),
            strong: accent.colour().until(BLACK, &surfaces, MIN_CONTRAST),
        }
    }

    fn dark(accent: Accent) -> Self {
        let dark = accent.colour().mixed(BLACK, STEPS / 2);
        let patch = dark.until(WHITE, &[BLACK], DARK_PATCH_CONTRAST);
        let surfaces = [patch];
        Shades {
            patch,
            ink: accent.colour().until(WHITE, &surfaces, TEXT_CONTRAST),
            strong: accent.colour().until(WHITE, &surfaces, DARK_CONTRAST),
        }
    }

    fn css(&self) -> String {
        let Shades { patch, ink, strong } = self;
        format!("--patch:{patch};--patch-ink:{ink};--patch-strong:{strong}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_accepted_colour_is_readable_on_its_patch() {
        let steps = [0x00, 0x33, 0x66, 0x99, 0xcc, 0xff];
        let shades = steps.map(|red| steps.map(|green| steps.map(|blue| [red, green, blue])));
        let mut accepted = 0;
        for colour in shades.as_flattened().as_flattened() {
            let Ok(accent) = Colour(*colour).to_string().parse::<Accent>() else {
                continue;
            };
            accepted += 1;
            let (light, dark) = (Shades::light(accent), Shades::dark(accent));
            for (shades, icon_contrast) in [(light, 4.5), (dark, 6.0)] {
                for (mark, least) in [(shades.ink, 9.0), (shades.strong, icon_contrast)] {
                    let contrast = mark.contrast(&[shades.patch]);
                    assert!(contrast >= least, "{accent}: {shades:?}");
                }
            }
        }
        assert!(accepted > 50, "{accepted}");
    }

    #[test]
    fn a_sheet_is_made_of_its_name_alone() {
        let sheet = ActivitySheet::render("at-the-vet.vet.7a0019,walk.walk.1d5747").unwrap();
        assert!(sheet.starts_with("[data-status=\"at-the-vet\"],[value=\"at-the-vet\"]{--patch:#"));
        assert!(sheet.contains("--icon:url(\"data:image/svg+xml,%3csvg xmlns='http"));
        assert!(sheet.ends_with("#complete{order:1}\n"));
        assert!(ActivitySheet::render(&ActivitySheet::name_of_icons()).is_some());
        let long = vec!["a.vet.7a0019"; Activities::LIMIT_WITH_HIDDEN + 1].join(",");
        for name in [
            "",
            "walk",
            "walk.walk",
            "walk.walk.ffffff",
            "walk.horse.1d5747",
            "Walk.walk.1d5747",
            "eating.walk.1d5747",
            "walk.walk.1d5747.",
            "walk.walk.1d5747,",
            &long,
        ] {
            assert_eq!(ActivitySheet::render(name), None, "{name}");
        }
    }
}
