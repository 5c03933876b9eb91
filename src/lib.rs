//! pet-store
pub mod metrics;
pub mod model;
pub mod store;
pub mod wire;
