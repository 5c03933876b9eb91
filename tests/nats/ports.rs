//! Ports of one test run: below the system's ephemeral ports, and claimed from other test runs.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports of one process, of which the first claims the others; and the range of all of them.
const COUNT: u16 = 1000;
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

/// The ports of a server: for clients, for the other servers, and for monitoring.
pub struct Ports {
    pub clients: u16,
    pub route: u16,
    pub monitor: u16,
}

impl Ports {
    pub fn find() -> Self {
        let [clients, route, monitor] = [(); 3].map(|()| free_port());
        Ports {
            clients,
            route,
            monitor,
        }
    }
}

/// Returns a free port, on which a server can be restarted.
pub fn free_port() -> u16 {
    static OURS: LazyLock<(TcpListener, u16)> = LazyLock::new(claim_ports);
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let (_claim, first) = &*OURS;
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % (COUNT - 1);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Claims a range of ports by listening on the first. Two processes that only looked for free ports found
/// the same ones before either used them.
fn claim_ports() -> (TcpListener, u16) {
    let mut claims = (FIRST..LAST).step_by(usize::from(COUNT));
    let claimed = claims.find_map(|port| {
        let claim = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((claim, port + 1))
    });
    claimed.expect("fewer than 12 processes test servers concurrently")
}
