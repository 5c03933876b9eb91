//! The layout of the board that a member of staff has chosen: by a link, whose answer sets a cookie that remembers it.

use poem::Response;
use poem::http::{HeaderMap, Uri, header};

use super::super::response::PageResponder;
use crate::model::Audience;
use crate::views::BoardLayout;

/// Parameter of the address of the board.
const PARAMETER: &str = "layout";

const COOKIE: &str = "pet-store-layout";

/// How long a browser remembers the choice: the longest time that browsers allow.
const REMEMBERED_S: u64 = 400 * 24 * 60 * 60;

/// Returns the layout for the reader of a request.
pub fn choose(pages: &PageResponder, headers: &HeaderMap, uri: &Uri) -> BoardLayout {
    if pages.principal.audience() != Audience::Staff {
        return BoardLayout::default();
    }
    let cookies = pages.principal.authenticator().cookies();
    let remembered = || BoardLayout::parse(cookies.value(headers, COOKIE)?);
    requested(uri).or_else(remembered).unwrap_or_default()
}

/// Makes the browser remember `layout` if the address asks for it.
pub fn remember(layout: BoardLayout, uri: &Uri, pages: &PageResponder, response: &mut Response) {
    let is_staff = pages.principal.audience() == Audience::Staff;
    if is_staff && requested(uri) == Some(layout) {
        let cookies = pages.principal.authenticator().cookies();
        let cookie = cookies.set(COOKIE, layout.as_str(), "/pets", REMEMBERED_S);
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}

fn requested(uri: &Uri) -> Option<BoardLayout> {
    let pairs = serde_urlencoded::from_str::<Vec<(String, String)>>(uri.query()?).ok()?;
    let (_, word) = pairs
        .into_iter()
        .rev()
        .find(|(name, _)| name == PARAMETER)?;
    BoardLayout::parse(&word)
}
