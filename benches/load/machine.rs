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

/// One line about the machine that figures were taken on.
pub fn description() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let model = read("/proc/cpuinfo")
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map(|name| name.trim_start_matches([':', '\t', ' ']).to_owned());
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("?");
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(1_000_000);
    format!(
        "{cpus} x {}, load {load} before the start, {limit} open files",
        model.unwrap_or_else(|| "unknown processor".to_owned())
    )
}
