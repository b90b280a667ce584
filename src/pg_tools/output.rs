//! The file that a tool writes, or standard output. A file replaces one that is there, when it is complete; one that cannot be
//! replaced is filled, if it is empty.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use rustix::fs::{Access, AtFlags, CWD};

use super::failure::Failure;
use crate::console::standard_streams;
use crate::postgres::dump::Sink;
use crate::{Error, ErrorKind, Existing, Flush, KeptFile, OutputFile, Reporter, Result as EngineResult, open_special};

/// How much is gathered before it is written.
const BUFFER: usize = 64 * 1024;

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Archive,
    Script,
}

/// Where it goes.
pub(super) enum Output {
    /// Standard output, a pipe, a device; what is to be brought to the disk of it.
    Stream(BufWriter<File>, Flush),
    /// A file that no other can replace.
    Kept(Box<KeptFile>),
    /// A file, boxed because it is by far the larger.
    File(Box<OutputFile>),
}

/// Refuses a file that the process may not write, though it could be replaced: who made it so wants it kept.
fn check_writable(path: &Path) -> EngineResult<()> {
    let may = || rustix::fs::accessat(CWD, path, Access::WRITE_OK, AtFlags::EACCESS);
    if !path.is_file() || may().is_ok() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Io, format!("open output file \"{}\"", path.display())).why("Permission denied"))
}

impl Output {
    /// Opens the file at `path`; without one, standard output. A script has `-` for that, too.
    ///
    /// # Errors
    /// The file cannot be made; standard output is closed.
    pub(super) fn open(path: Option<&Path>, kind: Kind, flush: Flush, reporter: &dyn Reporter) -> EngineResult<Self> {
        let stream = |file| Self::Stream(BufWriter::with_capacity(BUFFER, file), flush);
        let path = path.filter(|path| !path.as_os_str().is_empty());
        let Some(path) = path.filter(|path| kind == Kind::Archive || *path != Path::new("-")) else {
            return standard_streams::output_of_tool("write to standard output").map(stream);
        };
        // It may be a file, too, which others go on to write to.
        if *path != *Path::new("-") && standard_streams::is_output(path) {
            return standard_streams::output_of_tool("write to standard output").map(stream);
        }
        if standard_streams::is_messages(path) {
            return standard_streams::messages_of_tool("write to standard error").map(stream);
        }
        if let Some(file) = open_special(path)? {
            return Ok(stream(file));
        }
        check_writable(path)?;
        match KeptFile::open(path, reporter.cancellation())? {
            Some(file) => Ok(Self::Kept(Box::new(file.flushing(flush)))),
            None => {
                let file = OutputFile::create(path, Existing::Replace, reporter)?.readable_as_usual()?.flushing(flush);
                Ok(Self::File(Box::new(file)))
            }
        }
    }

    /// The same for an archive.
    pub(super) fn sink(&mut self) -> Sink<'_> {
        match self {
            Self::Stream(out, _) => Sink::Stream(out),
            Self::Kept(file) => Sink::Seekable(&mut **file),
            Self::File(file) => Sink::Seekable(&mut **file),
        }
    }

    /// Where a script is written.
    pub(super) fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Stream(out, _) => out,
            Self::Kept(file) => &mut **file,
            Self::File(file) => &mut **file,
        }
    }

    /// Gives the file its name, if the script was `written`.
    ///
    /// # Errors
    /// It was not, or the file cannot be finished.
    pub(super) fn finish_script(self, written: Result<(), Failure>) -> Result<(), Failure> {
        match written {
            Ok(()) => Ok(self.finish(Ok(()))?),
            Err(Failure::Engine(error)) => Ok(self.finish(Err(error))?),
            Err(failure) => Err(failure),
        }
    }

    /// Gives the file its name, if what was to be `made` was made.
    ///
    /// # Errors
    /// It was not, or the file cannot be finished.
    pub(super) fn finish<T>(self, made: EngineResult<T>) -> EngineResult<T> {
        match self {
            Self::Stream(mut out, flush) => {
                let made = made?;
                out.flush().map_err(|e| crate::io_error("write to standard output", Path::new("-"), e))?;
                standard_streams::finish(out.get_ref(), flush, "write to standard output")?;
                Ok(made)
            }
            Self::Kept(file) => {
                let made = made.map_err(|error| file.explain(error))?;
                file.commit()?;
                Ok(made)
            }
            Self::File(file) => {
                let made = made.map_err(|error| file.explain(error))?;
                file.commit()?;
                Ok(made)
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Stream(out, _) => out.write(bytes),
            Self::Kept(file) => file.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Stream(out, _) => out.flush(),
            Self::Kept(file) => file.flush(),
            Self::File(file) => file.flush(),
        }
    }
}
