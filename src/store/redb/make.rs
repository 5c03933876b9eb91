//! Files that are whole or not there.
//!
//! Each is made under another name, looked through, and only then given its name: a kill in the
//! middle of redb's first writes would leave a file that never opens again. A file that has the
//! name already stays.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use redb::{Database, WriteTransaction};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::check::{Contents, check_file};
use super::place::{Place, UNFINISHED};
use super::refusal::{failed, refused};
use super::witness::Event;
use super::write;
use crate::store::StoreError;
use crate::store::regular::open_regular;

impl Place {
    /// Makes a store's file called `name`, if all of it is as it should be then.
    pub fn make(
        &self,
        name: &str,
        fill: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<Contents, StoreError> {
        self.finish(name, |unfinished| self.fill(unfinished, fill))
    }

    /// Makes any other file.
    pub fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.finish(name, |unfinished| {
            let file = self.create_file(unfinished);
            let file = file.map_err(|error| failed(&self.path(unfinished), &error))?;
            let mut file = BufWriter::new(file);
            fill(&mut file)?;
            let synced = file.flush().and_then(|()| file.get_ref().sync_all());
            synced.map_err(|error| StoreError::of_write(&error))
        })
    }

    /// Makes a copy of a file that nobody has open.
    pub fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.write(to, |out| {
            let source = open_regular(&self.path(from));
            let copied = source.and_then(|mut source| io::copy(&mut source, out));
            copied.map_err(|error| StoreError::of_write(&error))?;
            Ok(())
        })
    }

    /// Has a file made under another name, and gives it its own.
    fn finish<T>(
        &self,
        name: &str,
        make: impl FnOnce(&str) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let unfinished = format!("{name}{UNFINISHED}");
        let _removed = Unfinished(self.path(&unfinished));
        let made = make(&unfinished)?;
        self.rename(&unfinished, name)?;
        Ok(made)
    }

    fn fill(
        &self,
        name: &str,
        fill: impl FnOnce(&WriteTransaction) -> Result<(), StoreError>,
    ) -> Result<Contents, StoreError> {
        let database = self.create(name)?;
        let writing = database.begin_write().map_err(write)?;
        fill(&writing)?;
        writing.commit().map_err(write)?;
        let closed = database.close();
        closed.map_err(|error| refused(&self.path(name), error))?;
        check_file(&self.path(name))
    }

    /// Makes an empty file, private from the start, and a redb in it.
    fn create(&self, name: &str) -> Result<Database, StoreError> {
        let file = self.create_file(name);
        let file = file.map_err(|error| failed(&self.path(name), &error))?;
        self.database(name, file)
    }

    /// Gives a finished file its name, for good.
    fn rename(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let renamed = self.witness.see(Event::Rename { from, to });
        renamed
            .and_then(|()| rename_into_gap(&self.path(from), &self.path(to)))
            .and_then(|()| self.sync())
            .map_err(|error| failed(&self.path(to), &error))
    }
}

/// A file that is removed when this is dropped, unless it has its name by then: half of it is of no
/// use, and takes room where there may be none. So it is after a panic too.
struct Unfinished(PathBuf);

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Renames without ever replacing, where the file system can promise that.
fn rename_into_gap(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS) if !to.try_exists()? => fs::rename(from, to),
        renamed => Ok(renamed?),
    }
}
