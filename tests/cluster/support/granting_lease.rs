//! A service in the place of the simulator's lease that grants it to every node.

use std::collections::BTreeSet;

use async_nats::Client;
use futures_util::StreamExt;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::cluster::server::Servers;
use crate::support::within;

const STREAM: &str = "KV_pet-store-lease";
const LEASE: &str = "$KV.pet-store-lease.simulator";

/// Keeps every node from taking the lease until it expires.
pub fn hold(servers: &Servers) {
    let answer = servers.ask_with(LEASE, "held");
    assert!(answer.contains("\"seq\""), "{answer}");
}

/// The last answer to each node, which is identified by its reply inbox.
#[derive(Default)]
struct LeaseAnswers {
    is_refusing: bool,
    granted: BTreeSet<String>,
    refused: BTreeSet<String>,
}

/// Grants the lease until it is dropped.
pub struct GrantingLease {
    answers: watch::Sender<LeaseAnswers>,
    task: JoinHandle<()>,
}

impl GrantingLease {
    /// Replaces the lease of nodes that run.
    pub async fn start(servers: &Servers, client: &Client) -> Self {
        servers.ask(&format!("$JS.API.STREAM.DELETE.{STREAM}"));
        // This stream never holds the lease, so each write of it arrives here.
        let settings = format!(
            r#"{{"name":"{STREAM}","subjects":["nothing.>"],"allow_direct":true,"storage":"file"}}"#
        );
        servers.ask_with(&format!("$JS.API.STREAM.CREATE.{STREAM}"), &settings);
        let answers = watch::Sender::new(LeaseAnswers::default());
        let mut requests = client.subscribe(LEASE).await.unwrap();
        let (client, shared) = (client.clone(), answers.clone());
        let task = tokio::spawn(async move {
            while let Some(request) = requests.next().await {
                let Some(reply) = request.reply else {
                    continue;
                };
                let mut answer = String::new();
                shared.send_modify(|answers| answer = answers.answer(&reply));
                // Fails when the test is over.
                let _ = client.publish(reply, answer.into()).await;
            }
        });
        GrantingLease { answers, task }
    }

    /// Waits until `count` nodes believe to hold the lease.
    pub async fn wait_until_granted(&self, count: usize) {
        let mut answers = self.answers.subscribe();
        let granted = answers.wait_for(|answers| answers.granted.len() == count);
        within("nodes that hold the lease", granted).await.unwrap();
    }

    /// Refuses the lease, and waits until `count` nodes know.
    pub async fn revoke(&self, count: usize) {
        self.answers
            .send_modify(|answers| answers.is_refusing = true);
        let mut answers = self.answers.subscribe();
        let refused = answers.wait_for(|answers| answers.refused.len() == count);
        within("nodes that lost the lease", refused).await.unwrap();
    }
}

impl Drop for GrantingLease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LeaseAnswers {
    fn answer(&mut self, reply: &str) -> String {
        let inbox = reply.rsplit_once('.').map_or(reply, |(inbox, _)| inbox);
        if self.is_refusing {
            self.refused.insert(inbox.to_owned());
            return r#"{"error":{"code":400,"err_code":10071,"description":"revoked"}}"#.to_owned();
        }
        self.granted.insert(inbox.to_owned());
        format!(r#"{{"stream":"{STREAM}","seq":7}}"#)
    }
}
