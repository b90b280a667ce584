//! The tables of a database or of a backup, as a table for people.

use bstr::{BStr, BString, ByteSlice};
use serde::{Serialize, Serializer};

use crate::cli::amounts::{counted, human};
use crate::printable;

/// Where tables are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    Database,
    Backup,
}

/// What is in a database or in a backup.
#[derive(Debug, Serialize)]
pub(super) struct Contents {
    #[serde(skip)]
    pub(super) source: Source,
    /// Which it is, for people.
    pub(super) name: String,
    /// Its tables, by name.
    pub(super) tables: Vec<Table>,
    pub(super) large_objects: Option<u64>,
}

/// A table.
#[derive(Debug, Serialize)]
pub(super) struct Table {
    /// An SQLite database has none.
    #[serde(serialize_with = "lossy_option")]
    pub(super) schema: Option<BString>,
    #[serde(serialize_with = "lossy")]
    pub(super) name: BString,
    #[serde(flatten)]
    pub(super) rows: Rows,
    /// In the database, what it takes on disk; in an archive, its data as text.
    pub(super) bytes: Option<u64>,
    /// With its indexes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) total_bytes: Option<u64>,
    /// In an archive, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stored_bytes: Option<u64>,
}

/// How many rows there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Rows {
    #[serde(rename = "rows")]
    pub(super) number: Option<u64>,
    /// Whether nobody has counted them just now.
    pub(super) estimated: bool,
    /// Why they are not counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) not_counted: Option<String>,
}

impl Rows {
    pub(super) fn exact(number: u64) -> Self {
        Self { number: Some(number), ..Self::default() }
    }

    pub(super) fn estimated(number: u64) -> Self {
        Self { number: Some(number), estimated: true, not_counted: None }
    }

    pub(super) fn not_counted(why: impl Into<String>) -> Self {
        Self { not_counted: Some(why.into()), ..Self::default() }
    }

    /// `1000`, `~1000`, `?`.
    pub(super) fn text(&self) -> String {
        match self.number {
            Some(number) if self.estimated => format!("~{number}"),
            Some(number) => number.to_string(),
            None => "?".to_owned(),
        }
    }
}

fn lossy<S: Serializer>(text: &BString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&text.to_str_lossy())
}

fn lossy_option<S: Serializer>(text: &Option<BString>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_some(&text.as_ref().map(|text| text.to_str_lossy()))
}

/// A table's name with its schema.
pub(super) fn qualified(schema: Option<&BStr>, name: &BStr) -> String {
    let schema = schema.map(|schema| printable::name(schema) + ".").unwrap_or_default();
    schema + &printable::name(name)
}

/// The name of one column, and what is in it.
type Column = (&'static str, Vec<String>);

/// Lines with the columns one beside the other, numbers to the right; the last one goes on as long as it is.
pub(super) fn in_columns(columns: &[Column], last: &(&'static str, Vec<String>)) -> Vec<String> {
    let width = |(head, texts): &Column| {
        texts.iter().map(|text| text.chars().count()).chain([head.len()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let line = |texts: Vec<&str>, last: &str| {
        let cells = texts.iter().zip(&widths).map(|(text, width)| format!("{text:>width$}  "));
        format!("{}{last}", cells.collect::<String>())
    };
    let heads = columns.iter().map(|(head, _)| *head).collect();
    let rows = (0..last.1.len()).map(|at| line(columns.iter().map(|(_, texts)| &*texts[at]).collect(), &last.1[at]));
    std::iter::once(line(heads, last.0)).chain(rows).collect()
}

/// What they come to. An owner may have put estimates into the catalog that no sum holds.
fn sum(numbers: impl Iterator<Item = u64>) -> u64 {
    numbers.fold(0, u64::saturating_add)
}

impl Contents {
    /// Its rows together, whether none of the numbers is an estimate, and how many tables have none.
    fn rows(&self) -> (u64, bool, u64) {
        let rows = || self.tables.iter().map(|table| &table.rows);
        let number = sum(rows().filter_map(|rows| rows.number));
        let unknown = rows().filter(|rows| rows.number.is_none()).count() as u64;
        (number, !rows().any(|rows| rows.estimated), unknown)
    }

    /// For people: the largest first, and what it all comes to.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut tables: Vec<&Table> = self.tables.iter().collect();
        tables.sort_by_key(|table| std::cmp::Reverse(table.total_bytes.or(table.bytes)));
        let column = |text: &dyn Fn(&Table) -> String| tables.iter().map(|table| text(table)).collect::<Vec<_>>();
        let room = |bytes: Option<u64>| bytes.map_or("?".to_owned(), human);
        let (second, third) = match self.is_of_pages() {
            true => (("size", column(&|t| room(t.bytes))), ("with indexes", column(&|t| room(t.total_bytes)))),
            false if tables.iter().any(|table| table.stored_bytes.is_some()) => {
                (("data", column(&|t| room(t.bytes))), ("in the file", column(&|t| room(t.stored_bytes))))
            }
            false => (("data", column(&|t| room(t.bytes))), ("", column(&|_| String::new()))),
        };
        let name = |table: &Table| {
            let name = qualified(table.schema.as_ref().map(|schema| schema.as_bstr()), table.name.as_bstr());
            let why = table.rows.not_counted.as_ref().map(|why| format!(" (rows not known: {why})"));
            name + &why.unwrap_or_default()
        };
        let mut columns = vec![("rows", column(&|t| t.rows.text())), second];
        columns.extend(Some(third).filter(|(head, _)| !head.is_empty()));
        let mut lines = vec![format!("{}: {}", super::word(self.source), self.name)];
        if !tables.is_empty() {
            lines.extend(in_columns(&columns, &("table", column(&name))));
        }
        lines.push(self.summary());
        lines
    }

    /// Whether the sizes are those of pages, as in any database, and not of data in an archive.
    fn is_of_pages(&self) -> bool {
        self.source == Source::Database || self.tables.iter().any(|table| table.total_bytes.is_some())
    }

    fn summary(&self) -> String {
        let (rows, is_exact, unknown) = self.rows();
        let about = if is_exact { "" } else { "about " };
        let but = match unknown {
            0 => String::new(),
            n => format!(" (without {} whose rows are not known)", counted(n, "table", "tables")),
        };
        let sum = |of: fn(&Table) -> Option<u64>| sum(self.tables.iter().filter_map(of));
        let bytes = match self.is_of_pages() {
            true => format!("{} with indexes", human(sum(|table| table.total_bytes))),
            false => format!("{} of data", human(sum(|table| table.bytes))),
        };
        let objects = match self.large_objects {
            Some(n @ 1..) => format!(", {}", counted(n, "large object", "large objects")),
            _ => String::new(),
        };
        let tables = counted(self.tables.len() as u64, "table", "tables");
        format!("lifeboat: status: {tables}, {about}{}{but}{objects}, {bytes}", counted(rows, "row", "rows"))
    }
}
