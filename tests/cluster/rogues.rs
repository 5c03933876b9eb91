//! Three simulators that each believe to be the only one, and clients that count in the same pet,
//! at three nodes, while the leader of the stream is killed: no count is lost, and none is made
//! twice.
//!
//! A pet is written as a whole. So each client has one field of it to count in: one who wrote on an
//! older record than the last would take the others' counts back.

use async_nats::Client;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::lease::{self, LeaseForAll};
use super::server::{NEWEST, Servers};
use super::{Nodes, log, number};
use crate::support::{Process, Viewer, metric_in, until, within};

/// Who counts in what.
const FIELDS: [&str; 4] = ["name", "breed", "age", "about"];

/// How far each counts before the leader is killed, and after it.
const COUNTS: (usize, usize) = (15, 150);

/// What became of the counting of one client.
#[derive(Default)]
struct Count {
    at: usize,
    /// Counts that were acknowledged.
    made: Vec<usize>,
    /// Counts of which nobody knows whether they were made.
    unknown: Vec<usize>,
}

impl Count {
    /// Counts on until `limit` more were acknowledged.
    async fn go_on(mut self, node: &Process, field: &str, limit: usize) -> Self {
        let enough = self.made.len() + limit;
        self.at += usize::from(self.at == 0);
        while self.made.len() < enough {
            let url = format!("{}/api/v1/pets/1", node.base);
            let patch = json!({ field: self.at.to_string() });
            let answer = node.client.patch(url).json(&patch).send().await.unwrap();
            let status = answer.status().as_u16();
            let answer: Value = answer.json().await.unwrap();
            match status {
                200 => {
                    assert_eq!(answer[field], self.at.to_string(), "it reads its own write");
                    self.made.push(self.at);
                    self.at += 1;
                }
                503 if answer["detail"]
                    .as_str()
                    .unwrap()
                    .contains("may have been made") =>
                {
                    self.unknown.push(self.at);
                    self.at += 1;
                }
                // Certainly not made: others were faster, or nobody leads.
                409 | 503 => {}
                _ => panic!("{answer}"),
            }
        }
        self
    }
}

