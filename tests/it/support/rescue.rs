//! An app in serve mode with staff accounts, and browsers that sign in to it.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use pet_store::auth::{Accounts, Actor, AuthMode, hash_password};
use pet_store::config::{Config, EngineChoice};
use pet_store::model::{Author, Role, Scope};
use pet_store::store::archive::StaffData;
use pet_store::store::{Engine, backup, check, export, import, restore, write_new};
use reqwest::{Client, RequestBuilder, Response};
use tempfile::TempDir;

use super::app::{TestApp, spawn_app_in};
use super::store::{fill, open};

/// The password of all accounts.
pub const PASSWORD: &str = "four words are enough";

/// The hash of the password, computed once because that is slow.
static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD));

/// An app in serve mode with the pet Biscuit (1), the admin anna and the staff boris.
pub struct Rescue {
    pub app: TestApp,
    pub folder: TempDir,
    /// Tokens of boris: to read, to set statuses, to write.
    pub tokens: [String; 3],
}

impl Rescue {
    pub async fn start() -> Self {
        Rescue::start_with(|_| {}).await
    }

    /// As `start`, with a changed configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), 1);
        let engine = Arc::new(open(folder.path()));
        let tokens = add_people(&Accounts::open(engine).unwrap());
        let app = serve(folder.path(), change).await;
        Rescue {
            app,
            folder,
            tokens,
        }
    }

    /// Restarts the app on the same store.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// As `restart`, with a changed configuration.
    pub async fn restart_with(self, change: impl FnOnce(&mut Config)) -> Self {
        self.restart_after(|_| (), change).await
    }

    /// As `restart_with`, with `work` on the store while no app uses it.
    pub async fn restart_after(
        self,
        work: impl FnOnce(&dyn Engine),
        change: impl FnOnce(&mut Config),
    ) -> Self {
        assert!(self.app.stop().await);
        work(&open(self.folder.path()));
        let app = serve(self.folder.path(), change).await;
        Rescue { app, ..self }
    }

    /// Returns the stores of a restored backup and of an imported export without staff, and the folder
    /// that has both.
    pub fn copies(&self) -> (TempDir, [PathBuf; 2]) {
        let place = tempfile::tempdir().unwrap();
        let (file, restored) = (place.path().join("b.redb"), place.path().join("restored"));
        backup(self.folder.path(), &file).unwrap();
        restore(&file, &restored).unwrap();
        check(&restored).unwrap();
        let (file, imported) = (place.path().join("e.ndjson"), place.path().join("imported"));
        let write = |out: &mut _| export(self.folder.path(), StaffData::Excluded, out);
        write_new(&file, write).unwrap();
        import(BufReader::new(File::open(&file).unwrap()), &imported).unwrap();
        (place, [restored, imported])
    }

    /// Restarts the app on another store.
    pub async fn moved_to(self, data: &Path) -> Self {
        self.moved_to_with(data, |_| {}).await
    }

    /// As `moved_to`, with a changed configuration.
    pub async fn moved_to_with(self, data: &Path, change: impl FnOnce(&mut Config)) -> Self {
        assert!(self.app.stop().await);
        let app = serve(data, change).await;
        Rescue { app, ..self }
    }

    /// Restarts the app as a node of a cluster.
    pub async fn moved_to_cluster(self, address: &str) -> Self {
        assert!(self.app.stop().await);
        let engine: EngineChoice = address.parse().unwrap();
        let app = serve(self.folder.path(), |config| config.store.engine = engine).await;
        Rescue { app, ..self }
    }

    /// Returns a browser that is not signed in.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.app.url(""), &self.app.client)
    }

    /// Returns a browser that is signed in as `name`.
    pub async fn signed_in(&self, name: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status(), 303, "{name} signs in");
        browser.get("/account").await;
        browser
    }

    /// Starts a rescue; also returns the browser of `name`, who is signed in.
    pub async fn start_as(name: &str) -> (Self, Browser) {
        let rescue = Rescue::start().await;
        let browser = rescue.signed_in(name).await;
        (rescue, browser)
    }

    /// Returns two browsers that these people are signed in with.
    pub async fn signed_in_both(&self, names: [&str; 2]) -> [Browser; 2] {
        [
            self.signed_in(names[0]).await,
            self.signed_in(names[1]).await,
        ]
    }

    /// Signs in with a new browser, and returns the status of the answer.
    pub async fn sign_in_status(&self, name: &str, password: &str) -> u16 {
        let answer = self.browser().sign_in(name, password).await;
        answer.status().as_u16()
    }

    /// Returns a request with this API token.
    pub fn bearing(&self, token: &str, method: &str, path: &str) -> RequestBuilder {
        self.app.request(method, path).bearer_auth(token)
    }
}

