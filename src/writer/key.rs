//! Idempotency keys, for requests that can arrive twice: a form that is submitted again, or an API call
//! that is retried after its answer was lost.

use sha2::{Digest, Sha256};

use super::{Command, StatusEdit};
use crate::model::{PetId, Profile, RequestKey, StatusStart};

/// The idempotency key of a request. Two principals can use the same key for different requests.
#[derive(Clone, Debug)]
pub struct IdempotencyKey {
    key: String,
    is_of_form: bool,
}

impl IdempotencyKey {
    /// The key of an API call. The same key with another payload is refused.
    pub fn from_header(key: &str) -> Self {
        IdempotencyKey {
            key: key.to_owned(),
            is_of_form: false,
        }
    }

    /// The key that was rendered into a form. The same key with other content is another request: the
    /// author went back to the form and entered something else.
    pub fn from_form(key: &str) -> Self {
        IdempotencyKey {
            key: key.to_owned(),
            is_of_form: true,
        }
    }

    /// Returns the identity of the request, which is recorded with its change.
    pub(super) fn request(&self, principal: &str, command: &Command) -> RequestKey {
        let fingerprint = fingerprint(command);
        let mut id = Sha256::new();
        let space = if self.is_of_form {
            id.update(fingerprint);
            "form"
        } else {
            "header"
        };
        for part in [space, principal, &self.key] {
            add(&mut id, part);
        }
        RequestKey {
            id: first(&id.finalize()),
            fingerprint,
        }
    }
}

/// Returns a digest of the command without its precondition.
fn fingerprint(command: &Command) -> [u8; 8] {
    let mut hash = Sha256::new();
    match command {
        // Only sample pets are created with photos, without a key.
        Command::Create {
            profile, status, ..
        } => {
            add(&mut hash, "create");
            for field in Profile::FIELDS {
                add(&mut hash, field.text(profile));
            }
            add(&mut hash, status.as_str());
        }
        Command::Edit { pet, patch, .. } => {
            add(&mut hash, "edit");
            add(&mut hash, &pet.to_string());
            for (field, text) in patch.texts() {
                add(&mut hash, field.name);
                add(&mut hash, text);
            }
        }
        Command::SetStatus { pet, edit } => {
            add(&mut hash, "set-status");
            add_status(&mut hash, *pet, edit);
        }
        Command::SetStatuses { statuses, .. } => {
            add(&mut hash, "set-statuses");
            for (pet, edit) in statuses {
                add_status(&mut hash, *pet, edit);
            }
        }
        Command::AddPhoto { pet, photo } => {
            add(&mut hash, "add-photo");
            add(&mut hash, &pet.to_string());
            add(&mut hash, &photo.hash.to_string());
            add(&mut hash, &photo.alt);
        }
        Command::EditPhotos { pet, edit, .. } => {
            add(&mut hash, "edit-photos");
            add(&mut hash, &pet.to_string());
            add(&mut hash, &format!("{edit:?}"));
        }
        Command::Remove { pet, .. } => {
            add(&mut hash, "remove");
            add(&mut hash, &pet.to_string());
        }
        Command::Restore(pet) => {
            add(&mut hash, "restore");
            add(&mut hash, &pet.to_string());
        }
        Command::Delete(pet) => {
            add(&mut hash, "delete");
            add(&mut hash, &pet.to_string());
        }
    }
    first(&hash.finalize())
}

/// Adds a status. One that starts now or is restored, without a note, has the same digest as in earlier
/// versions.
fn add_status(hash: &mut Sha256, pet: PetId, edit: &StatusEdit) {
    add(hash, &pet.to_string());
    add(hash, edit.status.as_str());
    match edit.start {
        StatusStart::Now => add(hash, ""),
        StatusStart::Restored(since) => add(hash, &since.to_string()),
        StatusStart::At(began) => add(hash, &format!("began {began}")),
        StatusStart::MinutesAgo(minutes) => add(hash, &format!("{minutes} minutes ago")),
    }
    if let Some(note) = &edit.note {
        add(hash, "note");
        add(hash, note.as_str());
    }
}

/// Adds a text with its length, so that no two lists of texts are the same bytes.
fn add(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_be_bytes());
    hash.update(text);
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut first = [0; N];
    first.copy_from_slice(&bytes[..N]);
    first
}
