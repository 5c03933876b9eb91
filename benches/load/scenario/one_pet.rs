//! Does a viewer of one pet cost only what it is sent?
//!
//! 1,000 pets change once in 10 s, and each of 10,000 viewers watches one of them: ten deliveries
//! a change. Beside it the same changes go to ten viewers who watch all of them, which is as many
//! deliveries, and to nobody; and as many deliveries of fewer changes go to 10,000 who watch all.
//! In each of them one more viewer of all holds the deliveries against what happened.

use std::time::Duration;

use super::say;
use crate::client::Transport;
use crate::report::seconds;
use crate::run::{Figures, Run, Watch, run};

const PETS: u32 = 1000;
const CHANGES_PER_S: f64 = 100.0;
const SECONDS: u64 = 20;
const ROUNDS: usize = 3;

pub fn compare(viewers: usize) -> anyhow::Result<()> {
    println!("\nviewers of one pet each, beside viewers of all with as many deliveries");
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
    let nobody = Run { viewers: 1, ..ten };
    let all = Run {
        viewers: viewers + 1,
        changes_per_s: CHANGES_PER_S / f64::from(PETS),
        pets: 1,
        ..ten
    };
    let mut rounds: [Vec<Figures>; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (asked, figures) in [one, ten, nobody, all].iter().zip(&mut rounds) {
            figures.push(run(asked)?);
        }
    }
    let [one, ten, nobody, all] = rounds.map(|figures| median_cpu(&figures));
    let cpu = |what: &str, time: Duration| say(&format!("server CPU, {what}"), seconds(time));
    cpu(&format!("{viewers} viewers of one pet each"), one);
    cpu("the same changes to ten viewers of all", ten);
    cpu("the same changes to nobody", nobody);
    cpu(
        &format!("as many deliveries to {viewers} viewers of all"),
        all,
    );
    say("one pet each, beside ten viewers of all", ratio(one, ten));
    let deliveries = ratio(one.saturating_sub(nobody), all);
    say("its deliveries alone, beside those to all", deliveries);
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
