//! Records of accounts, sessions, tokens, audit entries and the rescue's settings: JSON, like all records
//! of the store.

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::model::{
    Account, AccountName, AuditEntry, AuditKind, Author, Invitation, Key, MonotonicSeconds, Rescue,
    Rev, Session, Station, Timestamp, Token, Turn, Webhook,
};
use crate::store::record::{decode, encode};
use crate::store::{ClockReading, StoreError};

#[derive(Serialize, Deserialize)]
struct AccountRecord {
    role: String,
    #[serde(default)]
    disabled: bool,
    password: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pin: Option<String>,
    /// The key in hex digits, and when it expires in seconds of the store's clock.
    invitation: Option<(String, u64)>,
    /// Microseconds since the Unix epoch, as all timestamps here.
    created: i64,
}

#[derive(Serialize, Deserialize)]
struct SessionRecord {
    account: String,
    client: String,
    began_at: i64,
    began: u64,
    seen: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    station: Option<StationRecord>,
}

#[derive(Serialize, Deserialize)]
struct StationRecord {
    /// The account whose turn it is, and the second of the last tap.
    turn: Option<(String, u64)>,
}

#[derive(Serialize, Deserialize)]
struct TokenRecord {
    account: String,
    name: String,
    scope: String,
    created: i64,
    used: Option<i64>,
}

#[derive(Serialize, Deserialize)]
struct ClockRecord {
    tick: u64,
    wall: i64,
}

#[derive(Serialize, Deserialize)]
struct AuditEntryRecord {
    at: i64,
    who: String,
    client: String,
    did: String,
    /// Missing in records of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<AuditKindRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AuditKindRecord {
    Routine,
    Administrative,
}

/// How the routine entries of earlier versions begin, which did not store a kind.
const LEGACY_ROUTINE: [&str; 5] = [
    "signed in",
    "signed out",
    "made the token",
    "revoked the token",
    "changed their password",
];

/// Encodes an account.
pub fn encode_account(account: &Account) -> Vec<u8> {
    encode(&AccountRecord {
        role: account.role.as_str().to_owned(),
        disabled: account.is_disabled,
        password: account.password.clone(),
        pin: account.pin.clone(),
        invitation: account
            .invitation
            .map(|invitation| (encode_key(&invitation.key), invitation.expires.0)),
        created: account.created.micros(),
    })
}

/// Decodes an account.
///
/// # Errors
/// `Record`.
pub fn decode_account(name: &str, bytes: &[u8]) -> Result<Account, StoreError> {
    let record: AccountRecord = decode(bytes)?;
    let invitation = |(key, expires): (String, u64)| {
        let (key, expires) = (decode_key(&key)?, MonotonicSeconds(expires));
        Ok::<_, StoreError>(Invitation { key, expires })
    };
    Ok(Account {
        name: account_name(name)?,
        role: record.role.parse().map_err(damaged)?,
        is_disabled: record.disabled,
        password: record.password,
        pin: record.pin,
        invitation: record.invitation.map(invitation).transpose()?,
        created: Timestamp::from_micros(record.created),
    })
}

/// Encodes a session.
pub fn encode_session(session: &Session) -> Vec<u8> {
    encode(&SessionRecord {
        account: session.account.to_string(),
        client: session.client.clone(),
        began_at: session.began_at.micros(),
        began: session.began.0,
        seen: session.seen.0,
        station: session.station.as_ref().map(|station| StationRecord {
            turn: station
                .turn
                .as_ref()
                .map(|turn| (turn.account.to_string(), turn.last_tap.0)),
        }),
    })
}

/// Decodes a session.
///
/// # Errors
/// `Record`.
pub fn decode_session(key: Key, bytes: &[u8]) -> Result<Session, StoreError> {
    let record: SessionRecord = decode(bytes)?;
    let turn = |(account, last_tap): (String, u64)| {
        let (account, last_tap) = (account_name(&account)?, MonotonicSeconds(last_tap));
        Ok::<_, StoreError>(Turn { account, last_tap })
    };
    let station = |record: StationRecord| {
        let turn = record.turn.map(turn).transpose()?;
        Ok::<_, StoreError>(Station { turn })
    };
    Ok(Session {
        key,
        account: account_name(&record.account)?,
        client: record.client,
        began_at: Timestamp::from_micros(record.began_at),
        began: MonotonicSeconds(record.began),
        seen: MonotonicSeconds(record.seen),
        station: record.station.map(station).transpose()?,
    })
}

/// Encodes an API token.
pub fn encode_token(token: &Token) -> Vec<u8> {
    encode(&TokenRecord {
        account: token.account.to_string(),
        name: token.name.clone(),
        scope: token.scope.as_str().to_owned(),
        created: token.created.micros(),
        used: token.used.map(Timestamp::micros),
    })
}

