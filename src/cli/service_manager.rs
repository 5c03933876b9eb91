//! Tells the service manager what the server does: the protocol of `sd_notify(3)`, which systemd uses for
//! `Type=notify`. Without a service manager nothing is sent.

use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// A message each time, so that one that is late does not look like a stuck server.
const MESSAGES_PER_WATCHDOG_TIMEOUT: u32 = 2;

/// The service manager that started this process, if one did.
pub struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// Reads the environment of this process.
    pub fn from_environment() -> Self {
        let variable = |name: &str| env::var(name).ok();
        let address = variable("NOTIFY_SOCKET");
        let socket = address.and_then(|address| match open(&address) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, notify.socket = address, "the service manager cannot be notified");
                None
            }
        });
        ServiceManager {
            socket,
            watchdog: watchdog_timeout(variable, std::process::id()),
        }
    }

    /// Reports that requests are accepted.
    pub fn ready(&self, address: std::net::SocketAddr) {
        self.send(&format!("READY=1\nSTATUS=Listening on http://{address}"));
    }

    /// Reports that the server is stopping.
    pub fn stopping(&self) {
        self.send("STOPPING=1\nSTATUS=Closing viewers and finishing requests");
    }

    /// Reports at half of the watchdog's timeout that the server is healthy, for as long as `is_healthy` says
    /// so. Does not return. Cancel safe.
    pub async fn watch(&self, is_healthy: impl AsyncFn() -> bool) {
        let Some(timeout) = self.watchdog else {
            return std::future::pending().await;
        };
        let mut ticks = interval(timeout / MESSAGES_PER_WATCHDOG_TIMEOUT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if is_healthy().await {
                self.send("WATCHDOG=1");
            } else {
                tracing::error!(
                    watchdog.timeout = ?timeout,
                    "the server does not answer itself; the service manager restarts it unless that changes"
                );
            }
        }
    }

    fn send(&self, state: &str) {
        let Some((socket, address)) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::warn!(%error, "the service manager could not be notified");
        }
    }
}

/// Opens a socket for messages to `address`: a path, or with `@` a name in the abstract namespace.
fn open(address: &str) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match address.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    Ok((UnixDatagram::unbound()?, address))
}

/// Returns the timeout of the watchdog, if there is one for the process with this id.
fn watchdog_timeout(variable: impl Fn(&str) -> Option<String>, id: u32) -> Option<Duration> {
    let process = variable("WATCHDOG_PID");
    if process.is_some_and(|process| process.parse() != Ok(id)) {
        return None;
    }
    let micros = variable("WATCHDOG_USEC")?.parse().ok()?;
    Some(Duration::from_micros(micros)).filter(|timeout| !timeout.is_zero())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const TIMEOUT: Duration = Duration::from_millis(40);

    /// A service manager, and the socket at which it receives messages.
    fn manager() -> (ServiceManager, UnixDatagram, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let receiver = UnixDatagram::bind(&path).unwrap();
        receiver.set_nonblocking(true).unwrap();
        let manager = ServiceManager {
            socket: Some(open(path.to_str().unwrap()).unwrap()),
            watchdog: Some(TIMEOUT),
        };
        (manager, receiver, folder)
    }

    fn received(receiver: &UnixDatagram) -> Vec<String> {
        let mut buffer = [0; 256];
        let next = || {
            receiver
                .recv(&mut buffer)
                .ok()
                .map(|length| buffer[..length].to_vec())
        };
        let messages = std::iter::from_fn(next);
        messages
            .map(|message| String::from_utf8(message).unwrap())
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn the_watchdog_hears_of_a_healthy_server_twice_per_timeout_and_of_a_stuck_one_never() {
        let (manager, receiver, _folder) = manager();
        let healthy = Cell::new(true);
        let checks = Cell::new(0);
        let watch = manager.watch(async || {
            checks.set(checks.get() + 1);
            healthy.get()
        });
        tokio::pin!(watch);
        let run = TIMEOUT * 5 - Duration::from_millis(1);
        assert!(tokio::time::timeout(run, &mut watch).await.is_err());
        assert_eq!(received(&receiver), vec!["WATCHDOG=1"; 10]);
        healthy.set(false);
        checks.set(0);
        assert!(tokio::time::timeout(run, &mut watch).await.is_err());
        assert!(received(&receiver).is_empty());
        assert!(
            checks.get() >= 9,
            "a server that recovers is reported again"
        );
    }

    #[test]
    fn a_watchdog_of_another_process_is_none_of_this() {
        let environment = |process: &'static str, micros: &'static str| {
            move |name: &str| match name {
                "WATCHDOG_PID" => Some(process.to_owned()).filter(|process| !process.is_empty()),
                _ => Some(micros.to_owned()),
            }
        };
        let half_a_minute = Some(Duration::from_secs(30));
        assert_eq!(
            watchdog_timeout(environment("7", "30000000"), 7),
            half_a_minute
        );
        assert_eq!(
            watchdog_timeout(environment("", "30000000"), 7),
            half_a_minute
        );
        assert_eq!(watchdog_timeout(environment("8", "30000000"), 7), None);
        assert_eq!(watchdog_timeout(environment("7", "0"), 7), None);
        assert_eq!(watchdog_timeout(environment("7", "soon"), 7), None);
    }

    #[test]
    fn messages_reach_an_abstract_socket() {
        let name = format!("pet-store-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        let manager = ServiceManager {
            socket: Some(open(&format!("@{name}")).unwrap()),
            watchdog: None,
        };
        manager.stopping();
        let mut buffer = [0; 256];
        let length = receiver.recv(&mut buffer).unwrap();
        assert!(buffer[..length].starts_with(b"STOPPING=1\n"));
    }
}
