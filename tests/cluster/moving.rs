//! A store that moves from one engine to the other: all of it arrives, or a node says that it did
//! not.

mod interrupted;
mod refused;
mod whole;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::server::Servers;
use crate::support::ran;

/// Runs a command, and gives its exit code and the one line that it says.
async fn said(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let (code, lines) = ran(folder, arguments).await;
    assert_eq!(lines.len(), 1, "{arguments:?}: {lines:?}");
    (code, lines[0].clone())
}

async fn done(folder: &Path, arguments: &[&str]) -> String {
    let (code, line) = said(folder, arguments).await;
    assert_eq!(code, 0, "{line}");
    line
}

async fn refused(folder: &Path, arguments: &[&str]) -> String {
    let (code, line) = said(folder, arguments).await;
    assert_eq!(code, 1, "{line}");
    line
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// How many messages the stream has, or why nobody can tell.
fn messages(servers: &Servers, stream: &str) -> Result<u64, Value> {
    let info = servers.ask(&format!("$JS.API.STREAM.INFO.{stream}"));
    let info: Value = serde_json::from_str(&info).unwrap();
    info["state"]["messages"].as_u64().ok_or(info)
}
