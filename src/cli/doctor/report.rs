//! Findings of the doctor.

use std::fmt;

use serde::Serialize;

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Could not be checked, or is a matter of taste.
    Note,
    /// Works, and could be better.
    Warning,
    /// Must be fixed.
    Problem,
}

/// The result of one check.
#[derive(Debug, Serialize)]
pub struct Finding {
    check: &'static str,
    level: Level,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<String>,
}

/// All findings, in the order of the checks.
#[derive(Debug, Default)]
pub struct Report(Vec<Finding>);

impl Report {
    /// Adds something that is as it should be.
    pub fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(check, Level::Ok, message.into(), None);
    }

    /// Adds something that could not be checked or needs no action.
    pub fn note(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Note, message.into(), Some(advice.into()));
    }

    /// Adds something that works, and could be better.
    pub fn warning(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Warning, message.into(), Some(advice.into()));
    }

    /// Adds something that must be fixed.
    pub fn problem(
        &mut self,
        check: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) {
        self.add(check, Level::Problem, message.into(), Some(advice.into()));
    }

    fn add(&mut self, check: &'static str, level: Level, message: String, advice: Option<String>) {
        self.0.push(Finding {
            check,
            level,
            message,
            advice,
        });
    }

    /// Returns true if something must be fixed.
    pub fn has_problem(&self) -> bool {
        self.count(Level::Problem) > 0
    }

    /// Returns the findings as a JSON array.
    pub fn json(&self) -> String {
        let array = serde_json::to_string_pretty(&self.0);
        array.expect("findings are strings") + "\n"
    }

    fn count(&self, level: Level) -> usize {
        self.0
            .iter()
            .filter(|finding| finding.level == level)
            .count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            let word = match finding.level {
                Level::Ok => "ok",
                Level::Note => "note",
                Level::Warning => "WARNING",
                Level::Problem => "PROBLEM",
            };
            writeln!(out, "{word:8} {}: {}", finding.check, finding.message)?;
            if let Some(advice) = &finding.advice {
                writeln!(out, "         → {advice}")?;
            }
        }
        let (problems, warnings) = (self.count(Level::Problem), self.count(Level::Warning));
        let plural = |count| if count == 1 { "" } else { "s" };
        writeln!(
            out,
            "\n{problems} problem{}, {warnings} warning{}",
            plural(problems),
            plural(warnings)
        )
    }
}
