//! A long list of pets in an answer: rendered in blocks, off the async workers, and shared.
//!
//! A block is rendered when a reader takes it, so a slow reader of a large board holds one block
//! and not the whole answer. Blocks that look the same to every reader are kept and sent as shared
//! bytes until one of their pets changes. A block with a form token is made for one browser and
//! never kept.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use poem::Body;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_stream::Stream;

use super::middleware::request_memory;
use crate::model::Pet;

/// Ids in a block. Its cards are about 50 KiB.
const BLOCK_IDS: u64 = 64;

/// Blocks that are kept, in bytes together: a visitor's cards of about 22,000 pets. Of a larger
/// board the newest are kept, for readers that are at about the same place.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// How long a kept block is shown: a card says how long ago its pet began.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// A list of up to this many pets is sent as a whole, with its length.
const WHOLE_PETS: usize = 256;

/// What pets are rendered as, for everyone in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockKind {
    /// Cards without forms.
    Cards,
    /// Cards with forms, and without a form token.
    CardsWithForms,
    /// Objects of the API.
    Json,
}

/// How the pets of an answer are rendered.
pub struct Rendering<F> {
    /// What its blocks are shared as; `None` if they are for one reader.
    pub kind: Option<BlockKind>,
    /// Between two blocks.
    pub separator: &'static str,
    /// Renders a block; `None` when that fails.
    pub render: F,
}

/// The blocks that are kept, and permits to render more.
pub struct Blocks {
    renders: Arc<Semaphore>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    /// By what it is rendered as, and its number.
    blocks: HashMap<(BlockKind, u64), Block>,
}

struct Block {
    pets: Vec<Arc<Pet>>,
    rendered_at: Instant,
    text: Bytes,
}

impl Kept {
    /// Makes room for `bytes`: without what is no longer fresh, and then without the older half.
    fn make_room(&mut self, bytes: usize) {
        let mut limit = FRESH_FOR;
        while self.bytes + bytes > KEPT_BYTES && !self.blocks.is_empty() {
            self.blocks
                .retain(|_, block| block.rendered_at.elapsed() < limit);
            self.bytes = self.blocks.values().map(|block| block.text.len()).sum();
            let mut ages: Vec<Duration> = self
                .blocks
                .values()
                .map(|block| block.rendered_at.elapsed())
                .collect();
            ages.sort_unstable();
            limit = ages.get(ages.len() / 2).copied().unwrap_or_default();
        }
    }
}

impl Blocks {
    pub fn new() -> Self {
        // Half of the cores, so that the async workers always find one.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Blocks {
            renders: Arc::new(Semaphore::new((cores / 2).max(1))),
            kept: Mutex::default(),
        }
    }

    /// The block that `pets` are, if it was rendered from the same pets a moment ago.
    fn find(&self, key: (BlockKind, u64), pets: &[Arc<Pet>]) -> Option<Bytes> {
        let kept = self.kept.lock().expect("no holder of this lock panics");
        let block = kept.blocks.get(&key)?;
        let is_same = block.pets.len() == pets.len()
            && block.pets.iter().zip(pets).all(|(a, b)| Arc::ptr_eq(a, b));
        (is_same && block.rendered_at.elapsed() < FRESH_FOR).then(|| block.text.clone())
    }

    fn keep(&self, key: (BlockKind, u64), pets: Vec<Arc<Pet>>, text: Bytes) {
        let mut kept = self.kept.lock().expect("no holder of this lock panics");
        kept.make_room(text.len());
        kept.bytes += text.len();
        let block = Block {
            pets,
            rendered_at: Instant::now(),
            text,
        };
        if let Some(old) = kept.blocks.insert(key, block) {
            kept.bytes -= old.text.len();
        }
    }

    /// The text of `pets`, which are one block.
    async fn block<F>(
        self: &Arc<Self>,
        rendering: &Arc<Rendering<F>>,
        pets: &[Arc<Pet>],
    ) -> io::Result<Bytes>
    where
        F: Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static,
    {
        let number = pets.first().map_or(0, |pet| pet.id.get() / BLOCK_IDS);
        let key = rendering.kind.map(|kind| (kind, number));
        let find = || key.and_then(|key| self.find(key, pets));
        if let Some(text) = find() {
            return Ok(text);
        }
        let permit = Arc::clone(&self.renders).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        // Another reader may have rendered it meanwhile.
        if let Some(text) = find() {
            return Ok(text);
        }
        let (blocks, rendering) = (Arc::clone(self), Arc::clone(rendering));
        let pets = pets.to_vec();
        let running = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let text = Bytes::from((rendering.render)(&pets)?);
            if let Some(key) = key {
                blocks.keep(key, pets, text.clone());
            }
            Some(text)
        });
        let text = running.await.map_err(io::Error::other)?;
        text.ok_or_else(|| io::Error::other("the pets could not be rendered"))
    }

    /// The blocks of `pets`, one after the other, with what belongs between them.
    fn stream<F>(
        self: Arc<Self>,
        rendering: Arc<Rendering<F>>,
        pets: Arc<[Arc<Pet>]>,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send
    where
        F: Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static,
    {
        let blocks = stream::unfold(
            (self, rendering, pets, 0),
            async |(blocks, rendering, pets, at)| {
                let rest = &pets[at..];
                let number = rest.first()?.id.get() / BLOCK_IDS;
                let end = rest.partition_point(|pet| pet.id.get() / BLOCK_IDS == number);
                let text = blocks.block(&rendering, &rest[..end]).await;
                let separator = match at {
                    0 => "",
                    _ => rendering.separator,
                };
                let pieces = [Ok(Bytes::from_static(separator.as_bytes())), text];
                Some((stream::iter(pieces), (blocks, rendering, pets, at + end)))
            },
        );
        // An empty piece would be the end of a chunked body.
        blocks
            .flatten()
            .filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty)))
    }

    /// `head`, the blocks of `pets`, `tail`.
    ///
    /// # Errors
    /// When a block could not be rendered, and nothing was sent yet.
    pub async fn body<F>(
        self: &Arc<Self>,
        rendering: Rendering<F>,
        pets: Arc<[Arc<Pet>]>,
        (head, tail): (&str, &str),
    ) -> io::Result<Body>
    where
        F: Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static,
    {
        let is_whole = pets.len() <= WHOLE_PETS;
        let once = |text: &str| stream::iter([Ok(Bytes::from(text.to_owned()))]);
        let blocks = Arc::clone(self).stream(Arc::new(rendering), pets);
        let list = once(head).chain(blocks).chain(once(tail));
        if !is_whole {
            return Ok(Body::from_bytes_stream(list));
        }
        let pieces: Vec<Bytes> = list.try_collect().await?;
        Ok(request_memory::whole(pieces))
    }
}
