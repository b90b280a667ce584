//! What a server refuses to a role that is no superuser, and what goes along with that.

use bstr::ByteSlice;
use pgformat::Entry;
use pgformat::kinds::Group;

use crate::postgres::archive::EntryName;
use crate::postgres::archive::kinds::{self, text};
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::non_superuser::{ALONG, show};
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::EntryError;
use crate::progress::{Level, Message};
use crate::wire::sqlstate;
use crate::words::{Choice, Words};
use crate::{Error, Result};

impl Run<'_> {
    /// Whether a step is not to be carried out, because its object was refused, or what it says something about.
    pub(in crate::postgres::restore) fn is_moot(&mut self, step: &Step) -> bool {
        if self.refused.is_empty() || !matches!(step.action, Action::Define(_) | Action::Alter(_)) {
            return false;
        }
        let entry = &self.entries[step.entry];
        if self.refused.contains_key(&entry.dump_id) {
            return true;
        }
        // In a transaction a statement that fails would end it; apart from one, the server may know better.
        let is_part = kinds::is_dependent(entry) || (self.is_block && is_apart(kinds::group(entry)));
        match self.refused_below(step.entry) {
            Some(cause) if is_part => {
                self.goes_along(step.entry, cause);
                true
            }
            _ => false,
        }
    }

    /// Whether a definition is one that PostgreSQL reserves for superusers, and is in a transaction that would be lost if
    /// the server refuses it. It is to be kept apart then.
    pub(in crate::postgres::restore) fn is_reserved(&self, step: &Step) -> bool {
        self.is_block
            && self.plan.limits.role.is_some()
            && matches!(step.action, Action::Define(_))
            && self.reservation(step.entry).is_some_and(|kind| !self.permitted.contains(kind))
    }

    /// Carries out such a definition. Where one of its sort was refused, so would be all others.
    pub(in crate::postgres::restore) fn try_reserved(&mut self, step: &Step, statement: &[u8]) -> Result<()> {
        let Some(kind) = self.reservation(step.entry) else { return Ok(()) };
        if let Some(first) = self.denied.get(kind) {
            let message = format!("it was not tried, for {first} was refused");
            let error = EntryError::other(&self.entries[step.entry], statement, message);
            self.leave(step.entry, error);
            return Ok(());
        }
        match self.attempt(statement)? {
            None => {
                // Each subscription has a connection string of its own to be checked.
                if kind != SUBSCRIPTION {
                    self.permitted.insert(kind);
                }
            }
            Some(error) => {
                if self.is_refusal(step, &error) {
                    let error = EntryError::server(&self.entries[step.entry], statement, &error);
                    self.denied.insert(kind, error.entry.clone());
                    self.leave(step.entry, error);
                } else {
                    self.put_down(step.entry, statement, error)?;
                }
            }
        }
        Ok(())
    }

    /// What an entry needs that PostgreSQL reserves for superusers, and that no rows need.
    fn reservation(&self, entry: usize) -> Option<&'static str> {
        let entry = &self.entries[entry];
        match text(&entry.desc).as_bytes() {
            b"EVENT TRIGGER" => Some("event trigger"),
            b"SUBSCRIPTION" => Some(SUBSCRIPTION),
            b"PUBLICATION TABLES IN SCHEMA" => Some("schemas in publications"),
            b"PUBLICATION" => {
                text(&entry.definition).contains_str(" FOR ALL TABLES ").then_some("publication of all tables")
            }
            _ => None,
        }
    }

    /// Takes an error of a statement for a refusal that is no more than that, or for a consequence of one, and puts it
    /// down as such; false if it is an error like any other.
    pub(in crate::postgres::restore) fn refuse(&mut self, step: &Step, statement: &[u8], error: &Error) -> bool {
        let Some(report) = error.server().filter(|_| self.plan.limits.role.is_some() && !self.is_block) else {
            return false;
        };
        let entry = &self.entries[step.entry];
        if self.refused.contains_key(&entry.dump_id) {
            return true;
        }
        let is_consequence = report.code == sqlstate::INSUFFICIENT_PRIVILEGE
            || crate::postgres::restore::execute::drops::is_absence(&report.code.to_string());
        if is_consequence
            && !is_of_table(kinds::group(entry))
            && let Some(cause) = self.refused_below(step.entry)
        {
            self.goes_along(step.entry, cause);
            return true;
        }
        if !self.is_refusal(step, error) {
            return false;
        }
        let error = EntryError::server(entry, statement, error);
        self.leave(step.entry, error);
        true
    }

    /// Puts down that an object could not be dropped, because it belongs to another role; false if that is not why. It is
    /// not made anew then.
    pub(in crate::postgres::restore) fn refuse_drop(&mut self, entry: usize, error: &EntryError) -> bool {
        let Some(role) = self
            .plan
            .limits
            .role
            .as_ref()
            .filter(|_| error.sqlstate.as_deref() == Some(sqlstate::INSUFFICIENT_PRIVILEGE))
        else {
            return false;
        };
        if self.options.stops_at_first_error() {
            return false;
        }
        let message = format!("it stays as it was, for {} may not replace it: {}", show(role.as_ref()), error.message);
        let error = EntryError { message, ..error.clone() };
        self.undropped.insert(entry);
        self.undefined.insert(entry);
        if is_of_table(kinds::group(&self.entries[entry])) {
            self.refused.insert(self.entries[entry].dump_id, entry);
            self.put_down_error(entry, error);
        } else {
            self.leave(entry, error);
        }
        true
    }

    /// Whether the server refused a definition for want of privileges, and the restore goes on without it.
    fn is_refusal(&self, step: &Step, error: &Error) -> bool {
        let group = kinds::group(&self.entries[step.entry]);
        let entry = &self.entries[step.entry];
        let goes_on = is_apart(group) || kinds::is(entry, "EVENT TRIGGER") || !self.options.stops_at_first_error();
        matches!(step.action, Action::Define(_))
            && error.server().is_some_and(|report| report.code == sqlstate::INSUFFICIENT_PRIVILEGE)
            && !is_of_table(group)
            && goes_on
    }

    /// The entry that was refused and that this one is about.
    fn refused_below(&self, entry: usize) -> Option<usize> {
        self.entries[entry].dependencies.iter().find_map(|id| self.refused.get(id).copied())
    }

    /// Whether an entry is left because of another that was refused; it is put down then.
    pub(in crate::postgres::restore) fn is_left_along(&mut self, entry: usize, missing: usize) -> bool {
        let is_left = self.refused.contains_key(&self.entries[missing].dump_id)
            && !is_of_table(kinds::group(&self.entries[entry]));
        if is_left {
            self.goes_along(entry, missing);
        }
        is_left
    }

    /// Puts down that an entry is left along with another, which is no news.
    fn goes_along(&mut self, entry: usize, cause: usize) {
        let why = format!("{ALONG}{}", EntryName::of(&self.entries[cause]));
        self.say(Level::Debug, entry, why.clone());
        self.summary.left.push(EntryError::other(&self.entries[entry], b"", why));
        self.refused.insert(self.entries[entry].dump_id, entry);
        self.failed.insert(entry);
    }

    /// Says in a line what was left along with something, and in one for each owner what could not be given to it.
    pub(in crate::postgres::restore) fn sum_up_left(&mut self) {
        const SHOWN: usize = 8;
        let plan = self.plan;
        for (owner, (is_there, entries)) in &plan.limits.not_given {
            self.tell_not_given(show(owner.as_ref()), *is_there, entries);
        }
        let left = self.summary.left.iter().filter(|left| left.message.starts_with(ALONG));
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
        self.reporter.message(Message::warning(subject, text));
    }

    /// Puts down that objects are not given to their owner; what was not made is no news.
    fn tell_not_given(&mut self, owner: String, is_there: bool, entries: &[usize]) {
        let role = self.plan.limits.role.as_ref().map(|role| show(role.as_ref())).unwrap_or_default();
        let why = match is_there {
            true => format!("whose role {role} may not take"),
            false => "for there is no such role".to_owned(),
        };
        let is_made =
            |at: &&usize| !self.undefined.contains(at) && !self.refused.contains_key(&self.entries[**at].dump_id);
        let made: Vec<usize> = entries.iter().filter(is_made).copied().collect();
        let Some(first) = made.first().map(|at| EntryName::of(&self.entries[*at])) else { return };
        let what = match made.len() {
            1 => format!("{first} is"),
            n => format!("{n} objects, {first} the first of them, are"),
        };
        self.reporter.message(Message::warning(
            format!("owner {owner}"),
            format!("left to a superuser: {what} not given to {owner}, {why}"),
        ));
        for at in made {
            let message = format!("it is not given to {owner}, {why}");
            self.summary.left.push(EntryError::other(&self.entries[at], b"", message));
        }
    }

    /// Puts down that an entry is left to a superuser.
    fn leave(&mut self, entry: usize, mut error: EntryError) {
        let at = &self.entries[entry];
        advise(at, &mut error);
        // What watches the database or sends its rows elsewhere is missed by nobody who restores it.
        let is_apart = is_apart(kinds::group(at)) || kinds::is(at, "EVENT TRIGGER");
        self.reporter.message(Message::new(
            if is_apart { Level::Warning } else { Level::Error },
            error.entry.to_string(),
            format!("left to a superuser: {}", error.what_happened()),
        ));
        self.summary.left.push(error);
        self.refused.insert(at.dump_id, entry);
        self.failed.insert(entry);
    }
}

