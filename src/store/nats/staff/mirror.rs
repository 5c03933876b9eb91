//! What a node knows of staff: everything, up to the last message of their stream that it passed.

use super::message::{self, Passed};
use crate::store::accounts::{AccountFollowers, AccountRecords};
use crate::store::nats::batch::OP;
use crate::store::nats::link::Link;
use crate::store::nats::load;
use crate::store::nats::message::Entry;
use crate::store::nats::read;
use crate::store::nats::state::StreamState;
use crate::store::nats::subjects::STAFF;
use crate::store::{AccountEdit, StoreError};

/// Looks in a row at which the stream must be behind this node: a server that was leader until a
/// moment ago may say so once.
const LOOKS_BEHIND: u32 = 3;

/// Messages that are read at once.
const FILLED_AT_ONCE: usize = 256;

#[derive(Default)]
pub struct Mirror {
    /// Which stream it is: when that was made.
    created: String,
    /// The last message that was passed, which is the version of the roster.
    pub seq: u64,
    pub kept: AccountRecords,
    /// The number of the subject of the newest audit_entry that is not routine.
    pub admin_slot: u64,
    pub followers: AccountFollowers,
    looks_behind: u32,
    /// The ops of messages that were passed by a catch-up that then failed.
    passed_ops: Vec<String>,
    /// Whether a task keeps it up, as it does once there is a follower.
    pub is_kept_up: bool,
}

impl Mirror {
    /// Reads everything, and shows it.
    pub async fn load(&mut self, link: &Link) -> Result<(), StoreError> {
        let (state, loaded) = load::load(link, &STAFF, Mirror::default, |loaded, entry| {
            loaded.take(&entry).map(drop)
        })
        .await?;
        (self.created, self.seq, self.kept) = (state.created, loaded.seq, loaded.kept);
        self.admin_slot = loaded.admin_slot;
        let roster = self.kept.account_set();
        self.followers
            .tell(|follower| follower.reset(roster.clone(), self.seq));
        Ok(())
    }

    /// Passes all messages up to the end of the stream. Returns their ops, and those of the messages
    /// that were passed by earlier calls which failed.
    pub async fn catch_up(&mut self, link: &Link) -> Result<Vec<String>, StoreError> {
        let StreamState {
            created, last_seq, ..
        } = StreamState::ask(link, &STAFF).await?;
        self.looks_behind = match last_seq < self.seq {
            true => self.looks_behind + 1,
            false => 0,
        };
        if created != self.created || self.looks_behind >= LOOKS_BEHIND {
            tracing::warn!("the engine's stream of staff is another; it is read anew");
            self.looks_behind = 0;
            self.passed_ops.clear();
            self.load(link).await?;
            return Ok(Vec::new());
        }
        while self.seq < last_seq {
            let (next, subjects) = (self.seq + 1, STAFF.subjects);
            let entries = read::following(link, &STAFF, subjects, next, FILLED_AT_ONCE).await?;
            if entries.is_empty() {
                return Err(StoreError::Unavailable("its copy is behind".to_owned()));
            }
            self.passed_ops.extend(entries.iter().filter_map(op_of));
            self.pass(&entries);
        }
        Ok(std::mem::take(&mut self.passed_ops))
    }

    /// Passes messages that follow each other, and shows what they change. One that no pet-store
    /// wrote is passed over: it must not take away what came with it, such as the end of a session.
    pub fn pass(&mut self, entries: &[Entry]) {
        let mut edits = Vec::new();
        for entry in entries {
            match self.take(entry) {
                Ok(edit) => edits.extend(edit),
                Err(error) => {
                    tracing::error!(%error, "a message about staff is passed over");
                }
            }
        }
        self.followers
            .tell(|follower| follower.apply(&edits, self.seq));
    }

    fn take(&mut self, entry: &Entry) -> Result<Option<AccountEdit>, StoreError> {
        self.seq = entry.seq;
        match message::read(entry)? {
            Passed::Edit(edit) => {
                self.kept.apply(edit.clone());
                return Ok(Some(edit));
            }
            Passed::AuditEntry(number, audit_entry) => self.kept.note(number, audit_entry),
            Passed::AdminDeed(number, audit_entry, slot) => {
                self.kept.note(number, audit_entry);
                self.admin_slot = slot;
            }
            Passed::Other => {}
        }
        Ok(None)
    }
}

fn op_of(entry: &Entry) -> Option<String> {
    Some(entry.headers.get(OP)?.as_str().to_owned())
}
