//! Imports: many pets that are added in one transaction, or not at all.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::authorization::{Authorization, Signer};
use super::command::{Command, WriteError};
use super::decision::Decision;
use super::key::IdempotencyKey;
use super::{CONFLICT_RETRIES, WriterThread};
use crate::model::Profile;

/// Pets that wait for the writer, and the channel for its answer.
pub struct PendingImport {
    pub pets: Vec<Profile>,
    /// Key of the form. The key of each pet is made of it and the place of the pet.
    pub key: String,
    pub signer: Signer,
    pub answer: oneshot::Sender<Result<(), WriteError>>,
}

impl PendingImport {
    /// Adds the pets until that no longer conflicts with another node, and answers.
    pub fn commit(self, thread: &mut WriterThread) {
        let mut outcome = self.try_commit(thread);
        for _ in 0..CONFLICT_RETRIES {
            if outcome == Err(WriteError::Conflict) {
                outcome = self.try_commit(thread);
            }
        }
        // Fails if the caller is gone; the pets were added anyway.
        let _ = self.answer.send(outcome);
    }

    fn try_commit(&self, thread: &mut WriterThread) -> Result<(), WriteError> {
        let hub = Arc::clone(&thread.hub);
        let authorization = self.signer.authorization();
        authorization.map_or(Ok(()), Authorization::refresh)?;
        // Held until the commit has ended: a revocation waits for it.
        let _guard = authorization.map(Authorization::check).transpose()?;
        let mut decision = Decision::new(&hub);
        for (place, pet) in self.pets.iter().enumerate() {
            let key = IdempotencyKey::from_form(&format!("{}-{place}", self.key));
            let signature = self.signer.signature.clone();
            decision.decide(&Command::create(pet.clone()), Some(&key), signature)?;
        }
        thread.commit(&decision).map(|_| ())
    }
}
