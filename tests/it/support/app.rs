//! An app in this process, and frequent requests.

use std::net::SocketAddr;
use std::path::Path;

use pet_store::app::{App, StartError};
use pet_store::config::Config;
use pet_store::store::StoreError;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::contract::CONTRACT;

/// A running app on a free port of loopback, with its own store. Stops when dropped.
pub struct TestApp {
    app: Option<App>,
    pub address: SocketAddr,
    pub client: Client,
    _folder: Option<TempDir>,
}

/// Starts a demo without sample pets and simulator.
pub async fn spawn_app() -> TestApp {
    spawn_app_with(|_| {}).await
}

/// As `spawn_app`, with a changed configuration.
pub async fn spawn_app_with(change: impl FnOnce(&mut Config)) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let mut app = spawn_app_in(folder.path(), change).await;
    app._folder = Some(folder);
    app
}

/// As `spawn_app_with`, with a store in `folder`.
pub async fn spawn_app_in(folder: &Path, change: impl FnOnce(&mut Config)) -> TestApp {
    let mut config = Config::quiet(folder.to_owned());
    change(&mut config);
    let app = loop {
        match App::start(config.clone()).await {
            // The lock is free soon: see `store::open`.
            Err(StartError::Store(StoreError::InUse(_))) => drop(super::store::open(folder)),
            started => break started.unwrap(),
        }
    };
    TestApp {
        address: app.address(),
        app: Some(app),
        client: client(),
        _folder: None,
    }
}

/// Returns a client without redirects and proxies.
fn client() -> Client {
    let client = Client::builder().redirect(Policy::none()).no_proxy();
    client.build().unwrap()
}

impl TestApp {
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    pub async fn text(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let response = self.get(path).await;
        let is_success = response.status().is_success();
        let answer = response.json().await.unwrap();
        if is_success {
            CONTRACT.assert_answer(path, &answer);
        }
        answer
    }

    pub async fn post_form(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let request = self.request("POST", path).form(fields);
        request.send().await.unwrap()
    }

    /// Sends JSON to the API; `path` is below `/api/v1`.
    pub async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let request = self.request(method, &format!("/api/v1{path}"));
        request.json(body).send().await.unwrap()
    }

    /// Adds a pet over the API. Returns its id.
    pub async fn add_pet(&self, name: &str) -> u64 {
        let fields = json!({ "name": name, "species": "dog" });
        let response = self.send("POST", "/pets", &fields).await;
        assert_eq!(response.status(), 201);
        let pet: Value = response.json().await.unwrap();
        pet["id"].as_u64().unwrap()
    }

    /// Sets a status over the API. Returns the cursor of the change.
    pub async fn set_status(&self, pet: u64, status: &str) -> String {
        let path = format!("/pets/{pet}/status");
        let response = self.send("PUT", &path, &json!({ "status": status })).await;
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        answer["cursor"].as_str().unwrap().to_owned()
    }

    /// Returns the cursor of the newest change.
    pub async fn cursor(&self) -> String {
        let state = self.json("/live/state").await;
        state["cursor"].as_str().unwrap().to_owned()
    }

    /// Stops the app gracefully. Returns true if everything ended in time.
    pub async fn stop(mut self) -> bool {
        self.app.take().unwrap().stop().await
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(app) = self.app.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(app.stop());
        }
    }
}
