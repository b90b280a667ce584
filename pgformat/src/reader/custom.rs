//! The custom format: blocks, one after the other.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use super::cursor::{BlockKind, Cursor, Position};
use super::layout::Layout;
use super::stream::Framing;
use crate::compression::Codec;
use crate::error::{ErrorKind, Fault, Result};
use crate::header::MAGIC;
use crate::primitives::DataPosition;
use crate::toc::DumpId;

/// What comes of appending to a file every day. pg_restore restores the first of the archives, and says nothing.
const ANOTHER: &str = "another archive begins here, but a file must hold only one";

#[derive(Debug, Clone)]
pub(super) struct CustomFormat {
    /// Where blocks were found while going through the archive.
    found: HashMap<DumpId, u64>,
    /// The place up to which all blocks have been found.
    explored: u64,
    /// Where the block begins that was entered last.
    entered: Option<u64>,
    /// Where the blocks end, if that was seen.
    end: Option<u64>,
}

impl CustomFormat {
    /// The blocks that begin at `start`.
    pub(super) fn new(start: u64) -> Self {
        Self { found: HashMap::new(), explored: start, entered: None, end: None }
    }

    /// If a block was left behind, and it was the first one that was not explored yet, so has everything before it.
    fn settle<R: Read>(&mut self, cursor: &Cursor<R>) {
        if cursor.position == Position::Between && self.entered.take() == Some(self.explored) {
            self.explored = cursor.stream.input.offset();
        }
    }

    fn look_for<R: Read>(&mut self, cursor: &mut Cursor<R>, at: usize) -> Result<BlockKind> {
        self.settle(cursor);
        if cursor.stream.input.can_seek()
            && (cursor.position == Position::Lost || cursor.stream.input.offset() != self.explored)
        {
            let what = cursor.what_of(at);
            cursor.position = Position::Lost;
            cursor.stream.input.go_to(self.explored).map_err(|fault| fault.reading(what))?;
            (cursor.position, self.entered) = (Position::Between, None);
        }
        loop {
            self.leave(cursor)?;
            match self.advance(cursor)? {
                Some((found, sort)) if found == at => return Ok(sort),
                Some(_) => {}
                None => {
                    let kind = ErrorKind::NotFound("the archive has no such block".into());
                    return Err(cursor.error(cursor.what_of(at), kind));
                }
            }
        }
    }

    fn leave<R: Read>(&mut self, cursor: &mut Cursor<R>) -> Result<()> {
        loop {
            match cursor.position {
                Position::Between | Position::End => return Ok(()),
                Position::Data(_) | Position::LargeObject(..) => cursor.skip_stream()?,
                Position::LargeObjects(at) => {
                    cursor.position = match self.next_object(cursor)? {
                        Some(oid) => Position::LargeObject(at, oid),
                        None => Position::Between,
                    };
                }
                Position::Lost => return cursor.check_not_lost(),
            }
        }
    }

    fn seek<R: Read>(&mut self, cursor: &mut Cursor<R>, at: usize, offset: u64) -> Result<BlockKind> {
        self.settle(cursor);
        let what = cursor.what_of(at);
        (cursor.position, self.entered) = (Position::Lost, None);
        cursor.stream.input.go_to(offset).map_err(|fault| fault.reading(what.as_str()))?;
        cursor.position = Position::Between;
        match self.header(cursor, Some(at))? {
            Some((found, sort)) if found == at => Ok(sort),
            Some((found, _)) => {
                let why = format!("the table of contents says it is here, but this is {}", cursor.what_of(found));
                Err(cursor.fail(what, Fault::malformed(offset, why)))
            }
            None => Err(cursor.fail(what, Fault::new(offset, ErrorKind::Truncated))),
        }
    }

