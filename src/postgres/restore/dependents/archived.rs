//! What an archive holds, by the names of its entries and by what these imply.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::restore::dependents::definition::Column;
use crate::postgres::restore::dependents::{Named, definition};
use crate::sql::quote::quoted;

type Key = (BString, BString, BString);

/// What the entries of an archive make, whether or not all of it is to be restored.
pub struct Archived<'a> {
    /// By kind, schema and tag: the entry.
    by_name: HashMap<Key, EntryIndex>,
    by_drop: HashMap<BString, EntryIndex>,
    /// Sequences whose values it holds: those of `serial` columns had no entry of their own once.
    sequences: HashSet<(BString, BString)>,
    entries: &'a [Entry],
}

impl<'a> Archived<'a> {
    pub fn of(entries: &'a [Entry]) -> Self {
        let mut archived =
            Self { by_name: HashMap::new(), by_drop: HashMap::new(), sequences: HashSet::new(), entries };
        for (at, entry) in EntryIndex::enumerate(entries) {
            let (schema, tag) = (text(&entry.schema), text(&entry.tag));
            if kinds::is(entry, "SEQUENCE SET") {
                archived.sequences.insert((schema.to_owned(), tag.to_owned()));
            }
            let Some(kind) = kind(entry) else { continue };
            archived.by_name.insert(key(kind, schema, tag), at);
            if let Some(dropped) = entry.drop_statement.as_ref().filter(|dropped| !dropped.is_empty()) {
                archived.by_drop.insert(plain_drop(dropped.as_bstr()), at);
            }
        }
        archived
    }

    /// The entry that makes it.
    pub fn entry(&self, object: &Named) -> Option<EntryIndex> {
        let by_name = (!object.tag.is_empty())
            .then(|| self.by_name.get(&key(object.kind.as_bstr(), object.schema.as_bstr(), object.tag.as_bstr())));
        by_name
            .flatten()
            .or_else(|| self.by_drop.get(&unquoted(&object.dropped)).filter(|_| !object.dropped.is_empty()))
            .copied()
    }

    /// Whether it is in the archive, be it within the definition of what it is a `part_of`.
    pub fn holds(&self, object: &Named, part_of: Option<&Named>) -> bool {
        if self.entry(object).is_some() {
            return true;
        }
        let definition = || {
            let entry = &self.entries[self.entry(part_of?)?];
            Some(text(&entry.definition))
        };
        let words = object.words.as_ref().map_or(BStr::new(b""), |words| words.as_bstr());
        match object.kind.as_slice() {
            b"SEQUENCE" => {
                self.sequences.contains(&(object.schema.clone(), object.tag.clone()))
                    || part_of.is_some_and(|table| self.has_identity(table, words))
            }
            b"TABLE OF SUBSCRIPTION" => {
                self.by_name.contains_key(&key(BStr::new("SUBSCRIPTION"), BStr::new(""), words))
            }
            b"EXCEPTION OF PUBLICATION" => definition().is_some_and(|definition| names_exception(definition, words)),
            b"CONSTRAINT" => definition().is_some_and(|definition| names_check(definition, words)),
            b"DEFAULT" => {
                // A view's default has an entry of its own, always. Of a partition that has its columns from elsewhere,
                // nothing is known; a column of its own that is not in the archive is named itself.
                let Some(table) = part_of.filter(|table| table.kind != "VIEW") else { return false };
                if let Some(options) = self.options_of_typed(table) {
                    return options.iter().any(|column| words == column.name && column.has_default());
                }
                let Some(columns) = self.columns(table) else { return true };
                let column = columns.iter().find(|column| words == column.name);
                column.map_or(!object.is_of_inherited, Column::has_default)
            }
            b"MEMBER OF OPERATOR FAMILY" => {
                definition().is_some_and(|definition| unquoted(definition).contains_str(unquoted(words)))
            }
            // A class without a family made one of its own name once.
            b"OPERATOR FAMILY" => {
                let class = object.dropped.replacen("DROP OPERATOR FAMILY", "DROP OPERATOR CLASS", 1);
                self.by_drop.contains_key(&unquoted(&class))
            }
            _ => false,
        }
    }

    /// The columns that the archive's definition of a table or a composite type lists, if that can be told.
    pub fn columns(&self, table: &Named) -> Option<Vec<Column>> {
        let entry = &self.entries[self.entry(table)?];
        match text(&entry.desc).as_bytes() {
            b"TABLE" | b"FOREIGN TABLE" => definition::columns(text(&entry.definition)),
            b"TYPE" => definition::attributes(text(&entry.definition)),
            _ => None,
        }
    }

