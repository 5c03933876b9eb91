//! Setting a status, and keeping what was said about it.

use std::sync::Mutex;

use pet_store::model::Status;
use reqwest::Client;
use serde_json::{Value, json};

use super::ledger::{Ledger, status_fact};
use crate::support::{Process, rev_of};

/// Sets a status over the API, the one whose turn it is, and notes what was acknowledged. The
/// answer's status; `None` when there was none.
pub async fn set(
    client: &Client,
    base: &str,
    pet: u64,
    turn: u64,
    ledger: &Mutex<Ledger>,
) -> Option<u16> {
    let status = Status::ALL[usize::try_from(turn).unwrap() % Status::ALL.len()].as_str();
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

/// Sets a status on a server that is known to answer; the answer's status.
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
