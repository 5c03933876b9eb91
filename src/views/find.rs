//! Context of the search of the board: the form, the summary, and the links between pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::model::{
    Activities, AdoptionState, Pet, PetPage, PetQuery, PetSort, QueryProblem, Status, Tags, fold,
};
use crate::writer::MAX_BULK_PETS;

/// The most species that the form offers. Others are found by search.
const SPECIES_LIMIT: usize = 60;

/// Up to this many pets that do not differ are seen faster than searched: their board has no form.
const FEW_PETS: usize = 12;

/// The form, the summary, and the links between pages.
#[derive(Serialize)]
pub struct FindView {
    has_form: bool,
    text: String,
    /// Status of the pets, if one is chosen.
    doing: Option<Status>,
    selects: Vec<SelectView>,
    tags: Vec<OptionView>,
    /// Number of choices that the form does not show while it is closed.
    chosen: usize,
    /// True if the view leaves out some pets.
    is_narrowed: bool,
    summary: Vec<SummaryLink>,
    /// Number of pets: "12 pets".
    count: String,
    /// Address of the view, if it has more pets than the page, and not too many to set their status together.
    all_matching: Option<String>,
    /// Parameters that were left out, for the reader.
    problems: Vec<String>,
    /// The view, if the page does not show all pets.
    part: Option<String>,
    /// True if no pet matches.
    is_empty: bool,
    previous: Option<String>,
    next: Option<String>,
    page: usize,
    pages: usize,
}

/// A list of values to choose from. The first one, which is empty, is the default.
#[derive(Serialize)]
struct SelectView {
    name: &'static str,
    label: &'static str,
    options: Vec<OptionView>,
}

#[derive(Serialize)]
struct OptionView {
    value: String,
    text: String,
    is_chosen: bool,
}

/// Link to the pets that are doing something, or back to all of them. Hidden while there are none.
#[derive(Serialize)]
struct SummaryLink {
    status: Status,
    count: usize,
    text: String,
    address: String,
    is_current: bool,
}

impl FindView {
    /// Describes `page`, the pets of `query` among `pets`.
    pub fn new(
        query: &PetQuery,
        problems: &[QueryProblem],
        pets: &[Arc<Pet>],
        page: &PetPage,
        activities: &Activities,
    ) -> Self {
        let (selects, tags) = (selects(query, pets), tags(query, pets));
        let has_form = pets.len() > FEW_PETS || selects.len() > 1 || !tags.is_empty();
        let is_part = !query.is_plain() || page.pages > 1;
        let link = |pages_before| view_address(&query.at_page(pages_before));
        let is_offered = page.pages > 1 && page.matching <= MAX_BULK_PETS;
        let mut problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let number = query.pages_before + 1;
        if number > page.pages {
            let last = page.pages;
            problems.push(format!(
                "There is no page {number}; the last one is {last}."
            ));
        }
        FindView {
            text: query.text.clone(),
            doing: query.doing,
            has_form: has_form || !query.is_plain(),
            selects,
            tags,
            chosen: chosen(query),
            is_narrowed: !query.has_all_pets(),
            summary: summary(query, page, activities),
            count: match page.matching {
                1 => "1 pet".to_owned(),
                count => format!("{count} pets"),
            },
            all_matching: is_offered.then(|| link(0)),
            problems,
            part: is_part.then(|| query_string(query)),
            is_empty: page.matching == 0,
            previous: (query.pages_before > 0)
                .then(|| link(query.pages_before.min(page.pages) - 1)),
            next: (number < page.pages).then(|| link(number)),
            page: number,
            pages: page.pages,
        }
    }
}

/// Returns the address of the page of a view.
pub fn view_address(query: &PetQuery) -> String {
    let parameters = query_string(query);
    if parameters.is_empty() {
        return "/pets".to_owned();
    }
    format!("/pets?{parameters}")
}

fn query_string(query: &PetQuery) -> String {
    serde_urlencoded::to_string(query.pairs()).unwrap_or_default()
}

fn chosen(query: &PetQuery) -> usize {
    let is_sorted = query.sort != PetSort::default();
    let others = [!query.species.is_empty(), query.state.is_some(), is_sorted];
    query.tags.len() + others.into_iter().filter(|is_chosen| *is_chosen).count()
}

