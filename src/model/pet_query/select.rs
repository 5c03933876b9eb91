//! Finds the pets of a view.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::super::{Audience, FieldKind, Pet, PetId, Profile, Status, fold};
use super::{PetQuery, PetSort};

/// The pets of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PetPage {
    /// The pets, in their order.
    pub pets: Vec<Arc<Pet>>,
    /// Number of pets on all pages of the view.
    pub matching: usize,
    /// Number of pages, at least 1.
    pub pages: usize,
    /// Every status of any rescue and the activities that pets have, with the number of pets that the view has
    /// without its `doing`.
    pub doing: Vec<(Status, usize)>,
}

/// The conditions of a view, prepared for comparisons.
struct Criteria<'a> {
    query: &'a PetQuery,
    audience: Audience,
    words: Vec<String>,
    species: String,
    /// Folded texts of species seen before. Most boards have few.
    known: HashMap<&'a str, bool>,
}

impl PetQuery {
    /// Pets on a page.
    pub const PAGE_PETS: usize = 48;

    /// Selects the pets of this view from those that `audience` may know of, in the order of their ids.
    pub fn select(&self, pets: &[Arc<Pet>], audience: Audience) -> PetPage {
        let mut criteria = Criteria::new(self, audience);
        let mut doing = Status::BUILT_IN.map(|status| (status, 0)).to_vec();
        let mut found = Vec::new();
        for pet in pets {
            if !criteria.matches(pet) {
                continue;
            }
            match doing.iter_mut().find(|(status, _)| *status == pet.status) {
                Some((_, count)) => *count += 1,
                None => doing.push((pet.status, 1)),
            }
            if self.doing.is_none_or(|status| status == pet.status) {
                found.push(pet);
            }
        }
        self.sort.apply(&mut found);
        let first = self.pages_before.saturating_mul(PetQuery::PAGE_PETS);
        let page = found.iter().skip(first).take(PetQuery::PAGE_PETS);
        PetPage {
            pets: page.map(|pet| Arc::clone(pet)).collect(),
            matching: found.len(),
            pages: found.len().div_ceil(PetQuery::PAGE_PETS).max(1),
            doing,
        }
    }

    /// Returns the ids of the pets on all pages of this view.
    pub fn select_ids(&self, pets: &[Arc<Pet>], audience: Audience) -> BTreeSet<PetId> {
        let mut criteria = Criteria::new(self, audience);
        let has_status = |pet: &Pet| self.doing.is_none_or(|status| status == pet.status);
        let found = pets.iter();
        let found = found.filter(|pet| has_status(pet) && criteria.matches(pet));
        found.map(|pet| pet.id).collect()
    }
}

impl PetSort {
    fn apply(self, pets: &mut [&Arc<Pet>]) {
        match self {
            PetSort::Oldest => {}
            PetSort::Newest => pets.reverse(),
            PetSort::Name => pets.sort_by_cached_key(|pet| fold(&pet.profile.name)),
            PetSort::Changed => pets.sort_by_key(|pet| Reverse(pet.since)),
        }
    }
}

impl<'a> Criteria<'a> {
    fn new(query: &'a PetQuery, audience: Audience) -> Self {
        Criteria {
            query,
            audience,
            words: fold(&query.text)
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            species: fold(&query.species),
            known: HashMap::new(),
        }
    }

    /// Returns true if the pet has everything but the status.
    fn matches(&mut self, pet: &'a Pet) -> bool {
        let profile = &pet.profile;
        self.query.state.is_none_or(|state| state == profile.state)
            && self.query.tags.iter().all(|tag| profile.tags.has(tag))
            && self.is_species(&profile.species)
            && self.has_words(profile)
    }

    fn is_species(&mut self, species: &'a str) -> bool {
        let wanted = &self.species;
        wanted.is_empty()
            || *self
                .known
                .entry(species)
                .or_insert_with(|| fold(species) == *wanted)
    }

