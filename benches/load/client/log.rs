//! Reads where an answer of the log leads.

use memchr::memmem;

/// Returns the cursor that an answer reaches.
pub fn cursor(answer: &[u8]) -> Option<&[u8]> {
    let rest = answer.strip_prefix(b"{\"cursor\":\"")?;
    Some(&rest[..memchr::memchr(b'"', rest)?])
}

/// Returns the address that an answer of the log says to ask next.
pub fn next(answer: &[u8]) -> Option<&str> {
    text_after(answer, b"\"next\":\"")
}

/// Returns the address at which a poller follows the log, if its answer says that the server is full.
pub fn follow_address(answer: &[u8]) -> Option<&str> {
    text_after(answer, b"\"log\":\"")
}

/// Returns true if an answer of the log says that the server has room for a stream.
pub fn has_room(answer: &[u8]) -> bool {
    memmem::rfind(answer, b"\"room\":true").is_some()
}

fn text_after<'a>(answer: &'a [u8], name: &[u8]) -> Option<&'a str> {
    let rest = &answer[memmem::rfind(answer, name)? + name.len()..];
    std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
}
