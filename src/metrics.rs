//! What the program counts, in Prometheus' text format.
//!
//! One `Metrics` is made at the start and cloned to whoever counts; clones share the numbers.

use prometheus::{IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry, TextEncoder};

/// Handles to every counter and gauge. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Open live connections, by `transport` (`ws`, `sse`, `poll`).
    pub viewers: IntGaugeVec,
    /// Committed changes, by `type` (`status`, `pet`, `gone`).
    pub changes: IntCounterVec,
    /// Durable transactions; each holds one or more changes.
    pub commits: IntCounter,
    /// Transactions that failed; nothing of them was published.
    pub commit_failures: IntCounter,
    /// Times that a viewer fell behind and was given the newest of what it missed.
    pub resyncs: IntCounter,
    /// Viewers dropped by the server, by `reason` (`write-timeout`, `protocol`).
    pub dropped: IntCounterVec,
    /// Tries to sign in, by `result` (`ok`, `wrong`, `too-many`).
    pub sign_ins: IntCounterVec,
    /// Connections and viewers turned away, by `reason` (`connections`, `viewers`).
    pub refused: IntCounterVec,
}

impl Metrics {
    pub fn new() -> Self {
        let registry = Registry::new();
        // Every value of a label is there from the start, so that a rate over it is never empty.
        let counters = |name: &str, help: &str, label: &str, values: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), &[label])
                .expect("metric names are fixed and valid");
            for value in values {
                counter.with_label_values(&[value]);
            }
            register(&registry, counter)
        };
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help).expect("metric names are fixed and valid");
            register(&registry, counter)
        };
        let viewers = Opts::new("petstore_viewers", "Open live connections.");
        let viewers =
            IntGaugeVec::new(viewers, &["transport"]).expect("metric names are fixed and valid");
        for transport in ["ws", "sse", "poll"] {
            viewers.with_label_values(&[transport]);
        }
        Metrics {
            viewers: register(&registry, viewers),
            changes: counters(
                "petstore_changes_total",
                "Committed changes.",
                "type",
                &["status", "pet", "gone"],
            ),
            commits: counter("petstore_commits_total", "Durable transactions."),
            commit_failures: counter(
                "petstore_commit_failures_total",
                "Transactions that failed; nothing of them was published.",
            ),
            resyncs: counter(
                "petstore_resyncs_total",
                "Times that a viewer fell behind and was given the newest of what it missed.",
            ),
            dropped: counters(
                "petstore_viewers_dropped_total",
                "Viewers dropped by the server.",
                "reason",
                &["write-timeout", "protocol"],
            ),
            sign_ins: counters(
                "petstore_sign_ins_total",
                "Tries to sign in.",
                "result",
                &["ok", "wrong", "too-many"],
            ),
            refused: counters(
                "petstore_connections_refused_total",
                "Connections and viewers turned away.",
                "reason",
                &["connections", "viewers"],
            ),
            registry,
        }
    }

    /// Everything counted so far, in the text format of Prometheus, version 0.0.4.
    pub fn encode(&self) -> String {
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn register<M: prometheus::core::Collector + Clone + 'static>(registry: &Registry, metric: M) -> M {
    registry
        .register(Box::new(metric.clone()))
        .expect("every metric is registered once");
    metric
}
