//! How long a connection may take to send a request.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

use super::turn::Turn;
use crate::limits::Timeouts;

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overdue {
    /// A head that was begun.
    Head,
    /// Nothing was begun.
    Silence,
}

/// A clock that runs while a request is waited for.
pub struct Patience {
    times: Timeouts,
    turn: Turn,
    /// The turn that the rest is about.
    number: u32,
    /// Whether anything of a head came in this turn.
    is_begun: bool,
    deadline: Option<Instant>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub fn new(times: Timeouts, turn: Turn) -> Self {
        Patience {
            times,
            turn,
            number: 0,
            is_begun: false,
            deadline: None,
            sleep: None,
        }
    }

    /// Bytes came.
    pub fn hear(&mut self) {
        self.look();
        if !self.is_begun {
            self.is_begun = true;
            // The first head's time runs already.
            if self.number != 0 || self.deadline.is_none() {
                self.deadline = Some(Instant::now() + self.times.head);
            }
        }
    }

    /// Nothing came: ready when that has been so for too long.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<Overdue> {
        self.look();
        if !Turn::is_theirs(self.number) {
            self.turn.wake_later(context);
            return Poll::Pending;
        }
        let time = match self.is_begun || self.number == 0 {
            true => self.times.head,
            false => self.times.idle,
        };
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + time);
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        ready!(sleep.as_mut().poll(context));
        Poll::Ready(match self.is_begun {
            true => Overdue::Head,
            false => Overdue::Silence,
        })
    }

    /// Starts anew when the turn has changed.
    fn look(&mut self) {
        let number = self.turn.number();
        if number != self.number {
            self.number = number;
            self.is_begun = false;
            self.deadline = None;
        }
    }
}
