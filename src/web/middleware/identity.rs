//! Identifies the sender of a request, and refuses what a page of another site sent.

use std::sync::Arc;

use poem::{Endpoint, Request};

use crate::app_state::AppState;
use crate::auth::Principal;

/// Identifies the principal, once for each request. Handlers take it as a parameter.
pub async fn identify<E: Endpoint>(next: Arc<E>, mut request: Request) -> poem::Result<E::Output> {
    if let Some(app) = request.data::<Arc<AppState>>() {
        let principal = app.authenticator().identify(&request).await;
        request.set_data(principal);
    }
    next.call(request).await
}

/// Refuses writes that a page of another site had a browser send (CSRF).
///
/// # Errors
/// 403.
pub async fn refuse_other_origins<E: Endpoint>(
    next: Arc<E>,
    request: Request,
) -> poem::Result<E::Output> {
    Principal::get(&request)?.check_origin(request.method())?;
    next.call(request).await
}
