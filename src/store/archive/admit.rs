//! Validates the records of an export: by the rules of the pages and of the API, and with bounds on
//! numbers that leave room for later changes.
//!
//! Characters that earlier versions accepted are removed rather than refused, so that their exports
//! can be imported.

use crate::model::{
    Account, AuditEntry, Author, Change, ChangeKind, InvalidProfile, MonotonicSeconds, Pet, PetId,
    Profile, ProfileInput, Rev, TextKind, Timestamp, Token, check_token_name, clean_text,
};
use crate::store::{ClockReading, StoreError};

/// The largest rev, id and tick of an export. As many again are left for later changes, up to the
/// largest number that programs with floating-point numbers can count to.
const LARGEST: u64 = 1 << 52;

/// The longest texts about staff: the name and client of an author, the words of an audit entry, and
/// a password hash.
const AUTHOR_CHARACTERS: usize = 200;
const WORDS_CHARACTERS: usize = 20_000;
const PASSWORD_HASH_BYTES: usize = 512;

type Admitted<T> = Result<T, StoreError>;

pub fn admit_start(rev: u64, next_pet: u64) -> Admitted<(Rev, PetId)> {
    let rev = Rev::new(bounded("rev", rev)?);
    match bounded("next_pet", next_pet)? {
        0 => Err(refused("next_pet", "ids start at 1")),
        next_pet => Ok((rev, PetId::new(next_pet))),
    }
}

pub fn admit_pet(pet: Pet) -> Admitted<Pet> {
    bounded("id", pet.id.get())?;
    if pet.id.get() == 0 {
        return Err(refused("id", "ids start at 1"));
    }
    dated("since", pet.since)?;
    Ok(Pet {
        profile: admit_profile(&pet.profile)?,
        ..pet
    })
}

pub fn admit_change(change: Change) -> Admitted<Change> {
    if bounded("rev", change.rev.get())? == 0 {
        return Err(refused("rev", "revs start at 1"));
    }
    dated("at", change.at)?;
    if let Some(author) = &change.author {
        admit_author(author)?;
    }
    let kind = match change.kind {
        ChangeKind::Pet(pet) => ChangeKind::Pet(admit_pet(Pet::clone(&pet))?.into()),
        ChangeKind::Gone(Some(name)) => {
            short("name", &name, Profile::NAME_LIMIT)?;
            ChangeKind::Gone(Some(clean_text(&name, TextKind::OneLine).into()))
        }
        ChangeKind::StatusSince(status, since) => {
            dated("since", since)?;
            ChangeKind::StatusSince(status, since)
        }
        kind => kind,
    };
    Ok(Change { kind, ..change })
}

pub fn admit_account(account: Account) -> Admitted<Account> {
    dated("created", account.created)?;
    if let Some(invitation) = account.invitation {
        bounded("invitation", invitation.expires.0)?;
    }
    let is_hash = |hash: &String| hash.len() <= PASSWORD_HASH_BYTES && !has_control(hash);
    match account.password.as_ref().is_none_or(is_hash) {
        true => Ok(account),
        false => Err(refused("password", "it is not a password hash")),
    }
}

pub fn admit_token(token: Token) -> Admitted<Token> {
    dated("created", token.created)?;
    token.used.map(|used| dated("used", used)).transpose()?;
    let name = clean_text(&token.name, TextKind::OneLine);
    check_token_name(&name).map_err(|error| refused("name", &error.message))?;
    Ok(Token { name, ..token })
}

pub fn admit_clock(tick: u64, wall: i64) -> Admitted<ClockReading> {
    let (tick, wall) = (
        MonotonicSeconds(bounded("tick", tick)?),
        Timestamp::from_micros(wall),
    );
    dated("wall", wall)?;
    Ok(ClockReading { tick, wall })
}

pub fn admit_deed(audit_entry: AuditEntry) -> Admitted<AuditEntry> {
    dated("at", audit_entry.at)?;
    admit_author(&audit_entry.author)?;
    if let Some(after) = audit_entry.after {
        bounded("after", after.get())?;
    }
    short("did", &audit_entry.words, WORDS_CHARACTERS)?;
    Ok(AuditEntry {
        words: clean_text(&audit_entry.words, TextKind::MultiLine),
        ..audit_entry
    })
}

/// Validates a profile by the rules of a new pet.
fn admit_profile(profile: &Profile) -> Admitted<Profile> {
    let input = ProfileInput::from_profile(profile);
    let admitted = input.cleaned().into_profile();
    admitted.map_err(|InvalidProfile(errors)| match errors.first() {
        Some(error) => refused(error.field, &error.message),
        None => refused("profile", "it is not valid"),
    })
}

fn admit_author(author: &Author) -> Admitted<()> {
    for (field, text) in [("who", &author.name), ("client", &author.client)] {
        short(field, text, AUTHOR_CHARACTERS)?;
        if has_control(text) {
            return Err(refused(field, "it has a control character"));
        }
    }
    Ok(())
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

fn short(field: &str, text: &str, limit: usize) -> Admitted<()> {
    match text.chars().count() {
        count if count <= limit => Ok(()),
        count => {
            let reason = format!("use at most {limit} characters; this has {count}");
            Err(refused(field, &reason))
        }
    }
}

/// Checks that a number leaves room for more.
pub fn bounded(field: &str, number: u64) -> Admitted<u64> {
    match number {
        0..=LARGEST => Ok(number),
        _ => Err(refused(field, &format!("the largest is {LARGEST}"))),
    }
}

fn dated(field: &str, at: Timestamp) -> Admitted<()> {
    match at.is_in_calendar() {
        true => Ok(()),
        false => Err(refused(field, "the date is out of range")),
    }
}

fn refused(field: &str, reason: &str) -> StoreError {
    StoreError::Record(format!("{field}: {}", reason.trim_end_matches('.')))
}