/// Returns a link for each status that pets have or can get while somebody looks.
fn summary(query: &PetQuery, page: &PetPage, activities: &Activities) -> Vec<SummaryLink> {
    let settable = activities.choices().into_iter();
    let missing = settable.filter(|own| page.doing.iter().all(|(status, _)| status != own));
    let missing = missing.map(|status| (status, 0));
    let links = page.doing.iter().copied().chain(missing);
    let links = links.map(|(status, count)| {
        let is_current = query.doing == Some(status);
        let target = query.with_doing(Some(status).filter(|_| !is_current));
        SummaryLink {
            status,
            count,
            text: activities.text(status).to_lowercase(),
            address: view_address(&target),
            is_current,
        }
    });
    links.collect()
}

/// Returns the lists of values that differ between pets. What a pet is doing is chosen in the summary.
fn selects(query: &PetQuery, pets: &[Arc<Pet>]) -> Vec<SelectView> {
    let has_state = |word: &str| pets.iter().any(|pet| pet.profile.state.as_str() == word);
    let states: Vec<&str> = query.state.iter().map(|state| state.as_str()).collect();
    let choices = AdoptionState::CHOICES.iter().copied();
    let state = choices.filter(|(word, _)| states.contains(word) || has_state(word));
    let sorts = options(PetSort::CHOICES.iter().copied(), &[query.sort.as_str()]);
    let lists = [
        ("species", "Species", species(query, pets)),
        ("state", "Adoption", options(state, &states)),
    ];
    let differ = |list: &[OptionView]| list.len() > 1 || list.iter().any(|one| one.is_chosen);
    let lists = lists.into_iter().filter(|(.., list)| differ(list));
    let mut selects: Vec<SelectView> = lists
        .map(|(name, label, mut list)| {
            list.insert(0, OptionView::any());
            SelectView::new(name, label, list)
        })
        .collect();
    selects.push(SelectView::new("sort", "Sort", sorts));
    selects
}

/// Returns the tags that some pets have.
fn tags(query: &PetQuery, pets: &[Arc<Pet>]) -> Vec<OptionView> {
    let has_tag = |word: &str| pets.iter().any(|pet| pet.profile.tags.has(word));
    let choices = Tags::CHOICES.iter().copied();
    let some = choices.filter(|(word, _)| query.tags.contains(word) || has_tag(word));
    options(some, &query.tags)
}

/// Returns the species on the board, each in the spelling of its first pet.
fn species(query: &PetQuery, pets: &[Arc<Pet>]) -> Vec<OptionView> {
    let mut species = BTreeMap::new();
    let chosen = fold(&query.species);
    let mut before = "";
    for pet in pets {
        // Pets of one species often follow each other.
        let own = pet.profile.species.as_str();
        if own != before && (species.len() < SPECIES_LIMIT || fold(own) == chosen) {
            species.entry(fold(own)).or_insert_with(|| own.to_owned());
        }
        before = own;
    }
    if !chosen.is_empty() {
        let given = || query.species.clone();
        species.entry(chosen.clone()).or_insert_with(given);
    }
    let options = species.into_iter().map(|(folded, text)| OptionView {
        value: text.clone(),
        text,
        is_chosen: folded == chosen,
    });
    options.collect()
}

impl SelectView {
    fn new(name: &'static str, label: &'static str, options: Vec<OptionView>) -> Self {
        SelectView {
            name,
            label,
            options,
        }
    }
}

impl OptionView {
    /// The value that leaves the pets as they are.
    fn any() -> Self {
        OptionView {
            value: String::new(),
            text: "Any".to_owned(),
            is_chosen: false,
        }
    }
}

fn options(
    choices: impl IntoIterator<Item = (&'static str, &'static str)>,
    chosen: &[&str],
) -> Vec<OptionView> {
    let options = choices.into_iter().map(|(value, text)| OptionView {
        value: value.to_owned(),
        text: text.to_owned(),
        is_chosen: chosen.contains(&value),
    });
    options.collect()
}
