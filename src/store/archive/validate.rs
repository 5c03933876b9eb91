//! Validates the records of an export: by the rules of the pages and the API, and with limits on
//! numbers that leave room for later changes.
//!
//! Characters that earlier versions accepted are removed rather than refused, so that their exports
//! can be imported.

use crate::model::{
    Account, AuditEntry, Author, Change, ChangeKind, InvalidProfile, MonotonicSeconds, Pet, PetId,
    Photo, PhotoFile, PhotoHash, Profile, ProfileInput, Removal, Rescue, RescueField, Rev,
    StatusNote, TextKind, Timestamp, Token, Webhook, WebhookInput, WebhookProgress,
    check_token_name, clean_text,
};
use crate::store::{ClockReading, StoreError};

/// The largest rev, id and tick of an export. As many again are left for later changes, up to 2^53,
/// the largest integer that floating-point numbers represent exactly.
const MAX_NUMBER: u64 = 1 << 52;

/// The longest name or client of an author.
const AUTHOR_CHARACTERS: usize = 200;

/// The longest text of an audit entry.
const ENTRY_CHARACTERS: usize = 20_000;

/// The longest password hash.
const PASSWORD_HASH_BYTES: usize = 512;

/// Validates the numbers of the header.
pub fn validate_start(rev: u64, next_pet: u64) -> Result<(Rev, PetId), StoreError> {
    let rev = Rev::new(validate_number("rev", rev)?);
    match validate_number("next_pet", next_pet)? {
        0 => Err(invalid("next_pet", "ids start at 1")),
        next_pet => Ok((rev, PetId::new(next_pet))),
    }
}

/// Validates a pet.
pub fn validate_pet(pet: Pet) -> Result<Pet, StoreError> {
    validate_number("id", pet.id.get())?;
    if pet.id.get() == 0 {
        return Err(invalid("id", "ids start at 1"));
    }
    validate_time("since", pet.since)?;
    if pet.photos.len() > Photo::MAX_PER_PET {
        return Err(invalid("photos", "there are too many"));
    }
    for photo in &pet.photos {
        validate_length("alt", &photo.alt, Photo::ALT_LIMIT)?;
        let [.., widest] = Photo::WIDTHS_PX;
        if photo.width_px == 0 || photo.width_px > widest || photo.height_px == 0 {
            return Err(invalid("photos", "the size is out of range"));
        }
        if let Some(added) = photo.added {
            validate_time("added", added)?;
        }
    }
    if let Some(Removal { at, by }) = &pet.removed {
        validate_time("removed", *at)?;
        validate_author_text("removed", by.as_deref().unwrap_or_default())?;
    }
    Ok(Pet {
        profile: validate_profile(&pet.profile)?,
        note: validate_note(&pet.note)?,
        ..pet
    })
}

/// Validates the files of a photo.
pub fn validate_photo(
    hash: PhotoHash,
    files: Vec<PhotoFile>,
) -> Result<Vec<PhotoFile>, StoreError> {
    let are_jpeg = files.iter().all(|file| file.jpeg.starts_with(b"\xff\xd8"));
    if are_jpeg && PhotoHash::new(&files) == hash {
        return Ok(files);
    }
    Err(invalid("files", "they do not have the hash of the photo"))
}

/// Validates a change, with the pet in it.
pub fn validate_change(change: Change) -> Result<Change, StoreError> {
    if validate_number("rev", change.rev.get())? == 0 {
        return Err(invalid("rev", "revs start at 1"));
    }
    validate_time("at", change.at)?;
    if let Some(author) = &change.author {
        validate_author(author)?;
    }
    let kind = match change.kind {
        ChangeKind::Pet(pet) => ChangeKind::Pet(validate_pet(Pet::clone(&pet))?.into()),
        ChangeKind::Gone(Some(name)) => {
            validate_length("name", &name, Profile::NAME_LIMIT)?;
            ChangeKind::Gone(Some(clean_text(&name, TextKind::OneLine).into()))
        }
        ChangeKind::StatusSince(status, since, note) => {
            validate_time("since", since)?;
            ChangeKind::StatusSince(status, since, validate_note(&note)?)
        }
        kind => kind,
    };
    Ok(Change { kind, ..change })
}

/// Validates the settings of the rescue by the rules of their form.
pub fn validate_rescue(rescue: &Rescue) -> Result<Rescue, StoreError> {
    // Reading the record has validated the logo. A rescue may have it, or activities, before its name.
    let is_named = !rescue.name.is_empty();
    let has_more = rescue.logo.is_some() || !rescue.activities.is_empty();
    let entered = |field: &RescueField| {
        let is_validated = is_named || !has_more || field.name != "name";
        is_validated.then(|| field.text(rescue))
    };
    let activities = rescue.activities.validated();
    let validated = activities.and_then(|activities| {
        let empty = Rescue {
            logo: rescue.logo.clone(),
            activities,
            ..Rescue::default()
        };
        empty.with_entered(entered)
    });
    validated.map_err(|errors| match errors.first() {
        Some(error) => invalid(error.field, &error.message),
        None => invalid("rescue", "it is not valid"),
    })
}

