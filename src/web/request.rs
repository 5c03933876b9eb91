//! What a request must be, whatever it asks for.

use std::sync::Arc;

use poem::http::{Version, header};
use poem::{Endpoint, Request};

use crate::error::Failure;

/// Lets a request through that says once to which host it was sent. Of two, a proxy in front may
/// believe the one and we the other.
///
/// # Errors
/// 400: RFC 9112, section 3.2.
pub async fn check<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<E::Output> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    if hosts > 1 || (hosts == 0 && request.version() == Version::HTTP_11) {
        let detail = "A request names its host once, in one Host header.";
        return Err(Failure::bad_request(detail).into());
    }
    next.call(request).await
}
