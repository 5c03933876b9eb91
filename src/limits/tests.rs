//! Quotas per client, and which forwarding headers are trusted.

use poem::http::HeaderValue;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// Returns the client of a request without a trusted forwarding header.
fn direct(text: &str) -> ClientAddress {
    ClientAddress {
        ip: address(text),
        is_forwarded: false,
    }
}

fn limiter(trusted: &[&str], includes_loopback: bool) -> ClientLimiter {
    let quota = |limit| Quota {
        limit,
        includes_loopback,
    };
    ClientLimiter::new(&ClientLimits {
        connections_per_address: quota(2),
        writes_per_second: quota(5),
        trusted_proxies: trusted.iter().map(|text| text.parse().unwrap()).collect(),
        ..ClientLimits::default()
    })
}

#[test]
fn an_address_has_a_limited_number_of_connections_and_gets_them_back() {
    let limiter = limiter(&[], false);
    let client = address("192.0.2.7");
    let first = limiter.admit_connection(client).unwrap();
    let second = limiter
        .admit_connection(address("::ffff:192.0.2.7"))
        .unwrap();
    assert_eq!(
        limiter.admit_connection(client).err(),
        Some(QuotaExceeded { limit: 2 })
    );
    assert!(limiter.admit_connection(address("192.0.2.8")).is_ok());
    drop(first);
    let third = limiter.admit_connection(client).unwrap();
    assert!(third.is_some());
    drop((second, third));
    assert!(
        limiter
            .connections
            .try_acquire(AddressKey::from(client))
            .is_some()
    );
}

#[test]
fn a_64_of_ipv6_is_one_client() {
    let key = |text| AddressKey::from(address(text));
    assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:ffff:ffff:ffff"));
    assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
    assert_eq!(key("::ffff:192.0.2.7"), key("192.0.2.7"));
    assert_ne!(key("192.0.2.7"), key("192.0.2.8"));
}

#[test]
fn this_machine_has_no_quota_unless_it_is_asked_for() {
    let unlimited = limiter(&[], false);
    for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        let permit = unlimited.admit_connection(address(own)).unwrap();
        assert!(permit.is_none());
        assert!((0..100).all(|_| unlimited.admit_write(None, direct(own)).is_ok()));
    }
    let limited = limiter(&[], true);
    let own = address("::1");
    let permits = [(); 2].map(|()| limited.admit_connection(own).unwrap());
    assert!(limited.admit_connection(own).is_err());
    drop(permits);
    assert!((0..100).any(|_| limited.admit_write(None, direct("::1")).is_err()));
}

#[test]
fn an_account_has_one_write_quota_at_all_addresses() {
    let limiter = limiter(&[], false);
    let write = |account, from| limiter.admit_write(account, direct(from)).is_ok();
    let addresses = ["127.0.0.1", "192.0.2.7"];
    let from_both = (0..40).filter(|turn| write(Some("anna"), addresses[turn % 2]));
    assert!(from_both.count() < 20, "two quotas would be as many");
    // One of them may share anna's bucket by chance.
    let others = ["boris", "cleo", "dora"].map(Some);
    assert!(others.into_iter().any(|other| write(other, "192.0.2.7")));
    let addresses = ["192.0.2.7", "192.0.2.8", "192.0.2.9"];
    assert!(addresses.into_iter().any(|address| write(None, address)));
    assert!(write(None, "127.0.0.1"));
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_forwarding_header_is_used_from_a_trusted_proxy_alone() {
    const XFF: &str = "x-forwarded-for";
    const FORWARDED: &str = "forwarded";
    let limiter = limiter(&["10.0.0.0/8", "2001:db8:1::/48"], false);
    for (peer, pairs, expected) in [
        // Not from a trusted proxy.
        ("192.0.2.1", &[(XFF, "203.0.113.9")][..], "192.0.2.1"),
        ("192.0.2.1", &[(FORWARDED, "for=203.0.113.9")], "192.0.2.1"),
        // The client's own entries are to the left of the proxy's.
        (
            "10.0.0.1",
            &[(XFF, "127.0.0.1, 203.0.113.9")],
            "203.0.113.9",
        ),
        (
            "10.0.0.1",
            &[(XFF, "127.0.0.1"), (XFF, "203.0.113.9")],
            "203.0.113.9",
        ),
        (
            "10.0.0.1",
            &[(XFF, "203.0.113.9, 10.1.1.1, 10.2.2.2")],
            "203.0.113.9",
        ),
        ("10.0.0.1", &[(XFF, "10.9.9.9")], "10.9.9.9"),
        (
            "::ffff:10.0.0.1",
            &[(XFF, "203.0.113.9:4711")],
            "203.0.113.9",
        ),
        ("2001:db8:1::1", &[(XFF, "2001:db8:2::7")], "2001:db8:2::7"),
        (
            "10.0.0.1",
            &[(XFF, "[2001:db8:2::7]:4711")],
            "2001:db8:2::7",
        ),
        (
            "10.0.0.1",
            &[(
                FORWARDED,
                "for=127.0.0.1, For=\"[2001:db8:2::7]:80\";proto=https",
            )],
            "2001:db8:2::7",
        ),
        // Nothing that can be read, or two headers that disagree: the address of the proxy.
        ("10.0.0.1", &[(XFF, "203.0.113.9, unknown")], "10.0.0.1"),
        ("10.0.0.1", &[(XFF, "203.0.113.9, ")], "10.0.0.1"),
        ("10.0.0.1", &[(FORWARDED, "by=203.0.113.9")], "10.0.0.1"),
        (
            "10.0.0.1",
            &[(XFF, "203.0.113.9"), (FORWARDED, "for=198.51.100.1")],
            "10.0.0.1",
        ),
        (
            "10.0.0.1",
            &[(XFF, "203.0.113.9"), (FORWARDED, "for=203.0.113.9")],
            "203.0.113.9",
        ),
        ("10.0.0.1", &[], "10.0.0.1"),
    ] {
        let client = limiter.client_address(address(peer), &headers(pairs));
        assert_eq!(client.ip, address(expected), "{peer} {pairs:?}");
        let is_forwarded = limiter.is_trusted_proxy(address(peer)) && !pairs.is_empty();
        assert_eq!(client.is_forwarded, is_forwarded, "{peer} {pairs:?}");
    }
}

#[test]
fn connections_of_a_trusted_proxy_count_for_the_clients_behind_it() {
    let limiter = limiter(&["10.0.0.0/8"], false);
    let proxy = address("10.0.0.1");
    for _ in 0..9 {
        assert!(limiter.admit_connection(proxy).unwrap().is_none());
    }
    let behind = limiter.client_address(proxy, &headers(&[("x-forwarded-for", "203.0.113.9")]));
    let permits = [(); 2].map(|()| limiter.admit_viewer(behind).unwrap());
    assert!(limiter.admit_viewer(behind).is_err());
    drop(permits);
    let direct = limiter.admit_viewer(direct("203.0.113.9")).unwrap();
    assert!(direct.is_none());
}
