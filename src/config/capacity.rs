//! How many connections the operating system lets this process have.

use rustix::process::{Resource, getrlimit};

/// Descriptors that are not connections: the store, the listener, the runtime, a little air.
const OWN_DESCRIPTORS: u64 = 32;

/// Descriptors of each sender, of which there is one per core: an epoll and an eventfd.
const SENDER_DESCRIPTORS: u64 = 2;

/// What is offered whatever the limit; accept then waits for descriptors.
const LEAST_CONNECTIONS: u64 = 8;

/// What is assumed where the system sets no limit.
const UNLIMITED: u64 = 1_000_000;

/// Counted in open files.
pub struct Capacity {
    pub connections: usize,
    /// Fewer than connections, so that pages are still served when the viewers are at their most.
    pub viewers: usize,
}

/// At most `wanted` connections, and fewer where the open-file limit has no room for them.
pub fn of_open_files(wanted: Option<usize>) -> Capacity {
    let open_files = getrlimit(Resource::Nofile).current.unwrap_or(UNLIMITED);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    of(open_files.min(UNLIMITED), cores as u64, wanted)
}

fn of(open_files: u64, cores: u64, wanted: Option<usize>) -> Capacity {
    let own = OWN_DESCRIPTORS + SENDER_DESCRIPTORS * cores;
    let connections = open_files.saturating_sub(own).max(LEAST_CONNECTIONS);
    let connections = usize::try_from(connections).unwrap_or(usize::MAX);
    let connections = wanted.map_or(connections, |wanted| wanted.min(connections));
    let for_pages = (connections / 8).clamp(2, 256);
    Capacity {
        connections,
        viewers: connections.saturating_sub(for_pages).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn there_is_always_room_for_pages_beside_the_viewers() {
        for open_files in [0, 64, 1024, 20_000, 1_000_000] {
            let capacity = of(open_files, 2, None);
            assert!(capacity.viewers > 0 && capacity.connections >= capacity.viewers + 2);
        }
        assert_eq!(of(20_000, 2, None).viewers, 20_000 - 36 - 256);
    }

    #[test]
    fn more_than_the_system_gives_is_not_offered() {
        assert_eq!(of(1024, 2, Some(100)).connections, 100);
        assert_eq!(of(1024, 2, Some(100_000)).connections, 1024 - 36);
        assert_eq!(of(1024, 2, Some(100_000)).viewers, 988 - 123);
    }
}
