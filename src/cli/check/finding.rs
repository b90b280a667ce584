//! What a check has found, one thing a line.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::Error;
use crate::cli::choice_name;

/// How a finding is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Worth a look: a backup is possible.
    Warning,
    /// A backup is not possible, or there is none to rely on.
    Failed,
}

impl Level {
    pub(super) const ALL: [Self; 4] = [Self::Ok, Self::Note, Self::Warning, Self::Failed];

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// Something that was found.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    pub(super) level: Level,
    /// What was looked at: a name that stays the same.
    pub(super) check: &'static str,
    pub(super) message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hint: Option<String>,
    /// The same for programs.
    #[serde(flatten)]
    facts: Map<String, Value>,
}

impl Finding {
    pub(super) fn new(level: Level, check: &'static str, message: impl Into<String>) -> Self {
        Self { level, check, message: message.into(), hint: None, facts: Map::new() }
    }

    /// That something cannot be done.
    pub(super) fn of_error(level: Level, check: &'static str, error: &Error) -> Self {
        let hint = error.advice().map(|hint| hint.named(choice_name));
        Self { hint, ..Self::new(level, check, error.named(choice_name)) }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    pub(super) fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// A fact that is a number, or whether something is so.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.facts.get(name)? {
            Value::Bool(is_so) => Some(f64::from(u8::from(*is_so))),
            value => value.as_f64(),
        }
    }

    /// The line for people.
    pub(super) fn line(&self) -> String {
        let Self { level, check, message, hint, .. } = self;
        let hint = hint.as_ref().map(|hint| format!(" (hint: {hint})")).unwrap_or_default();
        format!("{:<8} {check}: {message}{hint}", level.word())
    }
}

/// All that was found, in the order in which it was looked for.
#[derive(Debug, Default)]
pub(super) struct Findings(pub(super) Vec<Finding>);

impl Findings {
    pub(super) fn add(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    pub(super) fn ok(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(Finding::new(Level::Ok, check, message));
    }

    pub(super) fn note(&mut self, check: &'static str, message: impl Into<String>) {
        self.add(Finding::new(Level::Note, check, message));
    }

    /// The worst level.
    pub(super) fn worst(&self) -> Level {
        self.0.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    pub(super) fn count(&self, level: Level) -> u64 {
        self.0.iter().filter(|finding| finding.level == level).count() as u64
    }
}
