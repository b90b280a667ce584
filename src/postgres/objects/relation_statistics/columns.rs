//! What is known of the columns of relations, read while the table of contents is written.
//!
//! With a hundred values and their frequencies, the bounds of a histogram and more for each column, statistics are larger
//! than all definitions together. So they are asked for in batches, in the order in which they are written, and no more
//! than one batch is held: memory grows with neither tables nor columns, and round trips with batches only.

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::ColumnStatistics;
use crate::postgres::model::DumpId;
use crate::postgres::session::Session;
use crate::postgres::version::ServerVersion;
use crate::progress::{Message, Reporter};
use crate::sql::Sql;
use crate::wire::{Param, Query, Row, Rows};

/// How many relations one query is about at most, and how large its result should be. How many columns that allows is
/// judged by the query before; those of one relation are taken in any case.
const RELATIONS: usize = 200;
const BYTES: usize = 4 * 1024 * 1024;
/// About how many columns the first query is.
const FIRST_COLUMNS: usize = 50;

/// How many relations a warning names.
const NAMED: usize = 20;

/// What a column's statistics may consist of: the column of `pg_stats`, which is also the argument's name, and the
/// argument's type.
const FIGURES: &[(&str, &str)] = &[
    ("null_frac", "real"),
    ("avg_width", "integer"),
    ("n_distinct", "real"),
    ("most_common_vals", "text"),
    ("most_common_freqs", "real[]"),
    ("histogram_bounds", "text"),
    ("correlation", "real"),
    ("most_common_elems", "text"),
    ("most_common_elem_freqs", "real[]"),
    ("elem_count_histogram", "real[]"),
];

/// From 17 on.
const RANGE_FIGURES: &[(&str, &str)] =
    &[("range_length_histogram", "text"), ("range_empty_frac", "real"), ("range_bounds_histogram", "text")];

/// Reads the statistics for entries, in their order.
pub struct Reader<'a> {
    wanted: &'a [(DumpId, ColumnStatistics)],
    server: ServerVersion,
    standard_strings: bool,
    /// How many of `wanted` were asked for so far.
    asked: usize,
    /// How many columns the next query may be about.
    columns: usize,
    /// How many of `wanted` were given out.
    given: usize,
    /// The statistics of the last batch, a row a column, with its relation's place in `wanted`.
    rows: Option<Rows>,
    next_row: usize,
}

impl<'a> Reader<'a> {
    /// A reader of the statistics that are `wanted` by entries, in the order of the entries.
    pub fn new(wanted: &'a [(DumpId, ColumnStatistics)], session: &Session) -> Self {
        let (server, standard_strings) = (session.server(), session.standard_strings());
        Self { wanted, server, standard_strings, asked: 0, columns: FIRST_COLUMNS, given: 0, rows: None, next_row: 0 }
    }

    /// The statements for the columns that the entry with this number is about; `None` for one that is not about
    /// statistics, or out of turn.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn statements(&mut self, of: DumpId, session: &mut Session) -> Result<Option<Sql>> {
        let Some((_, columns)) = self.wanted.get(self.given).filter(|(id, _)| *id == of) else { return Ok(None) };
        if self.given == self.asked {
            self.ask(session)?;
        }
        let mut sql = Sql::with_strings(self.standard_strings);
        while let Some(row) = self.rows.as_ref().and_then(|rows| rows.get(self.next_row)) {
            if usize::try_from(row.i32("place")?) != Ok(self.given) {
                break;
            }
            columns.append(&mut sql, row, self.server)?;
            self.next_row += 1;
        }
        self.given += 1;
        Ok(Some(sql))
    }

    fn ask(&mut self, session: &mut Session) -> Result<()> {
        let (mut columns, most) = (0, self.columns);
        let rest = self.wanted.get(self.asked..).unwrap_or_default();
        let batch = rest.iter().take(RELATIONS).take_while(|(_, of)| {
            let is_first = columns == 0;
            columns += of.columns.max(1);
            is_first || columns <= most
        });
        let (schemas, relations): (Vec<&BString>, Vec<&BString>) =
            batch.map(|(_, of)| (&of.schema, &of.relation)).unzip();
        let first = i32::try_from(self.asked).unwrap_or(i32::MAX);
        self.asked += relations.len();
        let query = Query::new("statistics of columns", query_text(self.server));
        let query = query.param(Param::texts(&schemas)).param(Param::texts(&relations)).param(Param::int4(first));
        // The last batch is let go before the next one comes.
        self.rows = None;
        let rows = session.connection().run(&query)?;
        // At most twice as many as before: those that come next may be larger.
        let fitting = rows.len().max(1).saturating_mul(BYTES) / rows.size().max(1);
        self.columns = fitting.clamp(1, 2 * self.columns);
        self.rows = Some(rows);
        self.next_row = 0;
        Ok(())
    }
}

