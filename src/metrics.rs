//! Counters, gauges and histograms of the program, in the text format of Prometheus.
//!
//! One `Metrics` is made at the start and cloned for every part that measures; clones share the
//! numbers. Names and labels of metrics are part of the interface: they may be added, not changed.
//! Every value of a label must come from a fixed set, so that clients cannot create time series.

mod short_pollers;

use std::time::Instant;

use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use self::short_pollers::{ShortPollers, WINDOW_SECONDS};

/// Transports from best to worst; `short` is short polling of the state.
const TRANSPORTS: [&str; 4] = ["ws", "sse", "poll", "short"];

/// The transport of pictures that change. No page switches to it or from it.
const PICTURE: &str = "picture";

/// Reasons why a page switches its transport.
const SWITCH_REASONS: [&str; 7] = [
    "refused", "silent", "lag", "gap", "died", "upgrade", "network",
];

/// Bucket limits in seconds. A long poll takes up to 25 s.
const REQUEST_BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Bucket limits in seconds. An fsync takes 0.1 ms to some 100 ms, a quorum write up to 4 s.
const COMMIT_BUCKETS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0,
];

/// Bucket limits in seconds: from one viewer to 20,000 viewers at some 6 µs each.
const FAN_OUT_BUCKETS: [f64; 11] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5,
];

/// Bucket limits in seconds: from an immediate write to a viewer that slept.
const CHANGE_AGE_BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

const VALID: &str = "metric names are fixed and valid";

/// Handles to every metric. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Registry,
    /// Open live connections by `transport` (`ws`, `sse`, `poll`, `picture`), and estimated short pollers
    /// (`short`).
    pub viewers: IntGaugeVec,
    /// Estimates the viewers that poll the state.
    pub short_pollers: ShortPollers,
    switches: IntCounterVec,
    /// Committed changes by `type` (`status`, `pet`, `gone`).
    pub changes: IntCounterVec,
    /// Durable transactions; each holds one or more changes.
    pub commits: IntCounter,
    /// Transactions that failed; none of their changes was published.
    pub commit_failures: IntCounter,
    /// Transactions that were retried because another node had changed the same pet.
    pub conflicts: IntCounter,
    /// 1 while changes can be written, 0 while not.
    pub writable: IntGauge,
    /// Requests for the log that wait. They are no viewers.
    pub waiting_for_log: IntGauge,
    /// Resyncs of viewers that fell behind.
    pub resyncs: IntCounter,
    /// Viewers dropped by the server, by `reason` (`write-timeout`, `protocol`, `flood`, and `fault`
    /// for a bug of the server).
    pub dropped: IntCounterVec,
    /// Sign-ins by `result` (`ok`, `wrong`, `too-many`).
    pub sign_ins: IntCounterVec,
    /// Refused connections, viewers and writes by `reason` (`connections`, `viewers`, `address` for
    /// the connections of one address, `writes`, `buffers` for the memory of requests).
    pub refused: IntCounterVec,
    requests: HistogramVec,
    /// Duration of a commit, from the start of the transaction until it is durable or has failed.
    /// Observed by the writer, once per transaction.
    pub commit_duration: Histogram,
    /// Duration of a fan-out pass: one delivery worker writes what is due to all of its viewers.
    /// Observed by the workers, once per pass.
    pub fan_out_pass_duration: Histogram,
    /// Age of a change when it is written to a viewer's socket, from its commit. Observed by the
    /// workers, at most once per pass and change, each through its own `Histogram::local`.
    pub change_age: Histogram,
    /// Jumps of the system clock while the program ran.
    pub clock_jumps: IntCounter,
    /// Attempts to deliver to a webhook by `result` (`delivered`, `failed`, `given-up`).
    pub webhook_attempts: IntCounterVec,
    /// Deliveries to webhooks that wait for their next attempt.
    pub webhooks_waiting: IntGauge,
    last_clock_jump: Gauge,
    /// Seconds by which this machine's clock is ahead of a remote engine's.
    pub clock_difference: Gauge,
}

