//! How often one visitor may change something.

use std::sync::Arc;

use poem::{Endpoint, Request};

use crate::guard::Visitor;
use crate::live::{Live, too_many_writes};

/// Counts every request that may change something, whether it is then allowed to or not.
///
/// # Errors
/// 429 for one too many.
pub async fn meter<E: Endpoint>(next: Arc<E>, request: Request) -> poem::Result<E::Output> {
    if !request.method().is_safe()
        && let Some(live) = request.data::<Arc<Live>>()
    {
        let source = Visitor::of(&request).source();
        live.guard.admit_write(source).map_err(|wait| {
            let refused = &live.hub.metrics().refused;
            refused.with_label_values(&["writes"]).inc();
            too_many_writes(wait)
        })?;
    }
    next.call(request).await
}
