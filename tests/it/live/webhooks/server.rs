//! The real binary with a webhook, to be killed or to run with environment variables.

use std::sync::Arc;

use pet_store::auth::Accounts;
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Browser, PASSWORD, Process, add_people, fill, open};

const SERVE: [&str; 4] = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--webhooks-to-private-addresses",
];

/// A server of a rescue with one pet, whose webhooks reach this machine.
pub struct Server {
    pub process: Process,
    /// Token of boris, to write.
    token: String,
    client: Client,
    folder: TempDir,
}

impl Server {
    /// Starts a server with these environment variables.
    pub async fn start(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fill(&data, 1);
        let [.., token] = add_people(&Accounts::open(Arc::new(open(&data))).unwrap());
        let client = Client::builder().redirect(Policy::none()).no_proxy();
        Server {
            process: Process::start_with(folder.path(), &SERVE, environment).await,
            token,
            client: client.build().unwrap(),
            folder,
        }
    }

    /// Kills the server, and starts it again on its store.
    pub async fn kill(mut self) -> Self {
        self.process.kill().await;
        let process = Process::start(self.folder.path(), &SERVE).await;
        Server { process, ..self }
    }

    /// Returns the browser of anna, who is signed in.
    pub async fn signed_in(&self) -> Browser {
        let mut anna = Browser::at(&self.process.base, &self.client);
        assert_eq!(anna.sign_in("anna", PASSWORD).await.status(), 303);
        anna.get("/account").await;
        anna
    }

    /// Sets a status, another one in each turn. Returns the cursor; `None` if the server did not answer.
    pub async fn set_status(&self, turn: usize) -> Option<String> {
        let status = ["eating", "bathing", "sleeping"][turn % 3];
        let url = format!("{}/api/v1/pets/1/status", self.process.base);
        let request = self.process.client.put(url).bearer_auth(&self.token);
        let request = request.json(&json!({ "status": status }));
        let answer: Value = request.send().await.ok()?.json().await.ok()?;
        Some(answer["cursor"].as_str()?.to_owned())
    }
}
