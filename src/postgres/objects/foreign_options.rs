//! Options of foreign data.

/// SQL for the options in a column of foreign data (`text[]` of `name=value`) in the form that OPTIONS takes, a line each;
/// NULL where there are none.
pub(super) fn in_lines(column: &'static str) -> String {
    format!(
        "(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(o.option_name) || ' ' \
         || pg_catalog.quote_literal(o.option_value), E',\\n    ' ORDER BY o.option_name) \
         FROM pg_catalog.pg_options_to_table({column}) AS o)"
    )
}