impl Metrics {
    /// Creates and registers every metric. Labels have all of their values from the start, so that a
    /// rate over them is never empty; only the routes of requests appear with the first request.
    pub fn new() -> Self {
        let registry = &Registry::new();
        let counter = |name, help| register(registry, IntCounter::new(name, help));
        let counters = |name: &str, help: &str, label, values: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), &[label]);
            let counters = register(registry, counters);
            for value in values {
                counters.with_label_values(&[value]);
            }
            counters
        };
        let gauge = |name, help| register(registry, Gauge::new(name, help));
        let histogram = |name: &str, help: &str, buckets: &[f64]| {
            let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
            register(registry, Histogram::with_opts(options))
        };
        Metrics {
            viewers: viewers(registry),
            short_pollers: ShortPollers::new(),
            switches: switches(registry),
            changes: counters(
                "petstore_changes_total",
                "Committed changes.",
                "type",
                &["status", "pet", "gone"],
            ),
            commits: counter("petstore_commits_total", "Durable transactions."),
            commit_failures: counter(
                "petstore_commit_failures_total",
                "Transactions that failed; none of their changes was published.",
            ),
            conflicts: counter(
                "petstore_commit_conflicts_total",
                "Transactions that were retried because another node had changed the same pet.",
            ),
            writable: writable(registry),
            waiting_for_log: register(
                registry,
                IntGauge::new("petstore_log_waiting", "Requests for the log that wait."),
            ),
            resyncs: counter(
                "petstore_resyncs_total",
                "Times that a viewer fell behind and was given the newest state instead of each change.",
            ),
            dropped: counters(
                "petstore_viewers_dropped_total",
                "Viewers disconnected by the server: write-timeout (took no bytes), protocol (broke it), flood (too many messages), fault (a worker panicked).",
                "reason",
                &["write-timeout", "protocol", "flood", "fault"],
            ),
            sign_ins: counters(
                "petstore_sign_ins_total",
                "Attempts to sign in.",
                "result",
                &["ok", "wrong", "too-many"],
            ),
            refused: counters(
                "petstore_connections_refused_total",
                "Refused connections, viewers and writes.",
                "reason",
                &["connections", "viewers", "address", "writes", "buffers"],
            ),
            requests: requests(registry),
            commit_duration: histogram(
                "petstore_commit_duration_seconds",
                "Duration of commits, until they are durable or have failed.",
                &COMMIT_BUCKETS,
            ),
            fan_out_pass_duration: histogram(
                "petstore_fan_out_pass_duration_seconds",
                "Duration of fan-out passes, in which one worker writes to all of its viewers.",
                &FAN_OUT_BUCKETS,
            ),
            change_age: histogram(
                "petstore_change_age_seconds",
                "Age of changes when they are written to a viewer's socket, from their commit.",
                &CHANGE_AGE_BUCKETS,
            ),
            clock_jumps: counter(
                "petstore_clock_jumps_total",
                "Jumps of the system clock by 2 s or more.",
            ),
            webhook_attempts: counters(
                "petstore_webhook_attempts_total",
                "Attempts to deliver to a webhook: delivered, failed (there is another), given-up (there is none).",
                "result",
                &["delivered", "failed", "given-up"],
            ),
            webhooks_waiting: register(
                registry,
                IntGauge::new(
                    "petstore_webhooks_waiting",
                    "Deliveries to webhooks that wait for their next attempt.",
                ),
            ),
            last_clock_jump: gauge(
                "petstore_clock_last_jump_seconds",
                "Size of the last jump of the system clock; negative if it went back.",
            ),
            clock_difference: gauge(
                "petstore_clock_difference_seconds",
                "How far this machine's clock is ahead of the cluster's; negative if it is behind.",
            ),
            registry: registry.clone(),
        }
    }

    /// Adds a gauge that another part of the program keeps.
    ///
    /// # Panics
    /// If a metric of that name exists already.
    pub fn add_gauge(&self, gauge: IntGauge) {
        register(&self.registry, Ok(gauge));
    }

    /// Counts a jump of the system clock by `seconds`; negative if it went back.
    pub fn count_clock_jump(&self, seconds: f64) {
        self.clock_jumps.inc();
        self.last_clock_jump.set(seconds);
    }

    /// Counts that a page switched its transport. The page reports it itself, so unknown words are
    /// ignored.
    pub fn count_switch(&self, from: &str, to: &str, reason: &str) {
        let is_known = |word: &str| TRANSPORTS.contains(&word);
        if from != to && is_known(from) && is_known(to) && SWITCH_REASONS.contains(&reason) {
            self.switches.with_label_values(&[from, to, reason]).inc();
        }
    }

    /// Returns the timer of a request that started at `started_at`. `route` is the
    /// pattern of its path, such as `/pets/:id`, never the path itself.
    pub fn time_request(&self, route: &str, status: u16, started_at: Instant) -> RequestTimer {
        let class = match status / 100 {
            1 => "1xx",
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        RequestTimer {
            durations: self.requests.with_label_values(&[route, class]),
            started_at,
        }
    }

    /// Returns all metrics in the text format of Prometheus, version 0.0.4.
    pub fn encode(&self) -> String {
        let estimate = i64::try_from(self.short_pollers.estimate()).unwrap_or(i64::MAX);
        self.viewers.with_label_values(&["short"]).set(estimate);
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }
}

