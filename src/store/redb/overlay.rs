//! A file that can be looked into, repaired and even written without being changed: what is
//! written stays in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard};

use redb::StorageBackend;

/// Bytes that are kept together; redb writes in pages of this size.
const BLOCK: u64 = 4096;

/// A file below, read only, and what was written over it.
#[derive(Debug)]
pub struct Overlay {
    below: File,
    above: Mutex<Above>,
}

#[derive(Debug)]
struct Above {
    length: u64,
    /// How much of the file below still counts: what lies behind was cut off at some time.
    below_length: u64,
    /// By number of block; each is `BLOCK` bytes.
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl Overlay {
    pub fn new(below: File) -> io::Result<Self> {
        let length = below.metadata()?.len();
        Ok(Overlay {
            below,
            above: Mutex::new(Above {
                length,
                below_length: length,
                blocks: BTreeMap::new(),
            }),
        })
    }

    fn above(&self) -> MutexGuard<'_, Above> {
        self.above.lock().expect("no holder of this lock panics")
    }

    /// Whether `length` bytes from `offset` on are what lies below. `length` is not 0.
    fn is_untouched(above: &Above, offset: u64, length: usize) -> bool {
        let end = offset + length as u64;
        let mut written = above.blocks.range(offset / BLOCK..=(end - 1) / BLOCK);
        end <= above.below_length && written.next().is_none()
    }

    /// One block, as it is now.
    fn block(&self, above: &Above, number: u64) -> io::Result<Vec<u8>> {
        if let Some(block) = above.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; BLOCK as usize];
        let start = number * BLOCK;
        let there = above.below_length.saturating_sub(start).min(BLOCK);
        self.below
            .read_exact_at(&mut block[..there as usize], start)?;
        Ok(block)
    }
}

/// The pieces of `offset..offset + length`, each inside one block: its number, where in it the
/// piece starts, and where in the whole.
fn pieces(
    offset: u64,
    length: usize,
) -> impl Iterator<Item = (u64, usize, std::ops::Range<usize>)> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let at = offset + done as u64;
        let inside = (at % BLOCK) as usize;
        let size = (length - done).min(BLOCK as usize - inside);
        let piece = (at / BLOCK, inside, done..done + size);
        done += size;
        (size > 0).then_some(piece)
    })
}

impl StorageBackend for Overlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.above().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let above = self.above();
        if offset.saturating_add(out.len() as u64) > above.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if out.is_empty() {
            return Ok(());
        }
        if Overlay::is_untouched(&above, offset, out.len()) {
            drop(above);
            return self.below.read_exact_at(out, offset);
        }
        for (number, inside, range) in pieces(offset, out.len()) {
            let block = self.block(&above, number)?;
            let size = range.len();
            out[range].copy_from_slice(&block[inside..inside + size]);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut above = self.above();
        let last = length / BLOCK;
        if length < above.length && !length.is_multiple_of(BLOCK) {
            let mut block = self.block(&above, last)?;
            block[(length % BLOCK) as usize..].fill(0);
            above.blocks.insert(last, block);
        }
        above.blocks.retain(|number, _| number * BLOCK < length);
        above.below_length = above.below_length.min(length);
        above.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut above = self.above();
        for (number, inside, range) in pieces(offset, data.len()) {
            let mut block = self.block(&above, number)?;
            block[inside..inside + range.len()].copy_from_slice(&data[range]);
            above.blocks.insert(number, block);
        }
        above.length = above.length.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_the_file_below_stays_as_it_was() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let original: Vec<u8> = (0..10_000).map(|number| (number % 251) as u8).collect();
        std::fs::write(file.path(), &original).unwrap();
        let overlay = Overlay::new(File::open(file.path()).unwrap()).unwrap();
        let mut expected = original.clone();
        overlay.write(4090, &[1; 5000]).unwrap();
        expected[4090..9090].fill(1);
        overlay.set_len(9000).unwrap();
        overlay.set_len(20_000).unwrap();
        expected.truncate(9000);
        expected.resize(20_000, 0);
        overlay.write(15_000, b"late").unwrap();
        expected[15_000..15_004].copy_from_slice(b"late");
        let mut read = vec![9; 20_000];
        overlay.read(0, &mut read).unwrap();
        assert!(read == expected);
        assert!(overlay.read(19_999, &mut [0; 2]).is_err());
        assert_eq!(std::fs::read(file.path()).unwrap(), original);
    }
}
