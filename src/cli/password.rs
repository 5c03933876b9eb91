//! Reads a password from the terminal without showing it.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;

use anyhow::{Context, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::model::AccountName;

/// Turns the echo of a terminal off, and on again when dropped. If Ctrl-C ends the program first, the
/// shell turns it on.
struct HiddenInput<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> HiddenInput<'a> {
    fn new(terminal: &'a File) -> anyhow::Result<Self> {
        let before = tcgetattr(terminal.as_fd())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal.as_fd(), OptionalActions::Flush, &hidden)?;
        Ok(HiddenInput { terminal, before })
    }
}

impl Drop for HiddenInput<'_> {
    fn drop(&mut self) {
        // Fails if the terminal is gone; there is nothing to restore then.
        let _ = tcsetattr(self.terminal.as_fd(), OptionalActions::Flush, &self.before);
    }
}

/// Asks twice for a new password for `name`.
///
/// # Errors
/// If there is no terminal, or the passwords differ.
pub fn ask_twice(name: &AccountName) -> anyhow::Result<String> {
    // The terminal itself: standard input and output may be redirected.
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let terminal = terminal
        .context("cannot ask for the password without a terminal; use --password-file FILE")?;
    let mut lines = BufReader::new(&terminal).lines();
    let mut ask = |question: &str| {
        write!(&terminal, "{question}: ")?;
        let hidden = HiddenInput::new(&terminal)?;
        let line = lines.next().unwrap_or_else(|| Ok(String::new()));
        drop(hidden);
        writeln!(&terminal)?;
        Ok::<_, anyhow::Error>(line?)
    };
    let password = ask(&format!("Password for {name}"))?;
    if password != ask("Repeat password")? {
        bail!("the passwords don't match");
    }
    Ok(password)
}
