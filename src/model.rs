//! What the program is about, without any input or output: pets, what they are doing, and the
//! numbered changes that lead from one state of the store to the next.
//!
//! Everything else imports from here and this imports from nowhere. Formats (JSON, SSE, the
//! records in the store) belong to `wire` and `store`.

mod author;
mod base;
mod change;
mod cursor;
mod draft;
#[cfg(test)]
pub(crate) mod example;
mod hex;
mod pet;
mod profile;
mod request;
mod sex;
mod staff;
mod status;
mod text;
mod timestamp;

pub use author::{Author, Signature};
pub use base::{ProfileBase, ProfileBaseError};
pub use change::{Change, ChangeKind, ChangeSource};
pub use cursor::{Cursor, CursorError, Epoch, Rev};
pub use draft::{Draft, FieldError, InvalidProfile, LIMITS, Limits};
pub use hex::{from_hex, to_hex};
pub use pet::{Pet, PetId, PetIdError};
pub use profile::{Profile, ProfilePatch};
pub use request::{RequestId, RequestKey};
pub use sex::Sex;
pub use staff::{
    Account, AccountName, AccountNameError, AuditEntry, Invitation, Key, MonotonicSeconds, Role,
    Scope, Session, TOKEN_NAME_CHARACTERS, Token, UnknownRole, UnknownScope, check_token_name,
};
pub use status::{Status, UnknownStatus};
pub use text::{HiddenCharacter, Lines, check_text, clean_text, is_invisible};
pub use timestamp::Timestamp;
