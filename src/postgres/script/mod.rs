//! Writes a plan as a script for psql: the same bytes that pg_restore 18 writes for the same archive and options.
//!
//! Of a hostile archive, not everything is written as it is, where pg_restore does: a line break in the kind of an entry or
//! in the versions that the archive names would end the comment that they stand in, and what psql would take for a command of
//! its own is refused (`guard.rs`).

mod guard;
mod key;
mod large_objects;
mod psql;
mod text;

use std::io;
use std::io::{Read, Write};
use std::ops::ControlFlow;

use bstr::{BStr, ByteSlice};
use guard::{Guard, Watch, refused};
use pgformat::kinds::EntryGroup;
use pgformat::{Entry, Header, Reader};

use crate::postgres::archive::copy_text::CopyScanner;
use crate::postgres::archive::{EntryIndex, EntryName, kinds};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::plan::{Action, Destination, Plan, Step, large_objects as batches, plan};
use crate::postgres::restore::source;
use crate::postgres::restore::source::Data;
use crate::progress::{Message, Part, Reporter};
use crate::words::Words;
use crate::{Error, ErrorKind, Result};

pub use key::RestrictKey;

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptSummary {
    /// Entries that the script restores.
    pub entries: u64,
    /// Rows in it that are COPY's.
    pub rows: u64,
    /// Large objects in it.
    pub large_objects: u64,
    /// Its size.
    pub bytes: u64,
}

/// Writes a script that restores the archive that `archive` reads, to `out`.
///
/// # Errors
/// Options that name what is not in the archive; an archive that is cut off, before anything is written where its input
/// can seek; a damaged archive; what writing fails with.
pub fn of_archive<R: Read>(
    archive: &mut Reader<R>,
    options: &RestoreOptions,
    key: &RestrictKey,
    out: &mut dyn Write,
    reporter: &dyn Reporter,
) -> Result<ScriptSummary> {
    let entries = archive.shared_entries();
    let header = archive.header().clone();
    let plan = plan(&entries, source::version(&header), options, &Destination::SCRIPT)?;
    plan.tell_unmatched(&entries, reporter);
    plan.tell_row_oids(archive, reporter);
    let guard = Guard::new(&plan.settings);
    guard.check(&plan, &entries)?;
    source::check_end(archive)?;
    let cost = Cost::of_script(&entries, source::sizes(archive)?);
    let mut script = Script {
        plan: &plan,
        entries: &entries,
        options,
        key,
        out,
        reporter,
        cost: &cost,
        actions: 0,
        guard: &guard,
        watch: Watch::default(),
        at: None,
        summary: ScriptSummary::default(),
    };
    script.all(&header, archive)?;
    script.out.flush().map_err(unwritten)?;
    let summary = script.summary;
    source::finish(archive, reporter);
    Ok(summary)
}

/// What is said when the script cannot be written; the one who opened the file knows its name.
fn unwritten(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "write the script").source(error)
}

struct Script<'a> {
    plan: &'a Plan,
    entries: &'a [Entry],
    options: &'a RestoreOptions,
    key: &'a RestrictKey,
    out: &'a mut dyn Write,
    reporter: &'a dyn Reporter,
    cost: &'a Cost,
    /// What was done in the transaction that is open, where it may have so many actions only.
    actions: u32,
    guard: &'a Guard,
    watch: Watch,
    at: Option<EntryIndex>,
    summary: ScriptSummary,
}

