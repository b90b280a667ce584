//! The columns of a table in the target, or the attributes of a composite type, beside those that the archive's definition of it
//! lists. What is said of a table here holds for such a type, and for the tables that are made of it.
//!
//! A column keeps its place among the others under another name, and one that is added comes last; one that is dropped leaves its
//! number behind. So columns of the same name part the others into gaps, and what is in a gap of the table is held against what is in
//! the same gap of the archive: the first are the archive's under other names, as far as none of these can have been dropped, and what
//! is more was added. A dropped number in the gap can be that of a column of the archive's, or be older than the archive. Then these
//! tell that a column was added: a type that none of the archive's has, a drop that came after its last change, and the table's own
//! row, which has the number of columns and is written when one is added, but not when one is renamed.

use std::collections::{HashMap, HashSet};

use bstr::{BString, ByteSlice};

use crate::postgres::restore::dependents::definition::Column;
use crate::postgres::restore::dependents::loss::shown_rows;
use crate::postgres::restore::dependents::{
    Address, Archived, Dependent, Doubt, Losses, Moment, Named, definition, rows,
};
use crate::wire::{Connection, Param, Row};
use crate::{Result, printable};

/// A column's number that is or was in use.
#[derive(Debug, Clone, PartialEq, Eq)]
struct There {
    /// Its name and its type; `None` if it was dropped.
    live: Option<(BString, BString)>,
    /// How many transactions there were since its row was written, and by which command of its transaction.
    age: i32,
    command: i64,
    /// How many there were since the table's own row was written.
    table_age: i32,
}

/// What became of a table.
#[derive(Debug, Default, PartialEq, Eq)]
struct Compared {
    /// Columns that the archive does not have.
    added: Vec<BString>,
    /// Columns that it may have under this other name.
    taken: Vec<(BString, BString)>,
    /// Columns that may have been added, or be one of these under another name.
    open: Vec<(BString, Vec<BString>)>,
}

/// The columns of these tables and composite types that were added to what the archive's definitions of them have, or may have been.
pub fn lost(target: &mut Connection, archived: &Archived<'_>, tables: &[&Named], moment: Moment) -> Result<Losses> {
    let mut of_tables = ask(target, tables)?;
    let mut losses = Losses::default();
    let mut doubtful = Vec::new();
    for table in tables {
        let Some(there) = of_tables.remove(&table.address) else { continue };
        let Some(listed) = archived.columns(table) else { continue };
        let compared = compare(&listed, &there);
        losses.certain.extend(compared.added.iter().map(|name| Dependent::named(shown(table, name).as_bstr())));
        if !(compared.taken.is_empty() && compared.open.is_empty()) {
            doubtful.push((*table, compared));
        }
    }
    losses.certain.sort_by(|a, b| a.object.cmp(&b.object));
    let counted: Vec<&Named> = doubtful.iter().map(|(table, _)| *table).filter(|table| table.is_table()).collect();
    let counts = rows::count(target, &counted, moment)?;
    for (table, compared) in doubtful {
        losses.doubtful.extend(doubts(
            table,
            compared,
            counts.get(&table.address.1).copied().filter(|_| table.is_table()),
        ));
    }
    losses.doubtful.sort_by(|a, b| a.about.cmp(&b.about));
    Ok(losses)
}

fn shown(table: &Named, column: &BString) -> BString {
    let kind = if table.is_table() { "COLUMN" } else { "ATTRIBUTE" };
    format!("{kind} {}.{} {column}", table.schema, table.tag).into()
}

fn doubts(table: &Named, compared: Compared, counted: Option<(u64, bool)>) -> Vec<Doubt> {
    let rows = match counted {
        Some((rows, is_exact)) => format!("what it holds in {}", shown_rows(rows, is_exact)),
        None => "what it holds".to_owned(),
    };
    let doubt = |name: &BString, why: String| {
        let why = printable::name(why.as_str().into());
        Doubt { about: printable::name(shown(table, name).as_bstr()), why, objects: Vec::new() }
    };
    let taken = compared.taken.iter().map(|(name, other)| {
        doubt(
            name,
            format!(
                "it stands where the archive has {other}, and is taken for that under another name; {rows} is replaced"
            ),
        )
    });
    let open = compared.open.iter().map(|(name, others)| {
        let others: Vec<String> = others.iter().map(ToString::to_string).collect();
        let others = others.join(" or ");
        doubt(name, format!("it may be {others} of the archive under another name, or have been added after that was dropped: {rows} \
                             does not come back then"))
    });
    taken.chain(open).collect()
}

