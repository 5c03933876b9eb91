//! Two workers that share their viewers.

use super::super::polls::tests::rig::pending_poll;
use super::super::team::{hand_over, release_others, share_long_passes};
use super::super::viewers::BLOCK_ROWS;
use super::*;

/// Rules 3 and 6 when a second worker begins to serve, and when it stops: whichever of the two is ahead.
#[test]
fn viewers_that_are_handed_over_get_every_frame_once() {
    for (first_ahead, second_ahead) in [(true, false), (false, true), (true, true), (false, false)]
    {
        let mut rig = Rig::start();
        // More than a block, so that each worker owns some.
        let mut viewers: Vec<_> = (0..=BLOCK_ROWS as u64)
            .map(|turn| rig.register([TopicFilter::All, only(1)][turn as usize % 2].clone(), 2))
            .collect();
        assert_eq!(rig.second.viewers.count(), 0);
        for share in [Team::grow, Team::shrink] {
            let serving = rig.team.serving();
            rig.publish(1, 1);
            if first_ahead {
                rig.worker.pass(Instant::now());
            }
            if second_ahead {
                rig.second.pass(Instant::now());
            }
            share(&rig.team, serving);
            for worker in [&mut rig.worker, &mut rig.second] {
                hand_over(worker);
            }
            for worker in [&mut rig.worker, &mut rig.second] {
                worker.read_messages();
                worker.pass(Instant::now());
            }
            rig.publish(1, 1);
            for worker in [&mut rig.worker, &mut rig.second] {
                worker.pass(Instant::now());
            }
            let counts = [&rig.worker, &rig.second].map(|worker| worker.viewers.count());
            assert_eq!(counts.iter().sum::<usize>(), viewers.len());
            assert_eq!(
                counts.map(|count| count > 0),
                [true, serving == 1],
                "{counts:?}"
            );
        }
        for viewer in &mut viewers {
            assert_eq!(viewer.revs(), [3, 4, 5, 6]);
        }
    }
}

/// Rule 3 for polls that wait, and for those that are due when another worker begins to serve their socket.
#[test]
fn polls_that_are_handed_over_are_answered_once_with_every_frame() {
    for serving in [1, 2] {
        let mut rig = Rig::start();
        if serving == 2 {
            rig.team.grow(1);
        }
        // More than a block, so that each worker owns some.
        let mut ends: Vec<_> = (0..=BLOCK_ROWS as u64)
            .map(|turn| {
                let filter = only(1 + turn % 2);
                let (poll, end) = pending_poll(&rig.hub, &rig.slots, &rig.listener, filter, 2);
                rig.team.register_poll(poll);
                end
            })
            .collect();
        for worker in [&mut rig.worker, &mut rig.second] {
            hand_over(worker);
            worker.read_messages();
        }
        let counts = [&rig.worker, &rig.second].map(Worker::count);
        assert_eq!(counts.map(|count| count > 0), [true, serving == 2]);
        rig.publish(2, 1);
        match serving {
            1 => rig.team.grow(1),
            _ => rig.team.shrink(2),
        }
        for worker in [&mut rig.worker, &mut rig.second] {
            hand_over(worker);
        }
        for worker in [&mut rig.worker, &mut rig.second] {
            worker.read_messages();
        }
        let counts = [&rig.worker, &rig.second].map(Worker::count);
        assert_eq!(counts.iter().sum::<usize>(), ends.len());
        assert_eq!(counts.map(|count| count > 0), [true, serving == 1]);
        for (pet, rev) in [(2, 3), (1, 4)] {
            if pet == 1 {
                rig.publish(1, 1);
            }
            for worker in [&mut rig.worker, &mut rig.second] {
                worker.polls.run(Instant::now() + Duration::from_secs(rev));
            }
            for (turn, end) in (0..).zip(&mut ends) {
                let expected: &[u64] = if 1 + turn % 2 == pet { &[rev] } else { &[] };
                assert_eq!(end.revs(), expected, "{turn}");
            }
        }
    }
}

/// Two passes in a row are long, so that one that was only interrupted changes nothing.
#[test]
fn a_second_worker_serves_when_passes_are_long_and_until_half_the_crowd_has_left() {
    let mut rig = Rig::start();
    let mut viewers: Vec<_> = (0..200)
        .map(|_| rig.register(TopicFilter::All, 2))
        .collect();
    let ms = Duration::from_millis;
    for (took, serving) in [(11, 1), (9, 1), (11, 1), (11, 2), (11, 2)] {
        share_long_passes(&mut rig.worker, ms(took));
        assert_eq!(rig.team.serving(), serving);
    }
    hand_over(&mut rig.worker);
    for left in [200, 140, 60] {
        viewers.truncate(left);
        let rows = rig.worker.viewers.rows();
        for row in rows.into_iter().skip(left / 2) {
            rig.worker.viewers.remove(row);
        }
        release_others(&rig.worker);
        assert_eq!(rig.team.serving(), if left < 100 { 1 } else { 2 }, "{left}");
    }
}

/// A viewer that waits for it sends no other message.
#[test]
fn a_reply_follows_a_viewer_that_was_handed_over() {
    let mut rig = Rig::start();
    let mut viewers: Vec<_> = (0..=BLOCK_ROWS)
        .map(|_| rig.register(TopicFilter::All, 2))
        .collect();
    let rows = rig.worker.viewers.rows();
    let ids: Vec<_> = rows
        .iter()
        .map(|row| rig.worker.viewers.get_mut(*row).unwrap().details.id)
        .collect();
    rig.team.grow(1);
    hand_over(&mut rig.worker);
    for (row, viewer_id) in rows.into_iter().zip(ids) {
        let frame = Bytes::from_static(b"id: 00000abc-9\n");
        let reply = WorkerMessage::Reply {
            row,
            viewer_id,
            frame,
        };
        assert!(rig.team.mailboxes()[0].send(reply).is_ok());
    }
    rig.worker.read_messages();
    rig.second.read_messages();
    assert!(rig.second.viewers.count() > 0);
    for viewer in &mut viewers {
        assert_eq!(viewer.revs(), [9]);
    }
}
