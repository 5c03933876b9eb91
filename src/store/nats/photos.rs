//! The files of photos in a `JetStream` object store, a bucket of the cluster.
//!
//! A file is an object with the name `HASH-WIDTH`. Whoever needs the bucket first creates it. Photos are
//! no part of a commit: a file that was sent twice is stored once more, and a request that failed can be
//! repeated.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use async_nats::jetstream;
use async_nats::jetstream::object_store::{Config, ObjectStore};
use async_nats::jetstream::stream::StorageType;
use bytes::Bytes;
use futures_util::TryStreamExt;
use tokio::io::AsyncReadExt;
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::client::{NatsClient, unavailable};
use crate::model::{PhotoFile, PhotoHash, Timestamp};
use crate::store::StoreError;

/// Name of the bucket; its stream is `OBJ_pet-store-photos`.
const BUCKET: &str = "pet-store-photos";

/// Timeout of storing or reading one photo, and of a listing.
const PHOTO_TIMEOUT: Duration = Duration::from_secs(15);

/// The bucket, opened when it is needed first.
pub struct PhotoBucket {
    client: NatsClient,
    opened: OnceCell<ObjectStore>,
}

impl PhotoBucket {
    /// Uses the connection of `client`.
    pub fn new(client: &NatsClient) -> Self {
        PhotoBucket {
            client: client.clone(),
            opened: OnceCell::new(),
        }
    }

    async fn open(&self) -> Result<&ObjectStore, StoreError> {
        if !self.client.is_connected() {
            return Err(unavailable("there is no connection"));
        }
        let open = async || {
            let context = jetstream::new(self.client.client().clone());
            if let Ok(bucket) = context.get_object_store(BUCKET).await {
                return Ok(bucket);
            }
            let created = context.create_object_store(Config {
                bucket: BUCKET.to_owned(),
                description: Some("Photos of the pets".to_owned()),
                storage: StorageType::File,
                num_replicas: self.client.replicas,
                ..Config::default()
            });
            created.await.map_err(unavailable)
        };
        self.opened.get_or_try_init(open).await
    }

    /// Stores the files of a photo.
    pub async fn put(&self, hash: PhotoHash, files: &[PhotoFile]) -> Result<(), StoreError> {
        let bucket = self.open().await?;
        for file in files {
            let name = object_name(hash, file.width_px);
            let mut jpeg = &file.jpeg[..];
            let put = bucket.put(name.as_str(), &mut jpeg);
            put.await.map_err(unavailable)?;
        }
        Ok(())
    }

    /// Reads a file. Its digest is checked.
    pub async fn get(&self, hash: PhotoHash, width_px: u32) -> Result<Option<Bytes>, StoreError> {
        use jetstream::object_store::GetErrorKind;
        let bucket = self.open().await?;
        let mut object = match bucket.get(object_name(hash, width_px)).await {
            Ok(object) => object,
            Err(error) if error.kind() == GetErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unavailable(error)),
        };
        let mut file = Vec::new();
        let read = object.read_to_end(&mut file).await;
        read.map_err(unavailable)?;
        Ok(Some(file.into()))
    }

    /// Removes the photos that are not `used` and were stored before `before`.
    pub async fn remove_unused(
        &self,
        used: &HashSet<PhotoHash>,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        let bucket = self.open().await?;
        let objects = bucket.list().await.map_err(unavailable)?;
        let objects: Vec<_> = objects.try_collect().await.map_err(unavailable)?;
        let mut unused = BTreeMap::<PhotoHash, Vec<String>>::new();
        for object in objects {
            let hash = object.name.split('-').next().unwrap_or_default();
            let Ok(hash) = hash.parse() else { continue };
            let stored = object.modified.map(|at| at.unix_timestamp() * 1_000_000);
            let is_old = stored.is_some_and(|stored| stored < before.micros());
            if is_old && !used.contains(&hash) {
                unused.entry(hash).or_default().push(object.name);
            }
        }
        for name in unused.values().flatten() {
            bucket.delete(name).await.map_err(unavailable)?;
        }
        Ok(unused.len())
    }
}

fn object_name(hash: PhotoHash, width_px: u32) -> String {
    format!("{hash}-{width_px}")
}

/// Limits the time of an operation on photos.
///
/// # Errors
/// `Unavailable` after the time.
pub async fn limited<T>(
    work: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let late = |_| unavailable("the photos did not arrive in time");
    timeout(PHOTO_TIMEOUT, work).await.map_err(late)?
}