    /// Reads a block's header and enters the block; `None` at the end of the archive. `expected` is for messages.
    fn header<R: Read>(
        &mut self,
        cursor: &mut Cursor<R>,
        expected: Option<usize>,
    ) -> Result<Option<(usize, BlockKind)>> {
        let start = cursor.stream.input.offset();
        let what = match expected {
            Some(at) => format!("the block header of {}", cursor.what_of(at)),
            None => "a block header".to_owned(),
        };
        let sort = match cursor.stream.input.byte_or_end() {
            Ok(None) => return Ok(None),
            Ok(Some(1)) => BlockKind::Data,
            Ok(Some(3)) => BlockKind::LargeObjects,
            Ok(Some(n)) => {
                let fault = Fault::malformed(start, no_block(cursor, n));
                return Err(cursor.fail(what, fault));
            }
            Err(fault) => return Err(cursor.fail(what, fault)),
        };
        let id = match cursor.stream.input.int32(cursor.header.int_size) {
            Ok(id) => DumpId(id),
            Err(fault) => return Err(cursor.fail(what, fault)),
        };
        let Some(&at) = cursor.contents.index.get(&id) else {
            let why = format!("the block is of entry {id}, which is not in the table of contents");
            return Err(cursor.fail(what, Fault::malformed(start, why)));
        };
        if cursor.contents.slots[at].position == DataPosition::NoData {
            let why = format!(
                "the table of contents says that there is no {}",
                cursor.what_of(at).trim_start_matches("the ")
            );
            return Err(cursor.fail(what, Fault::malformed(start, why)));
        }
        if self.found.insert(id, start).is_some_and(|before| before != start) {
            let fault = Fault::malformed(start, format!("this is the second block of {}", cursor.what_of(at)));
            return Err(cursor.fail(what, fault));
        }
        self.entered = Some(start);
        cursor.position = match sort {
            BlockKind::Data => Position::Data(at),
            BlockKind::LargeObjects => Position::LargeObjects(at),
        };
        if sort == BlockKind::Data {
            begin(cursor)?;
        }
        Ok(Some((at, sort)))
    }

    /// At the end of the blocks, passes over the second table of contents: pg_dump 16 and later leave one there if their
    /// standard output is a file, as in `pg_dump -Fc >file`, older ones do after `>>`. They go back to write the places of the
    /// data into the first one, but the file was opened for appending.
    fn pass_over_repetition<R: Read>(&mut self, cursor: &mut Cursor<R>) -> Result<()> {
        let start = cursor.stream.input.offset();
        let failed = |fault: Fault| fault.reading("a block header");
        // Blocks begin with their kind; a number of entries, with its sign.
        if cursor.stream.input.peek(1).map_err(failed)? != [0] {
            return Ok(());
        }
        let contents = Arc::clone(&cursor.contents);
        let mut pass_over = || {
            contents.read_again(&mut cursor.stream.input, &cursor.header, &cursor.limits)?;
            let at = cursor.stream.input.offset();
            match cursor.stream.input.peek(MAGIC.len()) {
                Ok([]) => Ok(()),
                Ok(next) if next == MAGIC => Err(Fault::malformed(at, ANOTHER)),
                Ok(_) => Err(Fault::malformed(at, "something comes after the second table of contents")),
                Err(fault) => Err(fault),
            }
            .map_err(|fault| fault.reading("the end of the archive"))
        };
        if let Err(error) = pass_over() {
            cursor.position = Position::Lost;
            return Err(error);
        }
        self.end = Some(start);
        if self.explored == start {
            self.explored = cursor.stream.input.offset();
        }
        Ok(())
    }
}

/// What is wrong where a block should begin.
fn no_block<R: Read>(cursor: &mut Cursor<R>, first: u8) -> String {
    let rest = &MAGIC[1..];
    if Some(&first) == MAGIC.first() && cursor.stream.input.peek(rest.len()).is_ok_and(|next| next == rest) {
        return ANOTHER.into();
    }
    format!("a block begins with 1 or 3, not with {first}")
}

fn begin<R: Read>(cursor: &mut Cursor<R>) -> Result<()> {
    let framing = Framing::Chunks { int_size: cursor.header.int_size, limit: cursor.limits.chunk };
    let codec = Codec::of_blocks(cursor.header.compression);
    cursor.stream.begin(framing, codec, 0).map_err(|fault| cursor.stream_error(fault))
}

