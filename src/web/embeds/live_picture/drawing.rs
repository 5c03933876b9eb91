//! Draws badges as PNG, at twice the density of the screen that they were made for.
//!
//! The badge is the same SVG that others get as it is, drawn with a font of the program. A drawing takes 2 ms, so it is made
//! outside of the async workers, and once for all who ask for the same.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};
use skrifa::{FontRef, MetadataProvider};
use tokio::sync::Semaphore;

use crate::error::Failure;
use crate::model::{Pet, Status};
use crate::views::BadgePage;
use crate::web::Site;
use crate::web::embeds::visitor;
use crate::web::site::run_blocking;

/// Pixels of the picture per pixel of the badge.
const DENSITY: f32 = 2.0;

/// The most pictures that are cached, of some 3 KB each, with as much SVG. Others are drawn again when somebody asks for them.
const CAPACITY: usize = 256;

/// The font `DejaVu Sans`: Latin, Cyrillic, Greek, Arabic, Hebrew, Armenian, Georgian and more, but no Chinese, Japanese or Korean. The
/// name is the second one in the SVG, and there is no other font.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    let font = fontdb::Source::Binary(Arc::new(dejavu::sans::regular()));
    fonts.load_font_source(font);
    Arc::new(fonts)
});

/// Pictures that were drawn, by their SVG. Limits how many are drawn concurrently.
pub struct PictureCache {
    slots: Semaphore,
    cached: Mutex<CachedPictures>,
}

#[derive(Default)]
struct CachedPictures {
    by_source: HashMap<Arc<str>, Bytes>,
    /// The keys, the oldest first.
    sources: VecDeque<Arc<str>>,
}

impl Default for PictureCache {
    fn default() -> Self {
        PictureCache {
            // One at a time: whoever waits for the same picture occupies no thread.
            slots: Semaphore::new(1),
            cached: Mutex::default(),
        }
    }
}

impl CachedPictures {
    fn push(&mut self, source: Arc<str>, picture: Bytes) {
        if self.sources.len() == CAPACITY
            && let Some(oldest) = self.sources.pop_front()
        {
            self.by_source.remove(&oldest);
        }
        self.sources.push_back(Arc::clone(&source));
        self.by_source.insert(source, picture);
    }
}

impl PictureCache {
    /// Returns the picture of an SVG, drawn by `draw` if it is not in the cache.
    async fn find_or_draw(
        &self,
        source: String,
        draw: fn(&str) -> Option<Vec<u8>>,
    ) -> Result<Bytes, Failure> {
        if let Some(picture) = self.find(&source) {
            return Ok(picture);
        }
        let _slot = self.slots.acquire().await;
        // Another client may have asked for it meanwhile.
        if let Some(picture) = self.find(&source) {
            return Ok(picture);
        }
        let source: Arc<str> = source.into();
        let drawn = Arc::clone(&source);
        let picture = run_blocking(move || draw(&drawn).ok_or_else(Failure::internal)).await?;
        let picture = Bytes::from(picture);
        let mut cached = self.cached.lock().expect("no holder of this lock panics");
        cached.push(source, picture.clone());
        Ok(picture)
    }

    fn find(&self, source: &str) -> Option<Bytes> {
        let cached = self.cached.lock().expect("no holder of this lock panics");
        cached.by_source.get(source).cloned()
    }
}

/// Draws a badge, which is that of `pet` if there is one.
///
/// A letter that the font does not have is left out. A name without any other becomes `Pet 7`, and an activity the one of the
/// four that stands for it.
///
/// # Errors
/// 500 if the badge cannot be drawn.
pub async fn draw(site: &Site, badge: BadgePage, pet: Option<&Pet>) -> Result<Bytes, Failure> {
    let badge = match pet {
        Some(pet) => in_own_font(badge, pet),
        None => badge,
    };
    let rescue = site.app.rescue();
    let source = site.views.render(&rescue, &visitor(site), &badge);
    let source = source.ok_or_else(Failure::internal)?;
    site.pictures.find_or_draw(source, draw_png).await
}

fn in_own_font(badge: BadgePage, pet: &Pet) -> BadgePage {
    let Ok(font) = FontRef::new(dejavu::sans::regular()) else {
        return badge;
    };
    let letters = font.charmap();
    let word = pet.status.known_word();
    let stand_in = Status::FOUR
        .into_iter()
        .find(|status| status.as_str() == word);
    let stand_in = stand_in.and_then(Status::built_in_text);
    let name = format!("Pet {}", pet.id);
    badge.in_letters(
        |letter| letters.map(letter).is_some(),
        [&name, stand_in.unwrap_or_default()],
    )
}

/// Draws an SVG of this program.
fn draw_png(source: &str) -> Option<Vec<u8>> {
    let options = usvg::Options {
        fontdb: Arc::clone(&FONTS),
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(source, &options).ok()?;
    let [width, height] =
        [tree.size().width(), tree.size().height()].map(|side| (side * DENSITY).ceil() as u32);
    let mut picture = Pixmap::new(width, height)?;
    let scale = Transform::from_scale(DENSITY, DENSITY);
    resvg::render(&tree, scale, &mut picture.as_mut());
    picture.encode_png().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::future::join_all;

    use super::*;

    static DRAWN: AtomicUsize = AtomicUsize::new(0);

    fn count(source: &str) -> Option<Vec<u8>> {
        DRAWN.fetch_add(1, Ordering::SeqCst);
        Some(source.into())
    }

    #[tokio::test]
    async fn a_picture_is_drawn_once_and_few_are_kept() {
        let cache = PictureCache::default();
        let ask = |source: usize| cache.find_or_draw(source.to_string(), count);
        for picture in join_all((0..50).map(|_| ask(0))).await {
            assert_eq!(picture.unwrap(), "0");
        }
        assert_eq!(DRAWN.load(Ordering::SeqCst), 1);
        for source in 1..=CAPACITY {
            ask(source).await.unwrap();
        }
        let cached = cache.cached.lock().unwrap();
        assert_eq!(
            (cached.by_source.len(), cached.sources.len()),
            (CAPACITY, CAPACITY)
        );
        assert!(!cached.by_source.contains_key("0"), "the oldest");
    }

    #[test]
    fn letters_leave_marks_on_the_picture_in_the_font_of_the_program() {
        let draw = |text: &str| {
            let source = format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"60\" height=\"20\">\
                 <text x=\"4\" y=\"14\" font-family=\"Verdana,DejaVu Sans\" font-size=\"11\">{text}</text></svg>"
            );
            draw_png(&source).unwrap()
        };
        let pictures = ["", "Bo", "Бо", "بو", "ab", "ba"].map(draw);
        let different: std::collections::HashSet<_> = pictures.iter().collect();
        assert_eq!(different.len(), pictures.len());
    }
}
