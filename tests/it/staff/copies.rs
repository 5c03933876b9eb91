//! What copies of a store know of staff: a backup everything but who is signed in, an export who made
//! each change and nothing else.

use pet_store::store::{backup, check, export_to, import, restore};

use crate::support::{PASSWORD, Rescue};

#[tokio::test]
async fn a_restored_backup_knows_staff_and_tokens_and_nobody_is_signed_in() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    assert_eq!(
        anna.post("/pets/1/status", &[("status", "eating")])
            .await
            .status(),
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

#[tokio::test]
async fn an_export_has_nothing_that_opens_anything() {
    let rescue = Rescue::start().await;
    let mut anna = rescue.signed_in("anna").await;
    anna.post("/pets/1/status", &[("status", "eating")]).await;
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("export.ndjson");
    export_to(rescue.folder.path(), &file).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    for secret in ["argon2id", "session", "token", "boris", "password"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    let data = place.path().join("data");
    import(
        std::fs::File::open(&file)
            .map(std::io::BufReader::new)
            .unwrap(),
        &data,
    )
    .unwrap();
    let imported = rescue.moved_to(&data).await;
    let refused = imported.browser().sign_in("anna", PASSWORD).await;
    assert_eq!(refused.status(), 401);
}
