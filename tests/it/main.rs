//! The program seen from outside: over HTTP, over sockets, as a process, and as a repository.
//!
//! One binary, an area per file. `support` has what starts apps, and the clients; the names of tests are
//! facts.

#![expect(
    clippy::unwrap_used,
    reason = "in a test, a panic that names the line is the report"
)]

#[cfg(feature = "slow-tests")]
#[path = "../faults/abuse/abuse.rs"]
mod abuse;
mod api;
mod care;
#[cfg(feature = "slow-tests")]
#[path = "../cluster/cluster.rs"]
mod cluster;
mod connections;
mod cross_origin;
#[path = "../faults/faults.rs"]
mod faults;
mod handshake;
mod initial_payload;
mod limits;
mod live;
mod pages;
mod private_pets;
mod probes;
mod process;
mod properties;
mod repository;
mod request_memory;
mod requests;
mod serve_mode;
mod staff;
#[cfg_attr(
    not(feature = "slow-tests"),
    allow(dead_code, unused_imports, reason = "the cluster tests use all of it")
)]
mod support;
mod transcript;