fn ask(target: &mut Connection, of: &[&Named]) -> Result<HashMap<Address, Vec<There>>> {
    let oids = |is_table| -> Vec<u32> {
        of.iter().filter(|named| named.is_table() == is_table).map(|named| named.address.1).collect()
    };
    let (tables, types) = (oids(true), oids(false));
    let rows = target.query(
        "SELECT class, object, CASE WHEN NOT attisdropped THEN attname::pg_catalog.text END AS name, \
             CASE WHEN NOT attisdropped THEN pg_catalog.format_type(atttypid, atttypmod) END AS type, \
             pg_catalog.age(a.xmin) AS age, a.cmin::pg_catalog.text::pg_catalog.int8 AS command, \
             pg_catalog.age(c.xmin) AS table_age \
         FROM (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AS class, t.oid AS object, t.oid AS \
         relation \
             FROM pg_catalog.unnest($1::pg_catalog.oid[]) AS t (oid) \
           UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, t.oid, t.typrelid FROM \
           pg_catalog.pg_type t \
             WHERE t.oid = ANY ($2) AND t.typtype = 'c') AS wanted \
         JOIN pg_catalog.pg_class c ON c.oid = relation JOIN pg_catalog.pg_attribute a ON attrelid = relation \
         WHERE attnum > 0 AND (attislocal OR attisdropped) ORDER BY class, object, attnum",
        &[Param::oids(&tables), Param::oids(&types)],
    )?;
    let mut found: HashMap<Address, Vec<There>> = HashMap::new();
    for row in rows.iter() {
        found.entry((row.oid("class")?, row.oid("object")?)).or_default().push(read(&row)?);
    }
    Ok(found)
}

fn read(row: &Row<'_>) -> Result<There> {
    let live = row.opt_string("name")?.zip(row.opt_string("type")?);
    Ok(There { live, age: row.i32("age")?, command: row.i64("command")?, table_age: row.i32("table_age")? })
}

/// Holds what is there against what the archive lists.
fn compare(listed: &[Column], there: &[There]) -> Compared {
    let names: HashSet<&[u8]> = there.iter().filter_map(There::name).collect();
    let in_archive: HashSet<&[u8]> = listed.iter().map(|column| column.name.as_slice()).collect();
    let is_common = |name: &[u8]| names.contains(name) && in_archive.contains(name);
    let order: Vec<&[u8]> = listed.iter().map(|c| c.name.as_slice()).filter(|name| is_common(name)).collect();
    let mut compared = Compared::default();
    if !order.iter().copied().eq(there.iter().filter_map(There::name).filter(|name| is_common(name))) {
        without_order(listed, there, is_common, &mut compared);
        return compared;
    }
    let of_archive = listed.split(|column| is_common(&column.name));
    let of_table = there.split(|column| column.name().is_some_and(is_common));
    for (at, (listed, there)) in of_archive.zip(of_table).enumerate() {
        gap(listed, there, at == order.len(), &mut compared);
    }
    compared
}

/// Where the columns of the same name are in another order, numbers alone tell something.
fn without_order(listed: &[Column], there: &[There], is_common: impl Fn(&[u8]) -> bool, compared: &mut Compared) {
    let gone: Vec<BString> =
        listed.iter().filter(|c| !is_common(&c.name)).map(|c| BString::from(c.name.clone())).collect();
    let more: Vec<&BString> =
        there.iter().filter_map(|c| c.live.as_ref()).map(|(name, _)| name).filter(|name| !is_common(name)).collect();
    match more.len() > gone.len() {
        true => compared.added.extend(more.into_iter().cloned()),
        false => compared.open.extend(more.into_iter().map(|name| (name.clone(), gone.clone()))),
    }
}

