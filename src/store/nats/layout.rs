//! The streams of the cluster: created at the first start, checked at every start, and their state.

pub mod epoch;
pub mod subjects;

use std::time::Duration;

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::stream::{
    ClusterInfo, Config, DiscardPolicy, Info, Republish, RetentionPolicy, StorageType,
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::subjects::{LEASE_STREAM, NatsStream, PETS, REPUBLISHED, STAFF};
use super::client::{NO_BODY, NatsClient, RequestFailure};
use crate::model::Timestamp;
use crate::store::StoreError;

/// Changes that the stream keeps of each pet. Then it also keeps the newest 10,000 of all changes,
/// which a replay may need (`REPLAY_LIMIT`), and 24 hours of a pet that changes every 8.64 s. A
/// change takes about 450 bytes.
pub const CHANGES_PER_PET: i64 = 10_000;

/// Maximum age of the lease: longer than the longest election that was measured.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);

/// Leaders send heartbeats every second; a follower that was silent for longer than this counts as
/// lost.
const FOLLOWER_TIMEOUT: Duration = Duration::from_secs(3);

/// The setting that `raise_retention` adjusts.
const RETENTION_SETTING: &str = "max_msgs_per_subject";

/// Settings that may differ from the wanted ones, or that are compared separately.
const UNCHECKED_SETTINGS: [&str; 3] = [RETENTION_SETTING, "max_consumers", "num_replicas"];

fn log_config(stream: &NatsStream, messages_per_subject: i64) -> Config {
    Config {
        name: stream.name.to_owned(),
        subjects: vec![stream.subjects.to_owned()],
        duplicate_window: Duration::from_mins(2),
        max_messages: -1,
        max_bytes: -1,
        allow_atomic_publish: true,
        ..base_config(messages_per_subject)
    }
}

fn base_config(messages_per_subject: i64) -> Config {
    Config {
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_messages_per_subject: messages_per_subject,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        ..Config::default()
    }
}

fn pets_config() -> Config {
    Config {
        republish: Some(Republish {
            source: PETS.subjects.to_owned(),
            destination: REPUBLISHED.to_owned(),
            headers_only: false,
        }),
        ..log_config(&PETS, CHANGES_PER_PET)
    }
}

fn lease_config() -> Config {
    Config {
        name: LEASE_STREAM.to_owned(),
        subjects: vec!["$KV.pet-store-lease.>".to_owned()],
        max_messages: -1,
        max_bytes: -1,
        max_age: LEASE_DURATION,
        ..base_config(1)
    }
}

/// Creates the streams that do not exist, raises the retention of a stream that an older version
/// created, and checks all other settings.
///
/// # Errors
/// `OtherSettings`, `TooFewReplicas`; `Unavailable` while the cluster has no leader.
pub async fn ensure_streams(client: &NatsClient) -> Result<(), StoreError> {
    for wanted in [pets_config(), log_config(&STAFF, 1), lease_config()] {
        ensure_stream(client, wanted).await?;
    }
    Ok(())
}

/// Creates the lease's stream if it is missing: it holds nothing that must outlast it. Returns true
/// if this node created it.
pub async fn restore_lease(client: &NatsClient) -> Result<bool, StoreError> {
    if find_stream(client, LEASE_STREAM).await?.is_some() {
        return Ok(false);
    }
    ensure_stream(client, lease_config()).await?;
    Ok(true)
}

/// Returns true if nothing was ever written to `stream`, or it does not exist.
pub async fn is_empty(client: &NatsClient, stream: &NatsStream) -> Result<bool, StoreError> {
    let info = find_stream(client, stream.name).await?;
    Ok(info.is_none_or(|info| info.state.last_sequence == 0))
}

/// Returns the information about a stream, or `None` if it does not exist.
async fn find_stream(client: &NatsClient, name: &str) -> Result<Option<Info>, RequestFailure> {
    match client.api(&format!("STREAM.INFO.{name}"), NO_BODY).await {
        Ok(info) => Ok(Some(info)),
        Err(RequestFailure::Refused { code, .. }) if code == ErrorCode::STREAM_NOT_FOUND => {
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

async fn ensure_stream(client: &NatsClient, mut wanted: Config) -> Result<(), StoreError> {
    wanted.num_replicas = client.replicas;
    let name = &wanted.name;
    let info = if let Some(info) = find_stream(client, name).await? {
        info
    } else {
        let body = settings(&wanted).to_string().into_bytes();
        match client.api(&format!("STREAM.CREATE.{name}"), body).await {
            // Another node created it at the same time, perhaps of another version.
            Err(RequestFailure::Refused { code, .. }) if code == ErrorCode::STREAM_NAME_EXIST => {
                client.api(&format!("STREAM.INFO.{name}"), NO_BODY).await?
            }
            created => created?,
        }
    };
    raise_retention(client, &wanted, &info.config).await;
    // More replicas are as good. With fewer, as a first start with one address creates them, the
    // loss of one server would be an outage.
    if info.config.num_replicas < wanted.num_replicas {
        return Err(StoreError::TooFewReplicas {
            stream: wanted.name,
            kept: info.config.num_replicas as u64,
            wanted: wanted.num_replicas as u64,
        });
    }
    check_settings(&wanted, &info.config)
}

/// Returns the settings of a stream under the names that they have in the API.
fn settings(config: &Config) -> Value {
    serde_json::to_value(config).expect("a stream's configuration is JSON")
}

/// Checks the settings without which a promise of the engine would be broken.
fn check_settings(wanted: &Config, found: &Config) -> Result<(), StoreError> {
    let is_lease = wanted.name == LEASE_STREAM;
    let (wanted, found) = (settings(wanted), settings(found));
    for (setting, value) in wanted.as_object().into_iter().flatten() {
        let setting_name = setting.as_str();
        // The stream of the lease holds one small message, so a limit on its size breaks no promise.
        let is_limit = is_lease && ["max_msgs", "max_bytes"].contains(&setting_name);
        let is_checked =
            !value.is_null() && !is_limit && !UNCHECKED_SETTINGS.contains(&setting_name);
        if is_checked && found[setting] != *value {
            return Err(StoreError::OtherSettings {
                stream: wanted["name"].as_str().unwrap_or_default().to_owned(),
                setting: setting.clone(),
                found: found[setting].to_string(),
                wanted: value.to_string(),
            });
        }
    }
    Ok(())
}

/// Raises the number of messages that a stream keeps per subject to the wanted number.
///
/// A stream that keeps more, or that cannot be updated, is used as it is: a node that finds a gap in
/// a stream sends a snapshot. Nodes of an older version only check the settings when they start, so
/// they run beside this one until they are upgraded.
async fn raise_retention(client: &NatsClient, wanted: &Config, found: &Config) {
    let (kept, least) = (
        found.max_messages_per_subject,
        wanted.max_messages_per_subject,
    );
    // A stream without a limit keeps all messages.
    if kept <= 0 || kept >= least {
        return;
    }
    let name = &wanted.name;
    match set_retention(client, name, least).await {
        Ok(()) => tracing::info!(
            stream.name = name,
            kept,
            least,
            "raised the number of messages that the engine's stream keeps per subject"
        ),
        Err(failure) => tracing::warn!(
            stream.name = name,
            kept,
            least,
            ?failure,
            "cannot raise the number of messages that the engine's stream keeps per subject; \
             raise it with: nats stream edit {name} --max-msgs-per-subject {least}"
        ),
    }
}

/// Edits the configuration as JSON: a typed one would drop settings that only a newer server knows.
async fn set_retention(client: &NatsClient, name: &str, kept: i64) -> Result<(), RequestFailure> {
    let info: Value = client.api(&format!("STREAM.INFO.{name}"), NO_BODY).await?;
    let mut config = info["config"].clone();
    config[RETENTION_SETTING] = json!(kept);
    let endpoint = format!("STREAM.UPDATE.{name}");
    let updated = client.api::<Value>(&endpoint, config.to_string().into_bytes());
    updated.await.map(drop)
}

/// The state of a stream, from a leader that has a quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamState {
    /// Time at which the stream was created, which distinguishes it from another of the same name.
    pub created: String,
    /// Sequence number of the last message.
    pub last_seq: u64,
    /// Time since the leader last heard from a quorum.
    pub quorum_age: Duration,
    /// Name of the leader; empty for a single server.
    pub leader: String,
    /// Time by the leader's clock.
    pub server_time: Option<Timestamp>,
}

/// Information about a stream, and the time of the answer, which `Info` leaves out.
#[derive(Deserialize)]
struct TimedInfo {
    #[serde(flatten)]
    info: Info,
    ts: Option<String>,
}

impl StreamState {
    /// Requests the state of `stream` from its leader.
    ///
    /// # Errors
    /// `NotSent` if the leader has lost the quorum, so that it cannot store anything.
    pub async fn request(client: &NatsClient, stream: &NatsStream) -> Result<Self, RequestFailure> {
        let endpoint = format!("STREAM.INFO.{}", stream.name);
        let TimedInfo { info, ts } = client.api(&endpoint, NO_BODY).await?;
        let cluster = info.cluster.as_ref();
        let quorum_age = quorum_age(cluster).filter(|age| *age < FOLLOWER_TIMEOUT);
        Ok(StreamState {
            created: info.created.to_string(),
            last_seq: info.state.last_sequence,
            quorum_age: quorum_age.ok_or_else(|| {
                RequestFailure::NotSent("the leader has lost its followers".to_owned())
            })?,
            leader: cluster
                .and_then(|cluster| cluster.leader.clone())
                .unwrap_or_default(),
            server_time: ts.and_then(|time| time.parse().ok()),
        })
    }
}

/// Returns the time since the leader heard from enough followers to store anything; `None` if there
/// is no leader or no quorum. A leader without followers goes on answering for a while, and so does
/// a server that is left alone, without a leader's name.
fn quorum_age(cluster: Option<&ClusterInfo>) -> Option<Duration> {
    let Some(cluster) = cluster else {
        return Some(Duration::ZERO);
    };
    cluster
        .leader
        .as_ref()
        .filter(|leader| !leader.is_empty())?;
    let followers = cluster.replicas.iter().filter(|replica| !replica.offline);
    let mut ages: Vec<Duration> = followers.map(|follower| follower.active).collect();
    ages.sort_unstable();
    // Together with the leader, more than half.
    match cluster.replicas.len().div_ceil(2) {
        0 => Some(Duration::ZERO),
        needed => ages.get(needed - 1).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers as servers of 2.15 were seen to give. After the last kind, a node believed to be
    /// connected while two of three servers were gone.
    #[test]
    fn only_a_leader_that_hears_from_a_quorum_can_store_anything() {
        let active = json!({ "name": "b", "current": true, "active": 400_000_000 });
        let silent = json!({ "name": "b", "current": true, "active": 9_000_000_000_u64 });
        let gone = json!({ "name": "c", "current": false, "offline": true, "active": 0 });
        let age = |cluster: &Value| {
            let cluster: ClusterInfo = serde_json::from_value(cluster.clone()).unwrap();
            quorum_age(Some(&cluster)).map(|age| age.as_secs_f32())
        };
        let led = |replicas: &[&Value]| age(&json!({ "leader": "a", "replicas": replicas }));
        assert_eq!(quorum_age(None), Some(Duration::ZERO), "one server");
        assert_eq!(age(&json!({ "leader": "a" })), Some(0.0), "one replica");
        assert_eq!(led(&[&silent, &active]), Some(0.4));
        assert_eq!(led(&[&active, &gone]), Some(0.4));
        assert_eq!(led(&[&silent, &gone]), Some(9.0));
        assert_eq!(led(&[&gone, &gone]), None);
        let five = led(&[&silent, &active, &active, &gone]);
        assert_eq!(five, Some(0.4), "two of four followers are enough");
        let alone = json!({ "name": "cluster", "replicas": [gone, gone, active] });
        assert_eq!(age(&alone), None, "no leader");
    }

    #[test]
    fn a_setting_that_a_promise_rests_on_must_be_as_wanted() {
        let wanted = pets_config();
        let mut found = wanted.clone();
        (found.max_consumers, found.max_messages_per_subject) = (-1, 16);
        found.num_replicas = 3;
        found.description = Some("ours".to_owned());
        assert_eq!(check_settings(&wanted, &found), Ok(()));
        found.allow_atomic_publish = false;
        let refused = check_settings(&wanted, &found);
        let Err(StoreError::OtherSettings { setting, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(setting, "allow_atomic");
    }
}
