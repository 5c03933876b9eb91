//! A viewer on its way from HTTP to a sender.
//!
//! On a bad network the sender is given one end of a pair of sockets and knows no difference. The
//! other end and the viewer's own socket belong to a task of `Live::tasks`, which ends when one of
//! them does, or when the time of a stop is over.

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};

use super::Live;
use super::chaos::{Trouble, relay};
use super::handoff::{Admission, Connection};
use super::opening::Opening;
use super::places::Place;
use super::senders::Newcomer;
use crate::auth::SocketPrincipal;
use crate::hub::Filter;
use crate::limits::ClientAddress;
use crate::wire::{Encoding, SnapshotForm};

/// What a sender is told about a viewer, and what the viewer is given before that.
pub struct Arrival {
    pub live: Arc<Live>,
    pub opening: Opening,
    pub encoding: Encoding,
    pub filter: Filter,
    pub form: SnapshotForm,
    /// What it said so far, if anything.
    pub said: Vec<u8>,
    /// Who commands over it.
    pub speaker: SocketPrincipal,
    pub visitor: ClientAddress,
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
            Some(trouble) => self.go_on_badly(connection, trouble),
        }
    }

    /// Has everything that is said to the viewer from now on go through `trouble`.
    fn go_on_badly(self, connection: Connection, trouble: Trouble) {
        let (tasks, cut) = (self.live.tasks.clone(), self.live.cut.clone());
        tasks.spawn(cut.run_until_cancelled_owned(async move {
            if let Err(error) = self.disturb(connection, trouble).await {
                tracing::debug!(%error, "a disturbed connection broke");
            }
        }));
    }

    async fn disturb(self, connection: Connection, trouble: Trouble) -> io::Result<()> {
        let viewer = TcpStream::from_std(connection.stream.into())?;
        // Not a connection over loopback: that would be a door that others can come in by.
        let (near, far) = UnixStream::pair()?;
        let relayed = relay(viewer, near, self.encoding, trouble);
        let seated = async {
            self.sit_at(far, connection.admission).await?;
            pending().await
        };
        tokio::select! {
            ended = relayed => ended,
            failed = seated => failed,
        }
    }

    /// Gives the viewer its opening and then to a sender, both through `far`.
    async fn sit_at(mut self, mut far: UnixStream, admission: Admission) -> io::Result<()> {
        while let Some(bytes) = self.opening.next().await {
            far.write_all(&bytes).await?;
        }
        // A sender reads, writes and shuts down, which is the same for every kind of socket.
        let stream = std::net::TcpStream::from(OwnedFd::from(far.into_std()?));
        let stream = mio::net::TcpStream::from_std(stream);
        self.join(Connection { stream, admission });
        Ok(())
    }

    /// Joins a sender, once the opening was given.
    fn join(self, connection: Connection) {
        self.live.senders.join(Newcomer {
            connection,
            at: self.opening.reaches(),
            encoding: self.encoding,
            filter: self.filter,
            form: self.form,
            said: self.said,
            speaker: self.speaker,
            visitor: self.visitor,
            place: self.place,
        });
    }
}
