//! Starts nginx with nchan, and publishes changes to it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};

use crate::measurements::now_micros;
use crate::run::Run;

/// The path of the module on Debian.
pub const MODULE: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";

/// Shortest pause between two changes, as in the other servers.
const SHORTEST_TICK: Duration = Duration::from_millis(5);
const STATUSES: [&str; 4] = ["eating", "bathing", "sleeping", "playing"];

/// Returns the command that starts nginx with our configuration in `folder`.
pub fn command(template: &Path, folder: &Path, port: u16) -> anyhow::Result<Command> {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(100_000);
    let configuration = std::fs::read_to_string(template)?
        .replace("{MODULE}", MODULE)
        .replace("{FOLDER}", &folder.to_string_lossy())
        .replace("{FILES}", &files.to_string())
        .replace("{PORT}", &port.to_string());
    let path = folder.join("nginx.conf");
    std::fs::write(&path, configuration)?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(path);
    command.arg("-e").arg(folder.join("error.log"));
    Ok(command)
}

/// Publishes changes over HTTP until it is dropped.
pub struct Publisher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    pub fn start(address: SocketAddr, run: &Run) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (told, pets, per_s) = (Arc::clone(&stop), u64::from(run.pets), run.changes_per_s);
        let thread = std::thread::spawn(move || {
            if let Err(error) = publish(&stream, &told, pets, per_s) {
                eprintln!("  the publisher ended: {error}");
            }
        });
        Ok(Publisher {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // The thread prints its own error.
            let _ = thread.join();
        }
    }
}

fn publish(
    mut stream: &TcpStream,
    stop: &AtomicBool,
    pets: u64,
    per_s: f64,
) -> std::io::Result<()> {
    let mut answers = BufReader::new(stream);
    let (start, mut rev) = (Instant::now(), 0_u64);
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(SHORTEST_TICK);
        let due = (start.elapsed().as_secs_f64() * per_s) as u64;
        while rev < due {
            rev += 1;
            let json = change(rev, pets);
            let length = json.len();
            let request = format!(
                "POST /pub HTTP/1.1\r\nHost: nchan\r\nContent-Length: {length}\r\n\r\n{json}"
            );
            stream.write_all(request.as_bytes())?;
            read_answer(&mut answers)?;
        }
    }
    Ok(())
}

fn change(rev: u64, pets: u64) -> String {
    let since = jiff::Timestamp::from_microsecond(now_micros()).unwrap_or_default();
    let (pet, status) = (rev % pets + 1, STATUSES[(rev * 7 % 4) as usize]);
    format!(
        r#"{{"type":"status","cursor":"9f2c41aa-{rev}","pet":{pet},"status":"{status}","since":"{since:.6}","by":"simulator"}}"#
    )
}

fn read_answer(answers: &mut impl BufRead) -> std::io::Result<()> {
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if answers.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let value = line.to_ascii_lowercase();
        if let Some(value) = value.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    answers.read_exact(&mut vec![0; length])
}
