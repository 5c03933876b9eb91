//! Request bodies are read here, once, up to a limit and within a time: whatever comes after sees
//! only whole, small ones.

use std::sync::Arc;
use std::time::Duration;

use poem::error::ReadBodyError;
use poem::http::{Method, StatusCode, header};
use poem::{Body, Endpoint, Request};
use tokio::time::timeout;

use crate::error::Failure;

/// The largest body, in bytes. The longest form we accept has 2,240 characters; percent-encoded
/// that is under 30 KiB.
const BODY_LIMIT: usize = 64 * 1024;

/// How long a body may take to arrive. A connection that trickles one would otherwise be held for
/// ever.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Replaces the request's body by the bytes read from it.
///
/// # Errors
/// 413 as soon as the limit is passed, also when the length was not told; 408 after the time.
pub async fn limit<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<E::Output> {
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        let told = request.headers().get(header::CONTENT_LENGTH);
        let told = told.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if told.is_some_and(|length| length > BODY_LIMIT as u64) {
            return Err(too_large().into());
        }
        let body = read(request.take_body()).await?;
        request.set_body(body);
    }
    next.call(request).await
}

async fn read(body: Body) -> Result<bytes::Bytes, Failure> {
    let read = timeout(BODY_TIMEOUT, body.into_bytes_limit(BODY_LIMIT)).await;
    match read {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(too_large()),
        Ok(Err(_)) => Err(Failure::bad_request(
            "The body could not be read to its end.",
        )),
        Err(_late) => Err(Failure::new(
            StatusCode::REQUEST_TIMEOUT,
            "Too slow",
            "The body did not arrive within 30 seconds.",
        )),
    }
}

fn too_large() -> Failure {
    Failure::too_large("A body has at most 64 KiB.")
}
