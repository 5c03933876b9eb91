//! The messages to viewers, each encoded once per transport.
//!
//! A `Message` is the JSON object of the interface. A `Frame` is a message that is encoded for every
//! transport; cloning it shares the bytes, so ten thousand viewers cost one encoding.

mod encoded;
mod encoding;
mod frame;
mod json;
mod message;
mod pet_fields;
mod topic;

pub use encoding::{Encoding, websocket_header};
pub use frame::{Frame, FrameKind, Predecessors, SnapshotForm};
pub use message::{Message, SnapshotPet};
pub use pet_fields::{PetFields, photo_path};
pub use topic::Topic;
