//! Messages out of an answer to a poll, or of the log: `{"cursor":…,"messages":[…]}`.

use memchr::memmem;

/// Every message of an answer starts like this, and nothing inside a message does.
const START: &[u8] = b"{\"type\":\"";

/// Gives each message of `answer` to `take`.
pub fn messages(answer: &[u8], mut take: impl FnMut(&[u8])) {
    let mut starts = memmem::find_iter(answer, START).peekable();
    while let Some(start) = starts.next() {
        // Up to the comma before the next, or to the `]}` of the answer.
        let end = match starts.peek() {
            Some(next) => next - 1,
            None => answer.len().saturating_sub(2),
        };
        take(&answer[start..end.max(start)]);
    }
}
