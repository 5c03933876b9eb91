//! Passwords that are set without an invitation: by their owner, and by whoever has the machine.
//! All of them are given as their hash.

use super::{find, new_account, put_new};
use crate::auth::directory::actor::valid_session;
use crate::auth::directory::held::Held;
use crate::auth::directory::sessions::{author, new_session};
use crate::auth::directory::{Accounts, AccountsError, Actor, Done, Need, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Author, Key, Role};
use crate::store::AccountEdit;

impl Accounts {
    /// Makes an account with a password that was chosen already.
    ///
    /// # Errors
    /// `NameTaken`, `Full`.
    pub fn add(&self, name: &AccountName, role: Role, password: String, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Admin, |held, _| {
            let account = with_password(&new_account(held, name, role)?, &password);
            let words = format!("added {name} as {}", role.as_str());
            Ok(Plan::noted(put_new(held, account), words, ()))
        })
    }

    /// Makes the very first account.
    ///
    /// # Errors
    /// `BadInvitation` once there is any account.
    pub fn found(&self, name: &AccountName, password: String, author: &Author) -> Done<()> {
        self.decide(author, |held, _| {
            if !held.accounts.is_empty() {
                return Err(AccountsError::BadInvitation);
            }
            let account = with_password(&new_account(held, name, Role::Admin)?, &password);
            let edits = put_new(held, account);
            Ok(Plan::noted(edits, "became the first admin", ()))
        })
    }

    /// Sets another password and ends all of the account's sessions. Where it was changed from
    /// `session`, that one goes on under the secret that is given back.
    ///
    /// # Errors
    /// `SignedOut` when the session has ended meanwhile, `Gone` when the password is not `known` any
    /// more.
    pub fn change_password(
        &self,
        session: Key,
        known: &str,
        password: String,
        author: &Author,
    ) -> Done<Secret> {
        self.decide(author, |held, now| {
            let (account, used) = valid_session(held, &session, now)?;
            if account.password.as_deref() != Some(known) {
                return Err(AccountsError::Gone);
            }
            let (secret, renewed) = new_session(&account.name, &used.client, now);
            let mut edits = with_everything_ended(held, with_password(account, &password));
            edits.push(AccountEdit::PutSession(renewed));
            Ok(Plan::noted(edits, "changed their password", secret))
        })
    }

    /// Replaces the hash `known` by another of the same password. Nothing else ends.
    ///
    /// # Errors
    /// `Gone` when the password is not `known` any more.
    pub fn renew_password(&self, name: &AccountName, known: &str, password: String) -> Done<()> {
        self.decide(&author(name, "sign-in"), |held, _| {
            let account = find(held, name)?;
            if account.password.as_deref() != Some(known) {
                return Err(AccountsError::Gone);
            }
            let edits = vec![AccountEdit::PutAccount(with_password(account, &password))];
            Ok(Plan {
                edits,
                words: None,
                answer: (),
            })
        })
    }

    /// Sets a password on behalf of its owner and ends everything else. For whoever has the
    /// machine.
    ///
    /// # Errors
    /// `UnknownAccount`.
    pub fn set_password(&self, name: &AccountName, password: String, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Admin, |held, _| {
            let changed = with_password(find(held, name)?, &password);
            let words = format!("set the password of {name}");
            Ok(Plan::noted(with_everything_ended(held, changed), words, ()))
        })
    }
}

/// The same account with this password, for which no link is needed any more.
pub fn with_password(account: &Account, password: &str) -> Account {
    Account {
        password: Some(password.to_owned()),
        invitation: None,
        ..account.clone()
    }
}

/// What puts an account in the place of the one of its name, and ends its sessions and tokens.
pub fn with_everything_ended(held: &Held, account: Account) -> Vec<AccountEdit> {
    let mut edits = held.end_everything(&account.name);
    edits.push(AccountEdit::PutAccount(account));
    edits
}
