//! One who asks: what was shown, where it comes from, and what that amounts to at this moment.

use std::sync::Arc;

use poem::http::header::AUTHORIZATION;
use poem::http::{HeaderMap, Method};
use poem::{FromRequest, Request, RequestBody};

use super::directory::author;
use super::origin::{is_from_elsewhere, names_this_machine};
use super::secret::Secret;
use super::{Auth, Gate, Refusal, client, cookie};
use crate::error::Failure;
use crate::model::{Account, Author, By, Key, Role, Scope, Signature};

/// What was shown to prove who asks.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    Session(Key),
    Token(Key),
}

/// What a credential amounts to as long as it is valid.
pub struct Standing {
    pub account: Arc<Account>,
    pub scope: Scope,
    pub signature: Signature,
}

/// Who sent a request. Cheap to clone.
#[derive(Clone)]
pub struct Caller(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    gate: Gate,
    credential: Option<Credential>,
    /// What the browser keeps; also before somebody signed in.
    cookie: Option<Secret>,
    is_from_elsewhere: bool,
    is_from_other_host: bool,
    /// The kind of client, in words.
    client: String,
}

/// What a page may offer to the one who reads it.
#[derive(Clone, Debug)]
pub struct Rights {
    pub auth: Auth,
    /// Who is signed in.
    pub name: Option<String>,
    pub is_staff: bool,
    pub is_admin: bool,
    /// What the page's forms carry.
    pub form_token: Option<String>,
}

impl Caller {
    pub fn read(gate: Gate, headers: &HeaderMap) -> Self {
        let is_demo = gate.auth() == Auth::Demo;
        let cookie = cookie::read(headers, gate.is_secure()).filter(|_| !is_demo);
        let shown = headers.get(AUTHORIZATION).filter(|_| !is_demo);
        let credential = match shown.map(|shown| bearer(shown.to_str().unwrap_or_default())) {
            // A token that cannot be read is one that nobody has: the cookie does not stand in.
            Some(token) => Some(Credential::Token(
                token.map_or(Key::new([0; 32]), |token| token.key()),
            )),
            None => cookie
                .as_ref()
                .map(|cookie| Credential::Session(cookie.key())),
        };
        Caller(Arc::new(Inner {
            is_from_elsewhere: is_from_elsewhere(headers, gate.base()),
            is_from_other_host: is_demo && !names_this_machine(headers),
            client: client::describe(headers),
            gate,
            credential,
            cookie,
        }))
    }

    /// The caller that goes with a request.
    ///
    /// # Errors
    /// A server error where nobody identified it.
    pub fn of(request: &Request) -> Result<&Self, Failure> {
        request.data::<Caller>().ok_or_else(|| {
            tracing::error!("a request came without its caller");
            Failure::internal()
        })
    }

    /// The key of what was shown and is worth nothing, as far as is known.
    pub fn unknown_key(&self) -> Option<Key> {
        let (Credential::Session(key) | Credential::Token(key)) = self.0.credential?;
        self.standing().is_none().then_some(key)
    }

    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    pub fn client(&self) -> &str {
        &self.0.client
    }

    /// The secret of the browser's cookie.
    pub fn cookie(&self) -> Option<&Secret> {
        self.0.cookie.as_ref()
    }

    /// The same caller, whose browser is about to be given this cookie.
    pub fn with_cookie(&self, secret: Secret) -> Self {
        let cookie = Some(secret);
        Caller(Arc::new(Inner {
            cookie,
            ..Inner::clone(&self.0)
        }))
    }

    /// Lets a request pass that changes nothing, or that no other site's page had sent.
    ///
    /// # Errors
    /// Which of the rules was broken.
    pub fn check_origin(&self, method: &Method) -> Result<(), Refusal> {
        match method.is_safe() {
            true => Ok(()),
            false => self.bar().map_or(Ok(()), Err),
        }
    }

    /// Lets a form pass that carries the token of a page made for this browser. A program shows
    /// its own token, which no other site's page can have it send; in the demo nothing is shown.
    ///
    /// # Errors
    /// `StaleForm`.
    pub fn check_form(&self, shown: Option<&str>) -> Result<(), Refusal> {
        let is_by_cookie = !matches!(self.0.credential, Some(Credential::Token(_)));
        if self.0.gate.auth() == Auth::Demo || !is_by_cookie {
            return Ok(());
        }
        let made = |cookie: &Secret| cookie.made_form_token(shown.unwrap_or_default());
        match self.cookie().is_some_and(made) {
            true => Ok(()),
            false => Err(Refusal::StaleForm),
        }
    }

    /// What is written under a change of this caller; where nobody is known by name, `unnamed`.
    ///
    /// # Errors
    /// Why the caller may not do what takes `scope`.
    pub fn sign(&self, scope: Scope, unnamed: By) -> Result<Signature, Refusal> {
        if self.0.gate.auth() == Auth::Demo {
            return match self.0.is_from_other_host {
                true => Err(Refusal::OtherHost),
                false => Ok(unnamed.into()),
            };
        }
        let standing = self.standing().ok_or(Refusal::NotSignedIn)?;
        standing.sign(scope)
    }

