//! Types of the domain, without input or output: pets, what they are doing, and the
//! numbered changes that lead from one state of the store to the next.
//!
//! Every other module imports from `model`, and `model` imports from none. Formats (JSON, SSE, the
//! records in the store) belong to `wire` and `store`.

mod author;
mod change;
mod cursor;
mod day;
#[cfg(test)]
pub(crate) mod example;
mod fold;
mod local_time;
mod pet;
mod pet_query;
mod photo;
mod photo_edit;
pub mod picture;
mod profile;
mod request;
mod rescue;
mod staff;
mod status;
mod text;
mod timestamp;
mod visibility;

pub use author::{Author, Signature};
pub use change::{Change, ChangeKind, ChangeSource};
pub use cursor::{Cursor, CursorError, Epoch, Rev};
pub use day::{Day, DayRecord, StatusSpan};
pub use fold::fold;
pub use local_time::{LocalTime, time_zones};
pub use pet::{Pet, PetId, PetIdError, Removal};
pub use pet_query::{PetPage, PetQuery, PetSort, QueryProblem};
pub use photo::{Photo, PhotoFile, PhotoHash, PhotoHashError, widths_up_to};
pub use photo_edit::{PhotoEdit, UnknownPhoto, UnlistedPhotos};
pub use profile::{
    AdoptionState, Audience, FieldError, FieldKind, FieldValue, InvalidProfile, Profile,
    ProfileBase, ProfileBaseError, ProfileField, ProfileInput, ProfilePatch, Sex, Size, Tags,
};
pub use request::{RequestId, RequestKey};
pub use rescue::{
    Accent, Activities, ActivitiesVersion, Activity, ActivityIcon, ActivityInput, ActivitySheet,
    DeliveryReport, DeliveryResult, EmbedSites, Logo, LogoError, Rescue, RescueField, SettingKind,
    WaitingDelivery, Webhook, WebhookEvent, WebhookFormat, WebhookId, WebhookInput,
    WebhookProgress, WebhookSecret, WebhookStep, WebhookTarget, is_public_address,
};
pub use staff::{
    Account, AccountName, AccountNameError, AuditEntry, AuditKind, Invitation, Key,
    MonotonicSeconds, Role, Scope, Session, Station, TOKEN_NAME_CHARACTERS, Token, Turn,
    UnknownRole, UnknownScope, check_token_name,
};
pub use status::{OwnActivity, Status, StatusNote, StatusNoteError, StatusStart, UnknownStatus};
pub use text::{HiddenCharacter, TextKind, check_line, check_text, clean_text, is_invisible};
pub use timestamp::Timestamp;
pub use visibility::Visibility;
