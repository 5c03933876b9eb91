//! The live routes: what a viewer is told, on every transport.

mod change;
mod chaos;
mod comeback;
mod commands;
mod cursors;
mod filter;
mod greeting;
mod head;
mod heartbeat;
mod parts;
mod places;
mod sharing;
mod sleeper;
mod state;
mod switches;
mod upkeep;
