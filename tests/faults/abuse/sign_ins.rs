//! A flood of sign-ins with wrong passwords, from one address and from many.
//!
//! Each hash takes 19 MiB. Freed buffers raised the allocator's mmap threshold, so later ones
//! stayed in the heap of every thread that had computed a hash.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::Client;

use super::server::Server;
use super::{is_long, print};

use crate::support::{Browser, until};

/// Concurrent sign-ins, as in an observed attack.
const CONCURRENT: usize = 25;

/// The peak memory: two hashing buffers of 19 MiB, and the requests.
const PEAK_KIB: u64 = 56 * 1024;

/// The most memory that may remain.
const KEPT_KIB: u64 = 8 * 1024;

/// The longest time until the memory is freed.
const FREED_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_flood_of_sign_ins_takes_no_memory_for_good() {
    let flags = ["--trusted-proxy", "127.0.0.1"];
    let mut server = Server::start_as("serve", 1024, &flags).await;
    let client = Client::new();
    let mut browser = Browser::at(&server.base, &client);
    // Warms up allocations that happen once, one hash included.
    browser.sign_in("nobody", "a wrong password").await;
    let before = server.memory_kib();
    let rounds = if is_long() { 40 } else { 4 };
    let mut answers = [0_usize; 3];
    for round in 0..rounds {
        let tries = (0..CONCURRENT).map(|number| {
            let from = if round % 2 == 0 {
                format!("198.51.{round}.7")
            } else {
                format!("203.0.{round}.{number}")
            };
            let name = format!("name{round}.{number}");
            let fields = [
                ("name", name.as_str()),
                ("password", "a wrong password"),
                ("form-token", browser.form_token.as_str()),
            ];
            let request = browser
                .ask("POST", "/sign-in")
                .header("origin", &server.base)
                .header("x-forwarded-for", from)
                .form(&fields);
            async move { request.send().await.unwrap().status().as_u16() }
        });
        for status in join_all(tries).await {
            let index = [401, 429, 503].iter().position(|known| *known == status);
            answers[index.unwrap_or_else(|| panic!("{status}"))] += 1;
        }
    }
    let (after, over) = (server.memory_kib(), Instant::now());
    until("the memory to be freed", async || {
        server.memory_kib() <= before + KEPT_KIB || over.elapsed() > FREED_WITHIN
    })
    .await;
    let (kept, peak) = (server.memory_kib(), server.peak_kib());
    print(
        "sign-ins: wrong, too many, busy | KiB before, at the end, kept, peak",
        &[vec![
            format!("{answers:?}"),
            format!("{before}, {after}, {kept}, {peak}"),
        ]],
    );
    server.assert_alive();
    assert!(answers[0] > 0, "none was compared: {answers:?}");
    assert!(
        kept <= before + KEPT_KIB,
        "{before} KiB before, {kept} kept"
    );
    assert!(
        peak <= before + PEAK_KIB,
        "{before} KiB before, {peak} at most"
    );
}
