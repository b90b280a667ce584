//! What a caller sees of a block.

use std::io::{self, BufRead, Read};

use super::Reader;
use super::cursor::Position;
use crate::error::Result;
use crate::toc::Entry;

/// A block of an archive.
#[derive(Debug)]
pub enum Block<'a, R> {
    /// The data of a table.
    Data(DataReader<'a, R>),
    /// Large objects.
    LargeObjects(LargeObjectsReader<'a, R>),
}

impl<R: Read> Block<'_, R> {
    /// The entry that the block is of.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Self::Data(data) => data.entry(),
            Self::LargeObjects(objects) => objects.entry(),
        }
    }
}

/// The data of a table or of a large object, decompressed as it is read.
///
/// Through [`Read`] and [`BufRead`] errors come wrapped; [`Error::from_io`](crate::Error::from_io) unwraps them, and
/// [`DataReader::fill`] does not wrap them.
#[derive(Debug)]
pub struct DataReader<'a, R> {
    pub(super) reader: &'a mut Reader<R>,
}

impl<R: Read> DataReader<'_, R> {
    /// The entry that the data belongs to; `None` once all of it was read.
    pub fn entry(&self) -> Option<&Entry> {
        entry(self.reader)
    }

    /// How many bytes of the archive are behind the reader.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// The data at hand, of which [`DataReader::consume`] takes; empty only at its end.
    ///
    /// # Errors
    /// The archive is damaged or ends early; reading fails.
    pub fn fill(&mut self) -> Result<&[u8]> {
        self.reader.cursor.fill_data()
    }

    /// Takes so many bytes of those that [`DataReader::fill`] gave.
    pub fn consume(&mut self, n: usize) {
        self.reader.cursor.stream.consume(n);
    }

    /// Passes over what is left, without decompressing it.
    ///
    /// # Errors
    /// The archive is damaged or ends early; reading fails.
    pub fn skip(self) -> Result<()> {
        self.reader.cursor.skip_stream()
    }
}

impl<R: Read> Read for DataReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let data = self.reader.cursor.fill_data()?;
        let n = data.len().min(out.len());
        out[..n].copy_from_slice(&data[..n]);
        self.reader.cursor.stream.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for DataReader<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.reader.cursor.fill_data()?)
    }

    fn consume(&mut self, n: usize) {
        self.reader.cursor.stream.consume(n);
    }
}

/// The large objects of a block, one after the other.
#[derive(Debug)]
pub struct LargeObjectsReader<'a, R> {
    pub(super) reader: &'a mut Reader<R>,
}

impl<R: Read> LargeObjectsReader<'_, R> {
    /// The entry that the block is of; `None` once all of it was read.
    pub fn entry(&self) -> Option<&Entry> {
        entry(self.reader)
    }

    /// Goes on to the next large object: its OID and its content. `None` after the last one.
    ///
    /// # Errors
    /// The archive is damaged or ends early; reading fails.
    #[expect(clippy::should_implement_trait, reason = "an iterator's items cannot borrow from it")]
    pub fn next(&mut self) -> Result<Option<(u32, DataReader<'_, R>)>> {
        Ok(self.reader.next_object()?.map(|oid| (oid, DataReader { reader: self.reader })))
    }
}

fn entry<R>(reader: &Reader<R>) -> Option<&Entry> {
    match reader.cursor.position {
        Position::Data(at) | Position::LargeObjects(at) | Position::LargeObject(at, _) => {
            reader.cursor.contents.entries.get(at)
        }
        Position::Between | Position::End | Position::Lost => None,
    }
}
