//! The smallest live page. `live` has the WebSocket that it echoes through.

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, handler};

use crate::auth::Principal;
use crate::views::HelloPage;
use crate::web::Site;

/// Shows the page.
#[handler]
pub fn page(Data(site): Data<&Arc<Site>>, caller: Principal) -> poem::Result<Response> {
    site.show(&caller, &HelloPage {})
}
