//! The command line: parses commands and flags, runs them, and returns the exit code.

mod doctor;
mod location;
mod log;
mod password;
mod service_manager;
mod staff;
mod store;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use rustix::process::Signal;
use tokio::runtime::{self, Runtime};
use tokio::signal::unix::{self, SignalKind, signal};

use self::service_manager::ServiceManager;
use crate::app::App;
use crate::config::{Config, DemoNotLocal, LogFormat, ServeOptions};
use crate::serve::{PassedListeners, probe};

/// Shows live what each pet of a rescue is doing, on any network.
#[derive(Parser)]
#[command(name = "pet-store", version, about)]
struct Cli {
    #[command(subcommand)]
    command: CliCommand,
}

#[derive(Subcommand)]
enum CliCommand {
    /// Run the demo: sample pets that change by themselves, and everyone on this machine can change
    /// them. The default without a command
    Demo(ServeOptions),
    /// Run the server for a rescue: no sample pets, no simulator, and only staff can change pets
    Serve(ServeOptions),
    /// Check files, disk, limits, clock, store, server, public address and the proxy in front, and say what
    /// to do about each fault; exit code 1 if something must be fixed
    Doctor(doctor::DoctorOptions),
    /// Ask the server on this machine whether it answers; exit code 1 if it does not
    Healthcheck(HealthcheckOptions),
    /// Manage staff accounts (stop the server first, unless it uses a cluster)
    Staff(staff::StaffOptions),
    #[command(flatten)]
    Store(store::StoreCommand),
}

#[derive(Args)]
struct HealthcheckOptions {
    /// Address and port that the server listens on
    #[arg(
        long,
        value_name = "ADDR",
        env = "PET_STORE_LISTEN",
        default_value = "127.0.0.1:3000"
    )]
    listen: SocketAddr,
}

/// Returns the description of the command line, for man pages and completions.
pub fn command() -> clap::Command {
    Cli::command()
}

/// The exit code for an invalid option.
const USAGE: u8 = 2;

/// Runs the program with the arguments of this process.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse_from(with_default_command(std::env::args().collect())) {
        Ok(cli) => cli,
        Err(error) => return explain(&error),
    };
    match cli.command {
        CliCommand::Store(command) => store::run(command),
        CliCommand::Staff(options) => staff::run(options),
        CliCommand::Doctor(options) => doctor::run(options),
        CliCommand::Healthcheck(options) => check_health(options.listen),
        CliCommand::Serve(options) => run_server(options, |options| Ok(Config::serve(options))),
        CliCommand::Demo(options) => run_server(options, Config::demo),
    }
}

/// Inserts `demo` if there is no command, or nothing but flags.
fn with_default_command(mut arguments: Vec<String>) -> Vec<String> {
    let general = ["-h", "--help", "-V", "--version"];
    let is_flag = |first: &String| first.starts_with('-') && !general.contains(&first.as_str());
    if arguments.get(1).is_none_or(is_flag) {
        arguments.insert(1.min(arguments.len()), "demo".to_owned());
    }
    arguments
}

/// Prints help as it is, and an error in one line: the option, the value, what is allowed.
fn explain(error: &clap::Error) -> ExitCode {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // Fails only if standard output is closed.
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
    let line = hide_passwords(&lines.join(" "));
    fail(line.strip_prefix("error: ").unwrap_or(&line), USAGE)
}

