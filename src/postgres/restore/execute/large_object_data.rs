//! The content of large objects.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::PoisonError;

use crate::postgres::restore::execute::{Data, Run};
use crate::postgres::restore::summary::EntryError;
use crate::progress::{Level, Part};
use crate::wire::{Param, Query};
use crate::{Error, ErrorKind, Result};

/// How much of a large object is written by one call: a multiple of the 2 KiB that the server stores together.
const PIECE: usize = 256 * 1024;
/// How much is sent before the server's answers are waited for.
const WINDOW: usize = 1024 * 1024;
/// How many objects, where they are small.
const OBJECTS: usize = 1000;

/// Writes the large objects of an entry. They are made first where the archive has no entries of their own for that,
/// and taken away before it where something is to be replaced.
pub(in crate::postgres::restore) fn write(
    run: &mut Run<'_>,
    data: &mut dyn Data,
    entry: usize,
    (create, replace): (bool, bool),
    part: &Part<'_>,
) -> Result<()> {
    let id = run.entries[entry].dump_id;
    let there = match run.options.data_for_failed_tables {
        true => HashSet::new(),
        false => run.objects_there.lock().unwrap_or_else(PoisonError::into_inner).clone(),
    };
    let mut writer = Writer {
        entry,
        create,
        replace,
        pieces: Vec::new(),
        bytes: 0,
        objects: 0,
        refused: None,
        there,
        is_left_out: false,
    };
    data.large_objects(id, &|bytes| part.advance(bytes), &mut |oid, bytes| {
        writer.take(run, oid, bytes)?;
        Ok(if run.summary.stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    if run.summary.stopped {
        return Ok(());
    }
    writer.send(run)?;
    if writer.is_left_out {
        run.say(Level::Error, entry, "the content of objects that could not be made is left out".to_owned());
        run.leave_out(entry);
    }
    Ok(())
}

impl Run<'_> {
    /// Puts down that there are large objects of these numbers, which are not the archive's.
    pub(in crate::postgres::restore) fn note_objects_there(&self, oids: impl IntoIterator<Item = u32>) {
        self.objects_there.lock().unwrap_or_else(PoisonError::into_inner).extend(oids);
    }
}

/// A piece of a large object.
struct Piece {
    oid: u32,
    offset: u64,
    bytes: Vec<u8>,
}

struct Writer {
    entry: usize,
    create: bool,
    replace: bool,
    pieces: Vec<Piece>,
    bytes: usize,
    objects: usize,
    /// The object that the server refused last; the rest of it is left out.
    refused: Option<u32>,
    /// Objects that could not be made: what is there under their numbers is left as it is.
    there: HashSet<u32>,
    /// Whether the archive has content for one of these.
    is_left_out: bool,
}

impl Writer {
    fn take(&mut self, run: &mut Run<'_>, oid: u32, mut bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            if self.objects >= OBJECTS {
                self.send(run)?;
            }
            self.objects += 1;
            self.refused = None;
            self.is_left_out |= self.there.contains(&oid);
            self.pieces.push(Piece { oid, offset: 0, bytes: Vec::new() });
            return Ok(());
        }
        while !bytes.is_empty() {
            let Some(last) = self.pieces.last_mut().filter(|piece| piece.oid == oid) else {
                return Err(Error::new(ErrorKind::Internal, format!("restore large object {oid}"))
                    .why("its data came before its beginning"));
            };
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - last.bytes.len()));
            last.bytes.extend_from_slice(now);
            self.bytes += now.len();
            bytes = later;
            if last.bytes.len() == PIECE {
                let next = Piece { oid, offset: last.offset + PIECE as u64, bytes: Vec::new() };
                if self.bytes >= WINDOW {
                    self.send(run)?;
                }
                self.pieces.push(next);
            }
        }
        Ok(())
    }

    /// Sends what has been gathered. If that fails, object by object, to find out which cannot be written.
    fn send(&mut self, run: &mut Run<'_>) -> Result<()> {
        let pieces = std::mem::take(&mut self.pieces);
        (self.bytes, self.objects) = (0, 0);
        if pieces.is_empty() || self.write(run, &pieces)?.is_none() {
            return Ok(());
        }
        for object in pieces.chunk_by(|a, b| a.oid == b.oid) {
            let Some(piece) = object.first() else { continue };
            if let Some(error) = self.write(run, object)? {
                let what = format!("write large object {}", piece.oid);
                let error = EntryError::server(&run.entries[self.entry], what.as_bytes(), &error);
                run.put_down_error(self.entry, error);
                self.refused = Some(piece.oid);
            }
            if run.summary.stopped {
                break;
            }
        }
        Ok(())
    }

    /// Writes pieces in one transaction; the server's error, if it refuses one.
    fn write(&self, run: &mut Run<'_>, pieces: &[Piece]) -> Result<Option<Error>> {
        let mut queries = Vec::new();
        let (mut objects, mut bytes) = (0, 0);
        for piece in pieces.iter().filter(|piece| self.refused != Some(piece.oid) && !self.there.contains(&piece.oid)) {
            let query = |sql: &str| Query::new(format!("large object {}", piece.oid), sql).param(Param::oid(piece.oid));
            if piece.offset == 0 {
                objects += 1;
                if self.replace {
                    queries.push(query(
                        "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = $1",
                    ));
                }
                if self.create {
                    queries.push(query("SELECT pg_catalog.lo_create($1)"));
                }
            }
            if !piece.bytes.is_empty() {
                bytes += piece.bytes.len() as u64;
                let offset = i64::try_from(piece.offset).map_err(|e| {
                    Error::new(ErrorKind::Archive, format!("restore large object {}", piece.oid)).source(e)
                })?;
                queries.push(
                    query("SELECT pg_catalog.lo_put($1, $2, $3)")
                        .param(Param::int8(offset))
                        .param(Param::bytea(&piece.bytes)),
                );
            }
        }
        let is_block = run.is_block;
        if is_block {
            run.target.savepoint()?;
        }
        match run.target.pipeline(&queries).map_err(Error::from) {
            Ok(_) => {
                if is_block {
                    run.target.release()?;
                }
                if self.create {
                    run.note_objects(
                        self.entry,
                        pieces.iter().filter(|piece| piece.offset == 0).map(|piece| piece.oid),
                    );
                }
                run.summary.large_objects += objects;
                run.summary.bytes += bytes;
                Ok(None)
            }
            Err(error) if run.target.is_broken() || error.server().is_none() => Err(error),
            Err(error) => {
                // What was cancelled is not tried again.
                run.interrupt.check()?;
                if is_block {
                    run.target.undo()?;
                }
                Ok(Some(error))
            }
        }
    }
}
