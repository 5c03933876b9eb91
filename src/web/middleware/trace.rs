//! Gives each request an id and a span, and measures how long its answer takes.
//!
//! Every log event of a request carries the span with its method, path and id. The answer carries
//! the id as `X-Request-Id`, so that a visitor's report leads to the log.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use poem::http::{HeaderName, HeaderValue};
use poem::{Endpoint, PathPattern, Request, Response};
use tracing::Instrument;

use crate::limits::ClientAddress;
use crate::live::ForSharedCaches;
use crate::metrics::Metrics;
use crate::serve::DeferredResponse;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a proxy. A UUID has 36 characters.
const MAX_ID_LENGTH: usize = 64;

/// Route of a request that was answered before its route was found.
const UNMATCHED: &str = "unmatched";

/// Runs the rest in a span, sets `X-Request-Id`, and observes the duration of the request.
pub async fn trace<E: Endpoint>(
    next: Arc<E>,
    request: Request,
    metrics: Arc<Metrics>,
) -> poem::Result<Response> {
    let started_at = Instant::now();
    let id = id_from_proxy(&request).unwrap_or_else(random_id);
    let span = tracing::info_span!(
        "request",
        http.method = %request.method(),
        http.path = %without_secret(request.uri().path()),
        request.id = id.to_str().unwrap_or_default(),
    );
    let mut response = next.get_response(request).instrument(span).await;
    // A pattern of the URL table, never the path: clients must not be able to create time series.
    let route = response.data::<PathPattern>();
    // poem-openapi names every parameter of a path `param0`, `param1`, …
    let route = route
        .map_or(UNMATCHED, |pattern| &pattern.0)
        .replace(":param0", ":id");
    let timer = metrics.time_request(&route, response.status().as_u16(), started_at);
    match response.data::<DeferredResponse>() {
        Some(deferred) => deferred.set_timer(timer),
        None => timer.observe(),
    }
    // The id of one request would reach all who get the answer from a cache.
    if response.data::<ForSharedCaches>().is_none() {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    Ok(response)
}

/// Returns the id that a trusted proxy sent, if it is short and safe to log.
fn id_from_proxy(request: &Request) -> Option<HeaderValue> {
    let id = request.headers().get(X_REQUEST_ID)?;
    let is_safe = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let is_well_formed =
        (1..=MAX_ID_LENGTH).contains(&id.len()) && id.as_bytes().iter().all(is_safe);
    let is_trusted = ClientAddress::from_request(request).is_forwarded;
    (is_trusted && is_well_formed).then(|| id.clone())
}

fn random_id() -> HeaderValue {
    let id = format!("{:032x}", rand::random::<u128>());
    HeaderValue::try_from(id).expect("hexadecimal digits are a header value")
}

/// Returns the path for the log: an invitation's path contains its secret.
fn without_secret(path: &str) -> Cow<'_, str> {
    match path.strip_prefix("/welcome/") {
        Some(_) => "/welcome/[secret]".into(),
        None => path.into(),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use poem::EndpointExt;
    use poem::endpoint::make_sync;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_failure_is_logged_with_the_request_and_without_the_secret_of_an_invitation() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let metrics = Arc::new(Metrics::new());
        let endpoint = make_sync(|_| tracing::error!("cannot read the store"))
            .around(move |next, request| trace(next, request, Arc::clone(&metrics)));
        let mut ids = Vec::new();
        for path in ["/pets/7", "/welcome/0123456789abcdef"] {
            let request = Request::builder().uri(path.parse().unwrap()).finish();
            let response = endpoint.get_response(request).await;
            ids.push(response.header("x-request-id").unwrap().to_owned());
        }
        let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(
            lines[0].contains("http.method=GET http.path=/pets/7"),
            "{text}"
        );
        assert!(lines[0].contains(&ids[0]) && lines[1].contains(&ids[1]));
        assert!(!text.contains("0123456789abcdef"), "{text}");
    }
}
