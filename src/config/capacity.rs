//! How many connections the operating system lets this process have.

use rustix::process::{Resource, getrlimit};

/// Descriptors that are not connections: the store, the listener, the runtime, a little air.
const OWN_DESCRIPTORS: u64 = 32;

/// Descriptors of each sender, of which there is one per core: an epoll and an eventfd.
const SENDER_DESCRIPTORS: u64 = 2;

/// What is assumed where the system sets no limit.
const UNLIMITED: u64 = 1_000_000;

/// Counted in open files.
pub struct Capacity {
    pub connections: usize,
    /// Fewer than connections, so that pages are still served when the viewers are at their most.
    pub viewers: usize,
}

pub fn of_open_files() -> Capacity {
    let open_files = getrlimit(Resource::Nofile).current.unwrap_or(UNLIMITED);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    of(open_files.min(UNLIMITED), cores as u64)
}

fn of(open_files: u64, cores: u64) -> Capacity {
    let own = OWN_DESCRIPTORS + SENDER_DESCRIPTORS * cores;
    let connections = open_files.saturating_sub(own).max(8);
    let for_pages = (connections / 8).clamp(2, 256);
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Capacity {
        connections: count(connections),
        viewers: count(connections - for_pages),
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn there_is_always_room_for_pages_beside_the_viewers() {
        for open_files in [0, 64, 1024, 20_000, 1_000_000] {
            let capacity = of(open_files, 2);
            assert!(capacity.viewers > 0 && capacity.connections >= capacity.viewers + 2);
        }
        assert_eq!(of(20_000, 2).viewers, 20_000 - 36 - 256);
    }
}
