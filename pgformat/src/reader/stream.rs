//! A stream of bytes as it is stored, and as data.

use std::fmt;
use std::io::Read;

use crate::compression::{Codec, Decoder};
use crate::error::{ErrorKind, Fault};
use crate::primitives::Input;

const BUFFER: usize = 128 * 1024;

/// How a stream is laid down in its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Chunks, each after its length, and a length of 0.
    Chunks { int_size: u8, limit: u64 },
    /// So many bytes as were told before.
    Length,
    /// All of the input.
    File,
}

/// The input, and the stream in it that is open.
pub(super) struct Stream<R> {
    pub(super) input: Input<R>,
    /// The file that the input is, of an archive of many files.
    pub(super) file: Option<String>,
    /// How many bytes the files had that were read before.
    passed: u64,
    framing: Framing,
    codec: Codec,
    decoder: Decoder,
    /// Decompressed data that nobody took yet.
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// What is left of the chunk, or of the stream.
    left: u64,
    /// Whether there was anything.
    is_empty: bool,
    /// All that is stored is behind.
    last: bool,
    /// So is all data.
    done: bool,
}

impl<R> fmt::Debug for Stream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("file", &self.file).field("left", &self.left).finish_non_exhaustive()
    }
}

impl<R: Read> Stream<R> {
    pub(super) fn new(input: Input<R>) -> Self {
        Self {
            input,
            file: None,
            passed: 0,
            framing: Framing::File,
            codec: Codec::None,
            decoder: Decoder::None,
            buffer: Box::default(),
            start: 0,
            end: 0,
            left: 0,
            is_empty: true,
            last: true,
            done: true,
        }
    }

    /// How many bytes were read so far, of all files.
    pub(super) fn offset(&self) -> u64 {
        self.passed + self.input.offset()
    }

    /// Begins a stream where the input is; `length` says how long it is, if its framing does not.
    pub(super) fn begin(&mut self, framing: Framing, codec: Codec, length: u64) -> Result<(), Fault> {
        let failed = |why| Fault::new(self.input.offset(), ErrorKind::Compression(why));
        if self.buffer.is_empty() && codec != Codec::None {
            self.buffer = vec![0; BUFFER].into_boxed_slice();
        }
        if codec == self.codec {
            self.decoder.reset().map_err(failed)?;
        } else {
            self.decoder = Decoder::new(codec).map_err(failed)?;
            self.codec = codec;
        }
        self.framing = framing;
        self.left = if framing == Framing::File { u64::MAX } else { length };
        (self.start, self.end) = (0, 0);
        (self.is_empty, self.last, self.done) = (true, false, false);
        Ok(())
    }

    /// Begins with a file that takes the place of the input.
    pub(super) fn begin_file(&mut self, file: R, name: String, codec: Codec) -> Result<(), Fault> {
        self.passed += self.input.offset();
        self.input.replace(file);
        self.file = Some(name);
        self.begin(Framing::File, codec, 0)
    }

    /// Whether the open stream is compressed.
    pub(super) fn is_packed(&self) -> bool {
        self.codec != Codec::None
    }

    /// Whether the end of the stream was reached.
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Data at hand, empty only at the end of the stream.
    pub(super) fn fill(&mut self) -> Result<&[u8], Fault> {
        if !self.make()? {
            return Ok(&[]);
        }
        // Without compression the data is in the input's own buffer.
        if self.codec == Codec::None {
            let left = usize::try_from(self.left).unwrap_or(usize::MAX);
            let bytes = self.input.fill()?;
            return Ok(&bytes[..bytes.len().min(left)]);
        }
        Ok(&self.buffer[self.start..self.end])
    }

    pub(super) fn consume(&mut self, n: usize) {
        if self.codec == Codec::None {
            let n = n.min(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= self.input.consume(n) as u64;
        } else {
            self.start += n.min(self.end - self.start);
        }
    }

    /// Sees to it that there is data to take, and says whether there is.
    fn make(&mut self) -> Result<bool, Fault> {
        loop {
            if self.start < self.end {
                return Ok(true);
            }
            if self.done {
                return Ok(false);
            }
            if self.left == 0 && !self.last {
                self.go_on()?;
            }
            let at = self.input.offset();
            let damaged = |why: String| Fault::new(at, ErrorKind::Compression(why));
            if self.last {
                let (_, given) = self.decoder.step(&[], &mut self.buffer).map_err(damaged)?;
                (self.start, self.end) = (0, given);
                if given == 0 {
                    if !self.decoder.is_ended() && !self.is_nothing() {
                        return Err(damaged(self.decoder.what_is_missing().into()));
                    }
                    self.done = true;
                }
                continue;
            }
            let stored = self.input.fill()?;
            if stored.is_empty() {
                if self.framing != Framing::File {
                    return Err(Fault::new(at, ErrorKind::Truncated));
                }
                self.last = true;
                continue;
            }
            self.is_empty = false;
            if self.codec == Codec::None {
                return Ok(true);
            }
            let stored = &stored[..stored.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
            let (taken, given) = self.decoder.step(stored, &mut self.buffer).map_err(damaged)?;
            if taken == 0 && given == 0 {
                return Err(damaged("the decompressor makes no progress".into()));
            }
            self.left -= taken as u64;
            self.input.consume(taken);
            (self.start, self.end) = (0, given);
        }
    }

    /// Whether the stream is a file without a byte, where that stands for no data.
    fn is_nothing(&self) -> bool {
        self.is_empty && self.codec.may_be_empty() && !matches!(self.framing, Framing::Chunks { .. })
    }

    /// Goes on to the next chunk, or finds that there is none.
    fn go_on(&mut self) -> Result<(), Fault> {
        let Framing::Chunks { int_size, limit } = self.framing else {
            self.last = true;
            return Ok(());
        };
        let at = self.input.offset();
        let length = self.input.int(int_size)?;
        let Ok(amount) = u64::try_from(length) else {
            return Err(Fault::malformed(at, format!("no chunk has {length} bytes")));
        };
        if amount > limit {
            return Err(Fault::new(at, ErrorKind::Limit { amount, limit }));
        }
        self.left = amount;
        self.last = amount == 0;
        Ok(())
    }

    /// Passes over what is left of the stream, without decompressing it.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        while !self.last {
            // What is left of a file is of no use.
            if self.framing == Framing::File {
                break;
            }
            self.input.skip(self.left)?;
            self.left = 0;
            self.go_on()?;
        }
        (self.start, self.end) = (0, 0);
        (self.last, self.done) = (true, true);
        Ok(())
    }
}
