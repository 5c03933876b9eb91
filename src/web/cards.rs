//! The cards of the index: rendered in blocks of pets, off the async workers, and shared.
//!
//! A block is rendered when a reader takes it, so a slow reader of a large board holds one block
//! and not a page. Blocks that look the same to every reader are kept and sent as shared bytes
//! until one of their pets changes. A block with a form token is made for one browser and never
//! kept.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use poem::Body;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_stream::Stream;

use super::Site;
use crate::auth::Rights;
use crate::hub::Board;
use crate::model::{Moment, Pet};
use crate::views::CardsPage;

/// Ids in a block. Its cards are about 50 KiB.
const BLOCK_IDS: u64 = 64;

/// Blocks that are kept, in bytes together: a visitor's cards of about 45,000 pets. What does not
/// fit is rendered for each reader.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// How long a kept block is shown: a card says how long ago its pet began.
const FRESH_FOR: Duration = Duration::from_secs(30);

/// A page with up to this many pets is sent as a whole, with its length.
const WHOLE_PETS: usize = 256;

/// The blocks that are kept, and permits to render more.
pub struct Cards {
    renders: Arc<Semaphore>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: usize,
    /// By whether the cards have forms, and the number of the block.
    blocks: HashMap<(bool, u64), Block>,
}

struct Block {
    pets: Vec<Arc<Pet>>,
    rendered_at: Instant,
    html: Bytes,
}

impl Cards {
    pub fn new() -> Self {
        // Half of the cores, so that the async workers always find one.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Cards {
            renders: Arc::new(Semaphore::new((cores / 2).max(1))),
            kept: Mutex::default(),
        }
    }

    /// The block that `pets` are, if it was rendered from the same pets a moment ago.
    fn find(&self, key: (bool, u64), pets: &[Arc<Pet>]) -> Option<Bytes> {
        let kept = self.kept.lock().expect("no holder of this lock panics");
        let block = kept.blocks.get(&key)?;
        let is_same = block.pets.len() == pets.len()
            && block.pets.iter().zip(pets).all(|(a, b)| Arc::ptr_eq(a, b));
        (is_same && block.rendered_at.elapsed() < FRESH_FOR).then(|| block.html.clone())
    }

    fn keep(&self, key: (bool, u64), pets: Vec<Arc<Pet>>, html: Bytes) {
        let mut kept = self.kept.lock().expect("no holder of this lock panics");
        if kept.bytes + html.len() > KEPT_BYTES {
            kept.blocks
                .retain(|_, block| block.rendered_at.elapsed() < FRESH_FOR);
            kept.bytes = kept.blocks.values().map(|block| block.html.len()).sum();
        }
        if kept.bytes + html.len() > KEPT_BYTES {
            return;
        }
        kept.bytes += html.len();
        let block = Block {
            pets,
            rendered_at: Instant::now(),
            html,
        };
        if let Some(old) = kept.blocks.insert(key, block) {
            kept.bytes -= old.html.len();
        }
    }
}

/// The cards of `pets`, which are one block.
async fn block(site: &Arc<Site>, rights: &Rights, pets: &[Arc<Pet>]) -> io::Result<Bytes> {
    let number = pets.first().map_or(0, |pet| pet.id.get() / BLOCK_IDS);
    let key = (rights.is_staff, number);
    let is_shared = !rights.is_staff || rights.form_token.is_none();
    let find = || is_shared.then(|| site.cards.find(key, pets)).flatten();
    if let Some(html) = find() {
        return Ok(html);
    }
    let permit = Arc::clone(&site.cards.renders).acquire_owned().await;
    let permit = permit.map_err(io::Error::other)?;
    // Another reader may have rendered it meanwhile.
    if let Some(html) = find() {
        return Ok(html);
    }
    let rights = match is_shared {
        // Nothing of the reader is in what others are sent.
        true => Rights {
            name: None,
            is_admin: false,
            form_token: None,
            ..rights.clone()
        },
        false => rights.clone(),
    };
    let (owner, pets) = (Arc::clone(site), pets.to_vec());
    let rendering = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let page = CardsPage::new(&pets, Moment::now());
        let html = Bytes::from(owner.views.render(&rights, &page)?);
        if is_shared {
            owner.cards.keep(key, pets, html.clone());
        }
        Some(html)
    });
    let html = rendering.await.map_err(io::Error::other)?;
    html.ok_or_else(|| io::Error::other("the cards could not be rendered"))
}

/// The blocks of a board, one after the other.
fn blocks(
    site: Arc<Site>,
    rights: Rights,
    board: Board,
) -> impl Stream<Item = io::Result<Bytes>> + Send {
    stream::unfold(
        (site, rights, board, 0),
        async |(site, rights, board, at)| {
            let rest = &board.pets[at..];
            let number = rest.first()?.id.get() / BLOCK_IDS;
            let end = rest.partition_point(|pet| pet.id.get() / BLOCK_IDS == number);
            let html = block(&site, &rights, &rest[..end]).await;
            Some((html, (site, rights, board, at + end)))
        },
    )
}

/// The page `head`, the cards of `board`, `tail`.
///
/// # Errors
/// When a card could not be rendered, and nothing was sent yet.
pub async fn body(
    site: &Arc<Site>,
    rights: Rights,
    board: Board,
    (head, tail): (&str, &str),
) -> io::Result<Body> {
    use futures_util::{StreamExt, TryStreamExt};
    let is_whole = board.pets.len() <= WHOLE_PETS;
    let once = |text: &str| stream::iter([Ok(Bytes::from(text.to_owned()))]);
    let cards = blocks(Arc::clone(site), rights, board);
    let page = once(head).chain(cards).chain(once(tail));
    if !is_whole {
        return Ok(Body::from_bytes_stream(page));
    }
    let pieces: Vec<Bytes> = page.try_collect().await?;
    Ok(pieces.concat().into())
}
