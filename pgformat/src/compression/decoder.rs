//! One decoder for all algorithms, fed with whatever bytes are at hand.

use super::{Compression, gzip, lz4, zstd};

/// How a stream is compressed, by where it is stored: what archives call gzip is a zlib stream in a block, and a gzip file
/// where it is a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Zlib,
    GzipFile,
    Lz4,
    Zstd,
}

impl Codec {
    /// How the blocks of an archive in custom format are compressed.
    pub(crate) fn of_blocks(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Gzip(_) => Self::Zlib,
            Compression::Lz4 => Self::Lz4,
            Compression::Zstd(_) => Self::Zstd,
        }
    }

    /// How the files of an archive in directory format are compressed.
    pub(crate) fn of_files(compression: Compression) -> Self {
        match compression {
            Compression::Gzip(_) => Self::GzipFile,
            other => Self::of_blocks(other),
        }
    }

    /// Whether nothing at all stands for no data: pg_dump begins an lz4 or zstd file with its first byte of data.
    pub(crate) fn may_be_empty(self) -> bool {
        matches!(self, Self::None | Self::Lz4 | Self::Zstd)
    }
}

/// Undoes the compression of one stream after another.
pub(crate) enum Decoder {
    None,
    Gzip(gzip::Decoder),
    Lz4(Box<lz4::Decoder>),
    Zstd(zstd::Decoder),
}

impl Decoder {
    pub(crate) fn new(codec: Codec) -> Result<Self, String> {
        Ok(match codec {
            Codec::None => Self::None,
            Codec::Zlib => Self::Gzip(gzip::Decoder::new()),
            Codec::GzipFile => Self::Gzip(gzip::Decoder::of_files()),
            Codec::Lz4 => Self::Lz4(Box::new(lz4::Decoder::new())),
            Codec::Zstd => Self::Zstd(zstd::Decoder::new()?),
        })
    }

    /// Gets ready for another stream.
    pub(crate) fn reset(&mut self) -> Result<(), String> {
        match self {
            Self::None => {}
            Self::Gzip(decoder) => decoder.reset(),
            Self::Lz4(decoder) => decoder.reset(),
            Self::Zstd(decoder) => decoder.reset()?,
        }
        Ok(())
    }

    /// Whether what was fed so far is a whole stream.
    pub(crate) fn is_ended(&self) -> bool {
        match self {
            Self::None => true,
            Self::Gzip(decoder) => decoder.is_ended(),
            Self::Lz4(decoder) => decoder.is_ended(),
            Self::Zstd(decoder) => decoder.is_ended(),
        }
    }

    /// What a stream lacks that ends before [`Decoder::is_ended`].
    pub(crate) fn what_is_missing(&self) -> &'static str {
        match self {
            Self::None => "nothing is missing",
            Self::Gzip(decoder) => decoder.what_is_missing(),
            Self::Lz4(_) => "the end of its lz4 frame is missing",
            Self::Zstd(_) => "the end of its zstd frame is missing",
        }
    }

    /// Takes some of `input` and gives some `output`: how many bytes of each. Neither means that it wants more input.
    pub(crate) fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize), String> {
        match self {
            Self::None => {
                let n = input.len().min(output.len());
                output[..n].copy_from_slice(&input[..n]);
                Ok((n, n))
            }
            Self::Gzip(decoder) => decoder.step(input, output),
            Self::Lz4(decoder) => decoder.step(input, output),
            Self::Zstd(decoder) => decoder.step(input, output),
        }
    }
}
