//! What definitions are made of: everything that has a name which the server puts into words, or words of its own.
//!
//! Of each catalog, the columns count that `pg_get_*` functions and their like look up. What a query of ours reads is
//! the snapshot's in any case: owners, privileges, comments, bodies of functions, options, values of defaults. Tables are
//! locked before the snapshot; of those that are not dumped, only a name that is another one now counts, for applications
//! truncate, analyze and index them all the time. Rows of `pg_attrdef`, `pg_policy`, `pg_range`, `pg_cast` and the like
//! are never updated, or only read by queries.

use super::watch::{COLUMNS, ENUM_LABELS, LASTING, ROLES, ROWS, SCHEMAS, Watch, Watches, When, in_schema};
use crate::postgres::catalogs::{Catalog, begins_with, check_each_catalog};
use crate::postgres::relkind::relkinds;
use crate::postgres::version::ServerVersion;

/// Of tables that are not dumped, those count that something else is made of: then it depends on them.
macro_rules! in_use {
    ($table:literal) => {
        concat!(
            "(",
            $table,
            ".relkind NOT IN ",
            relkinds!(tables),
            " OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
             WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = ",
            $table,
            ".oid AND d.deptype = 'n'))"
        )
    };
}

/// What is watched while the catalog is read; `$1` are the tables that are locked.
pub const DEFINITIONS: Watches = Watches { rows: ROWS_WATCHED, roles: Some(When::Always), now: &[] };

const ROWS_WATCHED: &[Watch] = &[
    Watch { of: "x.nspname !~ '^pg_(toast_)?temp_'", ..SCHEMAS },
    ROLES,
    Watch {
        what: "extension",
        from: "pg_catalog.pg_extension AS x",
        name: "x.extname",
        matters: "x.extname, x.extnamespace, x.extversion",
        ..ROWS
    },
    Watch {
        what: "type",
        from: "pg_catalog.pg_type AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.typnamespace \
               LEFT JOIN pg_catalog.pg_class AS c ON c.oid = x.typrelid",
        name: "pg_catalog.concat(n.nspname, '.', x.typname)",
        matters: "x.typname, x.typnamespace",
        // An array is called by the name of its elements.
        of: "n.nspname !~ '^pg_(toast_)?temp_' AND NOT (x.typelem <> 0 AND x.typlen = -1) \
             AND (c.oid IS NULL OR c.relkind = 'c' OR EXISTS (SELECT FROM pg_catalog.pg_depend AS d \
               WHERE d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.refobjid = x.oid AND d.deptype = \
                 'n'))",
        ..ROWS
    },
    Watch { of: LASTING, ..ENUM_LABELS },
    Watch {
        // The options of an index are a part of its definition, those of others are read by themselves.
        matters: concat!(
            "x.relname, x.relnamespace, x.relkind, \
                  CASE WHEN x.relkind IN ",
            relkinds!(indexes),
            " THEN x.reloptions END, \
                  CASE WHEN x.relkind = 'c' THEN x.relnatts END"
        ),
        of: concat!(
            "x.relpersistence <> 't' AND CASE WHEN x.relkind = 't' THEN false \
             WHEN x.relkind NOT IN ",
            relkinds!(indexes),
            " THEN ",
            in_use!("x"),
            " ELSE EXISTS (SELECT FROM pg_catalog.pg_index AS i \
                JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid \
                WHERE i.indexrelid = x.oid AND (t.relkind = 'm' OR t.oid = ANY ($1))) END"
        ),
        even_if_undone: concat!("x.relkind NOT IN ", relkinds!(tables)),
        ..in_schema!("relation", "pg_catalog.pg_class", "rel")
    },
    Watch {
        what: "column",
        matters: "x.attname, x.attisdropped",
        of: concat!("c.relpersistence <> 't' AND c.relkind <> 't' AND x.attnum > 0 AND ", in_use!("c")),
        even_if_undone: concat!("c.relkind NOT IN ", relkinds!(tables)),
        ..COLUMNS
    },
    Watch {
        matters: "x.proname, x.pronamespace, x.prokind, x.prorettype, x.proretset, x.provariadic, \
                  x.proargtypes::pg_catalog.oid[], x.proallargtypes, x.proargmodes, x.proargnames, \
                  x.proargdefaults::pg_catalog.text",
        newer: &[(ServerVersion::sql_bodies, "x.prosqlbody::pg_catalog.text")],
        ..in_schema!("function", "pg_catalog.pg_proc", "pro")
    },
    Watch {
        what: "rule or view",
        from: "pg_catalog.pg_rewrite AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.ev_class \
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace",
        name: "pg_catalog.concat(n.nspname, '.', c.relname)",
        matters: "x.rulename, x.ev_class, x.ev_type, x.is_instead, x.ev_qual::pg_catalog.text, x.ev_action::pg_catalog.text",
        of: LASTING,
        ..ROWS
    },
    // Its value is not the snapshot's, and must be within the bounds that are.
    Watch {
        what: "sequence",
        from: "pg_catalog.pg_sequence AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.seqrelid \
               JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace",
        oid: "x.seqrelid",
        name: "pg_catalog.concat(n.nspname, '.', c.relname)",
        matters: "x.seqtypid, x.seqmin, x.seqmax",
        of: "c.relpersistence <> 't'",
        ..ROWS
    },
    Watch {
        what: "constraint",
        from: "pg_catalog.pg_constraint AS x",
        name: "x.conname",
        matters: "x.conname, x.connamespace, x.condeferrable, x.condeferred, x.convalidated",
        newer: &[(ServerVersion::unenforced_constraints, "x.conenforced")],
        of: "x.conrelid = 0 OR x.conrelid = ANY ($1)",
        ..ROWS
    },
    Watch {
        what: "trigger",
        from: "pg_catalog.pg_trigger AS x",
        name: "x.tgname",
        matters: "x.tgname, x.tgfoid, x.tgtype, x.tgdeferrable, x.tginitdeferred, x.tgargs, x.tgattr::pg_catalog.int2[], \
                  x.tgqual::pg_catalog.text, x.tgoldtable, x.tgnewtable",
        of: "NOT x.tgisinternal",
        ..ROWS
    },
    in_schema!("statistics object", "pg_catalog.pg_statistic_ext", "stx"),
    in_schema!("operator", "pg_catalog.pg_operator", "opr"),
    in_schema!("operator class", "pg_catalog.pg_opclass", "opc"),
    in_schema!("operator family", "pg_catalog.pg_opfamily", "opf"),
    in_schema!("collation", "pg_catalog.pg_collation", "coll"),
    in_schema!("text search configuration", "pg_catalog.pg_ts_config", "cfg"),
    in_schema!("text search dictionary", "pg_catalog.pg_ts_dict", "dict"),
];

