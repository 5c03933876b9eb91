//! Plain pets, changes and webhooks for tests.

use super::{
    Change, ChangeKind, ChangeSource, Pet, PetId, Profile, Rev, Status, StatusNote, Timestamp,
    Webhook, WebhookEvent, WebhookFormat, WebhookId, WebhookProgress, WebhookSecret,
};

/// Returns a sleeping pet without a name.
pub fn pet(id: u64) -> Pet {
    Pet {
        id: PetId::new(id),
        profile: Profile::default(),
        photos: Vec::new(),
        status: Status::Sleeping,
        since: Timestamp::from_micros(0),
        removed: None,
        note: StatusNote::default(),
    }
}

/// Returns a change without an author.
pub fn change(rev: u64, pet: u64, kind: ChangeKind) -> Change {
    Change {
        rev: Rev::new(rev),
        at: Timestamp::from_micros(0),
        by: ChangeSource::Api,
        author: None,
        request: None,
        visibility: crate::model::Visibility::Public,
        pet: PetId::new(pet),
        kind,
    }
}

/// Returns a webhook that has sent nothing.
pub fn webhook() -> Webhook {
    Webhook {
        id: WebhookId::new(0x0a0b_0c0d),
        name: "Volunteers".to_owned(),
        url: "https://hooks.example/key".to_owned(),
        format: WebhookFormat::Slack,
        events: vec![WebhookEvent::Added, WebhookEvent::Adopted],
        secret: WebhookSecret::new([7; 32]),
        is_paused: true,
        progress: WebhookProgress::default(),
    }
}