/// What is between two columns of the same name, or after the last of them: only there can a column have been added.
fn gap(listed: &[Column], there: &[There], is_last: bool, compared: &mut Compared) {
    let mut place = 0;
    for (at, column) in there.iter().enumerate() {
        let Some((name, type_name)) = &column.live else { continue };
        // All columns of the archive's are before one that was added, and so are the numbers of those that were dropped.
        let holes = there[..at].iter().filter(|other| is_last && other.live.is_none());
        let (all, recent) = (holes.clone().count(), holes.filter(|hole| column.is_before(hole)).count());
        // If it is one of the archive's, these are.
        let last = listed.len().min(place + all + 1);
        let could_be = listed.get(place + recent..last).unwrap_or_default();
        let alike: Vec<&Column> = could_be.iter().filter(|other| is_type(other, type_name)).collect();
        let name_of = |column: &&Column| BString::from(column.name.clone());
        let is_new = column.table_age == column.age
            && there[..at].iter().all(|other| other.live.is_some() || other.age > column.age);
        match (could_be.first(), alike.first()) {
            (Some(other), _) if place + all < listed.len() => compared.taken.push((name.clone(), name_of(&other))),
            (_, Some(other)) if column.table_age > column.age => compared.taken.push((name.clone(), name_of(other))),
            (_, Some(_)) if !is_new => compared.open.push((name.clone(), alike.iter().map(name_of).collect())),
            _ => compared.added.push(name.clone()),
        }
        place += 1;
    }
}

impl There {
    fn name(&self) -> Option<&[u8]> {
        self.live.as_ref().map(|(name, _)| name.as_slice())
    }

    /// Whether it was not written after another was dropped, or by the same transaction: so an old drop is no part of what is between
    /// it and the archive. An `ALTER TABLE` drops before it adds; pg_upgrade, which makes all in one transaction, drops last.
    fn is_before(&self, dropped: &Self) -> bool {
        self.age > dropped.age || (self.age == dropped.age && self.command > dropped.command)
    }
}

