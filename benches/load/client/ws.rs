//! WebSocket as a client needs it: the handshake's request, frames from a server, and a pong.

/// What a server sent.
pub struct Packet<'a> {
    pub opcode: u8,
    pub payload: &'a [u8],
    /// Bytes of the whole frame.
    pub length: usize,
}

pub const TEXT: u8 = 1;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
const PONG: u8 = 10;

pub fn request(path: &str, host: &str) -> Vec<u8> {
    // The key is the example of RFC 6455: it proves nothing, and nobody caches between us.
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    .into_bytes()
}

/// The first whole frame of `bytes`, or nothing yet.
///
/// # Errors
/// A frame that no server may send to this client: masked, in pieces, or compressed.
pub fn packet(bytes: &[u8]) -> Result<Option<Packet<'_>>, String> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0xf0 != 0x80 || second & 0x80 != 0 {
        return Err(format!("a frame that starts with {first:02x} {second:02x}"));
    }
    let (size, head) = match second & 0x7f {
        126 => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), 4),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(size) => (u64::from_be_bytes(*size) as usize, 10),
            None => return Ok(None),
        },
        size => (usize::from(size), 2),
    };
    let Some(payload) = bytes.get(head..head + size) else {
        return Ok(None);
    };
    Ok(Some(Packet {
        opcode: first & 0x0f,
        payload,
        length: head + size,
    }))
}

/// A frame to the server. Its mask is zero, which is a mask.
pub fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let size = u8::try_from(payload.len()).unwrap_or(125).min(125);
    let mut frame = vec![0x80 | opcode, 0x80 | size, 0, 0, 0, 0];
    frame.extend_from_slice(&payload[..usize::from(size)]);
    frame
}

pub fn pong(payload: &[u8]) -> Vec<u8> {
    masked(PONG, payload)
}
