//! Checks that no viewer lost a change.
//!
//! `viewer_record` keeps what each viewer received, `change_log` what the changes were, and `loss`
//! compares them after a run. `self_test` shows that losses are found, with a server that makes them
//! (`faulty_server`).

pub mod change_log;
mod faulty_server;
pub mod loss;
pub mod self_test;
pub mod viewer_record;
