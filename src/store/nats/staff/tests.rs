//! Two nodes that edit the roster of one cluster.

use std::time::Instant;

use tokio::runtime::Runtime;

use super::*;
use crate::auth::Directory;
use crate::model::{Account, AccountName, Author, Moment, Role};
use crate::store::Engine;
use crate::store::contract::server::{NEWEST, Servers};

const LIMIT: Duration = Duration::from_secs(10);

struct Pair {
    here: Arc<NatsEngine>,
    there: Arc<NatsEngine>,
    servers: Servers,
    runtime: Runtime,
}

impl Pair {
    fn start() -> Self {
        let (servers, runtime) = (Servers::start(1, NEWEST), Runtime::new().unwrap());
        let [here, there] = [(); 2].map(|()| Arc::new(connect(&servers, &runtime)));
        Pair {
            here,
            there,
            servers,
            runtime,
        }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.here.close();
        self.there.close();
    }
}

fn connect(servers: &Servers, runtime: &Runtime) -> NatsEngine {
    let address = servers.address().parse().unwrap();
    let connecting = NatsEngine::connect(&address);
    runtime.block_on(connecting).expect("the servers are there")
}

fn name(text: &str) -> AccountName {
    text.parse().unwrap()
}

fn put(text: &str) -> RosterEdit {
    RosterEdit::PutAccount(Account {
        name: name(text),
        role: Role::Admin,
        is_disabled: false,
        password: Some("$argon2id$…".to_owned()),
        invitation: None,
        created: Moment::from_micros(7),
    })
}

fn author() -> Author {
    Author {
        name: "a test".to_owned(),
        client: "a test".to_owned(),
    }
}

fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < deadline, "in vain: {what}");
        std::thread::yield_now();
    }
}

/// Nothing keeps up the node there, so only the stream can know that it is behind.
#[test]
fn the_stream_refuses_an_edit_by_a_node_that_is_behind_which_has_then_caught_up() {
    let pair = Pair::start();
    let version = pair.here.edit_roster(0, &[put("anna")]).unwrap();
    let late = [put("anna"), put("boris")];
    assert_eq!(pair.there.edit_roster(0, &late), Err(StoreError::Conflict));
    assert_eq!(pair.there.roster().unwrap(), pair.here.roster().unwrap());
    pair.there.edit_roster(version, &late).unwrap();
    assert_eq!(pair.there.roster().unwrap().accounts.len(), 2);
}

#[test]
fn what_one_node_ends_the_other_hears_of() {
    let pair = Pair::start();
    let open = |engine: &Arc<NatsEngine>| Directory::open(Arc::clone(engine) as _).unwrap();
    let (here, there) = (open(&pair.here), open(&pair.there));
    let hash = "the hash of a password";
    here.add(&name("anna"), Role::Admin, hash.to_owned(), &author())
        .unwrap();
    wait_until("anna", || there.account(&name("anna")).is_some());
    let begun = there.begin_session(&name("anna"), hash, "Firefox", None);
    let key = begun.unwrap().key();
    wait_until("the session", || here.session(&key).is_some());
    here.end_session(key, &author()).unwrap();
    wait_until("its end", || there.session(&key).is_none());
    let deeds = there.deeds(None, 10).unwrap();
    assert_eq!(deeds.len(), 3);
    assert_eq!(deeds, here.deeds(None, 10).unwrap());
}

/// A stream that was deleted, or put back as it was earlier, is read anew as a whole.
#[test]
fn a_stream_that_is_another_one_is_read_anew() {
    let pair = Pair::start();
    let directory = Directory::open(Arc::clone(&pair.here) as _).unwrap();
    let hash = "the hash of a password".to_owned();
    directory
        .add(&name("anna"), Role::Admin, hash, &author())
        .unwrap();
    pair.servers.ask("$JS.API.STREAM.DELETE.PET_STORE_STAFF");
    connect(&pair.servers, &pair.runtime).close();
    wait_until("the new roster", || {
        directory.account(&name("anna")).is_none()
    });
    assert_eq!(directory.deeds(None, 10).unwrap(), []);
}

#[test]
fn an_edit_that_cannot_be_sent_is_not_made() {
    let mut pair = Pair::start();
    pair.servers.kill(0);
    wait_until("the loss", || !pair.here.is_healthy());
    let refused = pair.here.edit_roster(0, &[put("anna")]);
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    pair.servers.begin(0);
    wait_until("the connection", || pair.here.is_healthy());
    assert_eq!(pair.here.roster().unwrap(), Roster::default());
    pair.here.edit_roster(0, &[put("anna")]).unwrap();
}
