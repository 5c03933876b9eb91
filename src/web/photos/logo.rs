//! The page on which admins choose or remove the logo of the rescue.

use bytes::Bytes;
use poem::http::StatusCode;
use poem::{FromRequest, Request, RequestBody, Response, handler};

use super::prepare_photo;
use crate::auth::Administrator;
use crate::error::Failure;
use crate::model::{Logo, PhotoFile};
use crate::views::LogoPage;
use crate::web::pages::form::Form;
use crate::web::pages::multipart::UploadForm;
use crate::web::pages::{PageResponder, redirect};

/// Path of the page.
pub const PATH: &str = "/settings/logo";

/// The request of a form of the page.
pub enum LogoForm {
    /// Use this file, if one was chosen.
    Save(Option<Bytes>),
    /// Show no logo.
    Remove,
}

impl<'a> FromRequest<'a> for LogoForm {
    /// # Errors
    /// As for `Form` and `UploadForm`.
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        if UploadForm::is_announced(request.headers()) {
            let mut form = UploadForm::from_request(request, body).await?;
            return Ok(LogoForm::Save(form.files.pop().map(|file| file.content)));
        }
        let form = Form::from_request(request, body).await?;
        let is_removal = form.get("remove") == Some("yes");
        Ok(if is_removal {
            LogoForm::Remove
        } else {
            LogoForm::Save(None)
        })
    }
}

/// Shows the page.
#[handler]
pub fn show_logo(_admin: Administrator, pages: PageResponder) -> poem::Result<Response> {
    pages.show(&LogoPage::default())
}

/// Saves the logo that was chosen, or removes the logo. Shows the page again if the file cannot be a logo.
#[handler]
pub async fn save_logo(
    Administrator(admin): Administrator,
    pages: PageResponder,
    form: LogoForm,
) -> poem::Result<Response> {
    let logo = match form {
        LogoForm::Remove => Ok(None),
        LogoForm::Save(None) => Err(Failure::bad_request("Choose a JPEG, PNG or WebP file.")),
        LogoForm::Save(Some(file)) => read_logo(&pages, file).await.map(Some),
    };
    match logo {
        Ok(logo) => {
            let saved = admin
                .edit(move |accounts, admin| accounts.settings().save_logo(logo, &admin.actor));
            saved.await?;
            Ok(redirect(PATH))
        }
        Err(failure) if failure.status.is_server_error() => Err(failure.into()),
        Err(failure) => {
            let error = Some(failure.detail);
            pages.show_with_status(&LogoPage { error }, StatusCode::UNPROCESSABLE_ENTITY)
        }
    }
}

/// Makes a logo of a file: a photo in its smallest width.
async fn read_logo(pages: &PageResponder, file: Bytes) -> Result<Logo, Failure> {
    let photo = prepare_photo(&pages.site, file).await?;
    let smallest = photo.files.into_iter().next();
    let PhotoFile { width_px, jpeg } = smallest.ok_or_else(Failure::internal)?;
    let height_px = photo.height_px * width_px / photo.width_px;
    let logo = Logo::new(jpeg, width_px, height_px.max(1));
    logo.map_err(|error| Failure::bad_request(error.to_string()))
}
