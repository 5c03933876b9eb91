//! Bounds on the photos that are sent and decoded concurrently.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::UPLOAD_BYTES;
use crate::error::Failure;
use crate::model::picture::MAX_DECODE_BYTES;

/// Memory of all files that arrive or wait for a decoder. With the two decoders, photos take less than
/// 150 MB. A phone's photo has about 4 MB.
const FILES_BYTES: usize = 48 * 1024 * 1024;

/// Unit in which that memory is counted.
const UNIT_BYTES: usize = 64 * 1024;

/// Uploads that may wait for memory; the next one is refused immediately.
const MAX_WAITING: usize = 64;

/// Pictures that are decoded at the same time. One that needs more than half of `MAX_DECODE_BYTES` counts
/// as two.
const DECODERS: u32 = 2;

/// Longest wait for memory, and for a decoder.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// `Retry-After` of an upload that waited too long.
const RETRY_AFTER_SECONDS: u64 = 5;

/// The bounds of all uploads.
pub struct UploadSlots {
    memory: Arc<Semaphore>,
    waiting: AtomicUsize,
    decoders: Arc<Semaphore>,
}

/// Memory for the file of an upload; given back when this is dropped.
#[derive(Debug)]
pub struct FileMemory {
    _permit: OwnedSemaphorePermit,
}

/// A decoder; free again when this is dropped.
#[derive(Debug)]
pub struct DecoderPermit {
    _permit: OwnedSemaphorePermit,
}

impl UploadSlots {
    /// Starts without uploads.
    pub fn new() -> Self {
        UploadSlots {
            memory: Arc::new(Semaphore::new(FILES_BYTES / UNIT_BYTES)),
            waiting: AtomicUsize::new(0),
            decoders: Arc::new(Semaphore::new(DECODERS as usize)),
        }
    }

    /// Reserves memory for a body of `bytes`, before it is read. Waits until others are done.
    ///
    /// # Errors
    /// 503 if too many wait, or the wait is too long.
    pub async fn memory(&self, bytes: usize) -> Result<FileMemory, Failure> {
        let units = bytes.min(UPLOAD_BYTES).div_ceil(UNIT_BYTES).max(1);
        let _waiting = self.wait()?;
        let permit = acquire(&self.memory, units as u32).await?;
        Ok(FileMemory { _permit: permit })
    }

    /// Waits for a decoder for a picture that needs `bytes`.
    ///
    /// # Errors
    /// 503 if the wait is too long.
    pub async fn decoder(&self, bytes: u64) -> Result<DecoderPermit, Failure> {
        let is_large = bytes > MAX_DECODE_BYTES / u64::from(DECODERS);
        let count = if is_large { DECODERS } else { 1 };
        let permit = acquire(&self.decoders, count).await?;
        Ok(DecoderPermit { _permit: permit })
    }

    fn wait(&self) -> Result<Waiting<'_>, Failure> {
        let waiting = Waiting(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
            return Err(busy());
        }
        Ok(waiting)
    }
}

/// An upload that waits for memory.
struct Waiting<'a>(&'a AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, count: u32) -> Result<OwnedSemaphorePermit, Failure> {
    let acquiring = Arc::clone(semaphore).acquire_many_owned(count);
    match timeout(MAX_WAIT, acquiring).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(busy()),
    }
}

fn busy() -> Failure {
    let detail = "Too many photos are being sent right now. Try again in a few seconds.";
    Failure::unavailable(detail, RETRY_AFTER_SECONDS)
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_pictures_are_decoded_at_a_time_and_a_large_one_alone() {
        let slots = UploadSlots::new();
        let (one, two) = (
            slots.decoder(1).await.unwrap(),
            slots.decoder(1).await.unwrap(),
        );
        assert_eq!(slots.decoder(1).await.unwrap_err().status, 503);
        drop(one);
        assert_eq!(
            slots.decoder(MAX_DECODE_BYTES).await.unwrap_err().status,
            503
        );
        drop(two);
        let large = slots.decoder(MAX_DECODE_BYTES).await.unwrap();
        assert_eq!(slots.decoder(1).await.unwrap_err().status, 503);
        drop(large);
        slots.decoder(1).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn files_share_a_bounded_memory_and_a_bounded_queue() {
        let slots = UploadSlots::new();
        let held = [
            slots.memory(UPLOAD_BYTES).await,
            slots.memory(usize::MAX).await,
        ];
        assert!(held.iter().all(Result::is_ok));
        let waiting = (0..2 * MAX_WAITING).map(|_| slots.memory(UPLOAD_BYTES));
        let refused = join_all(waiting).await;
        assert!(
            refused
                .iter()
                .all(|refused| refused.as_ref().is_err_and(|busy| busy.status == 503))
        );
        assert_eq!(slots.waiting.load(Ordering::Relaxed), 0);
        drop(held);
        slots.memory(UPLOAD_BYTES).await.unwrap();
    }
}
