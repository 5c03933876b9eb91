//! Shared parts of the cluster tests: nodes, network faults, a balancer, an audience and writers.

pub mod audience;
pub mod balancer;
pub mod faulty_link;
pub mod granting_lease;
pub mod stream_log;
pub mod testbed;
pub mod writers;

use serde_json::Value;
use tempfile::TempDir;

use super::server::Servers;
use crate::support::{Process, until};

/// Returns `long` in the long form of the tests, else `short`.
pub fn by_form(short: usize, long: usize) -> usize {
    match std::env::var("PET_STORE_CLUSTER").as_deref() {
        Ok("long") => long,
        _ => short,
    }
}

/// Nodes of one cluster: the real binary in demo mode, which lets everyone write, without simulator.
pub struct Nodes {
    pub nodes: Vec<Process>,
    pub folder: TempDir,
}

impl Nodes {
    /// Starts `count` nodes; the first creates three pets.
    pub async fn start(servers: &Servers, count: usize) -> Self {
        let mut nodes = Nodes {
            nodes: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        for _ in 0..count {
            nodes.add(servers, &["--simulate", "off"]).await;
        }
        nodes
    }

    /// Starts another node.
    pub async fn add(&mut self, servers: &Servers, flags: &[&str]) {
        self.add_at(&servers.address(), flags).await;
    }

    /// Starts another node that connects to the servers at `address`.
    pub async fn add_at(&mut self, address: &str, flags: &[&str]) {
        let common = ["demo", "--listen", "127.0.0.1:0", "--engine", address];
        let pets = ["--pets", "3"];
        let pets = if flags.contains(&"--pets") {
            &[]
        } else {
            &pets[..]
        };
        let arguments = [&common, pets, flags].concat();
        let node = Process::start(self.folder.path(), &arguments).await;
        self.nodes.push(node);
    }

    pub fn base(&self, node: usize) -> &str {
        &self.nodes[node].base
    }

    /// Sets a status at `node`. Returns the cursor of the change.
    pub async fn set(&self, node: usize, pet: u64, status: &str) -> String {
        let answer = self.nodes[node].set_status(pet, status).await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = answer.json().await.unwrap();
        answer["cursor"].as_str().unwrap().to_owned()
    }

    /// Sets a status at `node`, and retries until the engine accepts it.
    pub async fn set_eventually(&self, node: usize, pet: u64, status: &str) -> String {
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

    /// Returns the status of `pet` that `node` shows.
    pub async fn status(&self, node: usize, pet: u64) -> String {
        let pet = self.nodes[node].json(&format!("/api/v1/pets/{pet}")).await;
        pet["status"].as_str().unwrap().to_owned()
    }
}
