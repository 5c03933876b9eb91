//! A viewer on its way from HTTP to a sender.

use std::sync::Arc;

use bytes::Bytes;

use super::Live;
use super::chaos::{Trouble, relay};
use super::handoff::Connection;
use super::opening::Opening;
use super::places::Place;
use super::senders::Newcomer;
use crate::auth::Speaker;
use crate::guard::Visitor;
use crate::hub::Filter;
use crate::wire::Encoding;

/// What a sender is told about a viewer, and what the viewer is given before that.
pub struct Arrival {
    pub live: Arc<Live>,
    pub opening: Opening,
    pub encoding: Encoding,
    pub filter: Filter,
    /// What it said so far, if anything.
    pub said: Vec<u8>,
    /// Who commands over it.
    pub speaker: Speaker,
    pub visitor: Visitor,
    pub place: Place,
    /// What the network that it asked for does to its connection.
    pub trouble: Option<Trouble>,
}

impl Arrival {
    /// The next piece that goes through hyper; `None` when the socket is to leave HTTP. On a bad
    /// network that is at once, so that hello is disturbed like all that follows it.
    pub async fn next(&mut self) -> Option<Bytes> {
        match self.trouble {
            None => self.opening.next().await,
            Some(_) => None,
        }
    }

    /// Goes on with the socket, which has left HTTP.
    pub fn go_on(self, connection: Connection) {
        match self.trouble {
            None => self.join(connection),
            Some(trouble) => relay(self, connection, trouble),
        }
    }

    /// Joins a sender, once the opening was given.
    pub fn join(self, connection: Connection) {
        self.live.senders.join(Newcomer {
            connection,
            at: self.opening.reaches(),
            encoding: self.encoding,
            filter: self.filter,
            said: self.said,
            speaker: self.speaker,
            visitor: self.visitor,
            place: self.place,
        });
    }
}
