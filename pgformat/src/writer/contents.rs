//! The beginning of an archive: the header, and the table of contents, one entry after the other.

use std::collections::HashMap;
use std::fmt;
use std::io::{Seek, Write};

use super::Writer;
use super::blocks::Blocks;
use super::folder::{self, BoxedFiles, CONTENTS, Folder};
use super::place::Place;
use super::tar::{self, NewTar};
use crate::error::{Direction, Error, ErrorKind, Result};
use crate::files::NewFiles;
use crate::header::{Format, Header};
use crate::primitives::Output;
use crate::spool::NewSpool;
use crate::toc::{self, DumpId, Entry};

/// Writes the table of contents, and then gives the [`Writer`] of the data.
///
/// What an entry says is written and forgotten, so that a table of contents may be larger than the memory there is: it
/// can be made while it is written.
pub struct ContentsWriter<W> {
    output: Output<W>,
    data: DataPlace<W>,
    header: Header,
    /// How many entries there will be, which stands before the first of them.
    count: usize,
    written: Written,
}

/// Where the data goes.
enum DataPlace<W> {
    /// After the table of contents.
    Blocks,
    /// Into files beside it.
    Folder(Box<BoxedFiles<W>>),
    /// Into members after it.
    Tar(NewTar),
}

impl<W> DataPlace<W> {
    /// The file with the table of contents, if it is one by itself.
    fn contents_file(&self) -> Option<&'static str> {
        matches!(self, Self::Folder(_)).then_some(CONTENTS)
    }
}

/// What is known of the entries once they are written: no texts but those that name an entry in messages.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) entries: Vec<Entry>,
    pub(super) index: HashMap<DumpId, usize>,
    /// Where each says the place of its data.
    pub(super) places: Vec<u64>,
    /// How many have large objects.
    lists: usize,
}

impl<W> fmt::Debug for ContentsWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentsWriter").field("header", &self.header).finish_non_exhaustive()
    }
}

impl<W: Write> ContentsWriter<W> {
    /// Writes the header to an output that need not seek; exactly `count` entries must follow. See [`Writer::new`].
    ///
    /// # Errors
    /// The version cannot carry the compression; writing fails.
    pub fn new(out: W, header: Header, count: usize) -> Result<Self> {
        Self::start(Output::streaming(out), DataPlace::Blocks, header, count)
    }

    /// As [`ContentsWriter::new`], to an output that can seek. See [`Writer::seekable`].
    ///
    /// # Errors
    /// As [`ContentsWriter::new`]; seeking fails.
    pub fn seekable(out: W, header: Header, count: usize) -> Result<Self>
    where
        W: Seek,
    {
        let output = Output::seekable(out).map_err(|fault| fault.writing("the header"))?;
        Self::start(output, DataPlace::Blocks, header, count)
    }

    /// As [`ContentsWriter::new`], for an archive in directory format, which its header says ([`Header::in_folder`]); this begins
    /// its table of contents, `toc.dat`. The other files are made one after the other.
    ///
    /// # Errors
    /// As [`ContentsWriter::new`]; the file cannot be made.
    pub fn folder(mut files: Box<dyn NewFiles<File = W> + Send + Sync>, header: Header, count: usize) -> Result<Self> {
        header.check(Format::Directory).map_err(|kind| Error::new(Direction::Writing, "the header", 0, kind))?;
        let output = folder::contents(&mut *files);
        let output = output.map_err(|fault| fault.writing("the table of contents").in_file(Some(CONTENTS)))?;
        Self::start(output, DataPlace::Folder(files), header, count)
    }

    /// As [`ContentsWriter::new`], for an archive in tar format, which its header says ([`Header::in_tar`]), to an output that can
    /// seek. All members say that they were changed at `modified`, in seconds since 1970.
    ///
    /// # Errors
    /// As [`ContentsWriter::new`]; seeking fails.
    pub fn tar(out: W, header: Header, count: usize, modified: u64) -> Result<Self>
    where
        W: Seek,
    {
        let output = tar::seekable(out).map_err(|fault| fault.writing("the header"))?;
        Self::begin_tar(output, header, count, modified)
    }

