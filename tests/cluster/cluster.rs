//! Several nodes on a NATS cluster: one history on all of them, whatever dies.
//!
//! Each test starts servers and nodes of its own. `tests/nats/install` brings the servers. `cargo
//! test` runs a short form of those with a crowd; `tests/cluster/run` the long one.

mod anew;
mod answers;
mod balancer;
mod cable;
mod contention;
mod credentials;
mod crowd;
mod cut;
mod gap;
mod guide;
mod hung;
mod lease;
mod log;
mod loss;
mod masses;
mod moving;
mod outages;
mod recovery;
mod refusals;
mod rogues;
#[path = "../nats/server.rs"]
#[expect(dead_code, reason = "the engine's own tests fill servers")]
mod server;
mod staff;
mod stage;
mod together;
mod twice;
mod writers;

use serde_json::Value;
use tempfile::TempDir;

use self::server::Servers;
use crate::support::{Process, until};

/// How many: some in every test run, many in the long form.
fn number(short: usize, long: usize) -> usize {
    match std::env::var("PET_STORE_CLUSTER").as_deref() {
        Ok("long") => long,
        _ => short,
    }
}

/// Nodes of one cluster: the real binary, in demo mode so that everyone may write, and still.
struct Nodes {
    nodes: Vec<Process>,
    folder: TempDir,
}

impl Nodes {
    /// Starts `count` nodes; the first gives the cluster three pets.
    async fn start(servers: &Servers, count: usize) -> Self {
        let mut nodes = Nodes {
            nodes: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        for _ in 0..count {
            nodes.add(servers, &["--simulate", "off"]).await;
        }
        nodes
    }

    /// Starts one more.
    async fn add(&mut self, servers: &Servers, flags: &[&str]) {
        self.add_at(&servers.address(), flags).await;
    }

    /// The same, with servers at `address`.
    async fn add_at(&mut self, address: &str, flags: &[&str]) {
        let common = ["demo", "--listen", "127.0.0.1:0", "--engine", address];
        let pets = ["--pets", "3"];
        let pets = match flags.contains(&"--pets") {
            true => &[],
            false => &pets[..],
        };
        let arguments = [&common, pets, flags].concat();
        let node = Process::start(self.folder.path(), &arguments).await;
        self.nodes.push(node);
    }

    fn base(&self, node: usize) -> &str {
        &self.nodes[node].base
    }

    /// Sets a status at `node`, and gives the cursor of the change.
    async fn set(&self, node: usize, pet: u64, status: &str) -> String {
        let answer = self.nodes[node].set_status(pet, status).await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        answer["cursor"].as_str().unwrap().to_owned()
    }

    /// The same, as soon as the engine takes it and nobody else is faster.
    async fn set_at_last(&self, node: usize, pet: u64, status: &str) -> String {
        let mut cursor = String::new();
        until("a write", async || {
            let answer = self.nodes[node].set_status(pet, status).await.unwrap();
            let is_made = answer.status() == 200;
            let answer: Value = answer.json().await.unwrap();
            let made = answer["cursor"].as_str().unwrap_or_default();
            made.clone_into(&mut cursor);
            is_made
        })
        .await;
        cursor
    }

    /// What `node` shows of `pet`.
    async fn status(&self, node: usize, pet: u64) -> String {
        let pet = self.nodes[node].json(&format!("/api/v1/pets/{pet}")).await;
        pet["status"].as_str().unwrap().to_owned()
    }
}
