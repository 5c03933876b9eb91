//! Renders lists of pets in blocks, outside of the async workers, and caches the blocks.
//!
//! A block is rendered when its reader is ready for it, so a slow reader of a large board occupies the
//! memory of one block. Blocks are the same for every reader, and cached until one of their pets changes.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
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
use crate::model::{Audience, Pet, Rescue};

/// Ids in a block. Its cards are about 50 KiB.
const BLOCK_IDS: u64 = 64;

/// Size of the cache: the cards of about 22,000 pets. Of a larger board, it holds the newest blocks,
/// for readers that read at about the same time.
const CACHE_BYTES: usize = 16 * 1024 * 1024;

/// How long a cached block is served. A card says how long its pet has had its status.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// Lists of up to this many pets are sent with their length, not streamed.
const WHOLE_PETS: usize = 256;

/// Rendering of pets that is the same for every reader of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BlockKind {
    /// Cards without buttons.
    Cards,
    /// Cards with buttons that set the status. The form token is in the form around them.
    CardsWithButtons,
    /// Rows with buttons that set the status.
    RowsWithButtons,
    /// Cards of the screen in the lobby.
    LobbyCards,
    /// Objects of the API for an audience.
    Json(Audience),
}

/// How the pets of an answer are rendered.
pub struct Rendering<F> {
    /// Part of the key of the cache.
    pub kind: BlockKind,
    /// Hash of everything else that the blocks depend on, beside their pets.
    pub variant: u64,
    /// Text between two blocks.
    pub separator: &'static str,
    /// Renders a block. Returns `None` on failure.
    pub render: F,
}

/// Returns the variant of blocks with texts that depend on the settings of `rescue`.
pub fn variant_of(rescue: &Rescue) -> u64 {
    let mut hasher = DefaultHasher::new();
    let times = (&rescue.time_zone, &rescue.clock, &rescue.status_age);
    (times, &rescue.activities).hash(&mut hasher);
    hasher.finish()
}

/// The cache of blocks. Limits how many blocks are rendered concurrently.
pub struct Blocks {
    renders: Arc<Semaphore>,
    cache: Mutex<BlockCache>,
}

#[derive(Default)]
struct BlockCache {
    bytes: usize,
    blocks: HashMap<BlockKey, Block>,
}

/// Kind, variant and number of a block: that of its ids, or of a page.
type BlockKey = (BlockKind, u64, u64);

struct Block {
    pets: Vec<Arc<Pet>>,
    rendered_at: Instant,
    text: Bytes,
}

impl BlockCache {
    /// Evicts blocks until there is room for `bytes`: expired ones first, then the older half.
    fn make_room(&mut self, bytes: usize) {
        let mut limit = FRESH_FOR;
        while self.bytes + bytes > CACHE_BYTES && !self.blocks.is_empty() {
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
    /// An empty cache.
    pub fn new() -> Self {
        // Half of the cores stay free for the async workers.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Blocks {
            renders: Arc::new(Semaphore::new((cores / 2).max(1))),
            cache: Mutex::default(),
        }
    }

    /// Returns the cached block, if it was rendered from the same pets and has not expired.
    fn find(&self, key: BlockKey, pets: &[Arc<Pet>]) -> Option<Bytes> {
        let cache = self.cache.lock().expect("no holder of this lock panics");
        let block = cache.blocks.get(&key)?;
        let is_same = block.pets.len() == pets.len()
            && block.pets.iter().zip(pets).all(|(a, b)| Arc::ptr_eq(a, b));
        (is_same && block.rendered_at.elapsed() < FRESH_FOR).then(|| block.text.clone())
    }

    fn store(&self, key: BlockKey, pets: Vec<Arc<Pet>>, text: Bytes) {
        let mut cache = self.cache.lock().expect("no holder of this lock panics");
        cache.make_room(text.len());
        cache.bytes += text.len();
        let block = Block {
            pets,
            rendered_at: Instant::now(),
            text,
        };
        if let Some(old) = cache.blocks.insert(key, block) {
            cache.bytes -= old.text.len();
        }
    }

    /// Returns a block, from the cache or rendered.
    async fn block<F>(
        self: &Arc<Self>,
        rendering: &Arc<Rendering<F>>,
        number: u64,
        pets: &[Arc<Pet>],
    ) -> io::Result<Bytes>
    where
        F: Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static,
    {
        let key = (rendering.kind, rendering.variant, number);
        if let Some(text) = self.find(key, pets) {
            return Ok(text);
        }
        let permit = Arc::clone(&self.renders).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        // Another reader may have rendered the block meanwhile.
        if let Some(text) = self.find(key, pets) {
            return Ok(text);
        }
        let (blocks, rendering) = (Arc::clone(self), Arc::clone(rendering));
        let pets = pets.to_vec();
        let running = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let text = Bytes::from((rendering.render)(&pets)?);
            blocks.store(key, pets, text.clone());
            Some(text)
        });
        let text = running.await.map_err(io::Error::other)?;
        text.ok_or_else(|| io::Error::other("cannot render the pets"))
    }

    /// Streams the blocks of `pets`, with separators.
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
                let text = blocks.block(&rendering, number, &rest[..end]).await;
                let separator = if at == 0 { "" } else { rendering.separator };
                let pieces = [Ok(Bytes::from_static(separator.as_bytes())), text];
                Some((stream::iter(pieces), (blocks, rendering, pets, at + end)))
            },
        );
        // An empty piece would end a chunked body.
        blocks
            .flatten()
            .filter(|piece| std::future::ready(!piece.as_ref().is_ok_and(Bytes::is_empty)))
    }

    /// Returns a body of `head`, one block of `pets`, which are few and in any order, and `tail`.
    ///
    /// # Errors
    /// The block cannot be rendered.
    pub async fn page<F>(
        self: &Arc<Self>,
        rendering: Rendering<F>,
        pets: &[Arc<Pet>],
        (head, tail): (&str, &str),
    ) -> io::Result<Body>
    where
        F: Fn(&[Arc<Pet>]) -> Option<String> + Send + Sync + 'static,
    {
        // Two pages with one number are told apart by their pets.
        let mut hasher = DefaultHasher::new();
        for pet in pets {
            pet.id.hash(&mut hasher);
        }
        let rendering = Arc::new(rendering);
        let block = self.block(&rendering, hasher.finish(), pets);
        let once = |text: &str| Bytes::from(text.to_owned());
        let pieces = vec![once(head), block.await?, once(tail)];
        Ok(request_memory::sized_body(pieces))
    }

    /// Returns a body of `head`, the blocks of `pets`, and `tail`.
    ///
    /// # Errors
    /// A block of a short list cannot be rendered.
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
        Ok(request_memory::sized_body(pieces))
    }
}
