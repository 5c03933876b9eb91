//! Statuses of several pets in one commit.

use super::{Disk, Rig, until};
use crate::hub::Hub;
use crate::model::{Audience, ChangeSource, Cursor, Pet, PetId, Profile, Rev, Status, StatusStart};
use crate::writer::{
    Command, Committed, Expected, IdempotencyKey, MAX_BULK_PETS, OnRefusal, QUEUE_LIMIT,
    StatusEdit, WriteError,
};

fn pets(count: usize) -> impl Iterator<Item = PetId> {
    (1..=count as u64).map(PetId::new)
}

fn pet(hub: &Hub, id: u64) -> Pet {
    Pet::clone(&hub.pet(PetId::new(id), Audience::Staff).unwrap().0)
}

impl Rig {
    /// Adds pets until there are `count`.
    async fn add_pets(&self, count: usize) {
        for _ in 1..count {
            self.decide(Disk::Writes);
            let create = Command::create(Profile::default());
            let created = self.writer.commit(create, ChangeSource::Staff).await;
            created.unwrap();
            self.begun().await;
        }
    }

    async fn commit_now(&self, command: Command) -> Result<Committed, WriteError> {
        self.decide(Disk::Writes);
        let committed = self.writer.commit(command, ChangeSource::Staff).await?;
        self.begun().await;
        Ok(committed)
    }
}

/// Returns the command that restores `before`, if each status is still that of its change.
fn undo(before: &[Pet], first: Cursor) -> Command {
    let edit = |(place, pet): (usize, &Pet)| {
        let rev = Rev::new(first.rev.get() + place as u64);
        let edit = StatusEdit {
            status: pet.status,
            start: StatusStart::Restored(pet.since),
            note: Some(pet.note.clone()),
            expected: Expected::StatusSetAt(Cursor { rev, ..first }),
        };
        (pet.id, edit)
    };
    Command::SetStatuses {
        statuses: before.iter().enumerate().map(edit).collect(),
        on_refusal: OnRefusal::Skip,
    }
}

#[tokio::test]
async fn the_largest_command_is_one_commit_and_shares_it_with_no_other() {
    let rig = Rig::start();
    rig.add_pets(MAX_BULK_PETS).await;
    let first = rig.set(Status::Eating);
    rig.begun().await;
    let writer = rig.writer.clone();
    let all = Command::set_statuses(pets(MAX_BULK_PETS), Status::Bathing, OnRefusal::Abort);
    let all = tokio::spawn(async move { writer.commit(all, ChangeSource::Staff).await });
    until(|| rig.writer.queue.capacity() == QUEUE_LIMIT - 1).await;
    let last = rig.set(Status::Playing);
    until(|| rig.writer.queue.capacity() == QUEUE_LIMIT - 2).await;
    for count in [MAX_BULK_PETS, 1] {
        rig.decide(Disk::Writes);
        assert_eq!(rig.begun().await, count);
    }
    rig.decide(Disk::Writes);
    let (first, all, last) = (
        first.await.unwrap(),
        all.await.unwrap(),
        last.await.unwrap(),
    );
    let (first, all, last) = (first.unwrap(), all.unwrap(), last.unwrap());
    assert_eq!(all.first.rev, first.cursor.rev.next());
    assert_eq!(
        all.cursor.rev.since(all.first.rev) as usize,
        MAX_BULK_PETS - 1
    );
    assert_eq!(last.cursor.rev, all.cursor.rev.next());
}

#[tokio::test]
async fn an_unknown_pet_refuses_the_whole_command_or_is_skipped() {
    let rig = Rig::start();
    rig.add_pets(2).await;
    let set = |on_refusal| Command::set_statuses(pets(3), Status::Eating, on_refusal);
    let unknown = Err(WriteError::UnknownPet(PetId::new(3)));
    assert_eq!(
        rig.writer
            .commit(set(OnRefusal::Abort), ChangeSource::Staff)
            .await,
        unknown
    );
    assert_ne!(pet(&rig.hub, 1).status, Status::Eating, "nothing was set");
    let set_two = rig.commit_now(set(OnRefusal::Skip)).await.unwrap();
    assert_eq!(set_two.cursor.rev, set_two.first.rev.next());
    assert_eq!(pet(&rig.hub, 2).status, Status::Eating);
    let nobody = Command::set_statuses([PetId::new(3)], Status::Eating, OnRefusal::Skip);
    assert_eq!(
        rig.writer.commit(nobody, ChangeSource::Staff).await,
        unknown
    );
}

#[tokio::test]
async fn a_failed_commit_sets_no_status() {
    let rig = Rig::start();
    rig.add_pets(3).await;
    let mut stream = rig.hub.subscribe();
    rig.decide(Disk::Fails);
    let set = Command::set_statuses(pets(3), Status::Eating, OnRefusal::Abort);
    let refused = rig.writer.commit(set, ChangeSource::Staff).await;
    assert_eq!(refused, Err(WriteError::Full));
    assert!(stream.try_recv().is_err(), "nothing was published");
    assert_ne!(pet(&rig.hub, 1).status, Status::Eating);
    rig.decide(Disk::Writes);
}

#[tokio::test]
async fn an_undo_restores_each_status_with_its_time_unless_it_was_set_since() {
    let rig = Rig::start();
    rig.add_pets(3).await;
    rig.commit_now(Command::set_status(PetId::new(2), Status::Playing))
        .await
        .unwrap();
    let before: Vec<Pet> = (1..=3).map(|id| pet(&rig.hub, id)).collect();
    let set = Command::set_statuses(pets(3), Status::Eating, OnRefusal::Abort);
    let set = rig.commit_now(set).await.unwrap();
    // Somebody confirms the status of one of them.
    rig.commit_now(Command::set_status(PetId::new(3), Status::Eating))
        .await
        .unwrap();
    let kept = pet(&rig.hub, 3);
    let undone = rig.commit_now(undo(&before, set.first)).await.unwrap();
    assert_eq!(undone.cursor.rev, undone.first.rev.next(), "two changes");
    let after: Vec<Pet> = (1..=3).map(|id| pet(&rig.hub, id)).collect();
    assert_eq!(after, [before[0].clone(), before[1].clone(), kept]);
    let again = rig
        .writer
        .commit(undo(&before, set.first), ChangeSource::Staff);
    assert_eq!(again.await, Err(WriteError::StatusMovedOn));
}

#[tokio::test]
async fn a_repeated_command_is_answered_with_the_changes_of_the_first() {
    let rig = Rig::start();
    rig.add_pets(3).await;
    let key = IdempotencyKey::from_header("k");
    let set = |status| {
        let command = Command::set_statuses(pets(3), status, OnRefusal::Abort);
        rig.writer
            .commit_once(command, Some(key.clone()), ChangeSource::Staff)
    };
    rig.decide(Disk::Writes);
    let first = set(Status::Eating).await.unwrap();
    assert_eq!(rig.begun().await, 3);
    let again = set(Status::Eating).await.unwrap();
    assert_eq!((again.first, again.cursor), (first.first, first.cursor));
    assert_eq!(set(Status::Bathing).await, Err(WriteError::KeyReused));
}
