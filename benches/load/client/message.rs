//! What the client reads of a message: its type, its rev, and, once per change, its pet and time.
//!
//! There is no JSON parser here. A client that took every message apart would be heavier than the
//! server it measures; it finds the few fields it needs by their names, in the order in which
//! servers write them.

use memchr::memmem;

/// The part of a message in which the type and the cursor are; the rest may be long.
const HEAD_BYTES: usize = 96;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Hello,
    Snapshot,
    /// `status`, `pet` or `gone`: what carries a change of its own.
    Change,
    Heartbeat,
    Bye,
    Other,
}

/// A message's type and, where it has a cursor, the rev in it.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    pub kind: Kind,
    pub rev: Option<u64>,
}

pub fn heading(json: &[u8]) -> Heading {
    let head = &json[..json.len().min(HEAD_BYTES)];
    let (name, cursor) = type_and_cursor(head).unwrap_or_else(|| {
        let name = text_of(head, b"\"type\":\"").unwrap_or_default();
        (name, text_of(head, b"\"cursor\":\""))
    });
    let kind = match name {
        b"status" | b"pet" | b"gone" => Kind::Change,
        b"heartbeat" => Kind::Heartbeat,
        b"snapshot" => Kind::Snapshot,
        b"hello" => Kind::Hello,
        b"bye" => Kind::Bye,
        _ => Kind::Other,
    };
    let rev = cursor.and_then(rev_of_cursor);
    Heading { kind, rev }
}

/// The short way, for messages that start with their type and then their cursor.
fn type_and_cursor(head: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let rest = head.strip_prefix(b"{\"type\":\"")?;
    let (name, rest) = rest.split_at(memchr::memchr(b'"', rest)?);
    let cursor = rest.strip_prefix(b"\",\"cursor\":\"")?;
    let end = memchr::memchr(b'"', cursor)?;
    Some((name, Some(&cursor[..end])))
}

/// The rev of a cursor such as `9f2c41aa-1042`.
pub fn rev_of_cursor(cursor: &[u8]) -> Option<u64> {
    let dash = memchr::memchr(b'-', cursor)?;
    number(&cursor[dash + 1..])
}

/// The pet of a change.
pub fn pet_of(json: &[u8]) -> Option<u64> {
    number_of(json, b"\"pet\":")
}

/// How long a `bye` asks to stay away, in milliseconds.
pub fn retry_ms_of(json: &[u8]) -> Option<u64> {
    number_of(json, b"\"retry_ms\":")
}

/// When a change was committed, in microseconds since the Unix epoch.
pub fn since_of(json: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text_of(json, b"\"since\":\"")?).ok()?;
    micros(text)
}

/// An RFC 3339 time in UTC, in microseconds since the Unix epoch.
pub fn micros(text: &str) -> Option<i64> {
    Some(text.parse::<jiff::Timestamp>().ok()?.as_microsecond())
}

/// The text between the quotes after `name`.
fn text_of<'a>(json: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let start = memmem::find(json, name)? + name.len();
    let length = memchr::memchr(b'"', &json[start..])?;
    Some(&json[start..start + length])
}

/// The number after `name`.
fn number_of(json: &[u8], name: &[u8]) -> Option<u64> {
    let start = memmem::find(json, name)? + name.len();
    let digits = json[start..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit());
    number(&json[start..start + digits.count()])
}

fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + u64::from(byte - b'0'))
    })
}
