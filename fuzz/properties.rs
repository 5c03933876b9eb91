//! Properties of the parsers for any input. The fuzz targets run them with inputs of libFuzzer, and
//! `tests/it/properties.rs` with the corpus and random changes to it.

use std::time::Instant;

use pet_store::delivery::FrameDecoder;
use pet_store::live::{EchoCodec, LiveQuery};
use pet_store::model::Cursor;
use pet_store::store::{StoreError, archive};
use poem::Request;

/// The longest message that the decoder keeps.
const KEPT: usize = 64;

/// However the bytes are split, a decoder returns the same, and keeps no more than its limit. The echo
/// answers the same, and closes at the same violation.
pub fn websocket(bytes: &[u8]) {
    let whole = read(bytes, bytes.len().max(1));
    assert_eq!(whole, read(bytes, 1), "by the byte");
    assert_eq!(whole, read(bytes, 7), "by the seven");
    let (answer, next) = echo(bytes, bytes.len().max(1));
    let (in_pieces, next_in_pieces) = echo(bytes, 3);
    assert_eq!(next, next_in_pieces);
    // Each piece has a header: no answer is longer than all headers and all bytes.
    assert!(answer.len() <= bytes.len() * 2 + 64);
    assert!(in_pieces.len() <= bytes.len() * 8 + 64);
}

fn read(bytes: &[u8], size: usize) -> Vec<String> {
    let mut decoder = FrameDecoder::new(Instant::now(), KEPT);
    let mut received = Vec::new();
    for piece in bytes.chunks(size) {
        decoder.push(piece);
        loop {
            match decoder.decode() {
                Ok(Some(next)) => received.push(format!("{next:?}")),
                Ok(None) => break,
                Err(violation) => {
                    received.push(format!("{violation:?}"));
                    return received;
                }
            }
        }
    }
    received
}

fn echo(bytes: &[u8], size: usize) -> (Vec<u8>, bool) {
    let (mut echo, mut answer) = (EchoCodec::default(), Vec::new());
    let is_closed = bytes
        .chunks(size)
        .any(|piece| echo.push(piece, &mut answer));
    (answer, is_closed)
}

/// A cursor is formatted as it was parsed, and nothing else is accepted.
pub fn cursor(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Ok(cursor) = text.parse::<Cursor>() {
        let written = cursor.to_string();
        assert_eq!(written.parse::<Cursor>().ok(), Some(cursor));
        assert_eq!(written, text, "one spelling each");
    }
}

/// Any query is parsed, or refused as a bad request with a reason.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(uri) = format!("/live/sse?{text}").parse() else {
        return;
    };
    let uri: poem::http::Uri = uri;
    let id: String = text.chars().filter(char::is_ascii_graphic).collect();
    let request = Request::builder().uri(uri);
    let request = request.header("last-event-id", &id).finish();
    if let Err(failure) = LiveQuery::parse(&request) {
        assert_eq!(failure.status.as_u16(), 400, "{failure:?}");
        assert!(!failure.detail.is_empty());
    }
}

/// An import returns one item for each line but the last, or the line that is wrong and why.
pub fn import(bytes: &[u8]) {
    let mut entries = 0;
    let read = archive::read_export(bytes, |_entry| {
        entries += 1;
        Ok(())
    });
    let lines = bytes.split_inclusive(|&byte| byte == b'\n').count();
    match read {
        Ok(()) => assert_eq!(entries + 1, lines),
        Err(StoreError::Import { line, reason }) => {
            assert!(!reason.is_empty());
            assert!(line <= lines as u64 + 1, "line {line} of {lines}");
        }
        Err(other) => panic!("neither read nor refused: {other}"),
    }
}
