//! Every engine keeps the notes of statuses.

use super::*;

/// The note of a status outlives an edit, and ends with the status.
#[test]
fn a_note_is_kept_until_another_status_is_set() {
    with_every_engine(|writer| {
        let note: StatusNote = "at the \u{1f3e5} <b>\"until\"</b> 3".parse().unwrap();
        let created = writer.created(1);
        let (pet, began) = (created.after.clone().unwrap(), created.change.at);
        let noted = ChangeKind::StatusSince(Status::Eating, began, note.clone());
        let mut log = writer.commit(&[created]);
        let stored = |writer: &TestWriter| writer.engine.snapshot().unwrap().pets[0].clone();
        let noted = writer.change(1, noted);
        log.extend(writer.commit(&[noted]));
        let edited = Pet {
            status: Status::Eating,
            note: note.clone(),
            ..Pet::clone(&pet)
        };
        assert_eq!(stored(writer), edited);
        let edit = writer.change(1, ChangeKind::Pet(Arc::new(edited.clone())));
        log.extend(writer.commit(&[edit]));
        assert_eq!(stored(writer), edited);
        let other = writer.status(1, Status::Playing);
        log.extend(writer.commit(&[other]));
        assert_eq!(stored(writer).note, StatusNote::default());
        let noted = ChangeKind::StatusSince(Status::Playing, began, note);
        let changes = [
            writer.change(1, noted),
            writer.change(1, ChangeKind::Gone(None)),
        ];
        log.extend(writer.commit(&changes));
        assert_eq!(writer.engine.snapshot().unwrap().pets, []);
        assert_eq!(writer.engine.tail(Rev::ZERO, 10).unwrap(), log);
        assert_eq!(writer.received(), log);
    });
}

#[test]
fn a_status_that_nobody_has_set_reads_back_from_the_log_and_the_snapshot() {
    with_every_engine(|writer| {
        let start = writer.newest;
        let since = Timestamp::from_micros(1000);
        let mut created = writer.created(1);
        let unset = |pet: &Pet| Pet {
            status: Status::NotSetYet,
            since,
            ..pet.clone()
        };
        let pet = Arc::new(unset(created.after.as_deref().unwrap()));
        created.change.kind = ChangeKind::Pet(Arc::clone(&pet));
        created.after = Some(Arc::clone(&pet));
        let mut log = writer.commit(&[created]);
        let undone = ChangeKind::StatusSince(Status::NotSetYet, since, StatusNote::default());
        let changes = [writer.status(1, Status::Eating), writer.change(1, undone)];
        log.extend(writer.commit(&changes));
        assert_eq!(writer.engine.tail(start, 10).unwrap(), log);
        assert_eq!(writer.engine.snapshot().unwrap().pets, [unset(&pet)]);
    });
}
