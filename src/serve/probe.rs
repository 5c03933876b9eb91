//! Asks a server on this machine whether it answers, as the watchdog and `pet-store healthcheck` do.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A server that needs longer for the first bytes of an answer is stuck.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The start of an answer with its status: `HTTP/1.1 200`.
const STATUS_LINE_BYTES: usize = 12;

/// Requests `/healthz` on a new connection, and returns the status of the answer. A server without room
/// for the connection answers 503.
///
/// # Errors
/// If the connection is refused, or what it answers is not HTTP or does not come within 5 seconds.
pub async fn probe(listener: SocketAddr) -> io::Result<u16> {
    let address = connectable(listener);
    let answer = async {
        let mut stream = TcpStream::connect(address).await?;
        let request =
            format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut start = [0; STATUS_LINE_BYTES];
        stream.read_exact(&mut start).await?;
        let start = str::from_utf8(&start).ok();
        let status = start.and_then(|start| start.strip_prefix("HTTP/1.1 ")?.parse().ok());
        status.ok_or_else(|| io::Error::other("the answer is not HTTP"))
    };
    timeout(TIMEOUT, answer).await?
}

/// Returns the address at which this machine reaches a listener: loopback if it listens on all addresses.
pub fn connectable(listener: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        _ => return listener,
    };
    SocketAddr::new(ip, listener.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_on_all_addresses_is_reached_over_loopback() {
        for (listener, reached) in [
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("192.0.2.7:80", "192.0.2.7:80"),
        ] {
            let address = connectable(listener.parse().unwrap());
            assert_eq!(address, reached.parse().unwrap());
        }
    }
}
