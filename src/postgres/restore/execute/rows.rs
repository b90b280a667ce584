//! The rows of a table, as COPY's data or as statements.

use std::ops::ControlFlow;

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::EntryName;
use crate::postgres::archive::copy_statement;
use crate::postgres::archive::copy_text::CopyScanner;
use crate::postgres::archive::kinds::text;
use crate::postgres::archive::statements::StatementSplitter;
use crate::postgres::restore::execute::batch::Batch;
use crate::postgres::restore::execute::{Data, Run};
use crate::postgres::restore::summary::EntryError;
use crate::progress::Part;
use crate::sql::Encoding;
use crate::{Error, ErrorKind, Result};

/// Copies an entry's rows into its table. The number that the server stored must be the number that was sent.
pub(in crate::postgres::restore) fn copy(
    run: &mut Run<'_>,
    data: &mut dyn Data,
    entry: usize,
    statement: &[u8],
    part: &Part<'_>,
) -> Result<()> {
    let id = run.entries[entry].dump_id;
    let mut scanner = CopyScanner::new(Encoding::of(run.plan.settings.encoding.as_bstr()));
    let mut bytes = 0;
    let mut refused: Option<Error> = None;
    let mut copy = match run.target.foreign()?.copy_in(statement) {
        Ok(copy) => Some(copy),
        Err(error) => {
            refused = Some(error.into());
            None
        }
    };
    let read = data.table(id, &|bytes| part.advance(bytes), &mut |piece| {
        let (held, rows) = scanner.feed(piece);
        for rows in [held, rows].into_iter().filter(|rows| !rows.is_empty()) {
            let Some(running) = copy.as_mut() else { break };
            bytes += rows.len() as u64;
            if let Err(error) = running.send(rows) {
                refused = Some(error.into());
                copy = None;
            }
        }
        Ok(if copy.is_some() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    });
    let stored = match (read, copy) {
        (Err(error), copy) => {
            if let Some(copy) = copy {
                copy.abort("the archive could not be read to the end of the table")?;
            }
            return Err(error);
        }
        (Ok(()), None) => None,
        (Ok(()), Some(copy)) => match copy.finish() {
            Ok(stored) => Some(stored),
            Err(error) => {
                refused = Some(error.into());
                None
            }
        },
    };
    if let Some(error) = refused {
        return run.put_down(entry, statement, error);
    }
    let sent = scanner.rows() + u64::from(scanner.is_within_row());
    let stored = stored.unwrap_or(0);
    run.summary.rows += stored;
    run.summary.bytes += bytes;
    let fault = if stored != sent {
        Some(format!("{sent} rows were sent, but the server stored {stored}"))
    } else if scanner.has_trailing() {
        Some("there is something after the end mark of the rows".to_owned())
    } else if !scanner.has_ended() && bytes > 0 {
        Some("the rows in the archive have no end mark: some of them are missing".to_owned())
    } else {
        None
    };
    if let Some(fault) = fault {
        let error = EntryError::other(&run.entries[entry], statement, fault);
        run.put_down_error(entry, error);
    }
    Ok(())
}

/// Runs an entry's data, which is statements that insert.
pub(in crate::postgres::restore) fn run(
    run: &mut Run<'_>,
    data: &mut dyn Data,
    entry: usize,
    part: &Part<'_>,
) -> Result<()> {
    let id = run.entries[entry].dump_id;
    let mut splitter = StatementSplitter::new(run.plan.settings.standard_strings);
    let mut batch = Batch::new(entry);
    let before = run.changed;
    let mut is_too_long = false;
    data.table(id, &|bytes| part.advance(bytes), &mut |piece| {
        splitter.feed(piece);
        while let Some(statement) = splitter.next_statement() {
            check_statement(&run.entries[entry], &statement)?;
            run.summary.bytes += statement.len() as u64;
            batch.add(run, statement)?;
            if run.summary.stopped {
                return Ok(ControlFlow::Break(()));
            }
        }
        is_too_long = splitter.is_too_long();
        Ok(if is_too_long { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if run.summary.stopped {
        return Ok(());
    }
    if is_too_long {
        batch.finish(run)?;
        run.summary.rows += run.changed - before;
        let why =
            "a statement of the data is longer than 1 GiB, which no server takes: it and what follows it is missing";
        let error = EntryError::other(&run.entries[entry], b"", why);
        run.put_down_error(entry, error);
        return Ok(());
    }
    let (rest, is_cut) = splitter.finish();
    if is_cut {
        let error = EntryError::other(&run.entries[entry], &rest, "the last statement of the data was cut off");
        run.put_down_error(entry, error);
    } else if !rest.is_empty() {
        check_statement(&run.entries[entry], &rest)?;
        batch.add(run, rest)?;
    }
    batch.finish(run)?;
    run.summary.rows += run.changed - before;
    Ok(())
}

/// Sees to it that nothing is run in the place of rows that brings none.
fn check_statement(entry: &Entry, statement: &[u8]) -> Result<()> {
    match copy_statement::is_of_data(text(&entry.desc), statement) {
        true => Ok(()),
        false => {
            Err(Error::new(ErrorKind::Archive, format!("restore {}", EntryName::of(entry)))
                .why(copy_statement::IS_NO_DATA))
        }
    }
}
