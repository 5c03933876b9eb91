//! API tokens: created by a person for a program, shown once, and revoked.

use std::sync::Arc;

use super::{Accounts, AccountsError, AccountsResult, Actor, ActorRequirement, Plan};
use crate::auth::secret::Secret;
use crate::model::{Account, AccountName, Key, Scope, Timestamp, Token};
use crate::store::AccountEdit;

/// Tokens of one account at most.
const MAX_TOKENS: usize = 50;

/// Looks tokens up, creates and revokes them.
pub struct Tokens<'a>(pub(super) &'a Accounts);

impl Tokens<'_> {
    /// Returns the token of a key and its account, if it is valid now. Counts as use.
    pub fn get(&self, key: &Key) -> Option<(Arc<Account>, Token)> {
        let mut cache = self.0.cache();
        let name = &cache.tokens.get(key)?.value.account;
        let account = Arc::clone(cache.enabled_account(name)?);
        let tracked = cache.tokens.get_mut(key)?;
        tracked.touch(Timestamp::now());
        Some((account, tracked.value.clone()))
    }

    /// Creates a token and returns its secret, which is not shown again, except for the same form.
    ///
    /// # Errors
    /// `Full`, `SignedOut`, `UnknownAccount`, or `Gone` if the token of the form was revoked.
    pub fn create(
        &self,
        account: &AccountName,
        name: &str,
        scope: Scope,
        actor: &Actor,
    ) -> AccountsResult<Secret> {
        let content = ["token", account.as_str(), name, scope.as_str()];
        let issued = &self.0.form_secrets;
        let secret = issued.secret(actor.form(), &content);
        let requirement = ActorRequirement::Account(account);
        let secret = self.0.edit(actor, requirement, |cache, _| {
            if !cache.accounts.contains_key(account) {
                return Err(AccountsError::UnknownAccount(account.to_string()));
            }
            if cache.tokens.get(&secret.key()).is_some() {
                return Ok(Plan::unchanged(secret.clone()));
            }
            if issued.is_issued(&secret) {
                return Err(AccountsError::Gone);
            }
            if cache.tokens_of(account).count() >= MAX_TOKENS {
                return Err(AccountsError::Full(MAX_TOKENS));
            }
            let token = Token {
                key: secret.key(),
                account: account.clone(),
                name: name.to_owned(),
                scope,
                created: Timestamp::now(),
                used: None,
            };
            let edits = vec![AccountEdit::PutToken(token)];
            let action = format!("created the token {name} ({})", scope.as_str());
            Ok(Plan::routine(edits, action, secret.clone()))
        })?;
        issued.remember(&secret);
        Ok(secret)
    }

    /// Revokes one of an account's tokens by its handle.
    ///
    /// # Errors
    /// `Gone` if there is no such token, `SignedOut`.
    pub fn revoke(&self, account: &AccountName, handle: &str, actor: &Actor) -> AccountsResult<()> {
        let requirement = ActorRequirement::Account(account);
        self.0.edit(actor, requirement, |cache, _| {
            let mut tokens = cache.tokens_of(account);
            let found = tokens.find(|token| token.key.handle() == handle);
            let token = found.ok_or(AccountsError::Gone)?;
            let edits = vec![AccountEdit::RemoveToken(token.key)];
            let action = format!("revoked the token {}", token.name);
            Ok(Plan::routine(edits, action, ()))
        })
    }

    /// Returns the tokens of an account, the newest first.
    pub fn list(&self, account: &AccountName) -> Vec<Token> {
        let cache = self.0.cache();
        let mut tokens: Vec<Token> = cache.tokens_of(account).cloned().collect();
        tokens.sort_unstable_by_key(|token| std::cmp::Reverse((token.created, token.key)));
        tokens
    }
}
