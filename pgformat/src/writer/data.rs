//! Data that is compressed as it is written.

use std::io::{self, Write};

use super::Writer;
use crate::Compression;
use crate::compression::PieceEncoder;
use crate::error::Result;

/// Compresses the data of one table or large object into an archive.
///
/// Dropping it without [`DataWriter::finish`] leaves the stream open, and the archive cannot be finished.
#[derive(Debug)]
pub struct DataWriter<'a, W: Write> {
    writer: &'a mut Writer<W>,
    /// So much at the beginning of the buffer is the end of the piece before.
    dictionary: usize,
    ends_block: bool,
}

impl<'a, W: Write> DataWriter<'a, W> {
    pub(super) fn new(writer: &'a mut Writer<W>, ends_block: bool) -> Result<Self> {
        writer.buffer.clear();
        Ok(Self { writer, dictionary: 0, ends_block })
    }

    /// Ends the data.
    ///
    /// # Errors
    /// Compressing or writing the rest fails.
    pub fn finish(mut self) -> Result<()> {
        self.flush_piece(true)?;
        self.writer.end_stream()?;
        if self.ends_block { self.writer.end_block() } else { Ok(()) }
    }

    fn flush_piece(&mut self, is_last: bool) -> Result<()> {
        self.writer.flush_piece(self.dictionary, is_last)?;
        let buffer = &mut self.writer.buffer;
        let keep = match self.writer.header.compression {
            Compression::Gzip(_) => buffer.len().min(PieceEncoder::DICTIONARY),
            _ => 0,
        };
        buffer.drain(..buffer.len() - keep);
        self.dictionary = keep;
        Ok(())
    }
}

impl<W: Write> Write for DataWriter<'_, W> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let room = self.writer.header.compression.piece_size() - (self.writer.buffer.len() - self.dictionary);
        let n = data.len().min(room);
        self.writer.buffer.extend_from_slice(&data[..n]);
        if n == room {
            self.flush_piece(false)?;
        }
        Ok(n)
    }

    /// Does nothing: what was written goes out in pieces of a good size for compression.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compresses large objects into an archive.
///
/// Dropping it without [`LargeObjectsWriter::finish`] leaves the block open, and the archive cannot be finished.
#[derive(Debug)]
pub struct LargeObjectsWriter<'a, W: Write> {
    pub(super) writer: &'a mut Writer<W>,
}

impl<W: Write> LargeObjectsWriter<'_, W> {
    /// Begins a large object; what is given back must be [finished](DataWriter::finish).
    ///
    /// # Errors
    /// The one before was not finished; the OID is 0; writing fails.
    pub fn object(&mut self, oid: u32) -> Result<DataWriter<'_, W>> {
        self.writer.large_object(oid)?;
        DataWriter::new(self.writer, false)
    }

    /// Ends the block.
    ///
    /// # Errors
    /// A large object was not finished; writing fails.
    pub fn finish(self) -> Result<()> {
        self.writer.end_block()
    }
}
