//! A receiver on this machine that behaves as a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// An answer.
pub enum Reply {
    /// A complete answer: status, further lines of the head, body.
    Answer(u16, String, String),
    /// None, ever.
    Silence,
    /// An answer of this many bytes.
    Flood(usize),
}

/// Accepts connections until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    received: Mutex<Vec<Received>>,
    connections: Mutex<usize>,
    /// Bytes of floods that were written.
    written: Mutex<usize>,
    reply: Box<dyn Fn(&Received) -> Reply + Send + Sync>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Reply::Answer(status, String::new(), String::new())
    }
}

impl Receiver {
    pub async fn start(reply: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Receiver::start_with(None, reply).await
    }

    /// As `start`, with https if `tls` is given.
    pub async fn start_with(
        tls: Option<TlsAcceptor>,
        reply: impl Fn(&Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            received: Mutex::default(),
            connections: Mutex::default(),
            written: Mutex::default(),
            reply: Box::new(reply),
        });
        let shared = Arc::clone(&state);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *shared.connections.lock().unwrap() += 1;
                let (state, tls) = (Arc::clone(&shared), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, state).await,
                        // Fails if the client refuses the certificate.
                        Some(tls) => serve(tls.accept(stream).await.ok()?, state).await,
                    }
                });
            }
        });
        Receiver {
            address,
            state,
            accepting,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    pub fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }

    pub fn written(&self) -> usize {
        *self.state.written.lock().unwrap()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Answers requests until the connection ends.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: Arc<State>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            stream
                .read_line(&mut line)
                .await
                .ok()
                .filter(|size| *size > 0)?;
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let path = head[0].split(' ').nth(1).unwrap().to_owned();
        let fields = head[1..].iter().filter_map(|line| line.split_once(": "));
        let headers: Vec<(String, String)> = fields
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let mut received = Received {
            path,
            headers,
            body: String::new(),
        };
        let mut body = vec![0; received.header("content-length").parse().unwrap()];
        stream.read_exact(&mut body).await.ok()?;
        received.body = String::from_utf8(body).unwrap();
        let reply = (state.reply)(&received);
        state.received.lock().unwrap().push(received);
        match reply {
            Reply::Answer(status, lines, body) => {
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{lines}\r\n");
                stream.write_all((head + &body).as_bytes()).await.ok()?;
            }
            Reply::Silence => std::future::pending().await,
            Reply::Flood(size) => {
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n");
                stream.write_all(head.as_bytes()).await.ok()?;
                let piece = [b'x'; 16 * 1024];
                for _ in 0..size / piece.len() {
                    stream.write_all(&piece).await.ok()?;
                    *state.written.lock().unwrap() += piece.len();
                }
            }
        }
    }
}
