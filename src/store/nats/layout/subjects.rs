//! Names of streams and subjects.
//!
//! `PET_STORE` is both the record store and the change log: `ps.pet.<id>` holds pets, `ps.next_pet`
//! the next id, `ps.sim.tick` the simulator's last tick, `ps.meta.epoch` the epoch. Its sequence
//! number is the rev. `PET_STORE_STAFF` holds accounts and is not republished. A key-value bucket
//! with a short maximum age holds the leases.

/// A stream and its subject filter.
pub struct NatsStream {
    /// Name of the stream.
    pub name: &'static str,
    /// Filter that matches every subject of the stream.
    pub subjects: &'static str,
}

/// Pets and the log of their changes.
pub const PETS: NatsStream = NatsStream {
    name: "PET_STORE",
    subjects: "ps.>",
};

/// Accounts, sessions, tokens and audit entries.
pub const STAFF: NatsStream = NatsStream {
    name: "PET_STORE_STAFF",
    subjects: "ps-staff.>",
};

/// Core subject on which a node announces, without content, that it edited accounts.
pub const ACCOUNTS_CHANGED: &str = "ps-note.staff";

/// Subject of the id that the next created pet gets.
pub const NEXT_PET: &str = "ps.next_pet";
/// Subject of the simulator's last tick.
pub const TICK: &str = "ps.sim.tick";
/// Subject of the epoch.
pub const EPOCH: &str = "ps.meta.epoch";
/// Prefix of a pet's subject; the id follows.
pub const PET: &str = "ps.pet.";

/// Core subjects to which the servers republish every message stored in `PETS`.
pub const REPUBLISHED: &str = "ps-live.>";

/// Stream of the key-value bucket that holds the lease.
pub const LEASE_STREAM: &str = "KV_pet-store-lease";
/// Subject of the lease of the simulator.
pub const SIMULATOR_LEASE: &str = "$KV.pet-store-lease.simulator";
/// Subject of the lease of the node that sends to webhooks.
pub const WEBHOOKS_LEASE: &str = "$KV.pet-store-lease.webhooks";
