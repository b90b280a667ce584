//! What was gathered for extended statistics, from PostgreSQL 19 on, which takes it.

use bstr::ByteSlice;

use crate::error::Result;
use crate::postgres::emit::ExtendedData;
use crate::postgres::model::DumpId;
use crate::postgres::objects::statistics_reader::{HasStatistics, append_figures};
use crate::postgres::version::ServerVersion;
use crate::sql::Sql;
use crate::wire::{Param, Query, Row, Rows};

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

impl HasStatistics for ExtendedData {
    const FIRST: usize = 20;

    fn query(wanted: &[(DumpId, Self)], first: i32, most: usize, _: ServerVersion) -> (Query, usize) {
        let oids: Vec<u32> = wanted.iter().take(most).map(|(_, data)| data.oid).collect();
        let parts: Vec<String> =
            OF_EXPRESSION.iter().map(|part| format!("'{part}', e.{part}::pg_catalog.text")).collect();
        let query = Query::new("the data of extended statistics", QUERY.replace("{parts}", &parts.join(", ")));
        (query.param(Param::oids(&oids)).param(Param::int4(first)), oids.len())
    }

    fn next(most: usize, _: &Rows) -> usize {
        most
    }

    fn append(&self, sql: &mut Sql, row: Row<'_>, server: ServerVersion) -> Result<()> {
        sql.kw("SELECT * FROM pg_catalog.pg_restore_extended_stats(\n\t'version', '").num(server.number());
        sql.kw("'::integer,\n\t'schemaname', ").literal(self.relation_schema.as_bstr());
        sql.kw(",\n\t'relname', ").literal(self.relation.as_bstr());
        sql.kw(",\n\t'statistics_schemaname', ").literal(self.schema.as_bstr());
        sql.kw(",\n\t'statistics_name', ").literal(self.name.as_bstr());
        append_figures(sql, row, FIGURES)
    }
}
