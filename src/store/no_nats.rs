//! Stands in for the engine of several nodes in a build without the feature `nats`: no text is the
//! address of a cluster, so none of its functions can ever be called.

use std::convert::Infallible;
use std::fmt;
use std::future::Ready;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use super::archive::StaffData;
use super::{AccountStore, Engine, StoreError};

pub use self::{NoCluster as ClusterAddress, NotBuiltIn as AddressError};

/// The address of a cluster, of which there is none.
#[derive(Clone, Debug)]
pub struct NoCluster(Infallible);

/// The error for every engine other than `redb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "use redb: this pet-store was built without NATS; for a cluster, build it with the feature \
     `nats`, which is on by default"
)]
pub struct NotBuiltIn;

impl FromStr for NoCluster {
    type Err = NotBuiltIn;

    fn from_str(_: &str) -> Result<Self, NotBuiltIn> {
        Err(NotBuiltIn)
    }
}

impl fmt::Display for NoCluster {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {}
    }
}

impl NoCluster {
    /// Stands in for the method that adds files to an address.
    pub fn with_files(self, _: Option<PathBuf>, _: Option<PathBuf>) -> Self {
        match self.0 {}
    }
}

/// The result of connecting to a cluster.
type Connected = Result<(Arc<dyn Engine>, Arc<dyn AccountStore>), StoreError>;

/// Stands in for the connection to a cluster.
pub fn connect(address: &NoCluster) -> Ready<Connected> {
    match address.0 {}
}

/// Stands in for the export of a cluster.
///
/// # Errors
/// Never fails, as there is no address to call it with.
pub fn export(address: &NoCluster, _: StaffData, _: impl Write) -> Result<(), StoreError> {
    match address.0 {}
}

/// Stands in for the import into a cluster.
///
/// # Errors
/// Never fails, as there is no address to call it with.
pub fn import(_: impl BufRead, address: &NoCluster) -> Result<String, StoreError> {
    match address.0 {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_cluster_is_refused_with_the_feature_that_is_missing() {
        let refused = "nats://a:4222".parse::<NoCluster>().unwrap_err();
        assert!(refused.to_string().contains("built without NATS"));
    }
}
