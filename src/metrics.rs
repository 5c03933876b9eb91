//! What the program counts, in Prometheus' text format.
//!
//! One `Metrics` is made at the start and cloned to whoever counts; clones share the numbers.

mod asking;

use prometheus::{
    Gauge, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use self::asking::{Asking, WINDOW_SECONDS};

/// The ways to be live, from the best to the last: `short` asks for the state every few seconds.
const TRANSPORTS: [&str; 4] = ["ws", "sse", "poll", "short"];

/// Why a page changes its transport.
const REASONS: [&str; 6] = ["refused", "silent", "lag", "died", "climb", "network"];

/// Handles to every counter and gauge. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Open live connections, by `transport` (`ws`, `sse`, `poll`), and those who ask again and
    /// again (`short`).
    pub viewers: IntGaugeVec,
    /// Counts the questions of those who ask again and again.
    pub asking: Asking,
    switches: IntCounterVec,
    /// Committed changes, by `type` (`status`, `pet`, `gone`).
    pub changes: IntCounterVec,
    /// Durable transactions; each holds one or more changes.
    pub commits: IntCounter,
    /// Transactions that failed; nothing of them was published.
    pub commit_failures: IntCounter,
    /// Transactions that were decided anew, because another node had changed the same pet.
    pub conflicts: IntCounter,
    /// 1 while changes can be written, 0 while the disk refuses them.
    pub writable: IntGauge,
    /// Times that a viewer fell behind and was given the newest of what it missed.
    pub resyncs: IntCounter,
    /// Viewers dropped by the server, by `reason` (`write-timeout`, `protocol`, `flood`, and
    /// `fault` for a mistake of ours).
    pub dropped: IntCounterVec,
    /// Tries to sign in, by `result` (`ok`, `wrong`, `too-many`).
    pub sign_ins: IntCounterVec,
    /// Connections, viewers and writes turned away, by `reason` (`connections`, `viewers`,
    /// `address` for those of one address, `writes`, `buffers` for requests beyond the budget of
    /// memory).
    pub refused: IntCounterVec,
    /// Jumps of the wall clock while the program ran.
    pub clock_jumps: IntCounter,
    last_clock_jump: Gauge,
    /// Seconds by which this machine's clock is ahead of a remote engine's.
    pub clock_difference: Gauge,
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
        let writable = "petstore_store_writable";
        let writable = IntGauge::new(writable, "1 while changes can be written, 0 while not.")
            .expect("metric names are fixed and valid");
        writable.set(1);
        Metrics {
            viewers: register(&registry, viewers()),
            asking: Asking::new(),
            switches: register(&registry, switches()),
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
            conflicts: counter(
                "petstore_commit_conflicts_total",
                "Transactions that were decided anew: another node had changed the same pet.",
            ),
            writable: register(&registry, writable),
            resyncs: counter(
                "petstore_resyncs_total",
                "Times that a viewer fell behind and was given the newest of what it missed.",
            ),
            dropped: counters(
                "petstore_viewers_dropped_total",
                "Viewers dropped by the server.",
                "reason",
                &["write-timeout", "protocol", "flood", "fault"],
            ),
            sign_ins: counters(
                "petstore_sign_ins_total",
                "Tries to sign in.",
                "result",
                &["ok", "wrong", "too-many"],
            ),
            refused: counters(
                "petstore_connections_refused_total",
                "Connections, viewers and writes turned away.",
                "reason",
                &["connections", "viewers", "address", "writes", "buffers"],
            ),
            clock_jumps: counter(
                "petstore_clock_jumps_total",
                "Times that the system clock jumped by 2 s or more.",
            ),
            last_clock_jump: register(&registry, last_clock_jump()),
            clock_difference: register(&registry, clock_difference()),
            registry,
        }
    }

    /// Shows a gauge that something else keeps.
    ///
    /// # Panics
    /// When it is shown already.
    pub fn show(&self, gauge: IntGauge) {
        register(&self.registry, gauge);
    }

    /// Counts that the wall clock was set ahead by `seconds`, or back where that is negative.
    pub fn count_clock_jump(&self, seconds: f64) {
        self.clock_jumps.inc();
        self.last_clock_jump.set(seconds);
    }

    /// Counts that a page went from one transport to another. It says so itself: what is not one
    /// of the known words is ignored, so that nobody can make up labels.
    pub fn count_switch(&self, from: &str, to: &str, reason: &str) {
        let is_known = |word: &str| TRANSPORTS.contains(&word);
        if from != to && is_known(from) && is_known(to) && REASONS.contains(&reason) {
            self.switches.with_label_values(&[from, to, reason]).inc();
        }
    }

    /// Everything counted so far, in the text format of Prometheus, version 0.0.4.
    pub fn encode(&self) -> String {
        let asking = i64::try_from(self.asking.viewers()).unwrap_or(i64::MAX);
        self.viewers.with_label_values(&["short"]).set(asking);
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

fn viewers() -> IntGaugeVec {
    let help = format!(
        "Open live connections. Those with transport short are no connections but viewers who ask \
         for the state about every 3 s; their number is estimated from how often anybody asked so \
         in the last {WINDOW_SECONDS} s."
    );
    let gauge = IntGaugeVec::new(Opts::new("petstore_viewers", help), &["transport"])
        .expect("metric names are fixed and valid");
    for transport in TRANSPORTS {
        gauge.with_label_values(&[transport]);
    }
    gauge
}

fn last_clock_jump() -> Gauge {
    let name = "petstore_clock_last_jump_seconds";
    let help = "How far the system clock jumped last; negative where it went back.";
    Gauge::new(name, help).expect("metric names are fixed and valid")
}

fn clock_difference() -> Gauge {
    let name = "petstore_clock_difference_seconds";
    let help =
        "How far this machine's clock is ahead of the cluster's; negative where it is behind.";
    Gauge::new(name, help).expect("metric names are fixed and valid")
}

fn switches() -> IntCounterVec {
    let name = "petstore_switches_total";
    let help = "Times that a page went from one transport to another, by its own word.";
    let counter = IntCounterVec::new(Opts::new(name, help), &["from", "to", "reason"])
        .expect("metric names are fixed and valid");
    for from in TRANSPORTS {
        for to in TRANSPORTS.into_iter().filter(|to| *to != from) {
            for reason in REASONS {
                counter.with_label_values(&[from, to, reason]);
            }
        }
    }
    counter
}

fn register<M: prometheus::core::Collector + Clone + 'static>(registry: &Registry, metric: M) -> M {
    registry
        .register(Box::new(metric.clone()))
        .expect("every metric is registered once");
    metric
}
