//! Servers of a test's own, and the nodes that it connects to them.

use std::cell::RefCell;
use std::sync::Arc;

use async_nats::Subscriber;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::store::Engine;
use crate::store::contract::server::{NEWEST, Servers};
use crate::store::nats::subjects::{PETS, Stream};
use crate::store::nats::{Address, NatsEngine};

/// Closes the nodes when it is dropped, before the servers end.
pub struct Rig {
    nodes: RefCell<Vec<Arc<NatsEngine>>>,
    pub runtime: Runtime,
    pub servers: Servers,
}

impl Rig {
    /// New servers of the newest version.
    pub fn start(count: usize) -> Self {
        Rig::over(Servers::start(count, NEWEST))
    }

    pub fn over(servers: Servers) -> Self {
        Rig {
            nodes: RefCell::default(),
            runtime: Runtime::new().unwrap(),
            servers,
        }
    }

    pub fn address(&self) -> Address {
        self.servers.address().parse().unwrap()
    }

    /// A node.
    pub fn connect(&self) -> Arc<NatsEngine> {
        let connected = self.runtime.block_on(NatsEngine::connect(&self.address()));
        let node = Arc::new(connected.expect("the servers are there"));
        self.nodes.borrow_mut().push(Arc::clone(&node));
        node
    }

    /// A node whose subscription brings nothing, as if every message were lost on the way.
    pub fn connect_deaf(&self) -> Arc<NatsEngine> {
        let node = self.connect();
        *node.live.lock().unwrap() = Some(self.nothing(&node));
        node
    }

    /// A subscription of `node` that brings nothing.
    pub fn nothing(&self, node: &NatsEngine) -> Subscriber {
        let nothing = node.node.link.client().subscribe("nothing");
        self.runtime.block_on(nothing).unwrap()
    }

    /// Has the stream of pets keep this many messages per subject, as a stream of an older version
    /// does, or one that an operator edited.
    pub fn keep_per_subject(&self, kept: usize) {
        let mut config = self.config_of_pets();
        config["max_msgs_per_subject"] = json!(kept);
        let update = format!("$JS.API.STREAM.UPDATE.{}", PETS.name);
        let answer = self.servers.ask_with(&update, &config.to_string());
        assert!(!answer.contains("error"), "{answer}");
    }

    /// The settings of the stream of pets.
    pub fn config_of_pets(&self) -> Value {
        let info = format!("$JS.API.STREAM.INFO.{}", PETS.name);
        let info: Value = serde_json::from_str(&self.servers.ask(&info)).unwrap();
        info["config"].clone()
    }

    /// Answers everything that `stream` is to take with `code`, beside the servers, and sooner than
    /// they have stored it.
    pub fn refuse_everything(
        &self,
        node: &NatsEngine,
        stream: &Stream,
        code: u64,
    ) -> JoinHandle<()> {
        let client = node.node.link.client().clone();
        let changes = self.runtime.block_on(client.subscribe(stream.subjects));
        let mut changes = changes.unwrap();
        let error = json!({ "error": { "code": 400, "err_code": code, "description": "no" } });
        self.runtime.spawn(async move {
            while let Some(change) = changes.next().await {
                if let Some(asker) = change.reply {
                    let answer = error.to_string().into();
                    client.publish(asker, answer).await.unwrap();
                }
            }
        })
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.nodes.take().iter().for_each(|node| node.close());
    }
}
