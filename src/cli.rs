//! Commands and flags as typed, and the exit code.

mod password;
mod place;
mod staff;
mod store;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use rustix::process::Signal;
use tokio::runtime::Runtime;
use tokio::signal::unix::{self, SignalKind, signal};

use crate::app::App;
use crate::config::{Config, LogFormat, ServeOptions};
use crate::telemetry;

/// Shows what each pet of a rescue is doing, at the moment it does it, on any network.
#[derive(Parser)]
#[command(name = "pet-store", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve sample pets that change by themselves; everyone on this machine may change them
    /// too. This is what pet-store does without a command
    Demo(ServeOptions),
    /// Serve a real rescue: no sample pets, simulator off, writing needs staff
    Serve(ServeOptions),
    /// Say who is staff; of the embedded store while its server is stopped, of a cluster at any time
    Staff(staff::Options),
    #[command(flatten)]
    Store(store::StoreCommand),
}

/// The exit code for a bad option.
const USAGE: u8 = 2;

/// Runs the program with the arguments it was started with.
pub fn run() -> ExitCode {
    let config = match configure(std::env::args().collect()) {
        Ok(config) => config,
        Err(code) => return code,
    };
    telemetry::start(config.log_format);
    let served = Runtime::new().map(|runtime| {
        let served = runtime.block_on(serve(config));
        // Everything that has an owner has ended; a disk that hangs must not hold the exit.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error.to_string(), 1),
        Err(error) => fail(&format!("no runtime could be started: {error}"), 1),
    }
}

/// What is to be served; or, when there is nothing to serve, how it ended.
fn configure(arguments: Vec<String>) -> Result<Config, ExitCode> {
    let command = match Cli::try_parse_from(with_command(arguments)) {
        Ok(cli) => cli.command,
        Err(error) => return Err(explain(&error)),
    };
    match command {
        Command::Store(command) => Err(store::run(command)),
        Command::Staff(options) => Err(staff::run(options)),
        Command::Serve(options) => Ok(Config::serve(options)),
        Command::Demo(options) => {
            Config::demo(options).map_err(|error| fail(&error.to_string(), USAGE))
        }
    }
}

/// `pet-store` alone, or with nothing but flags, is `pet-store demo`.
fn with_command(mut arguments: Vec<String>) -> Vec<String> {
    let asks_for_itself = ["-h", "--help", "-V", "--version"];
    let is_flag =
        |first: &String| first.starts_with('-') && !asks_for_itself.contains(&first.as_str());
    if arguments.get(1).is_none_or(is_flag) {
        arguments.insert(1.min(arguments.len()), "demo".to_owned());
    }
    arguments
}

/// Prints help as it is, and any mistake as one line: the option, the value, what is allowed.
fn explain(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // Fails only when nobody reads it.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let text = error.render().to_string();
    let lines = text
        .lines()
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let lines: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let line = without_passwords(&lines.join(" "));
    fail(line.strip_prefix("error: ").unwrap_or(&line), USAGE)
}

/// A value is repeated to the one who gave it, and ends up in logs: in an address, what stands before
/// an @ may be a password.
fn without_passwords(line: &str) -> String {
    let hidden = line.split(' ').map(|word| {
        let secret = word.split_once("://").and_then(|(scheme, rest)| {
            let (_, host) = rest.rsplit_once('@')?;
            Some(format!("{scheme}://...@{host}"))
        });
        secret.unwrap_or_else(|| word.to_owned())
    });
    hidden.collect::<Vec<_>>().join(" ")
}

fn fail(sentence: &str, code: u8) -> ExitCode {
    say(&format!("pet-store: {sentence}"));
    ExitCode::from(code)
}

/// Serves until the first signal, and stops within the grace; a second signal ends it at once.
async fn serve(config: Config) -> anyhow::Result<()> {
    let mut signals = Signals::listen()?;
    // Heard, a file that reached the limit of `ulimit -f` is an error of a write; unheard, it
    // would be the end of the program.
    let _file_too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let log_format = config.log_format;
    let app = App::start(config).await?;
    announce(
        log_format,
        &format!("listening on http://{}", app.address()),
    );
    if let Some(address) = app.metrics_address() {
        let line = format!("metrics are at http://{address}/metrics");
        announce(log_format, &line);
    }
    if let Some(link) = app.founding_link() {
        announce(
            log_format,
            &format!(
                "nobody is staff yet; become the first admin, once and within a day, at {link}"
            ),
        );
    } else if app.lacks_staff() {
        announce(
            log_format,
            "nobody is staff yet; make the first admin with the same --engine: \
             pet-store staff add NAME --role admin --engine …",
        );
    }
    signals.stop().await;
    tracing::info!("stopping: telling every viewer, finishing requests");
    tokio::select! {
        in_time = app.stop() => tracing::info!(in_time, "stopped"),
        () = signals.stop() => {
            fail("stopped at once by a second signal", 1);
            std::process::exit(1);
        }
    }
    Ok(())
}

/// The signals that the server handles. Any other keeps its default action.
struct Signals {
    terminate: unix::Signal,
    interrupt: unix::Signal,
    hang_up: unix::Signal,
    user_1: unix::Signal,
    user_2: unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user_1: signal(SignalKind::user_defined1())?,
            user_2: signal(SignalKind::user_defined2())?,
        })
    }

    /// Waits for a signal to stop. Logs and ignores the signals by which other programs reopen their
    /// log files: this log goes to stderr. Unhandled, they would end the process without a `bye` to
    /// any viewer. Cancel safe.
    async fn stop(&mut self) {
        loop {
            let ignored = tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => "SIGHUP",
                _ = self.user_1.recv() => "SIGUSR1",
                _ = self.user_2.recv() => "SIGUSR2",
            };
            tracing::info!(
                signal = ignored,
                "signal ignored; SIGTERM or SIGINT stops the server"
            );
        }
    }
}

/// The one line that scripts wait for: on stderr whatever the level of the log.
fn announce(format: LogFormat, line: &str) {
    match format {
        LogFormat::Text => say(line),
        LogFormat::Json => {
            let event = serde_json::json!({ "level": "INFO", "message": line });
            say(&event.to_string());
        }
    }
}

/// A line on stderr. That nobody reads it, or that its disk is full, ends nothing.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_means_demo() {
        let line = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(with_command(line("pet-store")), line("pet-store demo"));
        assert_eq!(
            with_command(line("pet-store --pets 3")),
            line("pet-store demo --pets 3")
        );
        for same in ["pet-store serve", "pet-store --help", "pet-store -V"] {
            assert_eq!(with_command(line(same)), line(same));
        }
    }
}
