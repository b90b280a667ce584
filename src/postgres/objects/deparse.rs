//! Text that the server deparsed, out of rows.
//!
//! The functions that deparse look at the catalog as it is now, the query around them at the snapshot. What was dropped in
//! between comes out as NULL, as question marks or as a bare number, none of which may get into an archive.

use bstr::BStr;

use crate::error::{Error, ErrorKind, Result};
use crate::sql::Deparsed;
use crate::wire::Row;

/// The text in a column: of a type's or function's name, of arguments, of an expression. `name` is the column with the
/// name of the object that it is about.
///
/// # Errors
/// The text says that something was dropped.
pub(super) fn deparsed(row: Row<'_>, column: &str, name: &str) -> Result<Deparsed> {
    match opt_deparsed(row, column, name)? {
        Some(text) => Ok(text),
        None => Err(dropped(row, name)),
    }
}

/// As [`deparsed`], for a column that may be NULL.
///
/// # Errors
/// The text says that something was dropped.
pub(super) fn opt_deparsed(row: Row<'_>, column: &str, name: &str) -> Result<Option<Deparsed>> {
    match row.opt_text(column)? {
        Some(text) if is_gone(text) => Err(dropped(row, name)),
        text => Ok(text.map(Deparsed::by_server)),
    }
}

/// An expression in a column, of the object that is called `name`. It may consist of digits.
///
/// # Errors
/// There is none: what it is about was dropped.
pub(super) fn expression(row: Row<'_>, column: &str, name: &BStr) -> Result<Deparsed> {
    row.opt_text(column)?.map(Deparsed::by_server).ok_or_else(|| gone(name))
}

/// Whether this stands for a type or a function that is no longer there.
pub(super) fn is_gone(text: &[u8]) -> bool {
    let name = text.strip_prefix(b"SETOF ").unwrap_or(text);
    let name = name.strip_suffix(b"[]").unwrap_or(name);
    name == b"???" || (!name.is_empty() && name.iter().all(u8::is_ascii_digit))
}

fn dropped(row: Row<'_>, name: &str) -> Error {
    gone(row.text(name).unwrap_or_default())
}

/// The error for what is called `name`, where it or something that it uses is no longer there.
pub(super) fn gone(name: &BStr) -> Error {
    Error::new(ErrorKind::Changed, format!("read the definition of \"{name}\""))
        .why("it, or something that it uses, was dropped while the catalog was being read")
        .hint("run the backup again")
}

#[cfg(test)]
mod tests {
    use super::is_gone;

    #[test]
    fn what_is_gone_is_recognised() {
        for text in ["???", "???[]", "SETOF ???", "12345"] {
            assert!(is_gone(text.as_bytes()), "{text}");
        }
        for text in ["", "integer", "public.f", "\"???\"", "\"123\"", "a integer", "SETOF s.t[]", "a int DEFAULT 1"] {
            assert!(!is_gone(text.as_bytes()), "{text}");
        }
    }
}
