//! Invitations: links with which people choose their own password, so that no admin knows it.

use std::sync::Arc;

use super::cache::AccountCache;
use super::members::{check_other_admin, find, new_account, with_password};
use super::{Accounts, AccountsError, AccountsResult, Actor, ActorRequirement, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Author, Invitation, Key, MonotonicSeconds, Role};
use crate::store::AccountEdit;

/// Seconds for which an invitation is valid.
const VALID_FOR: u64 = 24 * 3600;

/// Seconds by which the clocks of two nodes may differ.
const CLOCK_TOLERANCE: u64 = 3600;

/// Creates invitations and accepts them.
pub struct Invitations<'a>(pub(super) &'a Accounts);

impl Invitations<'_> {
    /// Creates an account without a password, and returns the secret of its invitation.
    ///
    /// # Errors
    /// `NameTaken`, `Full`, `SignedOut`, `NotAdmin`, or `Gone` if the account of the form was removed.
    pub fn invite(&self, name: &AccountName, role: Role, actor: &Actor) -> AccountsResult<Secret> {
        let content = ["invite", name.as_str(), role.as_str()];
        self.create(actor, &content, |cache, now, invitation| {
            let account = cache.accounts.get(name);
            if account.is_some_and(|account| opens(account, &invitation.key, now)) {
                return Ok(None);
            }
            let account = Account {
                invitation: Some(invitation),
                ..new_account(cache, name, role)?
            };
            Ok(Some((
                account,
                format!("invited {name} as {}", role.as_str()),
            )))
        })
    }

    /// Removes the password of an account, ends its sessions, revokes its tokens, and returns the secret
    /// of an invitation to choose a new password.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`, or `Gone` for a form whose invitation was
    /// used.
    pub fn reset(&self, name: &AccountName, actor: &Actor) -> AccountsResult<Secret> {
        let content = ["reset", name.as_str()];
        self.create(actor, &content, |cache, now, invitation| {
            let account = find(cache, name)?;
            if opens(account, &invitation.key, now) {
                return Ok(None);
            }
            check_other_admin(cache, account)?;
            let account = Account {
                password: None,
                pin: None,
                invitation: Some(invitation),
                ..Account::clone(account)
            };
            Ok(Some((account, format!("reset the password of {name}"))))
        })
    }

    /// Returns the name of the account that an invitation is for.
    pub fn find(&self, key: &Key) -> Option<AccountName> {
        let now = self.0.clock.now();
        let cache = self.0.cache();
        find_invited(&cache, key, now).map(|account| account.name.clone())
    }

    /// Accepts an invitation: sets the password of its account, and returns the account's name.
    ///
    /// # Errors
    /// `BadInvitation`.
    pub fn accept(&self, key: &Key, hash: String, author: &Author) -> AccountsResult<AccountName> {
        self.0.decide(author, |cache, now| {
            let account = find_invited(cache, key, now).ok_or(AccountsError::BadInvitation)?;
            let edits = vec![AccountEdit::PutAccount(with_password(account, &hash))];
            let name = account.name.clone();
            Ok(Plan::administrative(edits, "set a password", name))
        })
    }

    /// Stores the account that `plan` returns with a new invitation, and returns its secret. `plan`
    /// returns `None` if the account has this invitation: the form was submitted twice.
    fn create(
        &self,
        actor: &Actor,
        content: &[&str],
        plan: impl Fn(
            &AccountCache,
            MonotonicSeconds,
            Invitation,
        ) -> AccountsResult<Option<(Account, String)>>,
    ) -> AccountsResult<Secret> {
        let issued = &self.0.form_secrets;
        let secret = issued.secret(actor.form(), content);
        let secret = self.0.edit(actor, ActorRequirement::Admin, |cache, now| {
            let invitation = Invitation {
                key: secret.key(),
                expires: MonotonicSeconds(now.0 + VALID_FOR),
            };
            let Some((account, action)) = plan(cache, now, invitation)? else {
                return Ok(Plan::unchanged(secret.clone()));
            };
            if issued.is_issued(&secret) {
                return Err(AccountsError::Gone);
            }
            let edits = cache.put_and_end_everything(account);
            Ok(Plan::administrative(edits, action, secret.clone()))
        })?;
        issued.remember(&secret);
        Ok(secret)
    }
}

/// Returns true if the account has an invitation that can be accepted.
pub fn is_open(account: &Account, now: MonotonicSeconds) -> bool {
    // An invitation that expires later than this was created while the clock was ahead.
    let latest = MonotonicSeconds(now.0 + VALID_FOR + CLOCK_TOLERANCE);
    let is_open = |invitation: Invitation| now < invitation.expires && invitation.expires < latest;
    account.invitation.is_some_and(is_open) && !account.is_disabled
}

/// Returns true if the invitation with this key can be accepted for the account.
fn opens(account: &Account, key: &Key, now: MonotonicSeconds) -> bool {
    let has_key = |invitation: Invitation| invitation.key == *key;
    is_open(account, now) && account.invitation.is_some_and(has_key)
}

fn find_invited<'a>(
    cache: &'a AccountCache,
    key: &Key,
    now: MonotonicSeconds,
) -> Option<&'a Arc<Account>> {
    let mut accounts = cache.accounts.values();
    accounts.find(|account| opens(account, key, now))
}
