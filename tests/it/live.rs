//! The live routes on every transport.

mod chain;
mod changes;
mod chaos;
mod commands;
mod connect;
mod cursors;
mod filter;
mod head;
mod heartbeat;
mod log;
mod poll_cache;
mod retry;
mod slots;
mod snapshot_parts;
mod stalled_viewer;
mod state;
mod timers;
mod transport_switches;
mod waiting_polls;
pub mod webhooks;
