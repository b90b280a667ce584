//! What a drill says on its way and in the end.

use std::time::Duration;

use crate::cli::common::Common;
use crate::cli::progress;
use crate::console::terminal::{self, Stream};
use crate::{Error, ErrorKind, Words};

/// Tells each step when it is done, not at the end.
pub(super) struct Narrator {
    silent: bool,
}

impl Narrator {
    pub(super) fn new(common: &Common) -> Self {
        Self { silent: common.json || common.quiet }
    }

    pub(super) fn say(&self, line: &str) {
        if !self.silent {
            progress::clear();
            // A reader who has gone away does not end the drill.
            let _ = terminal::line(Stream::Out, line);
        }
    }
}

pub(super) fn failed(why: impl Into<Words>) -> Error {
    Error::new(ErrorKind::Archive, "pass the drill").why(why)
}

pub(super) fn passed(took: Duration) -> String {
    format!("lifeboat: drill passed in {}.{} s", took.as_secs(), took.subsec_millis() / 100)
}
