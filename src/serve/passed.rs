//! Listening sockets that a service manager opened and passed to this process (socket activation,
//! `sd_listen_fds(3)`).
//!
//! The service manager keeps such a socket open while the server restarts: connections wait in its
//! backlog, and none is refused.

use std::net::{SocketAddr, TcpListener};
use std::{env, io};

use listenfd::ListenFd;

/// The name (`FileDescriptorName=`) of the socket that serves only `/metrics`. Any other name, also the
/// one that systemd gives by default, is the site's.
const METRICS: &str = "metrics";

/// The sockets that were passed. Without a service manager there are none.
#[derive(Debug, Default)]
pub struct PassedListeners {
    /// Replaces `--listen`.
    pub site: Option<TcpListener>,
    /// Replaces `--metrics-listen`.
    pub metrics: Option<TcpListener>,
}

/// Sockets were passed that this program cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum PassedError {
    /// Two sockets for the same purpose.
    #[error(
        "the service manager passed more than one socket named {0:?}; pass one TCP socket, and for \
         /metrics one more with FileDescriptorName=metrics"
    )]
    TwoOf(String),
    /// A socket that accepts no TCP connections.
    #[error("the service manager passed a socket that is not a listening TCP socket: {0}")]
    NotTcp(io::Error),
}

impl PassedListeners {
    /// Takes the sockets that the environment of this process names, once, and removes the variables.
    ///
    /// # Errors
    /// `PassedError` for sockets of another number or kind.
    pub fn from_environment() -> Result<Self, PassedError> {
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        PassedListeners::assign(ListenFd::from_env(), &names)
    }

    /// Assigns each socket to its purpose by its name in `names`, separated by colons.
    fn assign(mut sockets: ListenFd, names: &str) -> Result<Self, PassedError> {
        let mut passed = PassedListeners::default();
        let mut names = names.split(':');
        for index in 0..sockets.len() {
            let name = names.next().unwrap_or_default();
            let place = if name == METRICS {
                &mut passed.metrics
            } else {
                &mut passed.site
            };
            if place.is_some() {
                return Err(PassedError::TwoOf(name.to_owned()));
            }
            let taken = sockets.take_tcp_listener(index);
            *place = taken.map_err(PassedError::NotTcp)?;
        }
        Ok(passed)
    }

    /// Returns the addresses of the site and of the metrics, as far as their sockets were passed.
    pub fn addresses(&self) -> [Option<SocketAddr>; 2] {
        [&self.site, &self.metrics].map(|listener| listener.as_ref()?.local_addr().ok())
    }
}
