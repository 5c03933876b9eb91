//! The names under which everything is in the cluster.
//!
//! One stream is the record store and the change log: `ps.pet.<id>` holds pets, `ps.next_pet` the
//! next id, `ps.sim.tick` the simulator's last tick and `ps.meta.epoch` the epoch. The sequence
//! number of the stream is the rev. Another one holds staff, and is not published anywhere. A
//! bucket with a short life holds the simulator's lease.

/// A stream, and the subjects that are in it.
pub struct Stream {
    pub name: &'static str,
    pub subjects: &'static str,
}

pub const PETS: Stream = Stream {
    name: "PET_STORE",
    subjects: "ps.>",
};

/// Accounts, sessions, tokens and what was done to them.
pub const STAFF: Stream = Stream {
    name: "PET_STORE_STAFF",
    subjects: "ps-staff.>",
};

/// Where a node says, without saying what, that it has edited something about staff.
pub const STAFF_NOTES: &str = "ps-note.staff";

pub const NEXT_PET: &str = "ps.next_pet";
pub const TICK: &str = "ps.sim.tick";
pub const EPOCH: &str = "ps.meta.epoch";
/// The pet's id follows.
pub const PET: &str = "ps.pet.";

/// What was stored is published there once more, without being stored: what each node listens to.
pub const LIVE: &str = "ps-live.>";

pub const LEASE_STREAM: &str = "KV_pet-store-lease";
pub const LEASE: &str = "$KV.pet-store-lease.simulator";
