//! Measures whether a viewer of one pet costs only what it is sent.
//!
//! 1,000 pets change once per 10 s, and each of 10,000 viewers watches one of them: ten deliveries per
//! change. For comparison the same changes go to ten viewers of all pets, which is as many deliveries,
//! and to no viewer; and as many deliveries of fewer changes go to 10,000 viewers of all pets. In each
//! run one more viewer of all pets fills the change log.

use std::time::Duration;

use super::print_figure;
use crate::client::Transport;
use crate::report::seconds;
use crate::run::{Figures, Run, Watch, run};

const PETS: u32 = 1000;
const CHANGES_PER_S: f64 = 100.0;
const SECONDS: u64 = 20;
const ROUNDS: usize = 3;

pub fn compare(viewers: usize) -> anyhow::Result<()> {
    println!(
        "\nviewers of one pet each, compared with viewers of all pets with as many deliveries"
    );
    let one = Run {
        transport: Transport::Ws,
        viewers,
        changes_per_s: CHANGES_PER_S,
        pets: PETS,
        seconds: SECONDS,
        watch: Watch::One,
    };
    let ten = Run {
        viewers: viewers / PETS as usize + 1,
        watch: Watch::All,
        ..one
    };
    let none = Run { viewers: 1, ..ten };
    let all = Run {
        viewers: viewers + 1,
        changes_per_s: CHANGES_PER_S / f64::from(PETS),
        pets: 1,
        ..ten
    };
    let mut rounds: [Vec<Figures>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (asked, figures) in [one, ten, none, all].iter().zip(&mut rounds) {
            figures.push(run(asked)?);
        }
    }
    let [one, ten, none, all] = rounds.map(|figures| median_cpu(&figures));
    let cpu =
        |what: &str, time: Duration| print_figure(&format!("server CPU, {what}"), seconds(time));
    cpu(&format!("{viewers} viewers of one pet each"), one);
    cpu("the same changes to ten viewers of all pets", ten);
    cpu("the same changes to no viewer", none);
    cpu(
        &format!("as many deliveries to {viewers} viewers of all pets"),
        all,
    );
    print_figure(
        "one pet each, compared with ten viewers of all pets",
        ratio(one, ten),
    );
    let deliveries = ratio(one.saturating_sub(none), all);
    print_figure(
        "its deliveries alone, compared with those of all pets",
        deliveries,
    );
    Ok(())
}

fn median_cpu(figures: &[Figures]) -> Duration {
    let mut times: Vec<Duration> = figures.iter().map(|figures| figures.server_cpu).collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn ratio(one: Duration, other: Duration) -> String {
    format!(
        "x {:.2}",
        one.as_secs_f64() / other.as_secs_f64().max(0.005)
    )
}
