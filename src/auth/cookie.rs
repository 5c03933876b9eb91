//! The cookies of an instance: the session cookie, the account cookie, and cookies of other pages.
//!
//! The session cookie contains a secret. Before the sign-in, the secret authorizes nothing and ties
//! the sign-in form to the browser; signing in replaces it with the secret of a session. The account
//! cookie tells the scripts of a page which account is signed in. Browsers send a cookie to all ports
//! of a host, so the names contain the port of this instance. Below a base path, names and `Path` contain that too.

use data_encoding::HEXLOWER;
use poem::http::header::COOKIE;
use poem::http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use super::base_url::BaseUrl;
use super::secret::Secret;

/// Name of the session cookie.
const SESSION_NAME: &str = "pet-store";

/// Name of the account cookie.
const ACCOUNT_NAME: &str = "pet-store-account";

/// Prefix of the names of cookies of https for the whole host: browsers reject such a cookie if another host or an
/// insecure page sets it.
const HOST_PREFIX: &str = "__Host-";

/// The same for cookies with a `Path`, which may not have the prefix of the host: another host of the domain can set them.
const SECURE_PREFIX: &str = "__Secure-";

/// Reads and writes the cookies of one instance.
#[derive(Clone, Debug)]
pub struct Cookies {
    is_secure: bool,
    /// Part of the names, so that another instance on the same host has other cookies.
    port: Option<u16>,
    /// Start of the paths that browsers send the cookies to.
    base_path: String,
}

/// The secret in a browser's session cookie.
pub struct SessionCookie {
    /// The secret.
    pub secret: Secret,
    /// True if the cookie has the name without a port, which earlier versions used.
    pub is_legacy: bool,
}

impl Cookies {
    /// `port` is the port that this instance listens on, `None` if it can be reached at several. The
    /// port of the public address has precedence.
    pub fn new(base: Option<&BaseUrl>, port: Option<u16>) -> Self {
        Cookies {
            is_secure: base.is_some_and(BaseUrl::is_secure),
            port: base.map(BaseUrl::port).or(port),
            base_path: base.map(BaseUrl::path).unwrap_or_default().to_owned(),
        }
    }

    /// Reads the session cookie of this instance, or else the one with the name that earlier versions
    /// used, which knew no base path. If two cookies have the same name, another host or page set one of them, and both are ignored.
    pub fn read(&self, headers: &HeaderMap) -> Option<SessionCookie> {
        let (name, legacy_name) = (self.session_name(), self.legacy_name());
        let own = values(headers, &name);
        let is_legacy = own.is_empty() && legacy_name != name;
        let found = if is_legacy {
            values(headers, &legacy_name)
        } else {
            own
        };
        let [value] = found[..] else { return None };
        let secret = Secret::parse(value)?;
        Some(SessionCookie { secret, is_legacy })
    }

    /// Reads another cookie of this instance; `None` if there are two of that name.
    pub fn value<'a>(&self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        match values(headers, &self.instance_name(name))[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// Sets another cookie of this instance for `seconds`, for addresses below `path`.
    pub fn set(&self, name: &str, value: &str, path: &str, seconds: u64) -> HeaderValue {
        let age = format!("; Max-Age={seconds}");
        let path = format!("{}{path}", self.base_path);
        self.http_only(&self.instance_name(name), value, &path, &age)
    }

    /// Sets the session cookie for `seconds`, or until the browser is closed.
    pub fn session(&self, secret: &Secret, seconds: Option<u64>) -> HeaderValue {
        let age = seconds.map(|seconds| format!("; Max-Age={seconds}"));
        let age = age.unwrap_or_default();
        self.http_only(&self.session_name(), &secret.text(), self.root(), &age)
    }

    /// Deletes the session cookie.
    pub fn clear_session(&self) -> HeaderValue {
        self.http_only(&self.session_name(), "", self.root(), "; Max-Age=0")
    }

    /// Deletes the session cookie of an earlier version.
    pub fn clear_legacy(&self) -> HeaderValue {
        self.http_only(&self.legacy_name(), "", "/", "; Max-Age=0")
    }

    /// Returns `name=value` of the account cookie, which scripts compare with the account that a page
    /// was rendered for. The value is a digest of the account's name and authorizes nothing.
    pub fn account_pair(&self, account: &str) -> String {
        let digest = Sha256::digest(account);
        let name = self.name(ACCOUNT_NAME);
        format!("{name}={}", HEXLOWER.encode(&digest[..8]))
    }

    /// Sets the account cookie, which scripts can read.
    pub fn account(&self, account: &str, seconds: u64) -> HeaderValue {
        let pair = self.account_pair(account);
        let path = self.root();
        self.header(&format!("{pair}; Max-Age={seconds}; Path={path}"), "")
    }

    /// Deletes the account cookie.
    pub fn clear_account(&self) -> HeaderValue {
        let (name, path) = (self.name(ACCOUNT_NAME), self.root());
        self.header(&format!("{name}=; Max-Age=0; Path={path}"), "")
    }

    /// Sets a cookie that no script can read.
    fn http_only(&self, name: &str, value: &str, path: &str, age: &str) -> HeaderValue {
        self.header(&format!("{name}={value}; Path={path}; HttpOnly"), age)
    }

