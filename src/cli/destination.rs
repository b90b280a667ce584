//! Where an archive or a script goes: a file that appears when it is complete, or what takes all that is written to it at once.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use crate::console::standard_streams;
use crate::{Error, ErrorKind, Existing, OutputFile, Reporter, Result, open_special};

/// How much is gathered before it is written to a stream.
const BUFFER: usize = 64 * 1024;

/// Where data goes.
#[derive(Debug)]
pub(crate) enum Destination {
    /// Standard output, a pipe, a device.
    Stream(BufWriter<File>),
    /// A file, boxed because it is by far the larger.
    File(Box<OutputFile>),
}

impl Destination {
    /// Opens what `path` names, `-` being standard output. `what` is to be written: "the archive".
    ///
    /// # Errors
    /// As [`OutputFile::create`] and [`standard_streams::output`].
    pub(crate) fn open(path: &Path, existing: Existing, what: &str, reporter: &dyn Reporter) -> Result<Self> {
        let stream = |file| Self::Stream(BufWriter::with_capacity(BUFFER, file));
        if standard_streams::is_output(path) {
            return standard_streams::output(&format!("write {what} to standard output")).map(stream);
        }
        if standard_streams::is_messages(path) {
            return Err(Error::new(ErrorKind::Usage, format!("write {what} to {}", path.display()))
                .why("that is standard error, so that messages would get into it")
                .hint("give the name of a file, or - for standard output"));
        }
        match open_special(path)? {
            Some(file) => Ok(stream(file)),
            None => OutputFile::create(path, existing, reporter).map(|file| Self::File(Box::new(file))),
        }
    }
}
