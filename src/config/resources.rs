//! How many connections, and how much memory, the operating system allows this process.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

/// File descriptors that are not connections: the store, the listener, the runtime, and a reserve.
const OWN_DESCRIPTORS: u64 = 32;

/// File descriptors of each delivery worker, one worker per core: an epoll and an eventfd.
const WORKER_DESCRIPTORS: u64 = 2;

/// Connections that are allowed however low the limit; accepting then waits for descriptors.
const MIN_CONNECTIONS: u64 = 8;

/// Open files that are assumed where the system sets no limit.
const UNLIMITED_FILES: u64 = 1_000_000;

/// Memory that is assumed if no limit can be read, in bytes.
const ASSUMED_MEMORY: u64 = 1024 * 1024 * 1024;

/// Numbers of connections for which there are file descriptors.
pub struct ConnectionCapacity {
    /// All connections.
    pub connections: usize,
    /// Viewers: fewer than connections, so that pages can still be served beside them.
    pub viewers: usize,
}

impl ConnectionCapacity {
    /// Returns `wanted` connections, or fewer if the limit of open files is lower.
    pub fn detect(wanted: Option<usize>) -> Self {
        Self::of(own_open_files(), wanted)
    }

    /// Returns what a process with this limit of open files has.
    pub fn of(open_files: u64, wanted: Option<usize>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::new(open_files.min(UNLIMITED_FILES), cores as u64, wanted)
    }

    fn new(open_files: u64, cores: u64, wanted: Option<usize>) -> Self {
        let own = OWN_DESCRIPTORS + WORKER_DESCRIPTORS * cores;
        let connections = open_files.saturating_sub(own).max(MIN_CONNECTIONS);
        let connections = usize::try_from(connections).unwrap_or(usize::MAX);
        let connections = wanted.map_or(connections, |wanted| wanted.min(connections));
        let for_pages = (connections / 8).clamp(2, 256);
        ConnectionCapacity {
            connections,
            viewers: connections.saturating_sub(for_pages).max(1),
        }
    }
}

/// Returns the limit of open files of this process.
pub fn own_open_files() -> u64 {
    let limit = getrlimit(Resource::Nofile).current;
    limit.unwrap_or(UNLIMITED_FILES)
}

/// Returns how much memory this process may use, in bytes: the least of the machine's memory, the
/// limits of this process's cgroups (version 1 or 2) and its limit on address space.
pub fn memory_limit_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(total_bytes);
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = own.lines().filter_map(cgroup_limit);
    let address_space = getrlimit(Resource::As).current;
    let limits = groups.chain(machine).chain(address_space);
    limits.min().unwrap_or(ASSUMED_MEMORY)
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let mut lines = meminfo.lines();
    let line = lines.find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// Returns the least limit of the cgroup in a line of `/proc/self/cgroup` and of the groups above it.
fn cgroup_limit(line: &str) -> Option<u64> {
    let mut parts = line.splitn(3, ':').skip(1);
    let (controllers, path) = (parts.next()?, parts.next()?);
    let (root, file) = match controllers {
        "" => ("/sys/fs/cgroup", "memory.max"),
        "memory" => ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
        _ => return None,
    };
    let groups = Path::new(path).ancestors();
    let limits = groups.filter_map(|group| {
        let group = group.strip_prefix("/").ok()?;
        let limit = fs::read_to_string(Path::new(root).join(group).join(file)).ok()?;
        limit.trim().parse().ok()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_always_have_connections_beside_the_viewers() {
        for open_files in [0, 64, 1024, 20_000, 1_000_000] {
            let capacity = ConnectionCapacity::new(open_files, 2, None);
            assert!(capacity.viewers > 0 && capacity.connections >= capacity.viewers + 2);
        }
        let capacity = ConnectionCapacity::new(20_000, 2, None);
        assert_eq!(capacity.viewers, 20_000 - 36 - 256);
    }

    #[test]
    fn connections_are_never_more_than_the_open_file_limit_allows() {
        let connections = |wanted| ConnectionCapacity::new(1024, 2, Some(wanted)).connections;
        assert_eq!(connections(100), 100);
        assert_eq!(connections(100_000), 1024 - 36);
        let viewers = ConnectionCapacity::new(1024, 2, Some(100_000)).viewers;
        assert_eq!(viewers, 988 - 123);
    }

    #[test]
    fn the_memory_of_a_machine_is_read_in_bytes() {
        let meminfo = "MemTotal:       24588060 kB\nMemFree:         1 kB\n";
        assert_eq!(total_bytes(meminfo), Some(24_588_060 * 1024));
        assert_eq!(total_bytes("MemFree: 1 kB\n"), None);
        assert!(memory_limit_bytes() > 0);
    }
}
