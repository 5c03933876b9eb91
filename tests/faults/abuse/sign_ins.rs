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

/// Sign-ins at the same time, as in the attack that was seen.
const AT_ONCE: usize = 25;

/// Two hashing buffers of 19 MiB, and what the requests themselves take.
const PEAK_KIB: u64 = 56 * 1024;

/// Memory may differ by this much from before, and soon.
const KEPT_KIB: u64 = 8 * 1024;
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_flood_of_sign_ins_leaves_the_server_as_small_as_it_was() {
    let flags = ["--trusted-proxy", "127.0.0.1"];
    let mut server = Server::start_as("serve", 1024, &flags).await;
    let client = Client::new();
    let mut browser = Browser::at(&server.base, &client);
    // Everything that the first requests allocate for good, one hash included.
    browser.sign_in("nobody", "a wrong password").await;
    let before = server.memory_kib();
    let rounds = if is_long() { 40 } else { 4 };
    let mut answers = [0_usize; 3];
    for round in 0..rounds {
        let tries = (0..AT_ONCE).map(|number| {
            let from = match round % 2 {
                0 => format!("198.51.{round}.7"),
                _ => format!("203.0.{round}.{number}"),
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
            let place = [401, 429, 503].iter().position(|known| *known == status);
            answers[place.unwrap_or_else(|| panic!("{status}"))] += 1;
        }
    }
    let (after, over) = (server.memory_kib(), Instant::now());
    until("memory to be given back", async || {
        server.memory_kib() <= before + KEPT_KIB || over.elapsed() > SOON
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
