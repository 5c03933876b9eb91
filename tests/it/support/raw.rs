//! A TCP connection for requests that no library sends.

use std::net::SocketAddr;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::wait::within;

/// A connection without HTTP.
pub struct Raw(TcpStream);

impl Raw {
    pub async fn open(address: SocketAddr) -> Self {
        Raw(TcpStream::connect(address).await.unwrap())
    }

    /// Opens a connection with a small receive buffer, so that it is full soon if nothing is read.
    pub fn open_narrow(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&address.into()).unwrap();
        socket.set_nonblocking(true).unwrap();
        Raw(TcpStream::from_std(socket.into()).unwrap())
    }

    /// Sends `text`. Ignores errors: the test sees in the response that the peer has disconnected.
    pub async fn send(&mut self, text: &str) {
        let _ = self.0.write_all(text.as_bytes()).await;
    }

    /// Reads up to and including `end`, or up to the end of the connection.
    pub async fn read_until(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        within("an answer on a raw connection", async {
            while !String::from_utf8_lossy(&read).contains(end) {
                match self.0.read_buf(&mut read).await {
                    Ok(1..) => {}
                    _ => break,
                }
            }
        })
        .await;
        String::from_utf8_lossy(&read).into_owned()
    }

    /// As `read_until`; `None` if `end` does not come within `time`.
    pub async fn try_read_until(&mut self, end: &str, time: Duration) -> Option<String> {
        let mut read = Vec::new();
        let reading = async {
            while !String::from_utf8_lossy(&read).contains(end) {
                match self.0.read_buf(&mut read).await {
                    Ok(1..) => {}
                    _ => break,
                }
            }
        };
        timeout(time, reading).await.ok()?;
        Some(String::from_utf8_lossy(&read).into_owned())
    }

    /// Reads up to the end of the connection.
    pub async fn read_to_end(&mut self) -> String {
        self.read_until("\u{0}no such text\u{0}").await
    }
}

/// Sends `text` over a new connection, and reads the head of the response.
pub async fn ask(address: SocketAddr, text: &str) -> String {
    ask_until(address, text, "\r\n\r\n").await
}

/// Sends `text` over a new connection, and reads until `end`.
pub async fn ask_until(address: SocketAddr, text: &str, end: &str) -> String {
    let mut raw = Raw::open(address).await;
    raw.send(text).await;
    raw.read_until(end).await
}