/// Validates an account.
pub fn validate_account(account: Account) -> Result<Account, StoreError> {
    validate_time("created", account.created)?;
    if let Some(invitation) = account.invitation {
        validate_number("invitation", invitation.expires.0)?;
    }
    let is_hash = |hash: &String| hash.len() <= PASSWORD_HASH_BYTES && !has_control_character(hash);
    for (field, hash) in [("password", &account.password), ("pin", &account.pin)] {
        if !hash.as_ref().is_none_or(is_hash) {
            return Err(invalid(field, "it is not a password hash"));
        }
    }
    Ok(account)
}

/// Validates a token.
pub fn validate_token(token: Token) -> Result<Token, StoreError> {
    validate_time("created", token.created)?;
    token
        .used
        .map(|used| validate_time("used", used))
        .transpose()?;
    let name = clean_text(&token.name, TextKind::OneLine);
    check_token_name(&name).map_err(|error| invalid("name", &error.message))?;
    Ok(Token { name, ..token })
}

/// Validates a webhook by the rules of its form, and drops its progress, which is of another log.
pub fn validate_webhook(webhook: &Webhook) -> Result<Webhook, StoreError> {
    let validated = WebhookInput::from_webhook(webhook).apply_to(webhook);
    let validated = validated.map(|webhook| Webhook {
        progress: WebhookProgress::default(),
        ..webhook
    });
    validated.map_err(|errors| match errors.first() {
        Some(error) => invalid(error.field, &error.message),
        None => invalid("webhook", "it is not valid"),
    })
}

/// Validates the reading of the store's clock.
pub fn validate_clock(tick: u64, wall: i64) -> Result<ClockReading, StoreError> {
    let (tick, wall) = (
        MonotonicSeconds(validate_number("tick", tick)?),
        Timestamp::from_micros(wall),
    );
    validate_time("wall", wall)?;
    Ok(ClockReading { tick, wall })
}

/// Validates an audit entry.
pub fn validate_audit_entry(audit_entry: AuditEntry) -> Result<AuditEntry, StoreError> {
    validate_time("at", audit_entry.at)?;
    validate_author(&audit_entry.author)?;
    if let Some(after) = audit_entry.after {
        validate_number("after", after.get())?;
    }
    validate_length("did", &audit_entry.action, ENTRY_CHARACTERS)?;
    Ok(AuditEntry {
        action: clean_text(&audit_entry.action, TextKind::MultiLine),
        ..audit_entry
    })
}

/// Validates a profile by the rules of a new pet.
fn validate_profile(profile: &Profile) -> Result<Profile, StoreError> {
    let profile = ProfileInput::from_profile(profile).cleaned().into_profile();
    profile.map_err(|InvalidProfile(errors)| match errors.first() {
        Some(error) => invalid(error.field, &error.message),
        None => invalid("profile", "it is not valid"),
    })
}

fn validate_note(note: &StatusNote) -> Result<StatusNote, StoreError> {
    let cleaned = note.cleaned();
    cleaned.map_err(|error| invalid("note", &error.to_string()))
}

fn validate_author(author: &Author) -> Result<(), StoreError> {
    for (field, text) in [("who", &author.name), ("client", &author.client)] {
        validate_author_text(field, text)?;
    }
    Ok(())
}

fn validate_author_text(field: &str, text: &str) -> Result<(), StoreError> {
    validate_length(field, text, AUTHOR_CHARACTERS)?;
    if has_control_character(text) {
        return Err(invalid(field, "it has a control character"));
    }
    Ok(())
}

fn has_control_character(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn validate_length(field: &str, text: &str, limit: usize) -> Result<(), StoreError> {
    let count = text.chars().count();
    if count <= limit {
        return Ok(());
    }
    let reason = format!("use at most {limit} characters; this has {count}");
    Err(invalid(field, &reason))
}

/// Checks that a number leaves room for later changes.
pub fn validate_number(field: &str, number: u64) -> Result<u64, StoreError> {
    if number <= MAX_NUMBER {
        return Ok(number);
    }
    Err(invalid(field, &format!("the largest is {MAX_NUMBER}")))
}

fn validate_time(field: &str, at: Timestamp) -> Result<(), StoreError> {
    if at.is_in_calendar() {
        return Ok(());
    }
    Err(invalid(field, "the date is out of range"))
}

fn invalid(field: &str, reason: &str) -> StoreError {
    StoreError::Record(format!("{field}: {}", reason.trim_end_matches('.')))
}
