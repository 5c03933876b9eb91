//! What came of a question: an answer as JSON, or how it failed.

use serde_json::Value;

use crate::store::StoreError;

/// Codes for a cluster that has no leader, is still coming together, or is too busy: nothing came
/// of the question, and the same one may be answered in a moment. From the servers' `errors.json`.
pub const NOT_NOW: [u64; 5] = [10005, 10008, 10009, 10074, 10167];

/// Why a question was not answered as hoped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It did not get there: nothing came of it.
    Unreachable(String),
    /// Nobody knows what came of it.
    Unanswered(String),
    /// The servers say no, with a code of theirs.
    Refused { code: u64, words: String },
}

/// What the client itself refuses to send.
pub fn too_large(error: &dyn std::fmt::Display) -> Failed {
    Failed::Refused {
        code: 0,
        words: error.to_string(),
    }
}

/// What the API or a stream answered.
pub fn read_answer(payload: &[u8]) -> Result<Value, Failed> {
    let answer: Value = serde_json::from_slice(payload)
        .map_err(|error| Failed::Unanswered(format!("the answer is no JSON: {error}")))?;
    match answer.get("error") {
        None => Ok(answer),
        Some(error) => Err(Failed::Refused {
            code: error["err_code"].as_u64().unwrap_or_default(),
            words: error["description"]
                .as_str()
                .unwrap_or("refused")
                .to_owned(),
        }),
    }
}

impl From<Failed> for StoreError {
    /// For a read: what could not be read now may be readable in a moment.
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unreachable(reason) | Failed::Unanswered(reason) => {
                StoreError::Unavailable(reason)
            }
            Failed::Refused { code, words } if NOT_NOW.contains(&code) => {
                StoreError::Unavailable(words)
            }
            Failed::Refused { code, words } => StoreError::Read(format!("{words} ({code})")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A start beside servers that start as well ended at once, and did not wait for them.
    #[test]
    fn servers_that_are_not_ready_are_out_of_reach_and_what_they_refuse_is_not() {
        let read = |code: u64| {
            let words = "no".to_owned();
            StoreError::from(Failed::Refused { code, words })
        };
        for code in [10005, 10008, 10009, 10074] {
            assert!(matches!(read(code), StoreError::Unavailable(_)), "{code}");
        }
        assert!(matches!(read(10059), StoreError::Read(_)));
    }
}
