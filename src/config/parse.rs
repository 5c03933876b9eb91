//! Parsers of flag values. Each error says in one line what is allowed.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use ipnet::IpNet;

use crate::limits::{InvalidNetwork, parse_network};

/// Allowed durations. With a shorter one the program would do nothing else; a longer one would have
/// no effect.
const DURATIONS: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_hours(24);
/// Allowed pace. A page counts a transport as late after more.
const PACES: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(1);
const MIN_HISTORY: Duration = Duration::from_hours(1);

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const GIB: usize = 1024 * MIB;

/// A duration, or the word that stands for none: `off` or `forever`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionalDuration(pub Option<Duration>);

/// Parses a duration such as `15s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| DURATIONS.contains(duration))
        .ok_or_else(|| "a duration from 10ms to 24h is allowed, such as 15s or 1m 30s".to_owned())
}

/// Parses how long changes may wait.
pub fn pace(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|pace| PACES.contains(pace))
        .ok_or_else(|| "a duration from 1ms to 1s is allowed, such as 10ms".to_owned())
}

/// Parses the period of the simulator, or `off`.
pub fn period(text: &str) -> Result<OptionalDuration, String> {
    if text == "off" {
        return Ok(OptionalDuration(None));
    }
    let period = duration(text).map(|period| OptionalDuration(Some(period)));
    period.map_err(|_| {
        "off or a duration from 10ms to 24h is allowed, such as 10s or 1m 30s".to_owned()
    })
}

/// Parses how long history is kept, or `forever`.
pub fn history(text: &str) -> Result<OptionalDuration, String> {
    if text == "forever" {
        return Ok(OptionalDuration(None));
    }
    let duration = humantime::parse_duration(text).ok();
    let duration = duration.filter(|duration| *duration >= MIN_HISTORY);
    duration
        .map(|duration| OptionalDuration(Some(duration)))
        .ok_or_else(|| "forever or a duration from 1h is allowed, such as 90d or 2years".to_owned())
}

/// Parses a number of sample pets.
pub fn pets(text: &str) -> Result<u32, String> {
    whole_number(text, 0..=100_000)
}

/// Parses a number of connections or viewers.
pub fn connections(text: &str) -> Result<u32, String> {
    whole_number(text, 1..=10_000_000)
}

/// Parses a number of events per second.
pub fn rate(text: &str) -> Result<u32, String> {
    whole_number(text, 1..=1_000_000)
}

/// Parses a number of header fields.
pub fn head_fields(text: &str) -> Result<u32, String> {
    whole_number(text, 16..=1000)
}

/// Parses the size of a body or a message.
pub fn bytes(text: &str) -> Result<u32, String> {
    let units = [("KiB", KIB)];
    let size = size(text, &units, KIB..=MIB).and_then(|size| u32::try_from(size).ok());
    size.ok_or_else(|| {
        "a number of bytes from 1KiB to 1024KiB is allowed, such as 64KiB".to_owned()
    })
}

/// Parses the size of a head. hyper's buffer for heads has at least 8 KiB.
pub fn head_bytes(text: &str) -> Result<u32, String> {
    bytes(text)
        .ok()
        .filter(|bytes| *bytes as usize >= 8 * KIB)
        .ok_or_else(|| {
            "a number of bytes from 8KiB to 1024KiB is allowed, such as 64KiB".to_owned()
        })
}

/// Parses the memory of all requests: at least that of a few dozen connections.
pub fn request_memory(text: &str) -> Result<usize, String> {
    let units = [("GiB", GIB), ("MiB", MIB), ("KiB", KIB)];
    size(text, &units, MIB..=64 * GIB)
        .ok_or_else(|| "a number of bytes from 1MiB to 64GiB is allowed, such as 64MiB".to_owned())
}

/// Parses an address or a network.
pub fn network(text: &str) -> Result<IpNet, String> {
    parse_network(text).map_err(|error: InvalidNetwork| error.to_string())
}

/// Parses the seed of the simulator.
pub fn seed(text: &str) -> Result<u64, String> {
    let error = || format!("a whole number from 0 to {} is allowed", u64::MAX);
    text.parse().map_err(|_| error())
}

/// Parses an address to listen on.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "an IP address with a port is allowed, such as 127.0.0.1:3000 or [::1]:3000".to_owned()
    })
}

fn whole_number(text: &str, allowed: RangeInclusive<u32>) -> Result<u32, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| allowed.contains(number));
    number.ok_or_else(|| {
        let (least, most) = allowed.into_inner();
        format!("a whole number from {least} to {most} is allowed")
    })
}

/// Parses a number of bytes with one of `units`, or without a unit.
fn size(text: &str, units: &[(&str, usize)], allowed: RangeInclusive<usize>) -> Option<usize> {
    let mut units = units.iter();
    let with_unit = units.find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes)));
    let (number, unit) = with_unit.map_or((text, 1), |(number, unit)| (number.trim_end(), unit));
    let size = number.parse::<usize>().ok()?.checked_mul(unit)?;
    allowed.contains(&size).then_some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let some = |seconds| Ok(OptionalDuration(Some(Duration::from_secs(seconds))));
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(period("off"), Ok(OptionalDuration(None)));
        assert_eq!(period("10s"), some(10));
        for text in ["", "0s", "10", "-1s", "25h", "1ms", "soon"] {
            assert!(duration(text).unwrap_err().contains("such as"), "{text:?}");
            assert!(period(text).unwrap_err().contains("off"), "{text:?}");
        }
        assert_eq!(history("90d"), some(90 * 86_400));
        assert_eq!(history("forever"), Ok(OptionalDuration(None)));
        for text in ["", "0s", "59m", "off", "-1d"] {
            assert!(history(text).unwrap_err().contains("90d"), "{text:?}");
        }
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("2000"), Ok(2000));
        for text in ["", "1", "64kb", "-1KiB", "1025KiB", "4294967295KiB"] {
            assert!(bytes(text).unwrap_err().contains("64KiB"), "{text:?}");
        }
        assert!(head_bytes("8KiB").is_ok() && head_bytes("7KiB").is_err());
        assert_eq!(request_memory("64MiB"), Ok(64 << 20));
        assert_eq!(request_memory("2 GiB"), Ok(2 << 30));
        assert_eq!(request_memory("2048KiB"), Ok(2 << 20));
        assert_eq!(request_memory("1048576"), Ok(1 << 20));
        for text in ["", "1", "64MB", "-1MiB", "65GiB", "18446744073709551615GiB"] {
            let error = request_memory(text).unwrap_err();
            assert!(error.contains("64MiB"), "{text:?}");
        }
    }
}
