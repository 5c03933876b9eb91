//! What the operating system says about a process: CPU time, memory, descriptors, children.

use std::time::Duration;

use anyhow::Context;

/// `USER_HZ`, the unit of CPU times in `/proc`; 100 on every Linux.
const TICKS_PER_S: u64 = 100;

/// User and system time of `pid` and its children so far.
pub fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let mut ticks = 0;
    for pid in tree(pid) {
        let fields = stat(pid).with_context(|| format!("process {pid} is gone"))?;
        // Fields 14 and 15 of proc_pid_stat(5); `fields` starts with the third.
        ticks += fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    }
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

/// User and system time of this process alone.
pub fn own_cpu_time() -> anyhow::Result<Duration> {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Ok(Duration::new(
        u64::try_from(used.tv_sec)?,
        u32::try_from(used.tv_nsec)?,
    ))
}

/// What all processors of the machine have worked so far, without what interrupts took.
pub fn machine_cpu_time() -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().context("no first line")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    // proc_stat(5): user, nice, system, idle, iowait, irq, softirq, steal.
    let worked = ticks[0] + ticks[1] + ticks[2] + ticks.get(7).unwrap_or(&0);
    Ok(Duration::from_millis(worked * 1000 / TICKS_PER_S))
}

/// Resident memory of `pid` and its children, in bytes.
pub fn memory_bytes(pid: u32) -> anyhow::Result<u64> {
    tree(pid).into_iter().map(resident_bytes).sum()
}

fn resident_bytes(pid: u32) -> anyhow::Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    let kib: u64 = kib.context("no VmRSS")?.parse()?;
    Ok(kib * 1024)
}

/// Open descriptors of `pid`.
pub fn descriptors(pid: u32) -> anyhow::Result<usize> {
    Ok(std::fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}

/// `pid` and everything it started.
fn tree(pid: u32) -> Vec<u32> {
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

/// The fields of `/proc/PID/stat` from the third on; the second may hold spaces.
fn stat(pid: u32) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, rest) = text.rsplit_once(')').context("no command in stat")?;
    Ok(rest.split_whitespace().map(str::to_owned).collect())
}
