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
}

impl Piece {
    /// A piece of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The piece as it goes into the archive.
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
        piece.bytes.clear();
        // One that once held an enormous row need not keep its memory for ever.
        if piece.bytes.capacity() / 4 > data.len().max(KEPT) {
            piece.bytes = Vec::new();
        }
        (piece.length, piece.sum, piece.algorithm) = (data.len() as u64, 1, Some(self.compression.name()));
        if data.is_empty() {
            return Ok(());
        }
        let bytes = &mut piece.bytes;
        match &mut self.codec {
            Codec::None => bytes.extend_from_slice(data),
            Codec::Gzip(encoder) => piece.sum = encoder.encode(dictionary, data, bytes).map_err(failed)?,
            Codec::Lz4(encoder) => encoder.encode(data, bytes).map_err(failed)?,
            Codec::Zstd(encoder) => encoder.encode(data, bytes).map_err(failed)?,
        }
        Ok(())
    }
}

fn failed(why: String) -> crate::Error {
    Fault::new(0, ErrorKind::Compression(why)).writing("compressed data")
}

/// What begins and ends a stream of pieces.
#[derive(Debug)]
pub(crate) struct Joint {
    compression: Compression,
    sum: gzip::Sum,
    empty: bool,
}

impl Joint {
    pub(crate) fn new(compression: Compression) -> Self {
        Self { compression, sum: gzip::Sum::new(), empty: true }
    }

    pub(crate) fn start(&self) -> Vec<u8> {
        match self.compression {
            Compression::Gzip(level) => gzip::header(level).to_vec(),
            Compression::Lz4 => lz4::header().to_vec(),
            Compression::None | Compression::Zstd(_) => Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, piece: &Piece) {
        self.sum.add(piece.sum, piece.length);
        self.empty &= piece.bytes.is_empty();
    }

    pub(crate) fn end(&self) -> Vec<u8> {
        match self.compression {
            Compression::Gzip(_) => {
                let mut end = gzip::LAST_BLOCK.to_vec();
                end.extend_from_slice(&self.sum.0.to_be_bytes());
                end
            }
            Compression::Lz4 => lz4::END.to_vec(),
            Compression::Zstd(_) if self.empty => zstd::EMPTY_FRAME.to_vec(),
            Compression::None | Compression::Zstd(_) => Vec::new(),
        }
    }
}
