//! The durable state of a webhook: its position in the log, the deliveries that wait, and the newest
//! reports.
//!
//! The log of changes is the outbox: nothing is stored per change. A worker moves the position, and
//! stores only what failed.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::super::super::{Cursor, Timestamp};

/// Deliveries of a webhook so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebhookProgress {
    /// Changes up to here were delivered, are not delivered, or wait below. `None` begins at the newest.
    #[serde(with = "optional_text", skip_serializing_if = "Option::is_none")]
    pub position: Option<Cursor>,
    /// Deliveries that wait for their next attempt, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingDelivery>,
    /// Newest attempts, newest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reports: Vec<DeliveryReport>,
    /// Attempts that failed since the last one that succeeded.
    pub failures: u32,
}

/// A delivery that waits for its next attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingDelivery {
    /// Id of the delivery: the cursor of the change, or `test-` and digits.
    pub id: String,
    /// Attempts so far.
    pub attempts: u32,
    /// Time of the next attempt.
    #[serde(with = "micros")]
    pub due: Timestamp,
}

/// Result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryResult {
    /// The receiver accepted the delivery.
    Delivered,
    /// The attempt failed. There is another one.
    Failed,
    /// The last attempt failed.
    GivenUp,
    /// There was nothing to send, for the reason in the report.
    NotSent,
}

/// Report of an attempt, for the delivery log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryReport {
    /// Id of the delivery; empty if the report is about none.
    pub id: String,
    /// Short description of the content.
    pub about: String,
    /// Number of the attempt, from 1.
    pub attempt: u32,
    /// Time at which the attempt ended.
    #[serde(with = "micros")]
    pub at: Timestamp,
    /// Duration of the attempt.
    pub took_ms: u64,
    /// Result of the attempt.
    pub result: DeliveryResult,
    /// Status of the answer, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// First bytes of the answer, or the reason of the failure.
    pub detail: String,
    /// Time of the next attempt, for `Failed`.
    #[serde(
        with = "optional_micros",
        skip_serializing_if = "Option::is_none",
        default
    )]
    pub retry_at: Option<Timestamp>,
}

/// A step of a worker.
#[derive(Clone, Debug)]
pub enum WebhookStep {
    /// Everything up to here was read from the log.
    Advance(Cursor),
    /// An attempt ended.
    Report(DeliveryReport),
}

impl WebhookProgress {
    /// The most deliveries that wait. Then the position stays, and the log keeps what follows.
    pub const WAITING_LIMIT: usize = 200;

    /// The most reports that are kept.
    pub const REPORTS_KEPT: usize = 50;

    /// Failures after which a success means that the receiver works again.
    const OUTAGE: u32 = 3;

    /// Applies a step. The position moves only forwards: a worker that ends may store one from before a pause, after the
    /// webhook was resumed at a newer one. After an outage, everything that waits is due.
    pub fn apply(&mut self, step: &WebhookStep) {
        let report = match step {
            WebhookStep::Advance(position) => {
                let is_behind =
                    |own: &Cursor| own.epoch == position.epoch && own.rev > position.rev;
                if !self.position.as_ref().is_some_and(is_behind) {
                    self.position = Some(*position);
                }
                return;
            }
            WebhookStep::Report(report) => report,
        };
        self.waiting.retain(|waiting| waiting.id != report.id);
        match report.result {
            DeliveryResult::Delivered => {
                if self.failures >= WebhookProgress::OUTAGE {
                    for waiting in &mut self.waiting {
                        waiting.due = waiting.due.min(report.at);
                    }
                }
                self.failures = 0;
            }
            DeliveryResult::Failed | DeliveryResult::GivenUp => {
                self.failures = self.failures.saturating_add(1);
            }
            DeliveryResult::NotSent => {}
        }
        if let Some(due) = report.retry_at {
            self.waiting.push(WaitingDelivery {
                id: report.id.clone(),
                attempts: report.attempt,
                due,
            });
        }
        self.reports.insert(0, report.clone());
        self.reports.truncate(WebhookProgress::REPORTS_KEPT);
    }

    /// Makes a delivery due now, with all of its attempts. Does nothing if twice as many wait as a worker
    /// lets wait: then the receiver does not work.
    pub fn enqueue(&mut self, id: String, now: Timestamp) {
        self.waiting.retain(|waiting| waiting.id != id);
        if self.waiting.len() >= 2 * WebhookProgress::WAITING_LIMIT {
            return;
        }
        self.waiting.insert(
            0,
            WaitingDelivery {
                id,
                attempts: 0,
                due: now,
            },
        );
    }

