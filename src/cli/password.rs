//! Asking for a password at the terminal, without showing it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;

use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::model::AccountName;

/// A terminal that does not show what is typed. Dropping it lets it show again; a shell does so
/// too when Ctrl-C ends the program first.
struct Hidden<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Hidden<'a> {
    fn of(terminal: &'a File) -> anyhow::Result<Self> {
        let before = tcgetattr(terminal.as_fd())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal.as_fd(), OptionalActions::Flush, &hidden)?;
        Ok(Hidden { terminal, before })
    }
}

impl Drop for Hidden<'_> {
    fn drop(&mut self) {
        // Fails when the terminal is gone, and then there is nothing to restore.
        let _ = tcsetattr(self.terminal.as_fd(), OptionalActions::Flush, &self.before);
    }
}

/// Asks for the password that `name` is to have, twice.
///
/// # Errors
/// Without a terminal, or when the two differ.
pub fn ask_twice(name: &AccountName) -> anyhow::Result<String> {
    // The terminal itself, wherever input and output lead.
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let terminal = terminal
        .context("there is no terminal to ask for the password on; give --password-file FILE")?;
    let mut lines = BufReader::new(&terminal).lines();
    let mut ask = |question: &str| {
        write!(&terminal, "{question}: ")?;
        let hidden = Hidden::of(&terminal)?;
        let line = lines.next().unwrap_or_else(|| Ok(String::new()));
        drop(hidden);
        writeln!(&terminal)?;
        Ok::<_, anyhow::Error>(line?)
    };
    let password = ask(&format!("Password for {name}"))?;
    if password != ask("The same again")? {
        bail!("the two are not the same");
    }
    Ok(password)
}
