//! Tests of days and of what a pet did during them.

use std::sync::Arc;

use rand::prelude::IndexedRandom;
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::model::example::change;
use crate::model::{PhotoHash, Removal, StatusNote, Visibility};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

fn set(seconds: i64, kind: ChangeKind) -> Change {
    Change {
        at: at(seconds),
        ..change(1, 1, kind)
    }
}

fn list(changes: &[Change], audience: Audience, current: (Status, i64)) -> Vec<(Status, i64, i64)> {
    let mut pet = crate::model::example::pet(1);
    (pet.status, pet.since) = (current.0, at(current.1));
    let spans = StatusSpan::list(changes, audience, &pet, at(100)).into_iter();
    let seconds = |at: Timestamp| at.micros() / 1_000_000;
    spans
        .map(|span| (span.status, seconds(span.from), seconds(span.until)))
        .collect()
}

#[test]
fn days_are_those_of_the_zone_and_have_its_hours() {
    let berlin = LocalTime::new("Europe/Berlin", false);
    for (date, hours, start) in [
        ("2026-03-29", 23, "2026-03-28T23:00:00.000000Z"),
        ("2026-10-25", 25, "2026-10-24T22:00:00.000000Z"),
        ("2026-11-27", 24, "2026-11-26T23:00:00.000000Z"),
    ] {
        let day = Day::parse(date, &berlin).unwrap();
        assert_eq!(day.length(), Duration::from_hours(hours), "{date}");
        assert_eq!(day.start.to_string(), start);
        assert_eq!(Day::containing(day.start, &berlin), Some(day.clone()));
        let next = day.next(&berlin).unwrap();
        let previous = next.previous(&berlin);
        assert_eq!((next.start, previous), (day.end, Some(day)));
    }
    // Midnight does not exist when the clocks go forward at midnight, and half an hour when they go by half.
    let beirut = LocalTime::new("Asia/Beirut", false);
    let day = Day::parse("2026-03-29", &beirut).unwrap();
    assert_eq!(day.length(), Duration::from_hours(23));
    let lord_howe = LocalTime::new("Australia/Lord_Howe", false);
    let day = Day::parse("2026-04-05", &lord_howe).unwrap();
    assert_eq!(day.length(), Duration::from_mins(24 * 60 + 30));
}

#[test]
fn only_a_whole_date_is_a_day() {
    let utc = LocalTime::new("", false);
    for text in [
        "",
        "today",
        "2026-11-31",
        "20261127",
        "2026-11-27T10:00",
        "9999-12-31",
        "-009999-01-01",
        "2026-W48-5",
        " 2026-11-27",
    ] {
        assert_eq!(Day::parse(text, &utc), None, "{text}");
    }
    let day = Day::parse("2026-11-27", &utc).unwrap();
    assert_eq!(day.title(), "Friday, 27 November 2026");
}

#[test]
fn an_undo_takes_the_status_out_of_the_day_that_it_undid() {
    let undone = [
        set(10, ChangeKind::Status(Status::Eating)),
        set(40, ChangeKind::Status(Status::Bathing)),
        set(
            45,
            ChangeKind::StatusSince(Status::Eating, at(10), StatusNote::default()),
        ),
        set(60, ChangeKind::Status(Status::Playing)),
    ];
    let spans = list(&undone, Audience::Public, (Status::Playing, 60));
    assert_eq!(
        spans,
        [(Status::Eating, 10, 60), (Status::Playing, 60, 100)]
    );
    let trimmed = list(&[], Audience::Public, (Status::Playing, 60));
    assert_eq!(trimmed, [(Status::Playing, 60, 100)]);
}

#[test]
fn the_same_status_again_is_no_other_part_of_the_day() {
    let again = [
        set(10, ChangeKind::Status(Status::Eating)),
        set(40, ChangeKind::Status(Status::Eating)),
    ];
    let spans = list(&again, Audience::Public, (Status::Eating, 40));
    assert_eq!(spans, [(Status::Eating, 10, 100)]);
}

/// The correction of a start left the status in the day from the time that was wrong.
#[test]
fn a_corrected_start_moves_the_end_of_the_status_before() {
    let began = |seconds, from| {
        let none = StatusNote::default();
        let kind = ChangeKind::StatusSince(Status::Playing, at(from), none);
        set(seconds, kind)
    };
    let changes = [
        set(10, ChangeKind::Status(Status::Eating)),
        set(40, ChangeKind::Status(Status::Playing)),
        began(50, 20),
        began(60, 30),
        began(70, 30),
    ];
    for (count, from) in [(3, 20), (4, 30), (5, 30)] {
        let spans = list(&changes[..count], Audience::Public, (Status::Playing, from));
        let expected = [(Status::Eating, 10, from), (Status::Playing, from, 100)];
        assert_eq!(spans, expected);
    }
    // Begun again, and then confirmed with its time: this corrects nothing.
    let again = [
        set(10, ChangeKind::Status(Status::Playing)),
        set(40, ChangeKind::Status(Status::Playing)),
        began(50, 40),
    ];
    let spans = list(&again, Audience::Public, (Status::Playing, 40));
    assert_eq!(spans, [(Status::Playing, 10, 100)]);
}