    /// Returns the oldest delivery that is due.
    pub fn next_due(&self, now: Timestamp) -> Option<&WaitingDelivery> {
        self.waiting.iter().find(|waiting| waiting.due <= now)
    }

    /// Returns the time until the next delivery is due; `None` if none waits.
    pub fn time_until_due(&self, now: Timestamp) -> Option<Duration> {
        let due = self.waiting.iter().map(|waiting| waiting.due).min()?;
        Some(due.since(now))
    }
}

/// Microseconds since the Unix epoch, as all records have times.
mod micros {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature is serde's"
    )]
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        at.micros().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        i64::deserialize(from).map(Timestamp::from_micros)
    }
}

mod optional_micros {
    use super::{Deserialize, Deserializer, Serialize, Serializer, Timestamp};

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        at.map(Timestamp::micros).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let micros = Option::<i64>::deserialize(from)?;
        Ok(micros.map(Timestamp::from_micros))
    }
}

mod optional_text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub fn serialize<T: Display, S: Serializer>(
        value: &Option<T>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => to.collect_str(value),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let value = text.map(|text| text.parse().map_err(serde::de::Error::custom));
        value.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(id: &str, result: DeliveryResult, retry_at: Option<i64>) -> WebhookStep {
        WebhookStep::Report(DeliveryReport {
            id: id.to_owned(),
            about: "Biscuit: eating".to_owned(),
            attempt: 1,
            at: Timestamp::from_micros(10),
            took_ms: 3,
            result,
            status: Some(500),
            detail: String::new(),
            retry_at: retry_at.map(Timestamp::from_micros),
        })
    }

    #[test]
    fn what_failed_waits_and_is_due_when_the_receiver_works_again() {
        let mut progress = WebhookProgress::default();
        for id in ["a", "b", "c"] {
            progress.apply(&report(id, DeliveryResult::Failed, Some(1000)));
        }
        let now = Timestamp::from_micros(20);
        assert!(progress.next_due(now).is_none());
        progress.apply(&report("d", DeliveryResult::Delivered, None));
        let due = progress.next_due(now).unwrap();
        assert_eq!((due.id.as_str(), due.attempts), ("a", 1));
        progress.apply(&report("a", DeliveryResult::GivenUp, None));
        assert_eq!(progress.waiting.len(), 2);
        let record = serde_json::to_string(&progress).unwrap();
        let read: WebhookProgress = serde_json::from_str(&record).unwrap();
        assert_eq!(read, progress);
    }

    #[test]
    fn one_delivery_that_fails_again_and_again_is_not_hurried_by_others_that_succeed() {
        let mut progress = WebhookProgress::default();
        progress.apply(&report("a", DeliveryResult::Failed, Some(1000)));
        progress.apply(&report("b", DeliveryResult::Delivered, None));
        assert!(progress.next_due(Timestamp::from_micros(999)).is_none());
        assert!(progress.next_due(Timestamp::from_micros(1000)).is_some());
    }

    /// Pause and resume within the time that a worker takes to end: it stored its older position, and what had changed
    /// during the pause was sent.
    #[test]
    fn a_position_moves_only_forwards_within_an_epoch() {
        let cursor = |text: &str| -> Cursor { text.parse().unwrap() };
        let mut progress = WebhookProgress::default();
        for (step, position) in [
            ("9f2c41aa-5", "9f2c41aa-5"),
            ("9f2c41aa-9", "9f2c41aa-9"),
            ("9f2c41aa-7", "9f2c41aa-9"),
            ("00000001-2", "00000001-2"),
        ] {
            progress.apply(&WebhookStep::Advance(cursor(step)));
            assert_eq!(progress.position, Some(cursor(position)), "after {step}");
        }
    }

    #[test]
    fn the_log_of_a_webhook_is_bounded() {
        let mut progress = WebhookProgress::default();
        for number in 0..500 {
            let id = number.to_string();
            progress.apply(&report(&id, DeliveryResult::Delivered, None));
            progress.enqueue(id, Timestamp::from_micros(0));
        }
        assert_eq!(progress.reports.len(), WebhookProgress::REPORTS_KEPT);
        assert_eq!(progress.reports[0].id, "499");
        assert_eq!(progress.waiting.len(), 2 * WebhookProgress::WAITING_LIMIT);
    }
}
