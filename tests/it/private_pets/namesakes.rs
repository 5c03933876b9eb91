//! The warning before a second pet of the same name must not be a way to ask for the name of a private
//! one.

use super::world::World;

/// The answers for the name of a private pet, and for one that no pet has, of the same length.
const NAMES: [&str; 2] = ["ZYXWVUT", "ZZZZZZZ"];

#[tokio::test]
async fn only_staff_are_warned_of_a_private_namesake() {
    let mut world = World::start().await;
    let rescue = &world.rescue;
    let bearer = |token: usize| Some(format!("Bearer {}", rescue.tokens[token]));
    let readers = [
        ("a visitor", None),
        ("a token to read", bearer(0)),
        ("a token to set a status", bearer(1)),
    ];
    for path in ["/pets", "/pets/1"] {
        for (who, token) in &readers {
            let mut answers = Vec::new();
            for name in NAMES {
                let mut request = rescue.app.request("POST", path);
                if let Some(token) = token {
                    request = request.header("authorization", token);
                }
                let fields = [("name", name), ("species", "QUOKKA")];
                let answer = request.form(&fields).send().await.unwrap();
                let status = answer.status().as_u16();
                let text = answer.text().await.unwrap();
                answers.push((status, text.replace(name, "NAME").len()));
                for secret in World::SECRETS {
                    assert!(!text.contains(secret), "{who} at {path}: {text}");
                }
                let warning = "There is already a pet";
                assert!(!text.contains(warning), "{who} at {path}: {text}");
            }
            assert_ne!(answers[0].0, 409, "{who} at {path}");
            assert_eq!(answers[0], answers[1], "{who} at {path}");
        }
    }
    let staff = &mut world.staff;
    staff.get("/pets/new").await;
    let fields = [("name", NAMES[0]), ("species", "QUOKKA")];
    let warned = staff.post("/pets", &fields).await;
    assert_eq!(warned.status(), 409);
    assert!(warned.text().await.unwrap().contains(World::NAME));
}
