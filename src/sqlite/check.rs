//! Is a database file sound?

use std::path::Path;
use std::time::Duration;

use super::error::{CallContext, OpenError, is_damage, words};
use super::integrity::{Findings, examine};
use super::source::{Opening, Source};
use crate::cancellation::Cancellation;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::{Message, Phase, Reporter, Unit};

/// How many of the faults an error message tells.
const SHOWN_FAULTS: usize = 3;
/// How many kinds of broken constraints are told.
const SHOWN_KINDS: usize = 10;

/// Runs SQLite's full integrity check over the file at `path`, which nobody writes to and nothing stands beside. Gives how many rows
/// break a constraint of their table, of which a warning tells.
///
/// Fails with what is wrong with it. `doing` says what the check is for, worded to follow "could not"; `hint` says what to
/// do if it is damaged.
pub fn check_file(path: &Path, doing: &str, hint: &str, reporter: &dyn Reporter) -> Result<u64> {
    reporter.phase(Phase::new("check", Unit::Steps));
    reporter.current("PRAGMA integrity_check");
    let found = look_at(path, doing, reporter.cancellation())?;
    if found.faults.is_empty() {
        tell(&found, reporter);
        return Ok(found.violations.count());
    }
    let shown = found.faults.get(..SHOWN_FAULTS).unwrap_or(&found.faults).join("; ");
    let more = if found.faults.len() > SHOWN_FAULTS { "; and more" } else { "" };
    Err(Error::new(ErrorKind::Archive, doing).why(format!("it is damaged: {shown}{more}")).hint(hint))
}

/// What SQLite's full integrity check finds wrong with the file at `path`: nothing, if it is sound. Rows that break a constraint of
/// their table are told of in a warning.
///
/// Fails if the check itself could not be made. Where it needs code that only the application has (a collation, a
/// function, a module), what can be checked without is checked, and a warning says so.
pub fn faults(path: &Path, doing: &str, reporter: &dyn Reporter) -> Result<Vec<String>> {
    let found = look_at(path, doing, reporter.cancellation())?;
    tell(&found, reporter);
    Ok(found.faults)
}

fn look_at(path: &Path, doing: &str, cancellation: &Cancellation) -> Result<Findings> {
    let about = CallContext { doing, database: path, written: None, waited: Duration::ZERO };
    match Source::try_open(path, Opening::new(Duration::ZERO, cancellation), doing) {
        Ok(source) => {
            let found = examine(&source.connection).map_err(|e| about.failed(e))?;
            source.check_undisturbed(doing)?;
            Ok(found)
        }
        Err(OpenError::Sqlite(e)) if is_damage(&e) => Ok(Findings { faults: vec![words(&e)], ..Findings::default() }),
        Err(OpenError::Sqlite(e)) => Err(about.failed(e)),
        Err(OpenError::Other(e)) => Err(e),
    }
}

/// Warns of what is no damage, but worth a look.
pub(super) fn tell(found: &Findings, reporter: &dyn Reporter) {
    let warn = |subject: String, text: String| reporter.message(Message::warning(subject, text));
    for (table, text) in &found.unchecked {
        warn(table.clone(), text.clone());
    }
    let lines = found.violations.lines();
    if let (Some(shown), false) = (lines.get(..lines.len().min(SHOWN_KINDS)), lines.is_empty()) {
        let more = if lines.len() > SHOWN_KINDS { "; and more" } else { "" };
        let text = format!("rows that do not fit their tables' definitions: {}{more}", shown.join("; "));
        warn(String::new(), format!("{text}; they are read and copied as they are"));
    }
}
