//! Network faults on request, to look at and to test pages with: `?chaos=MODE` on a live route of the
//! demo.
//!
//! The routes know nothing of this. `inject_faults` surrounds them: it refuses a request, cuts off a
//! poll, or wraps the connection's handoff, so that everything that a viewer is sent or sends, from
//! hello on, passes through a `relay` that loses, holds back, delays or cuts it.

mod relay;

use std::future::pending;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use poem::http::Version;
use poem::{Endpoint, Request, Response};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

use self::relay::relay;
use super::no_handoff;
use crate::app_state::AppState;
use crate::auth::AuthMode;
use crate::delivery::Transport;
use crate::error::Failure;
use crate::serve::{Connection, DeferredResponse, Handoff};

/// Lifetime of a killed connection: enough for hello.
const KILL_AFTER: Duration = Duration::from_millis(300);

/// Lifetime of anything that waits on a network that cuts connections.
const CUT_AFTER: Duration = Duration::from_secs(5);

/// Delay of everything on a slow network.
const DELAY: Duration = Duration::from_secs(4);

/// The kinds of bad network, by the name in `?chaos=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chaos {
    /// A WebSocket is refused.
    RefuseWs,
    /// WebSocket and SSE open, receive hello, and are killed.
    Kill,
    /// WebSocket and SSE open, and then nothing arrives.
    Eat,
    /// A WebSocket is refused, and each message over SSE is held back until the next.
    Hold,
    /// Whatever waits is cut after a while: WebSocket, SSE, and polls too.
    Cut,
    /// Everything on WebSocket and SSE arrives late.
    Delay,
}

/// A fault of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InjectedFault {
    /// The connection is closed after this time.
    CutAfter(Duration),
    /// All bytes are dropped.
    Eat,
    /// Each message is held back until the next begins.
    Hold,
    /// All bytes are delayed by this time.
    Delay(Duration),
}

impl Chaos {
    const ALL: [Chaos; 6] = [
        Chaos::RefuseWs,
        Chaos::Kill,
        Chaos::Eat,
        Chaos::Hold,
        Chaos::Cut,
        Chaos::Delay,
    ];

    /// Returns the word used in addresses.
    const fn as_str(self) -> &'static str {
        match self {
            Chaos::RefuseWs => "refuse-ws",
            Chaos::Kill => "kill",
            Chaos::Eat => "eat",
            Chaos::Hold => "hold",
            Chaos::Cut => "cut",
            Chaos::Delay => "delay",
        }
    }

    /// Returns the mode that a request asks for. Outside the demo, no request can.
    ///
    /// # Errors
    /// 400 with all names, for an unknown one.
    fn from_request(request: &Request, auth: AuthMode) -> Result<Option<Self>, Failure> {
        let query = request.uri().query().unwrap_or_default();
        if auth != AuthMode::Demo || !query.contains("chaos") {
            return Ok(None);
        }
        // A query that cannot be parsed is refused by the route.
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        let name = pairs.into_iter().rev().find(|(name, _)| name == "chaos");
        name.map(|(_, mode)| Chaos::parse(&mode)).transpose()
    }

    fn parse(name: &str) -> Result<Self, Failure> {
        let found = Chaos::ALL.into_iter().find(|mode| mode.as_str() == name);
        found.ok_or_else(|| {
            let names = Chaos::ALL.map(Chaos::as_str).join(", ");
            Failure::bad_request(format!("chaos is one of {names}."))
        })
    }

    /// Returns the fault of a connection over `transport`, or `None` if it has none.
    ///
    /// # Errors
    /// 403 for a transport that is refused, as a proxy would.
    fn fault(self, transport: Transport) -> Result<Option<InjectedFault>, Failure> {
        Ok(match (self, transport) {
            (Chaos::RefuseWs | Chaos::Hold, Transport::WebSocket) => {
                let detail = "The network that was asked for lets no WebSocket through.";
                return Err(Failure::forbidden(detail));
            }
            (Chaos::Cut, _) => Some(InjectedFault::CutAfter(CUT_AFTER)),
            (Chaos::RefuseWs, _) | (_, Transport::Poll | Transport::Picture) => None,
            (Chaos::Kill, _) => Some(InjectedFault::CutAfter(KILL_AFTER)),
            (Chaos::Eat, _) => Some(InjectedFault::Eat),
            (Chaos::Hold, _) => Some(InjectedFault::Hold),
            (Chaos::Delay, _) => Some(InjectedFault::Delay(DELAY)),
        })
    }
}

