//! A relation's rows, through COPY.

use bstr::{BStr, ByteSlice};

use super::super::paused_replay;
use super::super::session::Session;
use super::inserts::{Inserts, Statements};
use super::is_about_a_change;
use super::pieces::Pieces;
use super::pipeline::{DataSummary, Stop};
use super::task::DataTask;
use crate::error::{Error, ErrorKind, Result};
use crate::sql::{Encoding, Sql};
use crate::wire::sqlstate;
use crate::words::Choice;

/// What ends the rows in an archive: COPY's own mark, for a script to be made of it, and empty lines.
const END: &[u8] = b"\\.\n\n\n";
/// So much of the rows is made into statements at once, which may be many times as long.
const FED: usize = 8 * 1024;

/// Copies all rows of the task's relation into the stream.
pub(super) fn fetch(
    session: &mut Session,
    shared: bool,
    task: &DataTask,
    stream: &mut impl Pieces,
) -> Result<DataSummary, Stop> {
    let DataTask::Rows { schema, name, copy, inserts, foreign, .. } = task else {
        return Err(Error::new(ErrorKind::Internal, "copy rows").why("the task has none").into());
    };
    if *foreign {
        session.allow_foreign_tables(true)?;
    } else if shared {
        let lock = lock(schema.as_bstr(), name.as_bstr());
        session.connection().execute(lock.as_bstr()).map_err(|e| explain(e.into(), task))?;
    }
    let rows = copy_out(session, copy.as_bstr(), task, inserts.as_ref(), stream)?;
    if *foreign {
        session.allow_foreign_tables(false)?;
    }
    let bytes = stream.end()?;
    Ok(DataSummary { rows, bytes, large_objects: 0 })
}

/// Sends what the statement gives into the stream, and says how many rows it was.
fn copy_out(
    session: &mut Session,
    statement: &BStr,
    task: &DataTask,
    inserts: Option<&Inserts>,
    stream: &mut impl Pieces,
) -> Result<u64, Stop> {
    let encoding = Encoding::of(session.encoding().as_bstr());
    let mut statements = inserts.map(|inserts| Statements::new(inserts, encoding));
    let mut copy = session.connection().copy_out(statement).map_err(|e| explain(e.into(), task))?;
    let size = stream.piece_size();
    let mut rows = Vec::new();
    while stream.piece(|buffer| {
        let more = match &mut statements {
            None => {
                let more = copy.fill(buffer, size).map_err(|e| explain(e.into(), task))?;
                if !more {
                    buffer.extend_from_slice(END);
                }
                more
            }
            Some(statements) => loop {
                rows.clear();
                let more = copy.fill(&mut rows, FED).map_err(|e| explain(e.into(), task))?;
                statements.feed(&rows, buffer)?;
                if !more {
                    statements.finish(buffer)?;
                    break false;
                }
                if buffer.len() >= size {
                    break true;
                }
            },
        };
        Ok((more, !more))
    })? {}
    Ok(copy.rows())
}

/// The first session holds the lock already; but if someone waits for a stronger one, this session would wait behind
/// them, and they for the first session, for ever.
fn lock(schema: &BStr, name: &BStr) -> Sql {
    let mut sql = Sql::new();
    sql.kw("LOCK TABLE ").qualified(schema, name).kw(" IN ACCESS SHARE MODE NOWAIT");
    sql
}

fn explain(error: Error, task: &DataTask) -> Error {
    let copy = match task {
        DataTask::Rows { copy, .. } => copy.as_bstr(),
        DataTask::LargeObjects(_) => BStr::new(""),
    };
    let report = error.server();
    let is_locked = report.is_some_and(|report| report.is(sqlstate::LOCK_NOT_AVAILABLE));
    // The columns are those that the catalog said there are.
    let is_changed = report.is_some_and(|report| is_about_a_change(report) || report.is(sqlstate::UNDEFINED_COLUMN));
    let kind = if is_changed { ErrorKind::Changed } else { error.kind() };
    let explained = Error::new(kind, format!("copy the rows of {task}")).source(error).statement(copy);
    match kind {
        _ if is_locked => explained
            .hint("somebody waits for a stronger lock on the table: try again, or use " + Choice::Jobs(Some(1))),
        ErrorKind::Changed if paused_replay::is_conflict(&explained) => explained.hint(paused_replay::advice()),
        ErrorKind::Changed => {
            explained.hint("somebody changed its schema, or what its rows are made of: run the backup again")
        }
        _ => explained,
    }
}
