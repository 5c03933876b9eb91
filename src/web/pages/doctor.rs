//! The network doctor: finds out from the visitor's browser what a network does to live messages.

use std::sync::Arc;

use poem::web::Data;
use poem::{Response, handler};

use crate::auth::Principal;
use crate::views::DoctorPage;
use crate::web::Site;

/// Where it is. The other addresses below `/live/` are for programs.
pub const ADDRESS: &str = "/live/doctor";

#[handler]
pub fn page(Data(site): Data<&Arc<Site>>, caller: Principal) -> poem::Result<Response> {
    let heartbeat = site.app.heartbeat();
    let page = DoctorPage::new(site.app.hub().cursor(), heartbeat);
    site.show(&caller, &page)
}
