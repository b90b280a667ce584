//! A URL out of a file: what containers are given as secrets, and what systemd's `LoadCredential` puts into a folder.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bstr::{BString, ByteSlice};

use crate::{Context, Error, ErrorKind, Result};

/// Longer is no URL.
const LONGEST: u64 = 64 * 1024;

/// The URL, or the connection string, that is all that the file holds, in one line.
///
/// # Errors
/// It cannot be read; it is empty, holds more than one line, or is longer than 64 KiB. None shows what it holds.
pub fn read_url(path: &Path) -> Result<BString> {
    let doing = || format!("read the database URL in {}", path.display());
    let mut text = Vec::new();
    let file = File::open(path).context(ErrorKind::Usage, doing)?;
    file.take(LONGEST + 1).read_to_end(&mut text).context(ErrorKind::Usage, doing)?;
    let url = text.trim_ascii();
    let why = if text.len() as u64 > LONGEST {
        "it is longer than 64 KiB"
    } else if url.is_empty() {
        "it is empty"
    } else if url.contains_str("\n") || url.contains_str("\r") {
        "it has more than one line"
    } else {
        return Ok(url.into());
    };
    Err(Error::new(ErrorKind::Usage, doing()).why(why).hint("it is to hold one line: the URL, as for the environment"))
}
