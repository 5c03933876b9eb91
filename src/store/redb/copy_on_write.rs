//! A copy-on-write view of a file: redb can inspect, repair and write it, while the file stays as it
//! is. What is written stays in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard};

use redb::StorageBackend;

/// The size of a block that is copied; redb writes pages of this size.
const BLOCK: u64 = 4096;

/// A file that is only read, and the blocks that were written over it.
#[derive(Debug)]
pub struct CopyOnWrite {
    file: File,
    written: Mutex<WrittenBlocks>,
}

#[derive(Debug)]
struct WrittenBlocks {
    length: u64,
    /// The length of the file that is still part of the view: a truncation hides the rest.
    file_length: u64,
    /// Copied blocks of `BLOCK` bytes, by number.
    blocks: BTreeMap<u64, Vec<u8>>,
}

impl CopyOnWrite {
    /// Views `file`.
    ///
    /// # Errors
    /// If the length of the file cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(CopyOnWrite {
            file,
            written: Mutex::new(WrittenBlocks {
                length,
                file_length: length,
                blocks: BTreeMap::new(),
            }),
        })
    }

    fn written(&self) -> MutexGuard<'_, WrittenBlocks> {
        self.written.lock().expect("no holder of this lock panics")
    }

    /// Returns one block of the view.
    fn block(&self, written: &WrittenBlocks, number: u64) -> io::Result<Vec<u8>> {
        if let Some(block) = written.blocks.get(&number) {
            return Ok(block.clone());
        }
        let mut block = vec![0; BLOCK as usize];
        let start = number * BLOCK;
        let in_file = written.file_length.saturating_sub(start).min(BLOCK);
        self.file
            .read_exact_at(&mut block[..in_file as usize], start)?;
        Ok(block)
    }
}

impl WrittenBlocks {
    /// Returns true if `length` bytes from `offset` on are those of the file. `length` is not 0.
    fn is_unwritten(&self, offset: u64, length: usize) -> bool {
        let end = offset + length as u64;
        let mut written = self.blocks.range(offset / BLOCK..=(end - 1) / BLOCK);
        end <= self.file_length && written.next().is_none()
    }
}

/// Divides `offset..offset + length` into pieces inside one block each: the block's number, the
/// start of the piece in the block, and the range of the piece in the whole.
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

impl StorageBackend for CopyOnWrite {
    fn len(&self) -> io::Result<u64> {
        Ok(self.written().length)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let written = self.written();
        if offset.saturating_add(out.len() as u64) > written.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if out.is_empty() {
            return Ok(());
        }
        if written.is_unwritten(offset, out.len()) {
            drop(written);
            return self.file.read_exact_at(out, offset);
        }
        for (number, inside, range) in pieces(offset, out.len()) {
            let block = self.block(&written, number)?;
            let size = range.len();
            out[range].copy_from_slice(&block[inside..inside + size]);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let mut written = self.written();
        let last = length / BLOCK;
        if length < written.length && !length.is_multiple_of(BLOCK) {
            let mut block = self.block(&written, last)?;
            block[(length % BLOCK) as usize..].fill(0);
            written.blocks.insert(last, block);
        }
        written.blocks.retain(|number, _| number * BLOCK < length);
        written.file_length = written.file_length.min(length);
        written.length = length;
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut written = self.written();
        for (number, inside, range) in pieces(offset, data.len()) {
            let mut block = self.block(&written, number)?;
            block[inside..inside + range.len()].copy_from_slice(&data[range]);
            written.blocks.insert(number, block);
        }
        written.length = written.length.max(offset + data.len() as u64);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_read_back_and_the_file_stays_as_it_was() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let original: Vec<u8> = (0..10_000).map(|number| (number % 251) as u8).collect();
        std::fs::write(file.path(), &original).unwrap();
        let view = CopyOnWrite::new(File::open(file.path()).unwrap()).unwrap();
        let mut expected = original.clone();
        view.write(4090, &[1; 5000]).unwrap();
        expected[4090..9090].fill(1);
        view.set_len(9000).unwrap();
        view.set_len(20_000).unwrap();
        expected.truncate(9000);
        expected.resize(20_000, 0);
        view.write(15_000, b"late").unwrap();
        expected[15_000..15_004].copy_from_slice(b"late");
        let mut read = vec![9; 20_000];
        view.read(0, &mut read).unwrap();
        assert!(read == expected);
        assert!(view.read(19_999, &mut [0; 2]).is_err());
        assert_eq!(std::fs::read(file.path()).unwrap(), original);
    }
}
