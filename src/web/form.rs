//! Forms as browsers send them.

use percent_encoding::percent_decode;
use poem::http::{HeaderMap, StatusCode, header};

use crate::error::Failure;
use crate::model::Draft;

/// The fields of a form, in the order they were sent.
pub struct Form(Vec<(String, String)>);

impl Form {
    /// # Errors
    /// 415 for another content type, 400 for what is not in that format.
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                "Send a form as application/x-www-form-urlencoded.",
            ));
        }
        let unreadable = || Failure::bad_request("The form is not a=b&c=d in UTF-8.");
        // serde_urlencoded would put U+FFFD in the place of what is not.
        if percent_decode(body).decode_utf8().is_err() {
            return Err(unreadable());
        }
        serde_urlencoded::from_bytes(body)
            .map(Form)
            .map_err(|_| unreadable())
    }

    /// The first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A pet's fields. The line ends that browsers put into a text area (CR LF, as the HTML
    /// standard says) become plain ones.
    pub fn into_draft(self) -> Draft {
        let field = |name| self.get(name).map(str::to_owned);
        Draft {
            name: field("name"),
            species: field("species"),
            breed: field("breed"),
            sex: field("sex"),
            age: field("age"),
            about: field("about").map(|text| text.replace("\r\n", "\n")),
        }
    }
}