/// Hides the user and password of addresses: the line repeats the value of an option, and may end up
/// in a log.
fn hide_passwords(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let hidden = word.split_once("://").and_then(|(scheme, rest)| {
            let (_, host) = rest.rsplit_once('@')?;
            Some(format!("{scheme}://...@{host}"))
        });
        hidden.unwrap_or_else(|| word.to_owned())
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Runs a server on the sockets that a service manager passed, or on those of the options.
fn run_server(
    mut options: ServeOptions,
    configure: fn(ServeOptions) -> Result<Config, DemoNotLocal>,
) -> ExitCode {
    let passed = match PassedListeners::from_environment() {
        Ok(passed) => passed,
        Err(error) => return fail(&error.to_string(), 1),
    };
    options.listen_on(passed.addresses());
    let config = match configure(options) {
        Ok(config) => config,
        Err(error) => return fail(&error.to_string(), USAGE),
    };
    log::start(config.log_format);
    let served = Runtime::new().map(|runtime| {
        let served = runtime.block_on(serve(config, passed));
        // Every task has ended. A hanging disk must not delay the exit.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => fail(&error.to_string(), 1),
        Err(error) => fail(&format!("cannot start a runtime: {error}"), 1),
    }
}

/// Serves until the first signal and stops gracefully; a second signal exits immediately.
async fn serve(config: Config, passed: PassedListeners) -> anyhow::Result<()> {
    let manager = ServiceManager::from_environment();
    let mut signals = Signals::listen()?;
    // While this signal is handled, a file at the limit of `ulimit -f` is an error of a write;
    // unhandled, the signal would end the process.
    let _file_too_large = signal(SignalKind::from_raw(Signal::XFSZ.as_raw()))?;
    let log_format = config.log_format;
    let app = App::start_on(config, passed).await?;
    announce(&app, log_format);
    manager.ready(app.address());
    tokio::select! {
        () = signals.stop() => {}
        () = manager.watch(async || app.is_healthy().await) => {}
    }
    manager.stopping();
    tracing::info!("stopping: closing viewers, finishing requests");
    tokio::select! {
        in_time = app.stop() => tracing::info!(in_time, "stopped"),
        () = signals.stop() => {
            fail("stopped immediately by a second signal", 1);
            std::process::exit(1);
        }
    }
    Ok(())
}

/// Asks the server at `address` whether it answers.
fn check_health(address: SocketAddr) -> ExitCode {
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    let answer = runtime.and_then(|runtime| runtime.block_on(probe(address)));
    match answer {
        Ok(200) => ExitCode::SUCCESS,
        Ok(status) => fail(&format!("the server at {address} answers {status}"), 1),
        Err(error) => fail(&format!("no server answers at {address}: {error}"), 1),
    }
}

/// Prints the lines that scripts and operators wait for, on stderr whatever the level of the log.
fn announce(app: &App, format: LogFormat) {
    let announce = |line: String| match format {
        LogFormat::Text => print_line(&line),
        LogFormat::Json => {
            let event = serde_json::json!({ "level": "INFO", "message": line });
            print_line(&event.to_string());
        }
    };
    announce(format!("listening on http://{}", app.address()));
    if let Some(address) = app.metrics_address() {
        announce(format!("metrics are at http://{address}/metrics"));
    }
    if let Some(link) = app.take_bootstrap_link() {
        announce(format!(
            "there are no staff accounts yet; create the first admin account, once and within 24 hours, at {link}"
        ));
    } else if app.has_no_staff() {
        announce(
            "there are no staff accounts yet; create the first admin account with the same --engine: \
             pet-store staff add NAME --role admin --engine …"
                .to_owned(),
        );
    }
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

/// Prints an error in one line, and returns the exit code.
fn fail(sentence: &str, code: u8) -> ExitCode {
    print_line(&format!("pet-store: {sentence}"));
    ExitCode::from(code)
}

/// Prints a line on stderr. Ignores errors: stderr may be closed, or a file on a full disk.
fn print_line(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_means_demo() {
        let line = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            with_default_command(line("pet-store")),
            line("pet-store demo")
        );
        assert_eq!(
            with_default_command(line("pet-store --pets 3")),
            line("pet-store demo --pets 3")
        );
        for same in ["pet-store serve", "pet-store --help", "pet-store -V"] {
            assert_eq!(with_default_command(line(same)), line(same));
        }
    }
}
