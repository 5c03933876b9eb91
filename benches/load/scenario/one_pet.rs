//! Does a viewer of one pet cost only what it is sent?
//!
//! 1,000 pets change once in 10 s, and each of 10,000 viewers watches one of them. Beside it, as
//! many viewers watch everything there is, at a rate that gives them as many deliveries.

use crate::client::Transport;
use crate::run::{Run, Watch};
use crate::table;

pub fn run(viewers: usize) -> anyhow::Result<()> {
    println!("\nviewers of one pet each, beside viewers of all with as many deliveries");
    let one = Run {
        transport: Transport::Ws,
        viewers,
        changes_per_s: 100.0,
        pets: 1000,
        seconds: 20,
        watch: Watch::One,
    };
    let all = Run {
        changes_per_s: 0.1,
        pets: 1,
        watch: Watch::All,
        ..one
    };
    table::all(&[one, all])
}
