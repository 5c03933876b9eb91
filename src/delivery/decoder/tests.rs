//! Valid and invalid frames of clients.

use super::*;
use crate::limits::RequestMemory;

const KEPT: usize = 4096;

/// A client's frame, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = websocket_header(0, payload.len());
    frame[0] = first;
    frame[1] |= 0x80;
    let mask = [1, 2, 3, 4];
    frame.extend_from_slice(&mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

fn text(text: &str) -> Incoming {
    Incoming::Message(IncomingMessage::Text(text.to_owned()))
}

fn read(bytes: &[u8]) -> Result<Option<Incoming>, Violation> {
    let mut decoder = FrameDecoder::new(Instant::now(), KEPT);
    decoder.push(bytes);
    decoder.decode()
}

#[test]
fn messages_are_decoded_however_their_bytes_are_split() {
    let mut bytes = frame(0x01, "Grüße, ".as_bytes());
    bytes.extend(frame(0x89, b"still there?"));
    bytes.extend(frame(0x80, "Miso".as_bytes()));
    bytes.extend(frame(0x82, &[0; 70]));
    bytes.extend(frame(0x88, &[0x03, 0xE8]));
    for size in [1, 2, 3, 7, bytes.len()] {
        let mut decoder = FrameDecoder::new(Instant::now(), KEPT);
        let mut received = Vec::new();
        for piece in bytes.chunks(size) {
            decoder.push(piece);
            while let Some(next) = decoder.decode().unwrap() {
                received.push(next);
            }
        }
        let expected = [
            Incoming::Ping(b"still there?".to_vec()),
            text("Grüße, Miso"),
            Incoming::Message(IncomingMessage::Binary),
            Incoming::Close(Some(1000)),
        ];
        assert_eq!(received, expected, "in pieces of {size}");
        assert!(decoder.is_empty());
    }
}

#[test]
fn each_violation_has_its_close_code() {
    let mut unmasked = frame(0x81, b"");
    unmasked[1] &= 0x7F;
    let huge = [
        0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4,
    ];
    let mut negative = huge;
    negative[2] = 0xFF;
    for (bytes, code) in [
        (negative.to_vec(), CloseCode::PROTOCOL),
        (unmasked, CloseCode::PROTOCOL),
        (frame(0xC1, b""), CloseCode::PROTOCOL),
        (frame(0x83, b""), CloseCode::PROTOCOL),
        (frame(0x80, b"continued"), CloseCode::PROTOCOL),
        (frame(0x09, b"half a ping"), CloseCode::PROTOCOL),
        (frame(0x89, &[0; 126]), CloseCode::PROTOCOL),
        (frame(0x88, &[3]), CloseCode::PROTOCOL),
        (frame(0x88, &[0x03, 0xED]), CloseCode::PROTOCOL),
        (frame(0x81, &[0xFF]), CloseCode::INVALID),
        (huge.to_vec(), CloseCode::TOO_BIG),
    ] {
        assert_eq!(read(&bytes).unwrap_err().0, code, "{bytes:?}");
    }
}

#[test]
fn only_the_length_of_a_message_over_the_limit_is_kept() {
    let mut decoder = FrameDecoder::new(Instant::now(), KEPT);
    decoder.push(&frame(0x01, &[b'a'; 40_000]));
    assert_eq!(decoder.decode(), Ok(None));
    assert_eq!(decoder.message.len(), KEPT);
    decoder.push(&frame(0x80, &[b'a'; 40_000]));
    assert_eq!(
        decoder.decode(),
        Ok(Some(Incoming::Message(IncomingMessage::TooLong {
            bytes: 80_000,
            limit: KEPT
        })))
    );
    decoder.push(&frame(0x81, b"short again"));
    assert_eq!(decoder.decode(), Ok(Some(text("short again"))));
    assert!(decoder.is_empty());
    decoder.push(&frame(0x02, &[0; MESSAGE_LIMIT]));
    assert_eq!(decoder.decode(), Ok(None));
    decoder.push(&frame(0x80, &[0]));
    assert_eq!(decoder.decode().unwrap_err().0, CloseCode::TOO_BIG);
}

#[test]
fn empty_frames_are_counted_too() {
    let mut decoder = FrameDecoder::new(Instant::now(), KEPT);
    decoder.push(&frame(0x01, b""));
    for _ in 0..8 {
        decoder.push(&frame(0x00, b""));
    }
    decoder.push(&frame(0x8A, b""));
    while decoder.decode().unwrap().is_some() {}
    assert_eq!((decoder.take_frames(), decoder.take_frames()), (10, 0));
}

/// The rest of a long frame once kept the whole buffer that it was read with.
#[test]
fn an_unfinished_message_uses_little_memory_and_is_charged_for_it() {
    let budget = RequestMemory::new(2 * KEPT);
    let mut decoder = FrameDecoder::new(Instant::now(), KEPT);
    let long = frame(0x01, &[b'x'; 60_000]);
    for piece in long.chunks(16 * 1024) {
        decoder.push(piece);
        assert_eq!(decoder.decode(), Ok(None));
        assert_eq!(decoder.charge(|| budget.reserve_none(None)), Ok(()));
        assert!(
            decoder.bytes.capacity() < 64,
            "{}",
            decoder.bytes.capacity()
        );
    }
    let mut second = FrameDecoder::new(Instant::now(), KEPT);
    second.push(&long[..16 * 1024]);
    assert_eq!(second.decode(), Ok(None));
    assert!(second.charge(|| budget.reserve_none(None)).is_err());
    drop(decoder);
    assert_eq!(second.charge(|| budget.reserve_none(None)), Ok(()));
}
