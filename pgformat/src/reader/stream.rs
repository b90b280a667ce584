//! A stream of chunks, as it is stored and as data.

use std::fmt;
use std::io::Read;

use super::{Reader, State};
use crate::Compression;
use crate::compression::Decoder;
use crate::error::{ErrorKind, Fault, Result};

const BUFFER: usize = 128 * 1024;

/// How far the open stream has been read.
pub(super) struct Stream {
    decoder: Decoder,
    /// Decompressed data that nobody took yet.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// What is left of the chunk.
    chunk: u64,
    /// The last chunk is behind.
    last: bool,
    /// So is all data.
    done: bool,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("chunk", &self.chunk).field("last", &self.last).finish_non_exhaustive()
    }
}

impl Stream {
    pub(super) fn new(decoder: Decoder) -> Self {
        Self { decoder, buffer: Box::default(), start: 0, end: 0, chunk: 0, last: true, done: true }
    }
}

impl<R: Read> Reader<R> {
    pub(super) fn begin_stream(&mut self) -> Result<()> {
        if self.stream.buffer.is_empty() && self.header.compression != Compression::None {
            self.stream.buffer = vec![0; BUFFER].into_boxed_slice();
        }
        (self.stream.start, self.stream.end, self.stream.chunk) = (0, 0, 0);
        (self.stream.last, self.stream.done) = (false, false);
        let reset = self.stream.decoder.reset();
        reset.map_err(|why| self.stream_error(Fault::new(self.input.offset(), ErrorKind::Compression(why))))
    }

    /// Data at hand, empty only at the end of the stream.
    pub(super) fn fill_data(&mut self) -> Result<&[u8]> {
        match self.make_data() {
            // Without compression the data is in the input's own buffer.
            Ok(true) if self.header.compression == Compression::None => {
                let left = usize::try_from(self.stream.chunk).unwrap_or(usize::MAX);
                match self.input.fill() {
                    Ok(bytes) => Ok(&bytes[..bytes.len().min(left)]),
                    // The bytes are in the buffer already, so this does not read.
                    Err(fault) => Err(fault.reading("stored data")),
                }
            }
            Ok(true) => Ok(&self.stream.buffer[self.stream.start..self.stream.end]),
            Ok(false) => Ok(&[]),
            Err(fault) => Err(self.stream_error(fault)),
        }
    }

    pub(super) fn consume_data(&mut self, n: usize) {
        if self.header.compression == Compression::None {
            let n = n.min(usize::try_from(self.stream.chunk).unwrap_or(usize::MAX));
            self.stream.chunk -= self.input.consume(n) as u64;
        } else {
            self.stream.start += n.min(self.stream.end - self.stream.start);
        }
    }

    /// Sees to it that there is data to take, and says whether there is.
    fn make_data(&mut self) -> Result<bool, Fault> {
        self.check_not_lost()?;
        loop {
            if self.stream.start < self.stream.end {
                return Ok(true);
            }
            if self.stream.done {
                return Ok(false);
            }
            if self.stream.chunk == 0 && !self.stream.last {
                self.next_chunk()?;
            }
            let at = self.input.offset();
            let damaged = |why: String| Fault::new(at, ErrorKind::Compression(why));
            let Stream { decoder, buffer, chunk, last, .. } = &mut self.stream;
            if *last {
                let (_, given) = decoder.step(&[], buffer).map_err(damaged)?;
                (self.stream.start, self.stream.end) = (0, given);
                if given == 0 {
                    if !self.stream.decoder.is_ended() {
                        return Err(damaged(self.stream.decoder.what_is_missing().into()));
                    }
                    self.end_stream();
                }
                continue;
            }
            let stored = self.input.fill()?;
            if stored.is_empty() {
                return Err(Fault::new(at, ErrorKind::Truncated));
            }
            if matches!(decoder, Decoder::None) {
                return Ok(true);
            }
            let stored = &stored[..stored.len().min(usize::try_from(*chunk).unwrap_or(usize::MAX))];
            let (taken, given) = decoder.step(stored, buffer).map_err(damaged)?;
            if taken == 0 && given == 0 {
                return Err(damaged("the decompressor makes no progress".into()));
            }
            *chunk -= taken as u64;
            self.input.consume(taken);
            (self.stream.start, self.stream.end) = (0, given);
        }
    }

    fn next_chunk(&mut self) -> Result<(), Fault> {
        let at = self.input.offset();
        let length = self.input.int(self.header.int_size)?;
        let Ok(amount) = u64::try_from(length) else {
            return Err(Fault::malformed(at, format!("no chunk has {length} bytes")));
        };
        if amount > self.limits.chunk {
            return Err(Fault::new(at, ErrorKind::Limit { amount, limit: self.limits.chunk }));
        }
        self.stream.chunk = amount;
        self.stream.last = amount == 0;
        Ok(())
    }

    fn end_stream(&mut self) {
        self.stream.done = true;
        self.state = match self.state {
            State::Data(_) => {
                self.note_explored();
                State::Between
            }
            State::LargeObject(at, _) => State::LargeObjects(at),
            other => other,
        };
    }

    /// Passes over what is left of the stream, without decompressing it.
    pub(super) fn skip_stream(&mut self) -> Result<()> {
        self.check_not_lost().map_err(|fault| self.stream_error(fault))?;
        let skip = |reader: &mut Self| -> Result<(), Fault> {
            while !reader.stream.last {
                reader.input.skip(reader.stream.chunk)?;
                reader.next_chunk()?;
            }
            Ok(())
        };
        if !self.stream.done {
            skip(self).map_err(|fault| self.stream_error(fault))?;
            (self.stream.start, self.stream.end) = (0, 0);
            self.end_stream();
        }
        Ok(())
    }

    /// Goes on to the next large object of the open block; `None` ends the block.
    pub(super) fn next_object(&mut self) -> Result<Option<u32>> {
        self.check_not_lost().map_err(|fault| self.stream_error(fault))?;
        if let State::LargeObject(..) = self.state {
            self.skip_stream()?;
        }
        let State::LargeObjects(at) = self.state else { return Ok(None) };
        match self.input.oid(self.header.int_size) {
            Ok(0) => {
                self.note_explored();
                self.state = State::Between;
                Ok(None)
            }
            Ok(oid) => {
                self.state = State::LargeObject(at, oid);
                self.begin_stream()?;
                Ok(Some(oid))
            }
            Err(fault) => Err(self.stream_error(fault)),
        }
    }

    /// After an error nothing may look like the end of the data.
    fn check_not_lost(&self) -> Result<(), Fault> {
        if self.state != State::Lost {
            return Ok(());
        }
        let why = "reading failed before, so its place is not known";
        Err(Fault::new(self.input.offset(), ErrorKind::Protocol(why.into())))
    }

    /// A block has been left behind. If it was the first one that was not explored yet, so has everything before it.
    fn note_explored(&mut self) {
        let begin = match self.state {
            State::Data(at) | State::LargeObjects(at) => self.found.get(&self.contents.entries[at].dump_id),
            _ => None,
        };
        if begin == Some(&self.explored) {
            self.explored = self.input.offset();
        }
    }

    fn stream_error(&mut self, fault: Fault) -> crate::Error {
        let what = match self.state {
            State::Data(at) => self.what_of(at),
            State::LargeObjects(at) => format!("the OID of a large object in {}", self.what_of(at)),
            State::LargeObject(at, oid) => format!("large object {oid} in {}", self.what_of(at)),
            State::Between | State::End | State::Lost => "data".into(),
        };
        self.fail(what, fault)
    }
}
