//! Sessions or tokens by their keys: when each was last used, and which are ended here already
//! although the store still has them.

use std::collections::{HashMap, HashSet};

use crate::model::{Key, MonotonicSeconds, Session, Timestamp, Token};

/// Seconds of use that are not worth saving again.
const SAVE_AFTER: u64 = 60;

/// What is known by a key and is used.
pub trait Usable {
    fn key(&self) -> Key;

    /// Takes over the last use of `other`, another reading of the same. Whether that was later.
    fn take_later_use(&mut self, other: &Self) -> bool;
}

impl Usable for Session {
    fn key(&self) -> Key {
        self.key
    }

    fn take_later_use(&mut self, other: &Self) -> bool {
        let is_later = other.seen > self.seen;
        self.seen = self.seen.max(other.seen);
        is_later
    }
}

impl Usable for Token {
    fn key(&self) -> Key {
        self.key
    }

    fn take_later_use(&mut self, other: &Self) -> bool {
        let is_later = other.used > self.used;
        self.used = self.used.max(other.used);
        is_later
    }
}

/// A session or a token, and whether the store has yet to learn of its last use.
pub struct Used<T> {
    pub value: T,
    pub is_unsaved: bool,
}

impl Used<Session> {
    pub fn touch(&mut self, now: MonotonicSeconds) {
        self.is_unsaved |= now.0 >= self.value.seen.0 + SAVE_AFTER;
        if self.is_unsaved {
            self.value.seen = self.value.seen.max(now);
        }
    }

    /// Lowers timestamps that a clock set while it was ahead; with these the session would last too
    /// long.
    pub fn bound_by(&mut self, now: MonotonicSeconds) {
        let latest = MonotonicSeconds(now.0 + SAVE_AFTER);
        if self.value.seen > latest || self.value.began > latest {
            self.value.seen = self.value.seen.min(now);
            self.value.began = self.value.began.min(now);
            self.is_unsaved = true;
        }
    }
}

impl Used<Token> {
    pub fn touch(&mut self, now: Timestamp) {
        let age = self.value.used.map(|used| now.since(used).as_secs());
        let is_from_the_future = self.value.used.is_some_and(|used| used > now);
        if is_from_the_future || age.is_none_or(|age| age >= SAVE_AFTER) {
            self.value.used = Some(now);
            self.is_unsaved = true;
        }
    }
}

/// All of a kind.
pub struct Uses<T> {
    all: HashMap<Key, Used<T>>,
    /// Ended, and still in the store. Each is in the table above, so there are no more than fit
    /// there.
    ended: HashSet<Key>,
}

impl<T> Default for Uses<T> {
    fn default() -> Self {
        Uses {
            all: HashMap::new(),
            ended: HashSet::new(),
        }
    }
}

impl<T: Usable> Uses<T> {
    /// Everything that is not ended.
    pub fn iter(&self) -> impl Iterator<Item = &Used<T>> {
        let is_ended = |used: &&Used<T>| !self.ended.contains(&used.value.key());
        self.all.values().filter(is_ended)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Used<T>> {
        self.all.values_mut()
    }

    pub fn get(&self, key: &Key) -> Option<&Used<T>> {
        self.all.get(key).filter(|_| !self.ended.contains(key))
    }

    pub fn get_mut(&mut self, key: &Key) -> Option<&mut Used<T>> {
        let is_ended = self.ended.contains(key);
        self.all.get_mut(key).filter(|_| !is_ended)
    }

    /// Takes in what the store has. A use since then that was noted here stays, to be saved.
    pub fn put(&mut self, mut value: T) {
        let key = value.key();
        let known = self.all.get(&key);
        let is_unsaved = known.is_some_and(|known| value.take_later_use(&known.value));
        self.all.insert(key, Used { value, is_unsaved });
    }

    /// Forgets what the store has no more.
    pub fn remove(&mut self, key: &Key) {
        self.all.remove(key);
        self.ended.remove(key);
    }

    /// Forgets everything that is not in `kept`.
    pub fn keep_only(&mut self, kept: &HashSet<Key>) {
        self.all.retain(|key, _| kept.contains(key));
        self.ended.retain(|key| kept.contains(key));
    }

    /// Ends one before the store has it. Whether it was there, and not ended yet.
    pub fn end(&mut self, key: Key) -> bool {
        self.all.contains_key(&key) && self.ended.insert(key)
    }

    /// Takes `end` back.
    pub fn take_back(&mut self, key: &Key) {
        self.ended.remove(key);
    }

    /// What is ended and still in the store.
    pub fn ended(&self) -> impl Iterator<Item = Key> {
        self.ended.iter().copied()
    }
}
