//! The files of docs/cluster, with other addresses: three servers, three nodes, and nginx in front of
//! them.

mod ports;
mod programs;

use reqwest::Client;
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use self::ports::GuidePorts;
use self::programs::{
    Program, run_commands, start_nats, start_nginx, start_node, wait_until_listening, write,
};
use crate::support::{Process, TRANSPORTS, Viewer, rev_of, until};

/// The documented cluster.
struct Guide {
    nodes: Vec<Process>,
    /// Base URL of the balancer.
    base: String,
    client: Client,
    ports: GuidePorts,
    _nginx: Program,
    _servers: Vec<Program>,
    folder: TempDir,
}

impl Guide {
    async fn start() -> Self {
        let (ports, folder) = (GuidePorts::find(), tempfile::tempdir().unwrap());
        let servers = (1..=3).map(|number| start_nats(&ports, folder.path(), number));
        let servers = servers.collect();
        for port in [24222, 24223, 24224] {
            wait_until_listening(ports.address(port)).await;
        }
        let mut nodes = Vec::new();
        for port in [23001, 23002, 23003] {
            nodes.push(start_node(&ports, folder.path(), port).await);
        }
        let guide = Guide {
            nodes,
            base: format!("http://{}", ports.address(23000)),
            client: Client::builder().no_proxy().build().unwrap(),
            _nginx: start_nginx(&ports, folder.path()),
            _servers: servers,
            ports,
            folder,
        };
        until("the balancer", async || {
            let ready = guide.client.get(format!("{}/readyz", guide.base)).send();
            ready.await.is_ok_and(|ready| ready.status() == 200)
        })
        .await;
        guide
    }

    /// Sets a status through the balancer. Returns the cursor of the change, if it was acknowledged.
    async fn set(&self, pet: u64, status: &str) -> Option<String> {
        let url = format!("{}/api/v1/pets/{pet}/status", self.base);
        let sent = self.client.put(url).json(&json!({ "status": status }));
        let answer = sent.send().await.ok()?.error_for_status().ok()?;
        let answer: Value = answer.json().await.ok()?;
        answer["cursor"].as_str().map(str::to_owned)
    }

    /// Sets a status with retries: when nginx has marked every node as failed within 5 s, it refuses one
    /// request before it tries them again.
    async fn set_eventually(&self, pet: u64, status: &str) -> String {
        let mut made = None;
        until("a write", async || {
            made = self.set(pet, status).await;
            made.is_some()
        })
        .await;
        made.unwrap()
    }
}

#[tokio::test]
async fn the_documented_cluster_shows_a_change_at_every_node_and_tolerates_a_dead_node() {
    let mut guide = Guide::start().await;
    let mut viewers = Viewer::open_all(&guide.base, "").await;
    for viewer in &mut viewers {
        assert_eq!(viewer.next_news().await["type"], "snapshot");
    }
    let answer = guide.nodes[0].set_status(1, "bathing").await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    for viewer in &mut viewers {
        let news = viewer.next_news().await;
        assert_eq!(news["cursor"], answer["cursor"], "{}", viewer.transport());
    }
    guide.nodes[0].kill().await;
    for status in [
        "eating", "playing", "sleeping", "eating", "playing", "bathing",
    ] {
        let made = guide.set(1, status).await;
        assert!(made.is_some(), "{status} at a running node");
    }
    let since = answer["cursor"].as_str().unwrap();
    for transport in TRANSPORTS {
        let query = format!("?since={since}");
        let mut viewer = Viewer::open(transport, &guide.base, &query).await;
        assert_eq!(viewer.next_news().await["status"], "eating", "{transport}");
    }
}

/// Returns the cursors that a viewer sees, which reconnects with its cursor whenever it is disconnected.
async fn watch(transport: &str, base: &str, since: &str, last_pet: u64) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    loop {
        let from = seen.last().map_or(since, String::as_str).to_owned();
        let joined = Viewer::try_open(transport, base, &format!("?since={from}")).await;
        let Some(mut viewer) = joined else {
            tokio::task::yield_now().await;
            continue;
        };
        while let Some(news) = viewer.try_next().await {
            match news["type"].as_str().unwrap() {
                "status" => seen.push(news["cursor"].as_str().unwrap().to_owned()),
                "snapshot" => panic!("{transport} got a snapshot at {from}"),
                _ => continue,
            }
            if news["pet"] == last_pet {
                return seen;
            }
        }
    }
}

/// One node after the other is stopped as systemd stops it, and started again.
#[tokio::test]
async fn no_viewer_misses_a_change_while_the_nodes_are_upgraded_one_by_one() {
    const LAST_PET: u64 = 3;
    let mut guide = Guide::start().await;
    let start = guide.set(1, "bathing").await.unwrap();
    let watching: Vec<_> = TRANSPORTS
        .map(|transport| {
            let (base, since) = (guide.base.clone(), start.clone());
            tokio::spawn(async move { watch(transport, &base, &since, LAST_PET).await })
        })
        .into();
    let mut made = Vec::new();
    for (index, port) in [(0, 23001), (1, 23002), (2, 23003)] {
        made.push(guide.set_eventually(1, "eating").await);
        guide.nodes[index].signal(Signal::TERM);
        made.push(guide.set_eventually(2, "playing").await);
        assert!(guide.nodes[index].end().await.success());
        made.push(guide.set_eventually(1, "playing").await);
        let folder = guide.folder.path();
        guide.nodes[index] = start_node(&guide.ports, folder, port).await;
        made.push(guide.set_eventually(2, "eating").await);
    }
    made.push(guide.set_eventually(LAST_PET, "eating").await);
    for watching in watching {
        let limit = std::time::Duration::from_secs(20);
        let seen = tokio::time::timeout(limit, watching)
            .await
            .unwrap()
            .unwrap();
        assert!(seen.is_sorted_by(|one, other| rev_of(one) < rev_of(other)));
        let missed: Vec<_> = made
            .iter()
            .filter(|cursor| !seen.contains(cursor))
            .collect();
        assert!(missed.is_empty(), "{missed:?} of {seen:?}");
    }
}

/// Returns the commands of a section of the guide, with other addresses.
fn commands(ports: &GuidePorts, section: &str) -> String {
    let guide = ports.read_doc("cluster.md");
    let (_, section) = guide.split_once(&format!("\n## {section}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    let blocks = blocks.map(|block| block.split("```").next().unwrap());
    blocks.collect()
}

/// A command failed with the documented nats.conf, and the monitoring port was not opened.
#[tokio::test]
async fn the_commands_of_the_guide_work_in_an_empty_folder() {
    let (ports, folder) = (GuidePorts::find(), tempfile::tempdir().unwrap());
    let folder = folder.path();
    for name in ["nats.conf", "node.env"] {
        write(folder, name, &ports.read(name));
    }
    let commands = commands(&ports, "Set it up");
    let output = run_commands(folder, &commands).await;
    for expected in [r#""status":"ok""#, r#""sync_always": true"#, "ready"] {
        assert!(output.contains(expected), "no {expected} in: {output}");
    }
}
