//! The bootstrap link, which a server without accounts prints to create the first admin account.

use std::path::Path;

use rustix::process::Signal;

use crate::support::Process;

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// Returns the link that the server printed, if it did.
fn link_of(process: &Process) -> Option<String> {
    let lines = process.lines();
    let line = lines.iter().find(|line| line.contains("/welcome/"))?;
    let (_, link) = line.split_once(" at ")?;
    Some(link.trim_end_matches(['"', '}']).to_owned())
}

async fn start(folder: &Path) -> Process {
    Process::start(folder, &SERVE).await
}

/// Creates the first admin account as a browser would, and returns the status of the answer.
async fn become_admin(process: &Process, link: &str, name: &str) -> u16 {
    let page = process.client.get(link).send().await.unwrap();
    if page.status() != 200 {
        return page.status().as_u16();
    }
    let cookie = page.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let page = page.text().await.unwrap();
    let (_, rest) = page.split_once("name=\"form-token\" value=\"").unwrap();
    let token = rest.split('"').next().unwrap();
    let password = "four words are enough";
    let fields = [
        ("form-token", token),
        ("name", name),
        ("password", password),
        ("again", password),
        ("role", "staff"),
    ];
    let request = process.client.post(link).header("cookie", cookie);
    let answer = request.form(&fields).send().await.unwrap();
    answer.status().as_u16()
}

#[tokio::test]
async fn the_bootstrap_link_creates_one_admin_account() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path()).await;
    process.wait_for_line("/welcome/").await;
    let link = link_of(&process).unwrap();
    assert!(link.starts_with(&process.base), "{link}");
    assert_eq!(become_admin(&process, &link, "<b>").await, 422);
    assert_eq!(
        become_admin(&process, &link, "anna").await,
        200,
        "the board, after a redirect"
    );
    assert_eq!(become_admin(&process, &link, "mallory").await, 404);
    let page = process.client.get(&link).send().await.unwrap();
    assert_eq!(page.status(), 404, "the form is not even shown");
    process.signal(Signal::TERM);
    process.end().await;
    let again = start(folder.path()).await;
    assert_eq!(
        again.json("/live/state").await["pets"],
        serde_json::json!([])
    );
    assert_eq!(link_of(&again), None, "there is an admin");
}

#[tokio::test]
async fn each_start_without_accounts_prints_a_new_bootstrap_link() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(folder.path()).await;
    process.wait_for_line("/welcome/").await;
    let first = link_of(&process).unwrap();
    process.kill().await;
    let process = start(folder.path()).await;
    process.wait_for_line("/welcome/").await;
    let second = link_of(&process).unwrap();
    let (_, secret) = first.rsplit_once('/').unwrap();
    assert!(!second.ends_with(secret));
    let old = format!("{}/welcome/{secret}", process.base);
    assert_eq!(become_admin(&process, &old, "mallory").await, 404);
    assert_eq!(become_admin(&process, &second, "anna").await, 200);
}

#[tokio::test]
async fn the_bootstrap_link_uses_the_public_address_and_the_demo_prints_none() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        &SERVE[..],
        &["--base-url", "https://pets.example", "--log-format", "json"],
    ];
    let process = Process::start(folder.path(), &arguments.concat()).await;
    process.wait_for_line("/welcome/").await;
    assert!(
        link_of(&process)
            .unwrap()
            .starts_with("https://pets.example/welcome/")
    );
    let demo = tempfile::tempdir().unwrap();
    let demo = Process::start(demo.path(), &["--listen", "127.0.0.1:0"]).await;
    demo.json("/live/state").await;
    assert_eq!(link_of(&demo), None);
}

/// The link was <http://0.0.0.0>, which no browser opens.
#[tokio::test]
async fn the_bootstrap_link_of_a_server_on_all_interfaces_works() {
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["serve", "--listen", listen];
        let process = Process::start(folder.path(), &arguments).await;
        process.wait_for_line("/welcome/").await;
        let link = link_of(&process).unwrap();
        assert!(
            !link.contains("//0.0.0.0") && !link.contains("//[::]"),
            "{link}"
        );
        let page = process.client.get(&link).send().await.unwrap();
        assert_eq!(page.status(), 200, "{link}");
    }
}
