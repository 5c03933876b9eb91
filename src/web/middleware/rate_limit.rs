//! Limits the rate of writes per account, and per address for clients without one.

use std::sync::Arc;

use poem::{Endpoint, Request};

use super::body_limit::{self, BodyLimits};
use crate::app_state::AppState;
use crate::auth::Principal;
use crate::limits::ClientAddress;
use crate::live::too_many_writes;
use crate::web::pages::form::Form;

/// Counts every request that can change something, whether it succeeds or not.
///
/// # Errors
/// 429 over the limit.
pub async fn limit_writes<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    bodies: BodyLimits,
) -> poem::Result<E::Output> {
    if !request.method().is_safe()
        && let Some(app) = request.data::<Arc<AppState>>()
    {
        let account = Principal::get(&request)?.account();
        let name = account.as_ref().map(|account| account.name.as_str());
        let client = ClientAddress::from_request(&request);
        if let Err(wait) = app.limiter().admit_write(name, client) {
            app.count_refused_write();
            if Form::is_announced(request.headers()) {
                // The answer returns the form. Without its body, the answer is an error page.
                body_limit::read_body(&mut request, bodies).await.ok();
            }
            return Err(too_many_writes(wait).into());
        }
    }
    next.call(request).await
}
