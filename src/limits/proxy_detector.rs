//! Detects a proxy in front that `--trusted-proxy` does not name. All clients behind such a proxy
//! count as one address, so one client's wrong passwords lock all of them out.
//!
//! A client can send the same headers, so a detection only causes warnings.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use poem::http::HeaderMap;

/// Headers in which a proxy names the client, and which clients do not send by themselves.
const HEADERS: [&str; 2] = ["x-forwarded-for", "forwarded"];

/// The warning ends this long after the last such request; it is logged once in this time.
const WARN_FOR: Duration = Duration::from_hours(1);

/// Remembers when a forwarding header came from a peer that is not a trusted proxy.
#[derive(Default)]
pub struct ProxyDetector(Mutex<Detections>);

#[derive(Clone, Copy, Default)]
struct Detections {
    last: Option<Instant>,
    logged: Option<Instant>,
}

impl ProxyDetector {
    /// Checks a request of a peer that is not a trusted proxy.
    pub fn check(&self, headers: &HeaderMap, now: Instant) {
        if !HEADERS.iter().any(|name| headers.contains_key(*name)) {
            return;
        }
        let mut detections = self.0.lock().expect("no holder of this lock panics");
        detections.last = Some(now);
        if !is_recent(detections.logged, now) {
            detections.logged = Some(now);
            tracing::warn!(
                "a request with X-Forwarded-For or Forwarded came from a peer that is not a trusted \
                 proxy; if a proxy is in front, name it with --trusted-proxy, or all its clients \
                 count as one address"
            );
        }
    }

    /// Returns true if there was such a request within the last hour.
    pub fn is_suspected(&self, now: Instant) -> bool {
        let detections = *self.0.lock().expect("no holder of this lock panics");
        is_recent(detections.last, now)
    }
}

fn is_recent(instant: Option<Instant>, now: Instant) -> bool {
    instant.is_some_and(|instant| now.saturating_duration_since(instant) < WARN_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unnamed_proxy_is_suspected_for_an_hour_after_its_last_request() {
        let (detector, start) = (ProxyDetector::default(), Instant::now());
        let mut headers = HeaderMap::new();
        headers.insert("via", "1.1 office".parse().unwrap());
        detector.check(&headers, start);
        assert!(!detector.is_suspected(start));
        headers.insert("x-forwarded-for", "192.0.2.1".parse().unwrap());
        detector.check(&headers, start);
        let later = start + WARN_FOR - Duration::from_secs(1);
        assert!(detector.is_suspected(later));
        detector.check(&headers, later);
        let logged = detector.0.lock().unwrap().logged;
        assert_eq!(logged, Some(start), "logged once an hour");
        assert!(detector.is_suspected(start + WARN_FOR));
        assert!(!detector.is_suspected(later + WARN_FOR));
    }
}
