//! A backup of a standby, which ends what is in the way of taking over what its primary does.

use crate::cli::choice;
use crate::postgres::paused_replay::{self, PausedReplay};
use crate::wire::Connection;
use crate::{Message, Reporter, Result};

/// How often a backup is begun that a standby ends.
const ATTEMPTS: u32 = 3;

/// Backs up by `work`, with the standby paused if `pauses` says so. Where it is not, and `may_begin_again` says that nothing of the
/// result has gone anywhere, what the standby ends is done once more: its snapshot is gone, and with it all that was read.
///
/// # Errors
/// As `work`; the standby cannot be paused, or may still be.
pub(super) fn back_up<T>(
    connect: &dyn Fn() -> Result<Connection>,
    pauses: bool,
    may_begin_again: bool,
    reporter: &dyn Reporter,
    work: impl FnMut() -> Result<T>,
) -> Result<T> {
    let paused = if pauses { PausedReplay::hold(connect, reporter)? } else { None };
    let made = again(may_begin_again, reporter, work);
    match (made, paused.map_or(Ok(()), PausedReplay::end)) {
        (Ok(made), Ok(())) => Ok(made),
        (Ok(_), Err(error)) => Err(error),
        (Err(error), Ok(())) => Err(error),
        (Err(error), Err(paused)) => {
            let hint = paused.advice().map(|hint| hint.named(choice::name)).unwrap_or_default();
            reporter.message(Message::warning("the standby", format!("{}; {hint}", paused.named(choice::name))));
            Err(error)
        }
    }
}

fn again<T>(may_begin_again: bool, reporter: &dyn Reporter, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let mut attempts = 1;
    loop {
        let error = match work() {
            Err(error) if paused_replay::is_conflict(&error) => error,
            result => return result,
        };
        if !may_begin_again || attempts == ATTEMPTS {
            return Err(error.hint(paused_replay::advice()));
        }
        let text = format!("{}; beginning again", error.named(choice::name));
        reporter.message(Message::warning("the standby", text));
        attempts += 1;
    }
}
