//! Reads an archive: header and table of contents at once, then the data block by block, or by entry.

mod block;
mod stream;

use std::collections::HashMap;
use std::io::{Read, Seek};

pub use block::{Block, DataReader, LargeObjectsReader};

use crate::compression::Decoder;
use crate::error::{Direction, Error, ErrorKind, Fault, Result};
use crate::header::Header;
use crate::limits::Limits;
use crate::primitives::{DataPosition, Input};
use crate::toc::{Contents, DumpId, Entry};
use stream::Stream;

/// Reads an archive in custom format, from an input that seeks or from one that does not.
///
/// Either way the data is to be had in the archive's order, with [`Reader::next_block`], or entry by entry, with
/// [`Reader::block`]. The latter goes to the place where the archive says the data is, or else looks for it; an input that
/// cannot seek can only be looked through forwards.
///
/// A block that was read in part, or not at all, is passed over without being decompressed.
#[derive(Debug)]
pub struct Reader<R> {
    input: Input<R>,
    header: Header,
    contents: Contents,
    limits: Limits,
    state: State,
    stream: Stream,
    /// Where blocks were found while going through the archive.
    found: HashMap<DumpId, u64>,
    /// The place up to which all blocks have been found.
    explored: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    Data(usize),
    LargeObjects(usize),
    LargeObject(usize, u32),
    /// After the last block.
    End,
    /// After an error: only a seek leads on.
    Lost,
}

/// The two sorts of block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Data,
    LargeObjects,
}

impl<R: Read> Reader<R> {
    /// Reads the header and the table of contents from an input that need not seek.
    ///
    /// # Errors
    /// The input is no archive in custom format, or of a version that is not known; it is damaged; reading fails.
    pub fn new(input: R) -> Result<Self> {
        Self::with_limits(input, Limits::DEFAULT)
    }

    /// As [`Reader::new`], with limits of the caller's own.
    ///
    /// # Errors
    /// As [`Reader::new`]; a number is above its limit.
    pub fn with_limits(input: R, limits: Limits) -> Result<Self> {
        Self::start(Input::streaming(input), limits)
    }

    /// As [`Reader::new`], from an input that can seek. Offsets count from where it stands now.
    ///
    /// # Errors
    /// As [`Reader::new`]; seeking fails.
    pub fn seekable(input: R) -> Result<Self>
    where
        R: Seek,
    {
        Self::seekable_with_limits(input, Limits::DEFAULT)
    }

    /// As [`Reader::seekable`], with limits of the caller's own.
    ///
    /// # Errors
    /// As [`Reader::seekable`]; a number is above its limit.
    pub fn seekable_with_limits(input: R, limits: Limits) -> Result<Self>
    where
        R: Seek,
    {
        let input = Input::seekable(input).map_err(|fault| fault.reading("the header"))?;
        Self::start(input, limits)
    }

    fn start(mut input: Input<R>, limits: Limits) -> Result<Self> {
        let header = Header::read(&mut input, &limits)?;
        let contents = Contents::read(&mut input, &header, &limits)?;
        let decoder = Decoder::new(header.compression)
            .map_err(|why| Fault::new(input.offset(), ErrorKind::Compression(why)).reading("compressed data"))?;
        let explored = input.offset();
        let (stream, state) = (Stream::new(decoder), State::Between);
        Ok(Self { input, header, contents, limits, state, stream, found: HashMap::new(), explored })
    }

    /// What the archive says about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The table of contents, in its order.
    pub fn entries(&self) -> &[Entry] {
        &self.contents.entries
    }

    /// The entry of that number.
    pub fn entry(&self, dump_id: DumpId) -> Option<&Entry> {
        self.contents.index.get(&dump_id).map(|&at| &self.contents.entries[at])
    }

    /// What the table of contents says of the place of an entry's data; `None` for a number that no entry has.
    pub fn data_position(&self, dump_id: DumpId) -> Option<DataPosition> {
        self.contents.index.get(&dump_id).map(|&at| self.contents.slots[at].position)
    }

    /// Whether the data of an entry begins each row with an OID, which PostgreSQL up to 11 has on request.
    pub fn has_row_oids(&self, dump_id: DumpId) -> bool {
        self.contents.index.get(&dump_id).is_some_and(|&at| self.contents.slots[at].with_oids)
    }

    /// Whether the input can seek.
    pub fn can_seek(&self) -> bool {
        self.input.can_seek()
    }

    /// How many bytes of the archive are behind the reader.
    pub fn offset(&self) -> u64 {
        self.input.offset()
    }

    /// Gives the input back, wherever it stands.
    pub fn into_inner(self) -> R {
        self.input.into_inner()
    }

