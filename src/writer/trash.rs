//! Deletes the pets that have been in the trash for their time.
//!
//! Every node of a cluster deletes; the first commit wins, and the others conflict or find no pet. Ages are
//! measured as those of the log (`Retention::present`), so a clock that is ahead deletes nothing.

use std::sync::Arc;

use super::command::Command;
use super::decision::Decision;
use super::retention::Retention;
use crate::clock::Clock;
use crate::hub::Hub;
use crate::model::{Author, ChangeSource, PetId, Removal, Signature};
use crate::store::{Engine, StoreError};

/// Pets deleted in one step: a short transaction, so that commands hardly wait for it.
pub const DELETE_STEP: usize = 100;

/// Name in the activity log. No account can have it, because it has a space.
const AUTHOR: &str = "pet-store itself";

/// Deletes pets whose time in the trash is over.
pub struct Trash(Retention);

impl Trash {
    /// Measures time with `clock`.
    pub fn new(clock: Clock) -> Self {
        Trash(Retention::new(Removal::KEPT_FOR, clock))
    }

    /// Deletes up to `DELETE_STEP` pets whose time is over, and returns their number.
    ///
    /// # Errors
    /// As for `Engine::commit`.
    pub fn delete_expired(&mut self, engine: &dyn Engine, hub: &Hub) -> Result<usize, StoreError> {
        let trash = hub.trash();
        if trash.is_empty() {
            return Ok(0);
        }
        let present = self.0.present(engine)?;
        let expired = trash.iter().filter(|pet| {
            let removed = pet.removed.as_ref();
            removed.is_some_and(|removal| removal.ends() <= present)
        });
        let expired: Vec<PetId> = expired.map(|pet| pet.id).take(DELETE_STEP).collect();
        if expired.is_empty() {
            return Ok(0);
        }
        let mut decision = Decision::new(hub);
        for pet in expired {
            // Fails if somebody has restored or deleted the pet since.
            let _ = decision.decide(&Command::Delete(pet), None, signature());
        }
        if decision.len() > 0 {
            decision.commit(engine)?;
        }
        Ok(decision.len())
    }

    /// Saves the present time for the next start, unless the trash is empty.
    ///
    /// # Errors
    /// As `Engine::save_present`.
    pub fn close(&mut self, engine: &dyn Engine, hub: &Hub) -> Result<(), StoreError> {
        if hub.trash().is_empty() {
            return Ok(());
        }
        self.0.close(engine)
    }

    /// Restarts the measurement after a jump of the wall clock, as `Retention::on_jump`.
    pub fn on_jump(&mut self) {
        self.0.on_jump();
    }
}

fn signature() -> Signature {
    let days = Removal::KEPT_FOR.as_secs() / 86_400;
    let author = Author {
        name: AUTHOR.to_owned(),
        client: format!("after {days} days in the trash"),
    };
    Signature {
        by: ChangeSource::Api,
        author: Some(Arc::new(author)),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::example::TestClock;
    use crate::metrics::Metrics;
    use crate::model::{Change, ChangeKind, Epoch, Profile, Timestamp, Visibility};
    use crate::store::MemoryEngine;
    use crate::writer::commit_all;

    const DAY: i64 = 24 * 60 * 60;

    struct Rig {
        engine: Arc<MemoryEngine>,
        hub: Arc<Hub>,
    }

    impl Rig {
        /// A board of `count` pets, all of which are removed now.
        fn with_removed(count: u64) -> Self {
            let engine = Arc::new(MemoryEngine::new(Epoch::new(1)));
            let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
            let rig = Rig { engine, hub };
            for pet in 1..=count {
                let add = Command::create(Profile::default());
                rig.commit(&[add, Command::remove(PetId::new(pet))]);
            }
            rig
        }

        fn commit(&self, commands: &[Command]) {
            commit_all(&*self.engine, &self.hub, commands, ChangeSource::Staff).unwrap();
        }

        fn delete(&self, trash: &mut Trash) -> usize {
            trash.delete_expired(&*self.engine, &self.hub).unwrap()
        }

        fn last(&self) -> Change {
            self.engine
                .history(PetId::FIRST, None, 1)
                .unwrap()
                .remove(0)
        }
    }

    #[test]
    fn a_pet_is_deleted_after_30_days_and_the_log_says_so_to_staff_only() {
        let rig = Rig::with_removed(1);
        let clock = TestClock::at(Timestamp::now());
        let mut trash = Trash::new(clock.clock());
        assert_eq!(rig.delete(&mut trash), 0);
        clock.pass(30 * DAY - 60);
        assert_eq!(rig.delete(&mut trash), 0, "a minute is left");
        clock.pass(120);
        let public = rig.hub.cursor();
        assert_eq!(rig.delete(&mut trash), 1);
        assert!(rig.hub.trash().is_empty());
        let last = rig.last();
        assert!(matches!(last.kind, ChangeKind::Gone(_)));
        assert_eq!(last.author.unwrap().name, AUTHOR);
        assert_eq!(last.visibility, Visibility::Hidden);
        assert_eq!(rig.hub.cursor(), public, "visitors learn nothing");
        assert_eq!(rig.delete(&mut trash), 0);
    }

    /// The clock was set to the wrong year for an hour, and everything in the trash was gone.
    #[test]
    fn a_clock_that_is_ahead_deletes_nothing() {
        let rig = Rig::with_removed(1);
        let ahead = Timestamp::from_micros(Timestamp::now().micros() + 400 * DAY * 1_000_000);
        let mut trash = Trash::new(TestClock::at(ahead).clock());
        assert_eq!(rig.delete(&mut trash), 0, "it was ahead at the start");
        let clock = TestClock::at(Timestamp::now());
        let mut trash = Trash::new(clock.clock());
        assert_eq!(rig.delete(&mut trash), 0);
        clock.jump(400 * DAY);
        trash.on_jump();
        assert_eq!(rig.delete(&mut trash), 0, "it jumped");
    }

    #[test]
    fn a_restored_pet_is_kept_and_the_work_of_a_step_is_bounded() {
        let rig = Rig::with_removed(DELETE_STEP as u64 + 2);
        rig.commit(&[Command::Restore(PetId::FIRST)]);
        let clock = TestClock::at(Timestamp::now());
        let mut trash = Trash::new(clock.clock());
        rig.delete(&mut trash);
        let removal = Removal::KEPT_FOR + Duration::from_mins(1);
        clock.pass(removal.as_secs().cast_signed());
        assert_eq!(rig.delete(&mut trash), DELETE_STEP);
        assert_eq!(rig.delete(&mut trash), 1);
        assert_eq!(rig.delete(&mut trash), 0);
        assert!(rig.hub.stored(PetId::FIRST).is_some());
    }
}
