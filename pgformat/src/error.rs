//! What went wrong, at which byte, and with which part of the archive.

use std::fmt;
use std::io;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why reading or writing an archive failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The input or the output itself failed.
    Io(io::Error),
    /// The input is something else than an archive; the text says what it looks like.
    NotAnArchive(String),
    /// It is an archive, but of a version or with a feature that is not known here.
    Unsupported(String),
    /// The input ends before the archive does.
    Truncated,
    /// The bytes cannot be what the format wants at this place.
    Malformed(String),
    /// A number in the archive is above what [`Limits`](crate::Limits) allow.
    Limit {
        /// What the archive says.
        amount: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The compressed data is damaged.
    Compression(String),
    /// The caller asked for something out of turn, or for something that this archive cannot hold.
    Protocol(String),
    /// The archive has no such data, or it lies behind what was already read of an input that cannot seek.
    NotFound(String),
    /// A file or a member that the table of contents speaks of is not in the archive.
    Missing(String),
}

/// Whether an archive was being read or written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// An archive was being read.
    Reading,
    /// An archive was being written.
    Writing,
}

/// An error of this crate: what was being read or written, at which byte of the archive, and why that failed.
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    direction: Direction,
    what: String,
    /// The file of an archive of many files.
    file: Option<String>,
    offset: u64,
    kind: ErrorKind,
}

impl Error {
    pub(crate) fn new(direction: Direction, what: impl Into<String>, offset: u64, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { direction, what: what.into(), file: None, offset, kind }))
    }

    /// Says that the offset counts from the beginning of this file.
    pub(crate) fn in_file(mut self, file: Option<&str>) -> Self {
        self.0.file = file.map(str::to_owned);
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Why it failed.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Whether an archive was being read or written.
    pub fn direction(&self) -> Direction {
        self.0.direction
    }

    /// The part of the archive that was being read or written.
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// The file of an archive in directory format that it happened in.
    pub fn file(&self) -> Option<&str> {
        self.0.file.as_deref()
    }

    /// How many bytes from the beginning of the archive, or of its [`file`](Error::file), it happened.
    pub fn offset(&self) -> u64 {
        self.0.offset
    }

    /// Whether the archive ends too early.
    pub fn is_truncated(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Truncated)
    }

    /// The error that the input or output gave, where that is the reason.
    pub fn io_error(&self) -> Option<&io::Error> {
        match &self.0.kind {
            ErrorKind::Io(error) => Some(error),
            _ => None,
        }
    }

    /// Gets an [`Error`] back that went through [`std::io::Read`] or [`std::io::Write`]; any other `io::Error` is given
    /// back as it was.
    pub fn from_io(error: io::Error) -> Result<Self, io::Error> {
        error.downcast::<Self>()
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match error.kind() {
            ErrorKind::Io(cause) => cause.kind(),
            ErrorKind::Truncated => io::ErrorKind::UnexpectedEof,
            ErrorKind::Protocol(_) => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.0.direction {
            Direction::Reading => "reading",
            Direction::Writing => "writing",
        };
        write!(f, "{direction} {} at byte {}", self.0.what, self.0.offset)?;
        if let Some(file) = &self.0.file {
            write!(f, " of {file}")?;
        }
        f.write_str(": ")?;
        match &self.0.kind {
            ErrorKind::Io(error) => error.fmt(f),
            ErrorKind::Truncated => f.write_str("the archive ends early: it is truncated"),
            ErrorKind::Limit { amount, limit } => write!(f, "it says {amount}, and no more than {limit} is allowed"),
            ErrorKind::NotAnArchive(why)
            | ErrorKind::Unsupported(why)
            | ErrorKind::Malformed(why)
            | ErrorKind::Compression(why)
            | ErrorKind::Protocol(why)
            | ErrorKind::NotFound(why)
            | ErrorKind::Missing(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Io(error) => error.source(),
            _ => None,
        }
    }
}

/// A failure of a primitive, which knows the place but not yet what it was for.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) offset: u64,
    pub(crate) kind: ErrorKind,
}

impl Fault {
    pub(crate) fn new(offset: u64, kind: ErrorKind) -> Self {
        Self { offset, kind }
    }

    pub(crate) fn malformed(offset: u64, why: impl Into<String>) -> Self {
        Self::new(offset, ErrorKind::Malformed(why.into()))
    }

    pub(crate) fn reading(self, what: impl Into<String>) -> Error {
        Error::new(Direction::Reading, what, self.offset, self.kind)
    }

    pub(crate) fn writing(self, what: impl Into<String>) -> Error {
        Error::new(Direction::Writing, what, self.offset, self.kind)
    }
}
