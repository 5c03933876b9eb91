//! Reads where an answer of the log leads.

use memchr::memmem;

/// Returns the cursor that an answer reaches.
pub fn cursor(answer: &[u8]) -> Option<&[u8]> {
    let rest = answer.strip_prefix(b"{\"cursor\":\"")?;
    Some(&rest[..memchr::memchr(b'"', rest)?])
}

/// Returns the address that an answer of the log says to ask next.
pub fn next(answer: &[u8]) -> Option<&str> {
    let name = b"\"next\":\"";
    let rest = &answer[memmem::rfind(answer, name)? + name.len()..];
    std::str::from_utf8(&rest[..memchr::memchr(b'"', rest)?]).ok()
}