    /// The account that is signed in with this browser, and the key of its session.
    ///
    /// # Errors
    /// Why there is none.
    pub fn person(&self) -> Result<(Arc<Account>, Key), Refusal> {
        self.0.gate.staff()?;
        let standing = self.standing().ok_or(Refusal::NotSignedIn)?;
        match self.0.credential {
            Some(Credential::Session(key)) => Ok((standing.account, key)),
            _ => Err(Refusal::NotAPerson),
        }
    }

    /// What pages may offer.
    pub fn rights(&self) -> Rights {
        let auth = self.0.gate.auth();
        let person = self.person().ok().map(|(account, _)| account);
        let is_admin = |account: &Arc<Account>| account.role == Role::Admin;
        Rights {
            auth,
            is_staff: auth == Auth::Demo || person.is_some(),
            is_admin: person.as_ref().is_some_and(is_admin),
            name: person.map(|account| account.name.to_string()),
            form_token: self.cookie().map(Secret::form_token),
        }
    }

    /// Who commands over the socket that this request opens.
    pub fn speaker(&self) -> Speaker {
        match (self.bar(), self.0.credential) {
            (Some(refusal), _) => Speaker::Barred(refusal),
            (None, Some(credential)) => Speaker::Shown(Arc::new(credential)),
            (None, None) => Speaker::Stranger,
        }
    }

    /// The account behind what was shown, as long as it is valid.
    pub fn account(&self) -> Option<Arc<Account>> {
        Some(self.standing()?.account)
    }

    fn standing(&self) -> Option<Standing> {
        self.0.gate.standing(self.0.credential?)
    }

    fn bar(&self) -> Option<Refusal> {
        match (self.0.is_from_other_host, self.0.is_from_elsewhere) {
            (true, _) => Some(Refusal::OtherHost),
            (false, true) => Some(Refusal::FromElsewhere),
            (false, false) => None,
        }
    }
}

impl<'a> FromRequest<'a> for Caller {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Caller::of(request)?.clone())
    }
}

impl Standing {
    fn sign(self, scope: Scope) -> Result<Signature, Refusal> {
        match self.scope >= scope {
            true => Ok(self.signature),
            false => Err(Refusal::NotInScope(scope)),
        }
    }
}

impl Gate {
    /// What a credential amounts to now; nothing when it is not valid.
    fn standing(&self, credential: Credential) -> Option<Standing> {
        let directory = self.staff().ok()?.directory();
        let (account, scope, by, author) = match credential {
            Credential::Session(key) => {
                let (account, session) = directory.session(&key)?;
                let author = author(&account.name, &session.client);
                (account, Scope::Write, By::Staff, author)
            }
            Credential::Token(key) => {
                let (account, token) = directory.token(&key)?;
                let author = token_author(&account, &token.name);
                (account, token.scope, By::Api, author)
            }
        };
        let author = Some(Arc::new(author));
        Some(Standing {
            account,
            scope,
            signature: Signature { by, author },
        })
    }
}

/// Who commands over a socket. One is kept with every socket, so it is small.
#[derive(Clone, Debug)]
pub enum Speaker {
    /// Whatever it shows, its commands are refused.
    Barred(Refusal),
    /// Nothing was shown yet.
    Stranger,
    Shown(Arc<Credential>),
}

impl Speaker {
    /// Shows a token from now on. One that is barred stays so: a page of another site may watch
    /// and never command.
    pub fn show(&mut self, token: &str) {
        if matches!(self, Speaker::Barred(_)) {
            return;
        }
        let key = Secret::parse_token(token).map(|token| token.key());
        let credential = Credential::Token(key.unwrap_or(Key::new([0; 32])));
        *self = Speaker::Shown(Arc::new(credential));
    }

    /// The account behind what was shown, as long as it is valid.
    pub fn account(&self, gate: &Gate) -> Option<Arc<Account>> {
        match self {
            Speaker::Shown(credential) => Some(gate.standing(**credential)?.account),
            Speaker::Barred(_) | Speaker::Stranger => None,
        }
    }

    /// What is written under a command of this speaker.
    ///
    /// # Errors
    /// Why it may not do what takes `scope`.
    pub fn sign(&self, gate: &Gate, scope: Scope) -> Result<Signature, Refusal> {
        match (self, gate.auth()) {
            (Speaker::Barred(refusal), _) => Err(*refusal),
            (_, Auth::Demo) => Ok(By::Staff.into()),
            (Speaker::Stranger, Auth::Serve) => Err(Refusal::NotSignedIn),
            (Speaker::Shown(credential), Auth::Serve) => {
                let standing = gate.standing(**credential).ok_or(Refusal::NotSignedIn)?;
                standing.sign(scope)
            }
        }
    }
}

/// The token in `Bearer …` (RFC 6750, section 2.1; the scheme's case does not matter).
fn bearer(shown: &str) -> Option<Secret> {
    let (scheme, token) = shown.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Secret::parse_token(token.trim()).filter(|_| is_bearer)
}

fn token_author(account: &Account, token: &str) -> Author {
    author(&account.name, &format!("token {token}"))
}
