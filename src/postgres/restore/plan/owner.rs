//! Definitions, and who owns what they make.

use bstr::{BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::Owner;

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::{Action, Purpose};

/// The statements that make the entry's object, where they are not those of the archive.
pub fn other_definition(entry: &Entry, options: &RestoreOptions) -> Option<BString> {
    // pg_dump of long ago put the owner into the statement. Where the schema comes with the database, there is only a
    // comment, which must stay one.
    if options.owner || !kinds::is(entry, "SCHEMA") || text(&entry.definition).starts_with(b"--") {
        return None;
    }
    Some([b"CREATE SCHEMA ", options.quoted(text(&entry.tag)).as_slice(), b";\n"].concat().into())
}

/// What gives the object of the `entry` at this place to its owner. Objects without a drop statement belong to another and have
/// no owner of their own. A relation is altered `by_kind`, or else as a table.
pub fn change(entry: &Entry, at: EntryIndex, options: &RestoreOptions, by_kind: bool) -> Option<Action> {
    let owner = entry.owner.as_ref().filter(|owner| !owner.is_empty())?;
    let drop = entry.drop_statement.as_ref().filter(|drop| !drop.trim_ascii().is_empty())?;
    let tail = [b" OWNER TO ", options.quoted(owner).as_slice()].concat();
    let object = match kinds::owner(entry)? {
        Owner::Inherited => return None,
        Owner::LargeObjects => {
            return Some(Action::EachLargeObject {
                purpose: Purpose::Alter,
                before: "ALTER LARGE OBJECT ".into(),
                after: tail.into(),
                oids_of: at,
            });
        }
        Owner::LargeObject => [b"LARGE OBJECT ".as_slice(), text(&entry.tag)].concat(),
        Owner::ByTag => {
            let is_relation = ["VIEW", "SEQUENCE", "MATERIALIZED VIEW"].iter().any(|desc| kinds::is(entry, desc));
            let words = if is_relation && !by_kind { b"TABLE".as_slice() } else { text(&entry.desc) };
            [words, b" ".as_slice(), &qualified_name(entry, options)].concat()
        }
        Owner::ByDropStatement => {
            let object = drop.strip_prefix(b"DROP ").unwrap_or(drop);
            object.trim_end_with(|c| c == ';' || c.is_ascii_whitespace()).to_vec()
        }
    };
    Some(Action::Alter([b"ALTER ", object.as_slice(), &tail, b";"].concat().into()))
}

/// The entry's name, with its schema where it has one.
pub fn qualified_name(entry: &Entry, options: &RestoreOptions) -> Vec<u8> {
    let (schema, name) = (text(&entry.schema), options.quoted(text(&entry.tag)));
    if schema.is_empty() { name } else { [options.quoted(schema).as_slice(), b".", &name].concat() }
}