/// Whether an archive's column is of this type. Schemas are written or not, as the path was.
fn is_type(column: &Column, type_name: &BString) -> bool {
    let plain = |words: Vec<&[u8]>| -> Vec<Vec<u8>> {
        let begin = words.iter().rposition(|word| *word == b".").map_or(0, |dot| dot + 1);
        words[begin..].iter().map(|word| word.replace("\"", "")).collect()
    };
    plain(column.type_words()) == plain(definition::words(type_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each a name and a type; `-` was dropped. All from one transaction, or with an age each, `name type @5`, and the table's.
    fn there(columns: &[&str], table_age: i32) -> Vec<There> {
        let one = |text: &&str| {
            let (text, age) = text.split_once(" @").unwrap_or((text, "9"));
            let live = text.split_once(' ').map(|(n, t)| (n.into(), t.into()));
            There { live, age: age.parse().unwrap(), command: 0, table_age }
        };
        columns.iter().map(one).collect()
    }

    fn said(definition: &str, columns: &[&str]) -> String {
        said_of(definition, columns, 0)
    }

    fn said_of(definition: &str, columns: &[&str], table_age: i32) -> String {
        let listed = definition::columns(format!("CREATE TABLE public.t ({definition})").as_bytes()).unwrap();
        let Compared { added, taken, open } = compare(&listed, &there(columns, table_age));
        let mut said: Vec<String> = added.iter().map(|name| format!("+{name}")).collect();
        said.extend(taken.iter().map(|(name, other)| format!("{name}={other}")));
        let or = |others: &[BString]| others.iter().map(ToString::to_string).collect::<Vec<_>>().join("|");
        said.extend(open.iter().map(|(name, others)| format!("{name}?{}", or(others))));
        said.join(" ")
    }

    const ABC: &str = "a integer, b text DEFAULT 'x, y', c numeric(10,2) NOT NULL";

    #[test]
    fn a_column_under_another_name_keeps_its_place() {
        assert_eq!(said(ABC, &["a integer", "b text", "c numeric(10,2)"]), "");
        assert_eq!(said(ABC, &["a integer", "z text @1", "c numeric(10,2)"]), "z=b");
        assert_eq!(said(ABC, &["a integer", "b text", "z numeric(10,2) @1"]), "z=c");
        assert_eq!(said(ABC, &["x integer", "y text", "z numeric(10,2)"]), "x=a y=b z=c");
        assert_eq!(said(ABC, &["a integer", "b text", "z text @1"]), "z=c");
        // A number that was dropped before the backup, in another gap or in one where nothing can have been added.
        assert_eq!(said(ABC, &["-", "a integer", "-", "z text @1", "c numeric(10,2)"]), "z=b");
        // One that was added and dropped again.
        assert_eq!(said(ABC, &["a integer", "b text", "z numeric(10,2) @3", "- @1"]), "z=c");
    }

    #[test]
    fn a_column_that_was_added_comes_last() {
        assert_eq!(said(ABC, &["a integer", "b text", "c numeric(10,2)", "z text"]), "+z");
        assert_eq!(said(ABC, &["a integer", "- @2", "c numeric(10,2)", "z text @1"]), "+z");
        assert_eq!(said(ABC, &["- @1", "b text", "c numeric(10,2)", "z integer @1", "y integer @1"]), "+z +y");
        assert_eq!(said(ABC, &["a integer", "z text @3", "c numeric(10,2)", "y text @1"]), "+y z=b");
        // Of another type than the one that was dropped, or dropped after it came.
        assert_eq!(said(ABC, &["a integer", "b text", "- @2", "z text @1"]), "+z");
        assert_eq!(said(ABC, &["a integer", "b text", "- @1", "z numeric(10,2) @2"]), "+z");
        // What the archive knows nothing of is not in it, wherever it is.
        assert_eq!(said(ABC, &["a integer", "z text", "b text", "c numeric(10,2)"]), "+z");
    }

    #[test]
    fn where_a_dropped_number_could_be_older_than_the_archive_nothing_is_certain() {
        assert_eq!(said(ABC, &["a integer", "b text", "- @2", "z numeric(10,2) @1"]), "z?c");
        // The table's own row tells.
        assert_eq!(said_of(ABC, &["a integer", "b text", "- @2", "z numeric(10,2) @1"], 1), "+z");
        assert_eq!(said_of(ABC, &["a integer", "b text", "- @2", "z numeric(10,2) @1"], 2), "z=c");
        assert_eq!(said_of(ABC, &["a integer", "b text", "-", "z numeric(10,2)"], 9), "z?c");
        let two = "a integer, b text, c text";
        assert_eq!(said(two, &["a integer", "- @3", "y text @1", "z text @1"]), "y=b z?c");
        assert_eq!(said(two, &["a integer", "- @3", "- @2", "z text @1"]), "z?b|c");
        assert_eq!(said(two, &["a integer", "- @2", "c text", "- @2", "z text @1"]), "+z");
    }

    #[test]
    fn another_order_leaves_their_number() {
        assert_eq!(said(ABC, &["b text", "a integer", "c numeric(10,2)", "z text"]), "+z");
        assert_eq!(said(ABC, &["b text", "a integer", "z text"]), "z?c");
    }

    #[test]
    fn types_are_the_same_in_other_words() {
        let is = |column: &str, name: &str| {
            let listed = definition::columns(format!("CREATE TABLE t ({column})").as_bytes()).unwrap();
            is_type(&listed[0], &name.into())
        };
        for (column, name) in [
            ("a timestamp(3) without time zone DEFAULT now() NOT NULL", "timestamp(3) without time zone"),
            ("\"A b\" app.kind[] COLLATE \"C\"", "kind[]"),
            ("a kind", "app.kind"),
            ("a \"App\".\"Kind\" GENERATED ALWAYS AS (1) STORED", "\"App\".\"Kind\""),
            ("a serial NOT NULL", "integer"),
            ("a character varying(5) OPTIONS (x 'y')", "character varying(5)"),
        ] {
            assert!(is(column, name), "{column} {name}");
        }
        assert!(!is("a character varying(5)", "character varying(6)") && !is("a text", "integer"));
    }
}
