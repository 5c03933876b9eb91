//! No change is confirmed before the system has synced it: counted in the calls of the real
//! program, where nothing of ours can pretend.

use std::path::Path;

use super::strace::attach;
use crate::support::Process;

const DEMO: [&str; 5] = ["demo", "--listen", "127.0.0.1:0", "--simulate", "off"];

/// Syncs that have worked so far.
fn syncs(calls: &Path) -> usize {
    let calls = std::fs::read_to_string(calls).unwrap();
    let worked = |call: &&str| call.contains("fdatasync") && call.ends_with(" = 0");
    calls.lines().filter(worked).count()
}

/// Written without a sync, a change survives every kill and no power cut.
#[tokio::test]
async fn every_change_is_synced_by_the_system_before_it_is_confirmed() {
    let folder = tempfile::tempdir().unwrap();
    let calls = folder.path().join("calls");
    let process = Process::start(folder.path(), &DEMO).await;
    let _strace = attach(&process, "trace=fdatasync", &calls).await;
    let mut before = 0;
    for turn in 0..20 {
        let status = ["eating", "bathing"][turn % 2];
        let answer = process.set_status(1, status).await.unwrap();
        assert_eq!(answer.status(), 200);
        let after = syncs(&calls);
        assert!(after > before, "change {turn} was confirmed unsynced");
        before = after;
    }
}
