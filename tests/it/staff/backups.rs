//! Staff data in backups and exports: everything except sessions, and in an export without staff only the
//! authors of changes.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use pet_store::store::archive::StaffData;
use pet_store::store::{backup, check, export, import, restore, write_new};

use crate::support::{PASSWORD, Rescue};

#[tokio::test]
async fn a_restored_backup_has_accounts_and_tokens_but_no_sessions() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    assert_eq!(
        anna.submit("/pets/1/status", &[("status", "eating")]).await,
        303
    );
    let place = tempfile::tempdir().unwrap();
    let (file, data) = (place.path().join("b.redb"), place.path().join("data"));
    backup(rescue.folder.path(), &file).unwrap();
    restore(&file, &data).unwrap();
    check(&data).unwrap();
    let restored = rescue.moved_to(&data).await;
    let mut stale = restored.browser();
    stale.cookie = anna.cookie;
    assert!(
        !stale.is_in().await,
        "a session that was ended would come alive again"
    );
    let mut anna = restored.signed_in("anna").await;
    let history = anna.get("/pets/1/history").await;
    assert!(history.contains("<strong>anna</strong>"), "{history}");
    assert!(anna.get("/audit").await.contains("signed in"));
    let [read, ..] = &restored.tokens;
    let asked = restored
        .bearing(read, "GET", "/pets/1/history")
        .send()
        .await;
    assert_eq!(asked.unwrap().status(), 200);
}

/// Imports the export into a new folder.
fn import_again(file: &Path, data: &Path) {
    let opened = File::open(file).unwrap();
    import(BufReader::new(opened), data).unwrap();
    check(data).unwrap();
}

#[tokio::test]
async fn an_imported_export_has_accounts_tokens_and_audit_entries_but_no_sessions() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    anna.post("/pets/1/status", &[("status", "eating")]).await;
    anna.get("/staff").await;
    let invited = anna.post("/staff", &[("name", "carla"), ("role", "staff")]);
    let invited = invited.await.text().await.unwrap();
    let (_, link) = invited.split_once("&#x2f;welcome&#x2f;").unwrap();
    let link = format!("/welcome/{}", &link[..64]);
    let place = tempfile::tempdir().unwrap();
    let (file, data) = (place.path().join("e.ndjson"), place.path().join("data"));
    write_new(&file, |out| {
        export(rescue.folder.path(), StaffData::Included, out)
    })
    .unwrap();
    assert!(!std::fs::read_to_string(&file).unwrap().contains("session"));
    import_again(&file, &data);
    let imported = rescue.moved_to(&data).await;
    let mut stale = imported.browser();
    stale.cookie = anna.cookie;
    assert!(!stale.is_in().await, "sessions stay where they were");
    let mut anna = imported.signed_in("anna").await;
    let history = anna.get("/pets/1/history").await;
    assert!(history.contains("<strong>anna</strong>"), "{history}");
    assert!(anna.get("/audit").await.contains("signed in"));
    let invited = imported.browser().get(&link).await;
    assert!(invited.contains("carla"), "{invited}");
    for token in &imported.tokens {
        let asked = imported.bearing(token, "GET", "/pets/1/history").send();
        assert_eq!(asked.await.unwrap().status(), 200);
    }
}

#[tokio::test]
async fn an_export_without_staff_contains_no_credentials() {
    let (rescue, mut anna) = Rescue::start_as("anna").await;
    anna.post("/pets/1/status", &[("status", "eating")]).await;
    let place = tempfile::tempdir().unwrap();
    let (file, data) = (place.path().join("e.ndjson"), place.path().join("data"));
    write_new(&file, |out| {
        export(rescue.folder.path(), StaffData::Excluded, out)
    })
    .unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for secret in ["argon2id", "session", "token", "boris", "password", "clock"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    import_again(&file, &data);
    let imported = rescue.moved_to(&data).await;
    let refused = imported.browser().sign_in("anna", PASSWORD).await;
    assert_eq!(refused.status(), 401);
}
