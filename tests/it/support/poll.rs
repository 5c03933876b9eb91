//! A viewer that polls, each time from the cursor of the last response.

use std::collections::VecDeque;

use reqwest::Client;
use serde_json::Value;

use super::contract::CONTRACT;
use super::rev_of;
use super::wait::within;

/// Yields the messages of the responses.
pub struct Poll {
    client: Client,
    base: String,
    /// The query without `since`, such as `?wait=5`.
    query: String,
    waiting: VecDeque<Value>,
    /// The cursor of the last response.
    pub cursor: Option<String>,
}

impl Poll {
    /// Polls `base` with `query`, and with `wait=5` unless the query has another.
    pub fn open(base: &str, query: &str) -> Self {
        let mut query = query.trim_start_matches('?').to_owned();
        if !query.contains("wait=") {
            query.push_str("&wait=5");
        }
        let since = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("since="));
        Poll {
            client: Client::builder().no_proxy().build().unwrap(),
            base: base.to_owned(),
            cursor: since.map(str::to_owned),
            query: query
                .split('&')
                .filter(|pair| !pair.starts_with("since="))
                .collect::<Vec<_>>()
                .join("&"),
            waiting: VecDeque::new(),
        }
    }

    /// Returns the next message.
    pub async fn next(&mut self) -> Value {
        self.try_next().await.expect("the server answers")
    }

    /// Returns the next message, or `None` if the server does not answer.
    pub async fn try_next(&mut self) -> Option<Value> {
        while self.waiting.is_empty() {
            self.ask().await?;
        }
        self.waiting.pop_front()
    }

    async fn ask(&mut self) -> Option<()> {
        let since = self.cursor.iter().map(|cursor| format!("&since={cursor}"));
        let since: String = since.collect();
        let url = format!("{}/live/poll?{}{since}", self.base, self.query);
        let response = within("an answer to /live/poll", self.client.get(url).send()).await;
        let response = response.ok()?.error_for_status().ok()?;
        let answer: Value = within("the whole answer", response.json()).await.ok()?;
        CONTRACT.assert_answer("/live/poll", &answer);
        let cursor = answer["cursor"].as_str().unwrap().to_owned();
        let messages = answer["messages"].as_array().unwrap().clone();
        let cursors = messages
            .iter()
            .filter_map(|message| message["cursor"].as_str());
        let last = cursors.map(rev_of).next_back().unwrap_or_default();
        assert!(
            rev_of(&cursor) >= last,
            "the next poll must not repeat: {answer}"
        );
        self.cursor = Some(cursor);
        self.waiting = messages.into();
        Some(())
    }
}
