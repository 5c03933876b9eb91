//! Prints the progress of a run in one line on stderr.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line is written.
const ON_TERMINAL: Duration = Duration::from_millis(500);
const IN_FILE: Duration = Duration::from_secs(10);

pub struct Progress {
    label: String,
    is_terminal: bool,
    shown: Instant,
}

impl Progress {
    pub fn new(label: impl Into<String>) -> Self {
        Progress {
            label: label.into(),
            is_terminal: std::io::stderr().is_terminal(),
            shown: Instant::now(),
        }
    }

    pub fn tick(&mut self, live: usize, opened: usize, deliveries: u64) {
        let every = if self.is_terminal {
            ON_TERMINAL
        } else {
            IN_FILE
        };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let label = &self.label;
        let line = format!("{label}: {live} of {opened} live, {deliveries} deliveries");
        let mut stderr = std::io::stderr();
        // Fails only if stderr is closed.
        let _ = if self.is_terminal {
            write!(stderr, "\r{line:<78}\r")
        } else {
            writeln!(stderr, "  {line}")
        };
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_terminal {
            let _ = write!(std::io::stderr(), "\r{:<78}\r", "");
        }
    }
}
