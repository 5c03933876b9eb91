//! Forms as browsers send them. A handler that takes one takes it with its token checked.

use std::error::Error;
use std::str::FromStr;

use percent_encoding::percent_decode;
use poem::http::{HeaderMap, StatusCode, header};
use poem::{FromRequest, Request, RequestBody};

use crate::auth::Principal;
use crate::error::{Failure, at_field};
use crate::model::{FieldError, ProfileInput};
use crate::writer::IdempotencyKey;

/// The fields of a form, in the order they were sent.
pub struct Form(Vec<(String, String)>);

/// The field that says for which browser the form was made.
const TOKEN: &str = "form-token";

impl<'a> FromRequest<'a> for Form {
    /// # Errors
    /// As for `of_body`, and 403 for a form that was not made for this browser.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let bytes = Vec::from_request(request, body).await?;
        let form = Form::of_body(request.headers(), &bytes)?;
        let checked = Principal::get(request)?.check_form(form.get(TOKEN));
        Ok(checked.map(|()| form).map_err(Failure::from)?)
    }
}

/// The field with the idempotency key of a rendered form: submitted twice, the form is one request.
pub const KEY: &str = "request";

/// Returns a hidden field with a new key, for a form that is rendered.
pub fn new_key() -> (String, String) {
    (KEY.to_owned(), format!("{:032x}", rand::random::<u128>()))
}

impl Form {
    /// The key of the form; None if it has none, as from a program, or one that is not ours.
    pub fn key(&self) -> Option<IdempotencyKey> {
        self.one_time_key().map(IdempotencyKey::from_form)
    }

    /// The same as text.
    pub fn one_time_key(&self) -> Option<&str> {
        self.get(KEY).filter(|key| key.len() == 32)
    }

    /// Reads a body; one that is empty is a form without fields.
    ///
    /// # Errors
    /// 415 for another content type, 400 for what is not in that format.
    fn of_body(headers: &HeaderMap, body: &[u8]) -> Result<Self, Failure> {
        if body.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            return Ok(Form(Vec::new()));
        }
        if !Form::is_announced(headers) {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                "Send a form as application/x-www-form-urlencoded.",
            ));
        }
        Form::parse(body)
    }

    /// Returns true if the content type is that of a form.
    pub fn is_announced(headers: &HeaderMap) -> bool {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// Reads the fields that a body holds.
    ///
    /// # Errors
    /// 400 if the body is not a URL-encoded form in UTF-8.
    pub fn parse(body: &[u8]) -> Result<Self, Failure> {
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

    /// The same, empty where it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// The form without the fields of these names.
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// The fields, URL-encoded as a browser sends them.
    pub fn encode(&self) -> String {
        serde_urlencoded::to_string(&self.0).unwrap_or_default()
    }

    /// The fields of these names, as hidden fields of the form that is shown again.
    pub fn hidden(&self, names: &[&str]) -> Vec<(String, String)> {
        let fields = self.0.iter();
        let hidden = fields.filter(|(name, _)| names.contains(&name.as_str()));
        hidden.cloned().collect()
    }

    pub fn fields(&self) -> &[(String, String)] {
        &self.0
    }

    pub fn into_fields(self) -> Vec<(String, String)> {
        self.0
    }

    /// What a field says, read as a `T`; one that is not there is empty.
    ///
    /// # Errors
    /// What is allowed, at the field.
    pub fn read<T: FromStr<Err: Error>>(&self, field: &'static str) -> Result<T, FieldError> {
        let read = self.text(field).parse();
        read.map_err(|error| at_field(field, &error))
    }

    /// Returns the fields of a pet.
    pub fn into_profile_input(self) -> ProfileInput {
        ProfileInput::collect(|field| self.get(field.name).map(str::to_owned))
    }
}
