//! The files of docs/cluster, as they are but for the addresses: three servers, three nodes, and
//! nginx in front of them.

use std::fs::read_to_string;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::server::ports::free_port;
use super::server::{NEWEST, binary};
use crate::support::{Process, TRANSPORTS, Viewer, rev_of, until};

/// A program that is asked to end when it is dropped, by its process id.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        Program(quiet.stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let id = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        // Fails when it has ended by itself.
        let _ = kill_process(id, Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Addresses of the guide, and the free ones that are put into their place.
struct Places(Vec<(String, String)>);

impl Places {
    fn find() -> Self {
        let documented = [
            23000, 23001, 23002, 23003, 24222, 24223, 24224, 26222, 26223, 26224,
        ];
        let address = |port: u16| format!("127.0.0.1:{port}");
        let pairs = documented.map(|port| (address(port), address(free_port())));
        Places(pairs.to_vec())
    }

    /// The address that stands for the documented one.
    fn of(&self, port: u16) -> &str {
        let documented = format!("127.0.0.1:{port}");
        let mut pairs = self.0.iter();
        let (_, place) = pairs.find(|(old, _)| *old == documented).unwrap();
        place
    }

    /// A file of the guide, with every address replaced.
    fn read(&self, name: &str) -> String {
        let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cluster");
        let text = read_to_string(guide.join(name)).unwrap();
        let read = self.0.iter().fold(text.clone(), |text, (old, place)| {
            text.replace(old.as_str(), place)
        });
        assert_ne!(read, text, "{name} names no address of the guide");
        read
    }
}

/// Everything that the guide describes, running.
struct Guide {
    nodes: Vec<Process>,
    /// Of the balancer.
    base: String,
    client: Client,
    places: Places,
    _nginx: Program,
    _servers: Vec<Program>,
    folder: TempDir,
}

impl Guide {
    async fn start() -> Self {
        let (places, folder) = (Places::find(), tempfile::tempdir().unwrap());
        let servers = (1..=3).map(|number| start_nats(&places, folder.path(), number));
        let servers = servers.collect();
        for port in [24222, 24223, 24224] {
            until_heard(places.of(port)).await;
        }
        let mut nodes = Vec::new();
        for port in [23001, 23002, 23003] {
            nodes.push(start_node(&places, folder.path(), port).await);
        }
        let guide = Guide {
            nodes,
            base: format!("http://{}", places.of(23000)),
            client: Client::builder().no_proxy().build().unwrap(),
            _nginx: start_nginx(&places, folder.path()),
            _servers: servers,
            places,
            folder,
        };
        until("the balancer", async || {
            let ready = guide.client.get(format!("{}/readyz", guide.base)).send();
            ready.await.is_ok_and(|ready| ready.status() == 200)
        })
        .await;
        guide
    }

    /// Sets a status through the balancer; the cursor of the change, if it was answered.
    async fn set(&self, pet: u64, status: &str) -> Option<String> {
        let url = format!("{}/api/v1/pets/{pet}/status", self.base);
        let sent = self.client.put(url).json(&json!({ "status": status }));
        let answer = sent.send().await.ok()?.error_for_status().ok()?;
        let answer: Value = answer.json().await.ok()?;
        answer["cursor"].as_str().map(str::to_owned)
    }

    /// The same, again and again: when nginx has left every node alone once within its 5 s, it
    /// refuses one request before it begins anew.
    async fn set_in_the_end(&self, pet: u64, status: &str) -> String {
        let mut made = None;
        until("a write", async || {
            made = self.set(pet, status).await;
            made.is_some()
        })
        .await;
        made.unwrap()
    }
}

/// Waits until somebody takes connections at `address`. A node does not wait for its servers.
async fn until_heard(address: &str) {
    until("a server that listens", async || {
        TcpStream::connect(address).await.is_ok()
    })
    .await;
}

fn start_nats(places: &Places, folder: &Path, number: u16) -> Program {
    // The same for all of them, but a file that is written anew may be read half.
    let config = write(
        folder,
        &format!("nats-{number}.conf"),
        &places.read("nats.conf"),
    );
    let mut command = Command::new(binary(NEWEST));
    command
        .arg("--config")
        .arg(config)
        .env("NATS_NAME", format!("nats-{number}"))
        .env("NATS_LISTEN", places.of(24221 + number))
        .env("NATS_ROUTE", places.of(26221 + number))
        .env("NATS_STORE", folder.join(format!("nats-{number}")));
    Program::start(&mut command)
}

/// The first reads the settings of the guide; the others listen elsewhere.
async fn start_node(places: &Places, folder: &Path, port: u16) -> Process {
    let settings = places.read("node.env");
    let lines = settings.lines().filter(|line| !line.starts_with('#'));
    let mut settings: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once('=')).collect();
    settings.push(("PET_STORE_LISTEN", places.of(port)));
    let arguments = ["demo", "--simulate", "off", "--pets", "3"];
    Process::start_with(folder, &arguments, &settings).await
}

fn start_nginx(places: &Places, folder: &Path) -> Program {
    let site = write(folder, "site.conf", &places.read("nginx.conf"));
    let at = folder.display();
    let kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
    let folders = kinds.map(|kind| format!("{kind}_temp_path {at}/{kind};\n"));
    let config = format!(
        "daemon off; pid {at}/nginx.pid; error_log {at}/error.log;\nevents {{}}\n\
         http {{ access_log off;\n{}include {}; }}\n",
        folders.concat(),
        site.display()
    );
    let config = write(folder, "nginx.conf", &config);
    let log = folder.join("error.log");
    Program::start(
        Command::new("nginx")
            .arg("-e")
            .arg(log)
            .arg("-c")
            .arg(config),
    )
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[tokio::test]
async fn the_documented_cluster_shows_a_change_everywhere_and_passes_a_dead_node_over() {
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
        assert!(made.is_some(), "{status} is made at a node that is there");
    }
    let since = answer["cursor"].as_str().unwrap();
    for transport in TRANSPORTS {
        let query = format!("?since={since}");
        let mut viewer = Viewer::open(transport, &guide.base, &query).await;
        assert_eq!(viewer.next_news().await["status"], "eating", "{transport}");
    }
}

/// What one viewer sees who comes back with its cursor whenever it is sent away.
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
                "snapshot" => panic!("{transport} was given a snapshot at {from}"),
                _ => continue,
            }
            if news["pet"] == last_pet {
                return seen;
            }
        }
    }
}

/// One node after the other is stopped as systemd would, and started again.
#[tokio::test]
async fn nobody_misses_anything_while_the_nodes_are_upgraded_one_by_one() {
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
        made.push(guide.set_in_the_end(1, "eating").await);
        guide.nodes[index].signal(Signal::TERM);
        made.push(guide.set_in_the_end(2, "playing").await);
        assert!(guide.nodes[index].end().await.success());
        made.push(guide.set_in_the_end(1, "playing").await);
        let folder = guide.folder.path();
        guide.nodes[index] = start_node(&guide.places, folder, port).await;
        made.push(guide.set_in_the_end(2, "eating").await);
    }
    made.push(guide.set_in_the_end(LAST_PET, "eating").await);
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
