//! Namesakes are looked for on the board and in the batch, as the earlier commands of the batch leave it.

use std::sync::Arc;

use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::model::{AdoptionState, ChangeSource, Epoch, PetId, Profile, ProfilePatch};
use crate::store::MemoryEngine;
use crate::writer::{Command, Expected, Namesakes, WriteError, commit_all};

/// The result of one batch after Zoe the cat was added, who is private.
fn decide(commands: &[Command]) -> Result<(), WriteError> {
    let engine = Arc::new(MemoryEngine::new(Epoch::new(1)));
    let hub = Hub::open(engine.clone(), Metrics::new()).unwrap();
    let mut zoe = cat("Zo\u{eb}");
    zoe.state = AdoptionState::Private;
    let commit = |commands: &[Command]| commit_all(&*engine, &hub, commands, ChangeSource::Staff);
    commit(&[Command::create(zoe)]).unwrap();
    commit(commands)
}

fn cat(name: &str) -> Profile {
    Profile {
        name: name.to_owned(),
        species: "Cat".to_owned(),
        ..Profile::default()
    }
}

fn add(name: &str) -> Command {
    Command::create_among(Namesakes::Refused, cat(name))
}

fn rename(pet: PetId, name: &str) -> Command {
    Command::Edit {
        pet,
        patch: ProfilePatch::default().with("name", name),
        base: None,
        expected: Expected::Anything,
        namesakes: Namesakes::Refused,
    }
}

/// Two volunteers save the same animal in the same moment: one transaction has both commands.
#[test]
fn a_namesake_is_found_on_the_board_and_earlier_in_the_batch() {
    let zoe = PetId::FIRST;
    let added = zoe.next();
    let refused = |pet| Err(WriteError::Namesake(pet));
    for (commands, expected) in [
        (vec![add("ZOE")], refused(zoe)),
        (vec![add("Miso"), add(" miso ")], refused(added)),
        (vec![add("Miso"), rename(zoe, "M\u{ed}so")], refused(added)),
        (vec![add("Miso"), rename(added, "Zoe")], refused(zoe)),
        (vec![rename(zoe, "Zoe"), rename(zoe, "ZOE")], Ok(())),
        (vec![rename(zoe, "Miso"), add("Zoe")], Ok(())),
        (vec![rename(zoe, "Miso"), add("Miso")], refused(zoe)),
        (vec![Command::remove(zoe), add("Zoe")], Ok(())),
        (vec![Command::create(cat("Zoe")), add("Rex")], Ok(())),
    ] {
        assert_eq!(decide(&commands), expected, "{commands:?}");
    }
}
