//! Carries a script of roles and tablespaces out.

use std::collections::HashSet;

use bstr::{BString, ByteSlice};

use super::grammar::Statement;
use super::reader::{Script, Step};
use super::{GlobalsError, GlobalsPreview, GlobalsRestoreOptions, GlobalsRestored};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::dump::Running;
use crate::postgres::restore::{Connect, OneSession};
use crate::printable;
use crate::progress::{Message, Phase, Reporter, Unit};
use crate::sql::Sql;
use crate::wire::{Connection, Notice};

/// How many statements are on their way together.
const BATCH: usize = 100;

pub(super) fn execute(
    target: &mut Connection,
    connect: &Connect<'_>,
    script: &Script,
    found: &GlobalsPreview,
    options: &GlobalsRestoreOptions,
    reporter: &dyn Reporter,
) -> Result<GlobalsRestored> {
    let _running = Running::of(target, reporter.cancellation())?;
    tell_where_tablespaces_are(script, found, reporter);
    let session = OneSession::begin(target, connect)?;
    let parts = parts(&script.steps, found);
    reporter.phase(Phase::new("restoring roles and tablespaces", Unit::Steps).of(parts.len() as u64));
    let there = found.altered.iter().collect();
    let (failed, done) = (Failed::default(), GlobalsRestored::default());
    let mut work = Work { target, options, reporter, unaltered: there, failed, done };
    let result = work.read_as(script).and_then(|()| work.all(&parts));
    let done = work.done;
    session.end(target)?;
    result.map(|()| done)
}

/// Statements that are one transaction.
struct Part<'a> {
    about: &'a Statement,
    text: BString,
    is_new: bool,
}

/// What is to be sent, without the making of what is there.
fn parts<'a>(steps: &'a [Step], found: &GlobalsPreview) -> Vec<Part<'a>> {
    let there: HashSet<&BString> = found.altered.iter().collect();
    let spaces: HashSet<&BString> = found.there.iter().map(|(name, _)| name).collect();
    let mut parts: Vec<Part<'a>> = Vec::with_capacity(steps.len());
    for step in steps {
        let (is_new, is_there) = match &step.about {
            Statement::CreateRole(name) => (true, there.contains(name)),
            Statement::CreateTablespace { name, .. } => (true, spaces.contains(name)),
            _ => (false, false),
        };
        if is_there {
            continue;
        }
        match parts.last_mut() {
            Some(last) if role_of(last.about).is_some_and(|role| Some(role) == role_of(&step.about)) => {
                last.text.push(b'\n');
                last.text.extend_from_slice(&step.text);
            }
            _ => parts.push(Part { about: &step.about, text: step.text.clone(), is_new }),
        }
    }
    parts
}

/// The role that a statement makes or describes.
fn role_of(statement: &Statement) -> Option<&BString> {
    match statement {
        Statement::CreateRole(role) | Statement::Role(role) => Some(role),
        _ => None,
    }
}

/// What could not be made.
#[derive(Default)]
struct Failed<'a> {
    roles: HashSet<&'a BString>,
    tablespaces: HashSet<&'a BString>,
}

impl<'a> Failed<'a> {
    fn note(&mut self, part: &Part<'a>) {
        match part.about {
            Statement::CreateRole(role) if part.is_new => _ = self.roles.insert(role),
            Statement::CreateTablespace { name, .. } => _ = self.tablespaces.insert(name),
            _ => {}
        }
    }

    /// Whether a statement is about something of that.
    fn concerns(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Role(role) | Statement::RoleSetting(Some(role)) => self.roles.contains(role),
            Statement::Membership { role, member } => self.roles.contains(role) || self.roles.contains(member),
            Statement::Tablespace(name) => self.tablespaces.contains(name),
            Statement::TablespacePrivileges { name, grantee } => {
                self.tablespaces.contains(name) || self.roles.contains(grantee)
            }
            Statement::Parameter { grantee, .. } => self.roles.contains(grantee),
            _ => false,
        }
    }
}

struct Work<'a, 'w> {
    target: &'w mut Connection,
    options: &'w GlobalsRestoreOptions,
    reporter: &'w dyn Reporter,
    /// The roles that were there before and that nothing was done to yet.
    unaltered: HashSet<&'w BString>,
    failed: Failed<'a>,
    done: GlobalsRestored,
}

