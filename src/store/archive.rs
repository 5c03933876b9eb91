//! The export format: a store as text, for other programs and for versions to come.
//!
//! One JSON object per line (NDJSON): a header, every pet, every change of the log (oldest first),
//! the photos of the pets with their files, the settings of the rescue, accounts, and at the end a line with
//! the number of lines before it and their SHA-256. The
//! changes have consecutive revs up to the newest. Account data are accounts with their password
//! hashes, tokens, the store's clock, and audit entries (oldest first); it can be excluded. Sessions
//! are never exported. An engine writes with `ExportWriter` and reads with `read_export`; neither
//! depends on an engine.

mod consistency;
mod read;
#[cfg(test)]
mod tests;
mod validate;

use std::io::Write;

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use self::read::{ExportedItem, read_export};
pub(super) use self::validate::validate_number;
use super::accounts::{
    encode_account, encode_audit_entry, encode_key, encode_rescue, encode_token, encode_webhook,
};
use super::photos::{read_files, used_photos};
use super::record::{RemovalRecord, encode_change, encode_profile, encode_status};
use super::{AccountSet, StoreError};
use crate::model::{
    AuditEntry, Change, Epoch, Pet, PetId, Photo, PhotoHash, Rescue, Rev, StatusNote, Webhook,
    WebhookProgress,
};

/// The format that is written, which the header names. Format 1 has no accounts, and format 2 neither
/// photos nor settings of the rescue; both are read too.
const FORMAT: u64 = 3;

/// Selects whether an export includes account data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffData {
    /// Accounts, tokens, webhooks, the store's clock and audit entries are exported.
    Included,
    /// The export has no secrets.
    Excluded,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case", deny_unknown_fields)]
enum ExportLine {
    Export {
        format: u64,
        epoch: String,
        rev: u64,
        next_pet: u64,
    },
    Pet {
        id: u64,
        profile: Value,
        status: String,
        /// Microseconds since the Unix epoch.
        since: i64,
        #[serde(default, skip_serializing_if = "StatusNote::is_empty")]
        note: StatusNote,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        photos: Vec<Photo>,
        /// Present for a pet in the trash.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        removed: Option<RemovalRecord>,
    },
    Photo {
        hash: PhotoHash,
        /// Widths and files in Base64, smallest first.
        files: Vec<(u32, String)>,
    },
    Change {
        rev: u64,
        record: Value,
    },
    Rescue {
        record: Value,
    },
    Account {
        name: String,
        record: Value,
    },
    Token {
        /// In hex digits.
        key: String,
        record: Value,
    },
    Clock {
        /// Seconds on the store's own clock.
        tick: u64,
        /// Microseconds since the Unix epoch.
        wall: i64,
    },
    Webhook {
        record: Value,
    },
    #[serde(rename = "deed")]
    AuditEntry {
        record: Value,
    },
    End {
        lines: u64,
        sha256: String,
    },
}

/// Writes an export. Counts and hashes the lines.
pub(super) struct ExportWriter<W> {
    out: W,
    hash: Sha256,
    lines: u64,
}

impl<W: Write> ExportWriter<W> {
    /// Writes the header.
    ///
    /// # Errors
    /// `Full` or `Write`, as for every other method.
    pub fn start(out: W, epoch: Epoch, rev: Rev, next_pet: PetId) -> Result<Self, StoreError> {
        let mut writer = ExportWriter {
            out,
            hash: Sha256::new(),
            lines: 0,
        };
        writer.write_line(&ExportLine::Export {
            format: FORMAT,
            epoch: epoch.to_string(),
            rev: rev.get(),
            next_pet: next_pet.get(),
        })?;
        Ok(writer)
    }

    /// Writes a pet.
    pub fn pet(&mut self, pet: &Pet) -> Result<(), StoreError> {
        self.write_line(&ExportLine::Pet {
            id: pet.id.get(),
            profile: json_value(&encode_profile(&pet.profile)),
            status: encode_status(&pet.status).into_owned(),
            since: pet.since.micros(),
            photos: pet.photos.clone(),
            removed: pet.removed.as_ref().map(RemovalRecord::from),
            note: pet.note.clone(),
        })
    }

    /// Writes the photos of `pets`, whose files `read` returns.
    ///
    /// # Errors
    /// `Record` if a file is missing or damaged, and the errors of `read`.
    pub fn photos(
        &mut self,
        pets: &[Pet],
        read: impl Fn(PhotoHash, u32) -> Result<Option<Bytes>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut left = used_photos(pets);
        let photos = pets.iter().flat_map(|pet| &pet.photos);
        for photo in photos.filter(|photo| left.remove(&photo.hash)) {
            let files = read_files(photo, &read)?;
            let files = files.iter();
            self.write_line(&ExportLine::Photo {
                hash: photo.hash,
                files: files
                    .map(|file| (file.width_px, BASE64.encode(&file.jpeg)))
                    .collect(),
            })?;
        }
        Ok(())
    }

    /// Writes a change.
    pub fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        self.write_line(&ExportLine::Change {
            rev: change.rev.get(),
            record: json_value(&encode_change(change)),
        })
    }

    /// Writes the settings of the rescue, which every visitor sees.
    pub fn rescue(&mut self, rescue: Option<&Rescue>) -> Result<(), StoreError> {
        rescue.map_or(Ok(()), |rescue| {
            let record = json_value(&encode_rescue(rescue));
            self.write_line(&ExportLine::Rescue { record })
        })
    }

    /// Writes accounts, tokens, webhooks and the clock. Excludes sessions, because a session that was ended must
    /// not become valid again. Excludes tokens without an account, so that a later account of that
    /// name does not get them. Excludes the progress of webhooks: the imported history has another epoch.
    pub fn accounts(&mut self, set: &AccountSet) -> Result<(), StoreError> {
        for account in &set.accounts {
            self.write_line(&ExportLine::Account {
                name: account.name.to_string(),
                record: json_value(&encode_account(account)),
            })?;
        }
        let tokens = set.tokens.iter();
        for token in tokens.filter(|token| set.has_account(&token.account)) {
            self.write_line(&ExportLine::Token {
                key: encode_key(&token.key),
                record: json_value(&encode_token(token)),
            })?;
        }
        for webhook in &set.webhooks {
            let webhook = Webhook {
                progress: WebhookProgress::default(),
                ..Webhook::clone(webhook)
            };
            let record = json_value(&encode_webhook(&webhook));
            self.write_line(&ExportLine::Webhook { record })?;
        }
        set.clock.iter().try_for_each(|reading| {
            self.write_line(&ExportLine::Clock {
                tick: reading.tick.0,
                wall: reading.wall.micros(),
            })
        })
    }

    /// Writes an audit entry.
    pub fn audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let record = json_value(&encode_audit_entry(entry));
        self.write_line(&ExportLine::AuditEntry { record })
    }

    /// Writes the last line, by which a reader detects missing and changed lines.
    pub fn end(mut self) -> Result<(), StoreError> {
        let (lines, sha256) = (self.lines, HEXLOWER.encode(&self.hash.finalize_reset()));
        self.write_line(&ExportLine::End { lines, sha256 })?;
        let flushed = self.out.flush();
        flushed.map_err(|error| StoreError::from_write(&error))
    }

    fn write_line(&mut self, line: &ExportLine) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(line).expect("a line is made of text and numbers");
        text.push(b'\n');
        self.hash.update(&text);
        self.lines += 1;
        let written = self.out.write_all(&text);
        written.map_err(|error| StoreError::from_write(&error))
    }
}

fn json_value(record: &[u8]) -> Value {
    serde_json::from_slice(record).expect("a record is JSON")
}
