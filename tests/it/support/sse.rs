//! A viewer over Server-Sent Events, as a browser's `EventSource` reads them (HTML standard,
//! section 9.2.6).

use std::collections::VecDeque;

use reqwest::header::HeaderMap;
use reqwest::{Client, Response};
use serde_json::Value;

use super::contract::CONTRACT;
use super::wait::within;

/// Reads events until the server ends the stream.
pub struct Sse {
    response: Response,
    bytes: Vec<u8>,
    events: VecDeque<Event>,
    /// The last `id`, which a browser would send as `Last-Event-ID`.
    pub last_id: Option<String>,
    /// The last `retry`.
    pub retry_ms: Option<u64>,
}

#[derive(Default)]
struct Event {
    id: Option<String>,
    name: String,
    data: String,
    retry_ms: Option<u64>,
}

impl Sse {
    /// Connects to `base`, such as `http://127.0.0.1:3000`, with `query`, such as `?pet=1`.
    pub async fn open(base: &str, query: &str) -> Self {
        let sse = Sse::try_open(base, query, None).await;
        sse.expect("the server accepts the viewer")
    }

    /// As `open`; `None` if the viewer is refused, or the server does not answer.
    pub async fn try_open(base: &str, query: &str, last_id: Option<&str>) -> Option<Self> {
        let client = Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(format!("{base}/live/sse{query}"));
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let answered = within("an answer to /live/sse", request.send()).await;
        let response = answered.ok()?.error_for_status().ok()?;
        Some(Sse {
            response,
            bytes: Vec::new(),
            events: VecDeque::new(),
            last_id: None,
            retry_ms: None,
        })
    }

    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Returns the next message.
    pub async fn next(&mut self) -> Value {
        self.try_next().await.expect("the stream is open")
    }

    /// Returns the next message, or `None` at the end of the stream.
    pub async fn try_next(&mut self) -> Option<Value> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(self.read(event));
            }
            let chunk = within("an event", self.response.chunk()).await.ok()??;
            self.bytes.extend_from_slice(&chunk);
            self.split();
        }
    }

    /// Splits the received bytes into events. A lone CR ends a line too.
    fn split(&mut self) {
        while let Some(end) = self.bytes.windows(2).position(|pair| pair == b"\n\n") {
            let block: Vec<u8> = self.bytes.drain(..end + 2).collect();
            let text = String::from_utf8(block).expect("events are UTF-8");
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            let mut event = Event::default();
            for line in text.lines() {
                let (field, value) = line.split_once(':').unwrap_or((line, ""));
                let value = value.strip_prefix(' ').unwrap_or(value);
                match field {
                    "id" => event.id = Some(value.to_owned()),
                    "event" => value.clone_into(&mut event.name),
                    "data" => event.data.push_str(value),
                    "retry" => event.retry_ms = value.parse().ok(),
                    "" => {}
                    other => panic!("no field of an event is called {other:?}: {text:?}"),
                }
            }
            self.events.push_back(event);
        }
    }

    /// Parses the message of an event, and checks that its name and id are those of the event.
    fn read(&mut self, event: Event) -> Value {
        let message: Value = serde_json::from_str(&event.data).expect("data is JSON");
        CONTRACT.assert_message(&message);
        assert_eq!(message["type"], event.name.as_str());
        let has_id = matches!(event.name.as_str(), "snapshot" | "status" | "pet" | "gone")
            && message["part"] == message["parts"];
        let cursor = message["cursor"].as_str().filter(|_| has_id);
        assert_eq!(event.id.as_deref(), cursor, "{message}");
        self.last_id = event.id.or(self.last_id.take());
        self.retry_ms = event.retry_ms.or(self.retry_ms);
        message
    }
}
