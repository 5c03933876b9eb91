//! Password rules, and the pool that computes password hashes.
//!
//! A hash takes tens of milliseconds and 19 MiB, so hashes are computed off the async workers, two at a
//! time, and the queue is bounded. The memory is reused while anyone waits, and freed by the last. If
//! there is no account, the pool does the same work, so that the time does not reveal which names
//! exist.

mod hash;
#[cfg(test)]
mod tests;

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

pub use self::hash::hash;
use self::hash::{HashBuffer, hash_in, is_outdated_in, normalize, verify_in};
use super::secret::Secret;
use crate::model::AccountName;

/// Hashes computed at a time: 38 MiB, and never all cores of a small machine for long.
const CONCURRENT_HASHES: usize = 2;

/// Callers that may wait, including the two being served; a further one gets `HashingBusy`.
const QUEUE_SLOTS: usize = 32;

/// Callers that may wait from addresses where their account signed in before: a flood of sign-ins does
/// not take their slots.
const RESERVED_SLOTS: usize = 8;

/// Bytes of the longest password that is compared. The rules allow fewer characters.
const MAX_BYTES: usize = 4096;

/// Characters of the shortest password. Together with the login throttle, guessing is hopeless.
const MIN_CHARACTERS: usize = 12;

/// Characters of the longest password: a bound on the work of a hash.
const MAX_CHARACTERS: usize = 200;

/// The password is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// The password has too few characters.
    #[error("use at least {MIN_CHARACTERS} characters: three or four words are easy to remember")]
    Short,
    /// The password has too many characters.
    #[error("use at most {MAX_CHARACTERS} characters")]
    Long,
    /// The password consists of the name of the account, or of one character.
    #[error("use something that cannot be guessed from the name")]
    Guessable,
}

/// Checks a new password against the rules.
///
/// # Errors
/// The rule that it breaks.
pub fn check_password_rules(password: &str, name: &AccountName) -> Result<(), WeakPassword> {
    let password = normalize(password);
    let length = password.chars().count();
    let rest = password.to_lowercase().replace(name.as_str(), "");
    let first = rest.chars().next();
    let is_one_letter = rest.chars().all(|letter| Some(letter) == first);
    if length < MIN_CHARACTERS {
        Err(WeakPassword::Short)
    } else if length > MAX_CHARACTERS {
        Err(WeakPassword::Long)
    } else if rest.chars().count() < MIN_CHARACTERS / 2 || is_one_letter {
        Err(WeakPassword::Guessable)
    } else {
        Ok(())
    }
}

/// The digits of a PIN. A PIN opens nothing but a turn at a station, and wrong ones are throttled.
const PIN_DIGITS: RangeInclusive<usize> = 4..=8;

/// The PIN is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPin {
    /// The text is not 4 to 8 digits.
    #[error("use 4 to 8 digits")]
    NotDigits,
    /// The digits are equal, or follow each other.
    #[error("use digits that are harder to guess than 1111 or 1234")]
    Guessable,
}

/// Checks a new PIN against the rules.
///
/// # Errors
/// The rule that it breaks.
pub fn check_pin(pin: &str) -> Result<(), WeakPin> {
    let digits = pin.as_bytes();
    if !PIN_DIGITS.contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(WeakPin::NotDigits);
    }
    let mut steps = digits
        .windows(2)
        .map(|pair| i16::from(pair[1]) - i16::from(pair[0]));
    let first = steps.next().unwrap_or_default();
    if first.abs() <= 1 && steps.all(|step| step == first) {
        return Err(WeakPin::Guessable);
    }
    Ok(())
}

/// The queue that a caller takes a slot of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashQueue {
    /// The queue for everyone.
    Shared,
    /// The queue for accounts that signed in from the same address before, and for signed-in people.
    Reserved,
}

/// Too many callers wait for a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many people are signing in right now; try again in a few seconds")]
pub struct HashingBusy;

/// Buffers for the next hashes, at most `CONCURRENT_HASHES`.
type Buffers = Arc<Mutex<Vec<HashBuffer>>>;

