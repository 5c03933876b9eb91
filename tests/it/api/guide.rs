//! The examples of docs/api.md, run in their order against a rescue with one pet.
//!
//! A block `sh` runs in bash with `$SITE` and `$TOKEN`, and the block below it is its output. A block
//! `json send` goes through one WebSocket, and the block `json receive` below it is the answer. A block `sh stream` never
//! ends by itself; the block below it is the beginning of its output. Epochs of cursors and times differ from run to
//! run, and are not compared. Blocks `python` and `js` are programs that follow changes, and are run in `programs`.

mod programs;

use std::fmt::Write;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{Rescue, Ws, within};

/// Path of the guide.
const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");

/// Returns the language and the text of every fenced block.
fn blocks(guide: &str) -> Vec<(&str, &str)> {
    let fenced = guide.split("```").skip(1).step_by(2);
    fenced.filter_map(|block| block.split_once('\n')).collect()
}

fn guide() -> String {
    std::fs::read_to_string(GUIDE).unwrap()
}

fn bash(script: &str, rescue: &Rescue) -> Command {
    let mut command = Command::new("bash");
    command
        .args(["-euc", script])
        .env("SITE", rescue.app.url(""))
        .env("TOKEN", &rescue.tokens[2]);
    command
}

/// Runs a script that never ends. Returns the first lines of its output.
async fn beginning(script: &str, line_count: usize, rescue: &Rescue) -> String {
    let mut command = bash(&format!("exec {script}"), rescue);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let mut stream = command.spawn().unwrap();
    let mut lines = BufReader::new(stream.stdout.take().unwrap()).lines();
    let mut text = String::new();
    for _ in 0..line_count {
        let line = within("a line of a stream", lines.next_line())
            .await
            .unwrap();
        text.push_str(&line.expect("the stream goes on"));
        text.push('\n');
    }
    text
}

async fn run(script: &str, rescue: &Rescue) -> String {
    let output = within("an example of the guide", bash(script, rescue).output());
    let output = output.await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the JSON values of a text in one form, or the text itself, without epochs and times.
fn normalized(text: &str) -> String {
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let values: Result<Vec<Value>, _> = values.collect();
    let text = values.map_or(text.to_owned(), |values| {
        values.iter().fold(String::new(), |mut text, value| {
            writeln!(text, "{value:#}").unwrap();
            text
        })
    });
    let words =
        text.split_inclusive(|letter: char| !letter.is_alphanumeric() && !"-:.".contains(letter));
    words
        .map(without_chance)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Returns the text without the time to reconnect, which is chosen by chance.
fn without_retry(text: &str) -> String {
    let lines = text.lines().map(|line| match line.strip_prefix("retry: ") {
        Some(_) => "retry: MS",
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns a word, or its kind if it is a time or a cursor.
fn without_chance(word: &str) -> String {
    let end = word
        .trim_end_matches(|letter: char| !letter.is_alphanumeric())
        .len();
    let (core, rest) = word.split_at(end);
    let is_time = core.len() == 27 && core.ends_with('Z');
    let epoch = core.split_once('-').filter(|(epoch, _)| epoch.len() == 8);
    match epoch {
        _ if is_time => format!("TIME{rest}"),
        Some((_, rev)) => format!("EPOCH-{rev}{rest}"),
        None => word.to_owned(),
    }
}

#[tokio::test]
async fn the_examples_of_the_guide_do_what_it_says() {
    let rescue = Rescue::start().await;
    let mut ws = Ws::open(&rescue.app.url(""), "").await;
    let mut answer = None;
    let mut compared = 0;
    let guide = guide();
    let blocks = blocks(&guide);
    for (place, (language, text)) in blocks.iter().copied().enumerate() {
        match language {
            "sh stream" => {
                let (_, output) = blocks[place + 1];
                answer = Some(beginning(text, output.lines().count(), &rescue).await);
            }
            "sh" => answer = Some(run(text, &rescue).await),
            "json send" => {
                let command = text.replace("$TOKEN", &rescue.tokens[2]);
                let command = serde_json::from_str(&command).unwrap();
                answer = Some(ws.command(&command).await.to_string());
            }
            "json" | "text" | "json receive" => {
                let answer = answer.take().expect("an example above its output");
                let [was, expected] = [&answer, text].map(|text| normalized(&without_retry(text)));
                assert_eq!(was, expected, "it was:\n{answer}");
                compared += 1;
            }
            _ => {}
        }
    }
    assert!(compared > 10, "{compared} examples were found");
}
