//! The answers to polls, and those that several viewers share.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::hub::TopicFilter;
use crate::model::{Cursor, Rev};
use crate::wire::{Frame, Message, SnapshotForm};

/// An answer is shared for so long: hello in it says what time it is.
const SHARED_FOR: Duration = Duration::from_secs(1);

/// PollCache kept for one rev. Above it they are encoded per viewer, which is slower and still
/// right: a bound on memory against someone who asks from every cursor for every combination of
/// pets.
const ANSWERS_KEPT: usize = 256;

/// The position of a poller, the pets it watches, and its form of snapshots.
pub type Asked = (Rev, TopicFilter, SnapshotForm);

/// PollCache that bring their askers to the same rev, by where they were and what they watch.
#[derive(Default)]
pub struct PollCache(Mutex<Option<Kept>>);

struct Kept {
    reaches: Rev,
    since: Instant,
    answers: HashMap<Asked, Bytes>,
}

impl PollCache {
    /// What `encode` makes, or made a moment before `now`, for those who asked from this rev for
    /// these pets and are brought to `reaches`.
    pub fn share(
        &self,
        asked: Asked,
        reaches: Rev,
        now: Instant,
        encode: impl FnOnce() -> Bytes,
    ) -> Bytes {
        let mut kept = self.0.lock().expect("no holder of this lock panics");
        let kept = match &mut *kept {
            Some(kept) if now < kept.since + SHARED_FOR && reaches <= kept.reaches => kept,
            old => old.insert(Kept {
                reaches,
                since: now,
                answers: HashMap::new(),
            }),
        };
        if reaches < kept.reaches {
            return encode();
        }
        if let Some(answer) = kept.answers.get(&asked) {
            return answer.clone();
        }
        // Encoded with the lock held: others who want it wait for this one.
        let answer = encode();
        if kept.answers.len() < ANSWERS_KEPT {
            kept.answers.insert(asked, answer.clone());
        }
        answer
    }
}

/// The messages of an answer, already encoded, with commas between.
pub struct Draft(String);

impl Draft {
    pub fn new(hello: &Message<'_>) -> Self {
        Draft(hello.to_json())
    }

    pub fn with(mut self, message: &Message<'_>) -> Self {
        self.push(&message.to_json());
        self
    }

    pub fn with_frames(mut self, frames: &[Frame]) -> Self {
        for frame in frames {
            self.push(frame.json());
        }
        self
    }

    pub fn finish(self, cursor: Cursor) -> Bytes {
        let messages = self.0;
        format!(r#"{{"cursor":"{cursor}","messages":[{messages}]}}"#).into()
    }

    fn push(&mut self, json: &str) {
        self.0.push(',');
        self.0.push_str(json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PetId;

    /// What is answered at `now` to one who asked from rev 1 for `pet` and is brought to `reaches`,
    /// if it is encoded as `text` when it has to be.
    fn answer(
        answers: &PollCache,
        pet: u64,
        reaches: u64,
        now: Instant,
        text: &'static str,
    ) -> Bytes {
        let filter = TopicFilter::new([PetId::new(pet).into()]).unwrap();
        let encode = || Bytes::from_static(text.as_bytes());
        answers.share(
            (Rev::new(1), filter, SnapshotForm::Whole),
            Rev::new(reaches),
            now,
            encode,
        )
    }

    #[test]
    fn an_answer_is_shared_by_those_who_ask_for_the_same_at_the_same_time() {
        let (answers, now) = (PollCache::default(), Instant::now());
        assert_eq!(answer(&answers, 7, 5, now, "first"), "first");
        assert_eq!(answer(&answers, 7, 5, now, "second"), "first");
        assert_eq!(
            answer(&answers, 8, 5, now, "of another pet"),
            "of another pet"
        );
        assert_eq!(answer(&answers, 7, 4, now, "older"), "older");
        assert_eq!(answer(&answers, 7, 5, now, "second"), "first");
        assert_eq!(answer(&answers, 7, 6, now, "newer"), "newer");
        assert_eq!(answer(&answers, 7, 6, now, "second"), "newer");
    }

    /// Once, an answer was kept until something changed, and a page that asked an hour later took
    /// the time in it for now.
    #[test]
    fn an_answer_is_not_shared_when_the_time_in_it_is_old() {
        let (answers, now) = (PollCache::default(), Instant::now());
        assert_eq!(answer(&answers, 7, 5, now, "first"), "first");
        let later = now + SHARED_FOR;
        assert_eq!(answer(&answers, 7, 5, later, "second"), "second");
    }
}