/// Surrounds a live route with the network fault that the request asks for.
///
/// # Errors
/// 400 for an unknown mode, 403 for a transport that the mode refuses, and those of the route.
pub async fn inject_faults<E: Endpoint<Output = Response>>(
    next: Arc<E>,
    mut request: Request,
) -> poem::Result<Response> {
    let app = request.data::<Arc<AppState>>().cloned();
    let app = app.ok_or_else(Failure::internal)?;
    let Some(chaos) = Chaos::from_request(&request, app.auth())? else {
        return next.call(request).await;
    };
    let transport = match request.uri().path() {
        "/live/ws" => Transport::WebSocket,
        "/live/sse" => Transport::Sse,
        _ => Transport::Poll,
    };
    let Some(fault) = chaos.fault(transport)? else {
        return next.call(request).await;
    };
    let handoff = Handoff::from_request(&request).ok_or_else(no_handoff)?;
    if let (Transport::Poll, InjectedFault::CutAfter(limit)) = (transport, fault) {
        DeferredResponse::prevent(&mut request);
        let Ok(response) = timeout(limit, next.call(request)).await else {
            handoff.hang_up();
            return pending().await;
        };
        return response;
    }
    let end_of_message: &[u8] = match request.version() {
        Version::HTTP_10 => b"\n\n",
        // The end of an event, and of the chunk that contains it.
        _ => b"\n\n\r\n",
    };
    let wrapped = handoff.wrapped(move |connection| {
        let wrapped = wrap_connection(&app, connection, fault, end_of_message);
        wrapped
            .inspect_err(|error| tracing::warn!(%error, "no network fault could be injected"))
            .ok()
    });
    request.extensions_mut().insert(wrapped);
    next.call(request).await
}

/// Returns one end of a pair of sockets, and relays between the other end and the viewer's socket.
fn wrap_connection(
    app: &AppState,
    connection: Connection,
    fault: InjectedFault,
    end_of_message: &'static [u8],
) -> io::Result<Connection> {
    let viewer = TcpStream::from_std(connection.stream.into())?;
    // Not a connection over loopback, to which other programs could connect too.
    let (near, far) = UnixStream::pair()?;
    // A worker reads, writes and shuts down, which is the same for every kind of socket.
    let far = std::net::TcpStream::from(OwnedFd::from(far.into_std()?));
    app.spawn(async move {
        if let Err(error) = relay(viewer, near, fault, end_of_message).await {
            tracing::debug!(%error, "a connection with a network fault broke");
        }
    });
    Ok(Connection {
        stream: mio::net::TcpStream::from_std(far),
        permit: connection.permit,
        read_ahead: connection.read_ahead,
        last_head: connection.last_head,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_found_by_its_name_and_an_unknown_one_is_answered_with_all_names() {
        for mode in Chaos::ALL {
            assert_eq!(Chaos::parse(mode.as_str()), Ok(mode));
        }
        for name in ["", "off", "KILL", "everything"] {
            let failure = Chaos::parse(name).unwrap_err();
            assert_eq!(failure.status, 400);
            let names = "chaos is one of refuse-ws, kill, eat, hold, cut, delay.";
            assert_eq!(failure.detail, names);
        }
    }

    #[test]
    fn a_poll_has_no_fault_except_that_everything_that_waits_is_cut() {
        for mode in Chaos::ALL {
            let fault = mode.fault(Transport::Poll).unwrap();
            let expected = (mode == Chaos::Cut).then_some(InjectedFault::CutAfter(CUT_AFTER));
            assert_eq!(fault, expected, "{mode:?}");
        }
    }
}
