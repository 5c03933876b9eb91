//! Passwords: which are accepted, and the slow hash that makes a stolen store hard to use.
//!
//! argon2id with 19 MiB, two passes and one lane, as OWASP recommends. A hash takes tens of
//! milliseconds and all of its memory, so it runs off the async workers, two at once, and only so
//! many wait. For a name that nobody has, the same work is done.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::secret::Secret;
use crate::model::AccountName;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes that are computed at once: 38 MiB, and never all cores of a small machine for long.
const AT_ONCE: usize = 2;

/// Callers that are let in, the two at work included; one more is told to come back.
const CALLERS: usize = 32;

/// Characters of a password. Long enough that the limit of attempts makes guessing hopeless; an
/// upper end, so that nobody sends us a book to hash.
const SHORTEST: usize = 12;
const LONGEST: usize = 200;

/// The password is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    #[error("use at least {SHORTEST} characters: three or four words are easy to remember")]
    Short,
    #[error("use at most {LONGEST} characters")]
    Long,
    #[error("use something that cannot be guessed from the name")]
    Guessable,
}

/// Every caller's place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many people are signing in at this moment; try again in a few seconds")]
pub struct Crowded;

/// Checks a password that somebody wants to have.
///
/// # Errors
/// What is wrong with it.
pub fn check_rules(password: &str, name: &AccountName) -> Result<(), WeakPassword> {
    let length = password.chars().count();
    let rest = password.to_lowercase().replace(name.as_str(), "");
    let first = rest.chars().next();
    let is_one_letter = rest.chars().all(|letter| Some(letter) == first);
    match length {
        ..SHORTEST => Err(WeakPassword::Short),
        _ if length > LONGEST => Err(WeakPassword::Long),
        _ if rest.chars().count() < SHORTEST / 2 || is_one_letter => Err(WeakPassword::Guessable),
        _ => Ok(()),
    }
}

/// The hash to keep, as a PHC string. Takes tens of milliseconds.
pub fn hash(password: &str) -> String {
    let hashed = argon2().hash_password(password.as_bytes());
    let hashed = hashed.expect("the parameters are valid and the system has random bytes");
    hashed.to_string()
}

