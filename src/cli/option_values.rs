//! What several verbs make of their options.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use bstr::BString;
use clap::builder::{OsStringValueParser, TypedValueParser};

use crate::console::standard_streams;
use crate::{Result, io_error};

/// What a pair of flags comes to: `yes` and `no` override each other, so at most one is set.
pub(crate) fn pair(yes: bool, no: bool, default: bool) -> bool {
    match (yes, no) {
        (true, _) => true,
        (_, true) => false,
        _ => default,
    }
}

/// Takes a name as the server has it: any bytes.
pub(crate) fn bytes() -> impl TypedValueParser<Value = BString> {
    OsStringValueParser::new().map(|text| BString::from(text.into_encoded_bytes()))
}

/// Everything in the file at `path`, or from standard input if that is `-`. `what` says what it is, for errors.
pub(crate) fn read_file(path: &Path, what: &str) -> Result<Vec<u8>> {
    let doing = format!("read {what} {}", path.display());
    let mut text = Vec::new();
    let read = match path.to_str() {
        Some("-") => standard_streams::input(&doing)?.read_to_end(&mut text),
        _ => File::open(path).and_then(|mut file| file.read_to_end(&mut text)),
    };
    read.map_err(|error| io_error(doing, path, error))?;
    Ok(text)
}
