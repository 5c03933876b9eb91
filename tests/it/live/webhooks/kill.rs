//! `kill -9` while deliveries are sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use pet_store::auth::Accounts;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use reqwest::Client;
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::{ALL, Receiver, Reply, add};
use crate::support::{Browser, PASSWORD, Process, add_people, fill, open, until};

const SERVE: [&str; 4] = [
    "serve",
    "--listen",
    "127.0.0.1:0",
    "--webhooks-to-private-addresses",
];

const ROUNDS: usize = 5;

/// Sets a status. `None` if the server was killed before it answered.
async fn set(process: &Process, token: &str, turn: usize) -> Option<String> {
    let status = ["eating", "bathing", "sleeping"][turn % 3];
    let url = format!("{}/api/v1/pets/1/status", process.base);
    let request = process.client.put(url).bearer_auth(token);
    let answer = request
        .json(&json!({ "status": status }))
        .send()
        .await
        .ok()?;
    let answer: Value = answer.json().await.ok()?;
    Some(answer["cursor"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kills_every_acknowledged_change_is_delivered_at_least_once_with_its_id() {
    let receiver = Receiver::start(|_| Reply::status(200)).await;
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fill(&data, 1);
    let tokens = add_people(&Accounts::open(Arc::new(open(&data))).unwrap());
    let mut process = Process::start(folder.path(), &SERVE).await;
    let client = Client::builder().redirect(Policy::none()).no_proxy();
    let mut anna = Browser::at(&process.base, &client.build().unwrap());
    assert_eq!(anna.sign_in("anna", PASSWORD).await.status(), 303);
    add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let enough = receiver.received().len() + random.random_range(20..60);
        let writing = async {
            for turn in round.. {
                let Some(cursor) = set(&process, &tokens[2], turn).await else {
                    break;
                };
                acknowledged.insert(cursor);
                if receiver.received().len() >= enough {
                    break;
                }
            }
        };
        writing.await;
        process.kill().await;
        process = Process::start(folder.path(), &SERVE).await;
    }
    let ids = || -> BTreeSet<String> {
        let received = receiver.received().into_iter();
        received
            .map(|one| one.header("webhook-id").to_owned())
            .collect()
    };
    until("every delivery", async || ids().is_superset(&acknowledged)).await;
    let received = receiver.received();
    assert!(acknowledged.len() > 20 * ROUNDS, "{}", acknowledged.len());
    // Each id has one body.
    for delivery in &received {
        let id = delivery.header("webhook-id");
        assert_eq!(delivery.json()["data"]["cursor"], id);
    }
}
