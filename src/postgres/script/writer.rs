//! Goes through the steps of a plan, and writes what each of them is in a script.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::ControlFlow;

use bstr::{BStr, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::copy_text::CopyScanner;
use crate::postgres::archive::{EntryIndex, EntryName, kinds};
use crate::postgres::restore::RestoreOptions;
use crate::postgres::restore::plan::cost::Cost;
use crate::postgres::restore::plan::{Action, Heading, Plan, Step, large_objects as batches};
use crate::postgres::restore::source::Data;
use crate::postgres::script::guard::{Guard, Watch};
use crate::postgres::script::text::{self, Beginning};
use crate::postgres::script::{RestrictKey, ScriptSummary, Style};
use crate::progress::{Message, Part, Phase, Reporter};
use crate::words::Words;
use crate::{Error, ErrorKind, Result};

/// What is said when the script cannot be written; the one who opened the file knows its name.
pub(super) fn unwritten(error: io::Error) -> Error {
    Error::new(ErrorKind::Io, "write the script").source(error)
}

/// What is written, and how.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) plan: &'a Plan,
    pub(super) entries: &'a [Entry],
    pub(super) options: &'a RestoreOptions,
    pub(super) style: &'a Style,
    pub(super) key: Option<&'a RestrictKey>,
    /// The data is not in it, but in files beside it.
    pub(super) is_beside_data: bool,
    pub(super) cost: &'a Cost,
    pub(super) guard: &'a Guard,
    pub(super) reporter: &'a dyn Reporter,
}

/// A script in the making.
pub(super) struct Script<'a> {
    pub(super) job: Job<'a>,
    out: &'a mut dyn Write,
    /// What was done in the transaction that is open, where it may have so many actions only.
    actions: u32,
    watch: Watch,
    at: Option<EntryIndex>,
    pub(super) summary: ScriptSummary,
}

impl<'a> Script<'a> {
    pub(super) fn new(job: Job<'a>, out: &'a mut dyn Write) -> Self {
        Self { job, out, actions: 0, watch: Watch::new(job.key.is_some()), at: None, summary: ScriptSummary::default() }
    }

    /// Statements or comments that are all there.
    pub(super) fn put(&mut self, text: &[u8]) -> Result<()> {
        if self.watch.look(text).is_ok() {
            return self.write_out(text);
        }
        let guard = self.job.guard;
        self.put_as_is(&guard.otherwise(text))
    }

    fn put_as_is(&mut self, bytes: &[u8]) -> Result<()> {
        self.watch.look(bytes).map_err(|why| self.refused(why))?;
        self.write_out(bytes)
    }

    /// As [`Script::put`], of what is ours alone.
    fn put_own(&mut self, bytes: &[u8]) -> Result<()> {
        self.watch.look_at_own(bytes).map_err(|why| self.refused(why))?;
        self.write_out(bytes)
    }

    fn write_out(&mut self, bytes: &[u8]) -> Result<()> {
        self.summary.bytes += bytes.len() as u64;
        self.out.write_all(bytes).map_err(unwritten)
    }

    /// The error for something that is not written of the entry.
    fn refused(&self, why: impl Into<Words>) -> Error {
        match self.at.and_then(|at| at.of(self.job.entries)) {
            Some(entry) => self.job.guard.refused(&EntryName::of(entry).to_string(), why),
            None => self.job.guard.refused("what is said at its beginning", why),
        }
    }

    /// Text with empty lines after it.
    pub(super) fn paragraph(&mut self, text: &[u8]) -> Result<()> {
        self.put(text)?;
        self.put(b"\n\n")
    }

    /// All of it; `phase` is the part that has the data.
    pub(super) fn all(&mut self, beginning: &Beginning, phase: Phase<'_>, data: &mut dyn Data) -> Result<()> {
        let plan = self.job.plan;
        if self.job.is_beside_data {
            self.put(text::NOTE)?;
        }
        self.put(&text::beginning(beginning, self.job.key))?;
        if self.job.options.single_transaction {
            self.paragraph(b"BEGIN;")?;
        }
        self.session()?;
        for steps in plan.drops.chunk_by(|a, b| a.entry == b.entry) {
            self.drop(steps)?;
        }
        self.job.reporter.phase(phase);
        for steps in plan.steps.chunk_by(|a, b| a.entry == b.entry) {
            self.restore(steps, data)?;
            self.summary.entries += 1;
        }
        if self.job.options.in_transactions() {
            self.paragraph(b"COMMIT;")?;
        }
        if self.job.style.verbose {
            self.put(&text::timestamp("Completed on", &text::now()))?;
        }
        self.put_own(&text::end(self.job.key))?;
        self.out.flush().map_err(unwritten)
    }

    fn session(&mut self) -> Result<()> {
        for statement in &self.job.plan.session {
            self.put(statement)?;
            self.put(b"\n")?;
        }
        if self.job.options.transaction_size.is_some() {
            self.put(b"\nBEGIN;\n")?;
            self.actions = 0;
        }
        self.put(b"\n")
    }

