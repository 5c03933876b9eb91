//! pet-store shows what each pet of a rescue is doing right now, live, on any network.
//!
//! # Where to start reading
//!
//! A route starts in the file of its name: `web::api` and `web::pages` for HTTP, `live::sse`,
//! `live::websocket` and `live::poll` for the live ones. The bytes on a socket come from
//! `live::upgrade` (the first), `wire::encoding` (their form) and `delivery` (all later ones); the
//! cursor of a viewer is read by `live::query`. The limit per address is in `limits`, the commands of the program in `cli`, its options in `config`. `app` starts all parts and
//! stops them. Everything else is on the way of a change.
//!
//! # The way of a change
//!
//! From `PUT /api/v1/pets/7/status` to the bytes on a WebSocket, a change has three shapes: a
//! `Command` until the writer has decided it, a `Change` with a rev once the engine has committed it,
//! and a `Frame` with the bytes of every transport. `tests/it/repository/path.rs` checks this table:
//! each function is called in the file of the step in the last column.
//!
//! | step | file | function | what it does | called in the file of step |
//! |---|---|---|---|---|
//! | 1 | `web/api.rs` | `set_status` | Parses the request into a `Command`. | |
//! | 2 | `auth/permit.rs` | `api_signer` | Signs the command. The handler's parameter `Permit` has checked the permission. | 1 |
//! | 3 | `writer.rs` | `commit_once` | Puts the command into the bounded queue of the writer's thread. | 1 |
//! | 4 | `writer.rs` | `commit_batch` | Takes all commands that wait, checks their permission again, and answers them at the end. | 4 |
//! | 5 | `writer/decision.rs` | `decide` | Checks the preconditions, and turns the command into a `Change`. | 4 |
//! | 6 | `model/change.rs` | `apply_to` | Applies the change to the pet. | 5 |
//! | 7 | `store/redb.rs` | `commit` | Gives the changes their revs, and writes the rows. | 5 |
//! | 8 | `store/redb/file.rs` | `write` | Makes the rows durable as one transaction. | 7 |
//! | 9 | `hub.rs` | `show` | Receives the committed changes from the engine, those of other nodes too. | 7 |
//! | 10 | `hub.rs` | `publish` | Updates the board, sends the frame into the broadcast stream, and wakes the delivery workers and polls. | 9 |
//! | 11 | `wire/frame.rs` | `from_change` | Encodes the change once for every transport: a `Frame`. | 10 |
//! | 12 | `delivery/worker.rs` | `serve` | Waits for events and frames, one thread or more. | 12 |
//! | 13 | `delivery/fan_out.rs` | `pass` | Receives new frames, and passes them to the viewers of each pet. | 12 |
//! | 14 | `delivery/viewer.rs` | `send_event` | Writes the shared bytes to the socket, or keeps what a slow viewer cannot take. | 13 |
//! | 15 | `delivery/fan_out.rs` | `resume` | Serves a slow viewer again: the newest frame per topic, or a snapshot. | 12 |
//!
//! A tap on a page enters at `web/pages/pets.rs`, a command over WebSocket at `live/protocol.rs`; both
//! join at step 3. On a cluster, `store/nats/commit.rs` takes the place of steps 7 and 8. In the browser, `public/petstore`
//! receives, and drops what is old; `public/app/view` draws.
//!
//! # Layers
//!
//! Lower layers never import higher ones; a test reads the imports.
//!
//! ```text
//! model, metrics, limits → wire, store, clock, serve → hub → writer → auth → error → delivery
//!     → app_state → live, views → web → config → simulator → app → cli
//! ```
//!
//! # Invariants
//!
//! Each has a test that was seen to fail when the invariant was broken.
//!
//! 1. **Commit before publish.** No viewer sees a change that a crash could undo. `writer`:
//!    `no_viewer_sees_a_change_before_it_is_durable`; kills, power cuts and failing disks:
//!    `tests/faults/`.
//! 2. **Revs only increase,** in commit order; the same on every transport, after a restart and on
//!    every node. `tests/it/transcript.rs`, `tests/cluster/`.
//! 3. **A join neither skips nor repeats.** A page is rendered with the cursor it was read at, and
//!    its stream starts there. `hub`:
//!    `a_join_in_the_middle_of_changes_neither_skips_nor_repeats`, and `delivery`:
//!    `a_new_viewer_gets_the_frames_since_its_cursor_once_and_in_order`. Over a gap that an engine cannot
//!    fill there is a snapshot: `after_a_gap_every_viewer_gets_a_snapshot_before_later_changes`
//!    and `tests/cluster/outage/gap.rs`.
//! 4. **Encode once** per change and transport, for any number of viewers; a snapshot at most once
//!    per rev. `hub`: `a_change_and_a_snapshot_are_encoded_once_for_everyone`.
//! 5. **Every queue and buffer is bounded,** with a defined answer when it is full: the writer's
//!    queue (503), the stream and the backlog (the newest of each pet, or a snapshot), viewers and
//!    connections (503), bodies (413), the memory of all unfinished requests together (503), an
//!    engine that does not respond (503). `writer`: `a_full_queue_is_answered_immediately`, and
//!    `tests/it/request_memory.rs`.
//! 6. **No viewer slows the writer or another viewer.** One that falls behind gets the newest
//!    status of each pet or a snapshot, and nothing older after it. `tests/it/live/stalled_viewer.rs`,
//!    and `hub`: `a_viewer_that_falls_behind_gets_a_snapshot_and_then_carries_on`.
//! 7. **A viewer costs what it is sent.** `hub`:
//!    `a_viewer_of_one_pet_is_not_woken_when_another_changes`, and `delivery`:
//!    `a_viewer_of_one_topic_gets_its_frames_and_no_bytes_for_others`.
//! 8. **Every task has an owner** and is awaited at shutdown. `tests/it/connections.rs`.
//! 9. **The server's HTML is the first state** and works alone. `tests/it/pages.rs`, and the
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
//! 12. **Only staff learn of a private pet,** before, during and after. `tests/it/private_pets.rs` has every
//!     place at which one could leak; `hub`: `tests::private`.

pub mod app;
pub mod app_state;
pub mod auth;
pub mod cli;
pub mod clock;
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
pub mod views;
pub mod web;
pub mod wire;
pub mod writer;
