//! Nodes and servers that die: nothing acknowledged is lost, nothing is shown twice, and whoever
//! watches is told when it may be old.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{Sse, Viewer, until};

const WORDS: [&str; 4] = ["eating", "bathing", "playing", "sleeping"];

/// A viewer whose node was killed comes back to another with its cursor, as a browser does.
#[tokio::test]
async fn the_viewers_of_a_killed_node_go_on_at_another_and_miss_and_repeat_nothing() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 2).await;
    let mut viewer = Viewer::open("sse", nodes.base(0), "").await;
    let mut seen = vec![viewer.next_news().await["cursor"].clone()];
    let mut made = Vec::new();
    for turn in 0..30 {
        made.push(nodes.set(1, 1 + turn as u64 % 3, WORDS[turn % 4]).await);
        if turn == 10 {
            seen.push(viewer.next_news().await["cursor"].clone());
            nodes.nodes[0].kill().await;
        }
    }
    let last = seen[seen.len() - 1].as_str().unwrap().to_owned();
    let again = Sse::try_open(nodes.base(1), "", Some(&last)).await.unwrap();
    let mut again = Viewer::Sse(Box::new(again));
    let news = again.take_news(29).await;
    seen.extend(news.iter().map(|news| news["cursor"].clone()));
    assert_eq!(
        seen[1..],
        made.iter().map(|cursor| json!(cursor)).collect::<Vec<_>>()
    );
}

/// The only server is gone: reads go on, viewers are told, writes are refused without being kept
/// for later, and all of it ends when the server is back.
#[tokio::test]
async fn an_engine_out_of_reach_makes_viewers_stale_and_refuses_writes_and_comes_back() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let node = &nodes.nodes[0];
    let before = nodes.set(0, 1, "eating").await;
    let mut viewers = Viewer::open_all(&node.base, &format!("?since={before}")).await;
    let began = Instant::now();
    servers.kill(0);
    // The first may have been on its way; those after it are not sent.
    until("a refusal", async || {
        let refused = node.set_status(1, "bathing").await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let problem: Value = refused.json().await.unwrap();
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("nothing was changed")
    })
    .await;
    for viewer in &mut viewers {
        let told = viewer.next_news().await;
        assert_eq!(told["type"], "stale", "{}", viewer.transport());
        assert!(told["since"].is_string());
    }
    let after = began.elapsed();
    assert!(after > Duration::from_secs(4), "told after {after:?}");
    let ready = node
        .client
        .get(format!("{}/readyz", node.base))
        .send()
        .await
        .unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    assert!(ready.text().await.unwrap().contains("out of reach"));
    assert_eq!(nodes.status(0, 1).await, "eating");
    let mut late = Viewer::open("ws", &node.base, "").await;
    assert_eq!(late.next_news().await["type"], "snapshot");
    assert_eq!(late.next_news().await["type"], "stale");

    servers.begin(0);
    until("a write", async || {
        let answer = node.set_status(1, "playing").await.unwrap();
        answer.status() == StatusCode::OK
    })
    .await;
    for viewer in &mut viewers {
        let news = viewer.next_news().await;
        assert_eq!(
            news["status"], "playing",
            "what was refused is not there: {news}"
        );
    }
}

