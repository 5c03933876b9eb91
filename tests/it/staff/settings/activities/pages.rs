//! Activities on the pages of staff and of visitors.

use serde_json::json;

use super::{rescue_with_vet, send, set};
use crate::support::unescape;

#[tokio::test]
async fn staff_set_an_activity_with_the_buttons_and_every_page_shows_its_name() {
    let (rescue, mut anna) = rescue_with_vet().await;
    let mut boris = rescue.signed_in("boris").await;
    for path in ["/pets", "/pets/1"] {
        let page = unescape(&boris.get(path).await);
        assert!(
            page.contains("name=\"status\" value=\"at-the-vet\""),
            "{path}: {page}"
        );
    }
    let fields = [("status", "at-the-vet"), ("pet", "1")];
    assert_eq!(boris.submit("/pets/statuses", &fields).await, 303);
    let page = unescape(&boris.get("/pets").await);
    assert!(page.contains(">1</span> at the vet</a>"), "{page}");

    let page = rescue.app.text("/pets").await;
    assert!(page.contains("data-field=\"status\">At the vet<"), "{page}");
    // The address keeps the word, and pages have the new name immediately, also in cached cards.
    let edit = [("name", "Clinic \u{2665}"), ("icon", "medicine")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &edit)
            .await
            .0,
        303
    );
    let sheet = "/assets/activities/at-the-vet.medicine.7a0019.css";
    for path in ["/pets", "/pets?doing=at-the-vet", "/pets/1", "/board"] {
        let page = unescape(&rescue.app.text(path).await);
        for part in [
            "data-status=\"at-the-vet\"",
            "data-field=\"status\">Clinic \u{2665}<",
            &format!("<link rel=\"stylesheet\" href=\"{sheet}\">"),
            "data-activities=\"{\"at-the-vet\":\"Clinic \u{2665}\"}\"",
        ] {
            assert!(page.contains(part), "{path}, {part}: {page}");
        }
    }
    let css = rescue.app.get(sheet).await;
    assert!(
        css.headers()["cache-control"]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert!(css.text().await.unwrap().ends_with("#complete{order:1}\n"));
    let wrong = rescue
        .app
        .get("/assets/activities/walk.horse.7a0019.css")
        .await;
    assert_eq!(wrong.status(), 404);
    let page = unescape(&rescue.app.text("/pets?doing=at-the-vet").await);
    assert!(
        page.contains("1 pet</b>") && page.contains(">1</span> clinic \u{2665}</a>"),
        "{page}"
    );
    let history = unescape(&boris.get("/pets/1/history").await);
    assert!(history.contains(" to clinic \u{2665}"), "{history}");
    let export = boris.get("/pets/export.csv").await;
    assert!(export.contains(",at-the-vet,"), "{export}");
}

#[tokio::test]
async fn a_hidden_activity_stays_on_pets_and_in_their_days_and_is_on_no_button() {
    let (rescue, mut anna) = rescue_with_vet().await;
    let since = json!({ "status": "at-the-vet", "since": "2026-01-01T10:00:00Z" });
    set(&rescue, &since).await;
    let hide = [("hidden", "yes")];
    assert_eq!(
        send(&mut anna, "/settings/activities/at-the-vet", &hide)
            .await
            .0,
        303
    );
    let page = unescape(&anna.get("/pets/1").await);
    assert!(
        !page.contains("name=\"status\" value=\"at-the-vet\""),
        "{page}"
    );
    assert!(page.contains("data-field=\"status\">At the vet<"), "{page}");
    let day = unescape(&rescue.app.text("/pets/1/days/2026-01-02").await);
    assert!(day.contains("At the vet") && day.contains("24 h"), "{day}");
    let day = rescue.app.json("/api/v1/pets/1/days/2026-01-02").await;
    let total = json!({ "status": "sleeping", "activity": "at-the-vet", "seconds": 86400 });
    assert_eq!(day["totals"], json!([total]));
    assert_eq!(day["parts"][0]["activity"], "at-the-vet");
}
