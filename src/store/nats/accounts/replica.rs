//! This node's copy of the stream of accounts, up to the last message that was applied.

use async_nats::header::NATS_BATCH_ID;

use super::record::{LoggedEdit, decode_edit};
use crate::store::accounts::{AccountFollowers, AccountRecords};
use crate::store::nats::applier::valid;
use crate::store::nats::batch::BatchMessage;
use crate::store::nats::client::{NatsClient, unavailable};
use crate::store::nats::layout::StreamState;
use crate::store::nats::read;
use crate::store::nats::record::StoredMessage;
use crate::store::nats::subjects::STAFF;
use crate::store::{AccountEdit, StoreError};

/// Consecutive polls at which the stream must be behind this node before it is believed: a former
/// leader may say so for a moment.
const POLLS_BEHIND: u32 = 3;

/// Messages per read.
const MESSAGES_PER_READ: usize = 256;

/// The copy, and its followers.
#[derive(Default)]
pub struct AccountReplica {
    /// Time at which the stream was created, which identifies it.
    created: String,
    /// Sequence number of the last message that was applied, which is the version of the accounts.
    pub seq: u64,
    /// The accounts, sessions, tokens and audit entries.
    pub records: AccountRecords,
    /// Index of the subject of the newest audit entry that is not routine.
    pub admin_slot: u64,
    /// The followers, which are shown every edit.
    pub followers: AccountFollowers,
    polls_behind: u32,
    /// The ops of messages that were applied by a catch-up that failed after that.
    applied_ops: Vec<String>,
    /// True once a task keeps the copy current, which starts with the first follower.
    pub is_followed: bool,
}

impl AccountReplica {
    /// Replaces the copy with the state of the stream, and shows it to the followers.
    ///
    /// # Errors
    /// `Unavailable` if the servers do not answer; `Record` if pet-store did not write a message.
    pub async fn load(&mut self, client: &NatsClient) -> Result<(), StoreError> {
        let read = read::read_snapshot(
            client,
            &STAFF,
            AccountReplica::default,
            |loaded, message| loaded.apply_message(&message).map(drop),
        );
        let (state, loaded) = read.await?;
        (self.created, self.seq, self.records) = (state.created, loaded.seq, loaded.records);
        self.admin_slot = loaded.admin_slot;
        let accounts = self.records.account_set();
        self.followers
            .tell(|follower| follower.reset(accounts.clone(), self.seq));
        Ok(())
    }

    /// Applies all messages up to the end of the stream. Returns their ops, and those of the messages
    /// that earlier calls applied before they failed.
    pub async fn catch_up(&mut self, client: &NatsClient) -> Result<Vec<String>, StoreError> {
        let StreamState {
            created, last_seq, ..
        } = StreamState::request(client, &STAFF).await?;
        if last_seq < self.seq {
            self.polls_behind += 1;
        } else {
            self.polls_behind = 0;
        }
        if created != self.created || self.polls_behind >= POLLS_BEHIND {
            tracing::warn!(
                stream.name = STAFF.name,
                "the engine's stream of accounts was replaced; reading all of it again"
            );
            self.polls_behind = 0;
            self.applied_ops.clear();
            self.load(client).await?;
            return Ok(Vec::new());
        }
        while self.seq < last_seq {
            let (next, subjects) = (self.seq + 1, STAFF.subjects);
            let read = read::messages_from(client, &STAFF, subjects, next, MESSAGES_PER_READ);
            let messages = read.await?;
            if messages.is_empty() {
                return Err(unavailable("its replica lags"));
            }
            let ops = messages
                .iter()
                .filter_map(|message| message.headers.get(NATS_BATCH_ID));
            self.applied_ops
                .extend(ops.map(|op| op.as_str().to_owned()));
            self.apply(&messages);
        }
        Ok(std::mem::take(&mut self.applied_ops))
    }

    /// Applies a batch of this node that was stored directly after the message `last`.
    pub fn apply_batch(&mut self, last: u64, messages: Vec<BatchMessage>) {
        let stored = (last + 1..)
            .zip(messages)
            .map(|(seq, message)| StoredMessage {
                seq,
                subject: message.subject,
                headers: message.headers,
                payload: message.body.into(),
            });
        self.apply(&stored.collect::<Vec<_>>());
    }

    /// Applies consecutive messages, and shows their edits to the followers. A message that pet-store
    /// did not write is skipped; the messages around it, such as the end of a session, are applied.
    fn apply(&mut self, messages: &[StoredMessage]) {
        let mut edits = Vec::new();
        for message in messages {
            edits.extend(valid(self.apply_message(message)).flatten());
        }
        self.followers
            .tell(|follower| follower.apply(&edits, self.seq));
    }

    fn apply_message(
        &mut self,
        message: &StoredMessage,
    ) -> Result<Option<AccountEdit>, StoreError> {
        self.seq = message.seq;
        match decode_edit(message)? {
            LoggedEdit::Edit(edit) => {
                self.records.apply(edit.clone());
                return Ok(Some(edit));
            }
            LoggedEdit::Routine(number, entry) => self.records.add_audit_entry(number, entry),
            LoggedEdit::Admin(number, entry, slot) => {
                self.records.add_audit_entry(number, entry);
                self.admin_slot = slot;
            }
            LoggedEdit::Unknown => {}
        }
        Ok(None)
    }
}
