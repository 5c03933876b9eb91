//! Asking the servers something without a client, so that a test needs no runtime and waits for
//! nothing but the answer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use super::{READY_WITHIN, Servers};

impl Servers {
    /// Which server leads `stream`.
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

    /// Whether a server itself takes what is asked at `subject`, and not another for it.
    pub fn takes(&self, index: usize, subject: &str) -> bool {
        let monitor = self.servers[index].ports.monitor;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, monitor)).unwrap();
        let question = format!("GET /subsz?subs=1&test={subject} HTTP/1.0\r\n\r\n");
        stream.write_all(question.as_bytes()).unwrap();
        let mut subscriptions = String::new();
        stream.read_to_string(&mut subscriptions).unwrap();
        subscriptions.contains(&format!("\"subject\": \"{subject}\""))
    }

    /// Asks the first server that is there, without a client, and gives what it says.
    pub fn ask(&self, subject: &str) -> String {
        self.ask_with(subject, "")
    }

    /// The same, with a body.
    pub fn ask_with(&self, subject: &str, body: &str) -> String {
        self.try_ask(subject, body).expect("an answer")
    }

    pub(super) fn try_ask(&self, subject: &str, body: &str) -> Option<String> {
        let server = self.servers.iter().find(|server| server.child.is_some());
        let port = server.expect("a server is there").ports.clients;
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        let question = format!(
            "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {}\r\n{body}\r\n",
            body.len()
        );
        stream.write_all(question.as_bytes()).ok()?;
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        lines.find(|line| line.starts_with("MSG answer"))?;
        lines.next()
    }
}
