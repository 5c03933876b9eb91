//! The answers to polls, and those that several viewers share.

use std::collections::HashMap;
use std::sync::Mutex;

use bytes::Bytes;

use crate::hub::{Feed, Filter};
use crate::live::{Live, Transport};
use crate::model::{Cursor, Rev};
use crate::wire::Message;

/// Messages in one answer at most; the rest is in the next, which is asked for at once.
const ANSWER_LIMIT: usize = 1000;

/// Answers kept for one rev. Above it they are encoded per viewer, which is slower and still
/// right: a bound on memory against someone who asks from every cursor for every combination of
/// pets.
const ANSWERS_KEPT: usize = 256;

/// Answers that are true at one rev, by where their askers were.
#[derive(Default)]
pub struct Answers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    rev: Rev,
    answers: HashMap<(Rev, Filter), Bytes>,
}

impl Answers {
    /// Everything after `since` for `filter`, encoded at most once per rev; `None` when it is no
    /// longer in memory.
    pub fn after(&self, live: &Live, filter: &Filter, since: Cursor) -> Option<Bytes> {
        let mut kept = self.0.lock().expect("no holder of this lock panics");
        let newest = live.hub.newest().0;
        if kept.rev != newest {
            *kept = Kept {
                rev: newest,
                answers: HashMap::new(),
            };
        }
        let key = (since.rev, filter.clone());
        if let Some(answer) = kept.answers.get(&key) {
            return Some(answer.clone());
        }
        let answer = encode(live, filter, since)?;
        if kept.answers.len() < ANSWERS_KEPT {
            kept.answers.insert(key, answer.clone());
        }
        Some(answer)
    }
}

fn encode(live: &Live, filter: &Filter, since: Cursor) -> Option<Bytes> {
    let replay = live.hub.replay(filter, since.rev)?;
    let mut draft = Draft::new(&live.hello(Transport::Poll, since));
    for frame in replay.frames.iter().take(ANSWER_LIMIT) {
        draft.push(frame.json());
    }
    let rev = match replay.frames.get(ANSWER_LIMIT - 1) {
        Some(last) if replay.frames.len() > ANSWER_LIMIT => last.rev(),
        _ => replay.reaches,
    };
    let epoch = since.epoch;
    Some(draft.finish(Cursor { epoch, rev }))
}

/// The messages of an answer, already encoded, with commas between.
pub struct Draft {
    messages: String,
    count: usize,
}

impl Draft {
    pub fn new(hello: &Message<'_>) -> Self {
        Draft {
            messages: hello.to_json(),
            count: 0,
        }
    }

    pub fn push(&mut self, json: &str) {
        self.messages.push(',');
        self.messages.push_str(json);
        self.count += 1;
    }

    pub fn with(mut self, message: &Message<'_>) -> Self {
        self.push(&message.to_json());
        self
    }

    /// What the feed has without waiting, as far as there is room.
    pub fn push_waiting(&mut self, feed: &mut Feed) {
        while self.count < ANSWER_LIMIT
            && let Some(frame) = feed.next_now()
        {
            self.push(frame.json());
        }
    }

    pub fn finish(self, cursor: Cursor) -> Bytes {
        let messages = self.messages;
        format!(r#"{{"cursor":"{cursor}","messages":[{messages}]}}"#).into()
    }
}
