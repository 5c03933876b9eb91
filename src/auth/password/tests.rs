//! How many hashes are computed at once, and that they tell nobody which names there are.

use futures_util::StreamExt;

use super::*;

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
            let right = passwords
                .verify(Slots::Everyone, "a wrong one".to_owned(), hash)
                .await;
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
        passwords
            .hash(Slots::Everyone, "correct horse".to_owned())
            .await,
        Err(Crowded)
    );
    let known = passwords.hash(Slots::Known, "correct horse".to_owned());
    assert!(
        known.await.is_ok(),
        "no flood keeps those out who are known"
    );
    drop(all);
    assert!(
        passwords
            .hash(Slots::Everyone, "correct horse".to_owned())
            .await
            .is_ok()
    );
}

/// Each takes 19 MiB and a core.
#[tokio::test]
async fn a_third_waits_while_two_are_at_work() {
    let passwords = Passwords::new(TaskTracker::new());
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = Arc::new(Mutex::new(released));
    let work = || {
        let released = Arc::clone(&released);
        move |_: &mut Buffer| drop(released.lock().map(|released| released.recv()))
    };
    let (first, second) = (
        passwords.run(Slots::Everyone, work()),
        passwords.run(Slots::Everyone, work()),
    );
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
    let abandoned = passwords.run(Slots::Everyone, move |_| {
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

/// Each buffer takes 19 MiB, which the server kept after a flood of sign-ins.
#[tokio::test]
async fn buffers_are_reused_while_anyone_waits_and_freed_by_the_last() {
    let passwords = Passwords::new(TaskTracker::new());
    let hashes = (0..6).map(|_| passwords.hash(Slots::Everyone, "correct horse".to_owned()));
    let hashes = hashes
        .map(Box::pin)
        .collect::<futures_util::stream::FuturesUnordered<_>>();
    let (finished, mut most) = (hashes.collect::<Vec<_>>(), 0);
    let mut finished = Box::pin(finished);
    loop {
        tokio::select! {
            biased;
            () = tokio::task::yield_now() => most = most.max(kept(&passwords.buffers).len()),
            all = &mut finished => break assert_eq!(all.len(), 6),
        }
    }
    assert!(most <= AT_ONCE, "{most} buffers");
    assert_eq!(kept(&passwords.buffers).len(), 0);
}

/// The buffers were freed only by a caller that finished, and the last one may give up in the queue.
#[tokio::test]
async fn a_last_caller_that_gives_up_while_it_waits_leaves_no_buffer() {
    let passwords = Passwords::new(TaskTracker::new());
    let turns = passwords.at_work.try_acquire_many(AT_ONCE as u32).unwrap();
    let mut waiting = Box::pin(passwords.hash(Slots::Everyone, "correct horse".to_owned()));
    assert!(futures_util::poll!(&mut waiting).is_pending());
    kept(&passwords.buffers).push(Buffer::default());
    drop(waiting);
    assert_eq!(kept(&passwords.buffers).len(), 0);
    drop(turns);
}