    /// `SameSite`: forms and frames of other sites do not send the cookie.
    fn header(&self, cookie: &str, age: &str) -> HeaderValue {
        let secure = if self.is_secure { "; Secure" } else { "" };
        HeaderValue::from_str(&format!("{cookie}; SameSite=Lax{secure}{age}"))
            .expect("hex digits, names, numbers and fixed words")
    }

    fn session_name(&self) -> String {
        self.name(SESSION_NAME)
    }

    fn legacy_name(&self) -> String {
        let prefix = if self.is_secure { HOST_PREFIX } else { "" };
        format!("{prefix}{SESSION_NAME}")
    }

    /// Returns the `Path` of cookies for the whole site.
    fn root(&self) -> &str {
        match self.base_path.as_str() {
            "" => "/",
            path => path,
        }
    }

    fn name(&self, name: &str) -> String {
        let prefix = match (self.is_secure, self.base_path.is_empty()) {
            (true, true) => HOST_PREFIX,
            (true, false) => SECURE_PREFIX,
            (false, _) => "",
        };
        format!("{prefix}{}", self.instance_name(name))
    }

    /// Appends port and base path, which distinguish the instances of a host. A name cannot contain a slash.
    fn instance_name(&self, name: &str) -> String {
        let port = self.port.map(|port| format!("-{port}"));
        let path = self.base_path.replace('/', "-");
        format!("{name}{}{path}", port.unwrap_or_default())
    }
}

/// Returns the values of every cookie of this name.
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
        base_path: String::new(),
    };
    const SECURE: Cookies = Cookies {
        is_secure: true,
        port: None,
        base_path: String::new(),
    };

    fn read(headers: &HeaderMap, cookies: &Cookies) -> Option<Secret> {
        cookies.read(headers).map(|cookie| cookie.secret)
    }

    fn cookies(lines: &[&str]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|line| HeaderValue::from_str(line).unwrap());
        lines.map(|line| (COOKIE, line)).collect()
    }

    /// Two instances on one host once signed each other out: browsers share cookies between ports.
    #[test]
    fn each_port_has_cookies_of_its_own_and_the_name_of_earlier_versions_is_still_read() {
        let at = |port| Cookies::new(None, Some(port));
        let (one, other) = (Secret::random(), Secret::random());
        let pair = |cookies: &Cookies, secret| {
            let set = cookies.session(secret, None);
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
        let legacy = at(3000).read(&earlier).unwrap();
        assert!(legacy.secret == one && legacy.is_legacy);
        let cleared = at(3000).clear_legacy();
        assert!(cleared.to_str().unwrap().starts_with("pet-store=;"));

        for (base, name) in [
            ("https://pets.example", "__Host-pet-store-443"),
            ("https://pets.example:8443", "__Host-pet-store-8443"),
            ("http://10.0.0.5:3000", "pet-store-3000"),
            ("https://pets.example/a/b", "__Secure-pet-store-443-a-b"),
        ] {
            let base = BaseUrl::parse(base).unwrap();
            let cookies = Cookies::new(Some(&base), Some(1));
            assert_eq!(cookies.session_name(), name);
        }
    }

    #[test]
    fn the_session_cookie_is_found_beside_other_cookies() {
        let secret = Secret::random();
        let text = secret.text();
        let ours = format!("a=b; pet-store={text};c=d");
        assert!(read(&cookies(&[&ours]), &PLAIN) == Some(secret.clone()));
        let secure = format!("__Host-pet-store={text}");
        assert!(read(&cookies(&["a=b", &secure]), &SECURE) == Some(secret));
        assert!(
            read(&cookies(&[&ours]), &SECURE).is_none(),
            "over https only the secure name is read"
        );
    }

    #[test]
    fn a_duplicate_or_malformed_session_cookie_is_ignored() {
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
    fn the_session_cookie_is_http_only_and_secure_over_https() {
        let secret = Secret::random();
        let plain = PLAIN.session(&secret, None);
        let expected = format!(
            "pet-store={}; Path=/; HttpOnly; SameSite=Lax",
            secret.text()
        );
        assert_eq!(plain, expected);
        let secure = SECURE.session(&secret, Some(60));
        let expected = format!(
            "__Host-pet-store={}; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60",
            secret.text()
        );
        assert_eq!(secure, expected);
        assert!(
            SECURE
                .clear_session()
                .to_str()
                .unwrap()
                .ends_with("; Secure; Max-Age=0")
        );
    }

    #[test]
    fn below_a_base_path_every_cookie_has_that_path_and_the_earlier_one_of_the_host_is_deleted() {
        let base = BaseUrl::parse("https://shelter.example/our/pets").unwrap();
        let cookies = Cookies::new(Some(&base), Some(1));
        for set in [
            cookies.session(&Secret::random(), None),
            cookies.clear_session(),
            cookies.account("ann", 1),
            cookies.clear_account(),
        ] {
            let set = set.to_str().unwrap();
            assert!(set.starts_with("__Secure-pet-store"), "{set}");
            assert!(
                set.contains("-443-our-pets=") && set.contains("; Path=/our/pets;"),
                "{set}"
            );
        }
        let undo = cookies.set("undo", "1", "/pets", 1);
        assert!(
            undo.to_str()
                .unwrap()
                .starts_with("undo-443-our-pets=1; Path=/our/pets/pets;")
        );
        let legacy = cookies.clear_legacy();
        assert!(
            legacy
                .to_str()
                .unwrap()
                .starts_with("__Host-pet-store=; Path=/;")
        );
    }
}
