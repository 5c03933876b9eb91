//! Forms with files, as browsers send them (RFC 7578).
//!
//! The body is in memory already, and the files are slices of it. As with `Form`, a handler that takes an
//! `UploadForm` gets one whose token was checked.

use bytes::Bytes;
use poem::http::{HeaderMap, header};
use poem::{FromRequest, Request, RequestBody};

use super::form::{Form, TOKEN};
use crate::auth::Principal;
use crate::error::Failure;

/// Parts of a form at most: eight files and some fields, and some room.
const MAX_PARTS: usize = 64;

/// Bytes of the head of a part at most.
const MAX_HEAD_BYTES: usize = 4 * 1024;

/// A form with files.
pub struct UploadForm {
    /// The fields.
    pub fields: Form,
    /// The files that were chosen, in their order.
    pub files: Vec<SentFile>,
}

/// A file of a form.
#[derive(Debug, PartialEq, Eq)]
pub struct SentFile {
    /// Name that the file has at its author; may be empty.
    pub name: String,
    /// Content of the file.
    pub content: Bytes,
}

/// A part of a form: a field, or a file if it has a file name.
struct Part {
    name: String,
    file_name: Option<String>,
    content: Bytes,
}

impl<'a> FromRequest<'a> for UploadForm {
    /// # Errors
    /// 415 for another content type, 400 for a body that cannot be read, 403 for a form that was not
    /// rendered for this browser.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        let boundary = boundary(content_type(request.headers())).ok_or_else(|| {
            Failure::unsupported_media_type("Send the form as multipart/form-data.")
        })?;
        let body = Bytes::from_request(request, body).await?;
        let parts = parse(boundary, &body);
        let parts = parts.ok_or_else(|| Failure::bad_request("The form cannot be read."))?;
        let (mut fields, mut files) = (Vec::new(), Vec::new());
        for part in parts {
            let content = part.content;
            match part.file_name {
                // A file input without a file sends an empty one.
                Some(_) if content.is_empty() => {}
                Some(name) => files.push(SentFile { name, content }),
                None => fields.push((part.name, text(&content)?)),
            }
        }
        let fields = Form::new(fields);
        Principal::get(request)?.check_form(fields.get(TOKEN))?;
        Ok(UploadForm { fields, files })
    }
}

impl UploadForm {
    /// Returns true if the content type is that of a form with files.
    pub fn is_announced(headers: &HeaderMap) -> bool {
        boundary(content_type(headers)).is_some()
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE);
    kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Returns the text of a field.
fn text(content: &[u8]) -> Result<String, Failure> {
    let text = std::str::from_utf8(content);
    let text = text.map_err(|_| Failure::bad_request("The form is not text in UTF-8."))?;
    Ok(text.to_owned())
}

/// Returns the boundary that a content type names.
fn boundary(kind: &str) -> Option<&str> {
    let parameters = kind.strip_prefix("multipart/form-data")?;
    let mut parameters = parameters.split(';').map(str::trim);
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="))?;
    let boundary = boundary.trim_matches('"');
    (1..=70).contains(&boundary.len()).then_some(boundary)
}

/// Splits a body into its parts; `None` if it is not complete.
fn parse(boundary: &str, body: &Bytes) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}");
    if !body.starts_with(&delimiter.as_bytes()[2..]) {
        return None;
    }
    let mut rest = body.slice(delimiter.len() - 2..);
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        if !rest.starts_with(b"\r\n") || parts.len() == MAX_PARTS {
            return None;
        }
        let end = find(&rest[2..], delimiter.as_bytes())? + 2;
        let part = rest.slice(2..end);
        rest = rest.split_off(end + delimiter.len());
        parts.push(parse_part(&part)?);
    }
    Some(parts)
}

fn parse_part(part: &Bytes) -> Option<Part> {
    const END: &[u8] = b"\r\n\r\n";
    let head = find(&part[..part.len().min(MAX_HEAD_BYTES)], END)?;
    let content = part.slice(head + END.len()..);
    let head = std::str::from_utf8(&part[..head]).ok()?;
    let mut fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) =
        fields.find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))?;
    Some(Part {
        name: parameter(disposition, "name")?,
        file_name: parameter(disposition, "filename"),
        content,
    })
}

/// Returns a parameter between quotation marks, in which browsers escape quotation marks and line ends.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let start = format!("; {name}=\"");
    let (_, value) = disposition.split_once(&start)?;
    let (value, _) = value.split_once('"')?;
    Some(value.replace("%22", "\""))
}

/// Returns where `wanted` begins in `bytes`.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut from = 0;
    loop {
        from += bytes.get(from..)?.iter().position(|byte| byte == first)?;
        if bytes[from..].starts_with(wanted) {
            return Some(from);
        }
        from += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = "--x\r\nContent-Disposition: form-data; name=\"form-token\"\r\n\r\nabc\r\n\
        --x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a %22b%22.jpg\"\r\n\
        Content-Type: image/jpeg\r\n\r\n\r\n--y\r\n\r\n--x--\r\n";

    #[test]
    fn a_form_is_split_at_its_boundary_and_nowhere_else() {
        let parts = parse("x", &Bytes::from_static(BODY.as_bytes())).unwrap();
        let [token, file] = &parts[..] else { panic!() };
        assert_eq!(
            (token.name.as_str(), &token.content[..]),
            (TOKEN, &b"abc"[..])
        );
        assert_eq!(file.file_name.as_deref(), Some("a \"b\".jpg"));
        assert_eq!(&file.content[..], b"\r\n--y\r\n");
    }

    #[test]
    fn a_form_that_ends_early_is_refused() {
        for end in 0..BODY.len() - 4 {
            assert!(
                parse("x", &Bytes::copy_from_slice(&BODY.as_bytes()[..end])).is_none(),
                "{end}"
            );
        }
        let many = format!(
            "{}--",
            "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n".repeat(100)
        );
        assert!(parse("x", &many.into()).is_none());
    }

    #[test]
    fn the_boundary_is_read_with_and_without_quotation_marks() {
        assert_eq!(boundary("multipart/form-data; boundary=abc"), Some("abc"));
        assert_eq!(
            boundary("multipart/form-data; boundary=\"a c\""),
            Some("a c")
        );
        for kind in [
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=",
        ] {
            assert_eq!(boundary(kind), None, "{kind}");
        }
    }
}
