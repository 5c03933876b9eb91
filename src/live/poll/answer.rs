//! The answers to polls, and those that several viewers share.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;

use crate::hub::Filter;
use crate::model::{Cursor, Rev};
use crate::wire::{Frame, Message};

/// Answers kept for one rev. Above it they are encoded per viewer, which is slower and still
/// right: a bound on memory against someone who asks from every cursor for every combination of
/// pets.
const ANSWERS_KEPT: usize = 256;

/// Answers that bring their askers to the same rev, by where they were and what they watch.
#[derive(Default)]
pub struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    reaches: Rev,
    answers: HashMap<(Rev, Filter), Bytes>,
}

impl Answers {
    /// What `encode` makes, or made before, for those who asked from this rev for these pets and
    /// are brought to `reaches`.
    pub fn share(
        &self,
        asked: (Rev, Filter),
        reaches: Rev,
        encode: impl FnOnce() -> Bytes,
    ) -> Bytes {
        let mut kept = self.0.lock().expect("no holder of this lock panics");
        if reaches > kept.reaches {
            let answers = HashMap::new();
            *kept = Kept { reaches, answers };
        }
        if let Some(answer) = kept.answers.get(&asked)
            && reaches == kept.reaches
        {
            return answer.clone();
        }
        // Encoded with the lock held: others who want it wait for this one.
        let answer = encode();
        if kept.answers.len() < ANSWERS_KEPT && reaches == kept.reaches {
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
