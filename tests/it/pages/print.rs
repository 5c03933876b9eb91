//! Sheets to print: for staff, with a QR code that leads to the page of the pet.

use pet_store::auth::BaseUrl;
use rqrr::PreparedImage;
use serde_json::json;

use crate::support::{Rescue, spawn_app, unescape};

/// Pixels per module, of which a camera needs several.
const SCALE: usize = 4;

async fn public_rescue() -> Rescue {
    let base = Some(BaseUrl::parse("https://pets.example").unwrap());
    Rescue::start_with(|config| config.base_url = base).await
}

/// Returns the status of a page and its text, for staff.
async fn read(rescue: &Rescue, path: &str) -> (u16, String) {
    let request = rescue.bearing(&rescue.tokens[0], "GET", path);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Reads the QR code of a page as a camera does.
fn scan(page: &str) -> Option<String> {
    let page = unescape(page);
    let (_, svg) = page.split_once("viewBox=\"-4 -4 ")?;
    let width: usize = svg.split(' ').next()?.parse().unwrap();
    let (_, path) = svg.split_once("<path d=\"M")?;
    let mut is_dark = vec![false; width * width];
    for module in path.split('"').next()?.split('M') {
        let place = module.strip_suffix("h1v1h-1z").unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let [x, y] = [x, y].map(|number| number.parse::<usize>().unwrap() + 4);
        is_dark[y * width + x] = true;
    }
    let shade = |x: usize, y: usize| {
        if is_dark[y / SCALE * width + x / SCALE] {
            0
        } else {
            255
        }
    };
    let mut image = PreparedImage::prepare_from_greyscale(width * SCALE, width * SCALE, shade);
    let grids = image.detect_grids();
    let [code] = &grids[..] else {
        panic!("{} codes", grids.len());
    };
    Some(code.decode().unwrap().1)
}

#[tokio::test]
async fn the_code_of_every_sheet_leads_to_the_page_of_the_pet() {
    let rescue = public_rescue().await;
    for (query, sheet) in [
        ("as=card", "card-a5"),
        ("as=card&paper=a6", "card-a6"),
        ("as=poster", "poster-a4"),
        ("as=poster&paper=letter", "poster-letter"),
        ("as=anything&paper=any", "card-a5"),
        ("", "card-a5"),
    ] {
        let (_, page) = read(&rescue, &format!("/pets/1/print?{query}")).await;
        assert_eq!(scan(&page).as_deref(), Some("https://pets.example/pets/1"));
        assert!(page.contains(&format!("data-sheet=\"{sheet}\"")), "{query}");
        assert!(
            unescape(&page).contains("pets.example/pets/1</p>"),
            "{query}"
        );
    }
}

#[tokio::test]
async fn without_a_public_address_the_page_says_why_there_is_no_code() {
    let rescue = Rescue::start().await;
    let page = rescue
        .signed_in("boris")
        .await
        .get("/pets/1/print?as=card")
        .await;
    assert_eq!(scan(&page), None);
    assert!(page.contains("<code>--base-url</code>"), "{page}");
    let demo = spawn_app().await;
    demo.add_pet("Biscuit").await;
    assert!(demo.text("/pets/1").await.contains("/pets/1/print"));
    let page = demo.text("/pets/1/print?as=card").await;
    assert_eq!(scan(&page), None);
    assert!(page.contains("The demo has no public address"), "{page}");
}

#[tokio::test]
async fn a_sheet_has_what_visitors_may_read() {
    let rescue = public_rescue().await;
    let fields = json!({
        "name": "Miso", "species": "Cat", "breed": "Siamese", "sex": "female",
        "about": "Shy at first.", "location": "Kennel 4", "state": "on-hold",
    });
    let request = rescue.bearing(&rescue.tokens[2], "POST", "/api/v1/pets");
    assert_eq!(request.json(&fields).send().await.unwrap().status(), 201);
    let path = "/pets/2/print?as=poster";
    let page = unescape(&read(&rescue, path).await.1);
    let (_, sheet) = page.split_once("<article class=\"sheet").unwrap();
    for part in [
        "Miso",
        "Cat",
        "Siamese",
        "Female",
        "Shy at first.",
        "On hold",
    ] {
        assert!(sheet.contains(part), "{part} in {sheet}");
    }
    assert!(
        !sheet.contains("Kennel 4") && !sheet.contains("Unknown"),
        "{sheet}"
    );
    let answer = rescue.browser().ask("GET", path).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(read(&rescue, "/pets/9/print?as=card").await.0, 404);
    assert!(!rescue.app.text("/pets/2").await.contains("/print"));
}
