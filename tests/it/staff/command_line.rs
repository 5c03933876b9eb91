//! `pet-store staff`: managing accounts from the command line.

use std::fs;
use std::path::Path;
use std::process::Output;

use tokio::process::Command;

use crate::support::{Process, Rescue, within};

/// Runs `pet-store staff` in `folder`, without a terminal.
async fn staff(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("setsid");
    command
        .arg("--wait")
        .arg(env!("CARGO_BIN_EXE_pet-store"))
        .arg("staff")
        .args(arguments)
        .current_dir(folder);
    within("the end of the command", command.output())
        .await
        .unwrap()
}

fn said(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn ok(folder: &Path, arguments: &[&str]) -> String {
    let output = staff(folder, arguments).await;
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        said(&output.stderr)
    );
    said(&output.stdout)
}

/// Returns the one line of the error message.
async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = staff(folder, arguments).await;
    let line = said(&output.stderr);
    assert!(!output.status.success(), "{arguments:?}");
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

#[tokio::test]
async fn accounts_are_added_listed_reset_disabled_enabled_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(
        path.join("password"),
        "four words are enough\nnot this line\n",
    )
    .unwrap();
    let with_password = ["--password-file", "password"];
    let add = ["add", "Anna", "--role", "admin"];
    assert_eq!(
        ok(path, &[&add[..], &with_password].concat()).await,
        "added anna as admin\n"
    );
    let add = ["add", "boris", "--role", "staff"];
    ok(path, &[&add[..], &with_password].concat()).await;
    ok(path, &["disable", "boris"]).await;
    let list = ok(path, &["list"]).await;
    let words: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(
        words,
        [["anna", "admin", "active"], ["boris", "staff", "disabled"]]
    );
    ok(path, &["enable", "boris"]).await;
    ok(path, &[&["reset", "boris"][..], &with_password].concat()).await;
    ok(path, &["remove", "boris"]).await;
    assert_eq!(ok(path, &["list"]).await.lines().count(), 1);
    let file = fs::read(path.join("data/pet-store.redb")).unwrap();
    let password = b"four words are enough";
    assert!(!file.windows(password.len()).any(|part| part == password));
}

#[tokio::test]
async fn an_invalid_command_is_refused_in_one_line_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    assert!(refused(path, &["list"]).await.contains("no store"));
    assert_eq!(path.read_dir().unwrap().count(), 0, "and none was created");
    fs::write(path.join("short"), "short\n").unwrap();
    fs::write(path.join("good"), "four words are enough").unwrap();
    let add = |name, file| ["add", name, "--role", "admin", "--password-file", file];
    assert!(
        refused(path, &add("anna", "short"))
            .await
            .contains("at least 12 characters")
    );
    assert!(
        refused(path, &add("anna", "nothing"))
            .await
            .contains("nothing")
    );
    assert!(
        refused(path, &add("an na", "good"))
            .await
            .contains("lowercase letters")
    );
    assert!(refused(path, &["add", "anna"]).await.contains("--role"));
    let owner = ["add", "anna", "--role", "owner", "--password-file", "good"];
    assert!(refused(path, &owner).await.contains("admin or staff"));
    let asks = ["add", "anna", "--role", "admin"];
    assert!(
        refused(path, &asks).await.contains("--password-file"),
        "there is no terminal"
    );
    ok(path, &add("anna", "good")).await;
    assert!(refused(path, &add("anna", "good")).await.contains("taken"));
    for word in ["remove", "disable"] {
        assert!(refused(path, &[word, "anna"]).await.contains("last one"));
        assert!(refused(path, &[word, "boris"]).await.contains("boris"));
    }
}

#[tokio::test]
async fn while_a_server_runs_the_command_says_what_to_do() {
    let rescue = Rescue::start().await;
    let data = rescue.folder.path().to_str().unwrap();
    let line = refused(rescue.folder.path(), &["--data", data, "list"]).await;
    assert!(
        line.contains("stop it first") && line.contains("/staff"),
        "{line}"
    );
    assert!(rescue.signed_in("anna").await.is_in().await);
}

#[tokio::test]
async fn a_server_with_an_account_prints_no_bootstrap_link() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("password"), "four words are enough").unwrap();
    let add = [
        "add",
        "anna",
        "--role",
        "admin",
        "--password-file",
        "password",
    ];
    ok(folder.path(), &add).await;
    let process = Process::start(folder.path(), &["serve", "--listen", "127.0.0.1:0"]).await;
    process.json("/live/state").await;
    assert!(
        process
            .lines()
            .iter()
            .all(|line| !line.contains("/welcome/"))
    );
}
