//! Accounts: who there is, and what each may.
//!
//! How somebody gets a password is in `invitations` and `passwords`. There always remains an admin
//! who can sign in.

mod invitations;
mod passwords;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::held::Held;
use super::{ACCOUNTS, Accounts, AccountsError, Actor, Done, Need, Plan};
use crate::model::{Account, AccountName, Role, Timestamp};
use crate::store::AccountEdit;

/// An account as an admin sees it.
#[derive(Clone, Debug)]
pub struct AccountSummary {
    pub account: Arc<Account>,
    pub sessions: usize,
    pub tokens: usize,
    /// Whether a link to choose a password is on its way.
    pub is_invited: bool,
}

impl Accounts {
    /// Whether there is no account at all, as at the first start.
    pub fn is_empty(&self) -> bool {
        self.held().accounts.is_empty()
    }

    pub fn account(&self, name: &AccountName) -> Option<Arc<Account>> {
        self.held().accounts.get(name).cloned()
    }

    /// Everybody, in the order of their names.
    pub fn members(&self) -> Vec<AccountSummary> {
        let now = self.clock.now();
        let held = self.held();
        let member = |account: &Arc<Account>| AccountSummary {
            account: Arc::clone(account),
            sessions: held.sessions_of(&account.name).count(),
            tokens: held.tokens_of(&account.name).count(),
            is_invited: invitations::is_open(account, now),
        };
        held.accounts.values().map(member).collect()
    }

    /// Gives an account another role and ends its sessions, which were begun with the old one.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`.
    pub fn set_role(&self, name: &AccountName, role: Role, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Admin, |held, _| {
            let account = find(held, name)?;
            if role != Role::Admin {
                keep_an_admin(held, account)?;
            }
            let changed = Account {
                role,
                ..Account::clone(account)
            };
            let mut edits = held.end_sessions(name, None);
            edits.push(AccountEdit::PutAccount(changed));
            let words = format!("gave {name} the role {}", role.as_str());
            Ok(Plan::noted(edits, words, ()))
        })
    }

    /// Lets nobody in with this account until it is enabled again. Its tokens rest meanwhile.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`.
    pub fn disable(&self, name: &AccountName, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Admin, |held, _| {
            let account = find(held, name)?;
            keep_an_admin(held, account)?;
            let changed = Account {
                is_disabled: true,
                ..Account::clone(account)
            };
            let mut edits = held.end_sessions(name, None);
            edits.push(AccountEdit::PutAccount(changed));
            Ok(Plan::noted(edits, format!("disabled {name}"), ()))
        })
    }

    /// Takes `disable` back.
    ///
    /// # Errors
    /// `UnknownAccount`, `SignedOut`, `NotAdmin`.
    pub fn enable(&self, name: &AccountName, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Admin, |held, _| {
            let changed = Account {
                is_disabled: false,
                ..Account::clone(find(held, name)?)
            };
            let edits = vec![AccountEdit::PutAccount(changed)];
            Ok(Plan::noted(edits, format!("enabled {name}"), ()))
        })
    }

    /// Removes an account with its sessions and tokens. What it did stays written down.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`, `SignedOut`, `NotAdmin`.
    pub fn remove(&self, name: &AccountName, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Admin, |held, _| {
            keep_an_admin(held, find(held, name)?)?;
            let mut edits = held.end_everything(name);
            edits.push(AccountEdit::RemoveAccount(name.clone()));
            Ok(Plan::noted(edits, format!("removed {name}"), ()))
        })
    }
}

fn find<'a>(held: &'a Held, name: &AccountName) -> Done<&'a Arc<Account>> {
    let found = held.accounts.get(name);
    found.ok_or_else(|| AccountsError::UnknownAccount(name.to_string()))
}

/// Returns the edits that add a new account, and remove sessions and tokens left under its name.
fn put_new(held: &Held, account: Account) -> Vec<AccountEdit> {
    let mut edits = held.end_everything(&account.name);
    edits.push(AccountEdit::PutAccount(account));
    edits
}

/// An account that could be made now, with no password.
fn new_account(held: &Held, name: &AccountName, role: Role) -> Done<Account> {
    if held.accounts.contains_key(name) {
        return Err(AccountsError::NameTaken(name.clone()));
    }
    if held.accounts.len() >= ACCOUNTS {
        return Err(AccountsError::Full(ACCOUNTS));
    }
    Ok(Account {
        name: name.clone(),
        role,
        is_disabled: false,
        password: None,
        invitation: None,
        created: Timestamp::now(),
    })
}

/// Refuses what would leave nobody who can say who is staff.
fn keep_an_admin(held: &Held, account: &Account) -> Done<()> {
    let is_one = account.role == Role::Admin && !account.is_disabled;
    match is_one && !held.has_another_admin(&account.name) {
        true => Err(AccountsError::LastAdmin(account.name.clone())),
        false => Ok(()),
    }
}
