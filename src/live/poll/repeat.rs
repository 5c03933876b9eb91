//! Recognises a poll that differs from the one before on the same socket only in its cursor.
//!
//! A client polls with the same head again and again, which passed the middleware with its first request. So
//! the head is compared by its hash, without the value of `since`, and without `nonce` and the word at the end of
//! the path, which are never read. Anything else goes back to HTTP.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::time::Duration;

use crate::delivery::RepeatableRequest;
use crate::model::Cursor;

const PATH: &[u8] = b"/live/poll";

/// Keeps clients from computing heads with the same hash.
static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Headers that do more than choose an answer, or that change the cursor. A request with one of them is not
/// recognised.
const UNCOMMON_HEADERS: [&[u8]; 4] = [
    b"cookie",
    b"authorization",
    b"last-event-id",
    b"x-request-id",
];

/// Parameters that only choose an answer, beside `since`. A request with any other is not recognised.
const COMMON_PARAMETERS: [&[u8]; 5] = [b"pet", b"wait", b"heartbeat", b"parts", b"log"];

/// Reads the head of the request of a poll that starts from `start`. Returns `None` if it cannot be recognised when it
/// is repeated.
pub fn repeatable(head: &[u8], start: Cursor, wait: Duration) -> Option<RepeatableRequest> {
    let lines = head.split(|byte| *byte == b'\n').skip(1);
    let mut names = lines.filter_map(|line| line.split(|byte| *byte == b':').next());
    let is_uncommon = names.any(|name| {
        UNCOMMON_HEADERS
            .iter()
            .any(|other| name.eq_ignore_ascii_case(other))
    });
    let (hash, since) = hash(head)?;
    (!is_uncommon && since == start).then_some(RepeatableRequest {
        hash,
        read: self::hash,
        wait,
    })
}

/// Returns the hash of a head without what may differ, and the value of `since`.
fn hash(head: &[u8]) -> Option<(u64, Cursor)> {
    // The hash contains the end. A second head behind it would have another length.
    let target = head.strip_prefix(b"GET ")?;
    let end = target.iter().position(|byte| *byte == b' ')?;
    let (target, rest) = target.split_at(end);
    let rest = rest.strip_prefix(b" HTTP/1.1\r\n")?;
    let query = target.iter().position(|byte| *byte == b'?')?;
    let (path, query) = (&target[..query], &target[query + 1..]);
    // The route alone would not do: another program may answer the same route below another base path.
    let route = path.windows(PATH.len()).rposition(|part| part == PATH)?;
    let (base_path, end) = (&path[..route], &path[route + PATH.len()..]);
    if !end.is_empty() && !end.strip_prefix(b"/").is_some_and(is_word) {
        return None;
    }
    let mut hasher = KEYS.build_hasher();
    hasher.write(base_path);
    hasher.write_usize(base_path.len());
    let mut start = None;
    for pair in query.split(|byte| *byte == b'&') {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        if name == b"since" && start.is_none() {
            let value = std::str::from_utf8(pair.strip_prefix(b"since=")?).ok()?;
            start = Some(value.parse().ok()?);
            hasher.write(b"since&");
        } else if name == b"nonce" {
            hasher.write(b"nonce&");
        } else if COMMON_PARAMETERS.contains(&name) {
            hasher.write(pair);
            hasher.write(b"&");
        } else {
            return None;
        }
    }
    hasher.write(b" ");
    hasher.write(rest);
    hasher.write_usize(rest.len());
    Some((hasher.finish(), start?))
}

