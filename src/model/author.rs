//! Who made a change, for the eyes of staff.

use std::sync::Arc;

use super::ChangeSource;

/// A person or a program by name, and the kind of client it came with. What visitors are told is
/// `By`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// An account's name, or where there is none, what stands for it: "command line".
    pub name: String,
    /// "Firefox on Android", or "token Feeder".
    pub client: String,
}

/// What a change is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub by: ChangeSource,
    /// Nobody by name in the demo, where everyone is staff, and for the simulator.
    pub author: Option<Arc<Author>>,
}

impl From<ChangeSource> for Signature {
    fn from(by: ChangeSource) -> Self {
        Signature { by, author: None }
    }
}