/// Visitors know no note from while the pet was private.
#[test]
fn a_status_has_its_last_note_and_the_same_status_with_another_note_is_another_part() {
    let note = |text: &str| text.parse::<StatusNote>().unwrap();
    let noted = |seconds, from, text| {
        let kind = ChangeKind::StatusSince(Status::Eating, at(from), note(text));
        set(seconds, kind)
    };
    let hidden = Change {
        visibility: Visibility::Hidden,
        ..noted(35, 35, "in secret")
    };
    let changes = [
        noted(10, 10, "slowly"),
        noted(20, 10, "from the hand"),
        hidden,
        set(40, ChangeKind::Status(Status::Eating)),
        noted(60, 60, "again"),
    ];
    let pet = Pet {
        status: Status::Eating,
        since: at(60),
        note: note("again"),
        ..crate::model::example::pet(1)
    };
    let list = |audience| {
        let spans = StatusSpan::list(&changes, audience, &pet, at(100)).into_iter();
        let spans = spans.map(|span| (span.from, span.until, span.note));
        spans.collect::<Vec<_>>()
    };
    let after = [
        (at(40), at(60), StatusNote::default()),
        (at(60), at(100), note("again")),
    ];
    let known = [&[(at(10), at(40), note("from the hand"))], &after[..]].concat();
    assert_eq!(list(Audience::Public), known);
    let all = [
        (at(10), at(35), note("from the hand")),
        (at(35), at(40), note("in secret")),
    ];
    assert_eq!(list(Audience::Staff), [&all, &after[..]].concat());
}

#[test]
fn visitors_see_no_status_from_while_the_pet_was_private() {
    let hidden = |seconds, visibility| Change {
        visibility,
        ..set(seconds, ChangeKind::Status(Status::Bathing))
    };
    let changes = [
        set(10, ChangeKind::Status(Status::Eating)),
        hidden(20, Visibility::Withdrawn),
        hidden(30, Visibility::Hidden),
        set(80, ChangeKind::Status(Status::Playing)),
    ];
    let shown = [(Status::Eating, 10, 20), (Status::Playing, 80, 100)];
    assert_eq!(
        list(&changes, Audience::Public, (Status::Playing, 80)),
        shown
    );
    let all = list(&changes, Audience::Staff, (Status::Playing, 80));
    assert_eq!(all.len(), 3, "bathing twice is one part: {all:?}");
}

/// The time in the trash counted as an activity.
#[test]
fn a_pet_that_was_in_the_trash_did_nothing_then_and_continues_from_its_return() {
    let day = Day::parse("1970-01-01", &LocalTime::new("", false)).unwrap();
    let pet = Pet {
        status: Status::Eating,
        since: at(10),
        ..crate::model::example::pet(1)
    };
    let removed = Pet {
        removed: Some(Removal {
            at: at(30),
            by: None,
        }),
        ..pet.clone()
    };
    let edit = |seconds, pet: &Pet, visibility| Change {
        visibility,
        ..set(seconds, ChangeKind::Pet(Arc::new(pet.clone())))
    };
    let eating = set(10, ChangeKind::Status(Status::Eating));
    // Confirmed after its return, with the time when it began.
    let note = StatusNote::default();
    let confirmed = set(70, ChangeKind::StatusSince(Status::Eating, at(10), note));
    let public = Visibility::Public;
    let changes = [
        eating.clone(),
        edit(30, &removed, public),
        edit(60, &pet, public),
        confirmed.clone(),
    ];
    let (shown, gap) = (
        [(Status::Eating, 10, 30), (Status::Eating, 60, 100)],
        [at(30)..at(60)],
    );
    for audience in [Audience::Public, Audience::Staff] {
        assert_eq!(list(&changes, audience, (Status::Eating, 10)), shown);
        let record = DayRecord::new(day.clone(), &pet, changes.iter(), audience, at(100));
        assert_eq!(record.absences, gap);
    }
    // Removed and restored while it was private, and public again after that.
    let hidden = [
        eating,
        edit(20, &pet, Visibility::Withdrawn),
        edit(30, &removed, Visibility::Hidden),
        edit(60, &pet, Visibility::Hidden),
        edit(80, &pet, public),
        confirmed,
    ];
    let list = |audience| list(&hidden, audience, (Status::Eating, 10));
    let known = [(Status::Eating, 10, 20), (Status::Eating, 80, 100)];
    assert_eq!(list(Audience::Public), known);
    assert_eq!(list(Audience::Staff), shown);
}

