//! What an archive's reader fails with, in the words of whoever reads.

use crate::words::Words;
use crate::{Error, ErrorKind};

/// An error of the archive's, met while `doing`.
pub fn archive_error(doing: impl Into<Words>, error: pgformat::Error) -> Error {
    let (kind, hint) = match error.kind() {
        pgformat::ErrorKind::Io(_) => (ErrorKind::Io, None),
        pgformat::ErrorKind::NotFound(_) => (
            ErrorKind::Archive,
            Some("data in another order than the table of contents needs an input that can seek: give the file itself"),
        ),
        _ => (ErrorKind::Archive, None),
    };
    let error = Error::new(kind, doing).source(error);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
