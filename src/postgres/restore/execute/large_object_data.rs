//! The content of large objects.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::postgres::archive::EntryIndex;
use crate::postgres::restore::EntryError;
use crate::postgres::restore::execute::{Client, Executor, Ledger};
use crate::postgres::restore::plan::large_objects;
use crate::postgres::restore::source::Data;
use crate::progress::{Level, Part};
use crate::wire::{Param, Query};
use crate::{EntryEvent, Error, ErrorKind, Result, Work};

/// How much of a large object is written by one call: a multiple of the 2 KiB that the server stores together.
const PIECE: usize = 256 * 1024;
/// How much is sent before the server's answers are waited for.
const WINDOW: usize = 1024 * 1024;
/// How many objects, where they are small.
const OBJECTS: usize = 1000;

/// Large objects that could not be made, most often because there are such: what is there under their numbers is not the
/// archive's. All connections of a restore share them.
#[derive(Debug, Clone, Default)]
pub struct ExistingObjects(Arc<Mutex<HashSet<u32>>>);

impl ExistingObjects {
    pub fn add(&self, oids: impl IntoIterator<Item = u32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(oids);
    }

    fn all(&self) -> HashSet<u32> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What becomes of an object before its content is written.
#[derive(Debug, Clone, Copy)]
pub struct Making {
    /// It is made, where the archive has no entries of their own for that.
    pub create: bool,
    /// One of its number is taken away before.
    pub replace: bool,
}

impl Executor<'_> {
    /// Writes the large objects of an entry, but for those that are there already.
    pub fn write_large_objects(
        &mut self,
        data: &mut dyn Data,
        at: EntryIndex,
        making: Making,
        part: &Part<'_>,
    ) -> Result<()> {
        let Self { job, client, ledger, learnt, .. } = self;
        let existing = if job.options.data_for_failed_tables { HashSet::new() } else { learnt.existing_objects.all() };
        let mut lacking = large_objects::with_content_in(&job.entries[at], job.entries)?;
        let (pieces, made) = (Vec::new(), Vec::new());
        let mut writer = Writer {
            at,
            making,
            existing,
            pieces,
            bytes: 0,
            objects: 0,
            begun: 0,
            refused: None,
            is_skipping: false,
            made,
        };
        data.large_objects(job.entries[at].dump_id, &|bytes| part.advance(bytes), &mut |oid, bytes| {
            lacking.remove(&oid);
            writer.take(client, ledger, oid, bytes)?;
            Ok(if ledger.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        if !ledger.is_stopped() {
            writer.send(client, ledger)?;
            job.tell(at, &EntryEvent::LoadedLargeObjects(writer.begun));
            if let Some(why) = large_objects::without_content(&lacking) {
                ledger.put_down(at, EntryError::other(&job.entries[at], b"", why));
            }
            if writer.is_skipping {
                job.say(Level::Error, at, "the content of objects that could not be made is left out");
                ledger.skip(at);
            }
        }
        learnt.defaults.add_large_objects(at, writer.made);
        Ok(())
    }
}

struct Piece {
    oid: u32,
    offset: u64,
    bytes: Vec<u8>,
}

struct Writer {
    at: EntryIndex,
    making: Making,
    /// Objects that are not the archive's.
    existing: HashSet<u32>,
    pieces: Vec<Piece>,
    bytes: usize,
    objects: usize,
    /// How many were begun with, of all.
    begun: u64,
    /// The object that the server refused last; the rest of it is left out.
    refused: Option<u32>,
    /// Whether the archive has content for an existing object.
    is_skipping: bool,
    made: Vec<u32>,
}

impl Writer {
    fn take(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>, oid: u32, mut bytes: &[u8]) -> Result<()> {
        if bytes.is_empty() {
            return self.begin(client, ledger, oid);
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
                    self.send(client, ledger)?;
                }
                self.pieces.push(next);
            }
        }
        Ok(())
    }

    fn begin(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>, oid: u32) -> Result<()> {
        client.job.tell(self.at, &EntryEvent::LoadsLargeObject(oid));
        self.begun += 1;
        if self.objects >= OBJECTS {
            self.send(client, ledger)?;
        }
        self.objects += 1;
        self.refused = None;
        self.is_skipping |= self.existing.contains(&oid);
        self.pieces.push(Piece { oid, offset: 0, bytes: Vec::new() });
        Ok(())
    }

    /// Sends what has been gathered. If that fails, object by object, to find out which cannot be written.
    fn send(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>) -> Result<()> {
        let pieces = std::mem::take(&mut self.pieces);
        (self.bytes, self.objects) = (0, 0);
        if pieces.is_empty() || self.write(client, ledger, &pieces)?.is_none() {
            return Ok(());
        }
        for object in pieces.chunk_by(|a, b| a.oid == b.oid) {
            let Some(piece) = object.first() else { continue };
            if let Some(error) = self.write(client, ledger, object)? {
                let what = format!("write large object {}", piece.oid);
                let of = (Work::LargeObject(piece.oid), error.server());
                ledger.put_down_of(self.at, client.entry_error(self.at, what.as_bytes(), &error), of);
                self.refused = Some(piece.oid);
            }
            if ledger.is_stopped() {
                break;
            }
        }
        Ok(())
    }

    /// Writes pieces in one transaction; the server's error, if it refuses one.
    fn write(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>, pieces: &[Piece]) -> Result<Option<Error>> {
        let wanted: Vec<&Piece> = pieces
            .iter()
            .filter(|piece| self.refused != Some(piece.oid) && !self.existing.contains(&piece.oid))
            .collect();
        let mut queries = Vec::new();
        for piece in &wanted {
            self.add_queries(piece, &mut queries)?;
        }
        if let Err(error) = client.apart(|connection| Ok(connection.pipeline(&queries)?), |_| true)? {
            return Ok(Some(error));
        }
        let begun = wanted.iter().filter(|piece| piece.offset == 0).count() as u64;
        ledger.amount.large_objects += begun;
        ledger.amount.bytes += wanted.iter().map(|piece| piece.bytes.len() as u64).sum::<u64>();
        if self.making.create {
            self.made.extend(pieces.iter().filter(|piece| piece.offset == 0).map(|piece| piece.oid));
        }
        Ok(None)
    }

    fn add_queries(&self, piece: &Piece, queries: &mut Vec<Query>) -> Result<()> {
        let query = |sql: &str| Query::new(format!("large object {}", piece.oid), sql).param(Param::oid(piece.oid));
        if piece.offset == 0 && self.making.replace {
            let unlink = "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = $1";
            queries.push(query(unlink));
        }
        if piece.offset == 0 && self.making.create {
            queries.push(query("SELECT pg_catalog.lo_create($1)"));
        }
        if !piece.bytes.is_empty() {
            let offset = i64::try_from(piece.offset)
                .map_err(|e| Error::new(ErrorKind::Archive, format!("restore large object {}", piece.oid)).source(e))?;
            let put = query("SELECT pg_catalog.lo_put($1, $2, $3)").param(Param::int8(offset));
            queries.push(put.param(Param::bytea(&piece.bytes)));
        }
        Ok(())
    }
}
