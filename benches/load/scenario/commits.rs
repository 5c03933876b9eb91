//! Measures durable status changes per second through the API, compared with the syncs of the disk.
//!
//! 64 clients with a connection each send the next change after the response to the last, which means
//! that the change is on disk. The baseline is a write of one page and `fdatasync`, repeated in the same
//! folder: the best that one change after another could reach.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;

use super::{Setup, print_figure};
use crate::report::micros;
use crate::server::Settings;

pub const CLIENTS: u64 = 64;
pub const TIME: Duration = Duration::from_secs(5);
const SYNC_TIME: Duration = Duration::from_secs(2);
pub const STATUSES: [&str; 4] = ["eating", "bathing", "sleeping", "playing"];

pub fn run() -> anyhow::Result<()> {
    println!("\n{CLIENTS} clients change statuses through the API");
    let settings = Settings {
        pets: u32::try_from(CLIENTS)?,
        changes_per_s: 0.0,
        viewers: 1,
    };
    let setup = Setup::start(&settings, "commits")?;
    let folder = setup.server.folder();
    let syncs_before = syncs_per_s(folder)?;
    let before = setup.server.board()?.rev;
    let (took, times) = change_all(setup.server.address, TIME)?;
    let made = setup.server.board()?.rev - before;
    ensure!(
        made == times.len(),
        "{} responses, {made} changes",
        times.len()
    );
    let syncs_after = syncs_per_s(folder)?;
    let rate = made as f64 / took.as_secs_f64();
    print_figure("durable changes per second", format!("{rate:.0}"));
    print_figure(
        "p50 from request to response",
        micros(times.value_at_quantile(0.5)),
    );
    print_figure("p99", micros(times.value_at_quantile(0.99)));
    let syncs = format!("{syncs_before:.0} before, {syncs_after:.0} after");
    print_figure("syncs per second of the same disk, alone", syncs);
    Ok(())
}

/// Runs all clients concurrently, each with its own pet, for `time`. Returns how long they took, and the
/// time of each change in microseconds.
pub fn change_all(
    address: SocketAddr,
    time: Duration,
) -> anyhow::Result<(Duration, Histogram<u64>)> {
    let start = Instant::now();
    let mut all = Histogram::new(3)?;
    std::thread::scope(|scope| {
        let clients: Vec<_> = (1..=CLIENTS)
            .map(|pet| scope.spawn(move || change_one(address, pet, start + time)))
            .collect();
        for client in clients {
            let times = client.join().expect("a client does not panic")?;
            all.add(&times)?;
        }
        Ok((start.elapsed(), all))
    })
}

/// Changes one pet repeatedly until `end`.
fn change_one(address: SocketAddr, pet: u64, end: Instant) -> anyhow::Result<Histogram<u64>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut responses = BufReader::new(stream.try_clone()?);
    let mut times = Histogram::new(3)?;
    for status in STATUSES.iter().cycle() {
        let start = Instant::now();
        if start > end {
            break;
        }
        stream.write_all(request(address, pet, status).as_bytes())?;
        read_response(&mut responses)?;
        times.record(u64::try_from(start.elapsed().as_micros())?)?;
    }
    Ok(times)
}

/// Returns the request that sets a status.
pub fn request(address: SocketAddr, pet: u64, status: &str) -> String {
    let body = format!(r#"{{"status":"{status}"}}"#);
    format!(
        "PUT /api/v1/pets/{pet}/status HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads a response, which must be successful.
pub fn read_response(responses: &mut impl BufRead) -> anyhow::Result<()> {
    let mut length = 0;
    let mut line = String::new();
    responses.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 200"), "answered {line:?}");
    while line != "\r\n" {
        line.clear();
        responses.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("a length")?;
        }
    }
    responses.read_exact(&mut vec![0; length])?;
    Ok(())
}

/// Measures how often per second a page can be written and synced.
fn syncs_per_s(folder: &Path) -> anyhow::Result<f64> {
    let path = folder.join("sync.probe");
    let file = File::create(&path)?;
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < SYNC_TIME {
        file.write_all_at(&[count.to_le_bytes()[0]; 4096], 0)?;
        file.sync_data()?;
        count += 1;
    }
    std::fs::remove_file(path)?;
    Ok(f64::from(count) / start.elapsed().as_secs_f64())
}
