//! What visitors may take, and whose word about them is believed.

use poem::http::HeaderValue;

use super::*;

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn guard(trusted: &[&str]) -> Guard {
    Guard::new(&Limits {
        connections_per_address: Share {
            limit: 2,
            counts_this_machine: false,
        },
        writes_per_second: Share {
            limit: 5,
            counts_this_machine: false,
        },
        trusted_proxies: trusted.iter().map(|text| text.parse().unwrap()).collect(),
        ..Limits::default()
    })
}

#[test]
fn a_network_holds_the_addresses_that_begin_like_it() {
    for (network, inside, outside) in [
        ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
        ("192.0.2.7", "::ffff:192.0.2.7", "::c000:207"),
        ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
        ("::ffff:127.0.0.1", "127.0.0.1", "127.0.0.2"),
        ("::ffff:127.0.0.1", "::ffff:127.0.0.1", "::1"),
        ("::ffff:10.0.0.0/104", "10.255.0.1", "11.0.0.1"),
        ("::ffff:0:0/96", "203.0.113.9", "2001:db8::1"),
    ] {
        let network: Network = network.parse().unwrap();
        assert!(network.contains(address(inside)), "{network} {inside}");
        assert!(!network.contains(address(outside)), "{network} {outside}");
    }
    for text in [
        "",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0/8",
        "::/129",
        "lan",
        "1.2.3.4/-1",
        "::ffff:10.0.0.1/104",
        "::ffff:0:0/95",
        "::ffff:10.0.0.0/129",
    ] {
        assert_eq!(text.parse::<Network>(), Err(NotANetwork), "{text:?}");
    }
}

#[test]
fn an_address_has_so_many_connections_and_gets_them_back() {
    let guard = guard(&[]);
    let visitor = address("192.0.2.7");
    let first = guard.admit_connection(visitor).unwrap();
    let second = guard.admit_connection(address("::ffff:192.0.2.7")).unwrap();
    assert_eq!(
        guard.admit_connection(visitor).err(),
        Some(Full { limit: 2 })
    );
    assert!(guard.admit_connection(address("192.0.2.8")).is_ok());
    drop(first);
    assert!(
        guard
            .admit_connection(visitor)
            .is_ok_and(|seat| seat.is_some())
    );
    drop(second);
    assert!(guard.crowd.enter(Source::of(visitor)).is_some());
}

#[test]
fn of_ipv6_a_64_is_one_visitor() {
    let of = |text| Source::of(address(text));
    assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:ffff:ffff:ffff"));
    assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
    assert_eq!(of("::ffff:192.0.2.7"), of("192.0.2.7"));
    assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
}

/// Somebody without an account who came straight from there.
fn stranger(address: IpAddr) -> Identity<'static> {
    let is_forwarded = false;
    Identity::of(
        None,
        Visitor {
            address,
            is_forwarded,
        },
    )
}

#[test]
fn the_machine_itself_is_not_counted_unless_it_is_asked_for() {
    let mut guard = guard(&[]);
    for own in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        assert!(
            guard
                .admit_connection(address(own))
                .is_ok_and(|seat| seat.is_none())
        );
        assert!((0..100).all(|_| { guard.admit_write(stranger(address(own))).is_ok() }));
    }
    guard.connections.counts_this_machine = true;
    guard.writing.counts_this_machine = true;
    let own = address("::1");
    let seats: Vec<_> = (0..2)
        .map(|_| guard.admit_connection(own).unwrap())
        .collect();
    assert!(
        guard.admit_connection(own).is_err(),
        "{} seats",
        seats.len()
    );
    assert!((0..100).any(|_| { guard.admit_write(stranger(own)).is_err() }));
}

#[test]
fn an_account_has_one_share_wherever_it_is() {
    let guard = guard(&[]);
    let write = |account, own| {
        let visitor = Visitor {
            address: address(own),
            is_forwarded: false,
        };
        guard.admit_write(Identity::of(account, visitor)).is_ok()
    };
    let places = ["127.0.0.1", "192.0.2.7"];
    let from_both = (0..40).filter(|turn| write(Some("anna"), places[turn % 2]));
    assert!(from_both.count() < 20, "two shares would be as many");
    // One of them may have the same place in the meter as anna, by chance.
    let others = ["boris", "cleo", "dora"].map(Some);
    assert!(others.into_iter().any(|other| write(other, "192.0.2.7")));
    let strangers = ["192.0.2.7", "192.0.2.8", "192.0.2.9"];
    assert!(strangers.into_iter().any(|address| write(None, address)));
    assert!(write(None, "127.0.0.1"));
}

#[test]
fn writes_are_metered_for_each_and_come_back_with_time() {
    let rate = Rate::per_second(5);
    let meter = Meter::new(rate);
    let start = Instant::now();
    let one = Source::of(address("192.0.2.7"));
    let at_once = (0..100).filter(|_| meter.take(&one, start).is_ok()).count();
    assert_eq!(at_once, 10, "two seconds' worth");
    let wait = meter.take(&one, start).unwrap_err();
    assert!(
        !wait.is_zero() && wait <= Duration::from_millis(200),
        "{wait:?}"
    );
    assert!(meter.take(&one, start + wait).is_ok());
    assert!(meter.take(&one, start + wait).is_err());
    let others = (0..64).map(|last| Source::of(address(&format!("198.51.100.{last}"))));
    let free = others
        .filter(|other| meter.take(other, start).is_ok())
        .count();
    assert!(free >= 62, "{free} of 64 are told apart");
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_static(value));
    }
    headers
}

#[test]
fn a_forwarded_address_is_believed_from_a_trusted_proxy_alone() {
    const XFF: &str = "x-forwarded-for";
    const FORWARDED: &str = "forwarded";
    let guard = guard(&["10.0.0.0/8", "2001:db8:1::/48"]);
    for (peer, pairs, expected) in [
        // Not from a proxy that was named: whatever it says, it is itself.
        ("192.0.2.1", &[(XFF, "203.0.113.9")][..], "192.0.2.1"),
        ("192.0.2.1", &[(FORWARDED, "for=203.0.113.9")], "192.0.2.1"),
        // What the visitor wrote stands before what the proxy added.
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
        // Nothing that can be read, or two who disagree: it counts as the proxy.
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
        let visitor = guard.identify(address(peer), &headers(pairs));
        assert_eq!(visitor.address, address(expected), "{peer} {pairs:?}");
        let is_told = guard.is_trusted(address(peer).to_canonical()) && !pairs.is_empty();
        assert_eq!(visitor.is_forwarded, is_told, "{peer} {pairs:?}");
    }
}

#[test]
fn a_trusted_proxys_connections_are_its_visitors_own() {
    let guard = guard(&["10.0.0.0/8"]);
    let proxy = address("10.0.0.1");
    assert!((0..9).all(|_| {
        guard
            .admit_connection(proxy)
            .is_ok_and(|seat| seat.is_none())
    }));
    let behind = guard.identify(proxy, &headers(&[("x-forwarded-for", "203.0.113.9")]));
    let seats: Vec<_> = (0..2)
        .map(|_| guard.admit_viewer(behind).unwrap())
        .collect();
    assert!(guard.admit_viewer(behind).is_err(), "{} seats", seats.len());
    let direct = Visitor {
        address: address("203.0.113.9"),
        is_forwarded: false,
    };
    assert!(guard.admit_viewer(direct).is_ok_and(|seat| seat.is_none()));
}
