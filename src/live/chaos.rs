//! A bad network to look at, and to test pages with: `?chaos=MODE` on a live route of the demo.
//!
//! Some modes refuse a WebSocket. The others disturb a viewer that was let in: everything said to
//! it, hello included, goes through a `relay` between its socket and its sender, which loses, holds
//! back (`hold`), delays (`delay`) or cuts it. Who does not ask for chaos never meets any of this.

mod delay;
mod hold;
mod relay;

use std::time::Duration;

pub use self::relay::relay;
use crate::delivery::Transport;
use crate::error::Failure;

/// How long a killed connection lives: enough for hello.
const KILL_AFTER: Duration = Duration::from_millis(300);

/// How long anything that waits lives on a network that cuts it.
const CUT_AFTER: Duration = Duration::from_secs(5);

/// How late everything is on a network that delays.
const DELAY: Duration = Duration::from_secs(4);

/// What is wrong with the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chaos {
    /// A WebSocket is refused.
    RefuseWs,
    /// WebSocket and SSE open, say hello, and are killed.
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

/// What a relay does to the bytes of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    CutAfter(Duration),
    Eat,
    Hold,
    Delay(Duration),
}

impl Chaos {
    pub const ALL: [Chaos; 6] = [
        Chaos::RefuseWs,
        Chaos::Kill,
        Chaos::Eat,
        Chaos::Hold,
        Chaos::Cut,
        Chaos::Delay,
    ];

    /// The word used in addresses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Chaos::RefuseWs => "refuse-ws",
            Chaos::Kill => "kill",
            Chaos::Eat => "eat",
            Chaos::Hold => "hold",
            Chaos::Cut => "cut",
            Chaos::Delay => "delay",
        }
    }

    /// The mode with this name.
    ///
    /// # Errors
    /// 400, with the names that are allowed.
    pub fn named(word: &str) -> Result<Self, Failure> {
        let found = Chaos::ALL.into_iter().find(|mode| mode.as_str() == word);
        found.ok_or_else(|| {
            let names = Chaos::ALL.map(Chaos::as_str).join(", ");
            Failure::bad_request(format!("chaos is one of {names}."))
        })
    }

    /// What happens to a connection over `transport`; `None` when it is left alone.
    ///
    /// # Errors
    /// 403 when it is refused, as a proxy would.
    pub fn trouble(self, transport: Transport) -> Result<Option<Trouble>, Failure> {
        Ok(match (self, transport) {
            (Chaos::RefuseWs | Chaos::Hold, Transport::WebSocket) => {
                let detail = "The network that was asked for lets no WebSocket through.";
                return Err(Failure::forbidden(detail));
            }
            (Chaos::Cut, _) => Some(Trouble::CutAfter(CUT_AFTER)),
            (Chaos::RefuseWs, _) | (_, Transport::Poll) => None,
            (Chaos::Kill, _) => Some(Trouble::CutAfter(KILL_AFTER)),
            (Chaos::Eat, _) => Some(Trouble::Eat),
            (Chaos::Hold, _) => Some(Trouble::Hold),
            (Chaos::Delay, _) => Some(Trouble::Delay(DELAY)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_found_by_its_name_and_an_unknown_one_is_told_all_names() {
        for mode in Chaos::ALL {
            assert_eq!(Chaos::named(mode.as_str()), Ok(mode));
        }
        for word in ["", "off", "KILL", "everything"] {
            let failure = Chaos::named(word).unwrap_err();
            assert_eq!(failure.status, 400);
            let names = "chaos is one of refuse-ws, kill, eat, hold, cut, delay.";
            assert_eq!(failure.detail, names);
        }
    }

    #[test]
    fn a_poll_is_left_alone_except_by_what_cuts_everything_that_waits() {
        for mode in Chaos::ALL {
            let trouble = mode.trouble(Transport::Poll).unwrap();
            let expected = (mode == Chaos::Cut).then_some(Trouble::CutAfter(CUT_AFTER));
            assert_eq!(trouble, expected, "{mode:?}");
        }
    }
}
