//! Pets that change by themselves, for the demo and for load.
//!
//! Every pet gets a new status, different from its last, once per period; the pets take turns in
//! the order of their ids, evenly spread. Of several nodes one does this at a time. It uses the same
//! commands as everyone else. With a seed and the same pets, a run gives the same statuses to the
//! same pets in the same order.

mod samples;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::prelude::IndexedRandom;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use tokio::time::{Instant, sleep_until};

pub use self::samples::sample_pets;
use crate::hub::Hub;
use crate::model::{ChangeSource, Pet, PetId, Status};
use crate::writer::{Command, Writer};

/// The shortest pause between two rounds of turns. What is due by then goes together, so that
/// thousands of changes a second do not mean thousands of wake-ups.
const TICK: Duration = Duration::from_millis(5);

/// How long a board without pets is left alone, or one that another node looks after.
const IDLE: Duration = Duration::from_millis(500);

/// Takes turns with the pets until it is dropped.
pub struct Simulator {
    hub: Arc<Hub>,
    writer: Writer,
    period: Duration,
    turns: Turns<ChaCha8Rng>,
}

/// Whose turn it is, and what it does then.
struct Turns<R> {
    random: R,
    last: Option<PetId>,
}

/// The generator of a run. ChaCha8 by name and not "the standard one": a seed must mean the same
/// after an update.
pub fn random(seed: Option<u64>) -> ChaCha8Rng {
    match seed {
        Some(seed) => ChaCha8Rng::seed_from_u64(seed),
        None => ChaCha8Rng::from_rng(&mut rand::rng()),
    }
}

impl Simulator {
    pub fn new(hub: Arc<Hub>, writer: Writer, period: Duration, random: ChaCha8Rng) -> Self {
        Simulator {
            hub,
            writer,
            period,
            turns: Turns { random, last: None },
        }
    }

    /// Runs until the future is dropped.
    pub async fn run(mut self) {
        let mut due = Instant::now();
        loop {
            let pets = self.hub.board().pets;
            let pets = if self.hub.leads() {
                pets
            } else {
                Arc::default()
            };
            let Ok(count @ 1..) = u32::try_from(pets.len()) else {
                due = Instant::now() + IDLE;
                sleep_until(due).await;
                continue;
            };
            let pause = self.period / count;
            due += pause;
            sleep_until(due.max(Instant::now() + TICK)).await;
            let (turns, next_due) = turns_due(due, Instant::now(), pause, count);
            due = next_due;
            self.take_turns(&pets, turns).await;
        }
    }

    async fn take_turns(&mut self, pets: &[Arc<Pet>], turns: u32) {
        let commands = (0..turns).filter_map(|_| self.turns.next(pets));
        let commits: Vec<_> = commands
            .map(|command| self.writer.commit(command, ChangeSource::Simulator))
            .collect();
        for outcome in join_all(commits).await {
            // A pet that was removed a moment ago, or a writer that is busy: its turn comes again.
            if let Err(error) = outcome {
                tracing::debug!(%error, "a simulated change was not made");
            }
        }
    }
}

/// How many turns are due at `now`, the first of them at `due`, and when the last of them was due.
/// After a long delay one turn for every pet is enough; the rest is forgotten.
fn turns_due(due: Instant, now: Instant, pause: Duration, count: u32) -> (u32, Instant) {
    let late = now.saturating_duration_since(due);
    let missed = late.as_nanos() / pause.as_nanos().max(1);
    match u32::try_from(missed) {
        Ok(missed) if missed < count => (missed + 1, due + pause * missed),
        _ => (count, now),
    }
}

impl<R: Rng> Turns<R> {
    /// The next pet in the order of ids, and a status that it does not have.
    fn next(&mut self, pets: &[Arc<Pet>]) -> Option<Command> {
        let after = self.last;
        let following = pets.iter().find(|pet| Some(pet.id) > after);
        let pet = following.or_else(|| pets.first())?;
        self.last = Some(pet.id);
        let others = Status::ALL.map(|status| (status != pet.status).then_some(status));
        let others: Vec<Status> = others.into_iter().flatten().collect();
        let status = *others.choose(&mut self.random)?;
        let pet = pet.id;
        Some(Command::set_status(pet, status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::example::pet;

    fn pets(ids: impl IntoIterator<Item = u64>) -> Vec<Arc<Pet>> {
        ids.into_iter().map(|id| Arc::new(pet(id))).collect()
    }

    fn turns(seed: u64, pets: &[Arc<Pet>], count: usize) -> Vec<(u64, Status)> {
        let random = random(Some(seed));
        let mut turns = Turns { random, last: None };
        let commands = (0..count).map(|_| turns.next(pets).unwrap());
        commands
            .map(|command| match command {
                Command::SetStatus { pet, status, .. } => (pet.get(), status),
                other => panic!("the simulator only sets statuses, not {other:?}"),
            })
            .collect()
    }

    #[test]
    fn pets_take_turns_and_never_keep_their_status() {
        let taken = turns(1, &pets([3, 5, 9]), 300);
        for (turn, (pet, status)) in taken.iter().enumerate() {
            assert_eq!(*pet, [3, 5, 9][turn % 3]);
            assert_ne!(*status, Status::Sleeping);
        }
        for status in [Status::Eating, Status::Bathing, Status::Playing] {
            assert!(taken.iter().filter(|(_, taken)| *taken == status).count() > 50);
        }
    }

    #[test]
    fn a_seed_repeats_a_run_and_another_seed_does_not() {
        let pets = pets(1..=6);
        assert_eq!(turns(7, &pets, 100), turns(7, &pets, 100));
        assert_ne!(turns(7, &pets, 100), turns(8, &pets, 100));
    }

    #[test]
    fn turns_that_were_missed_are_caught_up_with_but_at_most_one_for_every_pet() {
        let start = Instant::now();
        let pause = Duration::from_millis(10);
        assert_eq!(turns_due(start, start, pause, 100), (1, start));
        let later = start + Duration::from_millis(35);
        let last = start + Duration::from_millis(30);
        assert_eq!(turns_due(start, later, pause, 100), (4, last));
        let much_later = start + Duration::from_secs(60);
        assert_eq!(turns_due(start, much_later, pause, 100), (100, much_later));
    }
}
