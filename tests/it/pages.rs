//! The pages: complete without JavaScript, and safe with any text in them.

mod assets;
mod cards;
mod compression;
mod day;
mod doctor;
mod feeds;
mod find;
mod forms;
mod headers;
mod lobby;
mod markup;
mod merging;
pub mod photos;
mod print;
mod reading;
mod request_ids;
mod sharing;
mod snapshots;
mod twice;
mod weight;

use crate::support::unescape;

/// The value of the first attribute `name` in `html`.
fn attribute(html: &str, name: &str) -> String {
    let values = attributes(html, name);
    values
        .first()
        .unwrap_or_else(|| panic!("no {name} in\n{html}"))
        .clone()
}

/// The values of every attribute `name` in `html`, unescaped.
pub fn attributes(html: &str, name: &str) -> Vec<String> {
    let start = format!(" {name}=\"");
    let found = html.split(&start).skip(1);
    found
        .map(|rest| unescape(rest.split('"').next().unwrap()))
        .collect()
}
