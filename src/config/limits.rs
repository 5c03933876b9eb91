//! How many connections the operating system lets this process have.

use rustix::process::{Resource, getrlimit};

/// Descriptors that are not connections: the store, the listener, the runtime, a little air.
const OWN_DESCRIPTORS: u64 = 32;

/// What is assumed where the system sets no limit.
const UNLIMITED: u64 = 1_000_000;

pub struct Limits {
    pub connections: usize,
    /// Fewer than connections, so that pages are still served when the viewers are at their most.
    pub viewers: usize,
}

pub fn of_open_files() -> Limits {
    let open_files = getrlimit(Resource::Nofile).current.unwrap_or(UNLIMITED);
    of(open_files.min(UNLIMITED))
}

fn of(open_files: u64) -> Limits {
    let connections = open_files.saturating_sub(OWN_DESCRIPTORS).max(8);
    let for_pages = (connections / 8).clamp(2, 256);
    let count = |number| usize::try_from(number).unwrap_or(usize::MAX);
    Limits {
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
            let limits = of(open_files);
            assert!(limits.viewers > 0 && limits.connections >= limits.viewers + 2);
        }
        assert_eq!(of(20_000).viewers, 20_000 - 32 - 256);
    }
}
