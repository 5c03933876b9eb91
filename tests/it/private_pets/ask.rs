//! Asks a place as a reader, and reads the answer as far as two answers can be compared.

use std::time::Duration;

use reqwest::RequestBuilder;
use tokio::time::timeout;

use super::places::{Body, Place};
use super::world::World;
use crate::support::Ws;

/// Readers of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    Visitor,
    /// A script of another site, in a browser that is not signed in: it sends no cookie of ours.
    OtherOrigin,
    ReadToken,
    Staff,
}

/// An answer without what differs from one request to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<String>,
    pub body: String,
}

/// Shortest run of letters and digits that counts as random or as a time.
const RANDOM: usize = 16;

/// Time after which a stream has sent everything that waits.
const QUIET: Duration = Duration::from_millis(300);

/// Headers that differ between two answers to one request.
const VARIABLE: [&str; 2] = ["date", "x-request-id"];

const OTHER_SITE: [(&str, &str); 3] = [
    ("origin", "https://elsewhere.example"),
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-mode", "cors"),
];

impl Reader {
    pub const ALL: [Reader; 4] = [
        Reader::Visitor,
        Reader::OtherOrigin,
        Reader::ReadToken,
        Reader::Staff,
    ];

    pub fn is_staff(self) -> bool {
        matches!(self, Reader::ReadToken | Reader::Staff)
    }

    fn headers(self, world: &World) -> Vec<(&'static str, String)> {
        match self {
            Reader::Visitor => Vec::new(),
            Reader::OtherOrigin => {
                let headers = OTHER_SITE.iter();
                headers
                    .map(|(name, value)| (*name, (*value).to_owned()))
                    .collect()
            }
            Reader::ReadToken => {
                vec![(
                    "authorization",
                    format!("Bearer {}", world.rescue.tokens[0]),
                )]
            }
            Reader::Staff => vec![("cookie", world.staff.cookie.clone().unwrap())],
        }
    }
}

impl Answer {
    /// Returns true if the body has the address of this pet's page.
    pub fn links_to(&self, pet: u64) -> bool {
        let address = format!("/pets/{pet}");
        let mut rests = self.body.split(&address).skip(1);
        rests.any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    }

    /// Returns the answer with one word for every id of `ids`.
    pub fn without(&self, ids: [u64; 2]) -> Answer {
        let ids = ids.map(|id| id.to_string());
        let rename = |text: &str| {
            let is_letter = |letter: char| letter.is_ascii_alphanumeric();
            let mut renamed = String::new();
            for piece in text
                .replace("%2F", "/")
                .split_inclusive(|letter| !is_letter(letter))
            {
                let word = piece.trim_end_matches(|letter| !is_letter(letter));
                let is_id = ids.iter().any(|id| id == word);
                renamed.push_str(if is_id { "ID" } else { word });
                renamed.push_str(&piece[word.len()..]);
            }
            renamed
        };
        Answer {
            status: self.status,
            headers: self.headers.iter().map(|header| rename(header)).collect(),
            body: rename(&self.body),
        }
    }
}

/// Asks `place` as `reader`; `fill` puts the pet into texts.
pub async fn ask(
    world: &World,
    place: &Place,
    reader: Reader,
    fill: &impl Fn(&str) -> String,
) -> Answer {
    let path = fill(place.path);
    let headers = reader.headers(world);
    if place.method == "WS" {
        return ask_socket(world, &path, &headers, &fill(place.body.text())).await;
    }
    let mut request = world.rescue.app.request(place.method, &path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some((name, value)) = place.header {
        request = request.header(name, fill(value));
    }
    read(with_body(request, &place.body, fill)).await
}

fn with_body(
    request: RequestBuilder,
    body: &Body,
    fill: &impl Fn(&str) -> String,
) -> RequestBuilder {
    match body {
        Body::None => request,
        Body::Json(text) => request
            .header("content-type", "application/json")
            .body(fill(text)),
        Body::Form(text) => request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(fill(text)),
        Body::Text(_) => unreachable!("only sockets send texts"),
    }
}

async fn read(request: RequestBuilder) -> Answer {
    let mut response = request.send().await.unwrap();
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| !VARIABLE.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        without_chance(&format!("{name}: {value}"))
    });
    let (status, headers) = (response.status().as_u16(), headers.collect());
    // A stream never ends.
    let mut body = Vec::new();
    while let Ok(Ok(Some(chunk))) = timeout(QUIET, response.chunk()).await {
        body.extend_from_slice(&chunk);
        if body.windows(16).any(|word| word == b"event: heartbeat") {
            break;
        }
    }
    let body = String::from_utf8_lossy(&body);
    let body = body.split("event: heartbeat").next().unwrap_or_default();
    // The time after which a stream is opened again is random.
    let (_, body) = body.split_once("event: hello").unwrap_or(("", body));
    Answer {
        status,
        headers,
        body: without_chance(body),
    }
}

/// Opens a socket, sends `command` if there is one, and reads until the answer to a heartbeat.
async fn ask_socket(
    world: &World,
    path: &str,
    headers: &[(&'static str, String)],
    command: &str,
) -> Answer {
    let headers: Vec<(&'static str, &str)> = headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let base = world.rescue.app.url("");
    let mut socket = Ws::try_open(&base, path, &headers).await.unwrap();
    let mut messages = Vec::new();
    if !command.is_empty() {
        socket.send(command).await;
        messages.push(socket.answer().await.to_string());
    }
    socket.send(r#"{"do":"heartbeat","ref":"end"}"#).await;
    loop {
        let message = socket.next().await;
        let is_end = message["ref"] == "end";
        messages.push(message.to_string());
        if is_end {
            break;
        }
    }
    Answer {
        status: 101,
        headers: Vec::new(),
        body: without_chance(&messages.join("\n")),
    }
}

/// Replaces times, tokens and keys.
fn without_chance(text: &str) -> String {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "-_:.".contains(letter);
    let mut kept = String::new();
    for piece in text.split_inclusive(|letter| !is_part(letter)) {
        let word = piece.trim_end_matches(|letter| !is_part(letter));
        let is_random = word.len() >= RANDOM && word.bytes().any(|byte| byte.is_ascii_digit());
        kept.push_str(if is_random { "*" } else { word });
        kept.push_str(&piece[word.len()..]);
    }
    kept
}