impl<R: Read> Layout<R> for CustomFormat {
    fn advance(&mut self, cursor: &mut Cursor<R>) -> Result<Option<(usize, BlockKind)>> {
        self.settle(cursor);
        self.pass_over_repetition(cursor)?;
        let next = self.header(cursor, None)?;
        if next.is_none() {
            cursor.position = Position::End;
            // Blocks that a seek went past say nothing about what is missing.
            if self.explored == cursor.stream.input.offset() {
                cursor.check_all_were_found(|id| self.found.contains_key(&id))?;
            }
        }
        Ok(next)
    }

    fn go_to(&mut self, cursor: &mut Cursor<R>, at: usize) -> Result<BlockKind> {
        let id = cursor.contents.entries[at].dump_id;
        let can_seek = cursor.stream.input.can_seek();
        let known = match cursor.contents.slots[at].position {
            DataPosition::At(offset) => Some(offset),
            _ => self.found.get(&id).copied(),
        };
        match known {
            Some(offset) if can_seek => self.seek(cursor, at, offset),
            _ if !can_seek && self.found.contains_key(&id) => {
                let why = "it lies behind what was read, and the input cannot seek";
                Err(cursor.error(cursor.what_of(at), ErrorKind::NotFound(why.into())))
            }
            _ => self.look_for(cursor, at),
        }
    }

    fn next_object(&mut self, cursor: &mut Cursor<R>) -> Result<Option<u32>> {
        let Position::LargeObjects(at) = cursor.position else { return Ok(None) };
        match cursor.stream.input.oid(cursor.header.int_size) {
            Ok(0) => Ok(None),
            Ok(oid) => {
                cursor.position = Position::LargeObject(at, oid);
                begin(cursor)?;
                Ok(Some(oid))
            }
            Err(fault) => Err(cursor.stream_error(fault)),
        }
    }

    fn is_sequence(&self) -> bool {
        true
    }

    fn is_random(&self, cursor: &Cursor<R>) -> bool {
        cursor.stream.input.can_seek()
    }

    fn has_only_an_end(&self, cursor: &Cursor<R>) -> bool {
        let is_sound = !cursor.stream.input.can_seek() && cursor.position != Position::Lost;
        is_sound && self.found.len() == cursor.contents.with_data().count()
    }

    /// Of an archive that says where its blocks are only the last one is gone through.
    fn check_end(&mut self, cursor: &mut Cursor<R>) -> Result<()> {
        let mut last = None;
        let mut all_known = true;
        for (at, slot) in cursor.contents.slots.iter().enumerate() {
            match slot.position {
                DataPosition::At(offset) => last = last.max(Some((offset, at))),
                DataPosition::NotSet => all_known = false,
                DataPosition::NoData => {}
            }
        }
        match last {
            Some((_, at)) if all_known => {
                Layout::go_to(self, cursor, at)?;
                self.leave(cursor)
            }
            None if all_known => Ok(()),
            _ => {
                while Layout::advance(self, cursor)?.is_some() {
                    self.leave(cursor)?;
                }
                Ok(())
            }
        }
    }

    fn sizes(&mut self, cursor: &mut Cursor<R>) -> Result<Vec<Option<u64>>> {
        let mut sizes = vec![None; cursor.contents.slots.len()];
        let end = cursor.stream.input.length().map_err(|fault| fault.reading("the length of the archive"))?;
        let mut places: Vec<(u64, usize)> = Vec::new();
        for (at, (entry, slot)) in cursor.contents.entries.iter().zip(&cursor.contents.slots).enumerate() {
            let found = match slot.position {
                DataPosition::At(offset) => Some(offset),
                DataPosition::NoData => continue,
                DataPosition::NotSet => self.found.get(&entry.dump_id).copied(),
            };
            match found {
                Some(offset) => places.push((offset, at)),
                // What lies between two others may be this one.
                None => return Ok(sizes),
            }
        }
        places.sort_unstable();
        let ends = places.iter().skip(1).map(|(offset, _)| Some(*offset)).chain([self.end.or(end)]);
        for ((offset, at), end) in places.iter().zip(ends) {
            sizes[*at] = end.and_then(|end| end.checked_sub(*offset));
        }
        Ok(sizes)
    }

    fn another(&self) -> Box<dyn Layout<R>> {
        Box::new(Self { entered: None, ..self.clone() })
    }
}
