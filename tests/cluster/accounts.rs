//! Accounts on several nodes: a request may go to any node.

use std::sync::Arc;

use pet_store::auth::Accounts;
use pet_store::store::{Engine, NatsEngine};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use super::server::{NEWEST, Servers};
use crate::support::{Browser, PASSWORD, Process, Ws, add_people, until};

/// Two nodes of a rescue with the admin anna, the staff member boris, and a pet.
pub struct Nodes {
    pub nodes: Vec<Process>,
    /// Tokens of boris: to read, to set a status, to write.
    pub tokens: [String; 3],
    servers: Servers,
    pub client: Client,
    _folder: TempDir,
}

impl Nodes {
    async fn start() -> Self {
        Nodes::start_with(&[]).await
    }

    /// As `start`, with further options.
    pub async fn start_with(options: &[&str]) -> Self {
        let servers = Servers::start(1, NEWEST);
        let address = servers.address();
        let store = NatsEngine::connect(&address.parse().unwrap())
            .await
            .unwrap();
        let adding = tokio::task::spawn_blocking(move || {
            let store = Arc::new(store);
            let tokens = add_people(&Accounts::open(Arc::clone(&store) as _).unwrap());
            store.close();
            tokens
        });
        let tokens = adding.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        for _ in 0..2 {
            let arguments = ["serve", "--listen", "127.0.0.1:0", "--engine", &address];
            let arguments = [&arguments, options].concat();
            nodes.push(Process::start(folder.path(), &arguments).await);
        }
        Nodes {
            nodes,
            tokens,
            servers,
            client: Client::builder()
                .redirect(Policy::none())
                .no_proxy()
                .build()
                .unwrap(),
            _folder: folder,
        }
    }

    pub fn browser(&self, node: usize) -> Browser {
        Browser::at(&self.nodes[node].base, &self.client)
    }

    /// Returns the browser as the balancer routes it to another node.
    fn moved(&self, browser: &Browser, node: usize) -> Browser {
        browser.moved_to(&self.nodes[node].base)
    }
}

/// A balancer without sticky sessions routes every request to another node than the one before.
#[tokio::test]
async fn a_session_of_one_node_is_valid_at_the_other_with_the_next_request() {
    let nodes = Nodes::start().await;
    for turn in 0..10 {
        let (here, there) = (turn % 2, (turn + 1) % 2);
        let mut browser = nodes.browser(here);
        browser.get("/sign-in").await;
        let mut browser = nodes.moved(&browser, there);
        let fields = [("name", "anna"), ("password", PASSWORD)];
        assert_eq!(browser.post("/sign-in", &fields).await.status(), 303);
        let mut browser = nodes.moved(&browser, here);
        assert!(browser.is_in().await, "turn {turn}");
        let page = browser.get("/pets/new").await;
        assert!(page.contains("form-token"), "{page}");
        let mut browser = nodes.moved(&browser, there);
        let added = browser
            .post(
                "/pets",
                &[
                    ("name", "Miso"),
                    ("species", "cat"),
                    ("another-animal", "yes"),
                ],
            )
            .await;
        assert_eq!(added.status(), 303);
        // The other node learns of the end of the session a moment later.
        browser.get("/account").await;
        let ended = browser.clone();
        assert_eq!(browser.post("/sign-out", &[]).await.status(), 303);
        let mut ended = nodes.moved(&ended, here);
        until("the end of the session", async || !ended.is_in().await).await;
    }
}

#[tokio::test]
async fn an_account_that_was_disabled_at_one_node_loses_sessions_and_tokens_at_the_other() {
    let nodes = Nodes::start().await;
    let mut anna = nodes.browser(0);
    anna.sign_in("anna", PASSWORD).await;
    let mut boris = nodes.browser(1);
    boris.sign_in("boris", PASSWORD).await;
    let added = async || {
        let address = format!("{}/api/v1/pets", nodes.nodes[1].base);
        let request = nodes.client.post(address).bearer_auth(&nodes.tokens[2]);
        let pet = json!({ "name": "Miso", "species": "cat" });
        request.json(&pet).send().await.unwrap().status()
    };
    assert_eq!(added().await, StatusCode::CREATED);
    anna.get("/staff").await;
    let fields = [("do", "disable"), ("confirm", "yes")];
    let disabled = anna.post("/staff/boris", &fields).await;
    assert_eq!(disabled.status(), 303);
    until("the end of boris", async || !boris.is_in().await).await;
    assert_eq!(added().await, StatusCode::UNAUTHORIZED);
    let audit = nodes.moved(&anna, 1).get("/audit").await;
    assert!(audit.contains("suspended boris"), "{audit}");
    let history = nodes.moved(&anna, 1).get("/pets/1/history").await;
    assert!(history.contains("token write"), "{history}");
}

