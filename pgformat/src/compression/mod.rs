//! How the data of an archive is compressed: the algorithms, and one codec a file.

mod decoder;
mod gzip;
mod joined;
mod lz4;
mod piece;
mod zstd;

use std::fmt;
use std::str::FromStr;

use crate::Version;

pub(crate) use decoder::{Codec, Decoder};
pub use joined::FileWriter;
pub(crate) use piece::Joint;
pub use piece::{Piece, PieceEncoder};

/// The algorithm that compresses the data of an archive, with the level to write it with. Archives from 1.15 on name the
/// algorithm only: `None` for a level means the algorithm's default when writing, and "unknown" when read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Data is stored as it is.
    #[default]
    None,
    /// A zlib stream each table (not a gzip file, whatever its name says), in directory format a gzip file; level 1 to 9.
    Gzip(Option<u8>),
    /// The LZ4 frame format.
    Lz4,
    /// Zstandard; level -131072 to 22, but not 0.
    Zstd(Option<i32>),
}

impl Compression {
    /// gzip at the level zlib takes by default.
    pub const GZIP: Self = Self::Gzip(None);
    /// Zstandard at the level it takes by default.
    pub const ZSTD: Self = Self::Zstd(None);

    /// The lowest archive version that can carry it.
    pub fn lowest_version(self) -> Version {
        match self {
            Self::None | Self::Gzip(_) => Version::OLDEST,
            Self::Lz4 | Self::Zstd(_) => Version::V1_15,
        }
    }

    /// How many bytes of data make a good piece for a [`PieceEncoder`]: enough for about the ratio of a single stream.
    /// lz4 wants more than the others, for its pieces do not refer to what is before them, and so does zstd, where a piece
    /// that is all of a stream is compressed by itself.
    pub fn piece_size(self) -> usize {
        match self {
            Self::None | Self::Gzip(_) => 256 * 1024,
            Self::Lz4 | Self::Zstd(_) => 1024 * 1024,
        }
    }

    /// The algorithm's name, as pg_dump spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip(_) => "gzip",
            Self::Lz4 => "lz4",
            Self::Zstd(_) => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match self {
            Self::Gzip(Some(level)) => write!(f, ":{level}"),
            Self::Zstd(Some(level)) => write!(f, ":{level}"),
            _ => Ok(()),
        }
    }
}

/// A text does not name a way to compress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseCompressionError(String);

impl fmt::Display for ParseCompressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseCompressionError {}

impl FromStr for Compression {
    type Err = ParseCompressionError;

    /// Takes what pg_dump's `--compress` takes: `none`, `gzip:6`, `lz4`, `zstd:3`, `zstd:level=3`, or a bare gzip level
    /// of which 0 means none.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = |why: String| Err(ParseCompressionError(why));
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return gzip_level(text);
        }
        let (name, detail) = match text.split_once(':') {
            Some((name, detail)) => (name, Some(detail)),
            None => (text, None),
        };
        let level = detail.map(|detail| detail.strip_prefix("level=").unwrap_or(detail));
        match (name, level) {
            ("none", None) => Ok(Self::None),
            ("gzip", None) => Ok(Self::Gzip(None)),
            ("gzip", Some(level)) => gzip_level(level),
            ("lz4", None) => Ok(Self::Lz4),
            ("zstd", None) => Ok(Self::Zstd(None)),
            ("zstd", Some(level)) => match level.parse::<i32>() {
                Ok(0) => Ok(Self::Zstd(None)),
                Ok(level @ -131_072..=22) => Ok(Self::Zstd(Some(level))),
                _ => error(format!("\"{level}\" is no level of zstd: it is a number from -131072 to 22")),
            },
            ("none" | "lz4", Some(_)) => error(format!("{name} takes no level: write just \"{name}\"")),
            _ => {
                error(format!("\"{name}\" is no compression: write none, gzip, lz4 or zstd, with a level as in gzip:6"))
            }
        }
    }
}

fn gzip_level(level: &str) -> Result<Compression, ParseCompressionError> {
    match level.parse::<u8>() {
        Ok(0) => Ok(Compression::None),
        Ok(level @ 1..=9) => Ok(Compression::Gzip(Some(level))),
        _ => Err(ParseCompressionError(format!("\"{level}\" is no level of gzip: it is a number from 0 to 9"))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn compressions_are_parsed() {
        for (text, meant) in [
            ("none", Compression::None),
            ("0", Compression::None),
            ("gzip:0", Compression::None),
            ("6", Compression::Gzip(Some(6))),
            ("gzip", Compression::Gzip(None)),
            ("gzip:6", Compression::Gzip(Some(6))),
            ("gzip:level=9", Compression::Gzip(Some(9))),
            ("lz4", Compression::Lz4),
            ("zstd", Compression::Zstd(None)),
            ("zstd:0", Compression::Zstd(None)),
            ("zstd:3", Compression::Zstd(Some(3))),
            ("zstd:level=-5", Compression::Zstd(Some(-5))),
        ] {
            assert_eq!(text.parse::<Compression>().unwrap(), meant, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_parsed_to_the_same() {
        for meant in [
            Compression::None,
            Compression::GZIP,
            Compression::Gzip(Some(1)),
            Compression::Lz4,
            Compression::ZSTD,
            Compression::Zstd(Some(-7)),
        ] {
            assert_eq!(meant.to_string().parse::<Compression>().unwrap(), meant);
        }
    }

    #[test]
    fn what_is_no_compression_is_refused_with_the_reason() {
        for (text, why) in [
            ("", "\"\" is no compression: write none, gzip, lz4 or zstd, with a level as in gzip:6"),
            ("brotli:1", "\"brotli\" is no compression: write none, gzip, lz4 or zstd, with a level as in gzip:6"),
            ("10", "\"10\" is no level of gzip: it is a number from 0 to 9"),
            ("gzip:x", "\"x\" is no level of gzip: it is a number from 0 to 9"),
            ("gzip:", "\"\" is no level of gzip: it is a number from 0 to 9"),
            ("zstd:23", "\"23\" is no level of zstd: it is a number from -131072 to 22"),
            ("zstd:3,long", "\"3,long\" is no level of zstd: it is a number from -131072 to 22"),
            ("none:1", "none takes no level: write just \"none\""),
            ("lz4:9", "lz4 takes no level: write just \"lz4\""),
        ] {
            assert_eq!(text.parse::<Compression>().unwrap_err().to_string(), why, "{text}");
        }
    }
}
