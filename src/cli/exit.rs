//! Exit codes: what a script can trust.

use std::process::ExitCode;

use crate::ErrorKind;

/// One of the documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Code(pub u8);

pub(crate) const SUCCESS: Code = Code(0);
pub(crate) const FAILED: Code = Code(1);
pub(crate) const USAGE: Code = Code(2);
pub(crate) const INCOMPLETE: Code = Code(3);
pub(crate) const REFUSED: Code = Code(4);
pub(crate) const INTERRUPTED: Code = Code(130);

/// What monitoring systems take for a warning, of a program that says that it ends as their plugins do.
pub(crate) const PLUGIN_WARNING: Code = Code(1);
/// What they take for a failure.
pub(crate) const PLUGIN_CRITICAL: Code = Code(2);

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.0)
    }
}

/// The exit code for an error.
pub(crate) fn of(kind: ErrorKind) -> Code {
    match kind {
        ErrorKind::Usage => USAGE,
        ErrorKind::Refused => REFUSED,
        ErrorKind::Interrupted => INTERRUPTED,
        _ => FAILED,
    }
}

/// The word for an error in JSON.
pub(crate) fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Usage => "usage",
        ErrorKind::Refused => "refused",
        ErrorKind::Connection => "connection",
        ErrorKind::Server => "server",
        ErrorKind::Io => "io",
        ErrorKind::Archive => "archive",
        ErrorKind::Incomplete => "incomplete",
        ErrorKind::Changed => "changed",
        ErrorKind::Interrupted => "interrupted",
        ErrorKind::Internal => "internal",
    }
}
