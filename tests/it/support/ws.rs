//! A viewer over WebSocket, which can also send commands.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::contract::CONTRACT;
use super::wait::within;

/// Reads messages until the server closes the socket.
pub struct Ws {
    pub socket: WebSocketStream<TcpStream>,
    /// The code with which the server closed the socket.
    pub closed: Option<CloseCode>,
}

impl Ws {
    /// Connects to `base`, such as `http://127.0.0.1:3000`, with `query`, such as `?pet=1`.
    pub async fn open(base: &str, query: &str) -> Self {
        let ws = Ws::try_open(base, &format!("/live/ws{query}"), &[]).await;
        ws.expect("the server accepts the viewer")
    }

    /// Opens a socket as a page of `origin` would.
    pub async fn open_from(origin: &str, base: &str) -> Self {
        let ws = Ws::try_open(base, "/live/ws", &[("origin", origin)]).await;
        ws.expect("the server accepts the viewer")
    }

    /// Opens a socket at `path`.
    ///
    /// # Errors
    /// The HTTP status of a refusal; `None` if the server does not answer.
    pub async fn try_open(
        base: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Option<u16>> {
        let address = base.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{address}{path}")
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().insert(*name, value);
        }
        let stream = TcpStream::connect(address.split('/').next().unwrap())
            .await
            .map_err(|_| None)?;
        let opening = client_async(request, stream);
        match within("the end of the handshake", opening).await {
            Ok((socket, _)) => Ok(Ws {
                socket,
                closed: None,
            }),
            Err(Error::Http(response)) => Err(Some(response.status().as_u16())),
            Err(_) => Err(None),
        }
    }

    pub async fn send(&mut self, text: impl Into<String>) {
        let sent = self.socket.send(Message::text(text.into())).await;
        sent.expect("the socket is open");
    }

    /// Sends text; `None` if the socket is closed.
    pub async fn try_send(&mut self, text: String) -> Option<()> {
        self.socket.send(Message::text(text)).await.ok()
    }

    /// Sends a command, and returns its answer. Other messages before it are dropped.
    pub async fn command(&mut self, command: &Value) -> Value {
        self.send(command.to_string()).await;
        self.answer().await
    }

    /// Returns the next `ack` or `error`, or another message with a `ref`.
    pub async fn answer(&mut self) -> Value {
        self.try_answer().await.expect("the socket is open")
    }

    /// Returns the next `ack` or `error`, or `None` if the socket is closed before it.
    pub async fn try_answer(&mut self) -> Option<Value> {
        within("an answer to a command", async {
            loop {
                let message = self.try_next().await?;
                let is_answer = message["type"] == "ack" || message["type"] == "error";
                if is_answer || message["ref"].is_string() {
                    return Some(message);
                }
            }
        })
        .await
    }

    /// Returns the next message.
    pub async fn next(&mut self) -> Value {
        self.try_next().await.expect("the socket is open")
    }

    /// Returns the next message, or `None` if the socket is closed; `closed` has the code then.
    pub async fn try_next(&mut self) -> Option<Value> {
        loop {
            match within("a message", self.socket.next()).await?.ok()? {
                Message::Text(text) => {
                    let message = serde_json::from_str(&text).expect("messages are JSON");
                    CONTRACT.assert_message(&message);
                    return Some(message);
                }
                Message::Close(frame) => self.closed = frame.map(|frame| frame.code),
                _ => {}
            }
        }
    }
}
