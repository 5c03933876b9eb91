//! A rescue with pets that became private in every way.

use std::collections::HashMap;
use std::time::Duration;

use pet_store::auth::BaseUrl;
use pet_store::config::Config;
use pet_store::model::Timestamp;
use serde_json::{Value, json};

use super::ask::{Answer, Reader, ask};
use super::places::Place;
use crate::pages::photos::photo;
use crate::support::{Browser, PASSWORD, Rescue};

/// The public address, without which there is no sitemap.
const ORIGIN: &str = "https://pets.example";

/// A rescue in which Biscuit (1) and Miso are public.
pub struct World {
    pub rescue: Rescue,
    pub staff: Browser,
    /// A public pet.
    pub public: u64,
    /// A pet that was public first.
    pub concealed: u64,
    /// A pet that was never public.
    pub born_private: u64,
    /// A pet that was removed while it was private.
    pub removed: u64,
    /// The cursor before all of this.
    pub old: String,
    /// The entity tag of `concealed` while it was public, and now.
    pub tags: [String; 2],
    /// The name of each pet's photo, by the pet.
    photos: HashMap<u64, String>,
}

impl World {
    /// The name of `concealed`.
    pub const NAME: &str = "Zyxwvut";
    pub const PUBLIC_NAME: &str = "Miso";
    /// A note on the status of `concealed`.
    const NOTE: &str = "Tsrqpon";
    /// An id that no pet has, of as many digits as the others.
    pub const UNKNOWN: u64 = 9;

    /// Texts of private pets. No place may have one of them.
    pub const SECRETS: [&str; 6] = [
        World::NAME,
        "Wvutsrq",
        "Utsrqpo",
        "Quokka",
        "Kennel 13",
        World::NOTE,
    ];

    pub async fn start() -> Self {
        let rescue = Rescue::start_with(configure).await;
        let mut staff = rescue.browser();
        staff.origin = ORIGIN.to_owned();
        assert_eq!(staff.sign_in("boris", PASSWORD).await.status(), 303);
        let old = rescue.app.cursor().await;
        let pet = |name: &str, state: &str| {
            json!({
                "name": name, "species": "Quokka", "location": "Kennel 13", "state": state,
            })
        };
        let concealed = add(&rescue, &pet(World::NAME, "available")).await;
        let noted = json!({ "status": "bathing", "note": World::NOTE });
        write(&rescue, "PUT", &format!("/pets/{concealed}/status"), &noted).await;
        let public = add(&rescue, &json!({ "name": "Miso", "species": "Cat" })).await;
        let removed = add(&rescue, &pet("Utsrqpo", "available")).await;
        let mut photos = HashMap::new();
        for pet in [concealed, removed] {
            photos.insert(pet, add_photo(&rescue, pet).await);
        }
        let before = tag(&rescue, concealed).await;
        for pet in [concealed, removed] {
            let private = json!({ "state": "private" });
            write(&rescue, "PATCH", &format!("/pets/{pet}"), &private).await;
        }
        let born_private = add(&rescue, &pet("Wvutsrq", "private")).await;
        photos.insert(born_private, add_photo(&rescue, born_private).await);
        put_status(&rescue, concealed, "bathing").await;
        let renamed = json!({ "breed": "Quokka of Rottnest" });
        write(&rescue, "PATCH", &format!("/pets/{concealed}"), &renamed).await;
        write(&rescue, "DELETE", &format!("/pets/{removed}"), &json!({})).await;
        put_status(&rescue, public, "eating").await;
        let tags = [before, tag(&rescue, concealed).await];
        World {
            rescue,
            staff,
            public,
            concealed,
            born_private,
            removed,
            old,
            tags,
            photos,
        }
    }

    /// Restarts the program: memory is read back from the store.
    pub async fn restarted(self) -> Self {
        let rescue = self.rescue.restart_with(configure).await;
        let staff = self.staff.moved_to(&rescue.app.url(""));
        World {
            rescue,
            staff,
            ..self
        }
    }

    /// Returns the private pets, each with what it is.
    pub fn private(&self) -> [(&'static str, u64); 3] {
        [
            ("a pet that became private", self.concealed),
            ("a pet that always was private", self.born_private),
            ("a pet that was removed while private", self.removed),
        ]
    }

    /// Returns the name of the pet's photo, or one of a photo that never existed.
    fn photo(&self, pet: u64) -> String {
        let never = || format!("{}-64.jpg", "0".repeat(32));
        self.photos.get(&pet).cloned().unwrap_or_else(never)
    }

    pub async fn ask(&self, place: &Place, reader: Reader, pet: u64) -> Answer {
        let now = self.rescue.app.cursor().await;
        let fill = |text: &str| {
            let text = text
                .replace("{now}", &now)
                .replace("{id}", &pet.to_string());
            let text = text.replace("{old}", &self.old);
            let today = Timestamp::now().to_string();
            let text = text.replace("{today}", &today[.."2026-11-27".len()]);
            let text = text.replace("{photo}", &self.photo(pet));
            text.replace("{tag-before}", &self.tags[0])
                .replace("{tag-now}", &self.tags[1])
        };
        ask(self, place, reader, &fill).await
    }
}

fn configure(config: &mut Config) {
    config.base_url = Some(BaseUrl::parse(ORIGIN).unwrap());
    config.live.min_heartbeat = Duration::from_millis(50);
}

/// Writes over the API with the token to write, and returns the answer.
pub async fn write(rescue: &Rescue, method: &str, path: &str, body: &Value) -> Value {
    let request = rescue.bearing(&rescue.tokens[2], method, &format!("/api/v1{path}"));
    let answer = request.json(body).send().await.unwrap();
    assert!(answer.status().is_success(), "{method} {path}");
    answer.json().await.unwrap()
}

pub async fn add(rescue: &Rescue, pet: &Value) -> u64 {
    let added = write(rescue, "POST", "/pets", pet).await;
    added["id"].as_u64().unwrap()
}

/// Adds a photo, a different one for each pet. Returns its name.
async fn add_photo(rescue: &Rescue, pet: u64) -> String {
    let path = format!("/api/v1/pets/{pet}/photos");
    let request = rescue.bearing(&rescue.tokens[2], "POST", &path);
    let file = photo(64, 64 + u32::try_from(pet).unwrap());
    let answer = request.body(file).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let shown: Value = answer.json().await.unwrap();
    let url = shown["photos"][0]["url"].as_str().unwrap();
    url.strip_prefix("/photos/").unwrap().to_owned()
}

pub async fn put_status(rescue: &Rescue, pet: u64, status: &str) {
    let path = format!("/pets/{pet}/status");
    write(rescue, "PUT", &path, &json!({ "status": status })).await;
}

async fn tag(rescue: &Rescue, pet: u64) -> String {
    let path = format!("/api/v1/pets/{pet}");
    let request = rescue.bearing(&rescue.tokens[0], "GET", &path);
    let answer = request.send().await.unwrap();
    answer.headers()["etag"].to_str().unwrap().to_owned()
}
