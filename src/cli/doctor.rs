//! `pet-store doctor`: checks what a server needs, from its disk to the proxy in front of it, and says what to
//! do about each fault.
//!
//! It takes the options of `serve`, so that it checks what a server with these options would meet. It
//! changes nothing, and a server may be running.

mod base_url;
mod files;
mod http;
mod https;
mod machine;
mod report;
mod server;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Args;
use tokio::runtime::Runtime;

use self::report::Report;
use super::fail;
use crate::config::{Config, EngineChoice, ServeOptions};

/// Options of `pet-store doctor`.
#[derive(Args)]
pub struct DoctorOptions {
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    serve: ServeOptions,
}

/// Prints the findings. Returns exit code 1 if something must be fixed.
pub fn run(options: DoctorOptions) -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start a runtime: {error}"), 1),
    };
    let report = runtime.block_on(examine(options.serve));
    let text = if options.json {
        report.json()
    } else {
        report.to_string()
    };
    // Fails only if standard output is closed.
    let _ = io::stdout().write_all(text.as_bytes());
    ExitCode::from(u8::from(report.has_problem()))
}

async fn examine(options: ServeOptions) -> Report {
    let wanted = options.wanted_connections();
    let config = Config::serve(options);
    let mut report = Report::default();
    match &config.store.engine {
        EngineChoice::Redb => files::check(&config.store.data, &mut report),
        EngineChoice::Nats(address) => report.note(
            "store",
            format!("in the cluster {address}; its servers are not checked"),
            "See docs/cluster.md.",
        ),
    }
    machine::check_open_files(&config.store.data, wanted, &mut report);
    machine::check_clock(&config.store.data, &mut report);
    let local = server::check(config.listen, &mut report).await;
    match &config.base_url {
        Some(base) => base_url::check(base, local, config.live.min_heartbeat, &mut report).await,
        None => report.note(
            "base URL",
            "not set, so nothing between visitors and the server is checked".to_owned(),
            "Set --base-url to the address that visitors type, for example https://pets.example. It \
             is needed behind a proxy.",
        ),
    }
    report
}
