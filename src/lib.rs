//! pet-store shows what each pet of a rescue is doing, at the moment it does it, on any network.
//!
//! # The way of a change
//!
//! A page (`web::pages`), the API (`web::api`) or a viewer's socket (`live::websocket`) asks; `auth` says
//! who that is and whether they may, which a handler states by the permit it takes; a typed command
//! waits in the bounded queue of `writer`, whose one thread decides what waits and commits it as one
//! durable transaction to a `store` engine, which gives each change its rev and shows it to `hub`,
//! whichever node it came from. `wire` encodes the change once; `hub` sends it once into the
//! broadcast stream. From there `delivery`, one thread per core, write the shared bytes into
//! the sockets of everyone who watches over WebSocket or SSE; long polls that wait for this pet are
//! woken, and catch up. Only then is the asker answered. In the browser, `public/live` receives,
//! `public/state` drops what is old, `public/view` draws.
//!
//! # The map
//!
//! Lower never imports higher; a test reads the imports and keeps this.
//!
//! ```text
//! model, metrics, limits → wire, store, clock, serve → hub → writer → error → auth, delivery
//!     → app_state → live, views → web, config → app, simulator, cli, telemetry → main
//! ```
//!
//! # Rules that always hold
//!
//! Each has a test that was seen to fail when the rule was broken.
//!
//! 1. **Commit before publish.** Nobody sees a change that a crash could take back. `writer`:
//!    `nobody_sees_a_change_before_it_is_durable`; kills, power cuts and failing disks:
//!    `tests/faults/`.
//! 2. **Revs only rise.** In the order of commit, the same on every transport, after a restart and
//!    on every node. `tests/it/transcript.rs`, `tests/cluster/`.
//! 3. **A join neither skips nor repeats.** A page is rendered with the cursor it was read at, and
//!    the stream starts there. `hub`:
//!    `a_join_in_the_middle_of_changes_neither_skips_nor_repeats`, and `delivery`:
//!    `a_newcomer_is_given_what_came_in_between_once_and_in_order`. Over a gap that an engine cannot
//!    fill there is a snapshot: `after_a_gap_every_viewer_is_given_a_snapshot_before_anything_that_follows`
//!    and `tests/cluster/gap.rs`.
//! 4. **Encode once.** Per change and transport, however many watch; a snapshot at most once per
//!    rev. `hub`: `a_change_and_a_snapshot_are_encoded_once_for_everyone`.
//! 5. **Everything waits in something bounded,** with a named answer when it is full: the writer's
//!    queue (503), the stream and the backlog (the newest of each pet, or a snapshot), viewers and
//!    connections (503), bodies (413), the memory of all unfinished requests together (503), an
//!    engine elsewhere that does not answer (503). `writer`: `a_full_queue_is_answered_at_once`, and
//!    `tests/it/buffers.rs`.
//! 6. **No viewer slows the writer or another viewer.** One that falls behind gets the newest
//!    status of each pet or a snapshot, and nothing older after it. `tests/it/live/sleeper.rs`,
//!    and `hub`: `a_viewer_that_falls_behind_gets_a_snapshot_and_then_carries_on`.
//! 7. **A viewer costs what it is sent.** `hub`:
//!    `a_viewer_of_one_pet_is_not_woken_when_another_changes`, and `delivery`:
//!    `a_viewer_of_one_pet_is_given_its_changes_and_nothing_is_written_for_others`.
//! 8. **Every task has an owner** and is awaited at the stop. `tests/it/connections.rs`.
//! 9. **The server's HTML is the first state,** and works alone. `tests/it/pages.rs`, and the
//!    browser tests without JavaScript.
//! 10. **A decision is made on what is true when it is committed.** Session, role and account of an
//!     edit of staff: `auth::accounts`,
//!     `no_edit_is_made_by_a_session_that_was_ended_while_it_waited`. Permission of a change:
//!     `writer`, `a_command_whose_permission_ends_while_it_waits_is_refused`, and `auth::accounts`,
//!     `no_revocation_is_answered_before_a_change_that_is_being_committed`.
//!     Order of the audit: `auth::accounts`,
//!     `a_revocation_is_listed_after_the_changes_it_waited_for`.
//!     Expected revision and merged edits: `writer::tests::preconditions`.
//! 11. **What a person typed or tapped is saved or still in front of them.**
//!     `tests/it/staff/unsaved.rs`, `tests/browser/unsaved.test.mjs`.

pub mod app;
pub mod app_state;
pub mod auth;
pub mod backoff;
pub mod cli;
pub mod clock;
pub mod conditional;
pub mod config;
pub mod delivery;
pub mod error;
pub mod hub;
pub mod limits;
pub mod live;
pub mod metrics;
pub mod model;
pub mod serve;
pub mod simulator;
pub mod store;
pub mod telemetry;
pub mod views;
pub mod web;
pub mod wire;
pub mod writer;
