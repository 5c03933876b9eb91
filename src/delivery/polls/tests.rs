//! The polls of a worker without its thread, with real sockets on loopback.

pub mod rig;

use std::io::{Read, Write};
use std::time::Duration;

use self::rig::{ClientEnd, Rig, only};
use super::answering::{MAX_INTERVAL, interval};
use super::*;
use crate::hub::TopicFilter;
use crate::model::example::pet;
use crate::store::Follower;

#[test]
fn a_change_answers_the_polls_that_subscribed_to_it_and_no_other() {
    let mut rig = Rig::start();
    let mut everything = rig.register(TopicFilter::All, 2);
    let mut of_one = rig.register(only(1), 2);
    let mut of_two = rig.register(only(2), 2);
    rig.run();
    rig.publish(1);
    rig.run();
    assert_eq!(everything.revs(), [3]);
    assert_eq!(of_one.revs(), [3]);
    assert_eq!(of_two.text(), "");
    rig.publish(2);
    rig.run_at(MAX_INTERVAL);
    assert_eq!(of_two.revs(), [4]);
    assert_eq!(everything.text(), "", "it has its answer");
}

/// A change between the read of the handler and the registration.
#[test]
fn a_poll_that_is_registered_late_gets_every_frame_since_its_cursor() {
    let mut rig = Rig::start();
    for _ in 0..3 {
        rig.publish(1);
    }
    rig.run();
    let mut late = rig.register(TopicFilter::All, 3);
    let mut newest = rig.register(TopicFilter::All, 5);
    rig.run();
    assert_eq!(late.revs(), [4, 5]);
    assert_eq!(newest.text(), "");
    rig.publish(2);
    rig.run_at(MAX_INTERVAL);
    assert_eq!(newest.revs(), [6]);
}

/// Polls of one group end at different times. The answer of the first must not be the end of the others.
#[test]
fn a_poll_whose_time_is_over_takes_no_change_from_others() {
    let mut rig = Rig::start();
    let mut short = rig.register_with(TopicFilter::All, 2, |pending| {
        pending.deadline = Instant::now();
    });
    let mut long = rig.register(TopicFilter::All, 2);
    let mut again = rig.register_with(TopicFilter::All, 2, |pending| {
        pending.deadline = Instant::now() + Duration::from_secs(1);
    });
    rig.run();
    assert!(short.text().contains("heartbeat"));
    assert_eq!(long.text(), "");
    // Due, and the pass may not start yet.
    rig.publish(1);
    rig.polls.next_pass = Instant::now() + Duration::from_secs(10);
    rig.run_at(Duration::from_secs(2));
    assert_eq!(again.revs(), [3]);
    assert_eq!(long.text(), "");
    rig.run_at(Duration::from_secs(20));
    assert_eq!(long.revs(), [3]);
}

