//! The directory format: each stream a file.

use std::fmt;
use std::io::{self, Write};

use crate::compression::Codec;
use crate::error::{ErrorKind, Fault};
use crate::files::NewFiles;
use crate::names::{Name, suffix};
use crate::primitives::Output;
use crate::{Entry, Header, Version};

/// Who makes the files.
pub(super) type BoxedFiles<W> = dyn NewFiles<File = W> + Send + Sync;

/// The name of the table of contents.
pub(super) const CONTENTS: &str = "toc.dat";

/// The files beside a table of contents.
pub(super) struct Folder<W> {
    files: Box<BoxedFiles<W>>,
    /// The table of contents.
    pub(super) contents: Output<W>,
    version: Version,
    suffix: &'static str,
    /// The file that was worked on last.
    pub(super) at: String,
    /// The file of the open stream.
    file: Option<(String, Output<W>)>,
    /// That of the list of the open block of large objects.
    list: Option<(String, Output<W>)>,
    /// The memory of files that were closed.
    buffers: Vec<Vec<u8>>,
}

impl<W> fmt::Debug for Folder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Folder").finish_non_exhaustive()
    }
}

fn fault(error: io::Error) -> Fault {
    Fault::new(0, ErrorKind::Io(error))
}

/// For bytes that have nowhere to go: they are not to be lost without a word.
fn none_is_open() -> Fault {
    Fault::new(0, ErrorKind::Protocol("no file is open".into()))
}

/// Begins the table of contents.
pub(super) fn contents<W: Write>(files: &mut BoxedFiles<W>) -> Result<Output<W>, Fault> {
    files.create(CONTENTS).map(Output::streaming).map_err(fault)
}

impl<W: Write> Folder<W> {
    pub(super) fn new(files: Box<BoxedFiles<W>>, contents: Output<W>, header: &Header) -> Self {
        let suffix = suffix(Codec::of_files(header.compression));
        let (version, at) = (header.version, CONTENTS.into());
        Self { files, contents, version, suffix, at, file: None, list: None, buffers: Vec::new() }
    }

    fn open(&mut self, name: String) -> Result<(String, Output<W>), Fault> {
        self.at.clone_from(&name);
        let file = self.files.create(&name).map_err(fault)?;
        Ok((name, Output::with_buffer(file, self.buffers.pop().unwrap_or_default())))
    }

    /// Begins the data of an entry.
    pub(super) fn begin(&mut self, entry: &Entry) -> Result<(), Fault> {
        let name = Name::of(entry, self.version);
        if entry.holds_large_objects() {
            self.list = Some(self.open(name.to_string())?);
        } else {
            self.file = Some(self.open(format!("{name}{}", self.suffix))?);
        }
        Ok(())
    }

    pub(super) fn large_object(&mut self, oid: u32) -> Result<(), Fault> {
        let name = Name::Object(oid);
        let (at, list) = self.list.as_mut().ok_or_else(none_is_open)?;
        self.at.clone_from(at);
        list.bytes(format!("{oid} {name}\n").as_bytes())?;
        self.file = Some(self.open(format!("{name}{}", self.suffix))?);
        Ok(())
    }

    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (_, file) = self.file.as_mut().ok_or_else(none_is_open)?;
        file.bytes(bytes)
    }

    pub(super) fn end_stream(&mut self) -> Result<(), Fault> {
        let file = self.file.take();
        self.close(file)
    }

    pub(super) fn end_large_objects(&mut self) -> Result<(), Fault> {
        let list = self.list.take();
        self.close(list)
    }

    fn close(&mut self, open: Option<(String, Output<W>)>) -> Result<(), Fault> {
        let (name, mut output) = open.ok_or_else(none_is_open)?;
        self.at = name;
        output.flush()?;
        let (file, buffer) = output.into_parts();
        self.buffers.push(buffer);
        self.files.close(&self.at, file).map_err(fault)
    }
}
