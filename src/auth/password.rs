//! Passwords: which are accepted (`rules`), and the slow hash that makes a stolen store hard to use
//! (`hash`).
//!
//! A hash takes tens of milliseconds and 19 MiB, so it runs off the async workers, two at once, and
//! only so many wait. The memory is reused while anyone waits, and freed by the last. For a name that
//! nobody has, the same work is done.

mod hash;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

pub use self::hash::hash;
use self::hash::{Buffer, hash_in, is_outdated_in, verify_in};
pub use self::rules::{WeakPassword, check_password_rules};
use super::secret::Secret;

/// Hashes that are computed at once: 38 MiB, and never all cores of a small machine for long.
const AT_ONCE: usize = 2;

/// Callers that are let in, the two at work included; one more is told to come back.
const CALLERS: usize = 32;

/// Callers that are let in from addresses where their account signed in before: a flood of sign-ins
/// does not take their slots.
const KNOWN_CALLERS: usize = 8;

/// The pool of slots that a caller takes one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slots {
    Everyone,
    /// For accounts that signed in from the same address before, and for signed-in people.
    Known,
}

/// Bytes of the longest password that is compared. The rules allow fewer characters.
const LONGEST_BYTES: usize = 4096;

/// Every caller's place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many people are signing in at this moment; try again in a few seconds")]
pub struct Crowded;

/// Buffers that wait for the next hash; no more than are computed at once.
type Buffers = Arc<Mutex<Vec<Buffer>>>;

/// Hashes off the async workers, within bounds.
pub struct Passwords {
    callers: Arc<Semaphore>,
    known_callers: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
    /// Kept while anyone waits. The last caller frees them.
    buffers: Buffers,
    /// Of a password that nobody knows: what is compared with when there is no account.
    of_nobody: Arc<str>,
    tasks: TaskTracker,
}

impl Passwords {
    /// Its work is owned by `tasks`.
    pub fn new(tasks: TaskTracker) -> Self {
        Passwords {
            callers: Arc::new(Semaphore::new(CALLERS)),
            known_callers: Arc::new(Semaphore::new(KNOWN_CALLERS)),
            at_work: Arc::new(Semaphore::new(AT_ONCE)),
            buffers: Buffers::default(),
            of_nobody: hash(&Secret::random().text()).into(),
            tasks,
        }
    }

    /// Whether `password` is the one of `hash`; without a hash it takes as long and is not.
    ///
    /// # Errors
    /// `Crowded` at once when too many wait.
    pub async fn verify(
        &self,
        slots: Slots,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Crowded> {
        // No account has a longer password, so it is dropped now and takes no memory in the queue.
        let is_short = password.len() <= LONGEST_BYTES;
        let password = if is_short { password } else { String::new() };
        let of_nobody = Arc::clone(&self.of_nobody);
        let is_somebody = hash.is_some();
        let work = move |buffer: &mut Buffer| {
            verify_in(buffer, &password, hash.as_deref().unwrap_or(&of_nobody))
        };
        Ok(self.run(slots, work).await? && is_somebody && is_short)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// `Crowded` at once when too many wait.
    pub async fn hash(&self, slots: Slots, password: String) -> Result<String, Crowded> {
        self.run(slots, move |buffer: &mut Buffer| hash_in(buffer, &password))
            .await
    }

    /// Hashes the normal form of `password`, if `known` is a hash of the text as it was typed.
    ///
    /// # Errors
    /// `Crowded` at once when too many wait.
    pub async fn renew(&self, password: String, known: String) -> Result<Option<String>, Crowded> {
        if password.is_ascii() {
            return Ok(None);
        }
        let renew = move |buffer: &mut Buffer| {
            is_outdated_in(buffer, &password, &known).then(|| hash_in(buffer, &password))
        };
        self.run(Slots::Known, renew).await
    }

    async fn run<T: Send + 'static>(
        &self,
        slots: Slots,
        work: impl FnOnce(&mut Buffer) -> T + Send + 'static,
    ) -> Result<T, Crowded> {
        let callers = match slots {
            Slots::Everyone => &self.callers,
            Slots::Known => &self.known_callers,
        };
        let permit = Arc::clone(callers).try_acquire_owned();
        let slot = Slot {
            permit: Some(permit.map_err(|_| Crowded)?),
            callers: [&self.callers, &self.known_callers].map(Arc::clone),
            buffers: Arc::clone(&self.buffers),
        };
        let turn = Arc::clone(&self.at_work).acquire_owned().await;
        // The work keeps slot and turn, also if its caller is gone.
        let working = self.tasks.spawn_blocking(move || {
            let mut buffer = kept(&slot.buffers).pop().unwrap_or_default();
            let done = work(&mut buffer);
            kept(&slot.buffers).push(buffer);
            drop((slot, turn));
            done
        });
        Ok(working.await.expect("hashing does not panic"))
    }
}

/// The slot of a caller that waits or is at work. Releasing the last one frees the buffers.
struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    callers: [Arc<Semaphore>; 2],
    buffers: Buffers,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.permit = None;
        let free = self.callers.each_ref().map(|all| all.available_permits());
        if free == [CALLERS, KNOWN_CALLERS] {
            *kept(&self.buffers) = Vec::new();
        }
    }
}

fn kept(buffers: &Buffers) -> MutexGuard<'_, Vec<Buffer>> {
    buffers.lock().expect("no holder of this lock panics")
}
