//! How accounts, sessions, tokens and audit_entries are written down: JSON, like all records of the store,
//! under their name, key or number.

use serde::{Deserialize, Serialize};

use crate::model::{
    Account, AccountName, AuditEntry, Author, Invitation, Key, MonotonicSeconds, Rev, Session,
    Timestamp, Token, from_hex, to_hex,
};
use crate::store::record::{decode, encode};
use crate::store::{ClockReading, StoreError};

#[derive(Serialize, Deserialize)]
struct AccountRecord {
    role: String,
    #[serde(default)]
    disabled: bool,
    password: Option<String>,
    /// The key in hex, and the tick at which it expires.
    invitation: Option<(String, u64)>,
    /// Microseconds since the Unix epoch, as all moments here.
    created: i64,
}

#[derive(Serialize, Deserialize)]
struct SessionRecord {
    account: String,
    client: String,
    began_at: i64,
    began: u64,
    seen: u64,
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<u64>,
}

pub fn encode_account(account: &Account) -> Vec<u8> {
    encode(&AccountRecord {
        role: account.role.as_str().to_owned(),
        disabled: account.is_disabled,
        password: account.password.clone(),
        invitation: account
            .invitation
            .map(|invitation| (encode_key(&invitation.key), invitation.expires.0)),
        created: account.created.micros(),
    })
}

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
        invitation: record.invitation.map(invitation).transpose()?,
        created: Timestamp::from_micros(record.created),
    })
}

pub fn encode_session(session: &Session) -> Vec<u8> {
    encode(&SessionRecord {
        account: session.account.to_string(),
        client: session.client.clone(),
        began_at: session.began_at.micros(),
        began: session.began.0,
        seen: session.seen.0,
    })
}

pub fn decode_session(key: Key, bytes: &[u8]) -> Result<Session, StoreError> {
    let record: SessionRecord = decode(bytes)?;
    Ok(Session {
        key,
        account: account_name(&record.account)?,
        client: record.client,
        began_at: Timestamp::from_micros(record.began_at),
        began: MonotonicSeconds(record.began),
        seen: MonotonicSeconds(record.seen),
    })
}

pub fn encode_token(token: &Token) -> Vec<u8> {
    encode(&TokenRecord {
        account: token.account.to_string(),
        name: token.name.clone(),
        scope: token.scope.as_str().to_owned(),
        created: token.created.micros(),
        used: token.used.map(Timestamp::micros),
    })
}

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

pub fn encode_clock(reading: &ClockReading) -> Vec<u8> {
    encode(&ClockRecord {
        tick: reading.tick.0,
        wall: reading.wall.micros(),
    })
}

pub fn decode_clock(bytes: &[u8]) -> Result<ClockReading, StoreError> {
    let record: ClockRecord = decode(bytes)?;
    Ok(ClockReading {
        tick: MonotonicSeconds(record.tick),
        wall: Timestamp::from_micros(record.wall),
    })
}

pub fn encode_audit_entry(audit_entry: &AuditEntry) -> Vec<u8> {
    encode(&AuditEntryRecord {
        at: audit_entry.at.micros(),
        who: audit_entry.author.name.clone(),
        client: audit_entry.author.client.clone(),
        did: audit_entry.words.clone(),
        after: audit_entry.after.map(Rev::get),
    })
}

pub fn decode_audit_entry(bytes: &[u8]) -> Result<AuditEntry, StoreError> {
    let record: AuditEntryRecord = decode(bytes)?;
    Ok(AuditEntry {
        at: Timestamp::from_micros(record.at),
        author: Author {
            name: record.who,
            client: record.client,
        },
        words: record.did,
        after: record.after.map(Rev::new),
    })
}

fn account_name(text: &str) -> Result<AccountName, StoreError> {
    text.parse().map_err(damaged)
}

/// A key as text, in lower-case hex digits.
pub fn encode_key(key: &Key) -> String {
    to_hex(key.bytes())
}

/// # Errors
/// `Record` when the text is no key.
pub fn decode_key(text: &str) -> Result<Key, StoreError> {
    let bytes = from_hex(text).ok_or_else(|| damaged("a key is 64 lower-case hex digits"))?;
    Ok(Key::new(bytes))
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Record(format!("a record of staff is damaged: {error}"))
}
