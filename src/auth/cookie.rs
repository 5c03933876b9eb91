//! The one cookie there is.
//!
//! It holds a secret. Before somebody signs in it opens nothing and only ties the sign-in form to
//! the browser; signing in replaces it by the secret of a session.

use poem::http::header::COOKIE;
use poem::http::{HeaderMap, HeaderValue};

use super::secret::Secret;

/// Over https the `__Host-` makes browsers refuse what another host or an insecure page sets.
const NAME: &str = "pet-store";
const SECURE_NAME: &str = "__Host-pet-store";

/// The secret in a request's cookie. Of two by the same name one is not ours, and it cannot be
/// told which: then there is none.
pub fn read(headers: &HeaderMap, is_secure: bool) -> Option<Secret> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'));
    let mut ours = pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| *name == name_of(is_secure));
    let (_, value) = ours.next()?;
    match ours.next() {
        Some(_) => None,
        None => Secret::parse(value),
    }
}

/// Has the browser keep `secret` for so many seconds, or until it is closed.
pub fn keep(secret: &Secret, is_secure: bool, seconds: Option<u64>) -> HeaderValue {
    let age = seconds.map(|seconds| format!("; Max-Age={seconds}"));
    header(&secret.text(), is_secure, &age.unwrap_or_default())
}

/// Has the browser forget it.
pub fn forget(is_secure: bool) -> HeaderValue {
    header("", is_secure, "; Max-Age=0")
}

/// Not readable by scripts, not sent along by other sites' forms and frames.
fn header(value: &str, is_secure: bool, age: &str) -> HeaderValue {
    let name = name_of(is_secure);
    let secure = if is_secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}");
    HeaderValue::from_str(&text).expect("hex digits and fixed words")
}

fn name_of(is_secure: bool) -> &'static str {
    if is_secure { SECURE_NAME } else { NAME }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookies(lines: &[&str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| HeaderValue::from_str(line).unwrap());
        lines.map(|line| (COOKIE, line)).collect()
    }

    #[test]
    fn what_was_kept_is_read_back_beside_other_cookies() {
        let secret = Secret::random();
        let text = secret.text();
        let ours = format!("a=b; pet-store={text};c=d");
        assert!(read(&cookies(&[&ours]), false) == Some(secret.clone()));
        let secure = format!("__Host-pet-store={text}");
        assert!(read(&cookies(&["a=b", &secure]), true) == Some(secret));
        assert!(
            read(&cookies(&[&ours]), true).is_none(),
            "over https only the safe name counts"
        );
    }

    #[test]
    fn a_cookie_that_is_there_twice_or_is_no_secret_counts_as_none() {
        let (one, other) = (Secret::random().text(), Secret::random().text());
        for lines in [
            vec![format!("pet-store={one}; pet-store={other}")],
            vec![format!("pet-store={one}"), format!("pet-store={other}")],
            vec!["pet-store=".to_owned()],
            vec![format!("pet-store=\"{one}\"")],
            vec![],
        ] {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            assert!(read(&cookies(&lines), false).is_none(), "{lines:?}");
        }
    }

    #[test]
    fn no_script_reads_it_and_over_https_nothing_else_sends_or_sets_it() {
        let secret = Secret::random();
        let plain = keep(&secret, false, None);
        let expected = format!(
            "pet-store={}; Path=/; HttpOnly; SameSite=Lax",
            secret.text()
        );
        assert_eq!(plain, expected);
        let secure = keep(&secret, true, Some(60));
        let expected = format!(
            "__Host-pet-store={}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60",
            secret.text()
        );
        assert_eq!(secure, expected);
        assert!(
            forget(true)
                .to_str()
                .unwrap()
                .ends_with("; Secure; Max-Age=0")
        );
    }
}