    /// As [`ContentsWriter::tar`], to an output that need not seek. What a member is does not go out before its end is known: a
    /// long one waits in the temporary file that `spool` makes.
    ///
    /// # Errors
    /// As [`ContentsWriter::new`].
    pub fn tar_stream(out: W, spool: Box<NewSpool>, header: Header, count: usize, modified: u64) -> Result<Self> {
        Self::begin_tar(tar::streaming(out, spool), header, count, modified)
    }

    fn begin_tar(mut output: Output<W>, header: Header, count: usize, modified: u64) -> Result<Self> {
        let began = NewTar::begin(&mut output, modified).map_err(|fault| fault.writing("the header"))?;
        Self::start(output, DataPlace::Tar(began), header, count)
    }

    fn start(mut output: Output<W>, data: DataPlace<W>, header: Header, count: usize) -> Result<Self> {
        let format = match data {
            DataPlace::Blocks => Format::Custom,
            DataPlace::Folder(_) => Format::Directory,
            DataPlace::Tar(_) => Format::Tar,
        };
        header.check(format).map_err(|kind| Error::new(Direction::Writing, "the header", 0, kind))?;
        let file = data.contents_file();
        header.write(&mut output).map_err(|fault| fault.writing("the header").in_file(file))?;
        let number = i64::try_from(count).unwrap_or(i64::MAX);
        let counted = output.int(header.int_size, number);
        counted.map_err(|fault| fault.writing("the number of entries").in_file(file))?;
        Ok(Self { output, data, header, count, written: Written::default() })
    }

    /// Writes the next entry.
    ///
    /// # Errors
    /// It is one too many; the version cannot carry it; another one has its number; writing fails. The archive is lost
    /// then, and this with it.
    pub fn entry(mut self, entry: Entry) -> Result<Self> {
        let written = &mut self.written;
        let at = written.entries.len();
        let checked = match at == self.count {
            true => Err(ErrorKind::Protocol(format!("only {at} entries were announced"))),
            false => toc::check(&entry, self.header.version),
        };
        let file = self.data.contents_file();
        let at_offset = self.output.offset();
        let refuse = |kind| Error::new(Direction::Writing, "the table of contents", at_offset, kind).in_file(file);
        checked.map_err(refuse)?;
        written.lists += usize::from(entry.has_data && entry.holds_large_objects());
        toc::check_lists(written.lists, &self.header).map_err(refuse)?;
        if written.index.insert(entry.dump_id, at).is_some() {
            return Err(refuse(toc::two_of(entry.dump_id)));
        }
        let place = toc::write(&mut self.output, &self.header, &entry);
        written.places.push(place.map_err(|fault| fault.writing(entry.label()).in_file(file))?);
        written.entries.push(Entry {
            definition: None,
            drop_statement: None,
            copy_statement: None,
            owner: None,
            dependencies: Vec::new(),
            ..entry
        });
        Ok(self)
    }

    /// Ends the table of contents; what is given back writes the data.
    ///
    /// # Errors
    /// An entry is missing.
    pub fn finish(self) -> Result<Writer<W>> {
        let (written, announced) = (self.written.entries.len(), self.count);
        if written != announced {
            let kind = ErrorKind::Protocol(format!("{announced} entries were announced, and {written} written"));
            let error = Error::new(Direction::Writing, "the table of contents", self.output.offset(), kind);
            return Err(error.in_file(self.data.contents_file()));
        }
        let place = match self.data {
            DataPlace::Blocks => Place::Blocks(Blocks::new(self.output, &self.header, self.written.places)),
            DataPlace::Folder(files) => Place::Folder(Box::new(Folder::new(files, self.output, &self.header))),
            DataPlace::Tar(began) => {
                let tar = began.end(self.output, self.header.version);
                Place::Tar(tar.map_err(|fault| fault.writing("the table of contents"))?)
            }
        };
        Ok(Writer::begin_with(place, self.header, self.written.entries, self.written.index))
    }
}
