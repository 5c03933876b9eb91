//! API tokens: made by a person for a program, shown once, and revoked.

use std::sync::Arc;

use super::{Accounts, AccountsError, Actor, Done, Need, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Key, Scope, Timestamp, Token};
use crate::store::AccountEdit;

/// Tokens of one account.
const TOKENS: usize = 50;

impl Accounts {
    /// The account and the token of a key, if it is valid now. Counts as use.
    pub fn token(&self, key: &Key) -> Option<(Arc<Account>, Token)> {
        let mut held = self.held();
        let name = &held.tokens.get(key)?.value.account;
        let account = Arc::clone(held.enabled_account(name)?);
        let used = held.tokens.get_mut(key)?;
        used.touch(Timestamp::now());
        Some((account, used.value.clone()))
    }

    /// Makes a token; its secret is not shown again, except for the same form.
    ///
    /// # Errors
    /// `Full`, `SignedOut`, `Gone` for a form whose token was revoked, and `UnknownAccount` when the account is gone.
    pub fn create_token(
        &self,
        account: &AccountName,
        name: &str,
        scope: Scope,
        actor: &Actor,
    ) -> Done<Secret> {
        let content = ["token", account.as_str(), name, scope.as_str()];
        let secret = self.issued.secret(actor, &content);
        let made = self.edit(actor, Need::Own(account), |held, _| {
            if !held.accounts.contains_key(account) {
                return Err(AccountsError::UnknownAccount(account.to_string()));
            }
            if held.tokens.get(&secret.key()).is_some() {
                return Ok(Plan::done(secret.clone()));
            }
            self.issued.check_new(&secret)?;
            if held.tokens_of(account).count() >= TOKENS {
                return Err(AccountsError::Full(TOKENS));
            }
            let token = Token {
                key: secret.key(),
                account: account.clone(),
                name: name.to_owned(),
                scope,
                created: Timestamp::now(),
                used: None,
            };
            let words = format!("made the token {name} ({})", scope.as_str());
            Ok(Plan::noted(
                vec![AccountEdit::PutToken(token)],
                words,
                secret.clone(),
            ))
        })?;
        self.issued.remember(&made);
        Ok(made)
    }

    /// Revokes one of an account's tokens by its handle.
    ///
    /// # Errors
    /// `Gone` when there is none such, `SignedOut`.
    pub fn revoke_token(&self, account: &AccountName, handle: &str, actor: &Actor) -> Done<()> {
        self.edit(actor, Need::Own(account), |held, _| {
            let mut tokens = held.tokens_of(account);
            let found = tokens.find(|token| token.key.handle() == handle);
            let token = found.ok_or(AccountsError::Gone)?;
            let words = format!("revoked the token {}", token.name);
            Ok(Plan::noted(
                vec![AccountEdit::RemoveToken(token.key)],
                words,
                (),
            ))
        })
    }

    /// An account's tokens, the newest first.
    pub fn tokens_of(&self, account: &AccountName) -> Vec<Token> {
        let held = self.held();
        let mut tokens: Vec<Token> = held.tokens_of(account).cloned().collect();
        tokens.sort_unstable_by_key(|token| std::cmp::Reverse((token.created, token.key)));
        tokens
    }
}
