//! Pieces of a stream that threads compress apart, and that joined in order are one valid stream.

use std::fmt;

use super::gzip::Wrapping;
use super::{Codec, Compression, gzip, lz4, zstd};
use crate::error::{ErrorKind, Fault, Result};

/// How much memory a piece keeps in any case.
const KEPT: usize = 256 * 1024;

/// A compressed piece of a stream. It can be used over and over, and then keeps its memory.
#[derive(Debug, Clone, Default)]
pub struct Piece {
    bytes: Vec<u8>,
    length: u64,
    sum: u32,
    /// How it is compressed, once it was filled.
    codec: Option<Codec>,
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
    pub(crate) fn fits(&self, codec: Codec) -> bool {
        self.codec.is_none_or(|own| own == codec)
    }
}

/// Compresses pieces, on any thread, in any order.
///
/// What it makes is joined by [`Writer::piece`](crate::Writer::piece), which adds what begins and ends a stream. Pieces of
/// 256 KiB to 1 MiB that are given the end of the data before them compress about as well as one stream does.
pub struct PieceEncoder {
    compression: Compression,
    codec: Codec,
    encoder: Encoder,
}

enum Encoder {
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

    /// An encoder for archives in custom format. It has a state of its own, which it keeps between pieces.
    ///
    /// # Errors
    /// The compressor cannot be set up, for want of memory.
    pub fn new(compression: Compression) -> Result<Self> {
        Self::of(compression, Codec::of_blocks(compression))
    }

    /// The same for archives in directory format, where gzip is another form of the same.
    ///
    /// # Errors
    /// As [`PieceEncoder::new`].
    pub fn of_files(compression: Compression) -> Result<Self> {
        Self::of(compression, Codec::of_files(compression))
    }

    pub(crate) fn of(compression: Compression, codec: Codec) -> Result<Self> {
        let encoder = match compression {
            Compression::None => Encoder::None,
            Compression::Gzip(level) => Encoder::Gzip(gzip::Encoder::new(level, wrapping(codec))),
            Compression::Lz4 => Encoder::Lz4(lz4::Encoder::new()),
            Compression::Zstd(level) => Encoder::Zstd(Box::new(zstd::Encoder::new(level).map_err(failed)?)),
        };
        Ok(Self { compression, codec, encoder })
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
        (piece.length, piece.codec) = (data.len() as u64, Some(self.codec));
        piece.is_whole = is_whole && self.codec == Codec::Zstd && !data.is_empty();
        if data.is_empty() {
            return Ok(());
        }
        let bytes = &mut piece.bytes;
        match &mut self.encoder {
            Encoder::None => bytes.extend_from_slice(data),
            Encoder::Gzip(encoder) => piece.sum = encoder.encode(dictionary, data, bytes).map_err(failed)?,
            Encoder::Lz4(encoder) => encoder.encode(data, bytes).map_err(failed)?,
            Encoder::Zstd(encoder) if is_whole => encoder.encode(data, bytes).map_err(failed)?,
            Encoder::Zstd(_) => bytes.extend_from_slice(data),
        }
        Ok(())
    }
}

fn wrapping(codec: Codec) -> Wrapping {
    if codec == Codec::GzipFile { Wrapping::File } else { Wrapping::Zlib }
}

fn failed(why: String) -> crate::Error {
    Fault::new(0, ErrorKind::Compression(why)).writing("compressed data")
}

/// Joins pieces to streams, one stream after the other.
pub(crate) struct Joint {
    compression: Compression,
    codec: Codec,
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
    /// For the blocks of an archive in custom format.
    pub(crate) fn of_blocks(compression: Compression) -> Self {
        Self::of(compression, Codec::of_blocks(compression))
    }

    /// For the files of one in directory format. Without data, a file of lz4 or zstd is an empty frame; pg_dump makes it an
    /// empty file, which not every pg_restore can read (19rc1).
    pub(crate) fn of_files(compression: Compression) -> Self {
        Self::of(compression, Codec::of_files(compression))
    }

    fn of(compression: Compression, codec: Codec) -> Self {
        Self {
            compression,
            codec,
            sum: gzip::Sum::new(wrapping(codec)),
            is_empty: true,
            is_whole: false,
            frames: None,
            threads: 0,
            bytes: Vec::new(),
        }
    }

    /// How the pieces are to be compressed.
    pub(crate) fn codec(&self) -> Codec {
        self.codec
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
        (self.sum, self.is_empty, self.is_whole) = (gzip::Sum::new(wrapping(self.codec)), true, false);
        self.bytes.clear();
        self.begin();
        &self.bytes
    }

    fn begin(&mut self) {
        match self.compression {
            Compression::Gzip(level) => wrapping(self.codec).begin(level, &mut self.bytes),
            Compression::Lz4 => self.bytes.extend_from_slice(&lz4::header()),
            Compression::None | Compression::Zstd(_) => {}
        }
    }

    /// Adds a piece; gives the bytes that come next in the stream.
    pub(crate) fn add<'a>(&'a mut self, piece: &'a Piece) -> Result<&'a [u8]> {
        if piece.bytes.is_empty() {
            return Ok(&[]);
        }
        self.is_empty = false;
        self.sum.add(piece.sum, piece.length);
        self.is_whole |= piece.is_whole;
        self.bytes.clear();
        match self.compression {
            Compression::Zstd(level) if !piece.is_whole => {
                let frames = match &mut self.frames {
                    Some(frames) => frames,
                    empty => empty.insert(zstd::FrameEncoder::new(level, self.threads).map_err(failed)?),
                };
                frames.add(&piece.bytes, &mut self.bytes).map_err(failed)?;
            }
            _ => return Ok(&piece.bytes),
        }
        Ok(&self.bytes)
    }

    /// Ends the stream; gives the bytes that it ends with.
    pub(crate) fn end(&mut self) -> Result<&[u8]> {
        self.bytes.clear();
        match self.compression {
            Compression::Gzip(_) => self.sum.end(&mut self.bytes),
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
