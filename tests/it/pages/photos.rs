//! Photos: files as nobody should send them, sending by API and by form, and what a crash or another store
//! leaves of them.

mod api;
mod files;
mod forms;
mod hostile;
mod hostile_files;
mod logo;
mod process;
mod shown;
mod transfer;

use reqwest::Response;
use serde_json::Value;

use self::files::{corners, jpeg};
use crate::support::TestApp;

/// Returns a photo of this size, as a camera writes it.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    files::with_exif(&jpeg(&corners(width, height)), 1)
}

/// Sends a file over the API.
async fn send(app: &TestApp, pet: u64, file: Vec<u8>) -> Response {
    let request = app.request("POST", &format!("/api/v1/pets/{pet}/photos"));
    request.body(file).send().await.unwrap()
}

/// Sends a photo over the API. Returns the pet's photos.
async fn add(app: &TestApp, pet: u64, file: Vec<u8>) -> Vec<Value> {
    let response = send(app, pet, file).await;
    assert_eq!(response.status(), 201);
    let pet: Value = response.json().await.unwrap();
    pet["photos"].as_array().unwrap().clone()
}
