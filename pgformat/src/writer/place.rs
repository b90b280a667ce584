//! Where the streams of an archive go, by its format.

use std::io::Write;

use super::blocks::Blocks;
use super::folder::{CONTENTS, Folder};
use super::tar::Tar;
use crate::error::{Fault, Result};
use crate::primitives::Output;
use crate::toc::Entry;

#[derive(Debug)]
pub(super) enum Place<W> {
    Blocks(Blocks<W>),
    Folder(Box<Folder<W>>),
    Tar(Tar<W>),
}

impl<W: Write> Place<W> {
    /// What the table of contents was written to.
    pub(super) fn contents(&self) -> &Output<W> {
        match self {
            Self::Blocks(blocks) => &blocks.output,
            Self::Folder(folder) => &folder.contents,
            Self::Tar(tar) => &tar.output,
        }
    }

    /// The file that was worked on last, if there are several.
    pub(super) fn file(&self) -> Option<&str> {
        match self {
            Self::Blocks(_) | Self::Tar(_) => None,
            Self::Folder(folder) => Some(&folder.at),
        }
    }

    /// The file with the table of contents, if it is one by itself.
    pub(super) fn contents_file(&self) -> Option<&str> {
        self.file().map(|_| CONTENTS)
    }

    /// Begins the data of the entry at a place of the table of contents.
    pub(super) fn begin(&mut self, at: usize, entry: &Entry) -> Result<(), Fault> {
        match self {
            Self::Blocks(blocks) => blocks.begin(at, entry),
            Self::Folder(folder) => folder.begin(entry),
            Self::Tar(tar) => tar.begin(entry),
        }
    }

    pub(super) fn large_object(&mut self, oid: u32) -> Result<(), Fault> {
        match self {
            Self::Blocks(blocks) => blocks.large_object(oid),
            Self::Folder(folder) => folder.large_object(oid),
            Self::Tar(tar) => tar.large_object(oid),
        }
    }

    /// Begins a stream of pieces.
    pub(super) fn begin_pieces(&mut self) {
        if let Self::Blocks(blocks) = self {
            blocks.begin_pieces();
        }
    }

    /// Adds to a stream of pieces.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Blocks(blocks) => blocks.add(bytes),
            Self::Folder(folder) => folder.add(bytes),
            Self::Tar(tar) => tar.add(bytes),
        }
    }

    /// Adds to a stream what is to stay together.
    pub(super) fn chunk(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        match self {
            Self::Blocks(blocks) => blocks.chunk(bytes),
            Self::Folder(folder) => folder.add(bytes),
            Self::Tar(tar) => tar.add(bytes),
        }
    }

    /// Ends a stream, of chunks or of pieces.
    pub(super) fn end_stream(&mut self, is_of_chunks: bool) -> Result<(), Fault> {
        match self {
            Self::Blocks(blocks) if is_of_chunks => blocks.end(),
            Self::Blocks(blocks) => blocks.end_pieces(),
            Self::Folder(folder) => folder.end_stream(),
            Self::Tar(tar) => tar.end_stream(),
        }
    }

    pub(super) fn end_large_objects(&mut self) -> Result<(), Fault> {
        match self {
            Self::Blocks(blocks) => blocks.end(),
            Self::Folder(folder) => folder.end_large_objects(),
            Self::Tar(tar) => tar.end_large_objects(),
        }
    }

    /// Begins the script of a tar file; says whether this is one.
    pub(super) fn begin_script(&mut self) -> Result<bool, Fault> {
        match self {
            Self::Blocks(_) | Self::Folder(_) => Ok(false),
            Self::Tar(tar) => tar.begin_script().map(|()| true),
        }
    }

    /// Completes the archive; gives back what the table of contents was written to.
    pub(super) fn finish(self) -> Result<W> {
        let (mut contents, file) = match self {
            Self::Blocks(mut blocks) => {
                let written = blocks.write_positions();
                written.map_err(|fault| fault.writing("the offsets in the table of contents"))?;
                (blocks.output, None)
            }
            Self::Folder(folder) => (folder.contents, Some(CONTENTS)),
            Self::Tar(tar) => {
                let output = tar.finish().map_err(|fault| fault.writing("the end of the tar file"))?;
                (output, None)
            }
        };
        contents.flush().map_err(|fault| fault.writing("the end of the archive").in_file(file))?;
        Ok(contents.into_inner())
    }
}