/// Measures the duration of an HTTP request until its response has a head.
pub struct RequestTimer {
    durations: Histogram,
    started_at: Instant,
}

impl RequestTimer {
    /// Starts the time of another request of the same route.
    pub fn restart(&mut self, now: Instant) {
        self.started_at = now;
    }

    /// Observes the time since the start of the request.
    pub fn observe(&self) {
        let duration = self.started_at.elapsed();
        self.durations.observe(duration.as_secs_f64());
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn viewers(registry: &Registry) -> IntGaugeVec {
    let help = format!(
        "Open live connections. Transport short counts viewers that poll the state about every \
         3 s; their number is estimated from the requests of the last {WINDOW_SECONDS} s."
    );
    let options = Opts::new("petstore_viewers", help);
    let viewers = register(registry, IntGaugeVec::new(options, &["transport"]));
    for transport in TRANSPORTS.into_iter().chain([PICTURE]) {
        viewers.with_label_values(&[transport]);
    }
    viewers
}

fn writable(registry: &Registry) -> IntGauge {
    let name = "petstore_store_writable";
    let gauge = IntGauge::new(name, "1 while changes can be written, 0 while not.");
    let gauge = register(registry, gauge);
    gauge.set(1);
    gauge
}

fn requests(registry: &Registry) -> HistogramVec {
    let name = "petstore_http_request_duration_seconds";
    let help = "Duration of HTTP requests until the head of their response.";
    let options = HistogramOpts::new(name, help).buckets(REQUEST_BUCKETS.to_vec());
    register(
        registry,
        HistogramVec::new(options, &["route", "status_class"]),
    )
}

fn switches(registry: &Registry) -> IntCounterVec {
    let name = "petstore_switches_total";
    let help = "Switches of pages from one transport to another, as reported by the page.";
    let counters = IntCounterVec::new(Opts::new(name, help), &["from", "to", "reason"]);
    let counters = register(registry, counters);
    for from in TRANSPORTS {
        for to in TRANSPORTS.into_iter().filter(|to| *to != from) {
            for reason in SWITCH_REASONS {
                counters.with_label_values(&[from, to, reason]);
            }
        }
    }
    counters
}

fn register<M: Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<M>,
) -> M {
    let metric = metric.expect(VALID);
    registry
        .register(Box::new(metric.clone()))
        .expect("every metric is registered once");
    metric
}
