//! `kill -9` while deliveries are sent, and while they wait.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::server::Server;
use super::{ALL, Receiver, Reply, add};
use crate::support::until;

const ROUNDS: usize = 5;

/// The round in which every delivery fails until the server was killed.
const FAILING: usize = 2;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kills_every_acknowledged_change_is_accepted_at_least_once_with_its_id() {
    let fails = Arc::new(AtomicBool::new(false));
    let accepted = Arc::new(Mutex::new(BTreeSet::new()));
    let (failing, accepting) = (Arc::clone(&fails), Arc::clone(&accepted));
    let receiver = Receiver::start(move |received| {
        let id = received.header("webhook-id");
        assert_eq!(received.json()["data"]["cursor"], id);
        if failing.load(Ordering::Relaxed) {
            return Reply::status(500);
        }
        accepting.lock().unwrap().insert(id.to_owned());
        Reply::status(200)
    })
    .await;
    let mut server = Server::start(&[]).await;
    let mut anna = server.signed_in().await;
    add(&mut anna, &receiver.url("/"), "standard", &ALL).await;
    let mut random = ChaCha8Rng::seed_from_u64(16);
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        fails.store(round == FAILING, Ordering::Relaxed);
        let enough = receiver.received().len() + random.random_range(20..60);
        for turn in round.. {
            let cursor = server.set_status(turn).await.unwrap();
            acknowledged.insert(cursor);
            if receiver.received().len() >= enough {
                break;
            }
        }
        if round == FAILING {
            // They are not only sent, but wait in the store.
            let path = "/metrics";
            until("stored failures", async || {
                let metrics = server.process.text(path).await;
                !metrics.contains("petstore_webhooks_waiting 0")
            })
            .await;
        }
        server = server.kill().await;
    }
    assert!(acknowledged.len() > 20 * ROUNDS, "{}", acknowledged.len());
    until("every delivery", async || {
        accepted.lock().unwrap().is_superset(&acknowledged)
    })
    .await;
}
