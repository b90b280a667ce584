//! Reads an archive: header and table of contents at once, then the data block by block, or by entry.

mod block;
mod by_name;
mod cursor;
mod custom;
mod large_object_list;
mod layout;
mod open;
mod stream;
mod tar_index;
mod tar_stream;

use std::io::{Read, Seek};
use std::sync::Arc;

pub use block::{Block, DataReader, LargeObjectsReader};

use crate::error::{ErrorKind, Result};
use crate::files::Files;
use crate::header::Header;
use crate::limits::Limits;
use crate::primitives::{DataPosition, Input};
use crate::toc::{DumpId, Entries, Entry};
use cursor::{BlockKind, Cursor, Position};
use layout::Layout;

/// Reads an archive: in custom or tar format from an input that seeks or from one that does not, or in directory format
/// from its files. `R` is the input, or an open file. Which format an input is in is seen by what it begins with.
///
/// The data is to be had in the archive's order, with [`Reader::next_block`], or entry by entry, with [`Reader::block`].
/// The latter goes to the place where the data is, or else looks for it; an input that cannot seek can only be looked
/// through forwards.
///
/// A block that was read in part, or not at all, is passed over without being decompressed.
#[derive(Debug)]
pub struct Reader<R> {
    cursor: Cursor<R>,
    layout: Box<dyn Layout<R>>,
}

impl<R: Read> Reader<R> {
    /// Reads the header and the table of contents from an input that need not seek.
    ///
    /// # Errors
    /// The input is no archive, or of a version that is not known; it is damaged; reading fails.
    pub fn new(input: R) -> Result<Self> {
        Self::with_limits(input, Limits::DEFAULT)
    }

    /// As [`Reader::new`], with limits of the caller's own.
    ///
    /// # Errors
    /// As [`Reader::new`]; a number is above its limit.
    pub fn with_limits(input: R, limits: Limits) -> Result<Self> {
        open::one_input(Input::streaming(input), limits)
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
        open::one_input(input, limits)
    }

