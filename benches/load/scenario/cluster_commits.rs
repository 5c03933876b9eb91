//! Measures what a node adds to the time of the engine, and the changes per second.
//!
//! Three NATS servers write to the disk before they acknowledge. One client changes a status through the
//! API of a node and, in turn, publishes a message of the same length to the stream. The response of the
//! node also means that it has published the change. Each round has new servers and connections, because
//! the leader and the contacted server are random. Then as many clients as in `commits` send one change
//! after another.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::ensure;
use async_nats::{Client, ConnectOptions, ServerAddr};
use hdrhistogram::Histogram;
use tokio::runtime::Runtime;

use super::commits::{CLIENTS, STATUSES, TIME, change_all, read_response, request};
use super::nats::{NEWEST, Servers};
use super::{mib, print_figure};
use crate::report::micros;
use crate::server::{Server, Settings};
use crate::system::memory_bytes;

const NATS_SERVERS: usize = 3;
const ROUNDS: usize = 5;
const COMMITS: usize = 300;

/// A subject of the stream that no node reads.
const SUBJECT: &str = "ps.bench";
/// A message about as long as the record of a pet.
const MESSAGE: [u8; 200] = [b'x'; 200];
const RESPONSE_LIMIT: Duration = Duration::from_secs(5);

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
    print_figure(
        "p50 and p99 of a change, request to response",
        both(&commits),
    );
    print_figure(
        "p50 and p99 of a message that the servers store",
        both(&publishes),
    );
    let ratio = p50(&commits) as f64 / p50(&publishes) as f64;
    print_figure(
        "p50 of a change compared with the message",
        format!("x {ratio:.2}"),
    );
    change_at_once()
}

fn change_at_once() -> anyhow::Result<()> {
    let nats = Servers::start(NATS_SERVERS, NEWEST);
    let node = start_node(&nats)?;
    let (took, times) = change_all(node.address, TIME)?;
    let rate = times.len() as f64 / took.as_secs_f64();
    let what = format!("changes per second, {CLIENTS} clients");
    print_figure(&what, format!("{rate:.0}"));
    print_figure("p99 of them", micros(p99(&times)));
    let memory = (0..NATS_SERVERS).map(|index| memory_bytes(nats.id(index)));
    let most = memory
        .collect::<anyhow::Result<Vec<u64>>>()?
        .into_iter()
        .max();
    print_figure(
        "memory of a NATS server then",
        mib(most.unwrap_or_default()),
    );
    print_figure("memory of the node then", mib(memory_bytes(node.pid())?));
    Ok(())
}

/// Starts a node without simulator, with a pet for each client.
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
    let options = ConnectOptions::new().request_timeout(Some(RESPONSE_LIMIT));
    let address = nats.address();
    let servers = address.trim_start_matches("nats://").split(',');
    let servers: Vec<ServerAddr> = servers.map(str::parse).collect::<Result<_, _>>()?;
    let client = runtime.block_on(options.connect(servers))?;
    let mut stream = TcpStream::connect(node.address)?;
    stream.set_nodelay(true)?;
    let mut responses = BufReader::new(stream.try_clone()?);
    for turn in 0..COMMITS {
        let start = Instant::now();
        let status = STATUSES[turn % STATUSES.len()];
        stream.write_all(request(node.address, 1, status).as_bytes())?;
        read_response(&mut responses)?;
        commits.record(u64::try_from(start.elapsed().as_micros())?)?;
        let start = Instant::now();
        runtime.block_on(publish(&client))?;
        publishes.record(u64::try_from(start.elapsed().as_micros())?)?;
    }
    Ok(())
}

/// Publishes a message, and waits until it is stored.
async fn publish(client: &Client) -> anyhow::Result<()> {
    let response = client.request(SUBJECT, MESSAGE.as_slice().into()).await?;
    let response: serde_json::Value = serde_json::from_slice(&response.payload)?;
    ensure!(response["seq"].is_u64(), "not stored: {response}");
    Ok(())
}
