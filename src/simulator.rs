//! Changes pets at random, for the demo and for load tests.
//!
//! Every pet gets a new status, different from its last, once per period. The pets take turns in the
//! order of their ids, evenly spread over the period. If there are several nodes, one of them simulates
//! at a time. The simulator uses the same commands as everyone else. With the same seed and the same
//! pets, a run repeats exactly.

mod portraits;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::prelude::IndexedRandom;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use tokio::time::{Instant, sleep_until};

pub use self::portraits::add_portraits;
pub use self::samples::sample_pets;
use crate::hub::Hub;
use crate::model::{Audience, ChangeSource, Pet, PetId, Status};
use crate::store::Duty;
use crate::writer::{Command, Writer};

/// Shortest pause between two batches of turns, so that thousands of changes per second do not need
/// as many wake-ups.
const MIN_PAUSE: Duration = Duration::from_millis(5);

/// Pause while there are no pets, or while another node simulates.
const IDLE_PAUSE: Duration = Duration::from_millis(500);

/// Changes pets until it is dropped.
pub struct Simulator {
    hub: Arc<Hub>,
    writer: Writer,
    period: Duration,
    turns: Turns<ChaCha8Rng>,
}

/// Chooses the next pet and its new status.
struct Turns<R> {
    random: R,
    last: Option<PetId>,
}

/// Returns the random number generator of a run. `ChaCha8` by name and not the standard one: a seed
/// must give the same run after an update.
pub fn seeded_random(seed: Option<u64>) -> ChaCha8Rng {
    match seed {
        Some(seed) => ChaCha8Rng::seed_from_u64(seed),
        None => ChaCha8Rng::from_rng(&mut rand::rng()),
    }
}

impl Simulator {
    /// Creates a simulator that changes every pet once per `period`.
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
            let pets = self.hub.board(Audience::Public).pets;
            let count = if self.hub.leads(Duty::Simulator) {
                pets.len()
            } else {
                0
            };
            let Ok(count @ 1..) = u32::try_from(count) else {
                due = Instant::now() + IDLE_PAUSE;
                sleep_until(due).await;
                continue;
            };
            let pause = self.period / count;
            due += pause;
            sleep_until(due.max(Instant::now() + MIN_PAUSE)).await;
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
            // The pet was removed, or the writer is busy. The next turn of the pet comes anyway.
            if let Err(error) = outcome {
                tracing::debug!(%error, "a simulated change failed");
            }
        }
    }
}

/// Returns how many turns are due at `now`, if the first of them was due at `due`, and when the last
/// of them was due. After a long delay each pet gets one turn; the other missed turns are dropped.
fn turns_due(due: Instant, now: Instant, pause: Duration, count: u32) -> (u32, Instant) {
    let late = now.saturating_duration_since(due);
    let missed = late.as_nanos() / pause.as_nanos().max(1);
    match u32::try_from(missed) {
        Ok(missed) if missed < count => (missed + 1, due + pause * missed),
        _ => (count, now),
    }
}

impl<R: Rng> Turns<R> {
    /// Returns the command for the next pet in the order of ids, with a status that it does not have.
    fn next(&mut self, pets: &[Arc<Pet>]) -> Option<Command> {
        let last = self.last;
        let following = pets.iter().find(|pet| Some(pet.id) > last);
        let pet = following.or_else(|| pets.first())?;
        self.last = Some(pet.id);
        let others = Status::FOUR.into_iter();
        let others: Vec<Status> = others.filter(|status| *status != pet.status).collect();
        let status = *others.choose(&mut self.random)?;
        Some(Command::set_status(pet.id, status))
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
        let random = seeded_random(Some(seed));
        let mut turns = Turns { random, last: None };
        let commands = (0..count).map(|_| turns.next(pets).unwrap());
        commands
            .map(|command| match command {
                Command::SetStatus { pet, edit } => (pet.get(), edit.status),
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
    fn a_pet_without_a_status_gets_one() {
        let mut pet = pet(3);
        pet.status = Status::NotSetYet;
        let taken = turns(1, &[Arc::new(pet)], 100);
        for status in Status::FOUR {
            assert!(taken.contains(&(3, status)));
        }
    }

    #[test]
    fn a_seed_repeats_a_run_and_another_seed_does_not() {
        let pets = pets(1..=6);
        assert_eq!(turns(7, &pets, 100), turns(7, &pets, 100));
        assert_ne!(turns(7, &pets, 100), turns(8, &pets, 100));
    }

    #[test]
    fn missed_turns_are_caught_up_with_at_most_one_per_pet() {
        let start = Instant::now();
        let pause = Duration::from_millis(10);
        assert_eq!(turns_due(start, start, pause, 100), (1, start));
        let later = start + Duration::from_millis(35);
        let last = start + Duration::from_millis(30);
        assert_eq!(turns_due(start, later, pause, 100), (4, last));
        let much_later = start + Duration::from_mins(1);
        assert_eq!(turns_due(start, much_later, pause, 100), (100, much_later));
    }
}
