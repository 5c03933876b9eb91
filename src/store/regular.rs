//! Opens regular files that an operator named, and refuses anything else.
//!
//! Opening a FIFO blocks until a process opens its other end, and reading a device may never end.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Opens a regular file, or the target of a symbolic link to one, for reading.
///
/// # Errors
/// `InvalidInput` if it is not a regular file; the errors of opening a file.
pub fn open_regular(path: &Path) -> io::Result<File> {
    open_regular_with(OpenOptions::new().read(true), path)
}

/// Like `open_regular`, with other options.
///
/// # Errors
/// As for `open_regular`.
pub fn open_regular_with(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    // Opens a FIFO without waiting; has no effect on a regular file.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = options.custom_flags(flags).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() {
        return Ok(file);
    }
    let found = match kind {
        _ if kind.is_dir() => "a directory",
        _ if kind.is_fifo() => "a pipe",
        _ => "a device",
    };
    let reason = format!("it is {found} and not a regular file");
    Err(io::Error::new(io::ErrorKind::InvalidInput, reason))
}

/// Opens a file that is read once from its start: a regular file, or a descriptor that is open
/// already, as a shell passes for `<(zstd -dc file)`.
///
/// # Errors
/// As for `open_regular`.
pub fn open_source(path: &Path) -> io::Result<File> {
    let is_descriptor = ["/dev/fd", "/proc/self/fd"]
        .iter()
        .any(|folder| path.starts_with(folder))
        || path == Path::new("/dev/stdin");
    if is_descriptor {
        File::open(path)
    } else {
        open_regular(path)
    }
}
