//! The custom format: blocks, one after the other.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use super::cursor::{Core, Sort, State};
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
pub(super) struct Blocks {
    /// Where blocks were found while going through the archive.
    found: HashMap<DumpId, u64>,
    /// The place up to which all blocks have been found.
    explored: u64,
    /// Where the block begins that was entered last.
    entered: Option<u64>,
    /// Where the blocks end, if that was seen.
    end: Option<u64>,
}

impl Blocks {
    /// Blocks that begin at `start`.
    pub(super) fn new(start: u64) -> Self {
        Self { found: HashMap::new(), explored: start, entered: None, end: None }
    }

    /// If a block was left behind, and it was the first one that was not explored yet, so has everything before it.
    fn settle<R: Read>(&mut self, core: &Core<R>) {
        if core.state == State::Between && self.entered.take() == Some(self.explored) {
            self.explored = core.stream.input.offset();
        }
    }

    fn look_for<R: Read>(&mut self, core: &mut Core<R>, at: usize) -> Result<Sort> {
        self.settle(core);
        if core.stream.input.can_seek() && (core.state == State::Lost || core.stream.input.offset() != self.explored) {
            let what = core.what_of(at);
            core.state = State::Lost;
            core.stream.input.go_to(self.explored).map_err(|fault| fault.reading(what))?;
            (core.state, self.entered) = (State::Between, None);
        }
        loop {
            self.leave(core)?;
            match self.advance(core)? {
                Some((found, sort)) if found == at => return Ok(sort),
                Some(_) => {}
                None => {
                    let kind = ErrorKind::NotFound("the archive has no such block".into());
                    return Err(core.error(core.what_of(at), kind));
                }
            }
        }
    }

    fn leave<R: Read>(&mut self, core: &mut Core<R>) -> Result<()> {
        loop {
            match core.state {
                State::Between | State::End => return Ok(()),
                State::Data(_) | State::LargeObject(..) => core.skip_stream()?,
                State::LargeObjects(at) => {
                    core.state = match self.next_object(core)? {
                        Some(oid) => State::LargeObject(at, oid),
                        None => State::Between,
                    };
                }
                State::Lost => return core.check_not_lost(),
            }
        }
    }

    fn seek<R: Read>(&mut self, core: &mut Core<R>, at: usize, offset: u64) -> Result<Sort> {
        self.settle(core);
        let what = core.what_of(at);
        (core.state, self.entered) = (State::Lost, None);
        core.stream.input.go_to(offset).map_err(|fault| fault.reading(what.as_str()))?;
        core.state = State::Between;
        match self.header(core, Some(at))? {
            Some((found, sort)) if found == at => Ok(sort),
            Some((found, _)) => {
                let why = format!("the table of contents says it is here, but this is {}", core.what_of(found));
                Err(core.fail(what, Fault::malformed(offset, why)))
            }
            None => Err(core.fail(what, Fault::new(offset, ErrorKind::Truncated))),
        }
    }

    /// Reads a block's header and enters the block; `None` at the end of the archive. `expected` is for messages.
    fn header<R: Read>(&mut self, core: &mut Core<R>, expected: Option<usize>) -> Result<Option<(usize, Sort)>> {
        let start = core.stream.input.offset();
        let what = match expected {
            Some(at) => format!("the block header of {}", core.what_of(at)),
            None => "a block header".to_owned(),
        };
        let sort = match core.stream.input.byte_or_end() {
            Ok(None) => return Ok(None),
            Ok(Some(1)) => Sort::Data,
            Ok(Some(3)) => Sort::LargeObjects,
            Ok(Some(n)) => {
                let fault = Fault::malformed(start, no_block(core, n));
                return Err(core.fail(what, fault));
            }
            Err(fault) => return Err(core.fail(what, fault)),
        };
        let id = match core.stream.input.int32(core.header.int_size) {
            Ok(id) => DumpId(id),
            Err(fault) => return Err(core.fail(what, fault)),
        };
        let Some(&at) = core.contents.index.get(&id) else {
            let why = format!("the block is of entry {id}, which is not in the table of contents");
            return Err(core.fail(what, Fault::malformed(start, why)));
        };
        if core.contents.slots[at].position == DataPosition::NoData {
            let why =
                format!("the table of contents says that there is no {}", core.what_of(at).trim_start_matches("the "));
            return Err(core.fail(what, Fault::malformed(start, why)));
        }
        if self.found.insert(id, start).is_some_and(|before| before != start) {
            let fault = Fault::malformed(start, format!("this is the second block of {}", core.what_of(at)));
            return Err(core.fail(what, fault));
        }
        self.entered = Some(start);
        core.state = match sort {
            Sort::Data => State::Data(at),
            Sort::LargeObjects => State::LargeObjects(at),
        };
        if sort == Sort::Data {
            begin(core)?;
        }
        Ok(Some((at, sort)))
    }