    /// Returns true if each word is in one of the lines of the profile.
    fn has_words(&self, profile: &Profile) -> bool {
        if self.words.is_empty() {
            return true;
        }
        let fields = Profile::fields_for(self.audience);
        let lines = fields.filter(|field| matches!(field.kind, FieldKind::Line(_)));
        let lines: Vec<&str> = lines.map(|field| field.text(profile)).collect();
        let text = fold(&lines.join("\n"));
        self.words.iter().all(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::ChaCha8Rng;
    use rand::{RngExt, SeedableRng};

    use super::super::super::{Timestamp, example};
    use super::*;
    use crate::model::{Activities, AdoptionState};

    fn pet(id: u64, name: &str, species: &str, status: Status) -> Pet {
        let mut pet = example::pet(id);
        pet.profile.name = name.to_owned();
        pet.profile.species = species.to_owned();
        pet.status = status;
        pet.since = Timestamp::from_micros(i64::from(name.len() as u8));
        pet
    }

    fn board() -> Vec<Arc<Pet>> {
        let mut pets = vec![
            pet(1, "Biscuit", "Dog", Status::Playing),
            pet(2, "Zo\u{eb}", "dog", Status::Sleeping),
            pet(3, "aki", "Cat", Status::Playing),
        ];
        pets[0].profile.breed = "Beagle mix".to_owned();
        pets[1].profile.state = AdoptionState::OnHold;
        pets[2].profile.location = "Kennel 4".to_owned();
        let tags = r#"["good-with-dogs","special-needs"]"#;
        pets[2].profile.tags = serde_json::from_str(tags).unwrap();
        pets.into_iter().map(Arc::new).collect()
    }

    fn select(address: &[(&str, &str)], audience: Audience) -> PetPage {
        let (query, problems) = PetQuery::parse(address.iter().copied(), &Activities::default());
        assert_eq!(problems, []);
        query.select(&board(), audience)
    }

    fn ids(page: &PetPage) -> Vec<u64> {
        page.pets.iter().map(|pet| pet.id.get()).collect()
    }

    #[test]
    fn a_view_has_the_pets_that_match_all_of_it() {
        for (address, expected) in [
            (&[("q", "zoe")][..], &[2][..]),
            (&[("q", "ZO\u{cb}")], &[2]),
            (&[("q", "mix  biscuit")], &[1]),
            (&[("q", "mixbiscuit")], &[]),
            (&[("q", "biscuit"), ("species", "cat")], &[]),
            (&[("species", "DOG")], &[1, 2]),
            (&[("species", "do")], &[]),
            (&[("doing", "playing")], &[1, 3]),
            (&[("doing", "playing"), ("species", "cat")], &[3]),
            (&[("state", "on-hold")], &[2]),
            (&[("tag", "special-needs")], &[3]),
            (&[("tag", "special-needs"), ("tag", "good-with-dogs")], &[3]),
            (&[("tag", "special-needs"), ("tag", "good-with-cats")], &[]),
            (&[("sort", "newest")], &[3, 2, 1]),
            (&[("sort", "name")], &[3, 1, 2]),
            (&[("sort", "changed")], &[1, 2, 3]),
            (&[("page", "2")], &[]),
        ] {
            assert_eq!(
                ids(&select(address, Audience::Public)),
                expected,
                "{address:?}"
            );
        }
    }

    #[test]
    fn only_staff_find_a_pet_by_what_only_staff_read() {
        let address = &[("q", "kennel")];
        assert!(ids(&select(address, Audience::Public)).is_empty());
        assert_eq!(ids(&select(address, Audience::Staff)), [3]);
    }

    #[test]
    fn the_summary_counts_the_pets_of_the_view_with_any_status() {
        let page = select(
            &[("species", "dog"), ("doing", "playing")],
            Audience::Public,
        );
        let counted = page.doing.iter().copied().filter(|(_, count)| *count > 0);
        let expected = [(Status::Sleeping, 1), (Status::Playing, 1)];
        assert!(counted.eq(expected), "{:?}", page.doing);
        assert_eq!((page.matching, page.pages), (1, 1));
    }

    #[test]
    fn every_pet_is_on_exactly_one_page() {
        let pets = (1..=100).map(|id| pet(id, "x", "Dog", Status::Eating));
        let pets: Vec<Arc<Pet>> = pets.map(Arc::new).collect();
        let page = |pages_before| {
            let query = PetQuery::default().at_page(pages_before);
            query.select(&pets, Audience::Public)
        };
        let all: Vec<u64> = (0..3).flat_map(|number| ids(&page(number))).collect();
        assert_eq!(all, (1..=100).collect::<Vec<_>>());
        assert_eq!(
            (page(0).pages, page(2).pets.len(), page(3).pets.len()),
            (3, 4, 0)
        );
        assert_eq!(page(usize::MAX).matching, 100);
        assert_eq!(page(0).pets[47].id, PetId::new(48));
    }

    /// The same, written down as plainly as possible: no prepared texts, no cached species, one pet at a
    /// time.
    fn matches_naively(query: &PetQuery, pet: &Pet) -> bool {
        let profile = &pet.profile;
        let lines = [
            &profile.name,
            &profile.species,
            &profile.breed,
            &profile.age,
            &profile.colour,
            &profile.bonded_with,
        ];
        let has_word = |word: &str| lines.iter().any(|line| fold(line).contains(&fold(word)));
        query.text.split_whitespace().all(has_word)
            && (query.species.is_empty() || fold(&query.species) == fold(&profile.species))
            && query.doing.is_none_or(|status| status == pet.status)
            && query.state.is_none_or(|state| state == profile.state)
            && query.tags.iter().all(|tag| profile.tags.has(tag))
    }

    /// Returns one of the words by chance; often none.
    fn choose<'a>(chance: &mut ChaCha8Rng, words: &[&'a str]) -> &'a str {
        if chance.random_bool(0.5) {
            return "";
        }
        words[chance.random_range(0..words.len())]
    }

    fn pet_by_chance(chance: &mut ChaCha8Rng, id: u64) -> Pet {
        let mut pet = example::pet(id);
        let profile = &mut pet.profile;
        profile.name = choose(
            chance,
            &["Zo\u{eb}", "ZOE", "Miso", "\u{130}nci", "zo miso"],
        )
        .into();
        profile.species = choose(chance, &["Dog", "dog", "C\u{e2}t", "cat"]).into();
        profile.breed = choose(chance, &["mix", "M\u{d6}\u{df}li", "inci"]).into();
        profile.state = AdoptionState::parse_or_default(choose(chance, &["on-hold", "adopted"]));
        let tags = [(); 2].map(|()| choose(chance, &["special-needs", "good-with-cats"]));
        profile.tags = serde_json::from_value(tags.as_slice().into()).unwrap();
        pet.status = Status::BUILT_IN[chance.random_range(0..Status::BUILT_IN.len())];
        pet.since = Timestamp::from_micros(chance.random_range(0..5));
        pet
    }

    fn query_by_chance(chance: &mut ChaCha8Rng) -> PetQuery {
        let words = ["zoe", "O", "Mi", "mossli", "in\u{e7}i", "i", "mix zo"];
        let pairs = [
            ("q", choose(chance, &words)),
            ("species", choose(chance, &["DOG", "cat"])),
            ("doing", choose(chance, &["eating", "playing"])),
            ("state", choose(chance, &["available", "on-hold"])),
            ("tag", choose(chance, &["special-needs"])),
            ("tag", choose(chance, &["good-with-cats"])),
            ("sort", choose(chance, &["newest", "name", "changed"])),
            ("page", choose(chance, &["1", "2", "2", "3"])),
        ];
        PetQuery::parse(pairs, &Activities::default()).0
    }

    #[test]
    fn a_view_is_what_a_naive_filter_finds() {
        let mut chance = ChaCha8Rng::seed_from_u64(42);
        let (mut found, mut paged) = (0, 0);
        for _ in 0..400 {
            let count = chance.random_range(0..900);
            let pets = (1..=count).map(|id| Arc::new(pet_by_chance(&mut chance, id)));
            let pets: Vec<Arc<Pet>> = pets.collect();
            let query = query_by_chance(&mut chance);
            let mut expected: Vec<&Arc<Pet>> = pets
                .iter()
                .filter(|pet| matches_naively(&query, pet))
                .collect();
            expected.sort_by(|one, other| match query.sort {
                PetSort::Oldest => one.id.cmp(&other.id),
                PetSort::Newest => other.id.cmp(&one.id),
                PetSort::Name => fold(&one.profile.name).cmp(&fold(&other.profile.name)),
                PetSort::Changed => other.since.cmp(&one.since),
            });
            let page = query.select(&pets, Audience::Public);
            assert_eq!(page.matching, expected.len(), "{query:?}");
            let chunks: Vec<&[&Arc<Pet>]> = expected.chunks(PetQuery::PAGE_PETS).collect();
            assert_eq!(page.pages, chunks.len().max(1));
            let chunk = chunks.get(query.pages_before).copied().unwrap_or_default();
            assert!(page.pets.iter().eq(chunk.iter().copied()), "{query:?}");
            let any = query.with_doing(None);
            let counted: usize = page.doing.iter().map(|(_, count)| count).sum();
            assert_eq!(counted, any.select(&pets, Audience::Public).matching);
            found += usize::from(!chunk.is_empty());
            paged += usize::from(query.pages_before > 0 && !chunk.is_empty());
        }
        assert!(found > 100 && paged > 10, "{found} {paged}");
    }
}
