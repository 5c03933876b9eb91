//! What the operating system tells: signals to this bench, limits and name of the machine, CPU time
//! and memory of processes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

/// True after a signal, so that the bench stops the servers that it started.
static STOPPED: AtomicBool = AtomicBool::new(false);

/// Starts a thread that waits for SIGTERM or SIGINT.
pub fn listen_for_signals() -> std::io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        STOPPED.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Returns an error after a signal.
pub fn check_signals() -> anyhow::Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        anyhow::bail!("stopped by a signal");
    }
    Ok(())
}

/// File descriptors that are not viewers: standard streams, epoll, the store, the listener, a reserve.
const OTHER_DESCRIPTORS: u64 = 96;

/// Raises the limit of open files as far as allowed, for this process and its children. Returns the
/// number of viewers for which there are file descriptors.
pub fn max_viewers() -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // If that fails, the limit stays as it is, and is read below.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(1_000_000);
    usize::try_from(current.saturating_sub(OTHER_DESCRIPTORS)).unwrap_or(usize::MAX)
}

/// Returns the number and the name of the processors.
pub fn processors() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let all = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = all.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map(|name| name.trim_start_matches([':', '\t', ' ']));
    format!("{cpus} x {}", name.unwrap_or("unknown processor"))
}

/// Describes the machine in one line.
pub fn machine() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1_000_000);
    let processors = processors();
    format!("{processors}, load {load} before the start, {limit} open files")
}

/// `USER_HZ`, the unit of CPU times in `/proc`; 100 on every Linux.
const TICKS_PER_S: u64 = 100;

/// Returns the user and system time of `pid` and its children.
pub fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let mut ticks = 0;
    for pid in process_tree(pid) {
        let fields = stat(pid).with_context(|| format!("process {pid} is gone"))?;
        // Fields 14 and 15 of proc_pid_stat(5); `fields` starts with the third.
        ticks += fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

/// Returns the user and system time of this process alone.
pub fn own_cpu_time() -> anyhow::Result<Duration> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(
        u64::try_from(used.tv_sec)?,
        u32::try_from(used.tv_nsec)?,
    ))
}

/// Returns the time that the processors were busy, without interrupts.
pub fn machine_cpu_time() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("no first line")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
    let busy = ticks[0] + ticks[1] + ticks[2] + ticks.get(7).unwrap_or(&0);
    Ok(Duration::from_millis(busy * 1000 / TICKS_PER_S))
}

/// Returns the resident memory of `pid` and its children, in bytes.
pub fn memory_bytes(pid: u32) -> anyhow::Result<u64> {
    process_tree(pid).into_iter().map(resident_bytes).sum()
}

fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 = kib.context("no VmRSS")?.parse()?;
    Ok(kib * 1024)
}

/// Returns the number of open file descriptors of `pid`.
pub fn descriptors(pid: u32) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// Returns `pid` and its descendants.
fn process_tree(pid: u32) -> Vec<u32> {
    let mut pids = vec![pid];
    let mut at = 0;
    while at < pids.len() {
        let path = format!("/proc/{0}/task/{0}/children", pids[at]);
        let children = std::fs::read_to_string(path).unwrap_or_default();
        pids.extend(children.split_whitespace().flat_map(str::parse::<u32>));
        at += 1;
    }
    pids
}

/// Returns the fields of `/proc/PID/stat` from the third on; the second may contain spaces.
fn stat(pid: u32) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("no command in stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}
