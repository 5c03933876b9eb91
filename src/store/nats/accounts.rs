//! What a node of a cluster promises of staff.

use std::sync::{Arc, Weak};

use super::NatsEngine;
use crate::model::{Deed, Moment, Rev};
use crate::store::{Accounts, Roster, RosterEdit, RosterFollower, StoreError};

impl Accounts for NatsEngine {
    fn engine_time(&self) -> Option<Moment> {
        let ahead_ms = self.node.clock_ahead_ms()?;
        let micros = Moment::now()
            .micros()
            .saturating_sub(ahead_ms.saturating_mul(1000));
        Some(Moment::from_micros(micros))
    }

    fn roster(&self) -> Result<Roster, StoreError> {
        Ok(self.runtime.block_on(self.staff.roster()))
    }

    fn follow_roster(&self, follower: Weak<dyn RosterFollower>) -> Result<(), StoreError> {
        if self.runtime.block_on(self.staff.show_to(follower)) {
            self.spawn(Arc::clone(&self.staff).keep_up());
        }
        Ok(())
    }

    fn is_roster_shared(&self) -> bool {
        true
    }

    fn catch_up_roster(&self) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            self.staff.reach.check_to_write().await?;
            self.staff.catch_up().await
        })
    }

    fn last_change(&self) -> Option<Rev> {
        Some(self.node.known().newest)
    }

    fn edit_roster(&self, read: u64, edits: &[RosterEdit]) -> Result<u64, StoreError> {
        self.runtime.block_on(self.staff.edit(read, edits))
    }

    fn deeds(&self, before: Option<u64>, limit: usize) -> Result<Vec<(u64, Deed)>, StoreError> {
        Ok(self.runtime.block_on(self.staff.deeds(before, limit)))
    }
}
