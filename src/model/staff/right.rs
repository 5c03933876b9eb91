//! What people and their programs may do: a person's role, a token's scope.

use std::str::FromStr;

/// What a person may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Everything that staff may, and says who is staff.
    Admin,
    /// Changes pets.
    Staff,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Admin, Role::Staff];

    /// The word used in forms, on the command line and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Admin => "admin",
            Role::Staff => "staff",
        }
    }
}

/// The text is no role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a role is admin or staff")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or(UnknownRole)
    }
}

/// What an API token may do. Each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Read what staff read, such as who made a change.
    Read,
    /// Say what a pet is doing.
    SetStatus,
    /// Add, edit and remove pets.
    Write,
}

impl Scope {
    pub const ALL: [Scope; 3] = [Scope::Read, Scope::SetStatus, Scope::Write];

    /// The word used in forms and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::SetStatus => "set-status",
            Scope::Write => "write",
        }
    }
}

/// The text is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope is read, set-status or write")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let found = Scope::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or(UnknownScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wider_scope_includes_the_narrower_ones() {
        assert!(Scope::Read < Scope::SetStatus && Scope::SetStatus < Scope::Write);
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
    }
}
