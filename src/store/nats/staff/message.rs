//! How edits of the roster are written into messages, and read out of them.
//!
//! Every account, session and token has a subject of its own, of which the stream keeps the last
//! message: the record, or nothing for one that was removed. Deeds go round in as many subjects as
//! audit_entries are kept, so that each takes the place of the oldest. Routine audit_entries and others have
//! separate subjects.

use async_nats::HeaderMap;

use crate::model::{AccountName, AuditEntry, Key};
use crate::store::accounts::{
    decode_account, decode_audit_entry, decode_clock, decode_key, decode_session, decode_token,
    encode_account, encode_audit_entry, encode_clock, encode_key, encode_session, encode_token,
};
use crate::store::nats::batch::{FOLLOWED, Outgoing};
use crate::store::nats::message::Entry;
use crate::store::{AUDIT_ENTRIES_KEPT, AccountEdit, StoreError};

const ACCOUNT: &str = "ps-staff.account.";
const SESSION: &str = "ps-staff.session.";
const TOKEN: &str = "ps-staff.token.";
const DEED: &str = "ps-staff.deed.";
const ADMIN_DEED: &str = "ps-staff.admin-deed.";
const CLOCK: &str = "ps-staff.clock";

/// The number of a audit_entry, which its subject does not tell.
const NUMBER: &str = "Ps-Deed";

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub enum Passed {
    Edit(AccountEdit),
    AuditEntry(u64, AuditEntry),
    /// A audit_entry that is not routine, and the number of its subject.
    AdminDeed(u64, AuditEntry, u64),
    /// Of a program that knows more than this one.
    Other,
}

/// The messages that make `edits`, if the stream ends at `read`. `last_deed` is the number of the
/// newest audit_entry, and `admin_slot` the number of the subject of the newest that is not routine.
pub fn write(
    read: u64,
    (mut last_deed, mut admin_slot): (u64, u64),
    edits: &[AccountEdit],
) -> Vec<Outgoing> {
    let mut messages: Vec<Outgoing> = edits
        .iter()
        .map(|edit| {
            if let AccountEdit::AddAuditEntry(audit_entry) = edit {
                last_deed += 1;
                if audit_entry.is_routine() {
                    let slot = last_deed % AUDIT_ENTRIES_KEPT;
                    return outgoing_deed(format!("{DEED}{slot}"), last_deed, audit_entry);
                }
                admin_slot = (admin_slot + 1) % AUDIT_ENTRIES_KEPT;
                return outgoing_deed(format!("{ADMIN_DEED}{admin_slot}"), last_deed, audit_entry);
            }
            let (subject, body) = record(edit);
            outgoing(subject, body)
        })
        .collect();
    if let Some(first) = messages.first_mut() {
        first.headers.push((FOLLOWED, read.to_string()));
    }
    messages
}

fn outgoing(subject: String, body: Vec<u8>) -> Outgoing {
    Outgoing {
        subject,
        expected: None,
        headers: Vec::new(),
        body,
    }
}

fn outgoing_deed(subject: String, number: u64, audit_entry: &AuditEntry) -> Outgoing {
    let mut message = outgoing(subject, encode_audit_entry(audit_entry));
    message.headers.push((NUMBER, number.to_string()));
    message
}

/// The subject of an edit, and the record that is there from then on.
fn record(edit: &AccountEdit) -> (String, Vec<u8>) {
    let by_key = |kind: &str, key: &Key| format!("{kind}{}", encode_key(key));
    let by_name = |name: &AccountName| format!("{ACCOUNT}{}", token_of(name));
    match edit {
        AccountEdit::PutAccount(account) => (by_name(&account.name), encode_account(account)),
        AccountEdit::RemoveAccount(name) => (by_name(name), Vec::new()),
        AccountEdit::PutSession(session) => {
            (by_key(SESSION, &session.key), encode_session(session))
        }
        AccountEdit::RemoveSession(key) => (by_key(SESSION, key), Vec::new()),
        AccountEdit::PutToken(token) => (by_key(TOKEN, &token.key), encode_token(token)),
        AccountEdit::RemoveToken(key) => (by_key(TOKEN, key), Vec::new()),
        AccountEdit::SetClock(reading) => (CLOCK.to_owned(), encode_clock(reading)),
        AccountEdit::AddAuditEntry(audit_entry) => {
            (DEED.to_owned(), encode_audit_entry(audit_entry))
        }
    }
}

/// What `entry` says.
///
/// # Errors
/// `Record` when no pet-store wrote it.
pub fn read(entry: &Entry) -> Result<Passed, StoreError> {
    let (subject, body) = (entry.subject.as_str(), entry.payload.as_slice());
    let after = |kind: &str| subject.strip_prefix(kind);
    let edit = if let Some(token) = after(ACCOUNT) {
        let name = name_of(token);
        match body {
            [] => AccountEdit::RemoveAccount(name.parse().map_err(|_| foreign(subject))?),
            record => AccountEdit::PutAccount(decode_account(&name, record)?),
        }
    } else if let Some(key) = after(SESSION) {
        match body {
            [] => AccountEdit::RemoveSession(decode_key(key)?),
            record => AccountEdit::PutSession(decode_session(decode_key(key)?, record)?),
        }
    } else if let Some(key) = after(TOKEN) {
        match body {
            [] => AccountEdit::RemoveToken(decode_key(key)?),
            record => AccountEdit::PutToken(decode_token(decode_key(key)?, record)?),
        }
    } else if after(DEED).is_some() {
        return Ok(Passed::AuditEntry(
            number(entry)?,
            decode_audit_entry(body)?,
        ));
    } else if let Some(slot) = after(ADMIN_DEED) {
        let slot = slot.parse().map_err(|_| foreign(subject))?;
        return Ok(Passed::AdminDeed(
            number(entry)?,
            decode_audit_entry(body)?,
            slot,
        ));
    } else if subject == CLOCK {
        AccountEdit::SetClock(decode_clock(body)?)
    } else {
        return Ok(Passed::Other);
    };
    Ok(Passed::Edit(edit))
}

/// What a message becomes when the stream has it at `seq`.
pub fn stored(seq: u64, message: &Outgoing) -> Entry {
    let mut headers = HeaderMap::new();
    for (name, value) in &message.headers {
        headers.insert(*name, value.as_str());
    }
    Entry {
        seq,
        subject: message.subject.clone(),
        headers,
        payload: message.body.clone(),
    }
}

fn number(entry: &Entry) -> Result<u64, StoreError> {
    let number = entry.headers.get(NUMBER).map(|value| value.as_str());
    let number = number.and_then(|text| text.parse().ok());
    number.ok_or_else(|| foreign(&entry.subject))
}

/// A name as one token of a subject, in which a dot would end it; no name has an equals sign.
fn token_of(name: &AccountName) -> String {
    name.as_str().replace('.', "=")
}

fn name_of(token: &str) -> String {
    token.replace('=', ".")
}

fn foreign(subject: &str) -> StoreError {
    StoreError::Record(format!("a message at {subject}"))
}
