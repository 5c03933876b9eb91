//! What does a node add to the time that the engine takes, and how many changes a second are there?
//!
//! Three NATS servers that write to the disk before they confirm. One client changes a status
//! through the API of a node and, in turn, has the same stream store a plain message of the same
//! length. The answer of the node also means that it has shown the change. Each round has servers
//! and connections of its own: which of the servers leads, and which of them is asked, is chance.
//! Then as many clients as in `commits` send one change after the other.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_nats::{Client, ConnectOptions, ServerAddr};
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use super::commits::{CLIENTS, STATUSES, TIME, change_all, read_answer, request};
use super::nats::{NEWEST, Servers};
use super::{mib, say};
use crate::process::memory_bytes;
use crate::report::micros;
use crate::server::{Server, Settings};

const NATS_SERVERS: usize = 3;
const ROUNDS: usize = 5;
const COMMITS: usize = 300;

/// In the stream, and read by no node.
const SUBJECT: &str = "ps.bench";
/// About as long as the record of a pet.
const MESSAGE: [u8; 200] = [b'x'; 200];
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

pub fn run() -> anyhow::Result<()> {
    println!(
        "\none client changes statuses through a node on {NATS_SERVERS} NATS servers, each change \
         on the disk of two of them; {ROUNDS} x {COMMITS} changes"
    );
    let (mut commits, mut publishes) = (Histogram::new(3)?, Histogram::new(3)?);
    for _ in 0..ROUNDS {
        measure(&mut commits, &mut publishes)?;
    }
    let p50 = |times: &Histogram<u64>| times.value_at_quantile(0.5);
    let both = |times| format!("{}, {}", micros(p50(times)), micros(p99(times)));
    say("p50 and p99 of a change, request to answer", both(&commits));
    say(
        "p50 and p99 of a message that the servers store",
        both(&publishes),
    );
    let ratio = p50(&commits) as f64 / p50(&publishes) as f64;
    say(
        "p50 of a change beside the message",
        format!("x {ratio:.2}"),
    );
    change_at_once()
}

fn change_at_once() -> anyhow::Result<()> {
    let nats = Servers::start(NATS_SERVERS, NEWEST);
    let node = start_node(&nats)?;
    let (took, times) = change_all(node.address, TIME)?;
    let rate = times.len() as f64 / took.as_secs_f64();
    let what = format!("changes a second, {CLIENTS} clients");
    say(&what, format!("{rate:.0}"));
    say("p99 of them", micros(p99(&times)));
    let memory = (0..NATS_SERVERS).map(|index| memory_bytes(nats.id(index)));
    let most = memory
        .collect::<anyhow::Result<Vec<u64>>>()?
        .into_iter()
        .max();
    say(
        "memory of a NATS server then",
        mib(most.unwrap_or_default()),
    );
    say("memory of the node then", mib(memory_bytes(node.pid())?));
    Ok(())
}

/// A node that holds still, with a pet for each client.
fn start_node(nats: &Servers) -> anyhow::Result<Server> {
    let settings = Settings {
        pets: u32::try_from(CLIENTS)?,
        changes_per_s: 0.0,
        viewers: 1,
    };
    Server::start_on(&nats.address(), &settings)
}

fn p99(times: &Histogram<u64>) -> u64 {
    times.value_at_quantile(0.99)
}

fn measure(commits: &mut Histogram<u64>, publishes: &mut Histogram<u64>) -> anyhow::Result<()> {
    let nats = Servers::start(NATS_SERVERS, NEWEST);
    let node = start_node(&nats)?;
    let runtime = Runtime::new()?;
    let options = ConnectOptions::new().request_timeout(Some(ANSWER_LIMIT));
    let address = nats.address();
    let servers = address.trim_start_matches("nats://").split(',');
    let servers: Vec<ServerAddr> = servers.map(str::parse).collect::<Result<_, _>>()?;
    let client = runtime.block_on(options.connect(servers))?;
    let mut stream = TcpStream::connect(node.address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    for turn in 0..COMMITS {
        let start = Instant::now();
        let status = STATUSES[turn % STATUSES.len()];
        stream.write_all(request(node.address, 1, status).as_bytes())?;
        read_answer(&mut answers)?;
        commits.record(u64::try_from(start.elapsed().as_micros())?)?;
        let start = Instant::now();
        runtime.block_on(publish(&client))?;
        publishes.record(u64::try_from(start.elapsed().as_micros())?)?;
    }
    Ok(())
}

/// Has the stream store one message, and waits until it has.
async fn publish(client: &Client) -> anyhow::Result<()> {
    let answer = client.request(SUBJECT, MESSAGE.as_slice().into()).await?;
    let answer: serde_json::Value = serde_json::from_slice(&answer.payload)?;
    ensure!(answer["seq"].is_u64(), "not stored: {answer}");
    Ok(())
}
