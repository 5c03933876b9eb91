//! What does it cost to deliver a change to every viewer, and how late does it arrive?
//!
//! A client in this process opens real sockets to a `pet-store` that it starts as a child: the release
//! binary, whose own simulator makes the changes. The client counts deliveries, measures the time from
//! each commit, asks the operating system for the server's CPU time and memory, and checks every
//! viewer's deliveries against the board (`check`). If a delivery was lost, there is no report.
//!
//! `cargo bench --bench load` prints a short table; `-- --help` lists the other questions.

#![expect(
    clippy::print_stdout,
    reason = "figures are printed for the person who runs the bench"
)]

mod board;
mod check;
mod client;
mod flags;
mod measurements;
mod peers;
mod plots;
mod report;
mod run;
mod scenario;
mod server;
mod system;
mod table;

use std::process::ExitCode;

use clap::Parser;

use self::flags::Flags;

fn main() -> ExitCode {
    let flags = Flags::parse();
    match start(&flags) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(flags: &Flags) -> anyhow::Result<()> {
    system::listen_for_signals()?;
    let max_viewers = system::max_viewers();
    println!("{}", system::machine());
    if flags.prove {
        return check::self_test::run();
    }
    if flags.plots {
        return plots::draw(max_viewers);
    }
    if flags.peers {
        let loads = flags.run().filter(|_| flags.is_load_given());
        return peers::compare(loads, &flags.only, max_viewers);
    }
    if let Some(scenario) = flags.scenario {
        return scenario.run(flags.viewers, max_viewers);
    }
    match flags.run() {
        Some(run) if run.viewers > max_viewers => anyhow::bail!(
            "{} viewers need as many open files, and the limit of this machine leaves {max_viewers}",
            run.viewers
        ),
        Some(run) => table::all(&[run]),
        None => flags.table.print(max_viewers),
    }
}
