//! What a commit is compared with: which message must be the last of each subject that it writes.

use super::batch::Outgoing;
use super::message::{self, LEADING};
use super::subjects::{NEXT_PET, PET, TICK};
use crate::store::AppliedChange;

/// The sequence numbers of the last messages that a commit was decided at; 0 for none.
#[derive(Debug, PartialEq, Eq)]
pub struct Expected {
    /// Of the next id, where a created pet moves it on.
    pub next_pet: Option<u64>,
    /// Of the tick, which a simulator moves on: of several that believe to be the only one, one
    /// does.
    pub tick: Option<u64>,
    /// For each put, of its pet; `None` for one that follows another of its pet.
    pub pets: Vec<Option<u64>>,
}

impl Expected {
    /// How many messages the commit is.
    pub fn messages(&self) -> usize {
        let leading = [self.next_pet, self.tick];
        leading.iter().flatten().count() + self.pets.len()
    }

    /// The messages that commit `puts`: first those that are no changes, then one for each.
    pub fn compose(&self, proposed: &[AppliedChange]) -> Vec<Outgoing> {
        let mut messages = self.leading(proposed);
        let leading = messages.len().to_string();
        messages.extend(proposed.iter().zip(&self.pets).map(|(put, expected)| {
            let (mut headers, body) = message::write(put);
            headers.push((LEADING, leading.clone()));
            Outgoing {
                subject: format!("{PET}{}", put.change.pet),
                expected: *expected,
                headers,
                body,
            }
        }));
        messages
    }

    fn leading(&self, proposed: &[AppliedChange]) -> Vec<Outgoing> {
        let next = proposed.iter().map(|put| put.change.pet.next()).max();
        let next = next.map(|id| id.to_string()).unwrap_or_default();
        let records = [
            (NEXT_PET, self.next_pet, next),
            (TICK, self.tick, "tick".to_owned()),
        ];
        let moved = records
            .into_iter()
            .filter(|(_, expected, _)| expected.is_some());
        let messages = moved.map(|(subject, expected, record)| Outgoing {
            subject: subject.to_owned(),
            expected,
            headers: Vec::new(),
            body: record.into_bytes(),
        });
        messages.collect()
    }
}
