//! How many durable status changes a second go through the API, beside what the disk can do?
//!
//! 64 clients with a connection each send the next change when the last was answered, and an
//! answer means that it is on the disk. The baseline is a write of one page and `fdatasync`, over
//! and over, in the same folder: what one change after another could reach at best.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;

use super::{Rig, say};
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
    let rig = Rig::start(&settings, "commits")?;
    let folder = rig.server.folder();
    let syncs_before = syncs_per_s(folder)?;
    let before = rig.server.board()?.rev;
    let (took, times) = change_all(rig.server.address, TIME)?;
    let made = rig.server.board()?.rev - before;
    ensure!(made == times.len(), "{} answered, {made} made", times.len());
    let syncs_after = syncs_per_s(folder)?;
    let rate = made as f64 / took.as_secs_f64();
    say("durable changes a second", format!("{rate:.0}"));
    say(
        "p50 from request to answer",
        micros(times.value_at_quantile(0.5)),
    );
    say("p99", micros(times.value_at_quantile(0.99)));
    let syncs = format!("{syncs_before:.0} before, {syncs_after:.0} after");
    say("syncs a second of the same disk, alone", syncs);
    Ok(())
}

/// All clients at once, each with a pet of its own, for some time; how long they took, and the time
/// of each change in microseconds.
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

/// Changes one pet again and again until `end`.
fn change_one(address: SocketAddr, pet: u64, end: Instant) -> anyhow::Result<Histogram<u64>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    let mut times = Histogram::new(3)?;
    for status in STATUSES.iter().cycle() {
        let start = Instant::now();
        if start > end {
            break;
        }
        stream.write_all(request(address, pet, status).as_bytes())?;
        read_answer(&mut answers)?;
        times.record(u64::try_from(start.elapsed().as_micros())?)?;
    }
    Ok(times)
}

/// The request that sets a status.
pub fn request(address: SocketAddr, pet: u64, status: &str) -> String {
    let body = format!(r#"{{"status":"{status}"}}"#);
    format!(
        "PUT /api/v1/pets/{pet}/status HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads a whole answer, which has to be a good one.
pub fn read_answer(answers: &mut impl BufRead) -> anyhow::Result<()> {
    let mut length = 0;
    let mut line = String::new();
    answers.read_line(&mut line)?;
    ensure!(line.starts_with("HTTP/1.1 200"), "answered {line:?}");
    while line != "\r\n" {
        line.clear();
        answers.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().context("a length")?;
        }
    }
    answers.read_exact(&mut vec![0; length])?;
    Ok(())
}

/// How often a page can be written and synced, one after the other.
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
