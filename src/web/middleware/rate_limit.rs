//! How often one account, or one visitor without, may change something.

use std::sync::Arc;

use poem::{Endpoint, Request};

use super::body_limit::{self, BodyLimits};
use crate::app_state::AppState;
use crate::auth::Principal;
use crate::limits::ClientAddress;
use crate::live::too_many_writes;
use crate::web::pages::form::Form;

/// Counts every request that may change something, whether it is then allowed to or not.
///
/// # Errors
/// 429 for one too many.
pub async fn limit_writes<E: Endpoint>(
    next: Arc<E>,
    mut request: Request,
    limits: BodyLimits,
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
                // The answer contains what was typed. A body over the limit is answered as usual.
                body_limit::keep(&mut request, limits).await.ok();
            }
            return Err(too_many_writes(wait).into());
        }
    }
    next.call(request).await
}
