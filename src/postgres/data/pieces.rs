//! Where the data of a task goes: into the pipeline that writes archives, or right to somebody who takes it.

use std::ops::ControlFlow;

use super::super::session::Session;
use super::pipeline::{DataSummary, Stop};
use super::task::DataTask;
use super::{large_objects, rows};
use crate::error::{Error, ErrorKind, Result};

/// How much is handed on at once.
const PIECE: usize = 256 * 1024;

/// What takes the data of a task, piece by piece.
pub trait Pieces {
    /// How many bytes of data make a piece, about.
    fn piece_size(&self) -> usize;

    /// Begins a large object's stream.
    ///
    /// # Errors
    /// No more is wanted, or can be taken.
    fn large_object(&mut self, oid: u32) -> Result<(), Stop>;

    /// Has `fill` put data into an empty buffer, and takes it if there is any. Passes on what `fill` says, which says besides
    /// whether this was the last of the stream.
    ///
    /// # Errors
    /// No more is wanted, or can be taken; what `fill` fails with.
    fn piece<T>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(T, bool)>) -> Result<T, Stop>;

    /// Ends the stream of a table or of a large object; the bytes that went into it.
    ///
    /// # Errors
    /// No more is wanted, or can be taken.
    fn end(&mut self) -> Result<u64, Stop>;
}

/// Takes a piece of data: of a table's rows, or of the large object with this OID, which begins with an empty piece. Says whether
/// more is wanted.
pub type Take<'a> = dyn FnMut(Option<u32>, &[u8]) -> Result<ControlFlow<()>> + 'a;

/// Hands the data of a task to `take`, as it comes.
///
/// # Errors
/// The server's; what `take` fails with. Where no more is wanted before the end, the session is of no more use.
pub fn hand_over(session: &mut Session, task: &DataTask, take: &mut Take<'_>) -> Result<DataSummary> {
    let mut pieces = Taken { take, of: None, buffer: Vec::new(), bytes: 0 };
    let fetched = match task {
        DataTask::Rows { .. } => rows::fetch(session, false, task, &mut pieces),
        DataTask::LargeObjects(oids) => large_objects::fetch(session, oids, &mut pieces),
    };
    match fetched {
        Ok(summary) => Ok(summary),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::ToldTo) => {
            Err(Error::new(ErrorKind::Internal, format!("read {task}")).why("it was left in the middle of it"))
        }
    }
}

/// Gives each piece away before the next one comes.
struct Taken<'a, 't> {
    take: &'a mut Take<'t>,
    /// The large object that the stream is of.
    of: Option<u32>,
    buffer: Vec<u8>,
    bytes: u64,
}

impl Taken<'_, '_> {
    fn give(&mut self, piece: &[u8]) -> Result<(), Stop> {
        if (self.take)(self.of, piece)?.is_break() { Err(Stop::ToldTo) } else { Ok(()) }
    }
}

impl Pieces for Taken<'_, '_> {
    fn piece_size(&self) -> usize {
        PIECE
    }

    fn large_object(&mut self, oid: u32) -> Result<(), Stop> {
        self.of = Some(oid);
        self.give(&[])
    }

    fn piece<T>(&mut self, fill: impl FnOnce(&mut Vec<u8>) -> Result<(T, bool)>) -> Result<T, Stop> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        if buffer.capacity() > 4 * PIECE {
            // It held an enormous row; the next one need not.
            buffer = Vec::new();
        }
        let (said, _) = fill(&mut buffer)?;
        self.bytes += buffer.len() as u64;
        if !buffer.is_empty() {
            self.give(&buffer)?;
        }
        self.buffer = buffer;
        Ok(said)
    }

    fn end(&mut self) -> Result<u64, Stop> {
        Ok(std::mem::take(&mut self.bytes))
    }
}
