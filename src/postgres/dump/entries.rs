//! Which entries an archive holds: those that a restore with the same options would make use of, and those about the
//! session and the database itself, which `--create` wants.

use pgformat::Entry;
use pgformat::kinds::Group;

use super::super::restore::{RestoreOptions, kinds, select};
use super::DumpOptions;
use crate::error::Result;

/// For each of `entries`, whether the archive is to have it.
///
/// # Errors
/// None with these options; a restore's could name what is not there.
pub(super) fn wanted(entries: &[Entry], options: &DumpOptions) -> Result<Vec<bool>> {
    let restore = RestoreOptions {
        acl: options.privileges,
        comments: options.comments,
        security_labels: options.security_labels,
        publications: options.publications,
        subscriptions: options.subscriptions,
        policies: options.policies,
        schema: options.definitions,
        data: options.data,
        statistics: options.statistics,
        sections: options.sections,
        ..RestoreOptions::default()
    };
    let useful = select::select(entries, &restore)?;
    let is_wanted = |(entry, useful): (&Entry, &select::Wanted)| match kinds::group(entry) {
        Group::Session | Group::Database => true,
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
