//! Authors and signatures: who made a change, as staff see it.

use std::sync::Arc;

use super::ChangeSource;

/// A person or a program by name, and the kind of client. Visitors only see the `ChangeSource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The name of an account, or "command line".
    pub name: String,
    /// The kind of client: "Firefox on Android", or "token Feeder".
    pub client: String,
}

/// The source and the author of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Source that visitors see.
    pub by: ChangeSource,
    /// `None` in the demo, which has no accounts, and for the simulator.
    pub author: Option<Arc<Author>>,
}

impl From<ChangeSource> for Signature {
    fn from(by: ChangeSource) -> Self {
        Signature { by, author: None }
    }
}
