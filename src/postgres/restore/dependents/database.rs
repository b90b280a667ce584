//! What is in a database that is dropped as a whole.

use std::collections::HashSet;

use bstr::ByteSlice;
use pgformat::Entry;

use crate::Result;
use crate::postgres::archive::{kinds, text};
use crate::postgres::restore::dependents::sift::{is_wanted, sift};
use crate::postgres::restore::dependents::{Archived, Dependent, Losses, Moment, Named, Present};
use crate::postgres::restore::plan::{Plan, large_objects};
use crate::wire::Connection;

/// What is in the database that `within` is connected to, and not in the archive.
pub fn lost(within: &mut Connection, plan: &Plan, entries: &[Entry]) -> Result<Losses> {
    let present = Present::ask(within)?;
    let archived = Archived::of(entries);
    let going: Vec<&Named> = present.named.iter().collect();
    let is_lost = |whole: &Named| !archived.holds(whole, present.whole(whole));
    // The restore of a part does not bring back the whole that is dropped.
    let is_left_out = |object: &Named| !object.is_exception() && !is_wanted(plan, &archived, object);
    let mut lost = sift(within, &present, &archived, &going, is_lost, is_left_out, Moment::Before)?;
    lost.certain.extend(lost_large_objects(within, entries)?);
    Ok(lost)
}

fn lost_large_objects(within: &mut Connection, entries: &[Entry]) -> Result<Option<Dependent>> {
    let mut held = HashSet::new();
    for entry in entries {
        if kinds::is(entry, "BLOB METADATA") {
            held.extend(large_objects::oids(entry)?);
        } else if kinds::is(entry, "BLOB") {
            held.extend(text(&entry.tag).to_str().ok().and_then(|oid| oid.parse::<u32>().ok()));
        }
    }
    // Older archives list none of those that they hold.
    if held.is_empty() && entries.iter().any(|entry| kinds::is(entry, "BLOBS")) {
        return Ok(None);
    }
    let rows = within.query("SELECT oid FROM pg_catalog.pg_largeobject_metadata", &[])?;
    let mut count = 0;
    for row in rows.iter() {
        count += u64::from(!held.contains(&row.oid("oid")?));
    }
    let object = match count {
        0 => return Ok(None),
        1 => "1 large object".to_owned(),
        count => format!("{count} large objects"),
    };
    Ok(Some(Dependent::named(object.as_str().into())))
}