/// The view lets everyone read the statistics of what they may read. It has no OIDs; that the names are also compared
/// with the whole list lets the server look them up by an index instead of reading all statistics.
fn query_text(server: ServerVersion) -> String {
    let mut values = String::new();
    for (part, _) in figures(server) {
        values += &format!(", s.{part}::pg_catalog.text");
    }
    format!(
        "SELECT (wanted.number - 1 + $3)::pg_catalog.int4 AS place, s.attname::pg_catalog.text, s.inherited{values} \
         FROM ROWS FROM (pg_catalog.unnest($1::pg_catalog.name[]), \
         pg_catalog.unnest($2::pg_catalog.name[])) WITH ORDINALITY \
           AS wanted (schema, relation, number) \
         JOIN pg_catalog.pg_stats AS s ON s.schemaname = wanted.schema AND s.tablename = wanted.relation \
         WHERE s.tablename = ANY ($2::pg_catalog.name[]) \
         ORDER BY wanted.number, s.attname, s.inherited"
    )
}

fn figures(server: ServerVersion) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
    let of_ranges = if server.range_statistics() { RANGE_FIGURES } else { &[] };
    FIGURES.iter().chain(of_ranges)
}

impl ColumnStatistics {
    fn append(&self, sql: &mut Sql, row: Row<'_>, server: ServerVersion) -> Result<()> {
        let name = row.text("attname")?;
        sql.kw("SELECT * FROM pg_catalog.pg_restore_attribute_stats(\n\t'version', '").num(server.number());
        sql.kw("'::integer,\n\t'schemaname', ").literal(self.schema.as_bstr());
        sql.kw(",\n\t'relname', ").literal(self.relation.as_bstr());
        match &self.expressions {
            None => _ = sql.kw(",\n\t'attname', ").literal(name),
            Some(names) => {
                let number = names.iter().position(|of_column| of_column == name).ok_or_else(|| {
                    Error::new(ErrorKind::Incomplete, format!("find column \"{name}\" of index \"{}\"", self.relation))
                        .why("there are statistics of it, but the catalog has no such column")
                })?;
                sql.kw(",\n\t'attnum', '").num(i64::try_from(number + 1).unwrap_or(0)).kw("'::smallint");
            }
        }
        sql.kw(",\n\t'inherited', '").kw(if row.bool("inherited")? { "t" } else { "f" }).kw("'::boolean");
        for (figure, of_type) in figures(server) {
            if let Some(value) = row.opt_text(figure)? {
                sql.kw(",\n\t'").kw(figure).kw("', ").literal(value).kw("::").kw(of_type);
            }
        }
        sql.kw("\n);\n");
        Ok(())
    }
}

/// Names the relations of which not all statistics may be read, and the `extended` ones that may not.
pub fn tell_unreadable(wanted: &[(DumpId, ColumnStatistics)], extended: &[String], reporter: &dyn Reporter) {
    let of_relations = wanted.iter().filter(|(_, of)| of.unreadable);
    let names: Vec<String> =
        of_relations.map(|(_, of)| format!("{}.{}", of.schema, of.relation)).chain(extended.iter().cloned()).collect();
    if names.is_empty() {
        return;
    }
    let named = names.len().min(NAMED);
    let more = names.len() - named;
    let tail = if more > 0 { format!(", and {more} more") } else { String::new() };
    let text = format!(
        "some are left out, because this role may not read them: those of {}{tail}; after a restore, ANALYZE makes \
         them anew",
        names[..named].join(", ")
    );
    reporter.message(Message::warning("statistics", text));
}
