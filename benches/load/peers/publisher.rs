//! Publishes changes to a peer that does not make them itself.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::measurements::now_micros;
use crate::run::Run;

/// Shortest pause between two changes, as in the other servers.
const SHORTEST_TICK: Duration = Duration::from_millis(5);
const STATUSES: [&str; 4] = ["eating", "bathing", "sleeping", "playing"];

/// A connection to a peer, over which changes are posted.
pub struct Publisher {
    stream: TcpStream,
    answers: BufReader<TcpStream>,
}

impl Publisher {
    pub fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let answers = BufReader::new(stream.try_clone()?);
        Ok(Publisher { stream, answers })
    }

    /// Creates what changes are posted to.
    pub fn create(&mut self, path: &str) -> io::Result<()> {
        self.request("PUT", path, "")
    }

    fn request(&mut self, method: &str, path: &str, body: &str) -> io::Result<()> {
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: peer\r\nContent-Type: text/plain\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.stream.write_all(request.as_bytes())?;
        read_answer(&mut self.answers)
    }
}

/// The thread that publishes changes until this is dropped.
pub struct Publishing {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Publishing {
    /// Posts each change, followed by `end`, to `path`.
    pub fn start(
        mut publisher: Publisher,
        path: &'static str,
        end: &'static str,
        run: &Run,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, pets, per_s) = (Arc::clone(&stop), u64::from(run.pets), run.changes_per_s);
        let thread = std::thread::spawn(move || {
            let (start, mut rev) = (Instant::now(), 0_u64);
            while !told.load(Ordering::Relaxed) {
                std::thread::sleep(SHORTEST_TICK);
                let due = (start.elapsed().as_secs_f64() * per_s) as u64;
                while rev < due {
                    rev += 1;
                    let body = change(rev, pets) + end;
                    if let Err(error) = publisher.request("POST", path, &body) {
                        return eprintln!("  the publisher ended: {error}");
                    }
                }
            }
        });
        Publishing {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread prints its own error.
            let _ = thread.join();
        }
    }
}

fn change(rev: u64, pets: u64) -> String {
    let since = jiff::Timestamp::from_microsecond(now_micros()).unwrap_or_default();
    let (pet, status) = (rev % pets + 1, STATUSES[(rev * 7 % 4) as usize]);
    format!(
        r#"{{"type":"status","cursor":"9f2c41aa-{rev}","pet":{pet},"status":"{status}","since":"{since:.6}","by":"simulator"}}"#
    )
}

fn read_answer(answers: &mut impl BufRead) -> io::Result<()> {
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if answers.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let value = line.to_ascii_lowercase();
        if let Some(value) = value.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    answers.read_exact(&mut vec![0; length])
}
