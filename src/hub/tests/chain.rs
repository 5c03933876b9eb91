//! The chain of a viewer that reads from the log, from memory and after a lag, in any order.

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use super::*;

/// Viewers, each with its own seed.
const VIEWERS: u64 = 60;
const STEPS: usize = 40;

/// Either too strict or too lax is wrong: a client must not find a gap where there is none, and must find
/// the loss of any one message at the next.
#[tokio::test]
async fn a_client_finds_each_lost_message_and_no_other_gap() {
    for seed in 0..VIEWERS {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let filter = match seed % 3 {
            0 => TopicFilter::All,
            1 => only(2),
            _ => TopicFilter::new([1, 3].map(|pet| PetId::new(pet).into())).unwrap(),
        };
        let rig = Rig::start();
        rig.change(3, ChangeKind::Pet(Arc::new(pet(3))));
        let since = (seed % 2 == 0).then_some(3);
        if seed % 4 == 0 {
            // Begins in the log.
            rig.statuses(1, BACKLOG_LIMIT);
        }
        let messages = read(&rig, &filter, since, &mut random).await;
        let mut reached = since;
        for (index, message) in messages.iter().enumerate() {
            assert!(
                is_next(reached, message),
                "seed {seed}: {reached:?}, then {message}"
            );
            if let Some(next) = messages.get(index + 1) {
                assert!(
                    !is_next(reached, next),
                    "seed {seed}: nobody misses {message} before {next}"
                );
            }
            reached = Some(rev_of(&message["cursor"]));
        }
    }
}

/// Returns what a viewer is sent while it is sometimes in time and sometimes behind.
async fn read(
    rig: &Rig,
    filter: &TopicFilter,
    since: Option<u64>,
    random: &mut ChaCha8Rng,
) -> Vec<Value> {
    let since = since.and_then(|rev| rig.since(rev));
    let mut catch_up = rig.hub.catch_up(filter.clone(), since);
    let mut chain = catch_up.chain();
    let mut messages = Vec::new();
    let mut take = |chunk: &Chunk| {
        for frame in &chunk.frames {
            let message: Value = serde_json::from_str(&chain.link_json(frame)).unwrap();
            messages.push(message);
        }
    };
    let mut at = loop {
        let chunk = catch_up.next().await;
        take(&chunk);
        if chunk.is_whole {
            break chunk.reaches;
        }
    };
    for _ in 0..STEPS {
        let (pet, count) = (random.random_range(1..4), random.random_range(0..4));
        rig.statuses(pet, count);
        if random.random_range(0..8) == 0 {
            rig.change(pet, ChangeKind::Pet(Arc::new(super::pet(pet))));
        }
        if random.random_range(0..8) == 0 {
            be_private(rig, pet, random.random_range(0..3));
        }
        let chunk = match random.random_range(0..4) {
            0 => continue,
            1 => rig.hub.resync(filter, SnapshotForm::Whole, at),
            _ => rig.hub.replay(filter, at).unwrap(),
        };
        take(&chunk);
        at = chunk.reaches;
    }
    // Each viewer is sent something after that.
    for pet in [1, 2, 3] {
        rig.statuses(pet, 1);
    }
    take(&rig.hub.replay(filter, at).unwrap());
    messages
}

/// Makes a pet private, changes it `count` times, and makes it public again.
fn be_private(rig: &Rig, pet: u64, count: usize) {
    rig.conceal(pet);
    for _ in 0..count {
        rig.hidden(pet, ChangeKind::Status(Status::Bathing));
    }
    rig.change(pet, ChangeKind::Pet(Arc::new(super::pet(pet))));
}

/// Returns true if a client that has reached a rev misses nothing before `message`.
fn is_next(reached: Option<u64>, message: &Value) -> bool {
    let after = &message["after"];
    after.is_null() || reached.is_some_and(|reached| reached >= rev_of(after))
}

fn rev_of(cursor: &Value) -> u64 {
    let rev = cursor.as_str().unwrap().strip_prefix("00000abc-");
    rev.unwrap().parse().unwrap()
}
