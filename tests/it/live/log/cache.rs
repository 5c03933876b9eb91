//! Readers behind a cache that serves any earlier answer that it still may serve.

use std::collections::HashMap;

use rand::rngs::ChaCha8Rng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::next;
use crate::support::{TestApp, rev_of, spawn_app};

/// From when on a cache counts the age of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    /// From the request (RFC 9111, section 4.2.3): an answer that waited longer than its time is stale when it
    /// arrives.
    SinceRequest,
    /// From the answer, as nginx and Varnish do.
    SinceAnswer,
    /// Not at all: it keeps answers until it is full.
    Never,
}

/// A cache on a clock of its own, in milliseconds.
struct Cache {
    age: Age,
    answers: HashMap<String, Vec<StoredAnswer>>,
    served: usize,
    now_ms: u64,
    chance: ChaCha8Rng,
}

#[derive(Clone)]
struct StoredAnswer {
    body: String,
    /// For a redirect.
    location: Option<String>,
    /// The answer may be served until then, stale ones included.
    until_ms: u64,
}

/// A reader, with what it has received.
struct Reader {
    address: String,
    reached: u64,
    revs: Vec<u64>,
    asked: Vec<String>,
    pets: Vec<u64>,
}

impl Cache {
    fn new(age: Age, seed: u64) -> Self {
        let chance = ChaCha8Rng::seed_from_u64(seed);
        Cache {
            age,
            answers: HashMap::new(),
            served: 0,
            now_ms: 0,
            chance,
        }
    }

    /// Answers from what it has, or asks the program. Follows redirects.
    async fn get(&mut self, app: &TestApp, address: &str) -> Value {
        let mut address = address.to_owned();
        loop {
            let answer = self.one(app, &address).await;
            match answer.location {
                Some(location) => address = location,
                None => return serde_json::from_str(&answer.body).unwrap(),
            }
        }
    }

    async fn one(&mut self, app: &TestApp, address: &str) -> StoredAnswer {
        let (now, age) = (self.now_ms, self.age);
        let known = self.answers.entry(address.to_owned()).or_default();
        known.retain(|answer| age == Age::Never || answer.until_ms >= now);
        // A cache with several nodes has several answers, and may have lost any.
        if let Some(answer) = known
            .choose(&mut self.chance)
            .filter(|_| self.chance.random_bool(0.8))
        {
            self.served += 1;
            return answer.clone();
        }
        let response = app.get(address).await;
        let caching = response.headers()["cache-control"]
            .to_str()
            .unwrap()
            .to_owned();
        let location = response.headers().get("location");
        let location = location.map(|location| location.to_str().unwrap().to_owned());
        let waited_ms = self.chance.random_range(0..20_000);
        let begun = if age == Age::SinceRequest {
            now.saturating_sub(waited_ms)
        } else {
            now
        };
        let answer = StoredAnswer {
            body: response.text().await.unwrap(),
            location,
            until_ms: begun + seconds(&caching) * 1000,
        };
        self.answers.get_mut(address).unwrap().push(answer.clone());
        answer
    }
}

/// Returns how long an answer may be served: its lifetime, and the time while it may be stale.
fn seconds(caching: &str) -> u64 {
    let numbers = caching
        .split([',', ' '])
        .filter_map(|word| word.split_once('='));
    numbers
        .map(|(_, seconds)| seconds.parse::<u64>().unwrap())
        .sum()
}

impl Reader {
    /// Starts at `since`, for `pets` or all of them. It asks for answers without a wait: the test waits for nothing.
    fn new(since: &str, pets: &[u64]) -> Self {
        let pairs: String = pets.iter().map(|pet| format!("pet={pet}&")).collect();
        Reader {
            address: format!("/live/log?{pairs}since={since}&slice=0&wait=0"),
            reached: rev_of(since),
            revs: Vec::new(),
            asked: Vec::new(),
            pets: pets.to_vec(),
        }
    }

    /// Takes an answer, and asserts that nothing is repeated, missing or out of order.
    fn take(&mut self, answer: &Value) {
        for message in answer["messages"].as_array().unwrap() {
            let rev = rev_of(message["cursor"].as_str().unwrap());
            let after = rev_of(message["after"].as_str().unwrap());
            assert!(
                after <= self.reached && self.reached < rev,
                "{message} at {}",
                self.reached
            );
            self.reached = rev;
            self.revs.push(rev);
        }
        let cursor = rev_of(answer["cursor"].as_str().unwrap());
        assert!(cursor >= self.reached, "{answer}");
        self.reached = cursor;
        self.asked.push(std::mem::replace(
            &mut self.address,
            next(answer).to_owned(),
        ));
        assert!(
            !self.asked.contains(&self.address),
            "a loop: {}",
            self.address
        );
    }
}

/// The revs of a reader of `pets` after `since`.
fn expected(log: &[(u64, u64)], since: u64, pets: &[u64]) -> Vec<u64> {
    let is_for = |pet: &u64| pets.is_empty() || pets.contains(pet);
    let changes = log.iter().filter(|(rev, pet)| *rev > since && is_for(pet));
    changes.map(|(rev, _)| *rev).collect()
}

async fn follow(age: Age, seed: u64) {
    let app = spawn_app().await;
    for name in ["Biscuit", "Miso", "Olive"] {
        app.add_pet(name).await;
    }
    let mut cache = Cache::new(age, seed);
    let (mut readers, mut log, mut starts): (Vec<Reader>, _, _) =
        (Vec::new(), Vec::new(), Vec::new());
    let mut newest = app.cursor().await;
    for step in 0..300 {
        if step % 50 == 0 {
            let pets: &[u64] = [&[][..], &[2], &[1, 3]][step / 50 % 3];
            for _ in 0..3 {
                readers.push(Reader::new(&newest, pets));
                starts.push(rev_of(&newest));
            }
        }
        for _ in 0..cache.chance.random_range(0..2) {
            let pet = cache.chance.random_range(1..=3);
            newest = app.set_status(pet, "eating").await;
            log.push((rev_of(&newest), pet));
        }
        cache.now_ms += cache.chance.random_range(0..200);
        let reader = cache.chance.random_range(0..readers.len());
        let answer = cache.get(&app, &readers[reader].address).await;
        readers[reader].take(&answer);
    }
    for (reader, start) in readers.iter_mut().zip(starts) {
        let expected = expected(&log, start, &reader.pets);
        let mut asked = 0;
        while reader.revs.len() < expected.len() {
            cache.now_ms += 20;
            let answer = cache.get(&app, &reader.address).await;
            reader.take(&answer);
            asked += 1;
            assert!(
                asked < 2000,
                "{age:?}, {seed}: no progress at {}",
                reader.address
            );
        }
        assert_eq!(reader.revs, expected, "{age:?}, {seed}");
    }
    assert!(
        age == Age::SinceRequest || cache.served > 50,
        "{age:?}: {}",
        cache.served
    );
}

#[tokio::test]
async fn a_reader_misses_and_repeats_nothing_whatever_a_cache_still_serves() {
    for (age, seed) in [
        (Age::SinceRequest, 1),
        (Age::SinceAnswer, 2),
        (Age::Never, 3),
    ] {
        follow(age, seed).await;
    }
}
