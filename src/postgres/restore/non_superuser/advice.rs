//! What to do about refusals that much of an archive hangs on.

use bstr::ByteSlice;
use pgformat::Entry;

use crate::postgres::archive::kinds::text;
use crate::postgres::restore::summary::EntryError;
use crate::wire::sqlstate;

/// Adds what to do to the refusal of a schema or an extension, which much of an archive may need.
pub fn add(entry: &Entry, error: &mut EntryError) {
    if error.sqlstate.as_deref() != Some(sqlstate::INSUFFICIENT_PRIVILEGE) {
        return;
    }
    let advice = match text(&entry.desc).as_bytes() {
        b"EXTENSION" => "let a superuser create it in this database, and restore again",
        b"SCHEMA" => "the owner of the database can allow it with GRANT CREATE ON DATABASE",
        _ => return,
    };
    error.hint = Some(match error.hint.take() {
        Some(hint) => format!("{}; {advice}", hint.to_string().trim_end_matches('.')).into(),
        None => advice.into(),
    });
}
