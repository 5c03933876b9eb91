//! Schemas of photos: in answers, and in the bodies that send and arrange them.

use serde_json::{Map, Value, json};

use super::pattern;
use crate::model::Photo;

/// Pattern of the address of a file of a photo.
const PHOTO_ADDRESS: &str = "^/photos/[0-9a-f]{32}-[1-9][0-9]{0,3}\\.jpg$";

/// Returns the schema of the photos of a pet in an answer.
pub fn photos_of_a_pet() -> Value {
    json!({
        "type": "array",
        "description": "The photos in their order; the first one is on the pet's card.",
        "maxItems": Photo::MAX_PER_PET,
        "items": { "$ref": "#/components/schemas/Photo" },
    })
}

/// Returns the schema of a photo in an answer.
pub fn photo() -> Value {
    let side = |meaning: &str| json!({ "type": "integer", "minimum": 1, "description": meaning });
    json!({
        "type": "object",
        "description": "A photo: upright, without metadata, as JPEG in up to three widths.",
        "required": ["url", "alt", "width", "height", "widths"],
        "properties": {
            "url": {
                "type": "string",
                "pattern": PHOTO_ADDRESS,
                "description": "Path of the largest file, below the address of the site; for another width, replace the number \
                    before `.jpg`. A file never changes.",
            },
            "alt": { "type": "string", "description": "What the photo shows." },
            "width": side("Width of the largest file, in pixels."),
            "height": side("Height of the largest file, in pixels."),
            "widths": {
                "type": "array",
                "description": "Widths of the files, smallest first.",
                "items": { "type": "integer", "minimum": 1 },
            },
            "added": {
                "type": "string",
                "format": "date-time",
                "description": "When the photo was added: with a token or in a day, unless an earlier version added it.",
            },
        },
    })
}

/// Returns the schema of the body that arranges photos.
pub fn photo_list() -> Value {
    json!({
        "type": "object",
        "description": "All photos of a pet, in their order.",
        "additionalProperties": false,
        "required": ["photos"],
        "properties": {
            "photos": {
                "type": "array",
                "maxItems": Photo::MAX_PER_PET,
                "items": {
                    "type": "object",
                    "required": ["url"],
                    "properties": {
                        "url": { "type": "string", "pattern": PHOTO_ADDRESS },
                        "alt": {
                            "type": "string",
                            "nullable": true,
                            "pattern": pattern::one_line(Photo::ALT_LIMIT),
                            "description": "What the photo shows. If empty, the text names the pet.",
                        },
                    },
                },
            },
        },
    })
}

/// Returns the body of a request that sends a photo.
pub fn photo_file() -> Value {
    let file = json!({ "schema": { "type": "string", "format": "binary" } });
    let kinds = [
        "image/jpeg",
        "image/png",
        "image/webp",
        "application/octet-stream",
    ];
    let content: Map<String, Value> = kinds
        .map(|kind| (kind.to_owned(), file.clone()))
        .into_iter()
        .collect();
    json!({ "required": true, "content": content })
}
