//! What the engine says while something is checked, kept for the findings.

use std::sync::{Mutex, PoisonError};

use crate::cli::choice_name;
use crate::cli::progress::Console;
use crate::{Cancellation, Level, Message, Phase, Reporter};

/// Takes warnings and errors, and passes on what is being done.
pub(super) struct Collected<'a> {
    console: &'a Console,
    messages: Mutex<Vec<(Level, String)>>,
}

impl<'a> Collected<'a> {
    pub(super) fn new(console: &'a Console) -> Self {
        Self { console, messages: Mutex::default() }
    }

    /// What was said.
    pub(super) fn take(&self) -> Vec<(Level, String)> {
        std::mem::take(&mut *self.messages.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reporter for Collected<'_> {
    fn message(&self, message: Message) {
        if message.level < Level::Warning {
            return self.console.message(message);
        }
        let (subject, text) = (message.subject.named(choice_name), message.text.named(choice_name));
        let text = if subject.is_empty() { text } else { format!("{subject}: {text}") };
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).push((message.level, text));
    }

    fn phase(&self, phase: Phase<'_>) {
        self.console.phase(phase);
    }

    fn advance(&self, units: u64) {
        self.console.advance(units);
    }

    fn current(&self, what: &str) {
        self.console.current(what);
    }

    fn cancellation(&self) -> &Cancellation {
        self.console.cancellation()
    }
}
