//! Several nodes on a NATS cluster: one history on all of them, whatever dies.
//!
//! Each test starts servers and nodes of its own. `tests/nats/install` brings the servers.

mod answers;
mod fights;
mod losses;
mod moving;
mod refusals;
#[path = "../nats/server.rs"]
mod server;
mod staff;
mod together;

use serde_json::Value;
use tempfile::TempDir;

use self::server::Servers;
use crate::support::Process;

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
        let address = servers.address();
        let common = [
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--pets",
            "3",
            "--engine",
            &address,
        ];
        let arguments = [&common, flags].concat();
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

    /// What `node` shows of `pet`.
    async fn status(&self, node: usize, pet: u64) -> String {
        let pet = self.nodes[node].json(&format!("/api/v1/pets/{pet}")).await;
        pet["status"].as_str().unwrap().to_owned()
    }
}