/// Whether `password` is the one that was hashed. A hash that cannot be read is of no password.
fn verify(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok())
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None);
    let params = params.expect("the parameters are within argon2's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes off the async workers, within bounds.
pub struct Passwords {
    callers: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
    /// Of a password that nobody knows: what is compared with when there is no account.
    of_nobody: Arc<str>,
    tasks: TaskTracker,
}

impl Passwords {
    /// Its work is owned by `tasks`.
    pub fn new(tasks: TaskTracker) -> Self {
        Passwords {
            callers: Arc::new(Semaphore::new(CALLERS)),
            at_work: Arc::new(Semaphore::new(AT_ONCE)),
            of_nobody: hash(&Secret::random().text()).into(),
            tasks,
        }
    }

    /// Whether `password` is the one of `hash`; without a hash it takes as long and is not.
    ///
    /// # Errors
    /// `Crowded` at once when too many wait.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Crowded> {
        let of_nobody = Arc::clone(&self.of_nobody);
        let is_somebody = hash.is_some();
        let work = move || verify(&password, hash.as_deref().unwrap_or(&of_nobody));
        Ok(self.run(work).await? && is_somebody)
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// `Crowded` at once when too many wait.
    pub async fn hash(&self, password: String) -> Result<String, Crowded> {
        self.run(move || hash(&password)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Crowded> {
        let place = Arc::clone(&self.callers).try_acquire_owned();
        let place = place.map_err(|_| Crowded)?;
        let turn = Arc::clone(&self.at_work).acquire_owned().await;
        // The work keeps place and turn, also when whoever asked for it is gone.
        let working = self.tasks.spawn_blocking(move || {
            let _kept = (place, turn);
            work()
        });
        Ok(working.await.expect("hashing does not panic"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anna() -> AccountName {
        "anna".parse().unwrap()
    }

    #[test]
    fn a_password_is_long_and_not_made_of_the_name() {
        let rules = |password: &str| check_rules(password, &anna());
        assert_eq!(rules("correct horse"), Ok(()));
        assert_eq!(rules("сыр и вино 7"), Ok(()));
        assert_eq!(rules("short words"), Err(WeakPassword::Short));
        assert_eq!(rules(&"x y".repeat(67)), Err(WeakPassword::Long));
        assert_eq!(rules("annaAnnaanna1"), Err(WeakPassword::Guessable));
        assert_eq!(rules("            "), Err(WeakPassword::Guessable));
    }

    #[test]
    fn a_hash_names_its_cost_and_differs_each_time() {
        let (one, other) = (hash("correct horse"), hash("correct horse"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(verify("correct horse", &one) && verify("correct horse", &other));
        for wrong in ["", "correct hors", "Correct horse", "correct horse "] {
            assert!(!verify(wrong, &one), "{wrong:?}");
        }
        assert!(!verify("", "") && !verify("x", "$argon2id$"));
    }

    /// Without an account there is nothing to compare with; answering at once would say so.
    #[tokio::test]
    async fn a_name_that_nobody_has_takes_as_long_and_is_never_right() {
        let passwords = Passwords::new(TaskTracker::new());
        let known = hash("correct horse");
        let mut took = [std::time::Duration::MAX; 2];
        // As often as it takes until other work on the machine has left each of them alone once.
        for tried in 1..=50 {
            for (fastest, hash) in took.iter_mut().zip([Some(known.clone()), None]) {
                let start = std::time::Instant::now();
                let right = passwords.verify("a wrong one".to_owned(), hash).await;
                assert_eq!(right, Ok(false));
                *fastest = start.elapsed().min(*fastest);
            }
            if tried >= 3 && took[1] * 2 > took[0] {
                return;
            }
        }
        panic!("of somebody, and of nobody: {took:?}");
    }

    #[tokio::test]
    async fn whoever_comes_when_all_places_are_taken_is_told_at_once() {
        let passwords = Passwords::new(TaskTracker::new());
        let all = passwords.callers.try_acquire_many(CALLERS as u32).unwrap();
        assert_eq!(
            passwords.hash("correct horse".to_owned()).await,
            Err(Crowded)
        );
        drop(all);
        assert!(passwords.hash("correct horse".to_owned()).await.is_ok());
    }

    /// Each takes 19 MiB and a core.
    #[tokio::test]
    async fn a_third_waits_while_two_are_at_work() {
        let passwords = Passwords::new(TaskTracker::new());
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = Arc::new(std::sync::Mutex::new(released));
        let work = || {
            let released = Arc::clone(&released);
            move || drop(released.lock().map(|released| released.recv()))
        };
        let (first, second) = (passwords.run(work()), passwords.run(work()));
        tokio::pin!(first, second);
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(
            passwords.at_work.try_acquire().is_ok(),
            "there is room for a second"
        );
        assert!(futures_util::poll!(&mut second).is_pending());
        assert!(passwords.at_work.try_acquire().is_err(), "and for no third");
        drop(release);
        assert!(first.await.is_ok() && second.await.is_ok());
        assert!(passwords.at_work.try_acquire().is_ok());
    }

    /// Work that went on after its caller left would take memory that nobody counts.
    #[tokio::test]
    async fn work_that_nobody_waits_for_any_more_keeps_its_turn() {
        let passwords = Passwords::new(TaskTracker::new());
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (started, has_started) = tokio::sync::oneshot::channel();
        let abandoned = passwords.run(move || {
            let _ = started.send(());
            let _ = released.recv();
        });
        tokio::select! {
            biased;
            _ = abandoned => panic!("it waits to be released"),
            _ = has_started => {}
        }
        assert_eq!(passwords.at_work.available_permits(), AT_ONCE - 1);
        release.send(()).unwrap();
        passwords.tasks.close();
        passwords.tasks.wait().await;
        assert_eq!(passwords.at_work.available_permits(), AT_ONCE);
    }
}
