//! What was said about each rev, held against what the store says in the end.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::rev;

/// What became of a change, in words that two messages about it share: `pet 7 eating`.
pub type Fact = String;

/// Everything that anybody was told.
#[derive(Default)]
pub struct Ledger {
    acknowledged: BTreeMap<u64, Fact>,
    shown: BTreeMap<u64, Fact>,
}

/// What is wrong with a store, if anything.
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
    /// Someone was told that their change is durable.
    pub fn acknowledge(&mut self, rev: u64, fact: Fact) {
        let before = self.acknowledged.insert(rev, fact.clone());
        assert_eq!(before, None, "rev {rev} was acknowledged twice");
        self.agree(rev, &fact);
    }

    /// A viewer was shown a message; nothing if it is not about a change.
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

    /// The newest rev that anybody was told of.
    pub fn newest(&self) -> u64 {
        let last = |told: &BTreeMap<u64, Fact>| told.keys().next_back().copied();
        last(&self.acknowledged).max(last(&self.shown)).unwrap_or(0)
    }

    /// Holds all of it against the log of the store, oldest first.
    pub fn verify(&self, log: &[Value]) -> Verdict {
        let kept: BTreeMap<u64, Fact> = log.iter().filter_map(fact_of).collect();
        for (index, rev) in kept.keys().enumerate() {
            assert_eq!(*rev, index as u64 + 1, "the log has no hole");
        }
        let missing = |told: &BTreeMap<u64, Fact>| {
            let missing = told
                .iter()
                .filter(|(rev, fact)| kept.get(rev) != Some(fact));
            missing.count()
        };
        Verdict {
            lost: missing(&self.acknowledged),
            ghosts: missing(&self.shown),
            kept: kept.len(),
        }
    }

    /// A rev means one thing, whoever tells of it.
    fn agree(&self, rev: u64, fact: &Fact) {
        for told in [&self.acknowledged, &self.shown] {
            if let Some(known) = told.get(&rev) {
                assert_eq!(known, fact, "rev {rev} was used for two changes");
            }
        }
    }
}

/// What is said when the status of a pet was set.
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
