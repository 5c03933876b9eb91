//! The smallest live page. `live` has the WebSocket that it echoes through.

use poem::{Response, handler};

use super::response::PageResponder;
use crate::views::HelloPage;

/// Shows the page.
#[handler]
pub fn show_hello(pages: PageResponder) -> poem::Result<Response> {
    pages.show(&HelloPage {})
}
