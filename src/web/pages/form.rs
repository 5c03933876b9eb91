//! URL-encoded forms as browsers send them. A handler that takes a `Form` gets one whose token was
//! checked.

use std::error::Error;
use std::str::FromStr;

use percent_encoding::percent_decode;
use poem::http::{HeaderMap, StatusCode, header};
use poem::{FromRequest, Request, RequestBody, Response};

use super::response::PageResponder;
use crate::auth::Principal;
use crate::error::{Failure, at_field};
use crate::model::{Audience, FieldError, FieldKind, PetId, ProfileField, ProfileInput};
use crate::views::FormPage;
use crate::writer::{IdempotencyKey, Namesakes, WriteError};

/// Field with the idempotency key of a rendered form: submitted twice, the form is one request.
pub const KEY: &str = "request";

/// Field by which the author of a form confirms that the pet is not its namesake.
const IS_ANOTHER_ANIMAL: &str = "another-animal";

/// Field with the token against request forgery (CSRF).
pub const TOKEN: &str = "form-token";

/// The fields of a form, in the order in which they were sent.
pub struct Form(Vec<(String, String)>);

/// Returns `page` with a warning: `other` is a namesake of the pet that was entered.
pub fn warn_of_namesake(
    pages: &PageResponder,
    page: FormPage,
    other: PetId,
) -> poem::Result<Response> {
    let found = pages.site.app.hub().pet(other, Audience::Staff);
    // If the other pet was removed in the meantime, there is nothing to warn of.
    let (other, _) = found.ok_or_else(|| Failure::from(WriteError::Conflict))?;
    let confirmation = (IS_ANOTHER_ANIMAL.to_owned(), "yes".to_owned());
    let page = page.with_namesake(&other, confirmation);
    pages.show_with_status(&page, StatusCode::CONFLICT)
}

impl<'a> FromRequest<'a> for Form {
    /// # Errors
    /// 415 for another content type, 400 for a body that cannot be read, 403 for a form that was not
    /// rendered for this browser.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let headers = request.headers();
        let bytes = Vec::from_request(request, body).await?;
        let form = if Form::is_announced(headers) {
            Form::parse(&bytes)?
        } else if bytes.is_empty() && !headers.contains_key(header::CONTENT_TYPE) {
            Form(Vec::new())
        } else {
            return Err(Failure::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Unsupported media type",
                "Send the form as application/x-www-form-urlencoded.",
            )
            .into());
        };
        let checked = Principal::get(request)?.check_form(form.get(TOKEN));
        Ok(checked.map(|()| form).map_err(Failure::from)?)
    }
}

/// Returns a hidden field with a new idempotency key, for a form that is rendered.
pub fn new_key() -> (String, String) {
    (KEY.to_owned(), format!("{:032x}", rand::random::<u128>()))
}

impl Form {
    /// Returns true if the content type is that of a form.
    pub fn is_announced(headers: &HeaderMap) -> bool {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    }

    /// Wraps the fields of a form.
    pub fn new(fields: Vec<(String, String)>) -> Self {
        Form(fields)
    }

    /// Parses a body.
    ///
    /// # Errors
    /// 400 if the body is not a URL-encoded form in UTF-8.
    pub fn parse(body: &[u8]) -> Result<Self, Failure> {
        let invalid = || Failure::bad_request("The form is not URL-encoded text in UTF-8.");
        // serde_urlencoded replaces invalid UTF-8 by U+FFFD.
        percent_decode(body).decode_utf8().map_err(|_| invalid())?;
        let fields = serde_urlencoded::from_bytes(body);
        fields.map(Form).map_err(|_| invalid())
    }

    /// Returns the idempotency key of the form. A form of a program may have none.
    pub fn key(&self) -> Option<IdempotencyKey> {
        self.one_time_key().map(IdempotencyKey::from_form)
    }

    /// Returns the idempotency key as text.
    pub fn one_time_key(&self) -> Option<&str> {
        self.get(KEY).filter(|key| key.len() == 32)
    }

    /// Returns true if the form contains the confirmation of `ConfirmPage`.
    pub fn is_confirmed(&self) -> bool {
        self.get("confirm") == Some("yes")
    }

    /// Returns the condition on namesakes: refused until the author confirms.
    pub fn namesakes(&self) -> Namesakes {
        match self.get(IS_ANOTHER_ANIMAL) {
            Some("yes") => Namesakes::Allowed,
            _ => Namesakes::Refused,
        }
    }

    /// Returns the value of the first field of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(field, _)| field == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Returns the values of all fields of this name, in their order.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.0.iter().filter(move |(field, _)| field == name);
        fields.map(|(_, value)| value.as_str())
    }

    /// Returns the value of a field; empty text for a field that is missing.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or_default()
    }

    /// Parses the value of a field. A missing field is empty text.
    ///
    /// # Errors
    /// A failure at the field that says what is allowed.
    pub fn parse_field<T: FromStr<Err: Error>>(
        &self,
        field: &'static str,
    ) -> Result<T, FieldError> {
        let parsed = self.text(field).parse();
        parsed.map_err(|error| at_field(field, &error))
    }

    /// Returns copies of the fields whose names `is_wanted` accepts, to send them back as hidden inputs.
    pub fn hidden(&self, is_wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
        let fields = self.0.iter();
        fields
            .filter(|(name, _)| is_wanted(name))
            .cloned()
            .collect()
    }

    /// Returns the form without the fields of these names.
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(name, _)| !names.contains(&name.as_str()));
        self
    }

    /// Encodes the fields as a browser sends them.
    pub fn encode(&self) -> String {
        serde_urlencoded::to_string(&self.0).unwrap_or_default()
    }

    /// Returns all fields.
    pub fn into_fields(self) -> Vec<(String, String)> {
        self.0
    }

    /// Returns what was entered for a field of a pet, which may have several controls: a checkbox per
    /// word, or a date and a checkbox that says that it is estimated.
    pub fn entered(&self, field: &ProfileField) -> Option<String> {
        let values = self.0.iter().filter(|(name, _)| name == field.name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        match field.kind {
            // An empty value comes from a form in which no word is checked.
            FieldKind::Words(_) => (!values.is_empty()).then(|| values.join(",")),
            FieldKind::RoughDate => {
                let is_about = |value: &&str| *value == "about";
                let date = values.iter().find(|value| !is_about(value))?.trim();
                let is_prefixed = values.iter().any(is_about) && !date.starts_with("about");
                let about = if is_prefixed { "about " } else { "" };
                Some(format!("{about}{date}"))
            }
            _ => values.first().map(|value| (*value).to_owned()),
        }
    }

    /// Returns the fields of a pet.
    pub fn into_profile_input(self) -> ProfileInput {
        ProfileInput::collect(|field| self.entered(field))
    }
}
