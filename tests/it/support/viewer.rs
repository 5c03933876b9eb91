//! A viewer over any transport, for what all transports have in common.

use serde_json::Value;

use super::{Poll, Sse, Ws, within};

/// Every transport, as messages name it.
pub const TRANSPORTS: [&str; 3] = ["ws", "sse", "poll"];

/// One live connection.
pub enum Viewer {
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
        Some(match transport {
            "ws" => {
                let path = format!("/live/ws{query}");
                Viewer::Ws(Box::new(Ws::try_open(base, &path, &[]).await.ok()?))
            }
            "sse" => Viewer::Sse(Box::new(Sse::try_open(base, query, None).await?)),
            _ => Viewer::Poll(Box::new(Poll::open(base, query))),
        })
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
        match self {
            Viewer::Ws(_) => "ws",
            Viewer::Sse(_) => "sse",
            Viewer::Poll(_) => "poll",
        }
    }

    /// Returns the next message.
    pub async fn next(&mut self) -> Value {
        self.try_next().await.expect("the connection is open")
    }

    /// Returns the next message, or `None` at the end of the connection.
    pub async fn try_next(&mut self) -> Option<Value> {
        match self {
            Viewer::Ws(ws) => ws.try_next().await,
            Viewer::Sse(sse) => sse.try_next().await,
            Viewer::Poll(poll) => poll.try_next().await,
        }
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
