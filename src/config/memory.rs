//! Finds how much memory this process may use: the machine's, or less by a cgroup or a resource limit.

use std::fs;
use std::path::Path;

use rustix::process::{Resource, getrlimit};

/// Assumed if no source tells a limit, in bytes.
const ASSUMED: u64 = 1024 * 1024 * 1024;

/// Returns the smallest of the machine's memory, the limits of this process's cgroups (version 1 or 2) and
/// its limit on address space, in bytes.
pub fn limit_bytes() -> u64 {
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(total_bytes);
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = own.lines().filter_map(group_limit);
    let address_space = getrlimit(Resource::As).current;
    let limits = groups.chain(machine).chain(address_space);
    limits.min().unwrap_or(ASSUMED)
}

fn total_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

/// The smallest limit of the group in a line of `/proc/self/cgroup` and the groups above it.
fn group_limit(line: &str) -> Option<u64> {
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
    fn the_memory_of_a_machine_is_read_in_bytes() {
        let meminfo = "MemTotal:       24588060 kB\nMemFree:         1 kB\n";
        assert_eq!(total_bytes(meminfo), Some(24_588_060 * 1024));
        assert_eq!(total_bytes("MemFree: 1 kB\n"), None);
        assert!(limit_bytes() > 0);
    }
}
