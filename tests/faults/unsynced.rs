//! What was written and not yet synced, so that it can be taken back: after a sync that failed a
//! disk owes nobody anything that came since the last one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use pet_store::store::IoEvent;

/// Every write since the last sync of its file.
#[derive(Debug)]
pub struct Unsynced {
    folder: PathBuf,
    writes: Vec<Covered>,
}

/// What lay where something was written.
#[derive(Debug)]
struct Covered {
    file: String,
    length: u64,
    offset: u64,
    data: Vec<u8>,
}

impl Unsynced {
    pub fn of(folder: &Path) -> Self {
        Unsynced {
            folder: folder.to_owned(),
            writes: Vec::new(),
        }
    }

    /// Takes note of what is about to happen.
    pub fn note(&mut self, event: IoEvent<'_>) {
        match event {
            IoEvent::Write { file, offset, data } => {
                self.cover(file, offset, offset + data.len() as u64);
            }
            IoEvent::SetLength { file, length } => self.cover(file, length, u64::MAX),
            IoEvent::Sync { file } | IoEvent::Remove { file } => self.keep(file),
            IoEvent::Create { .. } | IoEvent::Rename { .. } | IoEvent::SyncFolder => {}
        }
    }

    /// Puts the file back to what it was when it was last synced.
    pub fn lose(&mut self, name: &str) {
        let file = OpenOptions::new().write(true).open(self.folder.join(name));
        let file = file.unwrap();
        for covered in self.writes.iter().rev().filter(|write| write.file == name) {
            file.write_all_at(&covered.data, covered.offset).unwrap();
            file.set_len(covered.length).unwrap();
        }
        self.keep(name);
    }

    fn keep(&mut self, name: &str) {
        self.writes.retain(|write| write.file != name);
    }

    fn cover(&mut self, name: &str, start: u64, end: u64) {
        let file = File::open(self.folder.join(name)).unwrap();
        let length = file.metadata().unwrap().len();
        let mut data = vec![0; end.min(length).saturating_sub(start) as usize];
        file.read_exact_at(&mut data, start).unwrap();
        self.writes.push(Covered {
            file: name.to_owned(),
            length,
            offset: start,
            data,
        });
    }
}
