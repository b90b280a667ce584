//! The rows of a table, as COPY's data or as statements.

use std::ops::ControlFlow;

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::copy_text::CopyScanner;
use crate::postgres::archive::statements::StatementSplitter;
use crate::postgres::archive::{EntryIndex, EntryName, copy_statement, text};
use crate::postgres::restore::execute::Executor;
use crate::postgres::restore::execute::batch::Batch;
use crate::postgres::restore::source::Data;
use crate::postgres::restore::summary::EntryError;
use crate::progress::Part;
use crate::sql::Encoding;
use crate::wire::CopyIn;
use crate::{Error, ErrorKind, Result, Work};

/// Rows on their way into a table.
struct Copy<'c> {
    /// `None` once the server has refused them.
    running: Option<CopyIn<'c>>,
    refused: Option<Error>,
    /// Whether it took the statement.
    has_begun: bool,
    scanner: CopyScanner,
    bytes: u64,
}

impl Copy<'_> {
    fn send(&mut self, piece: &[u8]) -> Result<ControlFlow<()>> {
        let (held, rows) = self.scanner.feed(piece);
        for rows in [held, rows].into_iter().filter(|rows| !rows.is_empty()) {
            let Some(copy) = self.running.as_mut() else { break };
            self.bytes += rows.len() as u64;
            if let Err(error) = copy.send(rows) {
                (self.refused, self.running) = (Some(error.into()), None);
            }
        }
        Ok(if self.running.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }

    /// How many rows the server has stored, or why it took none.
    fn finish(&mut self) -> Result<u64> {
        match (self.refused.take(), self.running.take()) {
            (Some(error), _) => Err(error),
            (None, Some(copy)) => Ok(copy.finish()?),
            (None, None) => Ok(0),
        }
    }

    /// What is wrong, where so many rows were stored.
    /// A trigger of a table that was there before may keep rows out, which `counts` says is to be told.
    fn fault(&self, stored: u64, counts: bool) -> Option<String> {
        let sent = self.scanner.rows() + u64::from(self.scanner.is_within_row());
        if counts && stored != sent {
            Some(format!("{sent} rows were sent, but the server stored {stored}"))
        } else if self.scanner.has_trailing() {
            Some("there is something after the end mark of the rows".to_owned())
        } else if !self.scanner.has_ended() && self.bytes > 0 {
            Some("the rows in the archive have no end mark: some of them are missing".to_owned())
        } else {
            None
        }
    }
}

impl Executor<'_> {
    /// Copies an entry's rows into its table. The number that the server stored must be the number that was sent.
    pub fn copy(&mut self, data: &mut dyn Data, at: EntryIndex, statement: &[u8], part: &Part<'_>) -> Result<()> {
        let Self { job, client, ledger, .. } = self;
        let entry = &job.entries[at];
        let scanner = CopyScanner::new(Encoding::of(job.plan.settings.encoding.as_bstr()));
        let (running, refused) = match client.connection.foreign()?.copy_in(statement) {
            Ok(copy) => (Some(copy), None),
            Err(error) => (None, Some(error.into())),
        };
        let has_begun = running.is_some();
        let mut copy = Copy { running, refused, has_begun, scanner, bytes: 0 };
        let read = data.table(entry.dump_id, &|bytes| part.advance(bytes), &mut |piece| copy.send(piece));
        if let Err(error) = read {
            if let Some(running) = copy.running.take() {
                running.abort("the archive could not be read to the end of the table")?;
            }
            return Err(error);
        }
        let stored = match copy.finish() {
            Ok(stored) => stored,
            Err(error) => {
                let work = if copy.has_begun { Work::Rows(statement) } else { Work::Statement(statement) };
                drop(copy);
                return client.put_down(ledger, at, work, error);
            }
        };
        ledger.amount.rows += stored;
        ledger.amount.bytes += copy.bytes;
        if let Some(fault) = copy.fault(stored, !job.options.literal) {
            ledger.put_down(at, EntryError::other(entry, statement, fault));
        }
        Ok(())
    }

    /// Runs an entry's data, which is statements that insert.
    pub fn run_data(&mut self, data: &mut dyn Data, at: EntryIndex, part: &Part<'_>) -> Result<()> {
        let Self { job, client, ledger, .. } = self;
        let entry = &job.entries[at];
        let mut splitter = StatementSplitter::new(job.plan.settings.standard_strings);
        let mut batch = Batch::new(at);
        let before = client.changed_rows;
        data.table(entry.dump_id, &|bytes| part.advance(bytes), &mut |piece| {
            splitter.feed(piece);
            while let Some(statement) = splitter.next_statement() {
                check_statement(entry, &statement)?;
                ledger.amount.bytes += statement.len() as u64;
                batch.add(client, ledger, statement)?;
                if ledger.is_stopped() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            Ok(if splitter.what_is_too_long().is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if ledger.is_stopped() {
            return Ok(());
        }
        if let Some(what) = splitter.what_is_too_long() {
            batch.send(client, ledger)?;
            ledger.amount.rows += client.changed_rows - before;
            let why = format!("a statement of the data {what}: it and what follows it is missing");
            ledger.put_down(at, EntryError::other(entry, b"", why));
            return Ok(());
        }
        let (rest, is_cut) = splitter.finish();
        if is_cut {
            ledger.put_down(at, EntryError::other(entry, &rest, "the last statement of the data was cut off"));
        } else if !rest.is_empty() {
            check_statement(entry, &rest)?;
            batch.add(client, ledger, rest)?;
        }
        batch.send(client, ledger)?;
        ledger.amount.rows += client.changed_rows - before;
        Ok(())
    }
}

/// Sees to it that nothing is run in the place of rows that brings none.
fn check_statement(entry: &Entry, statement: &[u8]) -> Result<()> {
    if copy_statement::is_of_data(text(&entry.desc), statement) {
        return Ok(());
    }
    let doing = format!("restore {}", EntryName::of(entry));
    Err(Error::new(ErrorKind::Archive, doing).why(copy_statement::IS_NO_DATA))
}
