//! The real program: its memory, its pace, and what a kill leaves.

use std::collections::HashSet;
use std::path::Path;
use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pet_store::store::check;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::hostile_files::{Answer, hostile_files};
use super::photo;
use crate::process::QUIET;
use crate::support::{Process, open};

async fn add_pet(process: &Process, name: &str) -> u64 {
    let url = format!("{}/api/v1/pets", process.base);
    let pet = json!({ "name": name, "species": "dog" });
    let made = process.client.post(url).json(&pet).send().await.unwrap();
    let pet: Value = made.json().await.unwrap();
    pet["id"].as_u64().unwrap()
}

/// Sends a file; `None` if the server does not answer.
async fn send(process: &Process, pet: u64, file: Vec<u8>) -> Option<(StatusCode, Value)> {
    let url = format!("{}/api/v1/pets/{pet}/photos", process.base);
    let answer = process.client.post(url).body(file).send().await.ok()?;
    Some((answer.status(), answer.json().await.ok()?))
}

/// Largest memory that the process has had, in megabytes.
fn peak_mb(process: &Process) -> u64 {
    let status = format!("/proc/{}/status", process.id().as_raw_nonzero());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse::<u64>()
        .unwrap()
        / 1024
}

/// All hostile files, four at a time.
#[tokio::test]
async fn hostile_files_take_less_than_200_mb_and_get_their_answers() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    let files = hostile_files();
    for files in files.chunks(4) {
        let sent = files.iter().map(async |(name, file, answer)| {
            let pet = add_pet(&process, "Biscuit").await;
            let (status, body) = send(&process, pet, file.clone()).await.unwrap();
            let is_photo = matches!(answer, Answer::Photo(..));
            assert_eq!(status == 201, is_photo, "{name}: {status} {body}");
            assert!(
                is_photo || status.is_client_error(),
                "{name}: {status} {body}"
            );
        });
        futures_util::future::join_all(sent).await;
    }
    let peak = peak_mb(&process);
    eprintln!("{} files, peak memory {peak} MB", files.len());
    assert!(peak < 200, "{peak} MB");
}

/// The measure is the order of the answers, which a busy machine does not change: the board goes on while
/// photos are decoded and others wait.
#[tokio::test]
async fn twenty_uploads_do_not_slow_the_board() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &QUIET).await;
    let tapped = add_pet(&process, "Miso").await;
    // The sample pets have their portraits.
    let portraits = photos(&process).await.len();
    let mut uploads = FuturesUnordered::new();
    for number in 0..20 {
        let pet = add_pet(&process, "Biscuit").await;
        let (process, file) = (&process, photo(640 + number, 480));
        uploads.push(async move {
            let (status, body) = send(process, pet, file).await.unwrap();
            assert_eq!(status, 201, "{body}");
        });
    }
    uploads.next().await.unwrap();
    let taps = async {
        for status in ["eating", "playing"].repeat(3) {
            let answer = process.set_status(tapped, status).await.unwrap();
            assert_eq!(answer.status(), 200);
            process.text("/pets").await;
        }
    };
    let mut taps = pin!(taps);
    let mut sooner = 1;
    loop {
        tokio::select! {
            () = &mut taps => break,
            upload = uploads.next() => assert!(upload.is_some(), "the board waited for every upload"),
        }
        sooner += 1;
    }
    let left = uploads.collect::<Vec<_>>().await.len();
    eprintln!(
        "{sooner} uploads were answered before the board, {left} after; peak memory {} MB",
        peak_mb(&process)
    );
    let shown = photos(&process).await;
    assert_eq!(shown.iter().collect::<HashSet<_>>().len(), portraits + 20);
}

/// Returns the paths of the photos of all pets.
async fn photos(process: &Process) -> Vec<String> {
    let list = process.json("/api/v1/pets").await;
    let pets = list["pets"].as_array().unwrap().iter();
    let photos = pets.flat_map(|pet| pet["photos"].as_array().unwrap());
    photos
        .map(|photo| photo["url"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_kill_during_uploads_leaves_a_consistent_store_with_every_confirmed_photo() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut confirmed: Vec<String> = Vec::new();
    for round in 0..4_u32 {
        let mut process = Process::start(folder.path(), &QUIET).await;
        let shown = photos(&process).await;
        assert!(
            confirmed.iter().all(|url| shown.contains(url)),
            "{confirmed:?} {shown:?}"
        );
        for url in &shown {
            let file = process.client.get(format!("{}{url}", process.base));
            assert_eq!(file.send().await.unwrap().status(), 200, "{url}");
        }
        let mut uploads = FuturesUnordered::new();
        for number in 0..6 {
            let pet = add_pet(&process, "Biscuit").await;
            let file = photo(600 + round * 10 + number, 400);
            let url = format!("{}/api/v1/pets/{pet}/photos", process.base);
            let request = process.client.post(url).body(file).send();
            uploads.push(tokio::spawn(async move {
                let answer = request.await.ok().filter(|answer| answer.status() == 201)?;
                let pet: Value = answer.json().await.ok()?;
                Some(pet["photos"][0]["url"].as_str()?.to_owned())
            }));
        }
        // At a different moment in every round: after the first, the second, … was confirmed.
        for _ in 0..round {
            confirmed.extend(uploads.next().await.unwrap().unwrap());
        }
        process.kill().await;
        while let Some(upload) = uploads.next().await {
            confirmed.extend(upload.unwrap());
        }
        assert_consistent(&data);
    }
    eprintln!("{} photos confirmed before a kill", confirmed.len());
}

fn assert_consistent(data: &Path) {
    drop(open(data));
    check(data).unwrap();
}
