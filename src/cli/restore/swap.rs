//! `lifeboat restore --swap`: into a new database beside the one that is there, whose place it takes when all of it is restored.

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

use bstr::{BStr, BString, ByteSlice};
use serde::Serialize;
use serde_json::Value;

use super::report;
use crate::cli::archive::{explain_damage, open};
use crate::cli::exit;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::cli::scratch_database::{Purpose, ScratchDatabase};
use crate::connect::Target;
use crate::postgres::archive::Archive;
use crate::postgres::restore::{self, RestoreOptions, RestoreSummary};
use crate::postgres::swap::{self, Given, Likeness, Manner, Place, Rename};
use crate::wire::{Connection, sqlstate};
use crate::{Context, Error, ErrorKind, Reporter, Result, printable};

static PURPOSE: Purpose =
    Purpose { prefix: "lifeboat_swap", database: "new database", work: "the restore", one: "a restore with --swap" };

/// How it is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) force: bool,
    pub(super) dry_run: bool,
    /// End the sessions in the old database.
    pub(super) disconnect: bool,
    /// How long they may take to end.
    pub(super) wait: Duration,
}

/// Restores the archive at `input` into a database beside the one at `target`, and has it take the place of that, or says what
/// that would do. `options` are made for the archive that was opened.
pub(super) fn run(
    input: &Path,
    target: &Target,
    how: How,
    options: impl FnOnce(&[pgformat::Entry]) -> Result<RestoreOptions>,
    console: &Console,
) -> Result<Outcome> {
    let begun = Instant::now();
    let mut archive = open(input, &format!("restore {}", input.display()))?;
    // Nothing is there that could be dropped.
    let options = options(archive.entries())?.clean(false).force(true);
    let (at, mut connection) = beside(target)?;
    if !how.dry_run {
        restore::refuse_standby(&mut connection, "restore into this server")?;
    }
    let place = Place::look(&mut connection, target.database())?;
    drop(connection);
    place.tell(console);
    if how.dry_run {
        return told(input, target, &place, how);
    }
    place.refuse()?;
    if !how.force {
        return Err(unforced(&place));
    }
    place.refuse_sessions(how.disconnect)?;
    let mut likeness = None;
    let mut made = ScratchDatabase::new(
        &PURPOSE,
        &at,
        |_, name| {
            let read = Likeness::read(at.connect()?, place.name(), name.into())?;
            let create = created(&likeness.insert(read).create, options.role.as_ref());
            Ok(create)
        },
        console,
    )?;
    let likeness =
        likeness.ok_or_else(|| Error::new(ErrorKind::Internal, "make the new database").why("it is like none"))?;
    let restored = fill(&mut made, &likeness, &mut archive, &options, console);
    let summary = match restored {
        Ok(summary) if summary.is_complete() => summary,
        Ok(summary) => {
            let left = what_is_left(made.remove(), &place);
            return given_up(report::of_postgres(input, target, &summary, begun.elapsed())?, &left);
        }
        Err(error) => return Err(as_it_was(error, made.remove(), &place)),
    };
    let given = console.cancellation().check().and_then(|()| {
        let new = (made.target().database().to_owned(), made.oid()?);
        let manner = Manner { disconnect: how.disconnect, wait: how.wait };
        made.give_away(|giving| {
            swap::switch(&|| at.connect(), &place, (new.0.as_bstr(), new.1), &likeness, manner, giving)
        })
    });
    match given {
        Ok(Given::Done(aside)) => done(report::of_postgres(input, target, &summary, begun.elapsed())?, &aside),
        // Whatever it says, nothing is dropped.
        Ok(Given::NotKnown(error)) => Err(error),
        Err(error) => Err(as_it_was(error, made.remove(), &place)),
    }
}

/// The statement that makes it. A role that the restore takes has to own it, to be allowed to make what is in it.
fn created(create: &BString, role: Option<&BString>) -> BString {
    let Some(role) = role else { return create.clone() };
    [create.as_slice(), b" OWNER = ", &crate::sql::quote::quoted(role)].concat().into()
}

/// Restores the archive into the new database, and looks whether it is sound.
fn fill(
    made: &mut ScratchDatabase<'_>,
    likeness: &Likeness,
    archive: &mut Archive,
    options: &RestoreOptions,
    console: &Console,
) -> Result<RestoreSummary> {
    likeness.try_out(made.session())?;
    made.session().foreign()?.execute(&likeness.settings)?;
    let into = made.target().clone();
    let elsewhere = |database: &BStr| into.with_database(database).connect();
    let summary = restore::restore_from(|| into.connect(), &elsewhere, archive, options, console)
        .map_err(|error| explain_damage(error, archive))?;
    if summary.is_complete() {
        swap::check(&mut into.connect()?)?;
    }
    Ok(summary)
}

/// A database of the same server that can be connected to while the one at `target` is renamed.
fn beside(target: &Target) -> Result<(Target, Connection)> {
    let mut failure = None;
    for name in ["postgres", "template1"].into_iter().filter(|name| target.database() != *name) {
        let at = target.with_database(name);
        match at.connect() {
            Ok(connection) => return Ok((at, connection)),
            // It is not there, or this role is not let in: the next may do.
            Err(error) if error.server().is_some_and(|report| report.is_any(&NOT_IN)) => failure = Some(error),
            Err(error) => return Err(error),
        }
    }
    let doing = "connect to another database of the server, from which this one can be renamed";
    let error = Error::new(ErrorKind::Connection, doing)
        .hint("nothing was changed: the role must be let into postgres or template1");
    Err(match failure {
        Some(failure) => error.source(failure),
        None => error,
    })
}