#[test]
fn a_pet_whose_status_nobody_has_set_did_nothing_that_is_known() {
    let day = Day::parse("1970-01-01", &LocalTime::new("", false)).unwrap();
    let mut pet = crate::model::example::pet(1);
    (pet.status, pet.since) = (Status::NotSetYet, at(10));
    let created = set(10, ChangeKind::Pet(pet.clone().into()));
    let fed = set(40, ChangeKind::Status(Status::Eating));
    (pet.status, pet.since) = (Status::Eating, at(40));
    let changes = [created, fed];
    let record = DayRecord::new(day, &pet, changes.iter(), Audience::Public, at(100));
    assert_eq!(record.known_since, at(10));
    let [eating] = &record.spans[..] else {
        panic!("{record:?}");
    };
    assert_eq!((eating.from, eating.until), (at(40), at(100)));
}

#[test]
fn a_day_has_the_photos_that_were_added_on_it_and_are_still_there() {
    let day = Day::parse("1970-01-02", &LocalTime::new("", false)).unwrap();
    let (before, start, end) = (at(86_399), day.start, day.end);
    let photo = |number, added: Option<Timestamp>| Photo {
        hash: PhotoHash::from_bits(number),
        alt: String::new(),
        width_px: 400,
        height_px: 300,
        added,
    };
    let hidden = at(90_000);
    let pet = Pet {
        photos: vec![
            photo(1, None),
            photo(2, Some(at(90_001))),
            photo(3, Some(start)),
            photo(4, Some(before)),
            photo(5, Some(end)),
            photo(6, Some(hidden)),
            // The history does not have its change.
            photo(7, Some(at(90_002))),
        ],
        ..crate::model::example::pet(1)
    };
    // One more photo was added with the third, and was removed since.
    let changes = [before, start, start, hidden, at(90_001), end].map(|at| Change {
        at,
        visibility: if at == hidden {
            Visibility::Hidden
        } else {
            Visibility::Public
        },
        ..change(1, 1, ChangeKind::Pet(pet.clone().into()))
    });
    for (audience, expected) in [
        (Audience::Public, vec![3, 2]),
        (Audience::Staff, vec![3, 6, 2]),
    ] {
        let record = DayRecord::new(day.clone(), &pet, changes.iter(), audience, at(200_000));
        let photos = record.photos.iter().map(|photo| photo.hash.bits());
        assert_eq!(photos.collect::<Vec<_>>(), expected, "{audience:?}");
    }
}

/// A pet that always existed, and whose statuses were set and undone by chance, on days of every length.
#[test]
fn the_parts_of_a_day_add_up_to_its_length_without_overlap() {
    let mut chance = ChaCha8Rng::seed_from_u64(14);
    let zones = [
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "",
    ];
    let dates = [
        "2026-03-08",
        "2026-03-29",
        "2026-04-05",
        "2026-10-25",
        "2026-11-01",
    ];
    for round in 0..2000 {
        let local = LocalTime::new(zones.choose(&mut chance).unwrap(), false);
        let day = Day::parse(dates.choose(&mut chance).unwrap(), &local).unwrap();
        let (start, end) = (day.start.micros() / 1_000_000, day.end.micros() / 1_000_000);
        let mut time = start - 90_000;
        let mut changes = vec![set(time, ChangeKind::Status(Status::Sleeping))];
        while time < end && chance.random_range(0..60) > 0 {
            time += chance.random_range(0..7200);
            let status = *Status::FOUR.choose(&mut chance).unwrap();
            let earlier = time - chance.random_range(0..3600);
            changes.push(match chance.random_range(0..4) {
                0 => set(
                    time,
                    ChangeKind::StatusSince(status, at(earlier), StatusNote::default()),
                ),
                _ => set(time, ChangeKind::Status(status)),
            });
        }
        let mut pet = crate::model::example::pet(1);
        (pet.status, pet.since) = changes.last().and_then(Change::status).unwrap();
        let now = at(time.max(pet.since.micros() / 1_000_000) + chance.random_range(0..90_000));
        let record = DayRecord::new(day.clone(), &pet, changes.iter(), Audience::Public, now);
        let known = day.end.min(now).since(day.start);
        let total: Duration = Status::FOUR.map(|status| record.total(status)).iter().sum();
        assert_eq!(total, known, "round {round}: {record:?}");
        let mut spans = record.spans.windows(2);
        assert!(
            spans.all(|pair| pair[0].until == pair[1].from && pair[0].status != pair[1].status),
            "round {round}: {record:?}"
        );
    }
}