impl<'a> Work<'a, '_> {
    /// Has the server read statements as the script says.
    fn read_as(&mut self, script: &Script) -> Result<()> {
        let mut sql = Sql::new();
        if let Some(encoding) = &script.encoding {
            sql.kw("SET client_encoding = ").literal(encoding.as_bstr()).kw("; ");
        }
        sql.kw("SET standard_conforming_strings = ").kw(if script.standard_strings { "on" } else { "off" });
        Ok(self.target.foreign()?.execute(sql.as_bstr())?)
    }

    fn all(&mut self, parts: &[Part<'a>]) -> Result<()> {
        let mut rest = parts;
        while !rest.is_empty() && !self.done.stopped {
            self.reporter.cancellation().check()?;
            let (batch, after) = rest.split_at(self.batch(rest));
            rest = after;
            self.send(batch)?;
            self.reporter.advance(batch.len() as u64);
        }
        Ok(())
    }

    /// How many of the next parts are sent together. What is about something that is made comes when it is known to be there.
    fn batch(&self, parts: &[Part<'_>]) -> usize {
        let makes = |part: &Part<'_>| match part.about {
            Statement::CreateRole(_) | Statement::Role(_) => 0,
            Statement::CreateTablespace { .. } => 1,
            _ => 2,
        };
        let alike = parts.iter().take_while(|part| parts.first().map(makes) == Some(makes(part))).count();
        alike.min(if self.options.exit_on_error { 1 } else { BATCH })
    }

    fn send(&mut self, batch: &[Part<'a>]) -> Result<()> {
        let mut sent = Vec::with_capacity(batch.len());
        for part in batch {
            if self.failed.concerns(part.about) {
                self.done.skipped.push(part.about.to_string())
            } else {
                sent.push(part)
            }
        }
        let texts: Vec<&BString> = sent.iter().map(|part| &part.text).collect();
        let (results, lost) = self.target.foreign()?.execute_each_telling(&texts)?;
        let next = sent.get(results.len()).map(|part| part.about);
        for (part, (result, notices)) in sent.into_iter().zip(results) {
            self.warn(part, &notices);
            match result {
                Ok(()) => self.count(part),
                Err(error) => {
                    let error = Error::from(error);
                    // Words of the server's, which knows what is wrong with a value and need not repeat it.
                    let message = error.server().map_or_else(|| error.to_string(), printable::report);
                    let about = part.about.to_string();
                    self.reporter.message(Message::new(crate::Level::Error, about.clone(), message.clone()));
                    self.done.errors.push(GlobalsError { about, message });
                    self.done.stopped = self.options.exit_on_error;
                    self.failed.note(part);
                }
            }
        }
        match lost.zip(next) {
            Some((lost, about)) => Err(Error::new(ErrorKind::Connection, format!("restore {about}")).source(lost)),
            None => Ok(()),
        }
    }

    fn warn(&self, part: &Part<'_>, notices: &[Notice]) {
        for notice in notices.iter().filter(|notice| notice.severity == "WARNING") {
            self.reporter.message(Message::warning(part.about.to_string(), printable::notice(notice)));
        }
    }

    fn count(&mut self, part: &Part<'_>) {
        match part.about {
            Statement::CreateRole(_) => self.done.roles += 1,
            Statement::CreateTablespace { .. } => self.done.tablespaces += 1,
            // Several statements can be about one role, also about one that is only made.
            Statement::Role(name) if self.unaltered.remove(name) => {
                self.done.altered += 1;
                self.reporter.message(Message::new(
                    crate::Level::Info,
                    part.about.to_string(),
                    "it was there, and was altered",
                ));
            }
            _ => {}
        }
    }
}

/// Says which tablespaces are elsewhere than the script would have them: nothing moves them.
fn tell_where_tablespaces_are(script: &Script, found: &GlobalsPreview, reporter: &dyn Reporter) {
    for step in &script.steps {
        let Statement::CreateTablespace { name, location } = &step.about else { continue };
        let there = found.there.iter().find(|(there, _)| there == name);
        if let Some((_, at)) = there.filter(|(_, at)| at != location) {
            reporter.message(Message::warning(
                step.about.to_string(),
                format!("it is there already, and stays in {}", printable::name(at.as_bstr())),
            ));
        }
    }
}
