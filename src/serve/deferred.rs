//! Responses that are finished after the socket has left HTTP.
//!
//! A request that waits takes 66 KB: hyper's buffers, the task, and the futures of all middleware. So a
//! handler can answer with a `DeferredResponse`. It passes the middleware like any other, then its head is
//! encoded, hyper is dropped, and the receiver gets the socket and the head. The receiver writes the response
//! when there is one, and returns the socket to HTTP for the next request.

use std::sync::{Arc, Mutex, MutexGuard};

use data_encoding::HEXLOWER;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Request, Response};

use super::handoff::Connection;
use crate::metrics::RequestTimer;

/// Marks a request whose response can be deferred: HTTP/1.1, without a body.
#[derive(Clone, Copy)]
pub struct Deferrable;

/// The header with the id of a request.
const REQUEST_ID: &str = "x-request-id";

/// The first line of a deferred response.
const STATUS_LINE: &[u8] = b"HTTP/1.1 200 OK\r\n";

type Finisher = Box<dyn FnOnce(DeferredConnection) + Send>;

/// A response that is finished later. Part of the response that the handler returns, whose status is 200
/// and whose body is ignored.
#[derive(Clone)]
pub struct DeferredResponse(Arc<Mutex<Deferral>>);

struct Deferral {
    receiver: Option<Finisher>,
    timer: Option<RequestTimer>,
}

/// A socket that left HTTP before the response to its last request.
pub struct DeferredConnection {
    /// The socket.
    pub connection: Connection,
    /// The head of the response.
    pub head: ResponseHead,
    /// Measures the time until the response.
    pub timer: Option<RequestTimer>,
    /// Serves the next request.
    pub http: Arc<dyn ResumeHttp>,
}

/// Serves connections that have left HTTP.
pub trait ResumeHttp: Send + Sync {
    /// Returns a connection to HTTP, for its next requests.
    fn resume(self: Arc<Self>, connection: Connection);
}

/// The head of a response without `Content-Length`, `Date` and the empty line at its end.
pub struct ResponseHead {
    /// All lines but that of the id. Heads that are the same share them.
    lines: Arc<[u8]>,
    id: Option<[u8; 16]>,
    is_last: bool,
}

/// The lines of the last head.
#[derive(Default)]
pub struct SharedLines(Mutex<Arc<[u8]>>);

impl DeferredResponse {
    /// Returns true if the response to `request` can be deferred.
    pub fn is_possible(request: &Request) -> bool {
        request.extensions().get::<Deferrable>().is_some()
    }

    /// Sends the response to `request` before its handler ends.
    pub fn prevent(request: &mut Request) {
        request.extensions_mut().remove::<Deferrable>();
    }

    /// Defers the response. `receiver` gets the socket once everything sent so far is flushed, and is
    /// dropped if the connection ends before that.
    pub fn new(receiver: impl FnOnce(DeferredConnection) + Send + 'static) -> Self {
        DeferredResponse(Arc::new(Mutex::new(Deferral {
            receiver: Some(Box::new(receiver)),
            timer: None,
        })))
    }

    /// Sets the timer that is stopped by the response.
    pub fn set_timer(&self, timer: RequestTimer) {
        self.deferral().timer = Some(timer);
    }

    /// Passes the socket to the receiver.
    pub(super) fn release(
        &self,
        connection: Connection,
        head: ResponseHead,
        http: Arc<dyn ResumeHttp>,
    ) {
        let mut deferral = self.deferral();
        let (receiver, timer) = (deferral.receiver.take(), deferral.timer.take());
        drop(deferral);
        if let Some(receive) = receiver {
            receive(DeferredConnection {
                connection,
                head,
                timer,
                http,
            });
        }
    }

    fn deferral(&self) -> MutexGuard<'_, Deferral> {
        self.0.lock().expect("no holder of this lock panics")
    }
}

impl ResponseHead {
    /// Encodes the head of `response`, which is the last of its connection if `is_last`.
    pub fn new(response: &Response, is_last: bool, shared: &SharedLines) -> Self {
        let mut lines = STATUS_LINE.to_vec();
        let mut id = None;
        for (name, value) in response.headers() {
            let is_added_later = [
                header::CONTENT_LENGTH,
                header::DATE,
                header::CONNECTION,
                header::TRANSFER_ENCODING,
            ]
            .contains(name);
            if *name == REQUEST_ID && id.is_none() {
                id = parse_id(value);
            }
            if !is_added_later && (*name != REQUEST_ID || id.is_none()) {
                push_header(&mut lines, name.as_str(), value.as_bytes());
            }
        }
        if is_last {
            push_header(&mut lines, header::CONNECTION.as_str(), b"close");
        }
        ResponseHead {
            lines: shared.share(&lines),
            id,
            is_last,
        }
    }

    /// Gives the head a new request id, for the response to another request with the same head.
    pub fn renew_id(&mut self) {
        if let Some(id) = &mut self.id {
            *id = rand::random();
        }
    }

    /// Returns the encoded lines that others share, and that of the id.
    pub fn parts(&self) -> (&[u8], String) {
        let id = self.id.map(|id| {
            let id = HEXLOWER.encode(&id);
            format!("{REQUEST_ID}: {id}\r\n")
        });
        (&self.lines, id.unwrap_or_default())
    }

    /// Returns true if the connection ends with the response.
    pub fn is_last(&self) -> bool {
        self.is_last
    }
}

impl SharedLines {
    fn share(&self, lines: &[u8]) -> Arc<[u8]> {
        let mut last = self.0.lock().expect("no holder of this lock panics");
        if **last != *lines {
            *last = lines.into();
        }
        Arc::clone(&last)
    }
}

/// Returns an id that this server made.
fn parse_id(value: &HeaderValue) -> Option<[u8; 16]> {
    let id = HEXLOWER.decode(value.as_bytes()).ok()?;
    id.try_into().ok()
}

/// Returns true if a client asks with these headers to close the connection after the response.
pub(super) fn asks_to_close(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    let texts = values.filter_map(|value: &HeaderValue| value.to_str().ok());
    texts
        .flat_map(|text| text.split(','))
        .any(|option| option.trim().eq_ignore_ascii_case("close"))
}

fn push_header(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b": ", value, b"\r\n"] {
        bytes.extend_from_slice(part);
    }
}
