//! A bench that is told to stop ends the servers it started.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

static STOPPED: AtomicBool = AtomicBool::new(false);

/// Waits for SIGTERM or SIGINT on a thread of its own, from now on.
pub fn listen() -> std::io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    let entered = runtime.enter();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    drop(entered);
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        });
        STOPPED.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// # Errors
/// Once a signal came.
pub fn check() -> anyhow::Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        anyhow::bail!("stopped by a signal");
    }
    Ok(())
}
