//! Positions in a store's history: epoch, rev, and the cursor that joins them.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Serialize, Serializer};

/// Number of a change. Increases with every change within an epoch, in the order of commit; 0 is the
/// state before the first change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rev(u64);

impl Rev {
    /// The state before the first change.
    pub const ZERO: Rev = Rev(0);

    /// Wraps a number.
    pub const fn new(number: u64) -> Self {
        Rev(number)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// Returns the rev of the change after this one.
    pub const fn next(self) -> Self {
        Rev(self.0.saturating_add(1))
    }

    /// Returns the number of changes after `earlier` up to this rev; 0 when `earlier` is not earlier.
    pub const fn since(self, earlier: Rev) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Identity of a store's history, chosen at random when the store is created. Shown as 8 lower-case hex
/// digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(u32);

impl Epoch {
    /// Wraps the bits.
    pub const fn new(bits: u32) -> Self {
        Epoch(bits)
    }

    /// Returns the bits.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl FromStr for Epoch {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let bytes = HEXLOWER.decode(text.as_bytes());
        let bytes = bytes.map_err(|_| CursorError)?.try_into();
        bytes.map_or(Err(CursorError), |bytes| {
            Ok(Epoch(u32::from_be_bytes(bytes)))
        })
    }
}

/// Position in a store's history, written `<epoch>-<rev>`: `9f2c41aa-1042`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// History in which `rev` counts.
    pub epoch: Epoch,
    /// Last change before the position.
    pub rev: Rev,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.epoch, self.rev.0)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The text is not a cursor. The error has no part of the text, which may be long or hostile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a cursor is 8 lower-case hex digits, a dash and a whole number, such as 9f2c41aa-1042, \
     exactly as the server gave it"
)]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    /// Accepts exactly what `Display` writes, so that a cursor has one spelling.
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (epoch, rev) = text.split_once('-').ok_or(CursorError)?;
        let rev_is_valid = matches!(rev.len(), 1..=20)
            && rev.bytes().all(|digit| digit.is_ascii_digit())
            && (rev == "0" || !rev.starts_with('0'));
        if !rev_is_valid {
            return Err(CursorError);
        }
        Ok(Cursor {
            epoch: epoch.parse()?,
            rev: Rev(rev.parse().map_err(|_| CursorError)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        for text in [
            "9f2c41aa-1042",
            "00000000-0",
            "ffffffff-18446744073709551615",
        ] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn any_other_spelling_is_refused() {
        let too_long = format!("9f2c41aa-{}", "1".repeat(10 * 1024));
        for text in [
            "",
            "-",
            "9f2c41aa",
            "9f2c41aa-",
            "9F2C41AA-1",
            "9f2c41a-1",
            "9f2c41aa-+1",
            "9f2c41aa--1",
            "9f2c41aa-01",
            "9f2c41aa-18446744073709551616",
            "+f2c41aa-1",
            " 9f2c41aa-1",
            too_long.as_str(),
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
        }
    }
}
