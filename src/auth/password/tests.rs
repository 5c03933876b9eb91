//! The rules for passwords, and the bounds of the hashing pool.

use futures_util::StreamExt;

use super::*;

#[test]
fn a_password_is_long_and_does_not_consist_of_the_name() {
    let anna: AccountName = "anna".parse().unwrap();
    for (password, expected) in [
        ("correct horse", Ok(())),
        ("сыр и вино 7", Ok(())),
        ("short words", Err(WeakPassword::Short)),
        (&"x y".repeat(67), Err(WeakPassword::Long)),
        ("annaAnnaanna1", Err(WeakPassword::Guessable)),
        ("            ", Err(WeakPassword::Guessable)),
    ] {
        assert_eq!(
            check_password_rules(password, &anna),
            expected,
            "{password}"
        );
    }
}

#[test]
fn a_pin_has_4_to_8_digits_that_are_not_the_first_to_try() {
    for (pin, expected) in [
        ("4711", Ok(())),
        ("00000001", Ok(())),
        ("1212", Ok(())),
        ("123", Err(WeakPin::NotDigits)),
        ("123456789", Err(WeakPin::NotDigits)),
        ("12 4", Err(WeakPin::NotDigits)),
        ("\u{664}\u{667}", Err(WeakPin::NotDigits)),
        ("0000", Err(WeakPin::Guessable)),
        ("23456", Err(WeakPin::Guessable)),
        ("9876", Err(WeakPin::Guessable)),
    ] {
        assert_eq!(check_pin(pin), expected, "{pin}");
    }
}

/// Without an account there is nothing to compare with, and an immediate answer would reveal that.
#[tokio::test]
async fn a_name_without_an_account_takes_as_long_as_one_with() {
    let pool = HashingPool::new(TaskTracker::new());
    let known = hash("correct horse");
    let mut took = [std::time::Duration::MAX; 2];
    // Repeated until other work on the machine has disturbed neither of the two.
    for tried in 1..=50 {
        for (fastest, hash) in took.iter_mut().zip([Some(known.clone()), None]) {
            let start = std::time::Instant::now();
            let right = pool
                .verify(HashQueue::Shared, "a wrong one".to_owned(), hash)
                .await;
            assert_eq!(right, Ok(false));
            *fastest = start.elapsed().min(*fastest);
        }
        if tried >= 3 && took[1] * 2 > took[0] {
            return;
        }
    }
    panic!("with an account, and without: {took:?}");
}

#[tokio::test]
async fn a_full_queue_is_refused_immediately() {
    let pool = HashingPool::new(TaskTracker::new());
    let all = pool
        .shared_slots
        .try_acquire_many(QUEUE_SLOTS as u32)
        .unwrap();
    assert_eq!(
        pool.hash(HashQueue::Shared, "correct horse".to_owned())
            .await,
        Err(HashingBusy)
    );
    let known = pool.hash(HashQueue::Reserved, "correct horse".to_owned());
    assert!(
        known.await.is_ok(),
        "a flood does not take the reserved slots"
    );
    drop(all);
    assert!(
        pool.hash(HashQueue::Shared, "correct horse".to_owned())
            .await
            .is_ok()
    );
}

/// Each takes 19 MiB and a core.
#[tokio::test]
async fn a_third_waits_while_two_are_running() {
    let pool = HashingPool::new(TaskTracker::new());
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let work = || {
        let released = Arc::clone(&released);
        move |_: &mut HashBuffer| drop(released.lock().map(|released| released.recv()))
    };
    let (first, second) = (
        pool.run(HashQueue::Shared, work()),
        pool.run(HashQueue::Shared, work()),
    );
    tokio::pin!(first, second);
    assert!(futures_util::poll!(&mut first).is_pending());
    assert!(pool.running.try_acquire().is_ok(), "a second may run");
    assert!(futures_util::poll!(&mut second).is_pending());
    assert!(pool.running.try_acquire().is_err(), "a third may not");
    drop(release);
    assert!(first.await.is_ok() && second.await.is_ok());
    assert!(pool.running.try_acquire().is_ok());
}

/// Otherwise work whose caller left would use memory that no bound counts.
#[tokio::test]
async fn abandoned_work_keeps_its_permit_until_it_ends() {
    let pool = HashingPool::new(TaskTracker::new());
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (started, has_started) = tokio::sync::oneshot::channel();
    let abandoned = pool.run(HashQueue::Shared, move |_| {
        let _ = started.send(());
        let _ = released.recv();
    });
    tokio::select! {
        biased;
        _ = abandoned => panic!("it waits to be released"),
        _ = has_started => {}
    }
    assert_eq!(pool.running.available_permits(), CONCURRENT_HASHES - 1);
    release.send(()).unwrap();
    pool.tasks.close();
    pool.tasks.wait().await;
    assert_eq!(pool.running.available_permits(), CONCURRENT_HASHES);
}

/// The server kept 19 MiB per buffer after a flood of sign-ins.
#[tokio::test]
async fn buffers_are_reused_while_anyone_waits_and_freed_by_the_last_caller() {
    let pool = HashingPool::new(TaskTracker::new());
    let hashes = (0..6).map(|_| pool.hash(HashQueue::Shared, "correct horse".to_owned()));
    let hashes = hashes
        .map(Box::pin)
        .collect::<futures_util::stream::FuturesUnordered<_>>();
    let (finished, mut most) = (hashes.collect::<Vec<_>>(), 0);
    let mut finished = Box::pin(finished);
    loop {
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => most = most.max(lock(&pool.buffers).len()),
            all = &mut finished => break assert_eq!(all.len(), 6),
        }
    }
    assert!(most <= CONCURRENT_HASHES, "{most} buffers");
    assert_eq!(lock(&pool.buffers).len(), 0);
}

/// Only a caller that finished freed the buffers, and the last one may leave the queue.
#[tokio::test]
async fn a_last_caller_that_leaves_the_queue_frees_the_buffers() {
    let pool = HashingPool::new(TaskTracker::new());
    let turns = pool
        .running
        .try_acquire_many(CONCURRENT_HASHES as u32)
        .unwrap();
    let mut waiting = Box::pin(pool.hash(HashQueue::Shared, "correct horse".to_owned()));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    lock(&pool.buffers).push(HashBuffer::default());
    drop(waiting);
    assert_eq!(lock(&pool.buffers).len(), 0);
    drop(turns);
}
