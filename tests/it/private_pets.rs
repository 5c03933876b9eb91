//! Private pets: nobody but staff gets anything of them, on any transport, before or after the change.
//!
//! `places` lists where a pet could leak. Each place is asked by a visitor, a page of another site, a
//! program with a token to read, and staff; for a pet that became private, one that always was, and one
//! that was removed while it was private. A new route is a new row.

mod ask;
mod history;
mod namesakes;
mod places;
mod world;

use self::ask::{Answer, Reader};
use self::places::{PLACES, Seen};
use self::world::World;

/// Asserts for every place and reader that only staff get anything of a private pet.
async fn check(world: &World) {
    for place in PLACES {
        let unknown = World::UNKNOWN;
        for reader in Reader::ALL {
            let seen = if reader.is_staff() {
                place.staff
            } else {
                Seen::Nothing
            };
            for (which, id) in world.private() {
                let what = format!("{} as {reader:?}: {which}", place.name);
                let answer = world.ask(place, reader, id).await;
                match seen {
                    Seen::Nothing => {
                        assert_nothing(&what, &answer);
                        assert!(
                            place.is_of_one_pet() || !answer.links_to(id),
                            "{what}: {answer:?}"
                        );
                    }
                    Seen::Pet if id == world.concealed => {
                        assert!(answer.body.contains(World::NAME), "{what}: {answer:?}");
                    }
                    Seen::Pet | Seen::Unchecked => continue,
                }
                if seen == Seen::Nothing && place.is_of_one_pet() && !place.tells_its_end {
                    let expected = world.ask(place, reader, unknown).await;
                    let ids = [id, unknown];
                    assert_eq!(answer.without(ids), expected.without(ids), "{what}");
                }
            }
        }
    }
}

fn assert_nothing(what: &str, answer: &Answer) {
    for secret in World::SECRETS {
        let text = format!("{answer:?}");
        assert!(!text.contains(secret), "{what} has {secret:?}: {text}");
    }
}

#[tokio::test]
async fn no_place_tells_anybody_but_staff_of_a_private_pet() {
    assert!(PLACES.len() >= 40, "{}", PLACES.len());
    let world = World::start().await;
    check(&world).await;
    check(&world.restarted().await).await;
}

/// The table finds leaks: a public pet leaks everywhere that staff may look.
#[tokio::test]
async fn every_place_that_shows_pets_shows_a_public_one() {
    let world = World::start().await;
    let mut shows = 0;
    for place in PLACES.iter().filter(|place| place.shows_public) {
        let answer = world.ask(place, Reader::Visitor, world.public).await;
        assert!(
            answer.body.contains(World::PUBLIC_NAME) || answer.links_to(world.public),
            "{}: {answer:?}",
            place.name
        );
        shows += 1;
    }
    assert!(shows >= 15, "{shows}");
}
