//! Staff: signing in, permissions, revocation, and attacks.

mod accounts;
mod audit;
mod backups;
mod board;
mod bootstrap;
mod command_line;
mod csrf;
mod quick_status;
mod resubmission;
mod sessions;
mod settings;
mod sign_in;
mod sockets;
mod spreadsheet;
mod station;
mod status_form;
mod stored_text;
mod tokens;
mod trash;
mod unsaved;