#[tokio::test]
async fn an_activity_that_was_added_at_one_node_can_be_set_at_the_other() {
    let nodes = Nodes::start().await;
    let mut anna = nodes.browser(0);
    anna.sign_in("anna", PASSWORD).await;
    let mut viewer = Ws::open(&nodes.nodes[1].base, "").await;
    anna.get("/settings/activities/new").await;
    let fields = [
        ("name", "At the vet"),
        ("icon", "vet"),
        ("colour", "#7a0019"),
        ("stand-in", "sleeping"),
    ];
    assert_eq!(anna.submit("/settings/activities", &fields).await, 303);
    let pet = [("name", "Miso"), ("species", "cat")];
    assert_eq!(anna.submit("/pets", &pet).await, 303);
    let there = &nodes.nodes[1];
    until("the pet", async || {
        !there.json("/api/v1/pets/1").await["name"].is_null()
    })
    .await;
    until("the activity", async || {
        let own = there.json("/api/v1/activities").await;
        own["activities"][0]["word"] == "at-the-vet"
    })
    .await;
    let listed = there.json("/api/v1/activities").await;
    while viewer.next().await["activities"] != listed["version"] {}
    let address = format!("{}/api/v1/pets/1/status", there.base);
    let request = nodes.client.put(address).bearer_auth(&nodes.tokens[1]);
    let set = request.json(&json!({ "status": "at-the-vet" })).send();
    assert_eq!(set.await.unwrap().status(), StatusCode::OK);
    until("the status", async || {
        let pet = nodes.nodes[0].json("/api/v1/pets/1").await;
        pet["activity"] == "at-the-vet" && pet["status"] == "sleeping"
    })
    .await;
}

#[tokio::test]
async fn a_turn_at_a_shared_tablet_begins_and_ends_at_any_node() {
    let nodes = Nodes::start().await;
    let mut anna = nodes.browser(0);
    anna.sign_in("anna", PASSWORD).await;
    // A page of the session has its form token.
    anna.get("/pets/new").await;
    assert_eq!(anna.submit("/account/pin", &[("pin", "4711")]).await, 303);
    let pet = [("name", "Miso"), ("species", "cat")];
    assert_eq!(anna.submit("/pets", &pet).await, 303);
    assert_eq!(anna.post("/account/station", &[]).await.status(), 303);

    anna.get("/sign-in").await;
    let fields = [("name", "anna"), ("pin", "4711")];
    assert_eq!(anna.submit("/sign-in", &fields).await, 303);
    let mut there = nodes.moved(&anna, 1);
    until("the turn", async || {
        there.get("/pets/1").await.contains("Done, anna")
    })
    .await;
    let set = there.post("/pets/1/status", &[("status", "eating")]).await;
    let (status, text) = (set.status(), set.text().await.unwrap());
    assert_eq!(status, 303, "{text}");
    let history = there.get("/pets/1/history").await;
    assert!(
        history.contains("shared device, Firefox on Android"),
        "{history}"
    );

    there.get("/sign-in").await;
    assert_eq!(there.post("/sign-out", &[]).await.status(), 303);
    until("the end of the turn", async || {
        anna.get("/pets/1").await.contains("Who is tapping?")
    })
    .await;
    assert_eq!(
        anna.submit("/pets/1/status", &[("status", "playing")])
            .await,
        401
    );
}

#[tokio::test]
async fn during_an_outage_nobody_can_sign_in_and_sessions_stay_valid() {
    let mut nodes = Nodes::start().await;
    let mut anna = nodes.browser(0);
    anna.sign_in("anna", PASSWORD).await;
    nodes.servers.kill(0);
    until("the loss", async || {
        let mut stranger = nodes.browser(0);
        let answer = stranger.sign_in("boris", PASSWORD).await;
        answer.status() == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    assert!(anna.is_in().await);
    nodes.servers.begin(0);
    until("boris", async || {
        let mut boris = nodes.browser(1);
        boris.sign_in("boris", PASSWORD).await.status() == 303
    })
    .await;
}

/// A node prints the command, and learns of the account while it runs.
#[tokio::test]
async fn the_first_admin_of_a_cluster_is_added_on_the_command_line_while_nodes_run() {
    let servers = Servers::start(1, NEWEST);
    let address = servers.address();
    let folder = tempfile::tempdir().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--engine", &address];
    let node = Process::start(folder.path(), &serve).await;
    node.wait_for_line("pet-store staff add NAME --role admin --engine")
        .await;
    std::fs::write(folder.path().join("password"), PASSWORD).unwrap();
    let staff = async |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pet-store"));
        command.current_dir(folder.path()).arg("staff");
        command.args(arguments).args(["--engine", &address]);
        let output = command.output().await.unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let add = ["add", "anna", "--role", "admin", "--password-file"];
    let added = staff(&[&add[..], &["password"]].concat()).await;
    assert_eq!(added, "added anna as admin\n");
    let client = Client::builder().redirect(Policy::none()).no_proxy();
    let mut anna = Browser::at(&node.base, &client.build().unwrap());
    until("anna", async || {
        anna.sign_in("anna", PASSWORD).await.status() == 303
    })
    .await;
    let listed = staff(&["list"]).await;
    assert!(
        listed.starts_with("anna ") && listed.contains("admin active"),
        "{listed}"
    );
}
