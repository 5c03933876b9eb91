//! Requests to the servers without a client, so that a test needs no runtime.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use super::{READY_WITHIN, Servers};

impl Servers {
    /// Returns the server that leads `stream`.
    pub fn leader_of(&self, stream: &str) -> usize {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let info = self.try_ask(&format!("$JS.API.STREAM.INFO.{stream}"), "");
            let info = info.unwrap_or_default();
            let leader = info.split("\"leader\":\"server-").nth(1);
            if let Some(leader) = leader.and_then(|leader| leader.chars().next()?.to_digit(10)) {
                return usize::try_from(leader).unwrap();
            }
            assert!(Instant::now() < deadline, "{stream} has no leader: {info}");
        }
    }

    /// Returns true if a server itself serves requests to `subject`.
    pub fn serves(&self, index: usize, subject: &str) -> bool {
        let monitor = self.servers[index].ports.monitor;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, monitor)).unwrap();
        let request = format!("GET /subsz?subs=1&test={subject} HTTP/1.0\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut subscriptions = String::new();
        stream.read_to_string(&mut subscriptions).unwrap();
        subscriptions.contains(&format!("\"subject\": \"{subject}\""))
    }

    /// Sends a request to the first running server. Returns the body of the answer.
    pub fn ask(&self, subject: &str) -> String {
        self.ask_with(subject, "")
    }

    /// Sends a request with a body.
    pub fn ask_with(&self, subject: &str, body: &str) -> String {
        self.try_ask(subject, body).expect("an answer")
    }

    pub(super) fn try_ask(&self, subject: &str, body: &str) -> Option<String> {
        let server = self.servers.iter().find(|server| server.child.is_some());
        let port = server.expect("a server runs").ports.clients;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let request = format!(
            "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {}\r\n{body}\r\n",
            body.len()
        );
        stream.write_all(request.as_bytes()).ok()?;
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("MSG answer"))?;
        lines.next()
    }
}
