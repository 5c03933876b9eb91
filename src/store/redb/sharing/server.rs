//! The server's side: keeps the pages that other processes read.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};

use super::super::file::{KeptCommit, StoreFile};
use super::super::folder::PRIVATE;
use super::{SOCKET, with_socket_path};
use crate::store::StoreError;

/// Processes that read at the same time; the connection of the next one is closed.
const MAX_READERS: usize = 16;

/// Connections that wait for the thread.
const BACKLOG: i32 = 16;

/// The wait before another attempt to accept a connection that could not be accepted.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// The socket of a folder. Dropping it removes the socket.
pub struct SharingSocket {
    listener: UnixListener,
    folder: File,
}

impl SharingSocket {
    /// Makes the socket in the folder, whose lock this process has. Only the owner of the folder may
    /// connect to it.
    ///
    /// # Errors
    /// If the file system has no sockets.
    pub fn bind(folder: &Path) -> io::Result<Self> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        with_socket_path(folder, |path| {
            // Left by a process that was killed.
            let _ = fs::remove_file(path);
            socket.bind(&SockAddr::unix(path)?)?;
            fs::set_permissions(path, Permissions::from_mode(PRIVATE))
        })?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(SharingSocket {
            listener: OwnedFd::from(socket).into(),
            folder: File::open(folder)?,
        })
    }
}

impl Drop for SharingSocket {
    fn drop(&mut self) {
        // By the open folder, because another one may have its name now.
        let _ = unlinkat(&self.folder, SOCKET, AtFlags::empty());
    }
}

/// The thread that serves a socket. Dropping this ends it.
pub struct SharingServer {
    stop: Option<UnixStream>,
    thread: Option<JoinHandle<()>>,
}

impl SharingServer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no threads or sockets left.
    pub fn start(socket: SharingSocket, file: Arc<StoreFile>) -> io::Result<Self> {
        let (stop, stopped) = UnixStream::pair()?;
        let thread = Builder::new()
            .name("sharing".to_owned())
            .spawn(move || serve(&socket, &stopped, &file))?;
        Ok(SharingServer {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for SharingServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // Fails if the thread has panicked.
            let _ = thread.join();
        }
    }
}

/// A process that reads the file.
struct Reader {
    connection: UnixStream,
    kept: KeptCommit,
}

impl Reader {
    /// Keeps the newest commit for a new connection, and sends it the file's header.
    fn admit(mut connection: UnixStream, file: &StoreFile) -> Result<Self, StoreError> {
        let kept = file.keep_commit()?;
        let sent = connection
            .set_nonblocking(true)
            .and_then(|()| connection.write_all(&kept.header));
        sent.map_err(|error| StoreError::from_write(&error))?;
        Ok(Reader { connection, kept })
    }

    /// Confirms that the commit was kept, if the reader asks. Returns false if the reader is gone, or
    /// the commit is.
    fn confirm(&mut self, file: &StoreFile) -> bool {
        let mut question = [0];
        match self.connection.read(&mut question) {
            Ok(1) => file.is_kept(&self.kept) && self.connection.write_all(&question).is_ok(),
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}

/// Serves readers until the other end of `stopped` is closed.
fn serve(socket: &SharingSocket, stopped: &UnixStream, file: &StoreFile) {
    let mut readers = Vec::<Reader>::new();
    while !wait(socket, stopped, &readers) {
        readers.retain_mut(|reader| reader.confirm(file));
        match socket.listener.accept() {
            Ok((connection, _)) if readers.len() < MAX_READERS => {
                match Reader::admit(connection, file) {
                    Ok(reader) => readers.push(reader),
                    Err(error) => tracing::debug!(%error, "a reader of the store was refused"),
                }
            }
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            // No file descriptors are left: the connection stays in the backlog, and would be
            // reported again immediately.
            Err(_) => thread::sleep(ACCEPT_RETRY),
        }
    }
}

/// Waits for a connection, a reader or the end, and returns true at the end.
fn wait(socket: &SharingSocket, stopped: &UnixStream, readers: &[Reader]) -> bool {
    let connections = readers.iter().map(|reader| reader.connection.as_fd());
    let all = [stopped.as_fd(), socket.listener.as_fd()];
    let mut all: Vec<_> = all
        .into_iter()
        .chain(connections)
        .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
        .collect();
    match poll(&mut all, None) {
        Ok(_) => !all[0].revents().is_empty(),
        Err(error) => error != Errno::INTR,
    }
}
