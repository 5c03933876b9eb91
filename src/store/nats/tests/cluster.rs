//! A cluster of a test, and the nodes that the test connects to it.

use std::cell::RefCell;
use std::sync::Arc;

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::store::Engine;
use crate::store::contract::server::{NEWEST, Servers};
use crate::store::nats::subjects::{NatsStream, PETS};
use crate::store::nats::{ClusterAddress, NatsEngine};

/// Servers and nodes. Closes the nodes when it is dropped, before the servers stop.
pub struct TestCluster {
    nodes: RefCell<Vec<Arc<NatsEngine>>>,
    pub runtime: Runtime,
    pub servers: Servers,
}

impl TestCluster {
    /// Starts servers of the newest version.
    pub fn start(count: usize) -> Self {
        TestCluster::new(Servers::start(count, NEWEST))
    }

    pub fn new(servers: Servers) -> Self {
        TestCluster {
            nodes: RefCell::default(),
            runtime: Runtime::new().unwrap(),
            servers,
        }
    }

    pub fn address(&self) -> ClusterAddress {
        self.servers.address().parse().unwrap()
    }

    /// Connects a node.
    pub fn connect(&self) -> Arc<NatsEngine> {
        let connected = self.runtime.block_on(NatsEngine::connect(&self.address()));
        let node = Arc::new(connected.expect("the servers run"));
        self.nodes.borrow_mut().push(Arc::clone(&node));
        node
    }

    /// Connects a node whose subscription receives nothing, as if every message were lost.
    pub fn connect_deaf(&self) -> Arc<NatsEngine> {
        let node = self.connect();
        *node.republished.lock().unwrap() = Some(self.subscribe(&node, "nothing"));
        node
    }

    fn subscribe(&self, node: &NatsEngine, subject: &'static str) -> Subscriber {
        let subscribed = node.replica.client.client().subscribe(subject);
        self.runtime.block_on(subscribed).unwrap()
    }

    /// Sets how many messages the stream of pets keeps per subject, as an older version or an operator
    /// does.
    pub fn set_changes_per_pet(&self, kept: usize) {
        let mut config = self.pets_config();
        config["max_msgs_per_subject"] = json!(kept);
        let update = format!("$JS.API.STREAM.UPDATE.{}", PETS.name);
        let answer = self.servers.ask_with(&update, &config.to_string());
        assert!(!answer.contains("error"), "{answer}");
    }

    /// Returns the configuration of the stream of pets.
    pub fn pets_config(&self) -> Value {
        let info = format!("$JS.API.STREAM.INFO.{}", PETS.name);
        let info: Value = serde_json::from_str(&self.servers.ask(&info)).unwrap();
        info["config"].clone()
    }

    /// Answers every write to `stream` with the error `code`, before the servers have stored it.
    pub fn refuse_writes(
        &self,
        node: &NatsEngine,
        stream: &NatsStream,
        code: u64,
    ) -> JoinHandle<()> {
        let mut writes = self.subscribe(node, stream.subjects);
        let client = node.replica.client.client().clone();
        let error = json!({ "error": { "code": 400, "err_code": code, "description": "no" } });
        self.runtime.spawn(async move {
            while let Some(write) = writes.next().await {
                if let Some(reply) = write.reply {
                    let answer = error.to_string().into();
                    client.publish(reply, answer).await.unwrap();
                }
            }
        })
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        self.nodes.take().iter().for_each(|node| node.close());
    }
}
