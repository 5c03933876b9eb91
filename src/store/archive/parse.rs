//! Reading an export, line by line: nothing in it is believed unchecked, and memory is bounded by
//! the longest line and by the pets.

use std::io::{BufRead, Read};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::admit::{
    admit_account, admit_change, admit_clock, admit_deed, admit_pet, admit_start, admit_token,
};
use super::fit::Fit;
use super::{FORMAT, Line, sum_of};
use crate::model::{Change, Epoch, Pet, PetId, Rev, Timestamp};
use crate::store::accounts::{decode_account, decode_audit_entry, decode_key, decode_token};
use crate::store::record::{decode_change, decode_profile, decode_status};
use crate::store::{AccountEdit, StoreError};

/// The longest line that is read: above any record, and a bound on memory.
const LINE_LIMIT: u64 = 1024 * 1024;

/// One thing that an export says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Before everything else: the rev of the newest change, and the id that the next pet gets.
    Start {
        rev: Rev,
        next_pet: PetId,
    },
    Pet(Pet),
    Change(Change),
    /// An account, a token, the clock or a audit_entry is put where nothing is yet.
    Staff(AccountEdit),
}

/// Reads an export to its end and hands on what it says, in its order. That all of it is there,
/// fits together and was not changed is known only when this returns.
///
/// # Errors
/// `Import` with the first line that is wrong, also when `take` says so with `Record`; `Read`, and
/// whatever else `take` fails with.
pub fn parse(
    input: impl BufRead,
    mut take: impl FnMut(Entry) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut reader = Reader {
        input,
        sum: Sha256::new(),
        count: 0,
    };
    reader.carry_out(&mut take).map_err(|error| match error {
        StoreError::Record(reason) => StoreError::Import {
            line: reader.count,
            reason,
        },
        error => error,
    })
}

/// Lines that are counted and summed up as they are read.
struct Reader<R> {
    input: R,
    sum: Sha256,
    count: u64,
}

impl<R: BufRead> Reader<R> {
    fn carry_out(
        &mut self,
        take: &mut impl FnMut(Entry) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut fit = Fit::default();
        let mut entry = start(self.next()?)?;
        loop {
            if fit.is_orphan(&entry) {
                tracing::warn!(
                    "an API token in the export belongs to no account and is not imported"
                );
            } else {
                fit.pass(&entry)?;
                take(entry)?;
            }
            entry = match entry_of(self.next()?)? {
                Some(entry) => entry,
                None => break,
            };
        }
        fit.finish()?;
        self.at_end()
    }

    fn next(&mut self) -> Result<Line, StoreError> {
        let mut text = Vec::new();
        let mut limited = self.input.by_ref().take(LINE_LIMIT);
        let size = limited.read_until(b'\n', &mut text);
        size.map_err(|error| StoreError::Read(error.to_string()))?;
        self.count += 1;
        if !text.ends_with(b"\n") {
            let reason = match text.len() as u64 {
                LINE_LIMIT => "it is longer than 1 MiB",
                _ => "the export ends in the middle",
            };
            return Err(misfit(reason));
        }
        let line: Line =
            serde_json::from_slice(&text).map_err(|error| misfit(&error.to_string()))?;
        if let Line::End { lines, sha256 } = &line {
            let sum = sum_of(&mut self.sum);
            if *lines != self.count - 1 || *sha256 != sum {
                return Err(misfit(
                    "the lines before it are not those that were exported",
                ));
            }
        }
        self.sum.update(&text);
        Ok(line)
    }

    fn at_end(&mut self) -> Result<(), StoreError> {
        let rest = self.input.fill_buf();
        let rest = rest.map_err(|error| StoreError::Read(error.to_string()))?;
        if rest.is_empty() {
            return Ok(());
        }
        Err(misfit("something follows the end"))
    }
}

fn start(line: Line) -> Result<Entry, StoreError> {
    match line {
        Line::Export {
            format: 1..=FORMAT,
            epoch,
            rev,
            next_pet,
        } => {
            let is_epoch = epoch.parse::<Epoch>().is_ok();
            if !is_epoch {
                return Err(misfit("epoch: it is 8 lower-case hex digits"));
            }
            let (rev, next_pet) = admit_start(rev, next_pet)?;
            Ok(Entry::Start { rev, next_pet })
        }
        _ => Err(misfit(
            "an export of format 1 or 2 begins with a line about itself",
        )),
    }
}

/// What a line after the first one says; `None` for the last.
fn entry_of(line: Line) -> Result<Option<Entry>, StoreError> {
    let bytes = |record: Value| record.to_string().into_bytes();
    let staff = match line {
        Line::Export { .. } => return Err(misfit("it begins a second time")),
        Line::Pet {
            id,
            profile,
            status,
            since,
        } => return Ok(Some(Entry::Pet(pet(id, &profile, &status, since)?))),
        Line::Change { rev, record } => {
            let change = decode_change(Rev::new(rev), &bytes(record))?;
            return Ok(Some(Entry::Change(admit_change(change)?)));
        }
        Line::End { .. } => return Ok(None),
        Line::Account { name, record } => {
            AccountEdit::PutAccount(admit_account(decode_account(&name, &bytes(record))?)?)
        }
        Line::Token { key, record } => AccountEdit::PutToken(admit_token(decode_token(
            decode_key(&key)?,
            &bytes(record),
        )?)?),
        Line::Clock { tick, wall } => AccountEdit::SetClock(admit_clock(tick, wall)?),
        Line::AuditEntry { record } => {
            AccountEdit::AddAuditEntry(admit_deed(decode_audit_entry(&bytes(record))?)?)
        }
    };
    Ok(Some(Entry::Staff(staff)))
}

fn pet(id: u64, profile: &Value, status: &str, since: i64) -> Result<Pet, StoreError> {
    admit_pet(Pet {
        id: PetId::new(id),
        profile: decode_profile(profile.to_string().as_bytes())?,
        status: decode_status(status)?,
        since: Timestamp::from_micros(since),
    })
}

fn misfit(reason: &str) -> StoreError {
    StoreError::Record(reason.to_owned())
}
