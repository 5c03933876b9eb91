//! HTTP/1.1 as a client needs it: the head of an answer, and chunks.

use memchr::memmem;

/// How the body of an answer ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    Chunked,
    Length(usize),
    /// With the connection.
    Open,
}

/// The head of an answer.
pub struct Head {
    pub status: u16,
    pub body: Body,
    /// Bytes of the whole head.
    pub length: usize,
}

pub fn get(path: &str, host: &str, accept: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n").into_bytes()
}

/// The head at the start of `bytes`, or nothing yet.
///
/// # Errors
/// What is no HTTP/1.1 answer.
pub fn head(bytes: &[u8]) -> Result<Option<Head>, String> {
    let Some(end) = memmem::find(bytes, b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .ok_or_else(|| format!("an answer that starts with {first:?}"))?;
    let mut body = Body::Open;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            body = Body::Chunked;
        } else if name.eq_ignore_ascii_case("content-length") {
            body = Body::Length(value.trim().parse().map_err(|_| first.to_owned())?);
        }
    }
    Ok(Some(Head {
        status,
        body,
        length: end + 4,
    }))
}

/// The payload of the first whole chunk of `bytes` and the bytes that the chunk takes.
///
/// # Errors
/// What is no chunk.
pub fn chunk(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, String> {
    let Some(line) = memchr::memchr(b'\n', &bytes[..bytes.len().min(32)]) else {
        return Ok(None);
    };
    let size = std::str::from_utf8(&bytes[..line])
        .ok()
        .and_then(|text| usize::from_str_radix(text.trim_end(), 16).ok())
        .ok_or_else(|| "a chunk without a size".to_owned())?;
    let (start, end) = (line + 1, line + 1 + size);
    match bytes.get(start..end + 2) {
        Some(chunk) if chunk.ends_with(b"\r\n") => Ok(Some((&bytes[start..end], end + 2))),
        Some(_) => Err("a chunk longer than its size".to_owned()),
        None => Ok(None),
    }
}