async fn go_on(nodes: &Nodes, counts: Vec<Count>, limit: usize) -> Vec<Count> {
    let counting = counts.into_iter().zip(FIELDS).enumerate();
    let counting = counting
        .map(|(client, (count, field))| count.go_on(&nodes.nodes[1 + client % 3], field, limit));
    within("counts that go on", join_all(counting)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_rogue_simulators_and_clients_that_count_in_one_pet_lose_no_count_and_make_none_twice()
 {
    let mut servers = Servers::start(3, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    nodes
        .add(&servers, &["--pets", "1", "--simulate", "off"])
        .await;
    for _ in 0..3 {
        // So that nothing is forgotten before everything is kept, which nodes would not start on.
        lease::hold(&servers);
        nodes
            .add(&servers, &["--pets", "1", "--simulate", "100ms"])
            .await;
    }
    log::keep_everything(&servers);
    let client = connect(&servers).await;
    let lease = LeaseForAll::begin(&servers, &client).await;
    lease.until_granted_to(3).await;
    let state = nodes.nodes[0].json("/live/state").await;
    let start = state["cursor"].as_str().unwrap();
    let (over, last) = watch::channel(None);
    let mut viewers = Vec::new();
    for node in 1..4 {
        let viewer = Viewer::open("sse", nodes.base(node), &format!("?since={start}")).await;
        viewers.push(tokio::spawn(follow(viewer, last.clone())));
    }

    let limit = number(COUNTS.0, COUNTS.1);
    let counts = FIELDS.map(|_| Count::default()).into();
    let counts = go_on(&nodes, counts, limit).await;
    let leader = servers.leader_of("PET_STORE");
    servers.kill(leader);
    let counts = go_on(&nodes, counts, limit).await;
    lease.take_back(3).await;
    over.send_replace(Some(nodes.set_at_last(0, 1, "eating").await));

    let stories = within("the end of all stories", join_all(viewers)).await;
    let stories: Vec<Vec<Value>> = stories.into_iter().map(Result::unwrap).collect();
    assert!(
        stories[0] == stories[1] && stories[1] == stories[2],
        "one story on all nodes"
    );
    let landed = assert_counted(&stories[0], &counts);

    // The last turn of a simulator may come a moment later.
    let mut counted = Counted::default();
    until(
        "as many commits at the nodes as in the stream",
        async || {
            counted = Counted::at(&nodes).await;
            let entries = log::read(&client, log::last_seq(&servers)).await;
            log::assert_each_decided_on_the_last(&entries);
            let commits = log::commits(&entries);
            counted.ticks = log::ticks(&commits);
            counted.in_stream = commits.len() as u64;
            (counted.commits..=counted.commits + counted.unanswered).contains(&counted.in_stream)
        },
    )
    .await;
    eprintln!("rogues: {landed} counts, {counted:?}");
    assert!(counted.conflicts > 0 && counted.ticks > 10, "nobody fought");
}

/// What the nodes say that they did, beside what the stream has of it.
#[derive(Debug, Default)]
struct Counted {
    commits: u64,
    in_stream: u64,
    ticks: usize,
    conflicts: u64,
    /// Those may be in the stream or not.
    unanswered: u64,
}

impl Counted {
    async fn at(nodes: &Nodes) -> Self {
        let mut counted = Counted::default();
        for node in &nodes.nodes {
            let text = node.text("/metrics").await;
            counted.commits += metric_in(&text, "petstore_commits_total");
            counted.conflicts += metric_in(&text, "petstore_commit_conflicts_total");
            let lines = node.lines();
            let unanswered = lines
                .iter()
                .filter(|line| line.contains("no ack for a write"));
            counted.unanswered += unanswered.count() as u64;
        }
        counted
    }
}

async fn connect(servers: &Servers) -> Client {
    let address = servers.address();
    let list: Vec<&str> = address.split(',').collect();
    async_nats::connect(list).await.unwrap()
}

/// Everything that a viewer is shown up to the change that `last` names in the end. It reads all the
/// time: who does not is spared what is old.
async fn follow(mut viewer: Viewer, mut last: watch::Receiver<Option<String>>) -> Vec<Value> {
    let mut story: Vec<Value> = Vec::new();
    loop {
        let end = last.borrow_and_update().clone();
        let is_end = |news: &Value| end.as_deref().is_some_and(|end| news["cursor"] == end);
        if let Some(place) = story.iter().position(is_end) {
            story.truncate(place + 1);
            return story;
        }
        tokio::select! {
            news = viewer.next_news() => match news["type"].as_str() {
                // How long the engine was away is each node's own to say.
                Some("stale") => {}
                _ => story.push(news),
            },
            _ = last.changed() => {}
        }
    }
}

/// Each record differs from the one before in one count, by one step; what was acknowledged is
/// there, once, and nothing beside it but counts of which nobody knew. How many there are.
fn assert_counted(story: &[Value], counts: &[Count]) -> usize {
    let mut at = [0; FIELDS.len()];
    let mut landed = Vec::new();
    for news in story.iter().filter(|news| news["type"] == "pet") {
        let record = FIELDS.map(|field| &news[field]);
        let now = record.map(|count| count.as_str().unwrap().parse().unwrap_or(0));
        let moved: Vec<usize> = (0..FIELDS.len())
            .filter(|field| now[*field] != at[*field])
            .collect();
        let [field] = moved[..] else {
            panic!("one change, and {moved:?} differ from {at:?}: {news}");
        };
        let skipped = at[field] + 1..now[field];
        assert!(now[field] > at[field], "taken back from {at:?}: {news}");
        assert!(
            skipped
                .into_iter()
                .all(|count| counts[field].unknown.contains(&count)),
            "{at:?}: {news}"
        );
        at = now;
        landed.push((field, now[field]));
    }
    let made = counts.iter().enumerate();
    let made = made.flat_map(|(field, count)| count.made.iter().map(move |made| (field, *made)));
    let made: Vec<(usize, usize)> = made.collect();
    for count in &made {
        assert!(
            landed.contains(count),
            "{count:?} was acknowledged and is not there"
        );
    }
    for (field, count) in &landed {
        let is_known = made.contains(&(*field, *count)) || counts[*field].unknown.contains(count);
        assert!(
            is_known,
            "{count} of {field} was made, and its client was told that it was not"
        );
    }
    landed.len()
}
