//! The ledger: records what clients were told about each rev, and compares it with the store's log at
//! the end.

use std::collections::BTreeMap;
#[cfg(feature = "slow-tests")]
use std::sync::Mutex;

#[cfg(feature = "slow-tests")]
use pet_store::model::Status;
#[cfg(feature = "slow-tests")]
use reqwest::Client;
use serde_json::Value;
#[cfg(feature = "slow-tests")]
use serde_json::json;

use crate::support::rev;
#[cfg(feature = "slow-tests")]
use crate::support::{Process, rev_of};

/// The effect of a change, in the same words for every message about it: `pet 7 eating`.
pub type Fact = String;

/// Everything that clients were told.
#[derive(Default)]
pub struct Ledger {
    acknowledged: BTreeMap<u64, Fact>,
    shown: BTreeMap<u64, Fact>,
}

/// The difference between the ledger and a store.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Acknowledged, and not in the store.
    pub lost: usize,
    /// Shown, and not in the store.
    pub ghosts: usize,
    /// Changes in the store.
    pub kept: usize,
}

impl Ledger {
    /// Records that a client was told that its change is durable.
    pub fn acknowledge(&mut self, rev: u64, fact: Fact) {
        let before = self.acknowledged.insert(rev, fact.clone());
        assert_eq!(before, None, "rev {rev} was acknowledged twice");
        self.agree(rev, &fact);
    }

    /// Records that a viewer received a message, if it is about a change.
    pub fn show(&mut self, message: &Value) {
        if let Some((rev, fact)) = fact_of(message) {
            self.agree(rev, &fact);
            self.shown.insert(rev, fact);
        }
    }

    pub fn acknowledged(&self) -> usize {
        self.acknowledged.len()
    }

    pub fn shown(&self) -> usize {
        self.shown.len()
    }

    /// The newest rev that a client was told.
    pub fn newest(&self) -> u64 {
        let last = |facts: &BTreeMap<u64, Fact>| facts.keys().next_back().copied();
        last(&self.acknowledged).max(last(&self.shown)).unwrap_or(0)
    }

    /// Compares the ledger with the log of the store, oldest first.
    pub fn verify(&self, log: &[Value]) -> Verdict {
        let stored: BTreeMap<u64, Fact> = log.iter().filter_map(fact_of).collect();
        for (index, rev) in stored.keys().enumerate() {
            assert_eq!(*rev, index as u64 + 1, "the log has no gap");
        }
        let missing = |facts: &BTreeMap<u64, Fact>| {
            let facts = facts.iter();
            facts
                .filter(|(rev, fact)| stored.get(rev) != Some(fact))
                .count()
        };
        Verdict {
            lost: missing(&self.acknowledged),
            ghosts: missing(&self.shown),
            kept: stored.len(),
        }
    }

    /// Asserts that every message about a rev is about the same change.
    fn agree(&self, rev: u64, fact: &Fact) {
        for facts in [&self.acknowledged, &self.shown] {
            if let Some(known) = facts.get(&rev) {
                assert_eq!(known, fact, "rev {rev} was used for two changes");
            }
        }
    }
}

/// The fact that the status of a pet was set.
pub fn status_fact(pet: u64, status: &str) -> Fact {
    format!("pet {pet} {status}")
}

/// The rev and the fact of a message about a change.
fn fact_of(message: &Value) -> Option<(u64, Fact)> {
    let pet = message["pet"].as_u64()?;
    let fact = match message["type"].as_str()? {
        "status" => status_fact(pet, message["status"].as_str()?),
        other @ ("pet" | "gone") => format!("pet {pet} is {other}"),
        _ => return None,
    };
    Some((rev(message), fact))
}

/// Sets a status over the API, another one each `turn`, and records the acknowledgement. Returns the
/// status of the response; `None` if there was none.
#[cfg(feature = "slow-tests")]
pub async fn set(
    client: &Client,
    base: &str,
    pet: u64,
    turn: u64,
    ledger: &Mutex<Ledger>,
) -> Option<u16> {
    let status = Status::FOUR[usize::try_from(turn).unwrap() % Status::FOUR.len()].as_str();
    let url = format!("{base}/api/v1/pets/{pet}/status");
    let request = client.put(url).json(&json!({ "status": status }));
    let answer = request.send().await.ok()?;
    let code = answer.status().as_u16();
    if code == 200 {
        let answer: Value = answer.json().await.ok()?;
        let rev = rev_of(answer["cursor"].as_str().unwrap());
        let fact = status_fact(pet, status);
        ledger.lock().unwrap().acknowledge(rev, fact);
    }
    Some(code)
}

/// Sets a status on a server that must respond, and returns the status of the response.
#[cfg(feature = "slow-tests")]
pub async fn set_on(process: &Process, pet: u64, status: &str, ledger: &mut Ledger) -> u16 {
    let answer = process.set_status(pet, status).await;
    let answer = answer.expect("the program still runs");
    let code = answer.status().as_u16();
    if code == 200 {
        let answer: Value = answer.json().await.unwrap();
        let rev = rev_of(answer["cursor"].as_str().unwrap());
        ledger.acknowledge(rev, status_fact(pet, status));
    }
    code
}
