//! A viewer over any transport, for what all transports have in common.

use serde_json::Value;

use super::{Chain, Poll, Sse, Ws, rev_of, within};

/// Every transport, as messages name it.
pub const TRANSPORTS: [&str; 3] = ["ws", "sse", "poll"];

/// One live connection. Each of its messages must follow the one before it.
pub struct Viewer {
    connection: Connection,
    chain: Chain,
}

enum Connection {
    Ws(Box<Ws>),
    Sse(Box<Sse>),
    Poll(Box<Poll>),
}

impl Viewer {
    /// Connects over `transport` to `base` with `query`, such as `?pet=1&since=9f2c41aa-3`.
    pub async fn open(transport: &str, base: &str, query: &str) -> Self {
        let viewer = Viewer::try_open(transport, base, query).await;
        viewer.expect("the server accepts the viewer")
    }

    /// As `open`; `None` if the viewer is refused, or the server does not answer.
    pub async fn try_open(transport: &str, base: &str, query: &str) -> Option<Self> {
        let connection = match transport {
            "ws" => {
                let path = format!("/live/ws{query}");
                Connection::Ws(Box::new(Ws::try_open(base, &path, &[]).await.ok()?))
            }
            "sse" => Connection::Sse(Box::new(Sse::try_open(base, query, None).await?)),
            _ => Connection::Poll(Box::new(Poll::open(base, query))),
        };
        // The latest of `since` and the id of the last event counts.
        let values = query.split(['&', '=']);
        let cursors = values.filter(|value| value.get(8..9) == Some("-"));
        let chain = Chain::new(cursors.max_by_key(|cursor| rev_of(cursor)));
        Some(Viewer { connection, chain })
    }

    /// Connects a viewer over each transport.
    pub async fn open_all(base: &str, query: &str) -> Vec<Self> {
        let mut viewers = Vec::new();
        for transport in TRANSPORTS {
            viewers.push(Viewer::open(transport, base, query).await);
        }
        viewers
    }

    pub fn transport(&self) -> &'static str {
        match self.connection {
            Connection::Ws(_) => "ws",
            Connection::Sse(_) => "sse",
            Connection::Poll(_) => "poll",
        }
    }

    /// Returns the socket, over WebSocket.
    pub fn ws(&mut self) -> Option<&mut Ws> {
        match &mut self.connection {
            Connection::Ws(ws) => Some(ws),
            Connection::Sse(_) | Connection::Poll(_) => None,
        }
    }

    /// Returns the next message.
    pub async fn next(&mut self) -> Value {
        self.try_next().await.expect("the connection is open")
    }

    /// Returns the next message, or `None` at the end of the connection.
    pub async fn try_next(&mut self) -> Option<Value> {
        let message = match &mut self.connection {
            Connection::Ws(ws) => ws.try_next().await,
            Connection::Sse(sse) => sse.try_next().await,
            Connection::Poll(poll) => poll.try_next().await,
        }?;
        let followed = self.chain.receive(&message);
        followed.expect("no message is missing");
        Some(message)
    }

    /// Returns the next message that is not a hello or a heartbeat. Heartbeats do not extend the time
    /// limit.
    pub async fn next_news(&mut self) -> Value {
        let what = format!("news over {}", self.transport());
        let news = async {
            loop {
                let message = self.next().await;
                if message["type"] != "hello" && message["type"] != "heartbeat" {
                    return message;
                }
            }
        };
        within(&what, news).await
    }

    /// Returns the next `count` messages that are not hellos or heartbeats.
    pub async fn take_news(&mut self, count: usize) -> Vec<Value> {
        let mut news = Vec::with_capacity(count);
        while news.len() < count {
            news.push(self.next_news().await);
        }
        news
    }
}
