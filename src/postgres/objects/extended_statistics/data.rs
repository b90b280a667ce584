//! What was gathered for extended statistics, from PostgreSQL 19 on, which takes it. Like that of columns, it is read while the
//! table of contents is written, a few objects at a time, for it can be much.

use bstr::ByteSlice;

use crate::error::Result;
use crate::postgres::emit::ExtendedData;
use crate::postgres::model::DumpId;
use crate::postgres::session::Session;
use crate::postgres::version::ServerVersion;
use crate::sql::Sql;
use crate::wire::{Param, Query, Row, Rows};

/// How many objects one query is about.
const OBJECTS: usize = 20;

/// What the data may consist of: the column of [`QUERY`], which is also the argument's name, and the argument's type.
const FIGURES: &[(&str, &str)] = &[
    ("n_distinct", "pg_ndistinct"),
    ("dependencies", "pg_dependencies"),
    ("most_common_vals", "text[]"),
    ("most_common_freqs", "double precision[]"),
    ("most_common_base_freqs", "double precision[]"),
    ("exprs", "jsonb"),
];

/// The columns of `pg_stats_ext_exprs` that make up the statistics of an expression.
const OF_EXPRESSION: &[&str] = &[
    "null_frac",
    "avg_width",
    "n_distinct",
    "most_common_vals",
    "most_common_freqs",
    "histogram_bounds",
    "correlation",
    "most_common_elems",
    "most_common_elem_freqs",
    "elem_count_histogram",
    "range_length_histogram",
    "range_empty_frac",
    "range_bounds_histogram",
];

/// The views show the data to those who have the privileges of the relation's owner. That of expressions comes in their order.
const QUERY: &str = "\
    SELECT (wanted.number - 1 + $2)::pg_catalog.int4 AS place, s.inherited, \
      s.n_distinct::pg_catalog.text, s.dependencies::pg_catalog.text, s.most_common_vals::pg_catalog.text, \
      s.most_common_freqs::pg_catalog.text, s.most_common_base_freqs::pg_catalog.text, \
      (SELECT pg_catalog.jsonb_pretty(pg_catalog.jsonb_agg(pg_catalog.jsonb_strip_nulls(pg_catalog.jsonb_build_object({parts})))) \
       FROM pg_catalog.pg_stats_ext_exprs AS e \
       WHERE e.statistics_id = s.statistics_id AND e.inherited = s.inherited) AS exprs \
    FROM pg_catalog.unnest($1) WITH ORDINALITY AS wanted (oid, number) \
    JOIN pg_catalog.pg_stats_ext AS s ON s.statistics_id = wanted.oid \
    ORDER BY wanted.number, s.inherited";

/// Reads the data for entries, in their order.
pub struct Reader<'a> {
    wanted: &'a [(DumpId, ExtendedData)],
    server: ServerVersion,
    standard_strings: bool,
    asked: usize,
    given: usize,
    rows: Option<Rows>,
    next_row: usize,
}

impl<'a> Reader<'a> {
    /// A reader of the data that is `wanted` by entries, in the order of the entries.
    pub fn new(wanted: &'a [(DumpId, ExtendedData)], session: &Session) -> Self {
        let (server, standard_strings) = (session.server(), session.standard_strings());
        Self { wanted, server, standard_strings, asked: 0, given: 0, rows: None, next_row: 0 }
    }

    /// The statements for the object that the entry with this number is about; `None` for one that is not about extended
    /// statistics, or out of turn.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn statements(&mut self, of: DumpId, session: &mut Session) -> Result<Option<Sql>> {
        let Some((_, data)) = self.wanted.get(self.given).filter(|(id, _)| *id == of) else { return Ok(None) };
        if self.given == self.asked {
            self.ask(session)?;
        }
        let mut sql = Sql::with_strings(self.standard_strings);
        while let Some(row) = self.rows.as_ref().and_then(|rows| rows.get(self.next_row)) {
            if usize::try_from(row.i32("place")?) != Ok(self.given) {
                break;
            }
            data.append(&mut sql, row, self.server)?;
            self.next_row += 1;
        }
        self.given += 1;
        Ok(Some(sql))
    }

    fn ask(&mut self, session: &mut Session) -> Result<()> {
        let rest = self.wanted.get(self.asked..).unwrap_or_default();
        let oids: Vec<u32> = rest.iter().take(OBJECTS).map(|(_, data)| data.oid).collect();
        let first = i32::try_from(self.asked).unwrap_or(i32::MAX);
        self.asked += oids.len();
        let parts: Vec<String> =
            OF_EXPRESSION.iter().map(|part| format!("'{part}', e.{part}::pg_catalog.text")).collect();
        let text = QUERY.replace("{parts}", &parts.join(", "));
        let query = Query::new("the data of extended statistics", text);
        // The last batch is let go before the next one comes.
        self.rows = None;
        self.rows = Some(session.connection().run(&query.param(Param::oids(&oids)).param(Param::int4(first)))?);
        self.next_row = 0;
        Ok(())
    }
}

impl ExtendedData {
    fn append(&self, sql: &mut Sql, row: Row<'_>, server: ServerVersion) -> Result<()> {
        sql.kw("SELECT * FROM pg_catalog.pg_restore_extended_stats(\n\t'version', '").num(server.number());
        sql.kw("'::integer,\n\t'schemaname', ").literal(self.relation_schema.as_bstr());
        sql.kw(",\n\t'relname', ").literal(self.relation.as_bstr());
        sql.kw(",\n\t'statistics_schemaname', ").literal(self.schema.as_bstr());
        sql.kw(",\n\t'statistics_name', ").literal(self.name.as_bstr());
        sql.kw(",\n\t'inherited', '").kw(if row.bool("inherited")? { "t" } else { "f" }).kw("'::boolean");
        for (figure, of_type) in FIGURES {
            if let Some(value) = row.opt_text(figure)? {
                sql.kw(",\n\t'").kw(figure).kw("', ").literal(value).kw("::").kw(of_type);
            }
        }
        sql.kw("\n);\n");
        Ok(())
    }
}
