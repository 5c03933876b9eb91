//! The sample pets of the demo. All of them are made up.

use rand::Rng;
use rand::prelude::IndexedRandom;

use crate::model::{Profile, Sex, Status};
use crate::writer::Command;

/// Name, species, breed, sex, age, about.
type Sample = (
    &'static str,
    &'static str,
    &'static str,
    Sex,
    &'static str,
    &'static str,
);

const SAMPLES: [Sample; 8] = [
    (
        "Biscuit",
        "Dog",
        "Beagle mix",
        Sex::Male,
        "about 3 years",
        "Found at a petrol station, now finds everything else. Walks well on a lead, loves children \
         and cannot be left alone with a sandwich.",
    ),
    (
        "Miso",
        "Cat",
        "Domestic shorthair",
        Sex::Female,
        "5 years",
        "Wants the sunny windowsill and, after a week, also you. Lives happily with other cats.",
    ),
    (
        "Pepper",
        "Rabbit",
        "Netherland Dwarf",
        Sex::Female,
        "8 months",
        "Digs, hops and rearranges the furniture. Needs a friend of her own kind and a large run.",
    ),
    (
        "Otto",
        "Dog",
        "Greyhound",
        Sex::Male,
        "7 years",
        "Retired from racing and very good at it. Two walks, one sofa, no small animals.",
    ),
    (
        "Clementine",
        "Guinea pig",
        "Abyssinian",
        Sex::Female,
        "1 year",
        "Announces the fridge door to the whole house. Shy for a day, then not at all.",
    ),
    (
        "Juniper",
        "Cat",
        "Maine Coon mix",
        Sex::Unknown,
        "about 10 weeks",
        "Born under a garden shed in spring. Everything is a toy, and the toys are exhausted.",
    ),
    (
        "Waffles",
        "Parrot",
        "Cockatiel",
        Sex::Male,
        "4 years",
        "Whistles the first half of every tune he knows. Looking for someone with the other half.",
    ),
    (
        "Maple",
        "Dog",
        "Labrador",
        Sex::Female,
        "11 years",
        "A grey muzzle and a steady heart. Sleeps through thunder, wakes up for cheese.",
    ),
];

/// Returns commands that create `count` pets with random statuses. After the first eight, names repeat
/// with a number.
pub fn sample_pets(count: u32, random: &mut impl Rng) -> Vec<Command> {
    let rounds = (0..).flat_map(|round: u32| SAMPLES.iter().map(move |sample| (round, sample)));
    rounds
        .take(usize::try_from(count).unwrap_or(usize::MAX))
        .map(|(round, sample)| Command::Create {
            profile: profile(round, sample),
            status: *Status::ALL
                .choose(random)
                .expect("there are statuses to choose from"),
        })
        .collect()
}

fn profile(round: u32, &(name, species, breed, sex, age, about): &Sample) -> Profile {
    Profile {
        name: if round == 0 {
            name.to_owned()
        } else {
            format!("{name} {}", round + 1)
        },
        species: species.to_owned(),
        breed: breed.to_owned(),
        sex,
        age: age.to_owned(),
        about: about.to_owned(),
        ..Profile::default()
    }
}
