//! How public pages describe themselves to search engines, and to programs that preview links.
//!
//! Only a page that has a `Sharing` may be indexed; the layout asks for every other page not to be. It
//! contains what every visitor reads on the page, and nothing about staff.

mod embed;

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

pub use self::embed::{BadgePage, EmbedFrame, EmbedPage, SharePage, Theme};
use super::pets::{PETS_FEED, pet_feed};
use crate::model::{AdoptionState, Audience, FieldKind, Pet, Profile, Rescue};
use crate::wire::photo_path;

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
    /// The path of the feed of what the page shows, if it has one.
    feed: Option<String>,
    photo: Option<SharedPhoto>,
    /// Linked data (JSON-LD, schema.org).
    data: String,
    /// The public address that describes a frame with what the page shows (oEmbed).
    oembed: Option<String>,
}

/// The photo of a page in previews of links.
#[derive(Serialize)]
pub struct SharedPhoto {
    /// The public address of the largest file: programs that preview links know no other.
    address: String,
    width: u32,
    height: u32,
    alt: String,
}

impl Sharing {
    /// Describes the board at `address`.
    pub fn board(rescue: &Rescue, address: Option<String>, photo: Option<SharedPhoto>) -> Self {
        let name = rescue.shown_name();
        let mut data = shelter(rescue);
        data["@context"] = "https://schema.org".into();
        add_place(&mut data, address.as_deref(), photo.as_ref());
        Sharing {
            title: format!("The pets of {name}"),
            description: format!("See what every pet of {name} is up to right now."),
            address,
            feed: Some(PETS_FEED.to_owned()),
            photo,
            data: data.to_string(),
            oembed: None,
        }
    }

    /// Adds the public address that describes a frame with what the page shows.
    pub fn with_oembed(self, oembed: Option<String>) -> Self {
        Sharing { oembed, ..self }
    }

    /// Describes the page of a pet at `address`; `None` for a private pet.
    pub fn pet(
        rescue: &Rescue,
        pet: &Pet,
        address: Option<String>,
        photo: Option<SharedPhoto>,
    ) -> Option<Self> {
        let description = describe(&pet.profile);
        let title = pet.profile.name.clone();
        let feed = Some(pet_feed(pet.id));
        pet.is_public().then(|| Sharing {
            feed,
            ..Sharing::about(rescue, pet, [title, description], address, photo)
        })
    }

    /// Describes the page of a pet's day, with its date in words; `None` for a private pet.
    pub fn day(
        rescue: &Rescue,
        pet: &Pet,
        date: &str,
        address: Option<String>,
        photo: Option<SharedPhoto>,
    ) -> Option<Self> {
        let name = &pet.profile.name;
        let texts = [
            format!("{name} on {date}"),
            format!("What {name} did on {date}, from hour to hour."),
        ];
        pet.is_public()
            .then(|| Sharing::about(rescue, pet, texts, address, photo))
    }

    /// Describes a page about `pet` by its title and its description.
    fn about(
        rescue: &Rescue,
        pet: &Pet,
        [title, description]: [String; 2],
        address: Option<String>,
        photo: Option<SharedPhoto>,
    ) -> Self {
        let mut data = json!({
            "@context": "https://schema.org",
            "@type": "WebPage",
            "name": title,
            "description": description,
            "about": { "@type": "Thing", "name": pet.profile.name, "description": describe(&pet.profile) },
            "publisher": shelter(rescue),
        });
        add_place(&mut data, address.as_deref(), photo.as_ref());
        Sharing {
            title,
            description,
            address,
            feed: None,
            photo,
            data: data.to_string(),
            oembed: None,
        }
    }
}

impl SharedPhoto {
    /// The cover of a pet. `to_address` completes a path, if the public address is known.
    pub fn cover(pet: &Pet, to_address: impl FnOnce(&str) -> Option<String>) -> Option<Self> {
        let photo = pet.photos.first()?;
        Some(SharedPhoto {
            address: to_address(&photo_path(photo.hash, photo.width_px))?,
            width: photo.width_px,
            height: photo.height_px,
            alt: pet.photo_alt(photo).into_owned(),
        })
    }

    /// Adds the photo to an answer of oEmbed.
    pub fn add_as_thumbnail(&self, answer: &mut Value) {
        answer["thumbnail_url"] = self.address.as_str().into();
        answer["thumbnail_width"] = self.width.into();
        answer["thumbnail_height"] = self.height.into();
    }

    /// Returns the pet of `pets` whose cover stands for the board: one with a photo that visitors see, if
    /// possible one that is available.
    pub fn choose(pets: &[Arc<Pet>]) -> Option<&Pet> {
        let shown = pets.iter().map(|pet| &**pet);
        let mut shown = shown.filter(|pet| pet.is_public() && !pet.photos.is_empty());
        let first = shown.next()?;
        let is_available = |pet: &&Pet| pet.profile.state == AdoptionState::Available;
        let available = Some(first).filter(is_available);
        Some(
            available
                .or_else(|| shown.find(is_available))
                .unwrap_or(first),
        )
    }
}

/// Adds the address of a page and its photo to its linked data.
fn add_place(data: &mut Value, address: Option<&str>, photo: Option<&SharedPhoto>) {
    let photo = photo.map(|photo| &*photo.address);
    for (name, address) in [("url", address), ("image", photo)] {
        if let Some(address) = address {
            data[name] = address.into();
        }
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
pub fn describe(profile: &Profile) -> String {
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
