//! How tries are slowed, refused and let in again.

use std::hash::{BuildHasherDefault, DefaultHasher};

use tokio::time::advance;

use super::bucket::SLOWEST;
use super::*;

/// The same buckets in every run: with others each time, names that a test tells apart share
/// one in about a hundred runs.
type Fixed = BuildHasherDefault<DefaultHasher>;

fn attempts() -> Attempts<Fixed> {
    Attempts::with_hasher(Fixed::new())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How many tries are let through until one is refused.
fn tries(attempts: &Attempts<Fixed>, name: &str, from: &str) -> usize {
    let tries = (0..1000).take_while(|_| attempts.begin(name, address(from)).is_ok());
    tries.count()
}

#[tokio::test(start_paused = true)]
async fn a_name_is_slowed_then_refused_and_let_in_again_one_by_one() {
    let attempts = attempts();
    let mut pauses = Vec::new();
    for _ in 0..10 {
        let attempt = attempts.begin("anna", address("192.0.2.1")).unwrap();
        pauses.push(attempt.pause);
    }
    assert_eq!(pauses[..5], [Duration::ZERO; 5]);
    assert!(
        pauses[6..].windows(2).all(|pair| pair[0] < pair[1]),
        "{pauses:?}"
    );
    assert!(pauses[9] <= SLOWEST);
    let refused = attempts.begin("anna", address("192.0.2.1")).err().unwrap();
    assert!(refused.retry_after <= OF_NAME.leak);
    advance(refused.retry_after).await;
    assert_eq!(tries(&attempts, "anna", "192.0.2.1"), 1);
    advance(OF_NAME.leak * 10).await;
    assert_eq!(tries(&attempts, "anna", "192.0.2.1"), 10);
}

#[tokio::test(start_paused = true)]
async fn refused_tries_lengthen_nothing() {
    let attempts = attempts();
    tries(&attempts, "anna", "192.0.2.1");
    for _ in 0..10_000 {
        assert!(attempts.begin("anna", address("192.0.2.1")).is_err());
    }
    advance(OF_NAME.leak).await;
    assert!(attempts.begin("anna", address("192.0.2.1")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn changing_the_name_or_the_address_does_not_help() {
    let attempts = attempts();
    let names = (0..1000).take_while(|number| {
        let name = format!("name{number}");
        attempts.begin(&name, address("192.0.2.1")).is_ok()
    });
    assert_eq!(names.count(), 30);
    let within_a_block = (0..1000).take_while(|number| {
        let from = format!("2001:db8::{number:x}");
        let name = format!("other{number}");
        attempts.begin(&name, address(&from)).is_ok()
    });
    assert_eq!(within_a_block.count(), 30);
    let addresses = (0..200).take_while(|number| {
        let from = format!("198.51.100.{number}");
        attempts.begin("boris", address(&from)).is_ok()
    });
    assert_eq!(addresses.count(), 10);
}

/// Whoever keeps guessing at a name would otherwise keep its owner out.
#[tokio::test(start_paused = true)]
async fn a_name_that_is_attacked_is_let_in_from_where_it_signed_in_before() {
    let attempts = attempts();
    let attempt = attempts.begin("anna", address("192.0.2.1")).unwrap();
    attempts.forgive(&attempt);
    for number in 0..100 {
        tries(&attempts, "anna", &format!("198.51.100.{number}"));
    }
    assert!(attempts.begin("anna", address("203.0.113.9")).is_err());
    let elsewhere = attempts.begin("boris", address("192.0.2.1")).unwrap();
    assert!(!elsewhere.is_known);
    attempts.take_back(&elsewhere);
    let known = attempts.begin("anna", address("192.0.2.1")).unwrap();
    assert!(known.is_known);
    attempts.take_back(&known);
    assert_eq!(tries(&attempts, "anna", "192.0.2.1"), 10);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_was_right_costs_nothing() {
    let attempts = attempts();
    for _ in 0..1000 {
        let attempt = attempts.begin("anna", address("192.0.2.1")).unwrap();
        attempts.forgive(&attempt);
    }
}

#[tokio::test(start_paused = true)]
async fn a_million_names_take_no_more_memory_than_one() {
    let attempts = attempts();
    let size = |attempts: &Attempts<Fixed>| {
        let tables = attempts.tables();
        tables.names.capacity() + tables.addresses.capacity() + tables.known.capacity()
    };
    let before = size(&attempts);
    for number in 0..1_000_000_u32 {
        let from = IpAddr::from(number.to_be_bytes());
        if let Ok(attempt) = attempts.begin(&number.to_string(), from) {
            attempts.forgive(&attempt);
        }
    }
    assert_eq!(size(&attempts), before);
}
