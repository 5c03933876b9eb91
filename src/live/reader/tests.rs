//! Frames as clients send them, and as they must not.

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

fn read(bytes: &[u8]) -> Result<Option<Said>, Violation> {
    let mut reader = Reader::new(Instant::now(), KEPT);
    reader.push(bytes);
    reader.next_said()
}

#[test]
fn messages_arrive_whole_however_they_are_cut() {
    let mut bytes = frame(0x01, "Grüße, ".as_bytes());
    bytes.extend(frame(0x89, b"still there?"));
    bytes.extend(frame(0x80, "Miso".as_bytes()));
    bytes.extend(frame(0x82, &[0; 70]));
    bytes.extend(frame(0x88, &[0x03, 0xE8]));
    for size in [1, 2, 3, 7, bytes.len()] {
        let mut reader = Reader::new(Instant::now(), KEPT);
        let mut said = Vec::new();
        for piece in bytes.chunks(size) {
            reader.push(piece);
            while let Some(next) = reader.next_said().unwrap() {
                said.push(next);
            }
        }
        let expected = [
            Said::Ping(b"still there?".to_vec()),
            Said::Text("Grüße, Miso".to_owned()),
            Said::Binary,
            Said::Close(Some(1000)),
        ];
        assert_eq!(said, expected, "in pieces of {size}");
        assert!(reader.is_empty());
    }
}

#[test]
fn what_the_protocol_forbids_is_named_with_its_code() {
    let mut unmasked = frame(0x81, b"");
    unmasked[1] &= 0x7F;
    let huge = [
        0x82, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3, 4,
    ];
    let mut negative = huge;
    negative[2] = 0xFF;
    for (bytes, code) in [
        (negative.to_vec(), PROTOCOL),
        (unmasked, PROTOCOL),
        (frame(0xC1, b""), PROTOCOL),
        (frame(0x83, b""), PROTOCOL),
        (frame(0x80, b"continued"), PROTOCOL),
        (frame(0x09, b"half a ping"), PROTOCOL),
        (frame(0x89, &[0; 126]), PROTOCOL),
        (frame(0x88, &[3]), PROTOCOL),
        (frame(0x88, &[0x03, 0xED]), PROTOCOL),
        (frame(0x81, &[0xFF]), INVALID),
        (huge.to_vec(), TOO_BIG),
    ] {
        assert_eq!(read(&bytes).unwrap_err().0, code, "{bytes:?}");
    }
}

#[test]
fn of_a_message_that_is_too_long_only_the_length_is_kept() {
    let mut reader = Reader::new(Instant::now(), KEPT);
    reader.push(&frame(0x01, &[b'a'; 40_000]));
    assert_eq!(reader.next_said(), Ok(None));
    assert_eq!(reader.message.len(), KEPT);
    reader.push(&frame(0x80, &[b'a'; 40_000]));
    assert_eq!(
        reader.next_said(),
        Ok(Some(Said::TooLong {
            bytes: 80_000,
            most: KEPT
        }))
    );
    reader.push(&frame(0x81, b"short again"));
    assert_eq!(
        reader.next_said(),
        Ok(Some(Said::Text("short again".to_owned())))
    );
    assert!(reader.is_empty());
    reader.push(&frame(0x02, &[0; MESSAGE_LIMIT]));
    assert_eq!(reader.next_said(), Ok(None));
    reader.push(&frame(0x80, &[0]));
    assert_eq!(reader.next_said().unwrap_err().0, TOO_BIG);
}

#[test]
fn frames_are_counted_however_small_they_are() {
    let mut reader = Reader::new(Instant::now(), KEPT);
    reader.push(&frame(0x01, b""));
    for _ in 0..8 {
        reader.push(&frame(0x00, b""));
    }
    reader.push(&frame(0x8A, b""));
    while reader.next_said().unwrap().is_some() {}
    assert_eq!((reader.take_frames(), reader.take_frames()), (10, 0));
}

/// What was left of a long frame once kept the whole buffer that it was read with.
#[test]
fn a_message_that_is_not_whole_holds_little_and_is_charged_for_it() {
    let budget = RequestMemory::new(2 * KEPT);
    let mut reader = Reader::new(Instant::now(), KEPT);
    let long = frame(0x01, &[b'x'; 60_000]);
    for piece in long.chunks(16 * 1024) {
        reader.push(piece);
        assert_eq!(reader.next_said(), Ok(None));
        assert_eq!(reader.charge(|| budget.reserve_none(None)), Ok(()));
        assert!(reader.bytes.capacity() < 64, "{}", reader.bytes.capacity());
    }
    let mut second = Reader::new(Instant::now(), KEPT);
    second.push(&long[..16 * 1024]);
    assert_eq!(second.next_said(), Ok(None));
    assert!(second.charge(|| budget.reserve_none(None)).is_err());
    drop(reader);
    assert_eq!(second.charge(|| budget.reserve_none(None)), Ok(()));
}
