//! What this machine lets the bench do, and what it is.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that are not viewers: standard streams, epoll, the store, the listener, air.
const OTHER_DESCRIPTORS: u64 = 96;

/// Raises the limit of open files as far as allowed, for this process and for those it starts;
/// gives how many viewers it leaves room for.
pub fn room_for_viewers() -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        // Refused at worst; then the limit stays as it is, and is read again below.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let current = getrlimit(Resource::Nofile).current.unwrap_or(1_000_000);
    usize::try_from(current.saturating_sub(OTHER_DESCRIPTORS)).unwrap_or(usize::MAX)
}

/// How many of which processor.
pub fn processor() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let all = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = all.lines().find_map(|line| line.strip_prefix("model name"));
    let name = name.map(|name| name.trim_start_matches([':', '\t', ' ']));
    format!("{cpus} x {}", name.unwrap_or("unknown processor"))
}

/// One line about the machine that figures were taken on.
pub fn description() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1_000_000);
    let processor = processor();
    format!("{processor}, load {load} before the start, {limit} open files")
}
