//! Pieces of a stream that threads compress apart, and that joined in order are one valid stream.

use std::fmt;

use super::{Compression, gzip, lz4, zstd};
use crate::error::{ErrorKind, Fault, Result};

/// How much memory a piece keeps in any case.
const KEPT: usize = 256 * 1024;

/// A compressed piece of a stream. It can be used over and over, and then keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    bytes: Vec<u8>,
    length: u64,
    sum: u32,
    algorithm: Option<&'static str>,
    /// It is all of a stream by itself, and no other piece can come before or after it.
    is_whole: bool,
}

impl Piece {
    /// A piece of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was made of its data: as it goes into the archive, or for zstd, whose pieces cannot be joined once they are
    /// compressed, the data itself, unless it is all of a stream.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many bytes of data it holds.
    pub fn data_len(&self) -> u64 {
        self.length
    }

    /// Whether it fits into a stream that is compressed so; one of nothing fits everywhere.
    pub(crate) fn fits(&self, compression: Compression) -> bool {
        self.algorithm.is_none_or(|algorithm| algorithm == compression.name())
    }
}

/// Compresses pieces, on any thread, in any order.
///
/// What it makes is joined by [`Writer::piece`](crate::Writer::piece), which adds what begins and ends a stream. Pieces of
/// 256 KiB to 1 MiB that are given the end of the data before them compress about as well as one stream does.
pub struct PieceEncoder {
    compression: Compression,
    codec: Codec,
}

enum Codec {
    None,
    Gzip(gzip::Encoder),
    Lz4(lz4::Encoder),
    Zstd(Box<zstd::Encoder>),
}

impl fmt::Debug for PieceEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PieceEncoder").field("compression", &self.compression).finish_non_exhaustive()
    }
}

impl PieceEncoder {
    /// How much of the data before a piece is of use as its dictionary, at most.
    pub const DICTIONARY: usize = gzip::WINDOW;

    /// An encoder with its own state, which it keeps between pieces.
    ///
    /// # Errors
    /// The compressor cannot be set up, for want of memory.
    pub fn new(compression: Compression) -> Result<Self> {
        let codec = match compression {
            Compression::None => Codec::None,
            Compression::Gzip(level) => Codec::Gzip(gzip::Encoder::new(level)),
            Compression::Lz4 => Codec::Lz4(lz4::Encoder::new()),
            Compression::Zstd(level) => Codec::Zstd(Box::new(zstd::Encoder::new(level).map_err(failed)?)),
        };
        Ok(Self { compression, codec })
    }

    /// How it compresses.
    pub fn compression(&self) -> Compression {
        self.compression
    }

    /// Compresses `data` into `piece`, in place of what that held. `dictionary` is what comes right before `data` in the
    /// same stream, or as much of its end as is at hand (only gzip makes use of it), or nothing.
    ///
    /// A wrong dictionary makes a stream that cannot be read: it must be the very bytes before `data`.
    ///
    /// # Errors
    /// The compressor fails.
    pub fn encode(&mut self, dictionary: &[u8], data: &[u8], piece: &mut Piece) -> Result<()> {
        self.fill(dictionary, data, false, piece)
    }

    /// As [`PieceEncoder::encode`], for a piece that is all the data of its stream. Only zstd makes something else of that:
    /// it is compressed here, and so on the caller's thread, and not by the [`Writer`](crate::Writer).
    ///
    /// # Errors
    /// The compressor fails.
    pub fn encode_whole(&mut self, data: &[u8], piece: &mut Piece) -> Result<()> {
        self.fill(&[], data, true, piece)
    }

    fn fill(&mut self, dictionary: &[u8], data: &[u8], is_whole: bool, piece: &mut Piece) -> Result<()> {
        piece.bytes.clear();
        // One that once held an enormous row need not keep its memory for ever.
        if piece.bytes.capacity() / 4 > data.len().max(KEPT) {
            piece.bytes = Vec::new();
        }
        (piece.length, piece.sum, piece.algorithm) = (data.len() as u64, 1, Some(self.compression.name()));
        piece.is_whole = is_whole && matches!(self.codec, Codec::Zstd(_)) && !data.is_empty();
        if data.is_empty() {
            return Ok(());
        }
        let bytes = &mut piece.bytes;
        match &mut self.codec {
            Codec::None => bytes.extend_from_slice(data),
            Codec::Gzip(encoder) => piece.sum = encoder.encode(dictionary, data, bytes).map_err(failed)?,
            Codec::Lz4(encoder) => encoder.encode(data, bytes).map_err(failed)?,
            Codec::Zstd(encoder) if is_whole => encoder.encode(data, bytes).map_err(failed)?,
            Codec::Zstd(_) => bytes.extend_from_slice(data),
        }
        Ok(())
    }
}

