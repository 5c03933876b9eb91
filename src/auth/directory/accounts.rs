//! Accounts: who there is, what each may, and how each gets a password of their own.
//!
//! Nobody sets a password for somebody else over the web: an admin makes a link, and whoever opens
//! it chooses one. There always remains an admin who can sign in.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::held::Held;
use super::sessions::new_session;
use super::{ACCOUNTS, Directory, DirectoryError, Done, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Author, Invitation, Key, Moment, Role, Tick};
use crate::store::RosterEdit;

/// Seconds for which a link to choose a password is valid.
const INVITATION: u64 = 24 * 3600;

/// An account as an admin sees it.
#[derive(Clone, Debug)]
pub struct Member {
    pub account: Arc<Account>,
    pub sessions: usize,
    pub tokens: usize,
    /// Whether a link to choose a password is on its way.
    pub is_invited: bool,
}

impl Directory {
    /// Whether there is no account at all, as at the first start.
    pub fn is_empty(&self) -> bool {
        self.held().accounts.is_empty()
    }

    pub fn account(&self, name: &AccountName) -> Option<Arc<Account>> {
        self.held().accounts.get(name).cloned()
    }

    /// Everybody, in the order of their names.
    pub fn members(&self) -> Vec<Member> {
        let now = self.clock.now();
        let held = self.held();
        let member = |account: &Arc<Account>| Member {
            account: Arc::clone(account),
            sessions: held.sessions_of(&account.name).count(),
            tokens: held.tokens_of(&account.name).count(),
            is_invited: is_open(account, now),
        };
        held.accounts.values().map(member).collect()
    }

    /// Makes an account with a password that was chosen already, given as its hash.
    ///
    /// # Errors
    /// `NameTaken`, `Full`.
    pub fn add(
        &self,
        name: &AccountName,
        role: Role,
        password: String,
        author: &Author,
    ) -> Done<()> {
        self.edit(author, |held, _| {
            let account = new_account(held, name, role)?;
            let password = Some(password.clone());
            Ok(Plan {
                edits: vec![RosterEdit::PutAccount(Account {
                    password,
                    ..account
                })],
                words: Some(format!("added {name} as {}", role.as_str())),
                answer: (),
            })
        })
    }

    /// Makes the very first account, with a password given as its hash.
    ///
    /// # Errors
    /// `BadInvitation` once there is any account.
    pub fn found(&self, name: &AccountName, password: String, author: &Author) -> Done<()> {
        self.edit(author, |held, _| {
            if !held.accounts.is_empty() {
                return Err(DirectoryError::BadInvitation);
            }
            let account = new_account(held, name, Role::Admin)?;
            let password = Some(password.clone());
            Ok(Plan {
                edits: vec![RosterEdit::PutAccount(Account {
                    password,
                    ..account
                })],
                words: Some("became the first admin".to_owned()),
                answer: (),
            })
        })
    }

    /// Makes an account whose owner chooses a password with the secret that is given back.
    ///
    /// # Errors
    /// `NameTaken`, `Full`.
    pub fn invite(&self, name: &AccountName, role: Role, author: &Author) -> Done<Secret> {
        self.edit(author, |held, now| {
            let (secret, invitation) = new_invitation(now);
            let account = new_account(held, name, role)?;
            Ok(Plan {
                edits: vec![RosterEdit::PutAccount(Account {
                    invitation,
                    ..account
                })],
                words: Some(format!("invited {name} as {}", role.as_str())),
                answer: secret,
            })
        })
    }

    /// Takes an account's password, sessions and tokens away; a new password is chosen with the
    /// secret that is given back.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`.
    pub fn reset(&self, name: &AccountName, author: &Author) -> Done<Secret> {
        self.edit(author, |held, now| {
            let account = find(held, name)?;
            keep_an_admin(held, account)?;
            let (secret, invitation) = new_invitation(now);
            let reset = Account {
                password: None,
                invitation,
                ..Account::clone(account)
            };
            Ok(Plan {
                edits: with_everything_ended(held, reset),
                words: Some(format!("reset the password of {name}")),
                answer: secret,
            })
        })
    }

    /// Whose password may be chosen with the secret of `key`.
    pub fn invited(&self, key: &Key) -> Option<AccountName> {
        let now = self.clock.now();
        let held = self.held();
        let mut accounts = held.accounts.values();
        let found = accounts.find(|account| is_for(account, key, now));
        found.map(|account| account.name.clone())
    }

    /// Uses an invitation up: its owner has this password from now on, given as its hash.
    ///
    /// # Errors
    /// `BadInvitation` when it was used, has expired or is of nobody.
    pub fn accept(&self, key: &Key, password: String, author: &Author) -> Done<AccountName> {
        self.edit(author, |held, now| {
            let mut accounts = held.accounts.values();
            let account = accounts.find(|account| is_for(account, key, now));
            let account = account.ok_or(DirectoryError::BadInvitation)?;
            let accepted = Account {
                password: Some(password.clone()),
                invitation: None,
                ..Account::clone(account)
            };
            let name = account.name.clone();
            Ok(Plan {
                edits: vec![RosterEdit::PutAccount(accepted)],
                words: Some(format!("chose a password as {name}")),
                answer: name,
            })
        })
    }