const NOT_IN: [&str; 4] = [
    sqlstate::INVALID_CATALOG_NAME,
    sqlstate::INSUFFICIENT_PRIVILEGE,
    sqlstate::INVALID_AUTHORIZATION_SPECIFICATION,
    sqlstate::OBJECT_NOT_IN_PREREQUISITE_STATE,
];

fn unforced(place: &Place) -> Error {
    let (name, aside) = (place.name(), &place.aside.to);
    Error::new(ErrorKind::Refused, format!("put another database into the place of \"{name}\""))
        .why("--force was not given")
        .hint(format!("add it; the database that is there is kept as \"{aside}\""))
}

/// What is left of a restore that failed: nothing, if the new database could be dropped.
fn what_is_left(dropped: Result<()>, place: &Place) -> String {
    let old = format!("database {} is as it was", printable::name(place.name()));
    match dropped {
        Ok(()) => format!("{old}, and the new one is dropped"),
        Err(error) => format!("{old}; {}", error.hint_text().unwrap_or_else(|| error.to_string())),
    }
}

/// Adds that to what was the matter.
fn as_it_was(error: Error, dropped: Result<()>, place: &Place) -> Error {
    let is_dropped = dropped.is_ok();
    let left = what_is_left(dropped, place);
    match error.advice().cloned() {
        Some(advice) if is_dropped && advice.to_string().contains("nothing was changed") => error,
        // What a restore says of what it leaves is about the new one.
        Some(_) if error.kind() == ErrorKind::Connection => error.hint(left),
        Some(advice) => error.hint(crate::Words::from(format!("{left}; ")) + advice),
        None => error.hint(left),
    }
}

fn given_up(outcome: Outcome, left: &str) -> Result<Outcome> {
    let headline = format!("lifeboat: restore failed, as is told above: {left}");
    let outcome = with(outcome, headline, Vec::new(), &Facts { swapped: false, previous: None })?;
    Ok(Outcome { code: exit::FAILED, ..outcome })
}

fn done(outcome: Outcome, aside: &Rename) -> Result<Outcome> {
    let lines = vec![
        format!("previous: {}", renamed(aside)),
        format!(
            "lifeboat: the previous database is kept; remove it when the restored one has proved good: DROP DATABASE {}",
            quoted(&aside.to)
        ),
    ];
    let facts = Facts { swapped: true, previous: Some(aside.into()) };
    with(outcome, "lifeboat: restore complete".to_owned(), lines, &facts)
}

fn with(mut outcome: Outcome, headline: String, more: Vec<String>, facts: &Facts<'_>) -> Result<Outcome> {
    if let Some(first) = outcome.lines.first_mut() {
        *first = headline;
    }
    outcome.lines.extend(more);
    let facts = serde_json::to_value(facts).context(ErrorKind::Internal, || "make the report")?;
    if let (Value::Object(all), Value::Object(facts)) = (&mut outcome.json, facts) {
        all.extend(facts);
    }
    Ok(outcome)
}

fn told(input: &Path, target: &Target, place: &Place, how: How) -> Result<Outcome> {
    let mut lines = vec![
        "lifeboat: dry run: nothing was changed".to_owned(),
        "backend: postgresql".to_owned(),
        target.describe().replacen("database ", "database: ", 1),
        "would make: a new database like it, and restore into that".to_owned(),
    ];
    lines.push(format!("would rename: {}", renamed(&place.aside)));
    let refused = place.refuse().err();
    let what = if how.disconnect { "would end" } else { "in the way" };
    lines.extend(place.sessions.iter().map(|session| format!("{what}: {session}")));
    let sessions = place.sessions.iter().map(ToString::to_string).collect();
    let refused = refused.map(|error| error.named(crate::cli::choice::name));
    lines.extend(refused.iter().map(|why| format!("would be refused: {why}")));
    let facts = Told {
        backend: "postgresql",
        dry_run: true,
        input: input.to_string_lossy(),
        database: target.database().to_string(),
        would_rename: vec![(&place.aside).into()],
        sessions,
        refused,
    };
    Outcome::new(lines, facts)
}

fn renamed(Rename { from, to }: &Rename) -> String {
    format!("{} -> {}", printable::name(from.as_bstr()), printable::name(to.as_bstr()))
}

/// A name as a person types it into SQL.
fn quoted(name: &BString) -> String {
    printable::name(crate::sql::quote::quoted(name).as_bstr())
}

#[derive(Serialize)]
struct Facts<'a> {
    swapped: bool,
    previous: Option<RenameFacts<'a>>,
}

#[derive(Serialize)]
struct RenameFacts<'a> {
    from: Cow<'a, str>,
    to: Cow<'a, str>,
}

impl<'a> From<&'a Rename> for RenameFacts<'a> {
    fn from(Rename { from, to }: &'a Rename) -> Self {
        Self { from: from.to_str_lossy(), to: to.to_str_lossy() }
    }
}

#[derive(Serialize)]
struct Told<'a> {
    backend: &'static str,
    dry_run: bool,
    input: Cow<'a, str>,
    database: String,
    would_rename: Vec<RenameFacts<'a>>,
    sessions: Vec<String>,
    refused: Option<String>,
}
