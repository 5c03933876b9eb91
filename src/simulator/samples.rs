//! The sample pets of the demo. All of them are made up.

use rand::Rng;
use rand::prelude::IndexedRandom;

use crate::model::{Profile, Status};
use crate::writer::{Command, Namesakes};

/// Profiles, as they are in messages and records.
const SAMPLES: &str = include_str!("samples.json");

/// Returns commands that create `count` pets with random statuses. After the last sample, names repeat
/// with a number.
pub fn sample_pets(count: u32, random: &mut impl Rng) -> Vec<Command> {
    let samples: Vec<Profile> = serde_json::from_str(SAMPLES).expect("a test reads the samples");
    let rounds = (1..).flat_map(|round: u32| samples.iter().map(move |sample| (round, sample)));
    rounds
        .take(usize::try_from(count).unwrap_or(usize::MAX))
        .map(|(round, sample)| Command::Create {
            profile: numbered(round, sample.clone()),
            photos: Vec::new(),
            status: *Status::FOUR
                .choose(random)
                .expect("there are statuses to choose from"),
            namesakes: Namesakes::Allowed,
        })
        .collect()
}

fn numbered(round: u32, mut profile: Profile) -> Profile {
    if round > 1 {
        profile.name = format!("{} {round}", profile.name);
    }
    profile
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AdoptionState, ProfileInput};
    use crate::simulator::seeded_random;

    #[test]
    fn every_sample_is_a_valid_public_pet_and_later_ones_have_numbers() {
        let commands = sample_pets(9, &mut seeded_random(None));
        let profiles = commands.into_iter().map(|command| match command {
            Command::Create { profile, .. } => profile,
            other => panic!("{other:?}"),
        });
        let profiles: Vec<Profile> = profiles.collect();
        for profile in &profiles {
            let entered = ProfileInput::from_profile(profile).into_profile();
            assert_eq!(entered.as_ref(), Ok(profile));
            assert_ne!(profile.state, AdoptionState::Private);
        }
        assert_eq!(profiles[8].name, format!("{} 2", profiles[0].name));
    }
}