async fn serve(folder: &Path, change: impl FnOnce(&mut Config)) -> TestApp {
    let serve = |config: &mut Config| {
        config.auth = AuthMode::Serve;
        change(config);
    };
    spawn_app_in(folder, serve).await
}

/// Adds the admin anna and the staff boris. Returns tokens of boris: to read, to set statuses, to write.
pub fn add_people(directory: &Accounts) -> [String; 3] {
    add_person(directory, "anna", HASH.clone(), Role::Admin);
    add_person(directory, "boris", HASH.clone(), Role::Staff);
    let boris = "boris".parse().unwrap();
    Scope::ALL.map(|scope| {
        let made = directory
            .tokens()
            .create(&boris, scope.as_str(), scope, &operator());
        made.unwrap().token_text()
    })
}

/// Adds an account whose password has this hash.
pub fn add_person(directory: &Accounts, name: &str, hash: String, role: Role) {
    let name = name.parse().unwrap();
    directory
        .members()
        .add(&name, role, hash, &operator())
        .unwrap();
}

fn operator() -> Actor {
    Actor::operator(Author {
        name: "a test".to_owned(),
        client: "a test".to_owned(),
    })
}

/// A browser that keeps its cookie, and sends the form token of its last page.
#[derive(Clone)]
pub struct Browser {
    base: String,
    client: Client,
    /// The origin of its pages.
    pub origin: String,
    /// The value of its `Cookie` header: `pet-store=…`.
    pub cookie: Option<String>,
    pub form_token: String,
}

impl Browser {
    /// Returns a browser that is not signed in, for the site at `base`.
    pub fn at(base: &str, client: &Client) -> Self {
        Browser {
            base: base.to_owned(),
            client: client.clone(),
            origin: base.to_owned(),
            cookie: None,
            form_token: String::new(),
        }
    }

    /// Returns the same browser at another node, as behind a load balancer.
    pub fn moved_to(&self, base: &str) -> Self {
        Browser {
            base: base.to_owned(),
            origin: base.to_owned(),
            ..self.clone()
        }
    }

    pub async fn sign_in(&mut self, name: &str, password: &str) -> Response {
        self.get("/sign-in").await;
        self.post("/sign-in", &[("name", name), ("password", password)])
            .await
    }

    /// Returns true if the browser is signed in.
    pub async fn is_in(&mut self) -> bool {
        let answer = self.ask("GET", "/account").send().await.unwrap();
        answer.status() == 200
    }

    /// Returns the text of a page. Keeps its cookie and its form token.
    pub async fn get(&mut self, path: &str) -> String {
        let answer = self.ask("GET", path).send().await.unwrap();
        self.keep(&answer);
        let page = answer.text().await.unwrap();
        self.learn_form_token(&page);
        page
    }

    /// Keeps the form token of `page`.
    pub fn learn_form_token(&mut self, page: &str) {
        if let Some((_, rest)) = page.split_once("name=\"form-token\" value=\"") {
            self.form_token = rest.split('"').next().unwrap().to_owned();
        }
    }

    /// Sends a form with the form token, as a page of this site does.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        let token = self.form_token.clone();
        let fields = [fields, &[("form-token", token.as_str())]].concat();
        let request = self.ask("POST", path).header("origin", &self.origin);
        let answer = request.form(&fields).send().await.unwrap();
        self.keep(&answer);
        answer
    }

    /// Sends a form as `post` does, and returns the status of the answer.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> u16 {
        self.post(path, fields).await.status().as_u16()
    }

    /// Returns the status of a page.
    pub async fn status(&self, path: &str) -> u16 {
        let answer = self.ask("GET", path).send().await.unwrap();
        answer.status().as_u16()
    }

    /// Returns a request with the cookie.
    pub fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().unwrap();
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.header("user-agent", "Mozilla/5.0 (Android 14) Firefox/130.0");
        match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        }
    }

    fn keep(&mut self, answer: &Response) {
        for set in answer.headers().get_all("set-cookie") {
            let set = set.to_str().unwrap().split(';').next().unwrap();
            let name = set.split('=').next().unwrap();
            let name = name
                .trim_start_matches("__Host-")
                .trim_start_matches("__Secure-");
            // With the port, and below a base path with that.
            let instance = name.strip_prefix("pet-store");
            let is_session = |instance: &str| {
                let instance = instance.strip_prefix('-').unwrap_or("0");
                instance.starts_with(|letter: char| letter.is_ascii_digit())
            };
            if instance.is_some_and(is_session) {
                self.cookie = (!set.ends_with('=')).then(|| set.to_owned());
            }
        }
    }
}
