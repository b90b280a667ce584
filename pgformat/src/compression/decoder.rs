//! One decoder for all algorithms, fed with whatever bytes are at hand.

use super::{Compression, gzip, lz4, zstd};

/// Undoes the compression of one stream after another.
pub(crate) enum Decoder {
    None,
    Gzip(gzip::Decoder),
    Lz4(Box<lz4::Decoder>),
    Zstd(zstd::Decoder),
}

impl Decoder {
    pub(crate) fn new(compression: Compression) -> Result<Self, String> {
        Ok(match compression {
            Compression::None => Self::None,
            Compression::Gzip(_) => Self::Gzip(gzip::Decoder::new()),
            Compression::Lz4 => Self::Lz4(Box::new(lz4::Decoder::new())),
            Compression::Zstd(_) => Self::Zstd(zstd::Decoder::new()?),
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
            Self::Gzip(_) => "the end of its zlib stream is missing",
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
