//! Request bodies are read here, once, up to a limit and within a time: whatever comes after sees
//! only whole, small ones.

use std::sync::Arc;
use std::time::Duration;

use poem::error::ReadBodyError;
use poem::http::{Method, StatusCode, header};
use poem::{Body, Endpoint, Request};
use tokio::time::timeout;

use super::unsaved::SentForm;
use crate::error::Failure;

/// How large a body may be, and how long it may take to arrive: one that is trickled would
/// otherwise hold its connection for ever. The longest form that we accept has 2,240 characters;
/// percent-encoded that is under 30 KiB.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    pub bytes: usize,
    pub time: Duration,
}

/// Replaces the request's body by the bytes read from it.
///
/// # Errors
/// 413 as soon as the limit is passed, also when the length was not told; 408 after the time.
pub async fn limit<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    limits: BodyLimits,
) -> poem::Result<E::Output> {
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        let told = request.headers().get(header::CONTENT_LENGTH);
        let told = told.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        if told.is_some_and(|length| length > limits.bytes as u64) {
            return Err(limits.too_large().into());
        }
        keep(&mut request, limits).await?;
    }
    next.call(request).await
}

/// Reads the body, and keeps it for the answer if it is a form.
///
/// # Errors
/// As for `limit`.
pub async fn keep(request: &mut Request, limits: BodyLimits) -> Result<(), Failure> {
    let body = limits.read(request.take_body()).await?;
    SentForm::keep(request, &body);
    request.set_body(body);
    Ok(())
}

impl BodyLimits {
    async fn read(self, body: Body) -> Result<bytes::Bytes, Failure> {
        match timeout(self.time, body.into_bytes_limit(self.bytes)).await {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(self.too_large()),
            Ok(Err(_)) => Err(Failure::bad_request(
                "The body could not be read to its end.",
            )),
            Err(_late) => Err(Failure::new(
                StatusCode::REQUEST_TIMEOUT,
                "Too slow",
                format!(
                    "The body did not arrive within {}.",
                    humantime::format_duration(self.time)
                ),
            )),
        }
    }

    fn too_large(self) -> Failure {
        Failure::too_large(format!("A body has at most {} bytes.", self.bytes))
    }
}
