//! Values of flags. Each error says what is allowed, in one line.

use std::net::SocketAddr;
use std::time::Duration;

use crate::guard::{Network, NotANetwork};

/// The shortest and longest duration of a flag. Below, the program would do nothing else; above,
/// the flag would mean nothing.
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_hours(24);

/// The smallest and largest limit on bytes.
const SMALLEST: u32 = 1024;
const LARGEST: u32 = 1024 * 1024;
const SMALLEST_HEAD: u32 = 8 * 1024;
const SMALLEST_BUFFERS: usize = 1024 * 1024;
const LARGEST_BUFFERS: usize = 64 * 1024 * 1024 * 1024;

/// How often, or never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    Period(Duration),
    Off,
}

impl Every {
    pub fn period(self) -> Option<Duration> {
        match self {
            Every::Period(period) => Some(period),
            Every::Off => None,
        }
    }
}

pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| (SHORTEST..=LONGEST).contains(duration))
        .ok_or_else(|| "a duration from 10ms to 24h is allowed, such as 15s or 1m 30s".to_owned())
}

pub fn every(text: &str) -> Result<Every, String> {
    if text == "off" {
        return Ok(Every::Off);
    }
    duration(text).map(Every::Period).map_err(|_| {
        "off or a duration from 10ms to 24h is allowed, such as 10s or 1m 30s".to_owned()
    })
}

/// How long the log goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    Period(Duration),
    Forever,
}

impl History {
    pub fn period(self) -> Option<Duration> {
        match self {
            History::Period(period) => Some(period),
            History::Forever => None,
        }
    }
}

pub fn history(text: &str) -> Result<History, String> {
    if text == "forever" {
        return Ok(History::Forever);
    }
    let duration = humantime::parse_duration(text).ok();
    let duration = duration.filter(|duration| *duration >= Duration::from_hours(1));
    duration
        .map(History::Period)
        .ok_or_else(|| "forever or a duration from 1h is allowed, such as 90d or 2years".to_owned())
}

pub fn pets(text: &str) -> Result<u32, String> {
    whole(text, 0, 100_000)
}

pub fn viewers(text: &str) -> Result<u32, String> {
    whole(text, 1, 10_000_000)
}

pub fn connections(text: &str) -> Result<u32, String> {
    whole(text, 1, 10_000_000)
}

pub fn count(text: &str) -> Result<u32, String> {
    whole(text, 1, 1_000_000)
}

pub fn fields(text: &str) -> Result<u32, String> {
    whole(text, 16, 1000)
}

/// From what a browser needs to what a small machine can bear.
pub fn bytes(text: &str) -> Result<u32, String> {
    let (number, unit) = match text.strip_suffix("KiB") {
        Some(number) => (number.trim_end(), 1024),
        None => (text, 1),
    };
    let number = number.parse::<u32>().ok();
    let number = number.and_then(|number| number.checked_mul(unit));
    let number = number.filter(|number| (SMALLEST..=LARGEST).contains(number));
    number.ok_or_else(|| {
        "a number of bytes from 1KiB to 1024KiB is allowed, such as 64KiB".to_owned()
    })
}

/// Parses the memory of requests: from a few dozen connections to more than any machine needs.
pub fn buffers(text: &str) -> Result<usize, String> {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let found = units.iter().find_map(|(name, unit)| {
        let number = text.strip_suffix(name)?;
        Some((number.trim_end(), *unit))
    });
    let (number, unit) = found.unwrap_or((text, 1));
    let number = number.parse::<usize>().ok();
    let number = number.and_then(|number| number.checked_mul(unit));
    let number = number.filter(|number| (SMALLEST_BUFFERS..=LARGEST_BUFFERS).contains(number));
    number
        .ok_or_else(|| "a number of bytes from 1MiB to 64GiB is allowed, such as 64MiB".to_owned())
}

/// hyper's buffer holds a head, and is never smaller.
pub fn head(text: &str) -> Result<u32, String> {
    bytes(text)
        .ok()
        .filter(|bytes| *bytes >= SMALLEST_HEAD)
        .ok_or_else(|| {
            "a number of bytes from 8KiB to 1024KiB is allowed, such as 64KiB".to_owned()
        })
}

pub fn network(text: &str) -> Result<Network, String> {
    text.parse().map_err(|error: NotANetwork| error.to_string())
}

pub fn seed(text: &str) -> Result<u64, String> {
    let error = || format!("a whole number from 0 to {} is allowed", u64::MAX);
    text.parse().map_err(|_| error())
}

fn whole(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a whole number from {least} to {most} is allowed"))
}

pub fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "an IP address with a port is allowed, such as 127.0.0.1:3000 or [::1]:3000".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_is_long_or_for_ever() {
        let days = Duration::from_hours(90 * 24);
        assert_eq!(history("90d"), Ok(History::Period(days)));
        assert_eq!(history("forever"), Ok(History::Forever));
        for text in ["", "0s", "59m", "off", "-1d"] {
            assert!(history(text).unwrap_err().contains("90d"), "{text:?}");
        }
    }

    #[test]
    fn bytes_are_read_with_their_unit() {
        assert_eq!(bytes("64KiB"), Ok(65_536));
        assert_eq!(bytes("2000"), Ok(2000));
        for text in ["", "1", "64kb", "-1KiB", "1025KiB", "4294967295KiB"] {
            assert!(bytes(text).unwrap_err().contains("64KiB"), "{text:?}");
        }
    }

    #[test]
    fn the_memory_of_requests_is_read_with_its_unit() {
        assert_eq!(buffers("64MiB"), Ok(64 << 20));
        assert_eq!(buffers("2 GiB"), Ok(2 << 30));
        assert_eq!(buffers("2048KiB"), Ok(2 << 20));
        assert_eq!(buffers("1048576"), Ok(1 << 20));
        for text in ["", "1", "64MB", "-1MiB", "65GiB", "18446744073709551615GiB"] {
            assert!(buffers(text).unwrap_err().contains("64MiB"), "{text:?}");
        }
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(duration("1m 30s"), Ok(Duration::from_secs(90)));
        assert_eq!(every("off"), Ok(Every::Off));
        assert_eq!(every("10s"), Ok(Every::Period(Duration::from_secs(10))));
        for text in ["", "0s", "10", "-1s", "25h", "1ms", "soon"] {
            assert!(duration(text).unwrap_err().contains("such as"), "{text:?}");
            assert!(every(text).unwrap_err().contains("off"), "{text:?}");
        }
    }
}
