//! Ports of one test run: below those that the system gives out by itself, and nobody else's.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// Ports of one process, the first of which says that the others are taken; and between which
/// numbers they are.
const COUNT: u16 = 1000;
const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

/// Where a server listens: for clients, for the other servers, and for whoever looks after it.
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

/// A port that nobody listens on, for a server that is told its port and may be started again on it.
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

/// Makes a run of ports this process's own: whoever holds the port before the first has the others.
/// Two processes that only looked for a free one found the same, before either used it.
fn claim_ports() -> (TcpListener, u16) {
    let mut claims = (FIRST..LAST).step_by(usize::from(COUNT));
    let claimed = claims.find_map(|port| {
        let claim = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        Some((claim, port + 1))
    });
    claimed.expect("fewer than 12 processes test servers at once")
}
