//! What is known of the columns of relations, as they are written into the table of contents.

use bstr::{BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::ColumnStatistics;
use crate::postgres::model::DumpId;
use crate::postgres::objects::statistics_reader::{HasStatistics, append_figures};
use crate::postgres::version::ServerVersion;
use crate::progress::{Message, Reporter};
use crate::sql::Sql;
use crate::wire::{Param, Query, Row, Rows};

/// How many relations one query is about at most, and how large its result should be. How many columns that allows is
/// judged by the query before; those of one relation are taken in any case.
const RELATIONS: usize = 200;
const BYTES: usize = 4 * 1024 * 1024;
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

impl HasStatistics for ColumnStatistics {
    const FIRST: usize = 50;

    fn query(wanted: &[(DumpId, Self)], first: i32, most: usize, server: ServerVersion) -> (Query, usize) {
        let mut columns = 0;
        let batch = wanted.iter().take(RELATIONS).take_while(|(_, of)| {
            let is_first = columns == 0;
            columns += of.columns.max(1);
            is_first || columns <= most
        });
        let (schemas, relations): (Vec<&BString>, Vec<&BString>) =
            batch.map(|(_, of)| (&of.schema, &of.relation)).unzip();
        let query = Query::new("statistics of columns", query_text(server));
        let query = query.param(Param::texts(&schemas)).param(Param::texts(&relations)).param(Param::int4(first));
        (query, relations.len())
    }

    fn next(most: usize, rows: &Rows) -> usize {
        // At most twice as many as before: those that come next may be larger.
        let fitting = rows.len().max(1).saturating_mul(BYTES) / rows.size().max(1);
        fitting.clamp(1, 2 * most)
    }

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
        append_figures(sql, row, figures(server))
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
