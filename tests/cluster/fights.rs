//! Many who write the same pet at once, at several nodes: each acknowledged change is there once,
//! and nobody is told two things.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::Value;

use super::Nodes;
use super::server::{NEWEST, Servers};
use crate::support::{Viewer, until};

const CLIENTS: usize = 6;
const TURNS: usize = 15;

/// Clients at three nodes fight for one pet, next to a simulator at each node.
#[tokio::test]
async fn clients_that_fight_for_one_pet_each_get_a_change_of_their_own_or_are_told_why_not() {
    let servers = Servers::start(3, NEWEST);
    let mut nodes = Nodes::start(&servers, 0).await;
    for _ in 0..3 {
        nodes.add(&servers, &["--simulate", "500ms"]).await;
    }
    let mut viewers = Vec::new();
    for node in 0..3 {
        let mut viewer = Viewer::open("ws", nodes.base(node), "").await;
        assert_eq!(viewer.next_news().await["type"], "snapshot");
        viewers.push(viewer);
    }
    let fighting = (0..CLIENTS).map(async |client| {
        let mut made = Vec::new();
        for turn in 0..TURNS {
            let word = ["eating", "bathing", "playing", "sleeping"][turn % 4];
            let answer = nodes.nodes[client % 3].set_status(1, word).await.unwrap();
            let status = answer.status().as_u16();
            let answer: Value = answer.json().await.unwrap();
            match status {
                200 => made.push((answer["cursor"].as_str().unwrap().to_owned(), word)),
                409 => {}
                _ => panic!("{answer}"),
            }
        }
        made
    });
    let made: Vec<(String, &str)> = join_all(fighting).await.into_iter().flatten().collect();
    assert!(made.len() > CLIENTS * TURNS / 2, "{} were made", made.len());
    let expected: BTreeMap<&str, &str> = made
        .iter()
        .map(|(cursor, word)| (cursor.as_str(), *word))
        .collect();
    assert_eq!(expected.len(), made.len(), "a cursor was given twice");
    let mut stories = Vec::new();
    let last = nodes.set(0, 2, "eating").await;
    for viewer in &mut viewers {
        let mut story = Vec::new();
        loop {
            let news = viewer.next_news().await;
            let is_last = news["cursor"] == last.as_str();
            story.push(news);
            if is_last {
                break;
            }
        }
        stories.push(story);
    }
    assert!(
        stories[0] == stories[1] && stories[1] == stories[2],
        "one story on all nodes"
    );
    for (cursor, word) in expected {
        let shown = stories[0].iter().filter(|news| news["cursor"] == cursor);
        let shown: Vec<&Value> = shown.map(|news| &news["status"]).collect();
        assert_eq!(shown, [word], "{cursor}");
    }
    until("a change by the simulator", async || {
        viewers[0].next_news().await["by"] == "simulator"
    })
    .await;
}
