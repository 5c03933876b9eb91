//! Prints one line per run, under one heading.

use std::time::Duration;

use crate::run::{Figures, Run};

/// The part of a core that other processes may use during a measurement.
const MAX_OTHERS: f64 = 0.2;

pub fn heading() {
    println!(
        "{:<34} {:>9} {:>11} {:>9} {:>8} {:>8} {:>9} {:>9}  fell behind",
        "run", "joins/s", "deliveries", "k/CPU-s", "p50", "p99", "p99.9", "B/viewer"
    );
}

pub fn line(run: &Run, figures: &Figures) {
    println!(
        "{:<34} {:>9.0} {:>11} {:>9.1} {:>8} {:>8} {:>9} {:>9}  {}",
        run.name(),
        figures.connects_per_s(),
        figures.deliveries,
        figures.deliveries_per_cpu_s() / 1e3,
        micros(figures.p50),
        micros(figures.p99),
        micros(figures.p999),
        figures.bytes_per_viewer,
        behind(run, figures),
    );
}

/// Describes what fell behind. Also says if the client was the bottleneck, or if other processes used
/// the machine.
pub fn behind(run: &Run, figures: &Figures) -> String {
    let mut words = Vec::new();
    if figures.live < run.viewers {
        words.push(format!("only {} connected", figures.live));
    }
    if figures.late > 0 {
        words.push(format!("{} viewers over 1 s late", figures.late));
    }
    if figures.lost > 0 {
        words.push(format!("{} viewers LOST changes", figures.lost));
    }
    if figures.behind > 0 {
        let (viewers, changes) = (figures.behind, figures.skipped);
        words.push(format!(
            "{viewers} viewers skipped {changes} replaced changes"
        ));
    }
    let share = |cpu: Duration| cpu.as_secs_f64() / figures.measured.as_secs_f64().max(0.001);
    let (client, others) = (share(figures.client_cpu), share(figures.others_cpu));
    if client > 0.85 {
        words.push(format!("the client was {:.0} % busy", client * 100.0));
    }
    if others > MAX_OTHERS {
        words.push(format!(
            "NOT ALONE: other processes used {:.0} % of a core",
            others * 100.0
        ));
    }
    if words.is_empty() {
        "nothing".to_owned()
    } else {
        words.join(", ")
    }
}

/// Formats microseconds.
pub fn micros(micros: u64) -> String {
    match micros {
        0..10_000 => format!("{:.2} ms", micros as f64 / 1e3),
        10_000..1_000_000 => format!("{:.0} ms", micros as f64 / 1e3),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// Formats a duration.
pub fn seconds(time: Duration) -> String {
    micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