/// Catalogs of which nothing is put into words by its OID: queries read them in the snapshot; and those whose rows are
/// made and dropped, but never updated.
const NOT_WATCHED: &[Catalog] = &[
    Catalog::ACCESS_METHOD,
    Catalog::ACCESS_METHOD_OPERATOR,
    Catalog::ACCESS_METHOD_PROCEDURE,
    Catalog::ATTRIBUTE_DEFAULT,
    Catalog::AUTH_MEMBERS,
    Catalog::CAST,
    Catalog::CONVERSION,
    Catalog::DATABASE,
    Catalog::DEFAULT_ACL,
    Catalog::EVENT_TRIGGER,
    Catalog::FOREIGN_DATA_WRAPPER,
    Catalog::FOREIGN_SERVER,
    Catalog::LANGUAGE,
    Catalog::LARGE_OBJECT,
    Catalog::LARGE_OBJECT_METADATA,
    Catalog::PARAMETER_ACL,
    Catalog::POLICY,
    Catalog::PUBLICATION,
    Catalog::PUBLICATION_NAMESPACE,
    Catalog::PUBLICATION_REL,
    Catalog::SUBSCRIPTION,
    Catalog::TABLESPACE,
    Catalog::TRANSFORM,
    Catalog::TS_PARSER,
    Catalog::TS_TEMPLATE,
    Catalog::USER_MAPPING,
];

const fn is_watched_or_left_out_on_purpose(catalog: Catalog, name: &str) -> bool {
    let mut at = 0;
    while at < ROWS_WATCHED.len() {
        if is_from(ROWS_WATCHED[at].from, name) {
            return !catalog.is_in(NOT_WATCHED);
        }
        at += 1;
    }
    catalog.is_in(NOT_WATCHED)
}

/// Whether rows of that catalog come first.
const fn is_from(from: &str, catalog: &str) -> bool {
    let (_, rest) = from.split_at("pg_catalog.".len());
    begins_with(rest, catalog) && begins_with(rest.split_at(catalog.len()).1, " AS x")
}

check_each_catalog!(is_watched_or_left_out_on_purpose);
