//! Reads `/metrics`.

use super::TestApp;

/// Returns the value of a series, such as `petstore_viewers{transport="ws"}`.
pub async fn metric(app: &TestApp, series: &str) -> u64 {
    metric_in(&app.text("/metrics").await, series)
}

/// Returns the value of a series in a response of `/metrics`.
pub fn metric_in(text: &str, series: &str) -> u64 {
    let value = text.lines().find_map(|line| line.strip_prefix(series));
    let value = value.unwrap_or_else(|| panic!("no {series} in\n{text}"));
    value.trim().parse().unwrap()
}
