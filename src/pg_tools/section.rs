//! The option `--section`, which all tools that have it read alike.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::failure::Failure;
use crate::postgres::archive::Sections;
use crate::printable::escaped;

/// A section of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    PreData,
    Data,
    PostData,
}

/// The section of this name.
///
/// # Errors
/// There is none.
pub(super) fn named(argument: &OsStr) -> Result<Section, Failure> {
    match argument.as_bytes() {
        b"pre-data" => Ok(Section::PreData),
        b"data" => Ok(Section::Data),
        b"post-data" => Ok(Section::PostData),
        _ => Err(Failure::UsageWithHelp(format!(
            "unrecognized section name: \"{}\"",
            escaped(&argument.to_string_lossy())
        ))),
    }
}

/// What the sections that were named come to: all, if none was.
pub(super) fn all(named: &[Section]) -> Sections {
    let has = |section| named.is_empty() || named.contains(&section);
    Sections { pre_data: has(Section::PreData), data: has(Section::Data), post_data: has(Section::PostData) }
}
