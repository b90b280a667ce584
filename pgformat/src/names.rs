//! The names of the files that a directory archive has, and of the members of a tar archive. A reader asks for these names
//! and no others, so that nothing that an archive says can lead it elsewhere.

use std::fmt;

use bstr::ByteSlice;

use crate::compression::Codec;
use crate::{DumpId, Entry, Version};

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Name {
    /// The header and the table of contents.
    Contents,
    /// The rows of an entry.
    Data(DumpId),
    /// The large objects of an entry, one a line; before 1.16 there was one entry, which it does not name.
    List(Option<DumpId>),
    /// A large object.
    Object(u32),
}

/// How a compressed file's name ends, in the order in which pg_restore looks.
pub(crate) const SUFFIXES: [(&str, Codec); 4] =
    [("", Codec::None), (".gz", Codec::GzipFile), (".lz4", Codec::Lz4), (".zst", Codec::Zstd)];

/// How the name of a file ends that is compressed so.
pub(crate) fn suffix(codec: Codec) -> &'static str {
    SUFFIXES.iter().find(|(_, own)| *own == codec).map_or("", |(suffix, _)| suffix)
}

impl Name {
    /// The file with an entry's data, or with the list of its large objects.
    pub(crate) fn of(entry: &Entry, version: Version) -> Self {
        match entry.holds_large_objects() {
            true => Self::List((version >= Version::V1_16).then_some(entry.dump_id)),
            false => Self::Data(entry.dump_id),
        }
    }

    /// What a file of this name holds, and how it is compressed; `None` if it is no part of an archive.
    pub(crate) fn parse(name: &[u8]) -> Option<(Self, Codec)> {
        let suffix = |(suffix, codec): &(&str, Codec)| Some((name.strip_suffix(suffix.as_bytes())?, *codec));
        // The empty suffix comes last here, for every name ends with it.
        let (bare, codec) = SUFFIXES.iter().rev().find_map(suffix)?;
        let bare = bare.to_str().ok()?;
        let name = match bare {
            "toc.dat" => Self::Contents,
            "blobs.toc" => Self::List(None),
            _ => {
                if let Some(id) = bare.strip_prefix("blobs_").and_then(|rest| rest.strip_suffix(".toc")) {
                    Self::List(Some(DumpId(number(id)?.try_into().ok()?)))
                } else if let Some(oid) = bare.strip_prefix("blob_").and_then(|rest| rest.strip_suffix(".dat")) {
                    Self::Object(number(oid)?)
                } else {
                    Self::Data(DumpId(number(bare.strip_suffix(".dat")?)?.try_into().ok()?))
                }
            }
        };
        Some((name, codec))
    }
}

/// Whether a file of this name may be one of an archive in directory format.
pub fn is_archive_file(name: &[u8]) -> bool {
    Name::parse(name).is_some()
}

/// A positive number as pg_dump writes it.
fn number(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contents => f.write_str("toc.dat"),
            Self::Data(id) => write!(f, "{id}.dat"),
            Self::List(None) => f.write_str("blobs.toc"),
            Self::List(Some(id)) => write!(f, "blobs_{id}.toc"),
            Self::Object(oid) => write!(f, "blob_{oid}.dat"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_parsed_to_the_same() {
        for name in [
            Name::Contents,
            Name::Data(DumpId(1)),
            Name::Data(DumpId(i32::MAX)),
            Name::List(None),
            Name::List(Some(DumpId(90))),
            Name::Object(u32::MAX),
        ] {
            for (suffix, codec) in SUFFIXES {
                assert_eq!(Name::parse(format!("{name}{suffix}").as_bytes()), Some((name, codec)));
            }
        }
    }

    #[test]
    fn nothing_else_is_a_name() {
        for name in [
            "",
            ".dat",
            "0.dat",
            "01.dat",
            "+1.dat",
            "-1.dat",
            "2147483648.dat",
            "blob_0.dat",
            "blob_4294967296.dat",
            "blobs_.toc",
            "1.dat.bz2",
            "../1.dat",
            "/1.dat",
            "a/toc.dat",
            "restore.sql",
            "toc.dat\0",
            "1.DAT",
        ] {
            assert_eq!(Name::parse(name.as_bytes()), None, "{name}");
        }
        assert_eq!(Name::parse(b"\xff.dat"), None);
    }
}