    /// Whether a table's column is, in the archive, an identity column, whatever its sequence is called, or it cannot be told. One
    /// that the archive does not have is named itself.
    fn has_identity(&self, table: &Named, column: &BStr) -> bool {
        if column.is_empty() {
            return false;
        }
        let columns = self.columns(table);
        let listed = columns.as_ref().and_then(|columns| columns.iter().find(|listed| column == listed.name));
        let (Some(listed), Some(name)) = (listed, table.for_lock()) else { return true };
        let made = unquoted(&[b"ALTER TABLE ", name, b" ALTER COLUMN ", column, b" ADD GENERATED "].concat());
        let makes =
            |entry: &Entry| kinds::is(entry, "SEQUENCE") && unquoted(text(&entry.definition)).contains_str(&made);
        listed.has_default() || self.entries.iter().any(makes)
    }

    /// The columns of which the archive's definition of a table says more than the type that the table is made of.
    fn options_of_typed(&self, table: &Named) -> Option<Vec<Column>> {
        let entry = &self.entries[self.entry(table)?];
        kinds::is(entry, "TABLE").then(|| definition::options_of_typed(text(&entry.definition)))?
    }

    pub fn has_rows_of(&self, table: &Named) -> bool {
        self.by_name.contains_key(&key(BStr::new("TABLE DATA"), table.schema.as_bstr(), table.tag.as_bstr()))
    }
}

/// The word for the kind of an entry that a target's object is compared by; `None` if it makes no object, or a setting.
pub fn kind(entry: &Entry) -> Option<&BStr> {
    let desc = text(&entry.desc);
    Some(BStr::new(match desc.as_bytes() {
        b"CONSTRAINT" | b"FK CONSTRAINT" | b"CHECK CONSTRAINT" => "CONSTRAINT",
        b"TYPE" | b"DOMAIN" | b"SHELL TYPE" => "TYPE",
        b"FUNCTION" | b"PROCEDURE" | b"AGGREGATE" => "FUNCTION",
        b"ACL" | b"COMMENT" | b"SECURITY LABEL" | b"SEQUENCE SET" | b"DATABASE" | b"DATABASE PROPERTIES" => {
            return None;
        }
        _ => return Some(desc),
    }))
}

fn key(kind: &BStr, schema: &BStr, tag: &BStr) -> Key {
    // The types of arguments that are in the function's own schema were written without it once.
    let tag = match kind == "FUNCTION" {
        true => unquoted(&tag.replace([quoted(schema).as_slice(), b"."].concat(), "")),
        false => tag.to_owned(),
    };
    // These are in no schema, whatever their entries say.
    let schema =
        match [b"EXTENSION".as_slice(), b"CAST", b"TRANSFORM", b"PROCEDURAL LANGUAGE"].contains(&kind.as_bytes()) {
            true => BString::default(),
            false => schema.to_owned(),
        };
    (kind.to_owned(), schema, tag)
}

/// A drop statement without what not every version of pg_dump writes.
fn plain_drop(statement: &BStr) -> BString {
    let statement = statement.trim_ascii().strip_suffix(b";").unwrap_or(statement);
    let statement = unquoted(statement.strip_suffix(b" CASCADE").unwrap_or(statement));
    match statement.strip_prefix(b"ALTER FOREIGN TABLE ").or_else(|| statement.strip_prefix(b"ALTER TABLE ")) {
        Some(rest) => [b"ALTER TABLE ", rest.strip_prefix(b"ONLY ").unwrap_or(rest)].concat().into(),
        None => statement,
    }
}

fn names_check(definition: &BStr, name: &BStr) -> bool {
    let quoted = [b"\"", name.replace("\"", "\"\"").as_slice(), b"\""].concat();
    [name.as_bytes(), &quoted].iter().any(|name| definition.contains_str([b"CONSTRAINT ", *name, b" CHECK "].concat()))
}

/// Whether the definition of a publication leaves out the table of this name.
fn names_exception(definition: &BStr, table: &BStr) -> bool {
    let named = |end: &str| [b"TABLE ONLY ", unquoted(table).as_slice(), end.as_bytes()].concat();
    let definition = unquoted(definition);
    [",", ")"].iter().any(|end| definition.contains_str(named(end)))
}

/// A text without its quotes: what is quoted depends on who wrote it, and on a setting.
fn unquoted(text: &[u8]) -> BString {
    text.replace("\"", "").into()
}