    /// Sets another password, given as its hash, and ends all of the account's sessions. Where it
    /// was changed from `session`, that one goes on under the secret that is given back.
    ///
    /// # Errors
    /// `Gone` when the password is not `known` any more, or the session has ended meanwhile.
    pub fn change_password(
        &self,
        session: Key,
        known: &str,
        password: String,
        author: &Author,
    ) -> Done<Secret> {
        self.edit(author, |held, now| {
            let used = held.sessions.get(&session).ok_or(DirectoryError::Gone)?;
            let account = find(held, &used.value.account)?;
            if account.password.as_deref() != Some(known) {
                return Err(DirectoryError::Gone);
            }
            let (secret, renewed) = new_session(&account.name, &used.value.client, now);
            let changed = Account {
                password: Some(password.clone()),
                invitation: None,
                ..Account::clone(account)
            };
            let mut edits = with_everything_ended(held, changed);
            edits.push(RosterEdit::PutSession(renewed));
            Ok(Plan {
                edits,
                words: Some("changed their password".to_owned()),
                answer: secret,
            })
        })
    }

    /// Sets a password on behalf of its owner, given as its hash, and ends everything else. For
    /// whoever has the machine.
    ///
    /// # Errors
    /// `UnknownAccount`.
    pub fn set_password(&self, name: &AccountName, password: String, author: &Author) -> Done<()> {
        self.edit(author, |held, _| {
            let changed = Account {
                password: Some(password.clone()),
                invitation: None,
                ..Account::clone(find(held, name)?)
            };
            Ok(Plan {
                edits: with_everything_ended(held, changed),
                words: Some(format!("set the password of {name}")),
                answer: (),
            })
        })
    }

    /// Gives an account another role and ends its sessions, which were begun with the old one.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`.
    pub fn set_role(&self, name: &AccountName, role: Role, author: &Author) -> Done<()> {
        self.edit(author, |held, _| {
            let account = find(held, name)?;
            if role != Role::Admin {
                keep_an_admin(held, account)?;
            }
            let changed = Account {
                role,
                ..Account::clone(account)
            };
            let mut edits = held.end_sessions(name, None);
            edits.push(RosterEdit::PutAccount(changed));
            Ok(Plan {
                edits,
                words: Some(format!("gave {name} the role {}", role.as_str())),
                answer: (),
            })
        })
    }

    /// Lets nobody in with this account until it is enabled again. Its tokens rest meanwhile.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`.
    pub fn disable(&self, name: &AccountName, author: &Author) -> Done<()> {
        self.edit(author, |held, _| {
            let account = find(held, name)?;
            keep_an_admin(held, account)?;
            let changed = Account {
                is_disabled: true,
                ..Account::clone(account)
            };
            let mut edits = held.end_sessions(name, None);
            edits.push(RosterEdit::PutAccount(changed));
            Ok(Plan {
                edits,
                words: Some(format!("disabled {name}")),
                answer: (),
            })
        })
    }

    /// Takes `disable` back.
    ///
    /// # Errors
    /// `UnknownAccount`.
    pub fn enable(&self, name: &AccountName, author: &Author) -> Done<()> {
        self.edit(author, |held, _| {
            let changed = Account {
                is_disabled: false,
                ..Account::clone(find(held, name)?)
            };
            Ok(Plan {
                edits: vec![RosterEdit::PutAccount(changed)],
                words: Some(format!("enabled {name}")),
                answer: (),
            })
        })
    }

    /// Removes an account with its sessions and tokens. What it did stays written down.
    ///
    /// # Errors
    /// `UnknownAccount`, `LastAdmin`.
    pub fn remove(&self, name: &AccountName, author: &Author) -> Done<()> {
        self.edit(author, |held, _| {
            keep_an_admin(held, find(held, name)?)?;
            let mut edits = held.end_sessions(name, None);
            edits.extend(held.revoke_tokens(name));
            edits.push(RosterEdit::RemoveAccount(name.clone()));
            Ok(Plan {
                edits,
                words: Some(format!("removed {name}")),
                answer: (),
            })
        })
    }
}

fn find<'a>(held: &'a Held, name: &AccountName) -> Done<&'a Arc<Account>> {
    let found = held.accounts.get(name);
    found.ok_or_else(|| DirectoryError::UnknownAccount(name.to_string()))
}

/// An account that could be made now, with no password.
fn new_account(held: &Held, name: &AccountName, role: Role) -> Done<Account> {
    if held.accounts.contains_key(name) {
        return Err(DirectoryError::NameTaken(name.clone()));
    }
    if held.accounts.len() >= ACCOUNTS {
        return Err(DirectoryError::Full(ACCOUNTS));
    }
    Ok(Account {
        name: name.clone(),
        role,
        is_disabled: false,
        password: None,
        invitation: None,
        created: Moment::now(),
    })
}

fn new_invitation(now: Tick) -> (Secret, Option<Invitation>) {
    let secret = Secret::random();
    let invitation = Invitation {
        key: secret.key(),
        expires: Tick(now.0 + INVITATION),
    };
    (secret, Some(invitation))
}

fn is_open(account: &Account, now: Tick) -> bool {
    let is_open = |invitation: Invitation| now < invitation.expires;
    account.invitation.is_some_and(is_open) && !account.is_disabled
}

fn is_for(account: &Account, key: &Key, now: Tick) -> bool {
    is_open(account, now)
        && account
            .invitation
            .is_some_and(|invitation| invitation.key == *key)
}

/// Refuses what would leave nobody who can say who is staff.
fn keep_an_admin(held: &Held, account: &Account) -> Done<()> {
    let is_one = account.role == Role::Admin && !account.is_disabled;
    match is_one && !held.has_another_admin(&account.name) {
        true => Err(DirectoryError::LastAdmin(account.name.clone())),
        false => Ok(()),
    }
}

fn with_everything_ended(held: &Held, account: Account) -> Vec<RosterEdit> {
    let mut edits = held.end_sessions(&account.name, None);
    edits.extend(held.revoke_tokens(&account.name));
    edits.push(RosterEdit::PutAccount(account));
    edits
}
