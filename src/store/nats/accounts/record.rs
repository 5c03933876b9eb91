//! Encodes edits of accounts as messages, and decodes them.
//!
//! Every account, session, token and webhook has its own subject, of which the stream keeps the last message:
//! the record, or an empty message for a removed one. So have the clock and the settings of the rescue. Audit entries use a ring of as many subjects as
//! entries are kept, so that each replaces the oldest. Routine entries and others have separate
//! rings.

use crate::model::{AccountName, AuditEntry, Key};
use crate::store::accounts::{
    decode_account, decode_audit_entry, decode_clock, decode_key, decode_rescue, decode_session,
    decode_token, decode_webhook, encode_account, encode_audit_entry, encode_clock, encode_key,
    encode_rescue, encode_session, encode_token, encode_webhook,
};
use crate::store::nats::batch::BatchMessage;
use crate::store::nats::record::StoredMessage;
use crate::store::{AUDIT_ENTRIES_KEPT, AccountEdit, StoreError};

const ACCOUNT: &str = "ps-staff.account.";
const SESSION: &str = "ps-staff.session.";
const TOKEN: &str = "ps-staff.token.";
const AUDIT_ENTRY: &str = "ps-staff.deed.";
const ADMIN_AUDIT_ENTRY: &str = "ps-staff.admin-deed.";
const CLOCK: &str = "ps-staff.clock";
const RESCUE: &str = "ps-staff.rescue";
const WEBHOOK: &str = "ps-staff.webhook.";

/// Header: the number of an audit entry.
const NUMBER: &str = "Ps-Deed";

/// The content of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum LoggedEdit {
    /// An edit that is not an audit entry.
    Edit(AccountEdit),
    /// A routine audit entry with its number.
    Routine(u64, AuditEntry),
    /// Another audit entry with its number, and the index of its subject in the ring.
    Admin(u64, AuditEntry, u64),
    /// A subject that only a newer version knows.
    Unknown,
}

/// Encodes `edits` as a batch that is stored only if the stream ends at `read`. `last_entry` is the
/// number of the newest audit entry, and `admin_slot` the index of the newest that is not routine.
pub fn encode_edits(
    read: u64,
    mut last_entry: u64,
    mut admin_slot: u64,
    edits: &[AccountEdit],
) -> Vec<BatchMessage> {
    let mut encode = |edit: &AccountEdit| {
        let AccountEdit::AddAuditEntry(entry) = edit else {
            let (subject, body) = record(edit);
            return BatchMessage::new(subject, body);
        };
        last_entry += 1;
        let subject = if entry.is_routine() {
            format!("{AUDIT_ENTRY}{}", last_entry % AUDIT_ENTRIES_KEPT)
        } else {
            admin_slot = (admin_slot + 1) % AUDIT_ENTRIES_KEPT;
            format!("{ADMIN_AUDIT_ENTRY}{admin_slot}")
        };
        BatchMessage::new(subject, encode_audit_entry(entry))
            .with_header(NUMBER, &last_entry.to_string())
    };
    let mut messages = Vec::with_capacity(edits.len());
    for edit in edits {
        let message = encode(edit);
        messages.push(if messages.is_empty() {
            message.expect_stream_at(read)
        } else {
            message
        });
    }
    messages
}

/// Returns the subject of an edit, and the record that the subject holds after it.
fn record(edit: &AccountEdit) -> (String, Vec<u8>) {
    let by_key = |prefix: &str, key: &Key| format!("{prefix}{}", encode_key(key));
    // A dot would end a token of the subject, and no name has an equals sign.
    let by_name = |name: &AccountName| format!("{ACCOUNT}{}", name.as_str().replace('.', "="));
    match edit {
        AccountEdit::PutAccount(account) => (by_name(&account.name), encode_account(account)),
        AccountEdit::RemoveAccount(name) => (by_name(name), Vec::new()),
        AccountEdit::PutSession(session) => {
            (by_key(SESSION, &session.key), encode_session(session))
        }
        AccountEdit::RemoveSession(key) => (by_key(SESSION, key), Vec::new()),
        AccountEdit::PutToken(token) => (by_key(TOKEN, &token.key), encode_token(token)),
        AccountEdit::RemoveToken(key) => (by_key(TOKEN, key), Vec::new()),
        AccountEdit::PutRescue(rescue) => (RESCUE.to_owned(), encode_rescue(rescue)),
        AccountEdit::PutWebhook(webhook) => {
            (format!("{WEBHOOK}{}", webhook.id), encode_webhook(webhook))
        }
        AccountEdit::RemoveWebhook(id) => (format!("{WEBHOOK}{id}"), Vec::new()),
        AccountEdit::SetClock(reading) => (CLOCK.to_owned(), encode_clock(reading)),
        AccountEdit::AddAuditEntry(entry) => (AUDIT_ENTRY.to_owned(), encode_audit_entry(entry)),
    }
}

/// Decodes a message of the stream of accounts.
///
/// # Errors
/// `Record` if pet-store did not write the message.
pub fn decode_edit(message: &StoredMessage) -> Result<LoggedEdit, StoreError> {
    let (subject, body) = (message.subject.as_str(), &*message.payload);
    let after = |prefix: &str| subject.strip_prefix(prefix);
    let invalid = || message.invalid();
    let number = || {
        let number = message
            .header(NUMBER)
            .and_then(|number| number.parse().ok());
        number.ok_or_else(invalid)
    };
    let edit = if let Some(token) = after(ACCOUNT) {
        let name = token.replace('=', ".");
        if body.is_empty() {
            AccountEdit::RemoveAccount(name.parse().map_err(|_| invalid())?)
        } else {
            AccountEdit::PutAccount(decode_account(&name, body)?)
        }
    } else if let Some(key) = after(SESSION) {
        let key = decode_key(key)?;
        if body.is_empty() {
            AccountEdit::RemoveSession(key)
        } else {
            AccountEdit::PutSession(decode_session(key, body)?)
        }
    } else if let Some(key) = after(TOKEN) {
        let key = decode_key(key)?;
        if body.is_empty() {
            AccountEdit::RemoveToken(key)
        } else {
            AccountEdit::PutToken(decode_token(key, body)?)
        }
    } else if after(AUDIT_ENTRY).is_some() {
        return Ok(LoggedEdit::Routine(number()?, decode_audit_entry(body)?));
    } else if let Some(slot) = after(ADMIN_AUDIT_ENTRY) {
        let slot = slot.parse().map_err(|_| invalid())?;
        return Ok(LoggedEdit::Admin(
            number()?,
            decode_audit_entry(body)?,
            slot,
        ));
    } else if let Some(id) = after(WEBHOOK) {
        if body.is_empty() {
            AccountEdit::RemoveWebhook(id.parse().map_err(|_| invalid())?)
        } else {
            AccountEdit::PutWebhook(decode_webhook(body)?.into())
        }
    } else if subject == CLOCK {
        AccountEdit::SetClock(decode_clock(body)?)
    } else if subject == RESCUE {
        AccountEdit::PutRescue(decode_rescue(body)?.into())
    } else {
        return Ok(LoggedEdit::Unknown);
    };
    Ok(LoggedEdit::Edit(edit))
}