/// Three servers, and the leader of the stream is killed while somebody writes.
#[tokio::test]
async fn no_acknowledged_change_is_lost_when_the_leader_of_the_stream_is_killed() {
    let mut servers = Servers::start(3, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let mut viewer = Viewer::open("ws", nodes.base(1), "").await;
    let snapshot = viewer.next_news().await;
    assert_eq!(snapshot["type"], "snapshot");
    let mut acknowledged = Vec::new();
    for turn in 0..20 {
        acknowledged.push(nodes.set(0, 1, WORDS[turn % 4]).await);
    }
    let leader = servers.leader_of("PET_STORE");
    servers.kill(leader);
    let killed = Instant::now();
    until("a write", async || {
        let Some(answer) = nodes.nodes[0].set_status(1, "eating").await else {
            return false;
        };
        let is_back = answer.status() == StatusCode::OK;
        if is_back {
            let answer: Value = answer.json().await.unwrap();
            acknowledged.push(answer["cursor"].as_str().unwrap().to_owned());
        }
        is_back
    })
    .await;
    eprintln!(
        "writes were back after {:.1} s",
        killed.elapsed().as_secs_f32()
    );
    let mut seen: Vec<String> = Vec::new();
    while seen.last() != acknowledged.last() {
        let news = viewer.next_news().await;
        if let Some(cursor) = news["cursor"].as_str() {
            seen.push(cursor.to_owned());
        }
    }
    assert!(seen.is_sorted_by_key(|cursor| crate::support::rev_of(cursor)));
    for cursor in &acknowledged {
        let times = seen.iter().filter(|seen| *seen == cursor).count();
        assert_eq!(times, 1, "{cursor}");
    }
}

/// Its numbers begin again from 1, so everything that was known by number is something else now.
#[tokio::test]
async fn a_stream_that_was_deleted_and_made_anew_has_another_epoch_and_everyone_begins_anew() {
    let servers = Servers::start(1, NEWEST);
    let mut nodes = Nodes::start(&servers, 1).await;
    let before = nodes.set(0, 1, "eating").await;
    let mut viewers = Viewer::open_all(nodes.base(0), &format!("?since={before}")).await;
    servers.ask("$JS.API.STREAM.DELETE.PET_STORE");
    // Whoever starts next makes it.
    nodes.add(&servers, &["--simulate", "off"]).await;
    let after = nodes.set(1, 1, "bathing").await;
    let epoch = |cursor: &str| cursor.split('-').next().unwrap().to_owned();
    assert_ne!(epoch(&before), epoch(&after));
    for viewer in &mut viewers {
        let news = viewer.next_news().await;
        match viewer.transport() {
            "poll" => assert_eq!(news["type"], "snapshot"),
            transport => assert_eq!(news["type"], "bye", "{transport}"),
        }
    }
    let mut again = Viewer::open("sse", nodes.base(0), &format!("?since={before}")).await;
    let snapshot = again.next_news().await;
    assert_eq!(snapshot["type"], "snapshot");
    assert_eq!(epoch(snapshot["cursor"].as_str().unwrap()), epoch(&after));
}

/// Two of three servers are gone for longer than viewers are left in the dark, and all three are
/// started again.
#[tokio::test]
async fn nothing_acknowledged_is_lost_when_two_of_three_servers_go_and_come_back() {
    let mut servers = Servers::start(3, NEWEST);
    let nodes = Nodes::start(&servers, 2).await;
    let mut acknowledged = Vec::new();
    for turn in 0..10 {
        acknowledged.push(nodes.set(turn % 2, 1, WORDS[turn % 4]).await);
    }
    let start = &acknowledged[0];
    let mut viewers = Viewer::open_all(nodes.base(0), &format!("?since={start}")).await;
    (0..2).for_each(|index| servers.kill(index));
    for viewer in &mut viewers {
        let mut told = viewer.next_news().await;
        while told["type"] == "status" {
            told = viewer.next_news().await;
        }
        assert_eq!(told["type"], "stale", "{}", viewer.transport());
    }
    let refused = nodes.nodes[0].set_status(2, "eating").await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    servers.kill(2);
    (0..3).for_each(|index| servers.begin(index));
    // Longer than one wait: an election may come before it.
    for _ in 0..2 {
        let back = nodes.nodes[0].set_status(3, "eating");
        if back.await.unwrap().status() == StatusCode::OK {
            break;
        }
        servers.leader_of("PET_STORE");
    }
    until("a write", async || {
        let answer = nodes.nodes[0].set_status(3, "playing").await.unwrap();
        answer.status() == StatusCode::OK
    })
    .await;
    let history = nodes.nodes[1].json("/api/v1/pets/1/changes").await;
    let kept: Vec<&str> = history["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["cursor"].as_str().unwrap())
        .collect();
    for cursor in &acknowledged {
        assert!(kept.contains(&cursor.as_str()), "{cursor} is lost");
    }
}

/// A backup is put into place under a node that goes on: the stream gives out numbers again that
/// viewers have seen, for other things.
#[tokio::test]
async fn a_stream_that_forgot_what_was_shown_gets_a_new_epoch() {
    let mut servers = Servers::start(1, NEWEST);
    let nodes = Nodes::start(&servers, 1).await;
    let kept = nodes.set(0, 1, "eating").await;
    servers.kill(0);
    servers.save(0);
    servers.begin(0);
    let mut forgotten = String::new();
    until("a write", async || {
        let Some(answer) = nodes.nodes[0].set_status(1, "bathing").await else {
            return false;
        };
        let is_made = answer.status() == StatusCode::OK;
        if is_made {
            let answer: Value = answer.json().await.unwrap();
            answer["cursor"]
                .as_str()
                .unwrap()
                .clone_into(&mut forgotten);
        }
        is_made
    })
    .await;
    servers.kill(0);
    servers.restore(0);
    servers.begin(0);
    let epoch = |cursor: &str| cursor.split('-').next().unwrap().to_owned();
    until("a new epoch", async || {
        let state = nodes.nodes[0].json("/live/state").await;
        epoch(state["cursor"].as_str().unwrap()) != epoch(&kept)
    })
    .await;
    assert_eq!(nodes.status(0, 1).await, "eating");
    let mut viewer = Viewer::open("sse", nodes.base(0), &format!("?since={forgotten}")).await;
    assert_eq!(viewer.next_news().await["type"], "snapshot");
}