impl Script<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.watch.look(bytes).map_err(|why| self.refused(why))?;
        self.summary.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(unwritten)
    }

    /// The error for something that is not written of the entry.
    fn refused(&self, why: impl Into<Words>) -> Error {
        match self.at.and_then(|at| at.of(self.entries)) {
            Some(entry) => refused(&EntryName::of(entry).to_string(), why),
            None => refused("what an archive says of itself", why),
        }
    }

    /// Text with empty lines after it.
    fn paragraph(&mut self, text: &[u8]) -> Result<()> {
        self.put(text)?;
        self.put(b"\n\n")
    }

    fn all(&mut self, header: &Header, data: &mut dyn Data) -> Result<()> {
        let plan = self.plan;
        self.put(&text::beginning(header, self.key))?;
        if self.options.single_transaction {
            self.paragraph(b"BEGIN;")?;
        }
        self.session()?;
        for steps in plan.drops.chunk_by(|a, b| a.entry == b.entry) {
            self.drop(steps)?;
        }
        self.reporter.phase(self.cost.phase("write", self.entries, &plan.steps));
        for steps in plan.steps.chunk_by(|a, b| a.entry == b.entry) {
            self.restore(steps, data)?;
            self.summary.entries += 1;
        }
        if self.options.in_transactions() {
            self.paragraph(b"COMMIT;")?;
        }
        self.put(&text::end(self.key))
    }

    fn session(&mut self) -> Result<()> {
        for statement in &self.plan.session {
            self.put(statement)?;
            self.put(b"\n")?;
        }
        if self.options.transaction_size.is_some() {
            self.put(b"\nBEGIN;\n")?;
            self.actions = 0;
        }
        self.put(b"\n")
    }

    /// Counts actions, and ends a transaction that has enough of them, with `words`.
    fn count(&mut self, words: &[u8]) -> Result<()> {
        self.actions = self.actions.saturating_add(1);
        if self.options.transaction_size.is_some_and(|size| self.actions >= size) {
            self.actions = 0;
            self.put(words)?;
        }
        Ok(())
    }

    /// Whether the steps are about the database itself, which no transaction may make or drop.
    fn is_outside(&self, steps: &[Step]) -> bool {
        self.options.transaction_size.is_some()
            && steps.first().is_some_and(|step| kinds::group(&self.entries[step.entry]) == EntryGroup::Database)
    }

    fn drop(&mut self, steps: &[Step]) -> Result<()> {
        self.at = steps.first().map(|step| step.entry);
        let is_outside = self.is_outside(steps);
        if is_outside {
            self.put(b"COMMIT;\n")?;
        }
        for step in steps {
            match &step.action {
                Action::Drop(statement) | Action::DropCascade(statement) => self.put(statement)?,
                action => self.simple(action)?,
            }
        }
        if is_outside {
            self.actions = 0;
            self.put(b"BEGIN;\n")
        } else {
            self.count(b"COMMIT;\nBEGIN;\n")
        }
    }

    fn restore(&mut self, steps: &[Step], data: &mut dyn Data) -> Result<()> {
        self.at = steps.first().map(|step| step.entry);
        if self.is_outside(steps) {
            self.paragraph(b"COMMIT;")?;
        }
        for step in steps {
            let entry = &self.entries[step.entry];
            let part = self.cost.part(self.entries, step, self.reporter);
            match &step.action {
                Action::Heading(heading) => {
                    self.put(&text::heading(entry, *heading, self.options))?;
                    if let Some(definition) = text::definition_of_data(entry, *heading) {
                        self.definition(entry, definition)?;
                    }
                }
                Action::Define(_) => {
                    self.definition(entry, step.statement(self.entries).unwrap_or_default().as_bstr())?
                }
                Action::CopyRows { statement, .. } => {
                    self.reporter.current(&EntryName::of(entry).to_string());
                    self.put(statement)?;
                    self.copy(data, entry, &part)?;
                }
                Action::RunData { .. } => {
                    self.reporter.current(&EntryName::of(entry).to_string());
                    let mut lexer = self.guard.lexer();
                    data.table(entry.dump_id, &|bytes| part.advance(bytes), &mut |piece| {
                        lexer.feed(piece).map_err(|trouble| self.refused(trouble.why()))?;
                        self.put(piece)?;
                        Ok(ControlFlow::Continue(()))
                    })?;
                    lexer.finish().map_err(|trouble| self.refused(trouble.why()))?;
                }
                Action::LargeObjects { create, replace } => {
                    self.reporter.current(&EntryName::of(entry).to_string());
                    self.large_objects(data, entry, (*create, *replace), &part)?;
                }
                Action::Connect(database) => {
                    self.put(&text::connect(database, self.key)?)?;
                    self.session()?;
                }
                Action::Say(warning) => self.reporter.message(Message::warning(
                    EntryName::of(entry).to_string(),
                    format!("the archive says: {warning}"),
                )),
                action => self.simple(action)?,
            }
            part.end();
        }
        self.count(b"COMMIT;\nBEGIN;\n\n")
    }

    /// What is written alike everywhere.
    fn simple(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Set(statement) | Action::Become(statement) | Action::Alter(statement) => self.paragraph(statement),
            Action::EachLargeObject { before, after, oids_of, .. } => {
                for oid in batches::oids(&self.entries[*oids_of])? {
                    self.put(&batches::statement(before, oid, after))?;
                    self.count(b"COMMIT;\nBEGIN;\n\n")?;
                }
                self.put(b"\n")
            }
            _ => Ok(()),
        }
    }

    fn definition(&mut self, entry: &Entry, definition: &BStr) -> Result<()> {
        self.paragraph(definition)?;
        // Each statement of a definition is an action; how many there are is guessed from the semicolons, of which
        // functions have many that end no statement.
        if !["FUNCTION", "PROCEDURE"].iter().any(|desc| kinds::is(entry, desc)) && !self.is_shortened(entry) {
            let more = definition.find_iter(b";").count().saturating_sub(1);
            self.actions = self.actions.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    /// Whether the definition that is written is not the archive's own, in which no statements are counted.
    fn is_shortened(&self, entry: &Entry) -> bool {
        !self.options.owner && kinds::is(entry, "SCHEMA") && !kinds::text(&entry.definition).starts_with(b"--")
    }

    /// The rows of a table, as they are in the archive, which ends them with the mark that COPY wants.
    fn copy(&mut self, data: &mut dyn Data, entry: &Entry, part: &Part<'_>) -> Result<()> {
        let mut scanner = CopyScanner::for_psql();
        let mut is_empty = true;
        data.table(entry.dump_id, &|bytes| part.advance(bytes), &mut |piece| {
            is_empty = false;
            scanner.feed(piece);
            self.put(piece)?;
            Ok(if scanner.has_trailing() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        self.summary.rows += scanner.rows() + u64::from(scanner.is_within_row());
        if is_empty {
            // The program that made the archive says that there is nothing, not even a mark.
            return self.put(b"\\.\n\n\n");
        }
        let fault = if scanner.has_trailing() {
            "there is something after the end mark of the rows, which psql would take for commands"
        } else if !scanner.has_ended() {
            "the rows have no end mark: some of them are missing, and psql would take what follows for rows"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Archive, format!("write {}", EntryName::of(entry))).why(fault))
    }
}
