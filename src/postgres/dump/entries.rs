//! Which entries an archive holds: those that a restore that is asked for the same would make use of, and those about the
//! session and the database itself, which `--create` wants.

use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use super::super::archive::{Chosen, Request, kinds, select};
use super::DumpOptions;
use crate::error::Result;

/// For each of `entries`, whether the archive is to have it.
///
/// # Errors
/// None; a selection could name what is not there.
pub(super) fn wanted(entries: &[Entry], options: &DumpOptions) -> Result<Vec<bool>> {
    let useful = select(entries, &Request::of(options.included()))?;
    let is_wanted = |(entry, useful): (&Entry, &Chosen)| match kinds::group(entry) {
        EntryGroup::Session | EntryGroup::Database => true,
        _ if kinds::is(entry, "SEQUENCE SET") && options.sequence_data => options.sections.data,
        _ if is_about_database(entry) => options.definitions && options.sections.pre_data,
        _ => useful.any(),
    };
    Ok(entries.iter().zip(&useful).map(is_wanted).collect())
}

/// Whether it is a comment on the database, a security label or privileges of it.
fn is_about_database(entry: &Entry) -> bool {
    kinds::is_dependent(entry) && kinds::text(&entry.tag).starts_with(b"DATABASE ")
}
