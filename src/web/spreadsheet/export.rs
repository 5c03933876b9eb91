//! The list of all pets as a file, for staff.

use std::borrow::Cow;
use std::sync::Arc;

use csv::{Terminator, WriterBuilder};
use poem::http::header;
use poem::{Response, handler};

use super::formula::neutralise;
use crate::auth::{MayRead, Permit};
use crate::error::Failure;
use crate::model::{Audience, Pet, Profile};
use crate::web::pages::PageResponder;
use crate::web::site::run_blocking;

/// Byte order mark, without which Excel does not read the file as UTF-8.
const BOM: char = '\u{feff}';

/// Answers with every pet, private ones too, and every field. The import reads the file.
#[handler]
pub async fn export_pets(_permit: Permit<MayRead>, pages: PageResponder) -> poem::Result<Response> {
    let board = pages.site.app.hub().board(Audience::Staff);
    let file = run_blocking(move || write(&board.pets).map_err(|_| Failure::internal())).await?;
    Ok(Response::builder()
        .content_type("text/csv; charset=utf-8; header=present")
        .header(
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"pets.csv\"",
        )
        .header(header::CACHE_CONTROL, "no-store")
        .body(file))
}

/// Writes a column for each field under the name of the API, between the id and the status.
fn write(pets: &[Arc<Pet>]) -> Result<Vec<u8>, csv::Error> {
    let mut file = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(BOM.to_string().into_bytes());
    let names = Profile::FIELDS.iter().map(|field| field.name);
    file.write_record(
        ["id"]
            .into_iter()
            .chain(names)
            .chain(["status", "since", "note"]),
    )?;
    for pet in pets {
        let (id, since) = (pet.id.to_string(), pet.since.to_string());
        let fields = Profile::FIELDS.iter();
        let texts = fields.map(|field| neutralise(field.text(&pet.profile)));
        let before = [id.as_str().into()];
        let note = neutralise(pet.note.as_str());
        let after = [pet.status.as_str().into(), since.as_str().into(), note];
        let record = before.into_iter().chain(texts).chain(after);
        file.write_record(record.map(Cow::into_owned))?;
    }
    file.into_inner()
        .map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{PetId, Status, Timestamp};

    #[test]
    fn a_file_has_a_mark_names_and_a_record_for_each_pet_whose_cells_are_no_formulas() {
        let pet = Pet {
            id: PetId::new(7),
            profile: Profile {
                name: "=cmd".to_owned(),
                species: "Dog, large".to_owned(),
                about: "Says \"hello\"\nand more".to_owned(),
                ..Profile::default()
            },
            status: Status::Eating,
            since: "2026-11-28T14:05:00Z".parse::<Timestamp>().unwrap(),
            photos: Vec::new(),
            removed: None,
            note: "=1+1".parse().unwrap(),
        };
        let file = String::from_utf8(write(&[pet.into()]).unwrap()).unwrap();
        assert_eq!(
            file,
            "\u{feff}id,name,species,breed,sex,born,age,size,colour,state,tags,bonded_with,about,\
             intake,location,status,since,note\r\n\
             7,'=cmd,\"Dog, large\",,unknown,,,unknown,,available,,,\
             \"Says \"\"hello\"\"\nand more\",,,eating,2026-11-28T14:05:00.000000Z,'=1+1\r\n"
        );
    }
}
