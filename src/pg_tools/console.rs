//! What the engine reports while it works, as the tools tell it.

use super::messages::Messages;
use crate::{Cancellation, Level, Message, Phase, Reporter};

/// Tells warnings, and with `--verbose` what is being done.
pub(super) struct Console {
    messages: Messages,
    verbose: bool,
    cancellation: Cancellation,
}

impl Console {
    pub(super) fn new(messages: &Messages, verbose: bool, cancellation: &Cancellation) -> Self {
        Self { messages: messages.clone(), verbose, cancellation: cancellation.clone() }
    }
}

/// What is being read, in pg_dump's words, where a table's rows are: those who watch a dump look for them.
fn in_words(what: &str) -> String {
    let of_entry = what.strip_prefix("TABLE DATA ").map(str::to_owned);
    let quoted = || what.strip_prefix("table \"")?.strip_suffix('"');
    match of_entry.or_else(|| Some(quoted()?.replacen("\".\"", ".", 1))) {
        Some(name) => format!("dumping contents of table \"{name}\""),
        None => format!("processing {what}"),
    }
}

impl Reporter for Console {
    fn message(&self, message: Message) {
        let text = message.text.named(super::wording::name);
        match message.level {
            Level::Warning => self.messages.warning(&format!("{}: {text}", message.subject)),
            _ if self.verbose => self.messages.info(&format!("{}: {text}", message.subject)),
            _ => {}
        }
    }

    fn phase(&self, phase: Phase<'_>) {
        if self.verbose {
            self.messages.info(phase.name);
        }
    }

    fn current(&self, what: &str) {
        if self.verbose {
            self.messages.info(&in_words(what));
        }
    }

    fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }
}
