//! The pages that write the snippets for other sites, and show each of them working.

use poem::http::HeaderMap;
use poem::web::Path;
use poem::{Response, handler};

use super::public_base;
use crate::model::{Audience, EmbedSites};
use crate::views::SharePage;
use crate::web::middleware::security_headers::OwnPolicy;
use crate::web::pages::PageResponder;

/// Shows the snippets for all pets.
#[handler]
pub fn share_board(pages: PageResponder, headers: &HeaderMap) -> poem::Result<Response> {
    let base = public_base(&pages.site, headers)?;
    let rescue = pages.site.app.rescue();
    let page = SharePage::board(&rescue, &base.site(), has_feeds(&pages));
    show(&pages, page)
}

/// Shows the snippets for a pet that visitors see.
///
/// # Errors
/// 404 for every other pet, to staff too: nobody else could see what the snippets show.
#[handler]
pub fn share_pet(
    pages: PageResponder,
    Path(id): Path<String>,
    headers: &HeaderMap,
) -> poem::Result<Response> {
    let (pet, _) = pages.site.pet(&id, Audience::Public)?;
    let base = public_base(&pages.site, headers)?;
    let page = SharePage::pet(&pet, &base.site(), has_feeds(&pages));
    show(&pages, page)
}

/// Feeds need the public address.
fn has_feeds(pages: &PageResponder) -> bool {
    pages.public_address("").is_some()
}

fn show(pages: &PageResponder, page: SharePage) -> poem::Result<Response> {
    let page = match pages.site.app.rescue().embed_sites() {
        EmbedSites::None => page.without_frames(),
        EmbedSites::All | EmbedSites::Only(_) => page,
    };
    let mut response = pages.show(&page)?;
    response.set_data(OwnPolicy::with_frames(&pages.site.policy));
    Ok(response)
}
