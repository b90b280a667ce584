//! Definitions, and who owns what they make.

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::Owner;

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::{Action, Purpose};
use crate::sql::quote;

/// The statements that make the entry's object, where they are not those of the archive.
pub fn other_definition(entry: &Entry, options: &RestoreOptions) -> Option<BString> {
    // pg_dump of long ago put the owner into the statement. Where the schema comes with the database, there is only a
    // comment, which must stay one.
    if options.owner || !kinds::is(entry, "SCHEMA") || text(&entry.definition).starts_with(b"--") {
        return None;
    }
    let mut statement = b"CREATE SCHEMA ".to_vec();
    quote::ident(&mut statement, text(&entry.tag));
    statement.extend_from_slice(b";\n");
    Some(statement.into())
}

/// What gives the object of the `entry` at this place to its owner. Objects without a drop statement belong to another and have
/// no owner of their own.
pub fn change(entry: &Entry, at: EntryIndex) -> Option<Action> {
    let owner = entry.owner.as_ref().filter(|owner| !owner.is_empty())?;
    let drop = entry.drop_statement.as_ref().filter(|drop| !drop.trim_ascii().is_empty())?;
    let mut statement = b"ALTER ".to_vec();
    let mut tail = b" OWNER TO ".to_vec();
    quote::ident(&mut tail, BStr::new(owner.as_slice()));
    match kinds::owner(entry)? {
        Owner::Inherited => return None,
        Owner::LargeObjects => {
            return Some(Action::EachLargeObject {
                purpose: Purpose::Alter,
                before: "ALTER LARGE OBJECT ".into(),
                after: tail.into(),
                oids_of: at,
            });
        }
        Owner::LargeObject => {
            statement.extend_from_slice(b"LARGE OBJECT ");
            statement.extend_from_slice(text(&entry.tag));
        }
        Owner::ByTag => {
            statement.extend_from_slice(text(&entry.desc));
            statement.push(b' ');
            qualified_name(&mut statement, entry);
        }
        Owner::ByDropStatement => {
            let object = drop.strip_prefix(b"DROP ").unwrap_or(drop);
            statement.extend_from_slice(object.trim_end_with(|c| c == ';' || c.is_ascii_whitespace()));
        }
    }
    statement.extend_from_slice(&tail);
    statement.push(b';');
    Some(Action::Alter(statement.into()))
}

/// Appends the entry's name, with its schema where it has one.
pub fn qualified_name(out: &mut Vec<u8>, entry: &Entry) {
    let schema = text(&entry.schema);
    if !schema.is_empty() {
        quote::ident(out, schema);
        out.push(b'.');
    }
    quote::ident(out, text(&entry.tag));
}
