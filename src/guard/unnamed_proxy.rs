//! Detects a proxy that `--trusted-proxy` does not name. Everyone behind such a proxy counts as one
//! address, so one visitor's wrong passwords lock all of them out.
//!
//! A visitor can send the same headers, so a detection only causes warnings.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use poem::http::HeaderMap;

/// Headers in which a proxy names the client, and that programs do not send by themselves.
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
    /// Checks a request of a peer that is not a trusted proxy.
    pub fn check(&self, headers: &HeaderMap, now: Instant) {
        if !HEADERS.iter().any(|name| headers.contains_key(*name)) {
            return;
        }
        let mut seen = self.0.lock().expect("no holder of this lock panics");
        seen.last = Some(now);
        if !is_recent(seen.logged, now) {
            seen.logged = Some(now);
            tracing::warn!(
                "a request with X-Forwarded-For or Forwarded came from a peer that is not a trusted \
                 proxy; if a proxy is in front, name it with --trusted-proxy, or all its visitors \
                 count as one address"
            );
        }
    }

    /// Returns true if such a request came within the last hour.
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
        proxy.check(&headers, start);
        assert!(!proxy.is_suspected(start));
        headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        proxy.check(&headers, start);
        let later = start + WARN_FOR - Duration::from_secs(1);
        assert!(proxy.is_suspected(later));
        proxy.check(&headers, later);
        let logged = proxy.0.lock().unwrap().logged;
        assert_eq!(logged, Some(start), "the log has it once an hour");
        assert!(proxy.is_suspected(start + WARN_FOR));
        assert!(!proxy.is_suspected(later + WARN_FOR));
    }
}
