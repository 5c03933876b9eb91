//! The cookie that holds a browser's secret.
//!
//! Before somebody signs in the secret opens nothing and only ties the sign-in form to the browser;
//! signing in replaces it by the secret of a session. Cookies are shared by all ports of a host, so
//! the name contains the port of this instance.

use poem::http::header::COOKIE;
use poem::http::{HeaderMap, HeaderValue};

use sha2::{Digest, Sha256};

use super::base_url::BaseUrl;
use super::secret::Secret;
use crate::model::to_hex;

/// Over https the `__Host-` makes browsers refuse what another host or an insecure page sets.
const NAME: &str = "pet-store";
const SECURE_NAME: &str = "__Host-pet-store";

/// The cookie that tells the scripts of a page which account is signed in with this browser.
const ACCOUNT_NAME: &str = "pet-store-account";
const SECURE_ACCOUNT_NAME: &str = "__Host-pet-store-account";

/// The cookies of one instance.
#[derive(Clone, Debug)]
pub struct Cookies {
    is_secure: bool,
    /// Part of the name, so that another instance on the same host has other cookies.
    port: Option<u16>,
}

/// The secret that a browser sent in its session cookie.
pub struct Kept {
    pub secret: Secret,
    /// The cookie has the name without a port, which earlier versions gave it.
    pub is_earlier: bool,
}

impl Cookies {
    /// `port` is the port that this instance listens on; None if it can be reached at several ports.
    /// The port of the public address is preferred.
    pub fn new(base: Option<&BaseUrl>, port: Option<u16>) -> Self {
        Cookies {
            is_secure: base.is_some_and(BaseUrl::is_secure),
            port: base.map(BaseUrl::port).or(port),
        }
    }

    /// Reads the secret in a request's cookie: the cookie of this instance, else the one by the name
    /// that earlier versions gave it. If two cookies have the same name, one of them was set by
    /// somebody else, and both are ignored.
    pub fn read(&self, headers: &HeaderMap) -> Option<Kept> {
        let (name, earlier) = (self.name(NAME, SECURE_NAME), self.earlier_name());
        let own = values(headers, &name);
        let is_earlier = own.is_empty() && earlier != name;
        let found = if is_earlier {
            values(headers, earlier)
        } else {
            own
        };
        let [value] = found[..] else { return None };
        let secret = Secret::parse(value)?;
        Some(Kept { secret, is_earlier })
    }

    /// Reads the value of another cookie of this instance; None if there are two of the name.
    pub fn value<'a>(&self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        match values(headers, &self.name(name, name))[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Has the browser keep another cookie of this instance for `seconds`, for addresses below `path`.
    pub fn set(&self, name: &str, value: &str, path: &str, seconds: u64) -> HeaderValue {
        let age = format!("; Max-Age={seconds}");
        self.header(&self.name(name, name), value, path, &age)
    }

    /// Has the browser keep `secret` for so many seconds, or until it is closed.
    pub fn keep(&self, secret: &Secret, seconds: Option<u64>) -> HeaderValue {
        let age = seconds.map(|seconds| format!("; Max-Age={seconds}"));
        let name = self.name(NAME, SECURE_NAME);
        self.header(&name, &secret.text(), "/", &age.unwrap_or_default())
    }

    /// Has the browser forget it.
    pub fn forget(&self) -> HeaderValue {
        self.header(&self.name(NAME, SECURE_NAME), "", "/", "; Max-Age=0")
    }

    /// `name=value` of the cookie that scripts compare with the account a page was rendered for.
    /// The value is a digest of the account's name and opens nothing.
    pub fn account_pair(&self, account: &str) -> String {
        let digest = to_hex(&Sha256::digest(account));
        let name = self.name(ACCOUNT_NAME, SECURE_ACCOUNT_NAME);
        format!("{name}={}", &digest[..16])
    }

    /// Has the browser keep which account is signed in, readable by scripts.
    pub fn account_cookie(&self, account: &str, seconds: u64) -> HeaderValue {
        let pair = self.account_pair(account);
        self.readable(&format!("{pair}; Max-Age={seconds}"))
    }

    /// Has the browser forget which account is signed in.
    pub fn forget_account(&self) -> HeaderValue {
        let name = self.name(ACCOUNT_NAME, SECURE_ACCOUNT_NAME);
        self.readable(&format!("{name}=; Max-Age=0"))
    }

    fn readable(&self, cookie: &str) -> HeaderValue {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!("{cookie}; Path=/; SameSite=Lax{secure}");
        HeaderValue::from_str(&text).expect("hex digits and fixed words")
    }

    /// Has the browser forget the cookie of an earlier version.
    pub fn forget_earlier(&self) -> HeaderValue {
        self.header(self.earlier_name(), "", "/", "; Max-Age=0")
    }

