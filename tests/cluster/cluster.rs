//! Several nodes on a NATS cluster: one history on all of them, whatever fails.
//!
//! Each test starts its own servers and nodes. `tests/nats/install` installs the servers.
//! `cargo test --features slow-tests` runs short forms of the tests with an audience;
//! `tests/cluster/run` runs the long forms.

mod accounts;
mod credentials;
mod epoch_change;
mod guide;
mod large_audience;
mod outage;
mod replication;
mod rival_simulators;
#[path = "../nats/server.rs"]
#[expect(dead_code, reason = "the engine's own tests use the rest")]
mod server;
mod server_failures;
mod startup;
mod support;
mod transfer;
mod webhooks;
