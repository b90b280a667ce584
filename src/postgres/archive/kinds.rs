//! What is made of an entry's kind, over what pgformat's table of kinds knows.

use bstr::{BStr, BString};
use pgformat::kinds::{DropForm, EntryGroup, Owner, RestorePass};
use pgformat::{Entry, Section};

/// How the definition of rows begins that go into a partitioned table, and from there into its partitions. It is a
/// comment, and defines nothing.
pub const VIA_ROOT: &[u8] = b"-- load via partition root ";

/// The row of pgformat's table for the entry's kind; `None` for a kind that is not in it, which is restored as it
/// stands.
fn known(entry: &Entry) -> Option<&'static pgformat::Kind> {
    pgformat::kinds::find(text(&entry.desc))
}

/// When the entry has its turn.
pub fn pass(entry: &Entry) -> RestorePass {
    // Statistics that come after the data are those of materialized views and of indexes. The former need the rows, and
    // the latter must not overtake them. (Extended ones only need the object that they are of.)
    if is(entry, "STATISTICS DATA") && entry.section == Section::PostData {
        return RestorePass::PostAcl;
    }
    pgformat::kinds::pass(text(&entry.desc), text(&entry.tag))
}

/// How its object is dropped.
pub fn drop(entry: &Entry) -> DropForm {
    known(entry).map_or(DropForm::AsIs, |kind| kind.drop)
}

/// How its owner is named; `None` for a kind that is not known.
pub fn owner(entry: &Entry) -> Option<Owner> {
    known(entry).map(|kind| kind.owner)
}

/// What options it is subject to.
pub fn group(entry: &Entry) -> EntryGroup {
    known(entry).map_or(EntryGroup::Other, |kind| kind.group)
}

/// Whether the entry says something about another one and goes where that goes.
pub fn is_dependent(entry: &Entry) -> bool {
    match group(entry) {
        EntryGroup::Acl => is(entry, "ACL"),
        EntryGroup::Comment | EntryGroup::SecurityLabel => true,
        _ => false,
    }
}

/// Whether the definition of an entry without a block of data is data all the same, and is left out or kept with the data.
pub fn is_data(entry: &Entry) -> bool {
    ["BLOB", "BLOB METADATA", "SEQUENCE SET"].iter().any(|desc| is(entry, desc))
        || (is_dependent(entry) && text(&entry.tag).starts_with(b"LARGE OBJECT"))
}

/// Whether the entry is of the kind with this name.
pub fn is(entry: &Entry, desc: &str) -> bool {
    text(&entry.desc) == desc
}

/// A text field of an entry, empty where it is absent.
pub fn text(field: &Option<BString>) -> &BStr {
    field.as_ref().map_or(BStr::new(b""), |text| BStr::new(text.as_slice()))
}
