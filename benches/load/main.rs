//! What does it cost to show a change to everybody who is watching, and how late are they shown it?
//!
//! A client in this process opens real sockets to a `pet-store` that it starts as a child: the
//! release binary, whose own simulator makes the changes. It counts what arrives, takes the time
//! from each change's commit, asks the operating system for the server's CPU time and memory, and
//! holds every viewer's deliveries against the board. When a delivery was lost it refuses to
//! report.
//!
//! `cargo bench --bench load` prints a short table; `-- --help` lists what else can be asked.

#![expect(
    clippy::print_stdout,
    reason = "figures are for whoever started the bench"
)]

mod board;
mod book;
mod client;
mod flags;
mod fleet;
mod interrupt;
mod ledger;
mod machine;
mod peers;
mod plots;
mod process;
mod progress;
mod prove;
mod report;
mod run;
mod scenario;
mod seat;
mod server;
mod table;
mod verdict;

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
    interrupt::listen()?;
    let room = machine::room_for_viewers();
    println!("{}", machine::description());
    if flags.prove {
        return prove::prove();
    }
    if flags.plots {
        return plots::draw(room);
    }
    if flags.peers {
        let loads = flags.run().filter(|_| flags.is_load_given());
        return peers::compare(loads, &flags.only, room);
    }
    if let Some(scenario) = flags.scenario {
        return scenario.run(flags.viewers, room);
    }
    match flags.run() {
        Some(run) if run.viewers > room => anyhow::bail!(
            "{} viewers need as many open files, and the limit of this machine leaves {room}",
            run.viewers
        ),
        Some(run) => table::all(&[run]),
        None => flags.table.print(room),
    }
}
