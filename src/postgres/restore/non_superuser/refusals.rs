//! What a server refuses to a role that is no superuser, and what goes along with that.

use bstr::BStr;
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::{EntryIndex, kinds};
use crate::postgres::restore::execute::Ledger;
use crate::postgres::restore::execute::entry_state::Dropped;
use crate::postgres::restore::execute::statement::{advise, is_absence};
use crate::postgres::restore::non_superuser::role_limits::{ALONG, NotGiven};
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::EntryError;
use crate::progress::Level;
use crate::wire::sqlstate;
use crate::words::{Choice, Words};
use crate::{Error, printable};

impl Ledger<'_> {
    /// Whether a step is not to be carried out, because its object was refused, or what it says something about.
    pub fn is_moot(&mut self, step: &Step, in_transaction: bool) -> bool {
        if !matches!(step.action, Action::Define(_) | Action::Alter(_)) {
            return false;
        }
        if self.state(step.entry).is_refused {
            return true;
        }
        // In a transaction a statement that fails would end it; apart from one, the server may know better.
        let entry = &self.job.entries[step.entry];
        let is_part = kinds::is_dependent(entry) || (in_transaction && is_apart(kinds::group(entry)));
        let Some(cause) = self.refused_below(step.entry).filter(|_| is_part) else { return false };
        self.leave_along(step.entry, cause);
        true
    }

    /// Takes an error of a statement outside of transactions for a refusal that is no more than that, or for a consequence of one,
    /// and puts it down as such; false if it is an error like any other.
    pub fn take_refusal(&mut self, step: &Step, statement: &[u8], error: &Error) -> bool {
        let (at, job) = (step.entry, self.job);
        let Some(report) = error.server().filter(|_| job.plan.role_limits.role.is_some()) else { return false };
        if self.state(at).is_refused {
            return true;
        }
        let entry = &job.entries[at];
        let is_consequence = report.code == sqlstate::INSUFFICIENT_PRIVILEGE || is_absence(&report.code.to_string());
        if is_consequence
            && !is_of_table(kinds::group(entry))
            && let Some(cause) = self.refused_below(at)
        {
            self.leave_along(at, cause);
            return true;
        }
        if !self.is_refusal(step, error) {
            return false;
        }
        self.leave_refused(at, EntryError::server(entry, statement, error));
        true
    }

    /// Puts down that an object could not be dropped, because it belongs to another role; false if that is not why. It is
    /// not made anew then.
    pub fn refuse_drop(&mut self, at: EntryIndex, error: &EntryError) -> bool {
        let job = self.job;
        let is_refusal =
            error.sqlstate.as_deref() == Some(sqlstate::INSUFFICIENT_PRIVILEGE) && !job.options.stops_at_first_error();
        let Some(role) = job.plan.role_limits.role.as_ref().filter(|_| is_refusal) else { return false };
        let role = printable::name(role.as_ref());
        let message = format!("it stays as it was, for {role} may not replace it: {}", error.message);
        let error = EntryError { message, ..error.clone() };
        self.change(at, |state| state.dropped = Dropped::Failed);
        self.set_undefined(at, true);
        if is_of_table(kinds::group(&job.entries[at])) {
            self.change(at, |state| state.is_refused = true);
            self.put_down(at, error);
        } else {
            self.leave_refused(at, error);
        }
        true
    }

    /// Whether the server refused a definition for want of privileges, and the restore goes on without it.
    pub fn is_refusal(&self, step: &Step, error: &Error) -> bool {
        let entry = &self.job.entries[step.entry];
        let goes_on = may_be_missing(entry) || !self.job.options.stops_at_first_error();
        matches!(step.action, Action::Define(_))
            && error.server().is_some_and(|report| report.code == sqlstate::INSUFFICIENT_PRIVILEGE)
            && !is_of_table(kinds::group(entry))
            && goes_on
    }

    /// Whether an entry is left because of another that was refused; it is put down then.
    pub fn is_left_along(&mut self, at: EntryIndex, missing: EntryIndex) -> bool {
        let is_left = self.state(missing).is_refused && !is_of_table(kinds::group(&self.job.entries[at]));
        if is_left {
            self.leave_along(at, missing);
        }
        is_left
    }

    /// Puts down that an entry is left along with another, which is no news.
    fn leave_along(&mut self, at: EntryIndex, cause: EntryIndex) {
        let job = self.job;
        let why = format!("{ALONG}{}", job.name(cause));
        job.say(Level::Debug, at, why.clone());
        self.leave_untold(at, EntryError::other(&job.entries[at], b"", why));
        self.change(at, |state| state.is_refused = true);
    }

    /// Puts down that an entry is left to a superuser.
    pub fn leave_refused(&mut self, at: EntryIndex, mut error: EntryError) {
        let entry = &self.job.entries[at];
        advise(entry, &mut error);
        // What watches the database or sends its rows elsewhere is missed by nobody who restores it.
        self.leave(at, error, if may_be_missing(entry) { Level::Warning } else { Level::Error });
        self.change(at, |state| state.is_refused = true);
    }

    /// Says in a line what was left along with something, and in one for each owner what could not be given to it.
    pub fn sum_up_left(&mut self) {
        const SHOWN: usize = 8;
        for (owner, not_given) in &self.job.plan.role_limits.not_given {
            self.tell_not_given(&printable::name(BStr::new(owner.as_slice())), not_given);
        }
        let left = self.left().iter().filter(|left| left.message.starts_with(ALONG));
        let mut names: Vec<String> = left.map(|left| left.entry.to_string()).collect();
        let more = names.len().saturating_sub(SHOWN);
        let subject = match names.len() {
            0 => return,
            1 => "1 more entry".to_owned(),
            n => format!("{n} more entries"),
        };
        names.truncate(SHOWN);
        let mut text = Words::from(format!("left along with those: {}", names.join(", ")));
        if more > 0 {
            text = text + format!(" and {more} more, all named with ") + Choice::Report;
        }
        self.job.message(Level::Warning, subject, text);
    }

    /// Puts down that objects are not given to their owner; what was not made is no news.
    fn tell_not_given(&mut self, owner: &str, not_given: &NotGiven) {
        let job = self.job;
        let role = job.plan.role_limits.role.as_ref().map(|role| printable::name(role.as_ref())).unwrap_or_default();
        let why = match not_given.is_there {
            true => format!("whose role {role} may not take"),
            false => "for there is no such role".to_owned(),
        };
        let is_made = |at: &EntryIndex| !self.state(*at).is_undefined() && !self.state(*at).is_refused;
        let made: Vec<EntryIndex> = not_given.entries.iter().copied().filter(is_made).collect();
        let Some(first) = made.first().map(|at| job.name(*at)) else { return };
        let what = match made.len() {
            1 => format!("{first} is"),
            n => format!("{n} objects, {first} the first of them, are"),
        };
        let text = format!("left to a superuser: {what} not given to {owner}, {why}");
        job.message(Level::Warning, format!("owner {owner}"), text);
        for at in made {
            let message = format!("it is not given to {owner}, {why}");
            self.leave_untold(at, EntryError::other(&job.entries[at], b"", message));
        }
    }
}

/// Whether nothing else in an archive needs what is of this group.
fn is_apart(group: EntryGroup) -> bool {
    matches!(
        group,
        EntryGroup::Comment | EntryGroup::SecurityLabel | EntryGroup::Publication | EntryGroup::Subscription
    )
}

/// Whether nothing else in an archive needs what the entry makes, and no rows are lost without it.
fn may_be_missing(entry: &pgformat::Entry) -> bool {
    is_apart(kinds::group(entry)) || kinds::is(entry, "EVENT TRIGGER")
}

/// Whether it is a table or a part of one: rows are lost without it, or are let in that should not be.
fn is_of_table(group: EntryGroup) -> bool {
    !matches!(
        group,
        EntryGroup::Comment
            | EntryGroup::SecurityLabel
            | EntryGroup::Acl
            | EntryGroup::Publication
            | EntryGroup::Subscription
            | EntryGroup::Routine
            | EntryGroup::Other
    )
}