const SUBSCRIPTION: &str = "subscription";

/// Whether nothing else in an archive needs what is of this group.
fn is_apart(group: Group) -> bool {
    matches!(group, Group::Comment | Group::SecurityLabel | Group::Publication | Group::Subscription)
}

/// Whether it is a table or a part of one: rows are lost without it, or are let in that should not be.
fn is_of_table(group: Group) -> bool {
    !matches!(
        group,
        Group::Comment
            | Group::SecurityLabel
            | Group::Acl
            | Group::Publication
            | Group::Subscription
            | Group::Routine
            | Group::Other
    )
}

/// Adds what to do to the refusal of a schema or an extension, which much of an archive may need.
pub(in crate::postgres::restore) fn advise(entry: &Entry, error: &mut EntryError) {
    if error.sqlstate.as_deref() != Some(sqlstate::INSUFFICIENT_PRIVILEGE) {
        return;
    }
    let advice = match text(&entry.desc).as_bytes() {
        b"EXTENSION" => "let a superuser create it in this database, and restore again",
        b"SCHEMA" => "the owner of the database can allow it with GRANT CREATE ON DATABASE",
        _ => return,
    };
    error.hint = Some(match error.hint.take() {
        Some(hint) => format!("{}; {advice}", hint.to_string().trim_end_matches('.')).into(),
        None => advice.into(),
    });
}
