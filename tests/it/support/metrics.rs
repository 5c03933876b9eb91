//! Reading a number from `/metrics`.

use super::TestApp;

/// The value of `series`, written as Prometheus shows it: `petstore_viewers{transport="ws"}`.
pub async fn metric(app: &TestApp, series: &str) -> u64 {
    metric_in(&app.text("/metrics").await, series)
}

/// The same, in what `/metrics` said.
pub fn metric_in(text: &str, series: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(series));
    let value = value.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    value.trim().parse().unwrap()
}