#[test]
fn every_poll_is_answered_when_the_engine_stops_and_starts_responding() {
    let mut rig = Rig::start();
    let mut waiting = rig.register(only(1), 2);
    rig.run();
    let since = Timestamp::now();
    rig.hub.set_unreachable_since(Some(since));
    rig.run();
    assert!(waiting.text().contains(r#""type":"stale""#));
    // Began before the outage, and is registered after it.
    let mut early = rig.register_with(only(1), 2, |pending| pending.stale_since = None);
    let mut during = rig.register(only(1), 2);
    rig.run();
    assert!(early.text().contains(r#""type":"stale""#));
    assert_eq!(during.text(), "");
    rig.hub.set_unreachable_since(None);
    rig.run();
    assert!(during.text().contains(r#""type":"heartbeat""#));
}

/// The rule is "over a gap that an engine cannot fill there is a snapshot".
#[test]
fn after_a_gap_and_in_a_new_epoch_every_poll_gets_a_snapshot() {
    for (epoch, name) in [(0xabc, "00000abc-90"), (0xdef, "00000def-90")] {
        let mut rig = Rig::start();
        let mut everything = rig.register(TopicFilter::All, 2);
        let mut of_two = rig.register(only(2), 2);
        rig.run();
        rig.restart_from(epoch, [1, 2].map(pet));
        rig.run();
        for end in [&mut everything, &mut of_two] {
            let text = end.text();
            assert!(text.contains(r#"{"type":"snapshot""#), "{text}");
            assert!(text.contains(&format!(r#"{{"cursor":"{name}""#)), "{text}");
        }
    }
}

#[test]
fn polls_that_lag_behind_the_stream_miss_nothing() {
    let mut rig = Rig::start();
    let mut everything = rig.register(TopicFilter::All, 2);
    let mut of_two = rig.register(only(2), 2);
    rig.publish(2);
    for _ in 0..5000 {
        rig.publish(1);
    }
    rig.run();
    assert_eq!(everything.revs(), [3, 5003], "the newest per pet");
    assert_eq!(of_two.revs()[0], 3);
}

#[test]
fn an_answered_socket_waits_without_a_slot_and_returns_to_http_with_its_next_request() {
    let mut rig = Rig::start();
    let mut keeps = rig.register(TopicFilter::All, 2);
    let mut pipelines = rig.register_with(TopicFilter::All, 2, |pending| {
        pending.deferred.connection.read_ahead = b"GET / HTTP/1.1\r\n".to_vec();
    });
    let mut eager = rig.register(TopicFilter::All, 2);
    eager.0.write_all(b"GET ").unwrap();
    let leaves = rig.register(TopicFilter::All, 2);
    rig.run();
    assert_eq!(rig.polls.len(), 4);
    drop(leaves);
    rig.run();
    assert_eq!(rig.polls.len(), 3);
    rig.publish(1);
    rig.run();
    for end in [&mut keeps, &mut pipelines, &mut eager] {
        assert_eq!(end.revs(), [3]);
    }
    assert_eq!(rig.waiting(), 0);
    assert_eq!(rig.returned(), 2, "those that have sent more");
    assert_eq!(rig.polls.len(), 1);
    keeps.0.write_all(b"GET ").unwrap();
    rig.run();
    assert_eq!((rig.returned(), rig.polls.len()), (3, 0));
}

/// Returns the head of a poll.
fn request_head(since: u64) -> String {
    format!("GET /live/poll?since=00000abc-{since} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Reads such a head.
fn read_head(head: &[u8]) -> Option<(u64, Cursor)> {
    let text = std::str::from_utf8(head).unwrap();
    let rest = text.strip_prefix("GET /live/poll?since=")?;
    let (cursor, rest) = rest.split_once(' ')?;
    (rest == "HTTP/1.1\r\nHost: x\r\n\r\n").then(|| (5, cursor.parse().unwrap()))
}

/// Registers a poll from rev 2 with such a head.
fn register_repeatable(rig: &mut Rig) -> ClientEnd {
    rig.register_with(TopicFilter::All, 2, |pending| {
        pending.request = Some(RepeatableRequest {
            hash: 5,
            read: read_head,
            wait: Duration::from_mins(1),
        });
    })
}

#[test]
fn a_poll_that_is_repeated_waits_again_without_http() {
    let head = request_head;
    let mut rig = Rig::start();
    let mut client = register_repeatable(&mut rig);
    for rev in 3..8 {
        rig.publish(1);
        rig.run_at(MAX_INTERVAL * u32::try_from(rev).unwrap());
        assert_eq!(client.revs(), [rev]);
        assert_eq!(rig.waiting(), 0);
        client.0.write_all(head(rev).as_bytes()).unwrap();
        rig.run();
        assert_eq!((rig.waiting(), rig.returned()), (1, 0));
    }
    rig.publish(1);
    rig.run_at(MAX_INTERVAL * 9);
    assert_eq!(client.revs(), [8]);
    // Behind the present: answered in the next pass.
    client.0.write_all(head(5).as_bytes()).unwrap();
    rig.run_at(MAX_INTERVAL * 10);
    assert_eq!(client.revs(), [6, 7, 8]);
    // Ahead of this node.
    client.0.write_all(head(9).as_bytes()).unwrap();
    rig.run();
    assert_eq!((rig.waiting(), rig.returned(), rig.polls.len()), (0, 1, 0));
}

/// Neither may keep a socket here: HTTP has a timeout for a head that does not arrive, and answers what follows.
#[test]
fn a_part_of_a_repeated_request_and_one_with_another_behind_it_return_to_http_with_every_byte() {
    let head = request_head(3);
    for sent in [&head[..20], &format!("{head}GET ")] {
        let mut rig = Rig::start();
        let mut client = register_repeatable(&mut rig);
        rig.publish(1);
        rig.run();
        assert_eq!(client.revs(), [3]);
        client.0.write_all(sent.as_bytes()).unwrap();
        rig.run();
        assert_eq!((rig.waiting(), rig.polls.len()), (0, 0));
        assert_eq!(rig.returned_bytes(), sent.as_bytes());
    }
}

#[test]
fn a_repeated_request_returns_to_http_when_another_worker_serves_its_socket_and_in_a_full_server() {
    for is_full in [false, true] {
        let mut rig = Rig::start();
        let mut client = register_repeatable(&mut rig);
        rig.publish(1);
        rig.run();
        assert_eq!(client.revs(), [3]);
        let others = is_full.then(|| rig.take_all_slots());
        if !is_full {
            rig.serve_elsewhere();
        }
        client.0.write_all(request_head(3).as_bytes()).unwrap();
        rig.run();
        assert_eq!((rig.returned(), rig.polls.len()), (1, 0), "{is_full}");
        drop(others);
    }
}

#[test]
fn a_socket_without_a_next_request_is_closed_after_the_idle_timeout() {
    let mut rig = Rig::start();
    let mut idle = rig.register(TopicFilter::All, 2);
    rig.publish(1);
    rig.run();
    assert_eq!(idle.revs(), [3]);
    rig.run_at(Duration::from_secs(74));
    assert_eq!(rig.polls.len(), 1);
    rig.run_at(Duration::from_secs(76));
    assert_eq!(rig.polls.len(), 0);
    assert_eq!(idle.0.read(&mut [0]).unwrap(), 0, "closed");
    assert_eq!(rig.returned(), 0);
}

/// The answer is larger than the buffers of the socket.
#[test]
fn a_client_that_reads_slowly_gets_its_whole_answer_and_one_that_does_not_read_is_dropped() {
    let mut rig = Rig::start();
    let mut slow = rig.register(TopicFilter::All, 2);
    let stops = rig.register(TopicFilter::All, 2);
    rig.restart_from(0xdef, (1..=5000).map(pet));
    rig.run();
    assert_eq!(rig.polls.len(), 2);
    let (mut text, started) = (String::new(), Instant::now());
    let is_whole = |text: &str| {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        head.contains(&format!("content-length: {}\r\n", body.len()))
    };
    while !text.contains("\r\n\r\n") || !is_whole(&text) {
        rig.run();
        text.push_str(&slow.text());
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{}",
            text.len()
        );
    }
    rig.run_at(Duration::from_secs(31));
    assert_eq!(rig.polls.len(), 1, "the other is idle");
    let dropped = &rig.hub.metrics().dropped;
    assert_eq!(dropped.with_label_values(&["write-timeout"]).get(), 1);
    drop(stops);
}

#[test]
fn changes_collect_after_a_long_pass_and_after_many_requests_that_had_to_pass_http() {
    let ms = Duration::from_millis;
    for (took, http_requests, expected) in [
        (ms(0), 0, ms(10)),
        (ms(9), 0, ms(10)),
        (ms(20), 0, ms(60)),
        (ms(400), 0, ms(1000)),
        (ms(1), 100, ms(10)),
        (ms(4), 500, ms(50)),
        (ms(1), 1_000_000, ms(1000)),
    ] {
        assert_eq!(
            interval(took, http_requests),
            expected,
            "{took:?} {http_requests}"
        );
    }
}
