//! Reading the store's file beside the server that has it open.
//!
//! Only one process may open a file of redb if a commit is to need one fsync. So a command such as
//! `backup` asks the server over a Unix socket in the store's folder. The server keeps the pages of
//! its newest commit from being reused, and sends the file's header, which says where they are. The
//! command reads the pages from the file by itself. Until it ends, the connection stays open; before
//! it uses what it read, it asks the server to confirm that the pages were kept all the time.
//!
//! 1. The server sends `HEADER_BYTES` of the file, or closes the connection if it cannot write the file.
//! 2. The client sends one byte, and the server returns it or closes the connection. Repeatable.
//!
//! `server` keeps the pages, and `client` reads them.

mod client;
mod server;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;

use rustix::net::sockopt::socket_peercred;

pub use self::client::SharedFile;
pub use self::server::{SharingServer, SharingSocket};

/// The name of the socket in the store's folder.
pub const SOCKET: &str = "pet-store.socket";

/// The part of the file that each commit rewrites in place: the first page, with redb's header.
pub const HEADER_BYTES: usize = 4096;

/// Calls `with` with a path of the folder's socket. The kernel takes paths of up to 107 bytes; a
/// longer one is replaced by a path over the open folder.
fn with_socket_path<T>(folder: &Path, with: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    let path = folder.join(SOCKET);
    if SocketAddr::from_pathname(&path).is_ok() {
        return with(&path);
    }
    let folder = File::open(folder)?;
    let descriptor = folder.as_raw_fd();
    with(
        &Path::new("/proc/self/fd")
            .join(descriptor.to_string())
            .join(SOCKET),
    )
}

/// Returns the id of the process that has the store in `folder` open, if one does.
pub fn serving_process(folder: &Path) -> Option<i32> {
    let stream = with_socket_path(folder, |path| UnixStream::connect(path)).ok()?;
    let peer = socket_peercred(stream).ok()?;
    Some(peer.pid.as_raw_nonzero().get())
}
