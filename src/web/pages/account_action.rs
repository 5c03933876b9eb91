//! Actions of an admin on an account: how each is confirmed, and what it reports.

use super::flash::{EndedAccess, Flash};
use super::{form, staff};
use crate::auth::{AccountSummary, Accounts, AccountsError, Actor, Secret};
use crate::error::Failure;
use crate::model::{AccountName, Role};
use crate::views::{ConfirmPage, counted};

/// An action of an admin on an account.
#[derive(Clone, Copy)]
pub enum AccountAction {
    /// Makes the account admin or staff.
    SetRole(Role),
    /// Ends all sessions and refuses new ones.
    Suspend,
    /// Lifts a suspension.
    Reactivate,
    /// Removes password, sessions and tokens, and creates a link to choose a new password.
    Reset,
    /// Removes the account.
    Remove,
}

/// Result that the page shows after an action.
pub enum ActionResult {
    /// The secret of a link to choose a password.
    Link(Secret),
    /// A message.
    Message(Flash),
}

impl AccountAction {
    /// Reads the value of the field `do`.
    ///
    /// # Errors
    /// 422 for a value that is not an action.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        match text {
            "make-admin" => Ok(AccountAction::SetRole(Role::Admin)),
            "make-staff" => Ok(AccountAction::SetRole(Role::Staff)),
            "disable" => Ok(AccountAction::Suspend),
            "enable" => Ok(AccountAction::Reactivate),
            "reset" => Ok(AccountAction::Reset),
            "remove" => Ok(AccountAction::Remove),
            _ => Err(Failure::invalid(
                "do must be make-admin, make-staff, disable, enable, reset or remove.",
            )),
        }
    }

    /// Applies the action.
    ///
    /// # Errors
    /// As for the edit of `Accounts`.
    pub fn apply(
        self,
        accounts: &Accounts,
        name: &AccountName,
        actor: &Actor,
    ) -> Result<ActionResult, AccountsError> {
        let ended = EndedAccess::count(accounts, name);
        let name_shown = name.clone();
        let flash = match self {
            AccountAction::SetRole(role) => {
                accounts.members().set_role(name, role, actor)?;
                Flash::Role(name_shown, role)
            }
            AccountAction::Suspend => {
                accounts.members().disable(name, actor)?;
                // Tokens of a suspended account are refused, but not revoked.
                Flash::Suspended(name_shown, EndedAccess { tokens: 0, ..ended })
            }
            AccountAction::Reactivate => {
                accounts.members().enable(name, actor)?;
                Flash::Reactivated(name_shown)
            }
            AccountAction::Reset => {
                return accounts
                    .invitations()
                    .reset(name, actor)
                    .map(ActionResult::Link);
            }
            AccountAction::Remove => {
                accounts.members().remove(name, actor)?;
                Flash::Removed(name_shown, ended)
            }
        };
        Ok(ActionResult::Message(flash))
    }

    /// Returns the question to ask first; `None` if the action ends and removes nothing.
    pub fn question(self, member: &AccountSummary, is_self: bool) -> Option<ConfirmPage> {
        let name = &member.account.name;
        let sessions = counted(member.sessions, "session", "sessions");
        let tokens = counted(member.tokens, "API token", "API tokens");
        let (heading, action, button, mut consequences) = match self {
            AccountAction::SetRole(Role::Admin) | AccountAction::Reactivate => return None,
            AccountAction::SetRole(Role::Staff) => (
                format!("Remove admin rights from {name}?"),
                "make-staff",
                "Remove admin rights",
                vec![
                    format!("{name} can still add and update pets, but no longer manage staff."),
                    format!("{name} has to sign in again: {sessions} will end."),
                ],
            ),
            AccountAction::Suspend => (
                format!("Suspend {name}?"),
                "disable",
                "Suspend account",
                vec![
                    format!("{name} can't sign in until an admin reactivates the account."),
                    format!("{sessions} will end now, and {tokens} will not work until then."),
                ],
            ),
            AccountAction::Reset => (
                format!("Reset the password of {name}?"),
                "reset",
                "Reset password and tokens",
                vec![
                    format!("The current password stops working; {sessions} and {tokens} end."),
                    format!("You get a link that lets {name} choose a new password."),
                ],
            ),
            AccountAction::Remove => (
                format!("Remove the account {name}?"),
                "remove",
                "Remove account",
                vec![
                    format!("{name} can't sign in any more: {sessions} and {tokens} end now."),
                    format!("What {name} did stays in the activity log."),
                    "This can't be undone.".to_owned(),
                ],
            ),
        };
        if is_self {
            consequences.push("This is your own account: you will be signed out.".to_owned());
        }
        Some(ConfirmPage {
            heading,
            consequences,
            action: format!("{}/{name}", staff::PATH),
            account_action: Some(action),
            request_key: Some(form::new_key().1),
            button,
            back: staff::PATH,
        })
    }
}
