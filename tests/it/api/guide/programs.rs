//! The programs of the guide that follow changes, in JavaScript and Python. The server ends their connections again and
//! again, and they print each change once and in order all the same.

use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::{blocks, guide};
use crate::support::{spawn_app_with, within};

/// The server of the examples.
const EXAMPLE: &str = "https://pets.example";

/// Node.js has both since 20.18, from 22 on without being asked.
const NODE: [&str; 4] = [
    "--no-warnings",
    "--experimental-websocket",
    "--experimental-eventsource",
    "--input-type=module",
];

/// Exits with 0 if Node.js has both.
const HAS_BOTH: &str = "process.exit(globalThis.WebSocket && globalThis.EventSource ? 0 : 1)";

/// The age at which the server ends a connection. The programs are away for a second then, and browsers' streams
/// for a third of one.
const AGE: Duration = Duration::from_millis(400);

/// How long changes are made.
const DURATION: Duration = Duration::from_secs(4);

struct Program {
    lines: Lines<BufReader<ChildStdout>>,
    _child: Child,
}

impl Program {
    fn start(language: &str, text: &str, site: &str) -> Self {
        let mut text = text.replace(EXAMPLE, site);
        let mut command = if language == "js" {
            // Unlike a page, Node.js ends while an EventSource waits to reconnect.
            text.push_str("setInterval(() => {}, 60_000);");
            let mut node = Command::new("node");
            node.args(NODE).arg("-e");
            node
        } else {
            let mut python = Command::new("python3");
            python.arg("-c");
            python
        };
        let command = command
            .arg(text)
            .env("no_proxy", "*")
            .env_remove("NODE_OPTIONS");
        let command = command.stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        Program {
            lines: BufReader::new(child.stdout.take().unwrap()).lines(),
            _child: child,
        }
    }

    async fn next(&mut self) -> String {
        let line = within("a program to print a change", self.lines.next_line());
        line.await.unwrap().expect("the program goes on")
    }
}

/// Returns true if Node.js runs the programs in JavaScript. That of Debian 12 does not.
async fn has_node() -> bool {
    let mut node = Command::new("node");
    node.args(NODE).args(["-e", HAS_BOTH]).stderr(Stdio::null());
    node.status().await.is_ok_and(|status| status.success())
}

#[tokio::test]
async fn the_programs_of_the_guide_print_each_change_once_over_many_connections() {
    let app = spawn_app_with(|config| config.live.max_connection_age = AGE).await;
    let pet = app.add_pet("Biscuit").await;
    let guide = guide();
    let blocks = blocks(&guide).into_iter();
    let programs = blocks.filter(|(language, _)| ["js", "python"].contains(language));
    let mut texts: Vec<_> = programs.collect();
    assert_eq!(texts.len(), 3, "programs in the guide");
    if !has_node().await {
        eprintln!("SKIPPED: the programs in JavaScript; they need Node.js 20.18");
        texts.retain(|(language, _)| *language == "python");
    }
    let start = |(language, text)| Program::start(language, text, &app.url(""));
    let mut programs: Vec<Program> = texts.into_iter().map(start).collect();
    for program in &mut programs {
        assert_eq!(program.next().await, format!("pet {pet}: not-set-yet"));
    }
    let begun = Instant::now();
    while begun.elapsed() < DURATION {
        // A program that starts over gets the second of these alone, in a snapshot.
        let pair = ["eating", "playing"];
        for status in pair {
            app.set_status(pet, status).await;
        }
        for program in &mut programs {
            for status in pair {
                assert_eq!(program.next().await, format!("pet {pet}: {status}"));
            }
        }
    }
}
