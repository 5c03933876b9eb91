//! The network doctor: tests from the visitor's browser what a network does to live connections.

use poem::{Response, handler};

use super::response::PageResponder;
use crate::views::DoctorPage;

/// Path of the page. The other paths below `/live/` are for programs.
pub const PATH: &str = "/live/doctor";

/// Shows the network doctor.
#[handler]
pub fn show_doctor(pages: PageResponder) -> poem::Result<Response> {
    let app = &pages.site.app;
    pages.show(&DoctorPage::new(
        app.hub().cursor(),
        app.heartbeats().longest(),
    ))
}
