//! The built-in icons of activities.

/// An icon to choose for an activity.
#[derive(Debug)]
pub struct ActivityIcon {
    /// Word in records and forms.
    pub word: &'static str,
    /// Name that people read.
    pub text: &'static str,
    svg: &'static str,
}

macro_rules! icon {
    ($word:literal, $text:literal) => {
        ActivityIcon {
            word: $word,
            text: $text,
            svg: include_str!(concat!(
                "../../../../public/icons/activities/",
                $word,
                ".svg"
            )),
        }
    };
}

const ICONS: [ActivityIcon; 16] = [
    icon!("vet", "Vet"),
    icon!("walk", "Walk"),
    icon!("outside", "Outside"),
    icon!("training", "Training"),
    icon!("play-group", "Play group"),
    icon!("cuddling", "Cuddling"),
    icon!("resting", "Resting"),
    icon!("exploring", "Exploring"),
    icon!("grooming", "Grooming"),
    icon!("medicine", "Medicine"),
    icon!("quarantine", "Quarantine"),
    icon!("weighing", "Weighing"),
    icon!("visitors", "Visitors"),
    icon!("photo-shoot", "Photo shoot"),
    icon!("travelling", "Travelling"),
    icon!("at-home", "At home"),
];

impl ActivityIcon {
    /// Every icon, in the order of the form.
    pub const ALL: &'static [ActivityIcon] = &ICONS;

    /// Returns the icon with this word.
    pub fn find(word: &str) -> Option<&'static Self> {
        ActivityIcon::ALL.iter().find(|icon| icon.word == word)
    }

    /// Returns the icon as the value of a CSS property.
    pub fn css(&self) -> String {
        let (_comment, svg) = self.svg.split_once("-->").unwrap_or(("", self.svg));
        let lines: Vec<&str> = svg.lines().map(str::trim).collect();
        let svg = lines.join("").replace('"', "'");
        let svg = svg
            .replace('#', "%23")
            .replace('<', "%3c")
            .replace('>', "%3e");
        format!("url(\"data:image/svg+xml,{svg}\")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drawing_of_an_activity_can_be_chosen() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/public/icons/activities");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut icons: Vec<String> = ActivityIcon::ALL
            .iter()
            .map(|icon| format!("{}.svg", icon.word))
            .collect();
        files.sort();
        icons.sort();
        assert_eq!(icons, files);
    }
}
