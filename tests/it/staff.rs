//! People and programs that may change something: how they come in, what they may, what ends it,
//! and what an attacker gets.

mod accounts;
mod audit;
mod command_line;
mod copies;
mod founding;
mod other_sites;
mod sessions;
mod sign_in;
mod sockets;
mod stored_text;
mod tapping;
mod tokens;
mod twice;
mod unsaved;
