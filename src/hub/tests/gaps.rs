//! After a gap in the engine's stream: snapshots for viewers, and the keys of requests.

use super::*;
use crate::model::RequestKey;

/// Rule 3 on a node whose engine dropped changes before the node could read them.
#[tokio::test]
async fn a_cursor_before_a_gap_gets_a_snapshot_and_one_after_it_a_replay() {
    let rig = Rig::start();
    rig.statuses(1, 3);
    let mut waiting = rig.catch_up(TopicFilter::All, 5);
    let snapshot = store::Snapshot {
        rev: Rev::new(90),
        ..rig.engine.snapshot().unwrap()
    };
    rig.hub.restart_from(rig.hub.epoch(), snapshot);
    rig.hub
        .publish(&[change(91, 1, ChangeKind::Status(Status::Eating))]);
    for since in [5, 89] {
        let mut catch_up = rig.catch_up(TopicFilter::All, since);
        let chunk = catch_up.next().await;
        assert!(is_snapshot(&chunk) && chunk.reaches.get() == 91, "{since}");
    }
    assert_eq!(
        all_revs(&mut rig.catch_up(TopicFilter::All, 90)).await,
        [91]
    );
    assert!(is_snapshot(&waiting.next().await));
    assert_eq!(rig.hub.gaps(), 1);
}

/// A node that resynced after a gap once dropped every key, so a retry there was carried out twice.
#[test]
fn request_keys_survive_a_gap_and_end_with_the_epoch() {
    let rig = Rig::start();
    let request = RequestKey {
        id: [7; 16],
        fingerprint: [0; 8],
    };
    rig.hub.publish(&[Change {
        request: Some(request),
        ..change(3, 1, ChangeKind::Status(Status::Eating))
    }]);
    let is_known = || {
        let done = rig.hub.done_request(&request.id, Timestamp::from_micros(0));
        done.is_some()
    };
    let snapshot = rig.engine.snapshot().unwrap();
    rig.hub.restart_from(rig.hub.epoch(), snapshot.clone());
    assert!(is_known());
    rig.hub.restart_from(Epoch::new(0xdef), snapshot);
    assert!(!is_known());
}
