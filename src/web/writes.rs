//! How often one account, or one visitor without, may change something.

use std::sync::Arc;

use poem::{Endpoint, Request};

use crate::auth::Caller;
use crate::guard::{Identity, Visitor};
use crate::live::{Live, too_many_writes};

/// Counts every request that may change something, whether it is then allowed to or not.
///
/// # Errors
/// 429 for one too many.
pub async fn meter<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<E::Output> {
    if !request.method().is_safe()
        && let Some(live) = request.data::<Arc<Live>>()
    {
        let account = Caller::of(&request)?.account();
        let name = account.as_ref().map(|account| account.name.as_str());
        let who = Identity::of(name, Visitor::of(&request));
        live.guard.admit_write(who).map_err(|wait| {
            let refused = &live.hub.metrics().refused;
            refused.with_label_values(&["writes"]).inc();
            too_many_writes(wait)
        })?;
    }
    next.call(request).await
}
