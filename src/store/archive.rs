//! A store as text, for other programs and for the day when this one is gone.
//!
//! One JSON object a line (NDJSON): what it is, then every pet, then every change of the log,
//! oldest first, then staff, and at the end a line with the number of lines before it and their
//! SHA-256. The changes have revs without a hole up to the newest. Staff are accounts with their
//! password hashes, tokens, the store's clock and audit_entries, oldest first; or they are left out. Nobody
//! is signed in. An engine writes one with `Writer`, and reads one with `parse`; neither knows any
//! engine.

mod admit;
mod fit;
mod parse;
#[cfg(test)]
mod tests;

use std::io::Write;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub(super) use self::admit::bounded;
pub use self::parse::{Entry, parse};
use super::accounts::{encode_account, encode_audit_entry, encode_key, encode_token};
use super::record::{encode_change, encode_profile};
use super::{AccountSet, StoreError};
use crate::model::{AuditEntry, Change, Epoch, Pet, PetId, Rev, to_hex};

/// The format of the lines, which the first of them names. The first one had no staff, and is read
/// like any other.
const FORMAT: u64 = 2;

/// Whether staff go along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staff {
    Included,
    /// For whoever must not have what opens something.
    LeftOut,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
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
    },
    Change {
        rev: u64,
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
    /// `deed` in every export so far.
    #[serde(rename = "deed")]
    AuditEntry {
        record: Value,
    },
    End {
        lines: u64,
        sha256: String,
    },
}

/// Lines that are counted and summed up as they are written.
pub(super) struct Writer<W> {
    out: W,
    sum: Sha256,
    count: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the first line, about the whole.
    pub fn start(out: W, epoch: Epoch, rev: Rev, next_pet: PetId) -> Result<Self, StoreError> {
        let mut writer = Writer {
            out,
            sum: Sha256::new(),
            count: 0,
        };
        writer.put(&Line::Export {
            format: FORMAT,
            epoch: epoch.to_string(),
            rev: rev.get(),
            next_pet: next_pet.get(),
        })?;
        Ok(writer)
    }

    pub fn pet(&mut self, pet: &Pet) -> Result<(), StoreError> {
        self.put(&Line::Pet {
            id: pet.id.get(),
            profile: value(&encode_profile(&pet.profile)),
            status: pet.status.as_str().to_owned(),
            since: pet.since.micros(),
        })
    }

    pub fn change(&mut self, change: &Change) -> Result<(), StoreError> {
        self.put(&Line::Change {
            rev: change.rev.get(),
            record: value(&encode_change(change)),
        })
    }

    /// Writes everything about staff but their audit_entries and their sessions: a session that was ended
    /// must not come alive again. A token without an account is left out, so that a later account of
    /// that name does not inherit it.
    pub fn roster(&mut self, roster: &AccountSet) -> Result<(), StoreError> {
        for account in &roster.accounts {
            self.put(&Line::Account {
                name: account.name.to_string(),
                record: value(&encode_account(account)),
            })?;
        }
        let tokens = roster.tokens.iter();
        for token in tokens.filter(|token| roster.has_account(&token.account)) {
            self.put(&Line::Token {
                key: encode_key(&token.key),
                record: value(&encode_token(token)),
            })?;
        }
        roster.clock.iter().try_for_each(|reading| {
            self.put(&Line::Clock {
                tick: reading.tick.0,
                wall: reading.wall.micros(),
            })
        })
    }

    pub fn audit_entry(&mut self, audit_entry: &AuditEntry) -> Result<(), StoreError> {
        let record = value(&encode_audit_entry(audit_entry));
        self.put(&Line::AuditEntry { record })
    }

    /// Writes the last line, which tells that none is missing and none was changed.
    pub fn end(mut self) -> Result<(), StoreError> {
        let (lines, sha256) = (self.count, sum_of(&mut self.sum));
        self.put(&Line::End { lines, sha256 })?;
        let flushed = self.out.flush();
        flushed.map_err(|error| StoreError::of_write(&error))
    }

    fn put(&mut self, line: &Line) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(line).expect("a line is made of text and numbers");
        text.push(b'\n');
        self.sum.update(&text);
        self.count += 1;
        let written = self.out.write_all(&text);
        written.map_err(|error| StoreError::of_write(&error))
    }
}

fn value(record: &[u8]) -> Value {
    serde_json::from_slice(record).expect("a record is JSON")
}

/// The sum so far, in lower-case hex digits.
fn sum_of(sum: &mut Sha256) -> String {
    to_hex(&sum.finalize_reset())
}