fn is_word(bytes: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    !bytes.is_empty() && bytes.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::{Duration, RepeatableRequest};

    fn head(target: &str, headers: &str) -> Vec<u8> {
        format!("GET {target} HTTP/1.1\r\nHost: x\r\n{headers}\r\n").into_bytes()
    }

    fn repeatable(head: &[u8]) -> Option<RepeatableRequest> {
        super::repeatable(head, "00000abc-5".parse().unwrap(), Duration::ZERO)
    }

    #[test]
    fn only_another_cursor_or_word_is_the_same_request() {
        let first = head(
            "/live/poll/a-1?pet=2&since=00000abc-5&parts=1&nonce=x",
            "Accept: */*\r\n",
        );
        let poll = repeatable(&first).unwrap();
        let cursor = |target: &str, headers: &str| {
            let cursor = poll.repeated_from(&head(target, headers));
            cursor.map(|cursor| cursor.to_string())
        };
        let accept = "Accept: */*\r\n";
        let again = cursor(
            "/live/poll/b-2?pet=2&since=00000abd-77&parts=1&nonce=y",
            accept,
        );
        assert_eq!(again.as_deref(), Some("00000abd-77"));
        for (target, headers) in [
            (
                "/live/poll/b2?pet=3&since=00000abc-7&parts=1&nonce=x",
                accept,
            ),
            (
                "/live/poll/b2?pet=2&since=00000abc-7&parts=1&nonce=x&wait=0",
                accept,
            ),
            ("/live/poll/b2?pet=2&since=00000abc-7", accept),
            (
                "/live/poll/b2?since=00000abc-7&pet=2&parts=1&nonce=x",
                accept,
            ),
            (
                "/live/poll/b2/c?pet=2&since=00000abc-7&parts=1&nonce=x",
                accept,
            ),
            ("/live/state?pet=2&since=00000abc-7&parts=1&nonce=x", accept),
            ("/live/poll/b2?pet=2&since=x&parts=1&nonce=x", accept),
            ("/live/poll/b2?pet=2&since=00000abc-7&parts=1&nonce=x", ""),
            (
                "/live/poll/b2?pet=2&since=00000abc-7&parts=1&nonce=x",
                "Accept: a/*\r\n",
            ),
            (
                "/live/poll/b2?pet=2&since=00000abc-7&parts=1&nonce=x",
                "Accept: */*\r\nHost: y\r\n",
            ),
            (
                "/live/poll/b2?pet=2&since=00000abc-7&parts=1&nonce=x",
                "Accept: */*\r\n\r\nGET ",
            ),
        ] {
            assert_eq!(cursor(target, headers), None, "{target} {headers}");
        }
        let mut partial = head(
            "/live/poll/b2?pet=2&since=00000abc-7&parts=1&nonce=x",
            accept,
        );
        partial.pop();
        assert_eq!(poll.repeated_from(&partial), None);
    }

    #[test]
    fn a_poll_below_a_base_path_is_the_same_only_below_that_path() {
        let target = |base: &str| head(&format!("{base}/live/poll/k7?since=00000abc-5"), "");
        let poll = repeatable(&target("/our/pets")).unwrap();
        assert!(poll.repeated_from(&target("/our/pets")).is_some());
        for other in ["", "/our", "/our/pets/live/poll"] {
            assert_eq!(poll.repeated_from(&target(other)), None, "{other:?}");
        }
    }

    #[test]
    fn a_request_that_does_more_than_poll_is_not_recognised() {
        for (target, headers) in [
            ("/live/poll?since=00000abc-5", "Cookie: a=b\r\n"),
            ("/live/poll?since=00000abc-5", "authorization: Bearer x\r\n"),
            (
                "/live/poll?since=00000abc-4",
                "Last-Event-ID: 00000abc-5\r\n",
            ),
            ("/live/poll?since=00000abc-5&lastEventId=00000abc-4", ""),
            ("/live/poll?since=00000abc-5&from=ws&why=died", ""),
            ("/live/poll?since=00000abc-5&chaos=kill", ""),
            ("/live/poll?%77hy=x&since=00000abc-5", ""),
            ("/live/poll?since=00000abc-5&since=00000abc-5", ""),
            ("/live/poll/%ff?since=00000abc-5", ""),
            ("/live/poll/?since=00000abc-5", ""),
            ("/live/poll?wait=5", ""),
            ("/live/poll", ""),
        ] {
            assert!(repeatable(&head(target, headers)).is_none(), "{target}");
        }
        let page = "/live/poll/k7?since=00000abc-5&wait=15&parts=1&log=1&heartbeat=4";
        for target in ["/live/poll?since=00000abc-5", page] {
            assert!(repeatable(&head(target, "")).is_some(), "{target}");
        }
    }
}