    /// The name of a cookie of this instance.
    fn name(&self, plain: &str, secure: &str) -> String {
        let name = if self.is_secure { secure } else { plain };
        match self.port {
            Some(port) => format!("{name}-{port}"),
            None => name.to_owned(),
        }
    }

    fn earlier_name(&self) -> &'static str {
        if self.is_secure { SECURE_NAME } else { NAME }
    }

    /// Not readable by scripts, not sent along by other sites' forms and frames.
    fn header(&self, name: &str, value: &str, path: &str, age: &str) -> HeaderValue {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}{age}");
        HeaderValue::from_str(&text).expect("hex digits, names, numbers and fixed words")
    }
}

/// The values of every cookie of this name.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> Vec<&'a str> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let ours = pairs.filter(|(found, _)| *found == name);
    ours.map(|(_, value)| value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Cookies = Cookies {
        is_secure: false,
        port: None,
    };
    const SECURE: Cookies = Cookies {
        is_secure: true,
        port: None,
    };

    fn read(headers: &HeaderMap, cookies: &Cookies) -> Option<Secret> {
        cookies.read(headers).map(|kept| kept.secret)
    }

    fn cookies(lines: &[&str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| HeaderValue::from_str(line).unwrap());
        lines.map(|line| (COOKIE, line)).collect()
    }

    /// Two instances on one host once signed each other out: browsers share cookies between ports.
    #[test]
    fn instances_on_other_ports_keep_cookies_of_their_own_and_the_earlier_name_still_counts() {
        let at = |port| Cookies::new(None, Some(port));
        let (one, other) = (Secret::random(), Secret::random());
        let pair = |cookies: &Cookies, secret| {
            let set = cookies.keep(secret, None);
            set.to_str().unwrap().split(';').next().unwrap().to_owned()
        };
        let both = [pair(&at(3000), &one), pair(&at(3001), &other)].join("; ");
        let both = cookies(&[&both]);
        assert!(read(&both, &at(3000)) == Some(one.clone()));
        assert!(read(&both, &at(3001)) == Some(other.clone()));
        assert!(read(&both, &at(3002)).is_none());
        let others = cookies(&["undo-3000=1; undo-3001=2", "undo-3002=3; undo-3002=4"]);
        let undo = |port| at(port).value(&others, "undo").map(str::to_owned);
        assert_eq!((undo(3001).as_deref(), undo(3002)), (Some("2"), None));
        let set = at(3000).set("undo", "1", "/pets", 10);
        assert!(
            set.to_str()
                .unwrap()
                .starts_with("undo-3000=1; Path=/pets;")
        );

        let earlier = cookies(&[&pair(&PLAIN, &one)]);
        let kept = at(3000).read(&earlier).unwrap();
        assert!(kept.secret == one && kept.is_earlier);
        let forgotten = at(3000).forget_earlier();
        assert!(forgotten.to_str().unwrap().starts_with("pet-store=;"));

        for (base, name) in [
            ("https://pets.example", "__Host-pet-store-443"),
            ("https://pets.example:8443", "__Host-pet-store-8443"),
            ("http://10.0.0.5:3000", "pet-store-3000"),
        ] {
            let base = BaseUrl::parse(base).unwrap();
            let cookies = Cookies::new(Some(&base), Some(1));
            assert_eq!(cookies.name(NAME, SECURE_NAME), name);
        }
    }

    #[test]
    fn what_was_kept_is_read_back_beside_other_cookies() {
        let secret = Secret::random();
        let text = secret.text();
        let ours = format!("a=b; pet-store={text};c=d");
        assert!(read(&cookies(&[&ours]), &PLAIN) == Some(secret.clone()));
        let secure = format!("__Host-pet-store={text}");
        assert!(read(&cookies(&["a=b", &secure]), &SECURE) == Some(secret));
        assert!(
            read(&cookies(&[&ours]), &SECURE).is_none(),
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
            assert!(read(&cookies(&lines), &PLAIN).is_none(), "{lines:?}");
        }
    }

    #[test]
    fn no_script_reads_it_and_over_https_nothing_else_sends_or_sets_it() {
        let secret = Secret::random();
        let plain = PLAIN.keep(&secret, None);
        let expected = format!(
            "pet-store={}; Path=/; HttpOnly; SameSite=Lax",
            secret.text()
        );
        assert_eq!(plain, expected);
        let secure = SECURE.keep(&secret, Some(60));
        let expected = format!(
            "__Host-pet-store={}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60",
            secret.text()
        );
        assert_eq!(secure, expected);
        assert!(
            SECURE
                .forget()
                .to_str()
                .unwrap()
                .ends_with("; Secure; Max-Age=0")
        );
    }
}
