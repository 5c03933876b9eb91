//! How public pages describe themselves to search engines, and to programs that preview links.
//!
//! Only a page that has a `Sharing` may be indexed; the layout asks for every other page not to be. It
//! contains what every visitor reads on the page, and nothing about staff.

use serde::Serialize;
use serde_json::{Value, json};

use crate::model::{Audience, FieldKind, Pet, Profile, Rescue};

/// Characters of a description that previews show.
const DESCRIPTION_CHARACTERS: usize = 200;

/// Fields after the name that say in short what a pet is.
const KIND_FIELDS: usize = 2;

/// The description of a page.
#[derive(Serialize)]
pub struct Sharing {
    title: String,
    description: String,
    /// The public address of the page, without which there is no canonical one.
    address: Option<String>,
    /// Linked data (JSON-LD, schema.org).
    data: String,
}

impl Sharing {
    /// Describes the board at `address`.
    pub fn board(rescue: &Rescue, address: Option<String>) -> Self {
        let name = rescue.shown_name();
        let mut data = shelter(rescue);
        data["@context"] = "https://schema.org".into();
        if let Some(address) = &address {
            data["url"] = address.as_str().into();
        }
        Sharing {
            title: format!("The pets of {name}"),
            description: format!("See what every pet of {name} is up to right now."),
            address,
            data: data.to_string(),
        }
    }

    /// Describes the page of a pet at `address`; `None` for a private pet.
    pub fn pet(rescue: &Rescue, pet: &Pet, address: Option<String>) -> Option<Self> {
        if pet.is_private() {
            return None;
        }
        let name = &pet.profile.name;
        let description = describe(&pet.profile);
        let mut data = json!({
            "@context": "https://schema.org",
            "@type": "WebPage",
            "name": name,
            "description": description,
            "about": { "@type": "Thing", "name": name, "description": description },
            "publisher": shelter(rescue),
        });
        if let Some(address) = &address {
            data["url"] = address.as_str().into();
        }
        Some(Sharing {
            title: name.clone(),
            description,
            address,
            data: data.to_string(),
        })
    }
}

/// Returns what visitors may know of the rescue, as linked data.
fn shelter(rescue: &Rescue) -> Value {
    let mut shelter = json!({ "@type": "AnimalShelter", "name": rescue.shown_name() });
    for (name, text) in [
        ("email", &rescue.mail),
        ("telephone", &rescue.phone),
        ("sameAs", &rescue.website),
    ] {
        if !text.is_empty() {
            shelter[name] = text.as_str().into();
        }
    }
    shelter
}

/// Describes a pet in one line: what it is, then the beginning of the text about it.
fn describe(profile: &Profile) -> String {
    let lines = |is_wanted: fn(FieldKind) -> bool| {
        let fields = Profile::fields_for(Audience::Public).skip(1);
        let fields = fields.filter(move |field| is_wanted(field.kind));
        fields.map(|field| field.text(profile).trim())
    };
    let kind = lines(|kind| matches!(kind, FieldKind::Line(_))).take(KIND_FIELDS);
    let kind: Vec<&str> = kind.filter(|text| !text.is_empty()).collect();
    let about: Vec<&str> = lines(|kind| matches!(kind, FieldKind::Lines(_))).collect();
    let description = format!("{}. {}", kind.join(", "), about.join(" "));
    let words: Vec<&str> = description.split_whitespace().collect();
    shorten(&words.join(" "))
}

/// Cuts a text at the end of a word.
fn shorten(text: &str) -> String {
    let Some((end, _)) = text.char_indices().nth(DESCRIPTION_CHARACTERS) else {
        return text.to_owned();
    };
    let kept = &text[..end];
    let kept = kept.rsplit_once(' ').map_or(kept, |(kept, _)| kept);
    format!("{kept}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_has_the_details_and_the_beginning_of_the_text_in_whole_words() {
        let mut profile = Profile {
            name: "Biscuit".to_owned(),
            species: "Dog".to_owned(),
            location: "Kennel 3".to_owned(),
            about: "Likes\nlong  walks.".to_owned(),
            ..Profile::default()
        };
        assert_eq!(describe(&profile), "Dog. Likes long walks.");
        profile.about = "wörd ".repeat(100);
        let description = describe(&profile);
        assert!(description.ends_with(" wörd…"), "{description}");
        assert!(description.chars().count() <= DESCRIPTION_CHARACTERS + 1);
        profile.about = "ü".repeat(300);
        assert_eq!(describe(&profile), "Dog.…");
    }
}