/// Computes hashes off the async workers, with a bounded queue.
pub struct HashingPool {
    shared_slots: Arc<Semaphore>,
    reserved_slots: Arc<Semaphore>,
    running: Arc<Semaphore>,
    /// Kept while anyone waits; the last caller frees them.
    buffers: Buffers,
    /// The hash of an unknown password, which is compared with if there is no account.
    decoy: Arc<str>,
    tasks: TaskTracker,
}

impl HashingPool {
    /// Creates a pool. `tasks` tracks its work.
    pub fn new(tasks: TaskTracker) -> Self {
        HashingPool {
            shared_slots: Arc::new(Semaphore::new(QUEUE_SLOTS)),
            reserved_slots: Arc::new(Semaphore::new(RESERVED_SLOTS)),
            running: Arc::new(Semaphore::new(CONCURRENT_HASHES)),
            buffers: Buffers::default(),
            decoy: hash(&Secret::random().text()).into(),
            tasks,
        }
    }

    /// Returns true if `password` has this hash. Without a hash it takes as long and returns false.
    ///
    /// # Errors
    /// `HashingBusy` immediately if the queue is full.
    pub async fn verify(
        &self,
        queue: HashQueue,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, HashingBusy> {
        // No account has a longer password. It is dropped now and takes no memory in the queue.
        let is_short = password.len() <= MAX_BYTES;
        let password = if is_short { password } else { String::new() };
        let decoy = Arc::clone(&self.decoy);
        let has_account = hash.is_some();
        let work = move |buffer: &mut HashBuffer| {
            verify_in(buffer, &password, hash.as_deref().unwrap_or(&decoy))
        };
        Ok(self.run(queue, work).await? && has_account && is_short)
    }

    /// Hashes a new password.
    ///
    /// # Errors
    /// `HashingBusy` immediately if the queue is full.
    pub async fn hash(&self, queue: HashQueue, password: String) -> Result<String, HashingBusy> {
        self.run(queue, move |buffer| hash_in(buffer, &password))
            .await
    }

    /// Hashes the normal form of `password`, if `known` is a hash of the text as it was typed.
    ///
    /// # Errors
    /// `HashingBusy` immediately if the queue is full.
    pub async fn rehash(
        &self,
        password: String,
        known: String,
    ) -> Result<Option<String>, HashingBusy> {
        if password.is_ascii() {
            return Ok(None);
        }
        let rehash = move |buffer: &mut HashBuffer| {
            is_outdated_in(buffer, &password, &known).then(|| hash_in(buffer, &password))
        };
        self.run(HashQueue::Reserved, rehash).await
    }

    async fn run<T: Send + 'static>(
        &self,
        queue: HashQueue,
        work: impl FnOnce(&mut HashBuffer) -> T + Send + 'static,
    ) -> Result<T, HashingBusy> {
        let slots = match queue {
            HashQueue::Shared => &self.shared_slots,
            HashQueue::Reserved => &self.reserved_slots,
        };
        let permit = Arc::clone(slots).try_acquire_owned();
        let slot = QueueSlot {
            permit: Some(permit.map_err(|_| HashingBusy)?),
            slots: [&self.shared_slots, &self.reserved_slots].map(Arc::clone),
            buffers: Arc::clone(&self.buffers),
        };
        let running = Arc::clone(&self.running).acquire_owned().await;
        // The work keeps its slot and its permit also if the caller leaves.
        let working = self.tasks.spawn_blocking(move || {
            let mut buffer = lock(&slot.buffers).pop().unwrap_or_default();
            let done = work(&mut buffer);
            lock(&slot.buffers).push(buffer);
            drop((slot, running));
            done
        });
        Ok(working.await.expect("hashing does not panic"))
    }
}

/// The slot of a caller that waits or is being served. Dropping the last slot frees the buffers.
struct QueueSlot {
    permit: Option<OwnedSemaphorePermit>,
    slots: [Arc<Semaphore>; 2],
    buffers: Buffers,
}

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.permit = None;
        let free = self.slots.each_ref().map(|slots| slots.available_permits());
        if free == [QUEUE_SLOTS, RESERVED_SLOTS] {
            *lock(&self.buffers) = Vec::new();
        }
    }
}

fn lock(buffers: &Buffers) -> MutexGuard<'_, Vec<HashBuffer>> {
    buffers.lock().expect("no holder of this lock panics")
}
