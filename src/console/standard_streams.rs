//! Standard input and output where they carry data, and not words for a person.
//!
//! A stream that was closed when the process began (`>&-`) is no longer closed here: so that no file that is opened later gets
//! its number, Rust's runtime opens `/dev/null` in its place, for reading and writing, and takes a write to a stream that is
//! open for reading only as done. An archive would be written to nowhere, and called complete. So what such a stream is open
//! for is looked at first. Who wants nowhere says so: shells open `>/dev/null` for writing only.

use std::fs::File;
use std::os::fd::BorrowedFd;
use std::path::Path;

use rustix::fs::{FileType, OFlags, Stat};

use crate::{Context, Error, ErrorKind, Flush, Result};

/// What helps where standard output is of no use.
const OUTPUT_HINT: &str = "send it into a file or a program, or give the name of a file";

/// Standard input, for an archive or a list.
///
/// # Errors
/// It is closed, or not open for reading. `doing` says what for, worded to follow "could not".
pub(crate) fn input(doing: &str) -> Result<File> {
    let stream = rustix::stdio::stdin();
    let hint = "give the name of a file, or send something into it";
    refuse_closed(stream, ("standard input", OFlags::WRONLY), doing, hint)?;
    own(stream, doing)
}

/// Standard output, for an archive or a script.
///
/// # Errors
/// It is closed, or not open for writing; or messages, which go to standard error, would get into what is written there.
pub(crate) fn output(doing: &str) -> Result<File> {
    let stream = rustix::stdio::stdout();
    refuse_closed(stream, ("standard output", OFlags::RDONLY), doing, OUTPUT_HINT)?;
    refuse_messages(stream, doing)?;
    own(stream, doing)
}

/// As [`output`], also where messages go to the same place, and where nowhere is meant by `/dev/null` opened for reading and
/// writing: for tools whose callers do these.
///
/// # Errors
/// It is closed in a way that can be told, or not open for writing.
pub(crate) fn output_of_tool(doing: &str) -> Result<File> {
    let stream = rustix::stdio::stdout();
    if is_open_for(stream) != Some(OFlags::RDWR) {
        refuse_closed(stream, ("standard output", OFlags::RDONLY), doing, OUTPUT_HINT)?;
    }
    own(stream, doing)
}

/// Standard error, as [`output_of_tool`]: messages and what is written get into each other, as whoever names it so wants.
///
/// # Errors
/// It cannot be had.
pub(crate) fn messages_of_tool(doing: &str) -> Result<File> {
    own(rustix::stdio::stderr(), doing)
}

/// Makes what was written to standard output last, if it is a file, as far as `flush` says and its file system can.
///
/// # Errors
/// It could not be written to the disk: only now do some file systems say that they are full, or that they have failed.
pub(crate) fn finish(output: &File, flush: Flush, doing: &str) -> Result<()> {
    let found = output.metadata().context(ErrorKind::Io, || doing)?;
    if found.is_file() { flush.file(output).context(ErrorKind::Io, || doing) } else { Ok(()) }
}

/// Whether `path` is standard output by another name: `-`, `/dev/stdout`, or the pipe or socket that it is.
pub(crate) fn is_output(path: &Path) -> bool {
    path == Path::new("-") || names(path, rustix::stdio::stdout(), "stdout", 1)
}

/// Whether `path` is standard error by another name.
pub(crate) fn is_messages(path: &Path) -> bool {
    names(path, rustix::stdio::stderr(), "stderr", 2)
}

/// Whether what is written there is lost without an error.
pub(crate) fn is_output_unwritable() -> bool {
    is_open_for(rustix::stdio::stdout()).is_some_and(|flags| flags == OFlags::RDONLY)
}

fn own(stream: BorrowedFd<'_>, doing: &str) -> Result<File> {
    stream.try_clone_to_owned().map(File::from).context(ErrorKind::Io, || doing)
}

/// `wrong` is what it may not be open for alone.
fn refuse_closed(stream: BorrowedFd<'_>, (name, wrong): (&str, OFlags), doing: &str, hint: &str) -> Result<()> {
    let refused = |why: String| Err(Error::new(ErrorKind::Usage, doing).why(why).hint(hint));
    match is_open_for(stream) {
        None => refused(format!("{name} is closed")),
        Some(flags) if flags == wrong => refused(format!("{name} is not open for that")),
        Some(flags) if flags == OFlags::RDWR && is_null(stream) => refused(format!(
            "{name} is closed, or /dev/null opened for reading and writing, which a closed one becomes"
        )),
        Some(_) => Ok(()),
    }
}

/// Standard error is told how it went, in the end at least.
fn refuse_messages(output: BorrowedFd<'_>, doing: &str) -> Result<()> {
    let (Some(data), Some(messages)) = (stat(output), stat(rustix::stdio::stderr())) else { return Ok(()) };
    // On a terminal a person reads both; of a device nobody knows what it does with them.
    if FileType::from_raw_mode(data.st_mode) == FileType::CharacterDevice || !is_same(&data, &messages) {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, doing)
        .why("standard error goes to the same place, so that messages would get into it")
        .hint("send standard error somewhere else (2>messages.log), or give the name of a file"))
}

/// Reading, writing or both: what a stream is open for.
fn is_open_for(stream: BorrowedFd<'_>) -> Option<OFlags> {
    let flags = rustix::fs::fcntl_getfl(stream).ok()?;
    Some(flags & OFlags::RWMODE)
}

fn stat(stream: BorrowedFd<'_>) -> Option<Stat> {
    rustix::fs::fstat(stream).ok()
}

fn is_null(stream: BorrowedFd<'_>) -> bool {
    // Device 1:3 on every Linux, whatever its name is.
    stat(stream).is_some_and(|found| {
        FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice
            && (rustix::fs::major(found.st_rdev), rustix::fs::minor(found.st_rdev)) == (1, 3)
    })
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

fn names(path: &Path, stream: BorrowedFd<'_>, name: &str, number: u32) -> bool {
    let known = [format!("/dev/{name}"), format!("/dev/fd/{number}"), format!("/proc/self/fd/{number}")];
    if known.iter().any(|known| path == Path::new(known)) {
        return true;
    }
    let (Ok(found), Some(stream)) = (rustix::fs::stat(path), stat(stream)) else { return false };
    // A file is replaced and not written to, and there are devices that everybody has open.
    let is_pipe = matches!(FileType::from_raw_mode(found.st_mode), FileType::Fifo | FileType::Socket);
    is_pipe && is_same(&found, &stream)
}
