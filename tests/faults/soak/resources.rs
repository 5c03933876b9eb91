//! The memory and the descriptors of a process.

use std::cell::Cell;

use rustix::process::Pid;

use crate::support::{Process, until};

/// The memory of the last third may be this factor above that of the first, and `SLACK_KIB`: an
/// allocator keeps a varying part of the memory that many clients needed.
const SHARE: f64 = 1.25;
const SLACK_KIB: f64 = 4096.0;

/// Samples of the descriptors of the first process, and of the memory of the last.
pub struct Resources {
    descriptors_before: usize,
    descriptors_after: Cell<usize>,
    memory_kib: Vec<u64>,
}

impl Resources {
    /// Starts with a process that has just started and has no client.
    pub fn new(process: &Process) -> Self {
        Resources {
            descriptors_before: descriptors(process.id()),
            descriptors_after: Cell::new(0),
            memory_kib: Vec::new(),
        }
    }

    pub fn sample(&mut self, process: &Process) {
        self.memory_kib.push(memory_kib(process.id()));
    }

    /// Waits until the process has no more descriptors than it began with.
    pub async fn until_released(&self, process: &Process) {
        until("every descriptor to be closed", async || {
            self.descriptors_after.set(descriptors(process.id()));
            self.descriptors_after.get() <= self.descriptors_before
        })
        .await;
    }

    pub fn assert_no_growth(&self) {
        let (first, last) = self.thirds();
        assert!(last <= first * SHARE + SLACK_KIB, "{}", self.memory());
    }

    pub fn memory(&self) -> String {
        let (first, last) = self.thirds();
        format!("{:.1} and {:.1} MiB", first / 1024.0, last / 1024.0)
    }

    pub fn descriptors(&self) -> String {
        format!(
            "{} and {}",
            self.descriptors_before,
            self.descriptors_after.get()
        )
    }

    /// The medians of the first third and the last.
    fn thirds(&self) -> (f64, f64) {
        let third = self.memory_kib.len().div_ceil(3);
        let (first, last) = (
            &self.memory_kib[..third],
            &self.memory_kib[self.memory_kib.len() - third..],
        );
        (median(first), median(last))
    }
}

fn median(values: &[u64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable();
    values[values.len() / 2] as f64
}

fn memory_kib(process: Pid) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

fn descriptors(process: Pid) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd"))
        .unwrap()
        .count()
}
