//! What a node of a cluster promises of staff.

use std::sync::{Arc, Weak};

use super::NatsEngine;
use crate::model::{AuditEntry, Rev, Timestamp};
use crate::store::{AccountEdit, AccountFollower, AccountSet, AccountStore, StoreError};

impl AccountStore for NatsEngine {
    fn engine_time(&self) -> Option<Timestamp> {
        let ahead_ms = self.node.clock_ahead_ms()?;
        let micros = Timestamp::now()
            .micros()
            .saturating_sub(ahead_ms.saturating_mul(1000));
        Some(Timestamp::from_micros(micros))
    }

    fn account_set(&self) -> Result<AccountSet, StoreError> {
        Ok(self.runtime.block_on(self.staff.roster()))
    }

    fn follow_accounts(&self, follower: Weak<dyn AccountFollower>) -> Result<(), StoreError> {
        if self.runtime.block_on(self.staff.show_to(follower)) {
            self.spawn(Arc::clone(&self.staff).keep_up());
        }
        Ok(())
    }

    fn are_accounts_shared(&self) -> bool {
        true
    }

    fn catch_up_accounts(&self) -> Result<(), StoreError> {
        self.runtime.block_on(async {
            self.staff.reach.check_to_write().await?;
            self.staff.catch_up().await
        })
    }

    fn last_change(&self) -> Option<Rev> {
        Some(self.node.known().newest)
    }

    fn edit_accounts(&self, read: u64, edits: &[AccountEdit]) -> Result<u64, StoreError> {
        self.runtime.block_on(self.staff.edit(read, edits))
    }

    fn audit_entries(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(u64, AuditEntry)>, StoreError> {
        Ok(self
            .runtime
            .block_on(self.staff.audit_entries(before, limit)))
    }
}