    /// Goes on to the next block; `None` after the last one.
    ///
    /// # Errors
    /// The archive is damaged; it ends while an entry still lacks its data; reading fails.
    pub fn next_block(&mut self) -> Result<Option<Block<'_, R>>> {
        match self.advance()? {
            Some((_, sort)) => Ok(Some(self.open(sort))),
            None => Ok(None),
        }
    }

    /// Goes to the data of an entry; `None` if the archive says that it has none.
    ///
    /// # Errors
    /// No entry has that number; its data lies behind what was read of an input that cannot seek; it is not where the
    /// table of contents says it is, or nowhere; the archive is damaged; reading fails.
    pub fn block(&mut self, dump_id: DumpId) -> Result<Option<Block<'_, R>>> {
        let Some(&at) = self.contents.index.get(&dump_id) else {
            return Err(self.not_found(format!("entry {dump_id}"), "the table of contents has no such entry"));
        };
        let known = match self.contents.slots[at].position {
            DataPosition::NoData => return Ok(None),
            DataPosition::At(offset) => Some(offset),
            DataPosition::NotSet => self.found.get(&dump_id).copied(),
        };
        let sort = match (known, self.can_seek()) {
            (Some(offset), true) => self.go_to(at, offset)?,
            _ if !self.can_seek() && self.found.contains_key(&dump_id) => {
                let why = "it lies behind what was read, and the input cannot seek";
                return Err(self.not_found(self.what_of(at), why));
            }
            _ => self.look_for(at)?,
        };
        Ok(Some(self.open(sort)))
    }

    fn open(&mut self, sort: Sort) -> Block<'_, R> {
        match sort {
            Sort::Data => Block::Data(DataReader { reader: self }),
            Sort::LargeObjects => Block::LargeObjects(LargeObjectsReader { reader: self }),
        }
    }

    fn go_to(&mut self, at: usize, offset: u64) -> Result<Sort> {
        let what = self.what_of(at);
        self.state = State::Lost;
        self.input.go_to(offset).map_err(|fault| fault.reading(what.as_str()))?;
        self.state = State::Between;
        match self.block_header(Some(at))? {
            Some((found, sort)) if found == at => Ok(sort),
            Some((found, _)) => {
                let why = format!("the table of contents says it is here, but this is {}", self.what_of(found));
                Err(self.fail(what, Fault::malformed(offset, why)))
            }
            None => Err(self.fail(what, Fault::new(offset, ErrorKind::Truncated))),
        }
    }

    fn look_for(&mut self, at: usize) -> Result<Sort> {
        if self.can_seek() && self.input.offset() != self.explored {
            let what = self.what_of(at);
            self.state = State::Lost;
            self.input.go_to(self.explored).map_err(|fault| fault.reading(what))?;
            self.state = State::Between;
        }
        loop {
            match self.advance()? {
                Some((found, sort)) if found == at => return Ok(sort),
                Some(_) => {}
                None => return Err(self.not_found(self.what_of(at), "the archive has no such block")),
            }
        }
    }

    /// Leaves the open block, if any, and reads the header of the next one.
    fn advance(&mut self) -> Result<Option<(usize, Sort)>> {
        self.leave()?;
        if self.state == State::End {
            return Ok(None);
        }
        let next = self.block_header(None)?;
        if next.is_none() {
            self.state = State::End;
            // Blocks that a seek went past say nothing about what is missing.
            if self.explored == self.input.offset() {
                self.check_all_were_found()?;
            }
        }
        Ok(next)
    }

    /// Passes over what is left of the open block.
    fn leave(&mut self) -> Result<()> {
        loop {
            match self.state {
                State::Between | State::End => return Ok(()),
                State::Data(_) | State::LargeObject(..) => self.skip_stream()?,
                State::LargeObjects(_) => {
                    self.next_object()?;
                }
                State::Lost => {
                    let kind = ErrorKind::Protocol("reading failed before, so its place is not known".into());
                    return Err(Error::new(Direction::Reading, "the next block", self.input.offset(), kind));
                }
            }
        }
    }

    /// Reads a block's header and enters the block; `None` at the end of the archive. `expected` is for messages.
    fn block_header(&mut self, expected: Option<usize>) -> Result<Option<(usize, Sort)>> {
        let start = self.input.offset();
        let what = match expected {
            Some(at) => format!("the block header of {}", self.what_of(at)),
            None => "a block header".to_owned(),
        };
        let sort = match self.input.byte_or_end() {
            Ok(None) => return Ok(None),
            Ok(Some(1)) => Sort::Data,
            Ok(Some(3)) => Sort::LargeObjects,
            Ok(Some(n)) => {
                let fault = Fault::malformed(start, format!("a block begins with 1 or 3, not with {n}"));
                return Err(self.fail(what, fault));
            }
            Err(fault) => return Err(self.fail(what, fault)),
        };
        let id = match self.input.int32(self.header.int_size) {
            Ok(id) => DumpId(id),
            Err(fault) => return Err(self.fail(what, fault)),
        };
        let Some(&at) = self.contents.index.get(&id) else {
            let fault =
                Fault::malformed(start, format!("the block is of entry {id}, which is not in the table of contents"));
            return Err(self.fail(what, fault));
        };
        if self.contents.slots[at].position == DataPosition::NoData {
            let why =
                format!("the table of contents says that there is no {}", self.what_of(at).trim_start_matches("the "));
            return Err(self.fail(what, Fault::malformed(start, why)));
        }
        if self.found.insert(id, start).is_some_and(|before| before != start) {
            let fault = Fault::malformed(start, format!("this is the second block of {}", self.what_of(at)));
            return Err(self.fail(what, fault));
        }
        self.state = match sort {
            Sort::Data => State::Data(at),
            Sort::LargeObjects => State::LargeObjects(at),
        };
        if sort == Sort::Data {
            self.begin_stream()?;
        }
        Ok(Some((at, sort)))
    }

    /// An archive that was cut off between two blocks shows it only by what it lacks.
    fn check_all_were_found(&self) -> Result<()> {
        let slots = self.contents.entries.iter().zip(&self.contents.slots);
        for (entry, slot) in slots {
            if slot.position != DataPosition::NoData && !self.found.contains_key(&entry.dump_id) {
                let fault = Fault::new(self.input.offset(), ErrorKind::Truncated);
                return Err(fault.reading(format!("the data of {}", entry.label())));
            }
        }
        Ok(())
    }

    fn what_of(&self, at: usize) -> String {
        format!("the data of {}", self.contents.entries[at].label())
    }

    fn not_found(&self, what: String, why: &str) -> Error {
        Error::new(Direction::Reading, what, self.input.offset(), ErrorKind::NotFound(why.into()))
    }

    fn fail(&mut self, what: String, fault: Fault) -> Error {
        self.state = State::Lost;
        fault.reading(what)
    }
}
