//! A server for three viewers that mistreats the third.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::measurements::now_micros;

pub const EPOCH: &str = "9f2c41aa";

/// Pets take turns, so a change is replaced ten changes later.
pub const PETS: u64 = 10;
pub const CHANGES: u64 = 100;

/// Pause between two changes.
const PAUSE: Duration = Duration::from_millis(3);

/// What is done to the third viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// Sends every byte in a write of its own.
    InPieces,
    /// Sends nothing for a while, and then the newest status of each pet.
    NewestOfEachAfterPause,
    /// Sends nothing for a while, and then a snapshot.
    SnapshotAfterPause,
    DropOne,
    DropLast,
    Repeat,
    Swap,
    Alter,
    /// Closes the connection half way.
    Leave,
}

pub struct FaultyServer {
    pub address: SocketAddr,
}

/// The connection of a viewer.
struct Stream {
    socket: TcpStream,
    is_ws: bool,
}

impl FaultyServer {
    /// Starts a server that ends by itself after its last change.
    pub fn start(fault: Fault) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            // Fails if a viewer disconnects, which the report then says.
            let _ = run(&listener, fault);
        });
        Ok(FaultyServer { address })
    }
}

fn run(listener: &TcpListener, fault: Fault) -> std::io::Result<()> {
    let mut streams = Vec::new();
    for _ in 0..3 {
        streams.push(Stream::accept(listener)?);
    }
    let mut sent: Vec<String> = Vec::new();
    for rev in 1..=CHANGES {
        std::thread::sleep(PAUSE);
        let change = change(rev);
        streams[0].send(&change)?;
        streams[1].send(&change)?;
        sent.push(change);
        send_with_fault(&mut streams[2], fault, rev, &sent)?;
    }
    // Waits until the viewers are checked and closed.
    streams[0].socket.read(&mut [0; 16]).map(drop)
}

/// Sends the change of `rev`, the last of `sent`, as `fault` says.
fn send_with_fault(
    stream: &mut Stream,
    fault: Fault,
    rev: u64,
    sent: &[String],
) -> std::io::Result<()> {
    let at = |rev: u64| &sent[usize::try_from(rev - 1).unwrap_or(0)];
    let change = at(rev);
    match (fault, rev) {
        (Fault::InPieces, _) => stream.send_in_pieces(change),
        (Fault::NewestOfEachAfterPause | Fault::SnapshotAfterPause, 30..=69)
        | (Fault::DropOne | Fault::Swap, 50)
        | (Fault::DropLast, CHANGES)
        | (Fault::Leave, 51..) => Ok(()),
        (Fault::NewestOfEachAfterPause, 70) => (61..=70).try_for_each(|rev| stream.send(at(rev))),
        (Fault::SnapshotAfterPause, 70) => stream.send(&format!(
            r#"{{"type":"snapshot","cursor":"{EPOCH}-70","pets":[]}}"#
        )),
        (Fault::Repeat, 50) => stream.send(change).and_then(|()| stream.send(change)),
        (Fault::Swap, 51) => stream.send(change).and_then(|()| stream.send(at(50))),
        (Fault::Alter, 50) => stream.send(&change.replace("eating", "eaten!")),
        (Fault::Leave, 50) => stream.socket.shutdown(std::net::Shutdown::Both),
        _ => stream.send(change),
    }
}

fn change(rev: u64) -> String {
    let pet = (rev - 1) % PETS + 1;
    let since = jiff::Timestamp::from_microsecond(now_micros()).unwrap_or_default();
    format!(
        r#"{{"type":"status","cursor":"{EPOCH}-{rev}","pet":{pet},"status":"eating","since":"{since:.6}","by":"simulator"}}"#
    )
}

impl Stream {
    /// Accepts a viewer over the transport that it asks for.
    fn accept(listener: &TcpListener) -> std::io::Result<Self> {
        let (mut socket, _) = listener.accept()?;
        socket.set_nodelay(true)?;
        let mut request = [0; 1024];
        let length = socket.read(&mut request)?;
        let is_ws = request[..length].starts_with(b"GET /live/ws");
        let head = if is_ws {
            "101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade"
        } else {
            "200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"
        };
        write!(socket, "HTTP/1.1 {head}\r\n\r\n")?;
        let mut stream = Stream { socket, is_ws };
        stream.send(&format!(r#"{{"type":"hello","cursor":"{EPOCH}-0"}}"#))?;
        Ok(stream)
    }

    fn send(&mut self, json: &str) -> std::io::Result<()> {
        let bytes = self.frame(json);
        self.socket.write_all(&bytes)
    }

    fn send_in_pieces(&mut self, json: &str) -> std::io::Result<()> {
        let bytes = self.frame(json);
        bytes
            .iter()
            .try_for_each(|byte| self.socket.write_all(&[*byte]))
    }

    fn frame(&self, json: &str) -> Vec<u8> {
        if self.is_ws {
            let size = u16::try_from(json.len()).unwrap_or(0).to_be_bytes();
            return [&[0x81, 126][..], &size, json.as_bytes()].concat();
        }
        let event = format!("event: status\ndata: {json}\n\n");
        format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
    }
}
