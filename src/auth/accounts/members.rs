//! The accounts themselves: their roles, their passwords, and whether they are enabled.
//!
//! One admin who can sign in always remains. Passwords are passed as their hashes.

use std::sync::Arc;

use super::cache::AccountCache;
use super::edit::valid_session;
use super::invitations::is_open;
use super::sessions::{author, new_session};
use super::{Accounts, AccountsError, AccountsResult, Actor, ActorRequirement, MAX_ACCOUNTS, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Author, Key, Role, Timestamp};
use crate::store::AccountEdit;

/// An account as an admin sees it.
#[derive(Clone, Debug)]
pub struct AccountSummary {
    /// The account.
    pub account: Arc<Account>,
    /// The number of its sessions.
    pub sessions: usize,
    /// The number of its API tokens.
    pub tokens: usize,
    /// True if there is an open invitation to choose a password.
    pub is_invited: bool,
}

/// Lists accounts and edits them.
pub struct Members<'a>(pub(super) &'a Accounts);

impl Members<'_> {
    /// Returns all accounts, sorted by name.
    pub fn list(&self) -> Vec<AccountSummary> {
        let now = self.0.clock.now();
        let cache = self.0.cache();
        let summary = |account: &Arc<Account>| AccountSummary {
            account: Arc::clone(account),
            sessions: cache.sessions_of(&account.name).count(),
            tokens: cache.tokens_of(&account.name).count(),
            is_invited: is_open(account, now),
        };
        cache.accounts.values().map(summary).collect()
    }

    /// Creates an account with a password.
    ///
    /// # Errors
    /// `NameTaken`, `Full`, `SignedOut`, `NotAdmin`.
    pub fn add(
        &self,
        name: &AccountName,
        role: Role,
        hash: String,
        actor: &Actor,
    ) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let account = with_password(&new_account(cache, name, role)?, &hash);
            let action = format!("added {name} as {}", role.as_str());
            let edits = cache.put_and_end_everything(account);
            Ok(Plan::administrative(edits, action, ()))
        })
    }

    /// Creates the first account, an admin's.
    ///
    /// # Errors
    /// `BadInvitation` if there is any account.
    pub fn create_first_admin(
        &self,
        name: &AccountName,
        hash: String,
        author: &Author,
    ) -> AccountsResult<()> {
        self.0.decide(author, |cache, _| {
            if !cache.accounts.is_empty() {
                return Err(AccountsError::BadInvitation);
            }
            let account = with_password(&new_account(cache, name, Role::Admin)?, &hash);
            let edits = cache.put_and_end_everything(account);
            Ok(Plan::administrative(
                edits,
                "created the first admin account",
                (),
            ))
        })
    }

    /// Changes the role of an account and ends its sessions, which began with the old role.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`.
    pub fn set_role(&self, name: &AccountName, role: Role, actor: &Actor) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let account = find(cache, name)?;
            if role != Role::Admin {
                check_other_admin(cache, account)?;
            }
            let changed = Account {
                role,
                ..Account::clone(account)
            };
            let mut edits = cache.end_sessions(name, None);
            edits.push(AccountEdit::PutAccount(changed));
            let action = format!("gave {name} the role {}", role.as_str());
            Ok(Plan::administrative(edits, action, ()))
        })
    }

    /// Suspends an account: ends its sessions and disables its tokens until it is enabled.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`.
    pub fn disable(&self, name: &AccountName, actor: &Actor) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let account = find(cache, name)?;
            check_other_admin(cache, account)?;
            let changed = Account {
                is_disabled: true,
                ..Account::clone(account)
            };
            let mut edits = cache.end_sessions(name, None);
            edits.push(AccountEdit::PutAccount(changed));
            Ok(Plan::administrative(edits, format!("suspended {name}"), ()))
        })
    }

    /// Reactivates a suspended account.
    ///
    /// # Errors
    /// `UnknownAccount`, `SignedOut`, `NotAdmin`.
    pub fn enable(&self, name: &AccountName, actor: &Actor) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let changed = Account {
                is_disabled: false,
                ..Account::clone(find(cache, name)?)
            };
            let edits = vec![AccountEdit::PutAccount(changed)];
            Ok(Plan::administrative(
                edits,
                format!("reactivated {name}"),
                (),
            ))
        })
    }

    /// Removes an account with its sessions and tokens. Its audit entries stay.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`.
    pub fn remove(&self, name: &AccountName, actor: &Actor) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            check_other_admin(cache, find(cache, name)?)?;
            let mut edits = cache.end_everything(name);
            edits.push(AccountEdit::RemoveAccount(name.clone()));
            Ok(Plan::administrative(edits, format!("removed {name}"), ()))
        })
    }

    /// Sets the password of an account, ends its sessions and revokes its tokens. For operators.
    ///
    /// # Errors
    /// `UnknownAccount`.
    pub fn set_password(
        &self,
        name: &AccountName,
        hash: String,
        actor: &Actor,
    ) -> AccountsResult<()> {
        self.0.edit(actor, ActorRequirement::Admin, |cache, _| {
            let changed = with_password(find(cache, name)?, &hash);
            let edits = cache.put_and_end_everything(changed);
            let action = format!("set the password of {name}");
            Ok(Plan::administrative(edits, action, ()))
        })
    }

    /// Changes the password of the account of `session`, ends all its sessions and revokes its tokens.
    /// Returns the secret of a new session for the same browser.
    ///
    /// # Errors
    /// `SignedOut` if the session has ended, `Gone` if the hash of the password is not `known` any more.
    pub fn change_password(
        &self,
        session: Key,
        known: &str,
        hash: String,
        author: &Author,
    ) -> AccountsResult<Secret> {
        self.0.decide(author, |cache, now| {
            let (account, session) = valid_session(cache, &session, now)?;
            check_hash(account, known)?;
            let (secret, renewed) = new_session(&account.name, &session.client, now);
            let mut edits = cache.put_and_end_everything(with_password(account, &hash));
            edits.push(AccountEdit::PutSession(renewed));
            Ok(Plan::routine(edits, "changed their password", secret))
        })
    }

    /// Sets the PIN of an account, passed as its hash, or removes it.
    ///
    /// # Errors
    /// `UnknownAccount`, `SignedOut`.
    pub fn set_pin(
        &self,
        name: &AccountName,
        hash: Option<String>,
        actor: &Actor,
    ) -> AccountsResult<()> {
        let requirement = ActorRequirement::Account(name);
        self.0.edit(actor, requirement, |cache, _| {
            let action = if hash.is_some() {
                "set their PIN"
            } else {
                "removed their PIN"
            };
            let changed = Account {
                pin: hash.clone(),
                ..Account::clone(find(cache, name)?)
            };
            let edits = vec![AccountEdit::PutAccount(changed)];
            Ok(Plan::routine(edits, action, ()))
        })
    }

    /// Replaces the hash `known` by another hash of the same password. No session ends, and there is no
    /// audit entry.
    ///
    /// # Errors
    /// `UnknownAccount`, or `Gone` if the hash of the password is not `known` any more.
    pub fn replace_hash(
        &self,
        name: &AccountName,
        known: &str,
        hash: String,
    ) -> AccountsResult<()> {
        self.0.decide(&author(name, "sign-in"), |cache, _| {
            let account = find(cache, name)?;
            check_hash(account, known)?;
            Ok(Plan {
                edits: vec![AccountEdit::PutAccount(with_password(account, &hash))],
                ..Plan::unchanged(())
            })
        })
    }
}

