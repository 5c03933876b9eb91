//! A service that plays the simulator's lease and grants it to everyone who asks, so that every
//! node believes to be the only one.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_nats::Client;
use futures_util::StreamExt;
use tokio::task::JoinHandle;

use super::server::Servers;
use crate::support::until;

const STREAM: &str = "KV_pet-store-lease";
const LEASE: &str = "$KV.pet-store-lease.simulator";

/// Keeps every node from having the lease, for as long as one is good.
pub fn hold(servers: &Servers) {
    let answer = servers.ask_with(LEASE, "held");
    assert!(answer.contains("\"seq\""), "{answer}");
}

/// Who was last told what; a node is known by the inbox in which it takes answers.
#[derive(Default)]
struct Told {
    is_refusing: bool,
    granted: BTreeSet<String>,
    refused: BTreeSet<String>,
}

/// Answers until it is dropped.
pub struct LeaseForAll {
    told: Arc<Mutex<Told>>,
    task: JoinHandle<()>,
}

impl LeaseForAll {
    /// Puts itself in the place of the lease of nodes that run already.
    pub async fn begin(servers: &Servers, client: &Client) -> Self {
        servers.ask(&format!("$JS.API.STREAM.DELETE.{STREAM}"));
        // Nobody ever has the lease in here; what is written to it comes to us.
        let settings = format!(
            r#"{{"name":"{STREAM}","subjects":["nothing.>"],"allow_direct":true,"storage":"file"}}"#
        );
        servers.ask_with(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &settings);
        let told = Arc::new(Mutex::new(Told::default()));
        let mut asked = client.subscribe(LEASE).await.unwrap();
        let (client, telling) = (client.clone(), Arc::clone(&told));
        let task = tokio::spawn(async move {
            while let Some(question) = asked.next().await {
                let Some(reply) = question.reply else {
                    continue;
                };
                let answer = telling.lock().unwrap().answer(&reply);
                // Fails when the test is over.
                let _ = client.publish(reply, answer.into()).await;
            }
        });
        LeaseForAll { told, task }
    }

    /// Waits until `count` nodes believe to be the only one.
    pub async fn until_granted_to(&self, count: usize) {
        until("nodes that all have the lease", async || {
            self.told.lock().unwrap().granted.len() == count
        })
        .await;
    }

    /// Takes it from everyone, and waits until `count` nodes know.
    pub async fn take_back(&self, count: usize) {
        self.told.lock().unwrap().is_refusing = true;
        until("nodes that have lost the lease", async || {
            self.told.lock().unwrap().refused.len() == count
        })
        .await;
    }
}

impl Drop for LeaseForAll {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Told {
    fn answer(&mut self, reply: &str) -> String {
        let inbox = reply.rsplit_once('.').map_or(reply, |(inbox, _)| inbox);
        match self.is_refusing {
            true => {
                self.refused.insert(inbox.to_owned());
                r#"{"error":{"code":400,"err_code":10071,"description":"taken back"}}"#.to_owned()
            }
            false => {
                self.granted.insert(inbox.to_owned());
                format!(r#"{{"stream":"{STREAM}","seq":7}}"#)
            }
        }
    }
}
