//! Checks the limit on open files, and the clock.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use super::report::Report;
use crate::config::{ConnectionCapacity, WantedConnections, own_open_files};
use crate::store;

/// The limit that the systemd unit sets.
const ADVISED_OPEN_FILES: u64 = 65_536;

/// Fewer viewers than this are no audience.
const FEW_VIEWERS: usize = 2_000;

/// A write that is this much later than now means that the clock was set back.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// Checks that there are enough file descriptors for the viewers and connections that are `wanted`: of the server
/// that has the store in `data` open, or of this command if there is none.
pub fn check_open_files(data: &Path, wanted: WantedConnections, report: &mut Report) {
    let server = store::serving_process(data).and_then(open_files_of);
    let (open_files, whose) = match server {
        Some(limit) => (limit, "the server"),
        None => (own_open_files(), "this command"),
    };
    let capacity = ConnectionCapacity::of(open_files, wanted.connections);
    let advice = format!(
        "Raise the limit: LimitNOFILE={ADVISED_OPEN_FILES} in the systemd unit (systemctl edit pet-store), or \
         ulimit -n {ADVISED_OPEN_FILES} before the start."
    );
    let message = format!(
        "{open_files} of {whose}, enough for {} connections, {} of them viewers",
        capacity.connections, capacity.viewers
    );
    let lacks = |wanted: Option<usize>, has| wanted.is_some_and(|wanted| wanted > has);
    if lacks(wanted.viewers, capacity.viewers) || lacks(wanted.connections, capacity.connections) {
        report.problem(
            "open files",
            format!("{message}; --max-viewers or --max-connections ask for more"),
            advice,
        );
    } else if wanted.viewers.is_none() && capacity.viewers < FEW_VIEWERS {
        report.warning("open files", message, advice);
    } else {
        report.ok("open files", message);
    }
}

/// Reads the limit of another process.
fn open_files_of(process: i32) -> Option<u64> {
    let limits = fs::read_to_string(format!("/proc/{process}/limits")).ok()?;
    let mut lines = limits.lines();
    let soft = lines.find_map(|line| line.strip_prefix("Max open files"))?;
    soft.split_whitespace().next()?.parse().ok()
}

/// Checks that the clock is not behind the newest change, and that something keeps it right.
pub fn check_clock(data: &Path, report: &mut Report) {
    let written = fs::metadata(data.join("pet-store.redb")).and_then(|file| file.modified());
    let ahead = written
        .ok()
        .and_then(|at| at.duration_since(SystemTime::now()).ok());
    if let Some(ahead) = ahead.filter(|ahead| *ahead > CLOCK_TOLERANCE) {
        let ahead = humantime::format_duration(Duration::from_secs(ahead.as_secs()));
        return report.problem(
            "clock",
            format!("the newest write of the store is {ahead} ahead of this machine's clock"),
            "Set the clock: timedatectl set-ntp true. Until then sessions may not open, and times are wrong.",
        );
    }
    match is_synchronized() {
        Some(true) => report.ok("clock", "synchronized over the network"),
        Some(false) => report.warning(
            "clock",
            "not synchronized over the network",
            "timedatectl set-ntp true, or install chrony.",
        ),
        None => report.note(
            "clock",
            "not behind the store; whether it is synchronized is unknown",
            "In a container the machine around it keeps the time.",
        ),
    }
}

/// Asks systemd. `None` without it.
fn is_synchronized() -> Option<bool> {
    let arguments = ["show", "--property=NTPSynchronized", "--value"];
    let answer = Command::new("timedatectl").args(arguments).output().ok()?;
    match answer.stdout.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}
