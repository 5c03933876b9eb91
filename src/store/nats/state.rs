//! How far a stream is, in the words of a leader that can store something.

use std::time::Duration;

use serde_json::Value;

use super::answer::Failed;
use super::link::Link;
use super::subjects::Stream;
use crate::model::Timestamp;

/// Silence after which a follower counts as gone. Leaders send a sign of life every second.
const FOLLOWER_WITHIN: Duration = Duration::from_secs(3);

/// Which stream it is, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// When it was made: another one of the same name has another time.
    pub created: String,
    pub last_seq: u64,
    /// How long ago its leader last heard of enough others to store anything.
    pub silence: Duration,
    /// The name of the server that leads; empty if there is one server alone.
    pub leader: String,
    /// The time by the server's clock.
    pub server_time: Option<Timestamp>,
}

impl StreamState {
    /// Asks the leader of `stream`.
    pub async fn ask(link: &Link, stream: &Stream) -> Result<Self, Failed> {
        let question = format!("STREAM.INFO.{}", stream.name);
        let info = link.api(&question, &Value::Null).await?;
        let silence = silence(&info).filter(|silence| *silence < FOLLOWER_WITHIN);
        let lost = || Failed::Unreachable("the leader has lost its followers".to_owned());
        let unread = || Failed::Unanswered(format!("not an answer: {info}"));
        Ok(StreamState {
            created: info["created"].as_str().unwrap_or_default().to_owned(),
            silence: silence.ok_or_else(lost)?,
            leader: info["cluster"]["leader"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            server_time: info["ts"].as_str().and_then(|time| time.parse().ok()),
            last_seq: info["state"]["last_seq"].as_u64().ok_or_else(unread)?,
        })
    }
}

/// How long ago the leader heard of enough others to store anything; `None` when no leader
/// answered, or too many are gone. A leader that lost them goes on answering for a while, and so
/// does, in no leader's name, a server that is left alone.
fn silence(info: &Value) -> Option<Duration> {
    let Some(cluster) = info.get("cluster") else {
        return Some(Duration::ZERO);
    };
    cluster["leader"]
        .as_str()
        .filter(|leader| !leader.is_empty())?;
    let replicas = cluster["replicas"].as_array();
    let replicas = replicas.map_or(&[][..], Vec::as_slice);
    let present = replicas.iter().filter(|replica| replica["offline"] != true);
    let mut silences: Vec<u64> = present
        .map(|replica| replica["active"].as_u64().unwrap_or_default())
        .collect();
    silences.sort_unstable();
    // With the leader itself, more than half.
    match replicas.len().div_ceil(2) {
        0 => Some(Duration::ZERO),
        needed => silences.get(needed - 1).copied().map(Duration::from_nanos),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn info(cluster: &Value) -> Value {
        json!({ "state": { "last_seq": 16 }, "cluster": cluster })
    }

    /// As servers of 2.15 were seen to answer. The last kind of answer had a node take itself for
    /// connected while two of three servers were gone.
    #[test]
    fn only_a_leader_who_hears_of_most_others_can_store_anything() {
        let heard = json!({ "name": "b", "current": true, "active": 400_000_000 });
        let silent = json!({ "name": "b", "current": true, "active": 9_000_000_000_u64 });
        let gone = json!({ "name": "c", "current": false, "offline": true, "active": 0 });
        let led = |replicas: &[&Value]| info(&json!({ "leader": "a", "replicas": replicas }));
        let seconds = |info: &Value| silence(info).map(|silence| silence.as_secs_f32());
        assert_eq!(seconds(&json!({ "state": {} })), Some(0.0), "one server");
        assert_eq!(
            seconds(&info(&json!({ "leader": "a" }))),
            Some(0.0),
            "one replica"
        );
        assert_eq!(seconds(&led(&[&silent, &heard])), Some(0.4));
        assert_eq!(seconds(&led(&[&heard, &gone])), Some(0.4));
        assert_eq!(seconds(&led(&[&silent, &gone])), Some(9.0));
        assert_eq!(seconds(&led(&[&gone, &gone])), None);
        let five = led(&[&silent, &heard, &heard, &gone]);
        assert_eq!(seconds(&five), Some(0.4), "two others of four are enough");
        let alone = json!({ "name": "cluster", "replicas": [gone, gone, heard] });
        assert_eq!(seconds(&info(&alone)), None, "nobody leads");
    }
}