/// Finds an account.
///
/// # Errors
/// `UnknownAccount`.
pub fn find<'a>(cache: &'a AccountCache, name: &AccountName) -> AccountsResult<&'a Arc<Account>> {
    let found = cache.accounts.get(name);
    found.ok_or_else(|| AccountsError::UnknownAccount(name.to_string()))
}

/// Returns a new account without a password.
///
/// # Errors
/// `NameTaken`, `Full`.
pub fn new_account(
    cache: &AccountCache,
    name: &AccountName,
    role: Role,
) -> AccountsResult<Account> {
    if cache.accounts.contains_key(name) {
        return Err(AccountsError::NameTaken(name.clone()));
    }
    if cache.accounts.len() >= MAX_ACCOUNTS {
        return Err(AccountsError::Full(MAX_ACCOUNTS));
    }
    Ok(Account {
        name: name.clone(),
        role,
        is_disabled: false,
        password: None,
        pin: None,
        invitation: None,
        created: Timestamp::now(),
    })
}

/// Returns the account with this password, and without an invitation, which it does not need any more.
pub fn with_password(account: &Account, hash: &str) -> Account {
    Account {
        password: Some(hash.to_owned()),
        invitation: None,
        ..account.clone()
    }
}

/// Checks that another admin remains if this account no longer is one.
///
/// # Errors
/// `LastAdmin`.
pub fn check_other_admin(cache: &AccountCache, account: &Account) -> AccountsResult<()> {
    let is_admin = account.role == Role::Admin && !account.is_disabled;
    if is_admin && !cache.has_another_admin(&account.name) {
        return Err(AccountsError::LastAdmin(account.name.clone()));
    }
    Ok(())
}

fn check_hash(account: &Account, known: &str) -> AccountsResult<()> {
    if account.password.as_deref() != Some(known) {
        return Err(AccountsError::Gone);
    }
    Ok(())
}
