//! Authentication and authorization: who sends a request, and what they may do.
//!
//! The `Authenticator` reads a request's session cookie or API token, and its origin, into a
//! `Principal`, once. A handler states what it requires by a parameter: a `Permit` with a scope,
//! `SignedIn` for a person, `Administrator` for an admin. A socket keeps a `SocketPrincipal`. Each
//! permit and each command looks the credential up again in `Accounts`, after the request's body was
//! read, and the writer checks it once more in the step that commits: a session that was ended a
//! moment ago authorizes nothing.
//!
//! In demo mode everyone on this machine is staff, and there are no accounts. In both modes a page of
//! another site cannot write through a visitor's browser: `origin` detects it, and forms carry a CSRF
//! token besides.
//!
//! Whatever blocks (the disk, password hashes) runs off the async workers, in bounded queues.

mod accounts;
mod authenticator;
mod base_url;
mod clock;
mod cookie;
mod csrf;
mod grant;
mod login;
mod login_throttle;
mod origin;
mod password;
mod permit;
mod principal;
mod refusal;
mod secret;
mod staff;

pub use self::accounts::{AccountSummary, Accounts, AccountsError, Actor, SessionSummary};
pub use self::authenticator::{AuthMode, Authenticator};
pub use self::base_url::BaseUrl;
pub use self::cookie::Cookies;
pub use self::login::{SignInError, SignInRequest, TurnRequest};
pub use self::origin::is_local_host;
pub use self::password::{
    HashingBusy, WeakPassword, check_password_rules, check_pin, hash as hash_password,
};
pub use self::permit::{Administrator, MayRead, MaySetStatus, MayWrite, Permit, Rights, SignedIn};
pub use self::principal::{Principal, SocketPrincipal};
pub use self::refusal::Refusal;
pub use self::secret::Secret;
pub use self::staff::StaffAuth;
