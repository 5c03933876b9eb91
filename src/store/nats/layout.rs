//! What this program keeps in the cluster, made at the first start and checked at every start.

use serde_json::{Value, json};

use super::answer::Failed;
use super::link::Link;
use super::subjects::{LEASE_STREAM, LIVE, PETS, STAFF, Stream};
use crate::store::StoreError;

/// Messages that the stream keeps of each subject. If each pet keeps its newest 10,000 changes, the
/// newest 10,000 of all changes are kept too, which is what a replay may need (`REPLAY_LIMIT`), and
/// a pet that changes every 8.64 s keeps 24 hours. About 450 bytes each.
pub const KEPT_PER_PET: usize = 10_000;

/// The setting that this version raises in the streams of older versions.
const KEPT_SETTING: &str = "max_msgs_per_subject";

/// Longer than the worst election that was measured.
pub const LEASE_SECONDS: u64 = 15;

/// The least API level of a server that knows atomic batches: nats-server 2.12.
const API_LEVEL: u64 = 2;

/// Codes of the API, from the servers' `errors.json`.
const STREAM_NOT_FOUND: u64 = 10059;
const STREAM_HAS_OTHER_SETTINGS: u64 = 10058;

/// Settings without which a promise of the engine would be broken.
fn log(stream: &Stream, kept_per_subject: usize) -> Value {
    json!({
        "name": stream.name,
        "subjects": [stream.subjects],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        KEPT_SETTING: kept_per_subject,
        "max_age": 0,
        "max_msgs": -1,
        "max_bytes": -1,
        "duplicate_window": 120_000_000_000_u64,
        "deny_delete": true,
        "deny_purge": true,
        "allow_direct": true,
        "allow_atomic": true,
    })
}

fn pets() -> Value {
    let mut settings = log(&PETS, KEPT_PER_PET);
    settings["republish"] = json!({ "src": PETS.subjects, "dest": LIVE });
    settings
}

fn staff() -> Value {
    log(&STAFF, 1)
}

fn lease() -> Value {
    json!({
        "name": LEASE_STREAM,
        "subjects": ["$KV.pet-store-lease.>"],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_msgs_per_subject": 1,
        "max_age": LEASE_SECONDS * 1_000_000_000,
        "allow_direct": true,
        "deny_delete": true,
        "deny_purge": true,
    })
}

/// Checks that the servers behind this connection are new enough, once for each connection.
///
/// # Errors
/// `TooOld`: an older server takes everything and silently leaves out what makes it safe.
pub async fn check_servers(link: &Link) -> Result<(), StoreError> {
    if link.is_checked() {
        return Ok(());
    }
    let connection = link.connection();
    let info = link.api("INFO", &Value::Null).await;
    let info = info.map_err(|failed| match failed {
        Failed::Refused { words, .. } => StoreError::Unavailable(words),
        Failed::Unreachable(_) => StoreError::Unavailable("JetStream is not enabled".to_owned()),
        Failed::Unanswered(reason) => StoreError::Unavailable(reason),
    })?;
    let level = info["api"]["level"].as_u64().unwrap_or_default();
    if level < API_LEVEL {
        let version = link.client().server_info().version;
        return Err(StoreError::TooOld { version });
    }
    link.set_checked(connection);
    Ok(())
}

/// Creates the streams that do not exist, raises the retention of a stream that an older version
/// created, and checks all other settings.
///
/// # Errors
/// `OtherSettings`, `TooFewCopies`; `Unavailable` while the cluster has no leader.
pub async fn make(link: &Link, replicas: u64) -> Result<(), StoreError> {
    for wanted in [pets(), staff(), lease()] {
        make_stream(link, wanted, replicas).await?;
    }
    Ok(())
}

/// Creates the lease's stream if it is missing: it holds nothing that must outlast it. Returns true
/// if this node created it.
///
/// # Errors
/// `Unavailable` while the cluster has no leader.
pub async fn restore_lease(link: &Link) -> Result<bool, StoreError> {
    match link
        .api(&format!("STREAM.INFO.{LEASE_STREAM}"), &Value::Null)
        .await
    {
        Err(Failed::Refused { code, .. }) if code == STREAM_NOT_FOUND => {
            make_stream(link, lease(), link.replicas).await?;
            Ok(true)
        }
        Err(failed) => Err(failed.into()),
        Ok(_) => Ok(false),
    }
}

