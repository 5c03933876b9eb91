//! Whether there is room on the disk, before the store itself is tried again.

use std::fs;
use std::io::{self, Write};

use super::place::Place;
use super::witness::Event;
use crate::store::StoreError;

/// Written and removed to see whether there is room.
const FILE: &str = "pet-store.room";

/// What must fit onto the disk before writing is tried again: more than any batch of changes.
const ROOM_BYTES: usize = 512 * 1024;

impl Place {
    /// Whether a batch of changes would fit onto the disk: tried with a file of that size.
    pub fn has_room(&self) -> Result<(), StoreError> {
        let tried = self.try_room();
        let removed = self.witness.see(Event::Remove { file: FILE });
        let removed = removed.and_then(|()| fs::remove_file(self.path(FILE)));
        tried
            .and(removed)
            .map_err(|error| StoreError::of_write(&error))
    }

    fn try_room(&self) -> io::Result<()> {
        let data = vec![1; ROOM_BYTES];
        let mut file = self.create_file(FILE)?;
        let offset = 0;
        self.witness.see(Event::Write {
            file: FILE,
            offset,
            data: &data,
        })?;
        file.write_all(&data)?;
        self.witness.see(Event::Sync { file: FILE })?;
        file.sync_data()
    }
}
