//! Invitations: nobody sets a password for somebody else over the web. An admin makes a link, and
//! whoever opens it chooses one.

use std::sync::Arc;

use super::passwords::{with_everything_ended, with_password};
use super::{find, keep_an_admin, new_account, put_new};
use crate::auth::directory::held::Held;
use crate::auth::directory::{Accounts, AccountsError, Actor, Done, Need, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Author, Invitation, Key, MonotonicSeconds, Role};
use crate::store::AccountEdit;

/// Seconds for which a link to choose a password is valid.
const VALID_FOR: u64 = 24 * 3600;

/// Seconds by which the clocks of two nodes may differ.
const CLOCK_TOLERANCE: u64 = 3600;

impl Accounts {
    /// Makes an account whose owner chooses a password with the secret that is given back.
    ///
    /// # Errors
    /// `NameTaken`, `Full`, `SignedOut`, `NotAdmin`, `Gone` for a form whose account was removed.
    pub fn invite(&self, name: &AccountName, role: Role, actor: &Actor) -> Done<Secret> {
        let content = ["invite", name.as_str(), role.as_str()];
        let secret = self.issued.secret(actor, &content);
        let made = self.edit(actor, Need::Admin, |held, now| {
            let is_made = |account: &Arc<Account>| is_link_of(account, &secret, now);
            if held.accounts.get(name).is_some_and(is_made) {
                return Ok(Plan::done(secret.clone()));
            }
            let invitation = invitation(&secret, now);
            let account = Account {
                invitation,
                ..new_account(held, name, role)?
            };
            self.issued.check_new(&secret)?;
            let words = format!("invited {name} as {}", role.as_str());
            Ok(Plan::noted(put_new(held, account), words, secret.clone()))
        })?;
        self.issued.remember(&made);
        Ok(made)
    }

    /// Takes an account's password, sessions and tokens away; a new password is chosen with the
    /// secret that is given back.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`, `Gone` for a form whose link was used.
    pub fn reset(&self, name: &AccountName, actor: &Actor) -> Done<Secret> {
        let secret = self.issued.secret(actor, &["reset", name.as_str()]);
        let made = self.edit(actor, Need::Admin, |held, now| {
            let account = find(held, name)?;
            if is_link_of(account, &secret, now) {
                return Ok(Plan::done(secret.clone()));
            }
            keep_an_admin(held, account)?;
            self.issued.check_new(&secret)?;
            let invitation = invitation(&secret, now);
            let reset = Account {
                password: None,
                invitation,
                ..Account::clone(account)
            };
            let words = format!("reset the password of {name}");
            Ok(Plan::noted(
                with_everything_ended(held, reset),
                words,
                secret.clone(),
            ))
        })?;
        self.issued.remember(&made);
        Ok(made)
    }

    /// Whose password may be chosen with the secret of `key`.
    pub fn invited(&self, key: &Key) -> Option<AccountName> {
        let now = self.clock.now();
        let held = self.held();
        invited_by(&held, key, now).map(|account| account.name.clone())
    }

    /// Uses an invitation up: its owner has this password from now on, given as its hash.
    ///
    /// # Errors
    /// `BadInvitation` when it was used, has expired or is of nobody.
    pub fn accept(&self, key: &Key, password: String, author: &Author) -> Done<AccountName> {
        self.decide(author, |held, now| {
            let account = invited_by(held, key, now).ok_or(AccountsError::BadInvitation)?;
            let name = account.name.clone();
            let edits = vec![AccountEdit::PutAccount(with_password(account, &password))];
            Ok(Plan::noted(
                edits,
                format!("chose a password as {name}"),
                name,
            ))
        })
    }
}

/// Whether somebody has a link with which this account's password may be chosen.
pub fn is_open(account: &Account, now: MonotonicSeconds) -> bool {
    // An invitation that is valid for longer than `VALID_FOR` was made while the clock was ahead.
    let longest = MonotonicSeconds(now.0 + VALID_FOR + CLOCK_TOLERANCE);
    let is_open = |invitation: Invitation| now < invitation.expires && invitation.expires < longest;
    account.invitation.is_some_and(is_open) && !account.is_disabled
}

fn invited_by<'a>(held: &'a Held, key: &Key, now: MonotonicSeconds) -> Option<&'a Arc<Account>> {
    let has_key = |invitation: Invitation| invitation.key == *key;
    let is_for =
        |account: &&Arc<Account>| is_open(account, now) && account.invitation.is_some_and(has_key);
    held.accounts.values().find(is_for)
}

/// Returns true if the account's open link is the one with this secret.
fn is_link_of(account: &Account, secret: &Secret, now: MonotonicSeconds) -> bool {
    let has_key = |invitation: Invitation| invitation.key == secret.key();
    is_open(account, now) && account.invitation.is_some_and(has_key)
}

fn invitation(secret: &Secret, now: MonotonicSeconds) -> Option<Invitation> {
    Some(Invitation {
        key: secret.key(),
        expires: MonotonicSeconds(now.0 + VALID_FOR),
    })
}
