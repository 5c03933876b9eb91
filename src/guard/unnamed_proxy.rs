//! Notices a proxy that was not named: everyone behind it counts as one address, so one visitor's
//! wrong passwords lock all of them out.
//!
//! A visitor can send the same headers, so this warns and changes nothing.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use poem::http::HeaderMap;

/// Headers in which a proxy names the client. Those that programs send about themselves are not
/// among them.
const HEADERS: [&str; 2] = ["x-forwarded-for", "forwarded"];

/// The warning ends after this long without such a request; the log has it once in this time.
const WARN_FOR: Duration = Duration::from_hours(1);

#[derive(Default)]
pub struct UnnamedProxy(Mutex<Seen>);

#[derive(Clone, Copy, Default)]
struct Seen {
    last: Option<Instant>,
    logged: Option<Instant>,
}

impl UnnamedProxy {
    /// Looks at a request of a peer that is no trusted proxy.
    pub fn look(&self, headers: &HeaderMap, now: Instant) {
        if !HEADERS.iter().any(|name| headers.contains_key(*name)) {
            return;
        }
        let mut seen = self.0.lock().expect("no holder of this lock panics");
        seen.last = Some(now);
        if !is_recent(seen.logged, now) {
            seen.logged = Some(now);
            tracing::warn!(
                "a request has X-Forwarded-For or Forwarded and comes from no named proxy; if a \
                 proxy is in front, name it with --trusted-proxy, or all its visitors count as one \
                 address"
            );
        }
    }

    /// Returns true if such a request came lately.
    pub fn is_suspected(&self, now: Instant) -> bool {
        let seen = *self.0.lock().expect("no holder of this lock panics");
        is_recent(seen.last, now)
    }
}

fn is_recent(moment: Option<Instant>, now: Instant) -> bool {
    moment.is_some_and(|moment| now.saturating_duration_since(moment) < WARN_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unnamed_proxy_is_suspected_for_an_hour_after_its_last_request() {
        let (proxy, start) = (UnnamedProxy::default(), Instant::now());
        let mut headers = HeaderMap::new();
        headers.insert("via", "1.1 office".parse().unwrap());
        proxy.look(&headers, start);
        assert!(!proxy.is_suspected(start));
        headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        proxy.look(&headers, start);
        let later = start + WARN_FOR - Duration::from_secs(1);
        assert!(proxy.is_suspected(later));
        proxy.look(&headers, later);
        let logged = proxy.0.lock().unwrap().logged;
        assert_eq!(logged, Some(start), "the log has it once an hour");
        assert!(proxy.is_suspected(start + WARN_FOR));
        assert!(!proxy.is_suspected(later + WARN_FOR));
    }
}
