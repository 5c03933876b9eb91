//! Reads the board from `/live/state`.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::client::message::{micros, rev_of_cursor};

/// The board of the server.
pub struct Board {
    pub epoch: String,
    pub rev: u64,
    /// Time at which each pet got its status, in microseconds since the Unix epoch.
    pub since: HashMap<u64, i64>,
}

/// Sends a request over a new connection. Returns the body of a successful response.
pub fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &str,
) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no response")?;
    if !head.starts_with("HTTP/1.1 2") {
        bail!(
            "{method} {path}: {}",
            head.lines().next().unwrap_or_default()
        );
    }
    Ok(body.to_owned())
}

/// Parses a response of `/live/state`.
pub fn parse_board(json: &str) -> anyhow::Result<Board> {
    let state: serde_json::Value = serde_json::from_str(json)?;
    let cursor = state["cursor"].as_str().context("no cursor")?;
    let (epoch, _) = cursor.split_once('-').context("no epoch")?;
    let pets = state["pets"].as_array().context("no pets")?;
    let entry = |pet: &serde_json::Value| {
        let since = pet["since"].as_str().and_then(micros);
        pet["id"].as_u64().zip(since)
    };
    Ok(Board {
        epoch: epoch.to_owned(),
        rev: rev_of_cursor(cursor.as_bytes()).context("no rev")?,
        since: pets.iter().filter_map(entry).collect(),
    })
}
