//! Who sent a request, and whose share is used up by what it asks for.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use poem::Request;

use super::Source;

/// Whose writes are counted together.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Identity<'a> {
    /// Everyone who is signed in to an account, and its tokens, wherever they are.
    Account(&'a str),
    /// Everybody else at an address.
    Stranger { source: Source, is_forwarded: bool },
}

impl<'a> Identity<'a> {
    /// That of a visitor who has shown that `account` is theirs, if any.
    pub fn of(account: Option<&'a str>, visitor: Visitor) -> Self {
        match account {
            Some(name) => Identity::Account(name),
            None => Identity::Stranger {
                source: visitor.source(),
                is_forwarded: visitor.is_forwarded,
            },
        }
    }
}

/// Who sent a request, as far as it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visitor {
    pub address: IpAddr,
    /// Whether it came through a trusted proxy that says of whom, so that its connection says
    /// nothing about the visitor. Whose word cannot be believed has the proxy's own address, and
    /// one share with all others like that: nobody gets out of a limit by a header.
    pub is_forwarded: bool,
}

impl Visitor {
    /// The visitor that the accept loop put down with a request.
    pub fn of(request: &Request) -> Self {
        let noted = request.extensions().get::<Visitor>().copied();
        let remote = request.remote_addr().as_socket_addr();
        noted.unwrap_or(Visitor {
            address: remote.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), SocketAddr::ip),
            is_forwarded: false,
        })
    }

    pub fn source(self) -> Source {
        Source::of(self.address)
    }
}
