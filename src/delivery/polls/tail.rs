//! The end of an answer, which polls share: everything but their heads.

use bytes::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::limits::whole_seconds;

/// `Content-Length`, `Date`, and the body.
pub struct AnswerTail {
    /// The encoded bytes.
    pub bytes: Bytes,
    /// True if the connection ends with the answer.
    pub is_last: bool,
}

impl AnswerTail {
    /// Encodes the end of an answer with `body`.
    pub fn new(body: &[u8]) -> Self {
        AnswerTail {
            bytes: encode("", body),
            is_last: false,
        }
    }

    /// Encodes the end of the last answer of a connection, which the head says already unless `says_so`.
    pub fn new_last(body: &[u8], retry_ms: u64, says_so: bool) -> Self {
        let close = if says_so { "connection: close\r\n" } else { "" };
        let retry = format!("retry-after: {}\r\n{close}", whole_seconds(retry_ms));
        AnswerTail {
            bytes: encode(&retry, body),
            is_last: true,
        }
    }
}

/// Encodes the rest of the head, which begins with `headers`, and the body.
fn encode(headers: &str, body: &[u8]) -> Bytes {
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now());
    let date = date.expect("the year has four digits");
    let length = body.len();
    let head = format!("{headers}content-length: {length}\r\ndate: {date}\r\n\r\n");
    [head.as_bytes(), body].concat().into()
}