fn failed(why: String) -> crate::Error {
    Fault::new(0, ErrorKind::Compression(why)).writing("compressed data")
}

/// Joins pieces to streams, one stream after the other.
pub(crate) struct Joint {
    compression: Compression,
    sum: gzip::Sum,
    is_empty: bool,
    /// The stream is in one piece that is whole already.
    is_whole: bool,
    /// What compresses the pieces that are joined before they are compressed, from the first one on.
    frames: Option<zstd::FrameEncoder>,
    threads: u32,
    bytes: Vec<u8>,
}

impl fmt::Debug for Joint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Joint").field("compression", &self.compression).finish_non_exhaustive()
    }
}

impl Joint {
    pub(crate) fn new(compression: Compression) -> Self {
        let (sum, bytes) = (gzip::Sum::new(), Vec::new());
        Self { compression, sum, is_empty: true, is_whole: false, frames: None, threads: 0, bytes }
    }

    /// Has streams compressed on so many threads of its own, where it is done here.
    pub(crate) fn set_threads(&mut self, threads: u32) {
        self.threads = threads;
    }

    /// Whether the piece can be the next one: next to one that is whole there is no other.
    pub(crate) fn takes(&self, piece: &Piece) -> bool {
        piece.bytes.is_empty() || !(self.is_whole || piece.is_whole && !self.is_empty)
    }

    /// Begins a stream; gives the bytes that it begins with.
    pub(crate) fn start(&mut self) -> &[u8] {
        (self.sum, self.is_empty, self.is_whole) = (gzip::Sum::new(), true, false);
        self.bytes.clear();
        match self.compression {
            Compression::Gzip(level) => self.bytes.extend_from_slice(&gzip::header(level)),
            Compression::Lz4 => self.bytes.extend_from_slice(&lz4::header()),
            Compression::None | Compression::Zstd(_) => {}
        }
        &self.bytes
    }

    /// Adds a piece; gives the bytes that come next in the stream.
    pub(crate) fn add<'a>(&'a mut self, piece: &'a Piece) -> Result<&'a [u8]> {
        self.sum.add(piece.sum, piece.length);
        self.is_empty &= piece.bytes.is_empty();
        self.is_whole |= piece.is_whole;
        let Compression::Zstd(level) = self.compression else { return Ok(&piece.bytes) };
        if piece.is_whole || piece.bytes.is_empty() {
            return Ok(&piece.bytes);
        }
        self.bytes.clear();
        let frames = match &mut self.frames {
            Some(frames) => frames,
            empty => empty.insert(zstd::FrameEncoder::new(level, self.threads).map_err(failed)?),
        };
        frames.add(&piece.bytes, &mut self.bytes).map_err(failed)?;
        Ok(&self.bytes)
    }

    /// Ends the stream; gives the bytes that it ends with.
    pub(crate) fn end(&mut self) -> Result<&[u8]> {
        self.bytes.clear();
        match self.compression {
            Compression::Gzip(_) => {
                self.bytes.extend_from_slice(&gzip::LAST_BLOCK);
                self.bytes.extend_from_slice(&self.sum.0.to_be_bytes());
            }
            Compression::Lz4 => self.bytes.extend_from_slice(&lz4::END),
            Compression::Zstd(_) if self.is_empty => self.bytes.extend_from_slice(&zstd::EMPTY_FRAME),
            Compression::Zstd(_) if !self.is_whole => {
                if let Some(frames) = &mut self.frames {
                    frames.end(&mut self.bytes).map_err(failed)?;
                }
            }
            Compression::None | Compression::Zstd(_) => {}
        }
        Ok(&self.bytes)
    }
}
