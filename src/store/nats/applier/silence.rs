//! Since when the engine is out of reach, and whether viewers were told.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::model::Timestamp;
use crate::store::StoreError;
use crate::store::nats::node::Node;

/// How long the engine may be out of reach before viewers are told.
const STALE_AFTER: Duration = Duration::from_secs(5);

pub struct Silence {
    node: Arc<Node>,
    heard: Instant,
    heard_at: Timestamp,
    is_stale: bool,
    /// What the last look failed with.
    why: Option<String>,
}

impl Silence {
    /// Begins with an engine that has just answered.
    pub fn new(node: Arc<Node>) -> Self {
        Silence {
            node,
            heard: Instant::now(),
            heard_at: Timestamp::now(),
            is_stale: false,
            why: None,
        }
    }

    /// Notes that everything was passed that the engine had `ago`.
    pub fn hear(&mut self, ago: Duration) {
        self.heard = Instant::now().checked_sub(ago).unwrap_or(self.heard);
        let ago_micros = i64::try_from(ago.as_micros()).unwrap_or_default();
        self.heard_at = Timestamp::from_micros(Timestamp::now().micros() - ago_micros);
    }

    /// Notes what the last look failed with, if it did.
    pub fn explain(&mut self, failed: Option<&StoreError>) {
        self.why = failed.map(StoreError::to_string);
    }

    /// When it has been too long.
    pub fn is_too_long_at(&self) -> Instant {
        self.heard + STALE_AFTER
    }

    /// Has viewers told when the engine has been out of reach for too long, and when it is back.
    pub fn tell(&mut self) {
        let is_stale = self.heard.elapsed() >= STALE_AFTER;
        if is_stale != self.is_stale {
            self.is_stale = is_stale;
            let why = self.why.as_deref().unwrap_or("it does not answer");
            tell(&self.node, is_stale.then_some(self.heard_at), why);
        }
    }
}

/// Tells the follower since when the engine is out of reach, and the log why.
fn tell(node: &Node, lost_since: Option<Timestamp>, why: &str) {
    match lost_since {
        Some(_) => tracing::error!(why, "the engine is out of reach: viewers are told"),
        None => tracing::info!("the engine is back, and everything was caught up with"),
    }
    if let Some(follower) = node.following.get() {
        follower.out_of_reach(lost_since);
    }
}