    /// At the end of the blocks, passes over the second table of contents: pg_dump 16 and later leave one there if their
    /// standard output is a file, as in `pg_dump -Fc >file`, older ones do after `>>`. They go back to write the places of the
    /// data into the first one, but the file was opened for appending.
    fn pass_over_repetition<R: Read>(&mut self, core: &mut Core<R>) -> Result<()> {
        let start = core.stream.input.offset();
        let failed = |fault: Fault| fault.reading("a block header");
        // Blocks begin with their sort; a number of entries, with its sign.
        if core.stream.input.peek(1).map_err(failed)? != [0] {
            return Ok(());
        }
        let contents = Arc::clone(&core.contents);
        let mut pass_over = || {
            contents.read_again(&mut core.stream.input, &core.header, &core.limits)?;
            let at = core.stream.input.offset();
            match core.stream.input.peek(MAGIC.len()) {
                Ok([]) => Ok(()),
                Ok(next) if next == MAGIC => Err(Fault::malformed(at, ANOTHER)),
                Ok(_) => Err(Fault::malformed(at, "something comes after the second table of contents")),
                Err(fault) => Err(fault),
            }
            .map_err(|fault| fault.reading("the end of the archive"))
        };
        if let Err(error) = pass_over() {
            core.state = State::Lost;
            return Err(error);
        }
        self.end = Some(start);
        if self.explored == start {
            self.explored = core.stream.input.offset();
        }
        Ok(())
    }

    /// An archive that was cut off between two blocks shows it only by what it lacks.
    fn check_all_were_found<R: Read>(&self, core: &Core<R>) -> Result<()> {
        let slots = core.contents.entries.iter().zip(&core.contents.slots);
        for (entry, slot) in slots {
            if slot.position != DataPosition::NoData && !self.found.contains_key(&entry.dump_id) {
                return Err(core.error(format!("the data of {}", entry.label()), ErrorKind::Truncated));
            }
        }
        Ok(())
    }
}

/// What is wrong where a block should begin.
fn no_block<R: Read>(core: &mut Core<R>, first: u8) -> String {
    let rest = &MAGIC[1..];
    if Some(&first) == MAGIC.first() && core.stream.input.peek(rest.len()).is_ok_and(|next| next == rest) {
        return ANOTHER.into();
    }
    format!("a block begins with 1 or 3, not with {first}")
}

fn begin<R: Read>(core: &mut Core<R>) -> Result<()> {
    let framing = Framing::Chunks { int_size: core.header.int_size, limit: core.limits.chunk };
    let codec = Codec::of_blocks(core.header.compression);
    core.stream.begin(framing, codec, 0).map_err(|fault| core.stream_error(fault))
}

impl<R: Read> Layout<R> for Blocks {
    fn advance(&mut self, core: &mut Core<R>) -> Result<Option<(usize, Sort)>> {
        self.settle(core);
        self.pass_over_repetition(core)?;
        let next = self.header(core, None)?;
        if next.is_none() {
            core.state = State::End;
            // Blocks that a seek went past say nothing about what is missing.
            if self.explored == core.stream.input.offset() {
                self.check_all_were_found(core)?;
            }
        }
        Ok(next)
    }

    fn go_to(&mut self, core: &mut Core<R>, at: usize) -> Result<Sort> {
        let id = core.contents.entries[at].dump_id;
        let can_seek = core.stream.input.can_seek();
        let known = match core.contents.slots[at].position {
            DataPosition::At(offset) => Some(offset),
            _ => self.found.get(&id).copied(),
        };
        match known {
            Some(offset) if can_seek => self.seek(core, at, offset),
            _ if !can_seek && self.found.contains_key(&id) => {
                let why = "it lies behind what was read, and the input cannot seek";
                Err(core.error(core.what_of(at), ErrorKind::NotFound(why.into())))
            }
            _ => self.look_for(core, at),
        }
    }

    fn next_object(&mut self, core: &mut Core<R>) -> Result<Option<u32>> {
        let State::LargeObjects(at) = core.state else { return Ok(None) };
        match core.stream.input.oid(core.header.int_size) {
            Ok(0) => Ok(None),
            Ok(oid) => {
                core.state = State::LargeObject(at, oid);
                begin(core)?;
                Ok(Some(oid))
            }
            Err(fault) => Err(core.stream_error(fault)),
        }
    }

    fn is_sequence(&self) -> bool {
        true
    }

    fn is_random(&self, core: &Core<R>) -> bool {
        core.stream.input.can_seek()
    }

    fn has_only_an_end(&self, core: &Core<R>) -> bool {
        let wanted = core.contents.slots.iter().filter(|slot| slot.position != DataPosition::NoData).count();
        !core.stream.input.can_seek() && core.state != State::Lost && self.found.len() == wanted
    }

    /// Of an archive that says where its blocks are only the last one is gone through.
    fn check_end(&mut self, core: &mut Core<R>) -> Result<()> {
        let mut last = None;
        let mut all_known = true;
        for (at, slot) in core.contents.slots.iter().enumerate() {
            match slot.position {
                DataPosition::At(offset) => last = last.max(Some((offset, at))),
                DataPosition::NotSet => all_known = false,
                DataPosition::NoData => {}
            }
        }
        match last {
            Some((_, at)) if all_known => {
                Layout::go_to(self, core, at)?;
                self.leave(core)
            }
            None if all_known => Ok(()),
            _ => {
                while Layout::advance(self, core)?.is_some() {
                    self.leave(core)?;
                }
                Ok(())
            }
        }
    }

    fn sizes(&mut self, core: &mut Core<R>) -> Result<Vec<Option<u64>>> {
        let mut sizes = vec![None; core.contents.slots.len()];
        let end = core.stream.input.length().map_err(|fault| fault.reading("the length of the archive"))?;
        let mut places: Vec<(u64, usize)> = Vec::new();
        for (at, (entry, slot)) in core.contents.entries.iter().zip(&core.contents.slots).enumerate() {
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
