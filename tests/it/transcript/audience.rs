//! Viewers that keep reconnecting over another transport.

use rand::rngs::ChaCha8Rng;
use serde_json::Value;
use tokio::sync::watch;

use super::{Progress, below, until_served};
use crate::support::{TRANSPORTS, Viewer, rev_of, without_after};

/// The most messages on one connection before the viewer reconnects over another transport.
const STAY: usize = 60;

/// The messages that one viewer received.
pub struct Transcript {
    /// The rev of its first cursor.
    pub first: u64,
    /// The pets that it watched. Empty for all pets.
    pub pets: Vec<u64>,
    /// Every message that carried a change, in the order of arrival.
    pub seen: Vec<Value>,
    /// How often it connected.
    pub joins: usize,
}

/// Watches at `base` until the last change, and reconnects over a random transport after every few
/// messages. Starts at a random moment before `begins_before` changes were made.
pub async fn watch_and_wander(
    base: &str,
    begins_before: usize,
    mut progress: watch::Receiver<Progress>,
    mut random: ChaCha8Rng,
) -> Transcript {
    let pets = match below(&mut random, 3) {
        0 => vec![1, 2],
        _ => Vec::new(),
    };
    let begin = below(&mut random, begins_before);
    progress
        .wait_for(|progress| progress.made >= begin)
        .await
        .unwrap();
    let mut transcript = Transcript {
        first: 0,
        pets,
        seen: Vec::new(),
        joins: 0,
    };
    let mut cursor = None;
    loop {
        let transport = TRANSPORTS[below(&mut random, TRANSPORTS.len())];
        let stay = below(&mut random, STAY) + 1;
        let query = query(&transcript.pets, cursor.as_deref());
        if let Some(mut viewer) = Viewer::try_open(transport, base, &query).await {
            let is_over = transcript
                .watch(&mut viewer, stay, &mut cursor, &progress)
                .await;
            if is_over {
                return transcript;
            }
        }
        until_served(base).await;
    }
}

fn query(pets: &[u64], cursor: Option<&str>) -> String {
    let pets = pets.iter().map(|pet| format!("&pet={pet}"));
    let since = cursor.iter().map(|cursor| format!("&since={cursor}"));
    format!("?wait=1{}", pets.chain(since).collect::<String>())
}

impl Transcript {
    /// Reads up to `stay` messages. Returns true after the last change.
    async fn watch(
        &mut self,
        viewer: &mut Viewer,
        stay: usize,
        cursor: &mut Option<String>,
        progress: &watch::Receiver<Progress>,
    ) -> bool {
        for place in 0..stay {
            let Some(message) = viewer.try_next().await else {
                return false;
            };
            if place == 0 {
                self.join(&message, cursor.as_deref());
            }
            self.note(&message);
            if let Some(here) = message["cursor"].as_str() {
                *cursor = Some(here.to_owned());
            }
            let last = progress.borrow().last;
            if last.is_some() && last == cursor.as_deref().map(rev_of) {
                return true;
            }
        }
        false
    }

    /// Records the first message of a connection.
    fn join(&mut self, hello: &Value, cursor: Option<&str>) {
        assert_eq!(hello["type"], "hello");
        self.joins += 1;
        match cursor {
            Some(cursor) => assert_eq!(hello["cursor"], cursor, "a known cursor is served"),
            None => self.first = rev_of(hello["cursor"].as_str().unwrap()),
        }
    }

    fn note(&mut self, message: &Value) {
        match message["type"].as_str().unwrap() {
            "status" | "pet" | "gone" => self.seen.push(without_after(message)),
            "snapshot" => {
                let is_first = self.seen.is_empty()
                    && rev_of(message["cursor"].as_str().unwrap()) == self.first;
                assert!(is_first, "a snapshot is only for a viewer without a cursor");
            }
            _ => {}
        }
    }
}
