//! Reads an export back.

use std::io::{BufRead, Read};

use bytes::Bytes;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::consistency::ConsistencyCheck;
use super::validate::{
    validate_account, validate_audit_entry, validate_change, validate_clock, validate_pet,
    validate_photo, validate_rescue, validate_start, validate_token, validate_webhook,
};
use super::{ExportLine, FORMAT};
use crate::model::{Change, Epoch, Pet, PetId, PhotoFile, PhotoHash, Removal, Rev, Timestamp};
use crate::store::accounts::{
    decode_account, decode_audit_entry, decode_key, decode_rescue, decode_token, decode_webhook,
};
use crate::store::record::{decode_change, decode_profile, decode_status};
use crate::store::{AccountEdit, StoreError};

/// The longest line that is read, which bounds the memory. A photo has three files of about a megabyte
/// at most; other records are much shorter.
const LINE_LIMIT: u64 = 8 * 1024 * 1024;

/// One item of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportedItem {
    /// Comes before everything else.
    Start {
        /// The rev of the newest change.
        rev: Rev,
        /// The id of the pet that is created next.
        next_pet: PetId,
    },
    /// A pet, as it is after all changes.
    Pet(Box<Pet>),
    /// A change of the log.
    Change(Change),
    /// The files of a photo, smallest first.
    Photo(PhotoHash, Vec<PhotoFile>),
    /// The edit that adds an account, a token, a webhook, the clock, an audit entry or the settings of the rescue.
    Staff(AccountEdit),
}

/// Reads an export to its end, and calls `visit` with each item in its order. Only when this
/// returns is it known that the export is complete, consistent and unchanged.
///
/// # Errors
/// `Import` with the first line that is wrong, also if `visit` returns `Record`; `Read`, and the
/// other errors of `visit`.
pub fn read_export(
    input: impl BufRead,
    mut visit: impl FnMut(ExportedItem) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut reader = ExportReader {
        input,
        hash: Sha256::new(),
        lines: 0,
    };
    reader.read_all(&mut visit).map_err(|error| match error {
        StoreError::Record(reason) => StoreError::Import {
            line: reader.lines,
            reason,
        },
        error => error,
    })
}

/// Counts and hashes the lines while it reads them.
struct ExportReader<R> {
    input: R,
    hash: Sha256,
    lines: u64,
}

impl<R: BufRead> ExportReader<R> {
    fn read_all(
        &mut self,
        visit: &mut impl FnMut(ExportedItem) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut consistency = ConsistencyCheck::default();
        let mut item = parse_header(self.read_line()?)?;
        loop {
            if consistency.is_orphan(&item) {
                tracing::warn!(
                    "an API token in the export belongs to no account and is not imported"
                );
            } else {
                consistency.check(&item)?;
                visit(item)?;
            }
            item = match parse_item(self.read_line()?)? {
                Some(item) => item,
                None => break,
            };
        }
        consistency.finish()?;
        self.check_end()
    }

    fn read_line(&mut self) -> Result<ExportLine, StoreError> {
        let mut text = Vec::new();
        let mut limited = self.input.by_ref().take(LINE_LIMIT);
        let size = limited.read_until(b'\n', &mut text);
        size.map_err(|error| StoreError::Read(error.to_string()))?;
        self.lines += 1;
        if !text.ends_with(b"\n") {
            return Err(StoreError::record(match text.len() as u64 {
                LINE_LIMIT => "it is longer than 8 MiB",
                _ => "the export ends in the middle",
            }));
        }
        let line =
            serde_json::from_slice(&text).map_err(|error| StoreError::record(error.to_string()))?;
        if let ExportLine::End { lines, sha256 } = &line {
            let hash = HEXLOWER.encode(&self.hash.finalize_reset());
            if *lines != self.lines - 1 || *sha256 != hash {
                return Err(StoreError::record(
                    "the file was changed after the export: its SHA-256 does not match",
                ));
            }
        }
        self.hash.update(&text);
        Ok(line)
    }

    fn check_end(&mut self) -> Result<(), StoreError> {
        let rest = self.input.fill_buf();
        let rest = rest.map_err(|error| StoreError::Read(error.to_string()))?;
        if rest.is_empty() {
            return Ok(());
        }
        Err(StoreError::record("something follows the end"))
    }
}

fn parse_header(line: ExportLine) -> Result<ExportedItem, StoreError> {
    let ExportLine::Export {
        format: 1..=FORMAT,
        epoch,
        rev,
        next_pet,
    } = line
    else {
        return Err(StoreError::record(
            "an export of format 1, 2 or 3 begins with a line about itself",
        ));
    };
    if epoch.parse::<Epoch>().is_err() {
        return Err(StoreError::record("epoch: it is 8 lower-case hex digits"));
    }
    let (rev, next_pet) = validate_start(rev, next_pet)?;
    Ok(ExportedItem::Start { rev, next_pet })
}

/// Parses a line after the header; returns `None` for the last line.
fn parse_item(line: ExportLine) -> Result<Option<ExportedItem>, StoreError> {
    let bytes = |record: Value| record.to_string().into_bytes();
    let edit = match line {
        ExportLine::Export { .. } => return Err(StoreError::record("it begins a second time")),
        ExportLine::Pet {
            id,
            profile,
            status,
            since,
            photos,
            removed,
            note,
        } => {
            let pet = validate_pet(Pet {
                id: PetId::new(id),
                profile: decode_profile(&bytes(profile))?,
                photos,
                status: decode_status(&status)?,
                since: Timestamp::from_micros(since),
                removed: removed.map(Removal::from),
                note,
            })?;
            return Ok(Some(ExportedItem::Pet(Box::new(pet))));
        }
        ExportLine::Change { rev, record } => {
            let change = decode_change(Rev::new(rev), &bytes(record))?;
            return Ok(Some(ExportedItem::Change(validate_change(change)?)));
        }
        ExportLine::Photo { hash, files } => {
            let files = files.into_iter().map(|(width_px, jpeg)| {
                let jpeg = BASE64.decode(jpeg.as_bytes()).map(Bytes::from);
                let damaged = |_| StoreError::record("jpeg: it is not Base64");
                jpeg.map(|jpeg| PhotoFile { width_px, jpeg })
                    .map_err(damaged)
            });
            let files = validate_photo(hash, files.collect::<Result<_, _>>()?)?;
            return Ok(Some(ExportedItem::Photo(hash, files)));
        }
        ExportLine::End { .. } => return Ok(None),
        ExportLine::Rescue { record } => {
            let rescue = validate_rescue(&decode_rescue(&bytes(record))?)?;
            AccountEdit::PutRescue(rescue.into())
        }
        ExportLine::Account { name, record } => {
            AccountEdit::PutAccount(validate_account(decode_account(&name, &bytes(record))?)?)
        }
        ExportLine::Token { key, record } => {
            let token = decode_token(decode_key(&key)?, &bytes(record))?;
            AccountEdit::PutToken(validate_token(token)?)
        }
        ExportLine::Webhook { record } => {
            let webhook = validate_webhook(&decode_webhook(&bytes(record))?)?;
            AccountEdit::PutWebhook(webhook.into())
        }
        ExportLine::Clock { tick, wall } => AccountEdit::SetClock(validate_clock(tick, wall)?),
        ExportLine::AuditEntry { record } => {
            let entry = decode_audit_entry(&bytes(record))?;
            AccountEdit::AddAuditEntry(validate_audit_entry(entry)?)
        }
    };
    Ok(Some(ExportedItem::Staff(edit)))
}
