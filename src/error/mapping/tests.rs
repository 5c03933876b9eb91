//! Every variant of every error has its answer, and a server error never carries its cause.

use std::fmt::Write;
use std::path::PathBuf;

use super::*;
use crate::auth::HashingBusy;
use crate::model::{PetId, Scope, Status};

/// Stands for a cause that only the log may name.
const SECRET: &str = "/var/lib/secret";

/// Lists the answer to every variant of an enum. A variant that is left out does not compile.
macro_rules! answers {
    ($error:ident { $($variant:ident $(($($value:expr),*))? $({ $($field:ident: $named:expr),* })?,)* }) => {{
        fn is_complete(error: &$error) {
            match error { $($error::$variant { .. } => (),)* }
        }
        let answers = [$((
            concat!(stringify!($error), "::", stringify!($variant)),
            $error::$variant $(($($value),*))? $({ $($field: $named),* })?,
        )),*];
        answers.into_iter().map(|(name, error)| {
            is_complete(&error);
            (name, Failure::from(error))
        }).collect::<Vec<_>>()
    }};
}

fn every_answer() -> Vec<(&'static str, Failure)> {
    let text = || SECRET.to_owned();
    let path = || PathBuf::from(SECRET);
    let anna = || "anna".parse().unwrap();
    let invalid = InvalidProfile(vec![FieldError {
        field: "name",
        message: "Enter a name.".to_owned(),
    }]);
    [
        answers!(WriteError {
            UnknownPet(PetId::new(7)),
            SignedOut,
            NotInScope(Scope::Write),
            PreconditionFailed,
            NotInTrash(PetId::new(7)),
            KeyReused,
            EditConflict,
            StatusMovedOn,
            Namesake(PetId::new(7)),
            TooManyPhotos,
            PhotoExists,
            UnknownPhoto,
            BeginsTooEarly { status: Status::Eating, since: "2026-11-28T14:05:00Z".parse().unwrap(), field: "began" },
            Busy,
            Stopping,
            Store,
            Moved,
            Full,
            Conflict,
            Rejected,
            Unavailable,
            Unknown,
        }),
        answers!(PhotoError {
            Empty,
            FileTooLarge,
            Heic,
            OtherFormat("GIF"),
            Video,
            NotAPicture,
            Animation,
            TooManyPixels { pixels: 60_000_001 },
            SideOutOfRange { width_px: 1, height_px: 65_535 },
            TooMuchMemory,
            Damaged,
        }),
        answers!(Refusal {
            NotSignedIn,
            SocketNotSignedIn,
            NotInScope(Scope::SetStatus),
            NotAdmin,
            NotAPerson,
            AtStation,
            CrossOrigin,
            WrongAddress("https://pets.example".to_owned()),
            OtherHost,
            StaleForm,
            Demo,
            Unidentified,
        }),
        answers!(AccountsError {
            NameTaken(anna()),
            UnknownAccount("anna".to_owned()),
            LastAdmin(anna()),
            BadInvitation,
            Full(1000),
            SignedOut,
            NotAdmin,
            Gone,
            Busy,
            HashingBusy(HashingBusy),
            Refused(Refusal::Demo),
            Panicked,
            Store(StoreError::Write(text())),
        }),
        [
            StoreError::Full(text()),
            StoreError::Conflict,
            StoreError::Unknown(text()),
            StoreError::Read(text()),
        ]
        .map(|error| ("AccountsError::Store", AccountsError::Store(error).into()))
        .into(),
        answers!(StoreError {
            InUse(path()),
            NoAnswer(path()),
            NotKept(path()),
            NewerSchema { path: path(), found: 9, known: 8 },
            Foreign { path: path(), reason: text() },
            Damaged { path: path(), reason: text() },
            Open { path: path(), reason: text() },
            BrokenLink { link: path(), target: path() },
            NoStoreInFolder(path()),
            Exists(path()),
            NotEmpty(path()),
            Import { line: 1, reason: text() },
            NoEngine { address: text(), reason: text() },
            TooOld { version: text() },
            OtherSettings { stream: text(), setting: text(), found: text(), wanted: text() },
            TooFewReplicas { stream: text(), kept: 1, wanted: 3 },
            Unfinished,
            NoStore(text()),
            NotEmptyEngine(text()),
            ImportStopped(text()),
            Conflict,
            Unavailable(text()),
            Unknown(text()),
            Rejected(text()),
            Trimmed,
            Full(text()),
            Moved(path()),
            Write(text()),
            Read(text()),
            Record(text()),
            LostChanges { kept: 1, shown: 2 },
        }),
        vec![
            ("InvalidProfile", invalid.into()),
            ("UnknownStatus", UnknownStatus::default().into()),
            ("CursorError", CursorError.into()),
            ("PetIdError", PetIdError.into()),
            ("TooManyPets", TooManyPets.into()),
        ],
    ]
    .concat()
}

#[test]
fn every_error_has_its_answer() {
    let mut table = String::new();
    for (error, failure) in every_answer() {
        let (status, title, detail) = (failure.status.as_u16(), failure.title, &failure.detail);
        let retry = failure.retry_after;
        let retry = retry.map_or_else(String::new, |seconds| format!(" [retry after {seconds} s]"));
        writeln!(table, "{error}: {status} {title}. {detail}{retry}").unwrap();
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_answer_is_a_problem_document() {
    let mut answers = every_answer();
    answers.extend([
        (
            "method",
            Failure::method_not_allowed("GET, HEAD".to_owned()),
        ),
        (
            "size",
            Failure::too_large("A body has at most 65536 bytes."),
        ),
        ("rate", Failure::too_often("Try again in a moment.", 3)),
    ]);
    answers.sort_by_key(|(_, failure)| failure.status);
    answers.dedup_by_key(|(_, failure)| (failure.status, failure.fields.len()));
    let problems = answers.iter().map(|(_, failure)| {
        let response = failure.clone().into_response();
        let headers = response.headers().iter();
        let headers: Vec<String> = headers
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        format!("{}\n{:#}\n", headers.join("\n"), failure.to_problem())
    });
    insta::assert_snapshot!(problems.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_server_error_never_carries_its_cause() {
    for (error, failure) in every_answer() {
        assert!(!failure.detail.contains(SECRET), "{error}: {failure}");
    }
}
