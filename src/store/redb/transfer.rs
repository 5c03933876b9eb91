//! A store as text, for other programs and for the day when this one is gone.
//!
//! One JSON object a line (NDJSON): what it is, then every pet, then every change of the log,
//! oldest first, and at the end a line with the number of lines before it and their SHA-256.
//! Staff, their sessions and tokens are not in it: they belong to one installation.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use redb::{ReadTransaction, ReadableTable, WriteTransaction};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::backup::{empty, with_store};
use super::check::Contents;
use super::inspect::identity;
use super::open::fill;
use super::place::{FILE, Place};
use super::tables::{LOG, META, NEXT_PET, PETS, REV, STATUSES, Written};
use super::{read, tables, write};
use crate::model::Rev;
use crate::store::StoreError;
use crate::store::record::{decode_change, decode_profile, decode_status, encode_profile};

/// The format of the lines, which the first of them names.
const FORMAT: u64 = 1;

/// The longest line that is read: above any record, and a bound on memory.
const LINE_LIMIT: u64 = 1024 * 1024;

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
    End {
        lines: u64,
        sha256: String,
    },
}

/// Writes the store of `folder`, as it is at one moment, as text. A server may run on it.
///
/// # Errors
/// `NotThere`, `Read` or `Record`, and `Write` or `Full` when `out` refuses.
pub fn export(folder: &Path, out: impl Write) -> Result<(), StoreError> {
    with_store(folder, |reading, _| {
        let mut lines = Lines {
            out,
            sum: Sha256::new(),
            count: 0,
        };
        write_lines(reading, folder, &mut lines)?;
        lines.end()
    })
}

/// The same, into a new file that is whole or not there.
///
/// # Errors
/// As for `export`, and `Exists`.
pub fn export_to(folder: &Path, file: &Path) -> Result<(), StoreError> {
    let (target, name) = Place::of_new(file)?;
    target.write(&name, |out| export(folder, out))
}

fn write_lines(
    reading: &ReadTransaction,
    folder: &Path,
    lines: &mut Lines<impl Write>,
) -> Result<(), StoreError> {
    let (_, epoch) = identity(reading, &folder.join(FILE))?;
    let meta = reading.open_table(META).map_err(read)?;
    lines.put(&Line::Export {
        format: FORMAT,
        epoch: epoch.to_string(),
        rev: tables::number(&meta, REV)?,
        next_pet: tables::number(&meta, NEXT_PET)?,
    })?;
    let statuses = reading.open_table(STATUSES).map_err(read)?;
    let pets = reading.open_table(PETS).map_err(read)?;
    for row in pets.iter().map_err(read)? {
        let (id, profile) = row.map_err(read)?;
        let id = id.value();
        let status = statuses.get(id).map_err(read)?;
        let status = status.ok_or_else(|| misfit(&format!("pet {id} has no status")))?;
        let (status, since) = status.value();
        lines.put(&Line::Pet {
            id,
            profile: parsed(profile.value())?,
            status: status.to_owned(),
            since,
        })?;
    }
    let log = reading.open_table(LOG).map_err(read)?;
    for row in log.iter().map_err(read)? {
        let (rev, record) = row.map_err(read)?;
        let (rev, record) = (rev.value(), parsed(record.value())?);
        lines.put(&Line::Change { rev, record })?;
    }
    Ok(())
}

/// Lines that are counted and summed up as they are written.
struct Lines<W> {
    out: W,
    sum: Sha256,
    count: u64,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &Line) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(line).expect("a line is made of text and numbers");
        text.push(b'\n');
        self.sum.update(&text);
        self.count += 1;
        let written = self.out.write_all(&text);
        written.map_err(|error| StoreError::of_write(&error))
    }

    fn end(mut self) -> Result<(), StoreError> {
        let (lines, sha256) = (self.count, hex(self.sum.finalize_reset().as_slice()));
        self.put(&Line::End { lines, sha256 })?;
        let flushed = self.out.flush();
        flushed.map_err(|error| StoreError::of_write(&error))
    }
}

/// Makes a store in `folder` out of an export. The folder is made if need be, and must be empty
/// otherwise; the store gets an epoch of its own.
///
/// # Errors
/// `Import` with the first line that is wrong, `NotEmpty`, and whatever writing can fail with;
/// then there is no store.
pub fn import(input: impl BufRead, folder: &Path) -> Result<Contents, StoreError> {
    let place = empty(folder)?;
    place.make(FILE, |writing| {
        fill(writing)?;
        let mut reader = Reader {
            input,
            sum: Sha256::new(),
            count: 0,
        };
        read_lines(&mut reader, writing).map_err(|error| reader.wrong(error))
    })
}

/// Writes what the lines say; everything but how they fit together, which the check of the whole
/// file finds out.
fn read_lines(
    reader: &mut Reader<impl BufRead>,
    writing: &WriteTransaction,
) -> Result<(), StoreError> {
    let Line::Export {
        format: FORMAT,
        epoch: _,
        rev: newest,
        next_pet,
    } = reader.next()?
    else {
        return Err(misfit(
            "an export of format 1 begins with a line about itself",
        ));
    };
    let mut meta = writing.open_table(META).map_err(write)?;
    meta.insert(REV, newest).map_err(write)?;
    meta.insert(NEXT_PET, next_pet).map_err(write)?;
    let mut tables = Written::open(writing)?;
    loop {
        match reader.next()? {
            Line::Pet {
                id,
                profile,
                status,
                since,
            } => {
                decode_status(&status)?;
                let profile = decode_profile(profile.to_string().as_bytes())?;
                tables.put(id, &encode_profile(&profile), &status, since)?;
            }
            Line::Change { rev, record } => {
                let record = record.to_string();
                let change = decode_change(Rev::new(rev), record.as_bytes())?;
                tables.log(&change, record.as_bytes())?;
            }
            Line::End { .. } => return reader.at_end(),
            Line::Export { .. } => return Err(misfit("it begins a second time")),
        }
    }
}

/// Lines that are counted and summed up as they are read.
struct Reader<R> {
    input: R,
    sum: Sha256,
    count: u64,
}

impl<R: BufRead> Reader<R> {
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
            let sum = hex(self.sum.finalize_reset().as_slice());
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

    /// Says at which line it went wrong.
    fn wrong(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Record(reason) => StoreError::Import {
                line: self.count,
                reason,
            },
            error => error,
        }
    }
}

fn parsed(record: &[u8]) -> Result<Value, StoreError> {
    serde_json::from_slice(record).map_err(|error| misfit(&error.to_string()))
}

fn misfit(reason: &str) -> StoreError {
    StoreError::Record(reason.to_owned())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
