//! Makes changes of every kind by form, API and socket, until enough of them were confirmed.

use rand::rngs::ChaCha8Rng;
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{CHANGES, Progress, below, until_served};
use crate::support::Ws;

const STATUSES: [&str; 4] = ["eating", "bathing", "sleeping", "playing"];

/// The last of the sample pets, which are never removed.
const STAYING: u64 = 6;

/// A client that makes changes, and retries when no server responds.
struct Staff<'a> {
    base: &'a str,
    client: Client,
    socket: Option<Ws>,
    random: ChaCha8Rng,
    /// Pets that were added and not removed.
    added: Vec<u64>,
}

/// Makes `CHANGES` changes at `base` and counts those that were confirmed.
pub async fn make_changes(base: &str, progress: &watch::Sender<Progress>, random: ChaCha8Rng) {
    let client = Client::builder().no_proxy().redirect(Policy::none());
    let mut staff = Staff {
        base,
        client: client.build().unwrap(),
        socket: None,
        random,
        added: Vec::new(),
    };
    while progress.borrow().made < CHANGES {
        match staff.change_something().await {
            Some(()) => progress.send_modify(|progress| progress.made += 1),
            // The change may have been made. It is not counted in any case.
            None => until_served(base).await,
        }
    }
}

impl Staff<'_> {
    /// Makes one change. Returns `None` if it was not confirmed.
    async fn change_something(&mut self) -> Option<()> {
        match below(&mut self.random, 20) {
            0 => self.add_pet().await,
            1 => self.remove_pet().await,
            2 => self.edit_pet().await,
            3..=8 => self.set_status_by_form().await,
            9..=14 => self.set_status_by_socket().await,
            _ => self.set_status_by_api().await,
        }
    }

    fn pet(&mut self) -> u64 {
        below(&mut self.random, 6) as u64 + 1
    }

    fn status(&mut self) -> &'static str {
        STATUSES[below(&mut self.random, STATUSES.len())]
    }

    fn api(&self, pet: u64) -> String {
        format!("{}/api/v1/pets/{pet}", self.base)
    }

    async fn add_pet(&mut self) -> Option<()> {
        let url = format!("{}/api/v1/pets", self.base);
        let fields = json!({ "name": "Maple\r\u{2028}", "species": "dog" });
        let made = self.client.post(url).json(&fields).send().await.ok()?;
        let pet: Value = answered(made)?.json().await.ok()?;
        self.added.push(pet["id"].as_u64().unwrap());
        Some(())
    }

    async fn remove_pet(&mut self) -> Option<()> {
        let Some(pet) = self.added.pop() else {
            return self.add_pet().await;
        };
        assert!(pet > STAYING);
        let removed = self.client.delete(self.api(pet)).send().await.ok()?;
        answered(removed).map(|_| ())
    }

    async fn edit_pet(&mut self) -> Option<()> {
        let pet = self.pet();
        let age = json!({ "age": format!("{} years", below(&mut self.random, 20)) });
        let request = self.client.patch(self.api(pet)).json(&age);
        answered(request.send().await.ok()?).map(|_| ())
    }

    async fn set_status_by_form(&mut self) -> Option<()> {
        let pet = self.pet();
        let url = format!("{}/pets/{pet}/status", self.base);
        let request = self.client.post(url).form(&[("status", self.status())]);
        answered(request.send().await.ok()?).map(|_| ())
    }

    async fn set_status_by_api(&mut self) -> Option<()> {
        let pet = self.pet();
        let url = format!("{}/status", self.api(pet));
        let request = self
            .client
            .put(url)
            .json(&json!({ "status": self.status() }));
        answered(request.send().await.ok()?).map(|_| ())
    }

    async fn set_status_by_socket(&mut self) -> Option<()> {
        let command = json!({ "do": "set-status", "pet": self.pet(), "status": self.status() });
        // Watches a pet that never exists, so that only replies arrive.
        let mut socket = match self.socket.take() {
            Some(socket) => socket,
            None => Ws::try_open(self.base, "/live/ws?pet=999999", &[])
                .await
                .ok()?,
        };
        socket.try_send(command.to_string()).await?;
        let answer = socket.try_answer().await?;
        self.socket = Some(socket);
        (answer["type"] == "ack").then_some(())
    }
}

/// Returns the response if the change was made. A server that is stopping may refuse it.
fn answered(response: Response) -> Option<Response> {
    let status = response.status().as_u16();
    assert!([200, 201, 303, 503].contains(&status), "{response:?}");
    (status != 503).then_some(response)
}
