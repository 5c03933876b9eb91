//! Three simulators that each believe to hold the lease, and clients that count in fields of one pet at
//! three nodes, while the leader of the stream is killed: no count is lost, and none is made twice.
//!
//! A pet is written as a whole, and each client counts in its own field. A write based on an older
//! record than the last would undo counts of other clients.

use async_nats::Client;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::server::{NEWEST, Servers};
use super::support::granting_lease::{self, GrantingLease};
use super::support::{Nodes, by_form, stream_log};
use crate::support::{Process, Viewer, metric_in, until, within};

/// The field of each client.
const FIELDS: [&str; 4] = ["name", "breed", "age", "about"];

/// Counts of each client before the leader is killed, and after it.
const COUNTS: (usize, usize) = (15, 150);

/// The counts of one client.
#[derive(Default)]
struct Counter {
    next: usize,
    acknowledged: Vec<usize>,
    /// Counts whose outcome is unknown.
    unknown: Vec<usize>,
}

impl Counter {
    /// Counts until `limit` more counts were acknowledged.
    async fn count(mut self, node: &Process, field: &str, limit: usize) -> Self {
        let enough = self.acknowledged.len() + limit;
        self.next += usize::from(self.next == 0);
        while self.acknowledged.len() < enough {
            let url = format!("{}/api/v1/pets/1", node.base);
            let patch = json!({ field: self.next.to_string() });
            let answer = node.client.patch(url).json(&patch).send().await.unwrap();
            let status = answer.status().as_u16();
            let answer: Value = answer.json().await.unwrap();
            match status {
                200 => {
                    assert_eq!(answer[field], self.next.to_string(), "read your own write");
                    self.acknowledged.push(self.next);
                    self.next += 1;
                }
                503 if answer["detail"]
                    .as_str()
                    .unwrap()
                    .contains("may still be applied") =>
                {
                    self.unknown.push(self.next);
                    self.next += 1;
                }
                // Certainly not made: another write was first, or there is no leader.
                409 | 503 => {}
                _ => panic!("{answer}"),
            }
        }
        self
    }
}