    /// Reads the header and the table of contents of an archive in directory format.
    ///
    /// # Errors
    /// There is no toc.dat among the files, or it is of a version that is not known; it is damaged; reading fails.
    pub fn directory(files: impl Files<File = R> + Send + Sync + 'static) -> Result<Self>
    where
        R: 'static,
    {
        Self::directory_with_limits(files, Limits::DEFAULT)
    }

    /// As [`Reader::directory`], with limits of the caller's own.
    ///
    /// # Errors
    /// As [`Reader::directory`]; a number is above its limit.
    pub fn directory_with_limits(files: impl Files<File = R> + Send + Sync + 'static, limits: Limits) -> Result<Self>
    where
        R: 'static,
    {
        open::folder(Arc::new(files), limits)
    }

    /// Another reader of the same archive, which goes its own way, in another thread too; the table of contents is shared.
    /// `None` if the input cannot seek, so that there is only one way through it.
    ///
    /// It knows where the blocks are that this one has found. Of an archive that does not say where they are,
    /// [`Reader::check_end`] finds all of them, so that not every reader has to look for them.
    ///
    /// The clone of an input must have a place of its own, which [`std::fs::File::try_clone`] does not give.
    pub fn another(&self) -> Option<Self>
    where
        R: Clone,
    {
        self.is_random().then(|| Self { cursor: self.cursor.another(), layout: self.layout.another() })
    }

    /// What the archive says about itself.
    pub fn header(&self) -> &Header {
        &self.cursor.header
    }

    /// The table of contents, in its order.
    pub fn entries(&self) -> &[Entry] {
        &self.cursor.contents.entries
    }

    /// The table of contents for those who need it longer than they can leave the reader alone.
    pub fn shared_entries(&self) -> Entries {
        Entries(Arc::clone(&self.cursor.contents))
    }

    /// The entry of that number.
    pub fn entry(&self, dump_id: DumpId) -> Option<&Entry> {
        self.cursor.contents.index.get(&dump_id).map(|&at| &self.cursor.contents.entries[at])
    }

    /// What the table of contents of an archive in custom format says of the place of an entry's data; of other formats,
    /// whether there is any. `None` for a number that no entry has.
    pub fn data_position(&self, dump_id: DumpId) -> Option<DataPosition> {
        self.cursor.contents.index.get(&dump_id).map(|&at| self.cursor.contents.slots[at].position)
    }

    /// Whether the data of an entry begins each row with an OID, which PostgreSQL up to 11 has on request.
    pub fn has_row_oids(&self, dump_id: DumpId) -> bool {
        self.cursor.contents.index.get(&dump_id).is_some_and(|&at| self.cursor.contents.slots[at].with_oids)
    }

    /// Whether the data of any entry can be had at any time, and so whether there can be [`Reader::another`].
    pub fn is_random(&self) -> bool {
        self.layout.is_random(&self.cursor)
    }

    /// The input that is being read, to look at it. Of an archive of many files, the file that was read last.
    pub fn get_ref(&self) -> &R {
        self.cursor.stream.input.inner()
    }

    /// How many bytes of the archive are behind the reader.
    pub fn offset(&self) -> u64 {
        self.cursor.stream.offset()
    }

    /// How many bytes the data of each entry takes in the archive, in the order of the entries, where that can be told
    /// without reading the data: of an archive in custom format that does not say where its blocks are, only after
    /// [`Reader::check_end`]. It is for before the first block, for it may go elsewhere in the archive.
    ///
    /// # Errors
    /// The archive is damaged; reading fails.
    pub fn sizes(&mut self) -> Result<Vec<Option<u64>>> {
        let state = self.cursor.position;
        let sizes = self.layout.sizes(&mut self.cursor);
        self.cursor.position = state;
        sizes
    }

    /// Sees to it that an archive goes on to its end: what is cut off shows in its last block, or in a file that is not
    /// there. Nothing is decompressed, and what can be told without it is not gone through. An input that cannot seek
    /// cannot be looked at beforehand. The place in the archive is lost by it: it is for before the first block.
    ///
    /// # Errors
    /// The archive is cut off, or damaged so that the way to its end is not to be found.
    pub fn check_end(&mut self) -> Result<()> {
        if self.is_random() { self.layout.check_end(&mut self.cursor) } else { Ok(()) }
    }

    /// If the last block was read from an input that cannot seek, reads what comes after it: a tar file has a script there
    /// and the mark of its end, and who writes it into a pipe would find the pipe broken otherwise.
    ///
    /// # Errors
    /// What comes there is damaged; reading fails.
    pub fn finish(&mut self) -> Result<()> {
        if self.layout.has_only_an_end(&self.cursor) {
            while self.next_block()?.is_some() {}
        }
        Ok(())
    }

    /// Goes on to the next block; `None` after the last one.
    ///
    /// # Errors
    /// The archive is damaged; it ends while an entry still lacks its data; reading fails.
    pub fn next_block(&mut self) -> Result<Option<Block<'_, R>>> {
        self.leave()?;
        if self.cursor.position == Position::End {
            return Ok(None);
        }
        match self.layout.advance(&mut self.cursor)? {
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
        let Some(&at) = self.cursor.contents.index.get(&dump_id) else {
            let kind = ErrorKind::NotFound("the table of contents has no such entry".into());
            return Err(self.cursor.error(format!("entry {dump_id}"), kind));
        };
        if self.cursor.contents.slots[at].position == DataPosition::NoData {
            return Ok(None);
        }
        let sort = self.layout.go_to(&mut self.cursor, at)?;
        Ok(Some(self.open(sort)))
    }

    fn open(&mut self, sort: BlockKind) -> Block<'_, R> {
        match sort {
            BlockKind::Data => Block::Data(DataReader { reader: self }),
            BlockKind::LargeObjects => Block::LargeObjects(LargeObjectsReader { reader: self }),
        }
    }

    /// Passes over what is left of the open block.
    fn leave(&mut self) -> Result<()> {
        loop {
            match self.cursor.position {
                Position::Between | Position::End => return Ok(()),
                Position::Data(_) | Position::LargeObject(..) => self.cursor.skip_stream()?,
                Position::LargeObjects(_) if self.layout.is_sequence() => {
                    self.next_object()?;
                }
                Position::LargeObjects(_) => self.cursor.position = Position::Between,
                Position::Lost => {
                    let kind = ErrorKind::Protocol("reading failed before, so its place is not known".into());
                    return Err(self.cursor.error("the next block", kind));
                }
            }
        }
    }

    /// Goes on to the next large object of the open block; `None` ends the block.
    fn next_object(&mut self) -> Result<Option<u32>> {
        self.cursor.check_not_lost()?;
        if let Position::LargeObject(..) = self.cursor.position {
            self.cursor.skip_stream()?;
        }
        let Position::LargeObjects(_) = self.cursor.position else { return Ok(None) };
        let next = self.layout.next_object(&mut self.cursor)?;
        if next.is_none() {
            self.cursor.position = Position::Between;
        }
        Ok(next)
    }
}