/// Decodes an API token.
///
/// # Errors
/// `Record`.
pub fn decode_token(key: Key, bytes: &[u8]) -> Result<Token, StoreError> {
    let record: TokenRecord = decode(bytes)?;
    Ok(Token {
        key,
        account: account_name(&record.account)?,
        name: record.name,
        scope: record.scope.parse().map_err(damaged)?,
        created: Timestamp::from_micros(record.created),
        used: record.used.map(Timestamp::from_micros),
    })
}

/// Encodes a reading of the clocks.
pub fn encode_clock(reading: &ClockReading) -> Vec<u8> {
    encode(&ClockRecord {
        tick: reading.tick.0,
        wall: reading.wall.micros(),
    })
}

/// Decodes a reading of the clocks.
///
/// # Errors
/// `Record`.
pub fn decode_clock(bytes: &[u8]) -> Result<ClockReading, StoreError> {
    let record: ClockRecord = decode(bytes)?;
    Ok(ClockReading {
        tick: MonotonicSeconds(record.tick),
        wall: Timestamp::from_micros(record.wall),
    })
}

/// Encodes the settings of the rescue.
pub fn encode_rescue(rescue: &Rescue) -> Vec<u8> {
    encode(rescue)
}

/// Decodes the settings of the rescue.
///
/// # Errors
/// `Record`.
pub fn decode_rescue(bytes: &[u8]) -> Result<Rescue, StoreError> {
    decode(bytes)
}

/// Encodes a webhook with its progress.
pub fn encode_webhook(webhook: &Webhook) -> Vec<u8> {
    encode(webhook)
}

/// Decodes a webhook.
///
/// # Errors
/// `Record`.
pub fn decode_webhook(bytes: &[u8]) -> Result<Webhook, StoreError> {
    decode(bytes)
}

/// Encodes an audit entry.
pub fn encode_audit_entry(entry: &AuditEntry) -> Vec<u8> {
    encode(&AuditEntryRecord {
        at: entry.at.micros(),
        who: entry.author.name.clone(),
        client: entry.author.client.clone(),
        did: entry.action.clone(),
        kind: Some(match entry.kind {
            AuditKind::Routine => AuditKindRecord::Routine,
            AuditKind::Administrative => AuditKindRecord::Administrative,
        }),
        after: entry.after.map(Rev::get),
    })
}

/// Decodes an audit entry.
///
/// # Errors
/// `Record`.
pub fn decode_audit_entry(bytes: &[u8]) -> Result<AuditEntry, StoreError> {
    let record: AuditEntryRecord = decode(bytes)?;
    let is_legacy_routine = || {
        LEGACY_ROUTINE
            .iter()
            .any(|begin| record.did.starts_with(begin))
    };
    Ok(AuditEntry {
        at: Timestamp::from_micros(record.at),
        author: Author {
            name: record.who,
            client: record.client,
        },
        kind: match record.kind {
            Some(AuditKindRecord::Administrative) => AuditKind::Administrative,
            None if !is_legacy_routine() => AuditKind::Administrative,
            Some(AuditKindRecord::Routine) | None => AuditKind::Routine,
        },
        action: record.did,
        after: record.after.map(Rev::new),
    })
}

fn account_name(text: &str) -> Result<AccountName, StoreError> {
    text.parse().map_err(damaged)
}

/// Writes a key in lower-case hex digits.
pub fn encode_key(key: &Key) -> String {
    HEXLOWER.encode(key.bytes())
}

/// Parses a key.
///
/// # Errors
/// `Record` if the text is not a key.
pub fn decode_key(text: &str) -> Result<Key, StoreError> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.ok_or_else(|| damaged("a key is 64 lower-case hex digits"))?;
    Ok(Key::new(bytes))
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Record(format!("a record of an account is damaged: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Earlier versions stored no kind, and classified entries by how their text begins.
    #[test]
    fn an_audit_entry_keeps_its_kind_and_one_of_an_earlier_version_is_classified_by_its_text() {
        for (action, is_routine) in [
            ("signed in", true),
            ("signed out everywhere else", true),
            ("made the token Feeder (read)", true),
            ("gave mallory the role admin", false),
            ("chose a password as ben", false),
        ] {
            let legacy = format!(r#"{{"at":7,"who":"ben","client":"x","did":"{action}"}}"#);
            let legacy = decode_audit_entry(legacy.as_bytes()).unwrap();
            assert_eq!(legacy.is_routine(), is_routine, "{action}");
            for kind in [AuditKind::Routine, AuditKind::Administrative] {
                let entry = AuditEntry {
                    kind,
                    ..legacy.clone()
                };
                assert_eq!(decode_audit_entry(&encode_audit_entry(&entry)), Ok(entry));
            }
        }
    }
}