    /// Counts actions, and ends a transaction that has enough of them, with `words`.
    fn count(&mut self, words: &[u8]) -> Result<()> {
        self.actions = self.actions.saturating_add(1);
        if self.job.options.transaction_size.is_some_and(|size| self.actions >= size) {
            self.actions = 0;
            self.put(words)?;
        }
        Ok(())
    }

    /// Whether the steps are about the database itself, which no transaction may make or drop.
    fn is_outside(&self, steps: &[Step]) -> bool {
        self.job.options.transaction_size.is_some()
            && steps.first().is_some_and(|step| kinds::group(&self.job.entries[step.entry]) == EntryGroup::Database)
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
            let entry = &self.job.entries[step.entry];
            let part = self.job.cost.part(self.job.entries, step, self.job.reporter);
            match &step.action {
                Action::Heading(heading) => {
                    self.put(&text::heading(entry, *heading, self.job.options, self.job.style))?;
                    if let Some(definition) = text::definition_of_data(entry, *heading) {
                        self.definition(entry, definition)?;
                    }
                    if *heading == Heading::Statistics {
                        self.statistics(entry, steps, data)?;
                    }
                }
                // It was written with the heading.
                Action::Define(_) if kinds::group(entry) == EntryGroup::StatisticsData => {}
                Action::Define(_) => {
                    self.definition(entry, step.statement(self.job.entries).unwrap_or_default().as_bstr())?
                }
                Action::CopyRows { statement, .. } if self.job.is_beside_data => {
                    self.put(&text::from_file(Some(statement), entry.dump_id))?;
                }
                Action::RunData { .. } | Action::LargeObjects { .. } if self.job.is_beside_data => {
                    self.put(&text::from_file(None, entry.dump_id))?;
                }
                Action::CopyRows { statement, .. } => {
                    self.summary.tables += 1;
                    self.job.reporter.current(&EntryName::of(entry).to_string());
                    self.put(statement)?;
                    self.copy(data, entry, &part)?;
                }
                Action::RunData { .. } => {
                    self.summary.tables += u64::from(kinds::group(entry) == EntryGroup::Data);
                    self.job.reporter.current(&EntryName::of(entry).to_string());
                    let mut lexer = self.job.guard.lexer();
                    data.table(entry.dump_id, &|bytes| part.advance(bytes), &mut |piece| {
                        lexer.feed(piece).map_err(|trouble| self.refused(trouble.why()))?;
                        self.put_as_is(piece)?;
                        self.summary.data_bytes += piece.len() as u64;
                        Ok(ControlFlow::Continue(()))
                    })?;
                    lexer.finish().map_err(|trouble| self.refused(trouble.why()))?;
                }
                Action::LargeObjects { create, replace } => {
                    self.job.reporter.current(&EntryName::of(entry).to_string());
                    self.large_objects(data, entry, (*create, *replace), &part)?;
                }
                Action::Connect(database) => {
                    self.put_own(&text::connect(database, self.job.key, self.job.options)?)?;
                    self.session()?;
                }
                Action::Say(warning) => self.job.reporter.message(Message::warning(
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
                for oid in batches::oids(&self.job.entries[*oids_of])? {
                    self.put(&batches::statement(before, oid, after))?;
                    self.count(b"COMMIT;\nBEGIN;\n\n")?;
                }
                self.put(b"\n")
            }
            _ => Ok(()),
        }
    }

    /// The statements of an entry of statistics, with those that are read only now.
    fn statistics(&mut self, entry: &Entry, steps: &[Step], data: &mut dyn Data) -> Result<()> {
        let planned = steps.iter().find(|step| matches!(step.action, Action::Define(_)));
        let planned = planned.and_then(|step| step.statement(self.job.entries)).unwrap_or_default();
        let mut text = Cow::Borrowed(planned);
        if let Some(read) = data.statistics(entry.dump_id)? {
            self.job.guard.statements(&read).map_err(|why| self.refused(why))?;
            text.to_mut().extend_from_slice(&read);
        }
        if text.trim_ascii().is_empty() { Ok(()) } else { self.definition(entry, text.as_bstr()) }
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
        !self.job.options.owner && kinds::is(entry, "SCHEMA") && !kinds::text(&entry.definition).starts_with(b"--")
    }

    /// The rows of a table, as they are in the archive, which ends them with the mark that COPY wants.
    fn copy(&mut self, data: &mut dyn Data, entry: &Entry, part: &Part<'_>) -> Result<()> {
        let mut scanner = CopyScanner::for_psql();
        let mut is_empty = true;
        data.table(entry.dump_id, &|bytes| part.advance(bytes), &mut |piece| {
            is_empty = false;
            scanner.feed(piece);
            let rows = self.watch.rows(piece);
            self.put_as_is(&rows)?;
            self.summary.data_bytes += piece.len() as u64;
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