async fn count_all(nodes: &Nodes, counters: Vec<Counter>, limit: usize) -> Vec<Counter> {
    let counters = counters.into_iter().zip(FIELDS).enumerate();
    let counting = counters.map(|(client, (counter, field))| {
        counter.count(&nodes.nodes[1 + client % 3], field, limit)
    });
    within("the counts", join_all(counting)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rival_simulators_and_clients_of_one_pet_lose_no_write_and_make_none_twice() {
    let mut servers = Servers::start(3, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    nodes
        .add(&servers, &["--pets", "1", "--simulate", "off"])
        .await;
    for _ in 0..3 {
        // No simulator may run before the stream's limit is removed, on which nodes would not start.
        granting_lease::hold(&servers);
        nodes
            .add(&servers, &["--pets", "1", "--simulate", "100ms"])
            .await;
    }
    stream_log::keep_everything(&servers);
    let client = connect(&servers).await;
    let lease = GrantingLease::start(&servers, &client).await;
    lease.wait_until_granted(3).await;
    let state = nodes.nodes[0].json("/live/state").await;
    let start = state["cursor"].as_str().unwrap();
    let (end, last) = watch::channel(None);
    let mut viewers = Vec::new();
    for node in 1..4 {
        let viewer = Viewer::open("sse", nodes.base(node), &format!("?since={start}")).await;
        viewers.push(tokio::spawn(follow(viewer, last.clone())));
    }

    let limit = by_form(COUNTS.0, COUNTS.1);
    let counters = FIELDS.map(|_| Counter::default()).into();
    let counters = count_all(&nodes, counters, limit).await;
    let leader = servers.leader_of("PET_STORE");
    servers.kill(leader);
    let counters = count_all(&nodes, counters, limit).await;
    lease.revoke(3).await;
    end.send_replace(Some(nodes.set_eventually(0, 1, "eating").await));

    let seen = within("the last change", join_all(viewers)).await;
    let seen: Vec<Vec<Value>> = seen.into_iter().map(Result::unwrap).collect();
    assert!(
        seen[0] == seen[1] && seen[1] == seen[2],
        "the same changes on all nodes"
    );
    let stored = assert_counts(&seen[0], &counters);

    // The last tick of a simulator may come later.
    let mut totals = Totals::default();
    until(
        "as many commits at the nodes as in the stream",
        async || {
            totals = Totals::of_nodes(&nodes).await;
            let last = stream_log::last_seq(&servers);
            let messages = stream_log::read(&client, last).await;
            stream_log::assert_preconditions(&messages);
            let commits = stream_log::commits(&messages);
            totals.ticks = stream_log::ticks(&commits);
            totals.in_stream = commits.len() as u64;
            (totals.commits..=totals.commits + totals.without_ack).contains(&totals.in_stream)
        },
    )
    .await;
    eprintln!("rival simulators: {stored} counts, {totals:?}");
    assert!(totals.conflicts > 0 && totals.ticks > 10, "no rivalry");
}

/// The commits that the nodes report, and those that the stream has.
#[derive(Debug, Default)]
struct Totals {
    commits: u64,
    in_stream: u64,
    ticks: usize,
    conflicts: u64,
    /// Writes without an ack, which the stream may have or not.
    without_ack: u64,
}

impl Totals {
    async fn of_nodes(nodes: &Nodes) -> Self {
        let mut totals = Totals::default();
        for node in &nodes.nodes {
            let text = node.text("/metrics").await;
            totals.commits += metric_in(&text, "petstore_commits_total");
            totals.conflicts += metric_in(&text, "petstore_commit_conflicts_total");
            let lines = node.lines();
            let lines = lines.iter();
            let without_ack = lines.filter(|line| line.contains("no ack for a write"));
            totals.without_ack += without_ack.count() as u64;
        }
        totals
    }
}

async fn connect(servers: &Servers) -> Client {
    let address = servers.address();
    let list: Vec<&str> = address.split(',').collect();
    async_nats::connect(list).await.unwrap()
}

/// Returns every message to a viewer up to the change at the cursor `last`. Reads without a pause: a slow
/// viewer would not get every change.
async fn follow(mut viewer: Viewer, mut last: watch::Receiver<Option<String>>) -> Vec<Value> {
    let mut seen: Vec<Value> = Vec::new();
    loop {
        let end = last.borrow_and_update().clone();
        let is_end = |news: &Value| end.as_deref().is_some_and(|end| news["cursor"] == end);
        if let Some(index) = seen.iter().position(is_end) {
            seen.truncate(index + 1);
            return seen;
        }
        tokio::select! {
            news = viewer.next_news() => match news["type"].as_str() {
                // Each node reports its own outages.
                Some("stale") => {}
                _ => seen.push(news),
            },
            _ = last.changed() => {}
        }
    }
}

/// Asserts that each record differs from the one before by one step of one count, and that exactly the
/// acknowledged counts are there, beside some of unknown outcome. Returns the number of counts.
fn assert_counts(seen: &[Value], counters: &[Counter]) -> usize {
    let mut at = [0; FIELDS.len()];
    let mut stored = Vec::new();
    for news in seen.iter().filter(|news| news["type"] == "pet") {
        let record = FIELDS.map(|field| &news[field]);
        let now = record.map(|count| count.as_str().unwrap().parse().unwrap_or(0));
        let moved: Vec<usize> = (0..FIELDS.len())
            .filter(|field| now[*field] != at[*field])
            .collect();
        let [field] = moved[..] else {
            panic!("one change, and {moved:?} differ from {at:?}: {news}");
        };
        let skipped = at[field] + 1..now[field];
        assert!(now[field] > at[field], "undone from {at:?}: {news}");
        assert!(
            skipped
                .into_iter()
                .all(|count| counters[field].unknown.contains(&count)),
            "{at:?}: {news}"
        );
        at = now;
        stored.push((field, now[field]));
    }
    let acknowledged = counters.iter().enumerate().flat_map(|(field, counter)| {
        let counts = counter.acknowledged.iter();
        counts.map(move |count| (field, *count))
    });
    let acknowledged: Vec<(usize, usize)> = acknowledged.collect();
    for count in &acknowledged {
        assert!(
            stored.contains(count),
            "{count:?} was acknowledged and is lost"
        );
    }
    for (field, count) in &stored {
        let is_known =
            acknowledged.contains(&(*field, *count)) || counters[*field].unknown.contains(count);
        assert!(
            is_known,
            "{count} of {field} was stored and reported as refused"
        );
    }
    stored.len()
}