async fn make_stream(link: &Link, wanted: Value, replicas: u64) -> Result<(), StoreError> {
    let name = wanted["name"].as_str().unwrap_or_default().to_owned();
    let info = match link.api(&format!("STREAM.INFO.{name}"), &Value::Null).await {
        Ok(info) => info,
        Err(Failed::Refused { code, .. }) if code == STREAM_NOT_FOUND => {
            let mut settings = wanted.clone();
            settings["num_replicas"] = json!(replicas);
            match link.api(&format!("STREAM.CREATE.{name}"), &settings).await {
                Ok(info) => info,
                // Made by another node in the same moment.
                Err(Failed::Refused { code, .. }) if code == STREAM_HAS_OTHER_SETTINGS => {
                    link.api(&format!("STREAM.INFO.{name}"), &Value::Null)
                        .await?
                }
                Err(failed) => return Err(failed.into()),
            }
        }
        Err(failed) => return Err(failed.into()),
    };
    let info = raise_retention(link, &wanted, info).await;
    // More are as good. Fewer, as a first start with one address leaves them, would not bear the
    // loss of a server, and nobody would know before that.
    let kept = &info["config"]["num_replicas"];
    if kept.as_u64().unwrap_or(1) < replicas {
        return Err(StoreError::TooFewCopies {
            stream: name,
            kept: kept.as_u64().unwrap_or(1),
            wanted: replicas,
        });
    }
    for (setting, value) in wanted.as_object().into_iter().flatten() {
        let found = &info["config"][setting];
        if setting == KEPT_SETTING {
            continue;
        }
        // A server leaves out what is false.
        if found != value && !(found.is_null() && value == &json!(false)) {
            return Err(StoreError::OtherSettings {
                stream: name,
                setting: setting.clone(),
                found: found.to_string(),
                wanted: value.to_string(),
            });
        }
    }
    Ok(())
}

/// Raises the number of messages that a stream keeps per subject to the wanted number. Returns the
/// configuration that the stream has then.
///
/// A stream that keeps more, or that cannot be updated, is used as it is: a node that finds a gap in
/// a stream sends a snapshot. Nodes of an older version only check the settings when they start, so
/// they run beside this one until they are upgraded.
async fn raise_retention(link: &Link, wanted: &Value, info: Value) -> Value {
    let number = |config: &Value| config[KEPT_SETTING].as_i64().filter(|kept| *kept > 0);
    let (kept, least) = (number(&info["config"]), number(wanted));
    // A stream without a limit keeps all messages.
    if kept.is_none() || kept >= least {
        return info;
    }
    let mut settings = info["config"].clone();
    settings[KEPT_SETTING] = wanted[KEPT_SETTING].clone();
    let name = wanted["name"].as_str().unwrap_or_default();
    let (kept, least) = (kept.unwrap_or_default(), least.unwrap_or_default());
    match link.api(&format!("STREAM.UPDATE.{name}"), &settings).await {
        Ok(info) => {
            tracing::info!(
                stream.name = name,
                kept,
                least,
                "raised the number of messages that the engine's stream keeps per subject"
            );
            info
        }
        Err(failed) => {
            tracing::warn!(
                stream.name = name,
                kept,
                least,
                ?failed,
                "cannot raise the number of messages that the engine's stream keeps per subject; \
                 raise it with: nats stream edit {name} --max-msgs-per-subject {least}"
            );
            info
        }
    }
}

/// Whether nothing was ever written to `stream`, or it is not there.
///
/// # Errors
/// `Unavailable` while the cluster has no leader.
pub async fn is_empty(link: &Link, stream: &Stream) -> Result<bool, StoreError> {
    let question = format!("STREAM.INFO.{}", stream.name);
    match link.api(&question, &Value::Null).await {
        Ok(info) => Ok(info["state"]["last_seq"] == json!(0)),
        Err(Failed::Refused { code, .. }) if code == STREAM_NOT_FOUND => Ok(true),
        Err(failed) => Err(failed.into()),
    }
}
