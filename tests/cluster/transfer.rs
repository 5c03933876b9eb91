//! Exports and imports between engines: everything arrives, or a node reports that it did not.

mod complete;
mod interrupted;
mod refused;

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::server::Servers;
use crate::support::ran;

/// Runs a command. Returns its exit code and the one line that it prints.
async fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let (code, lines) = ran(folder, arguments).await;
    assert_eq!(lines.len(), 1, "{arguments:?}: {lines:?}");
    (code, lines[0].clone())
}

/// Runs a command that must succeed. Returns the line that it prints.
async fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let (code, line) = run(folder, arguments).await;
    assert_eq!(code, 0, "{line}");
    line
}

/// Runs a command that must fail. Returns the line that it prints.
async fn fail(folder: &Path, arguments: &[&str]) -> String {
    let (code, line) = run(folder, arguments).await;
    assert_eq!(code, 1, "{line}");
    line
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Returns the number of messages of a stream, or the error.
fn messages(servers: &Servers, stream: &str) -> Result<u64, Value> {
    let info = servers.ask(&format!("$JS.API.STREAM.INFO.{stream}"));
    let info: Value = serde_json::from_str(&info).unwrap();
    info["state"]["messages"].as_u64().ok_or(info)
}
