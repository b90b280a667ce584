//! What can be watched for changes by others.

use crate::postgres::version::ServerVersion;

/// What is watched.
#[derive(Debug, Clone, Copy)]
pub struct Watches {
    /// Rows of catalogs.
    pub(super) rows: &'static [Watch],
    /// Whether the names of roles count, and when. Few may read the catalog of roles, but everybody can see that one was renamed.
    pub(super) roles: Option<When>,
    /// What the server can be asked for as it is now.
    pub(super) now: &'static [Now],
}

/// Among which tables there is something to watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// Any.
    Always,
    /// Those whose columns' types consist of one of these.
    Uses(&'static [u32]),
    /// Those whose columns' types consist of one that a user made.
    UsesOneOfUsers,
    /// Those of which one is foreign.
    AnyIsForeign,
}

/// Things that are something else now than the snapshot says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// What one is to the reader of an error.
    pub(super) what: &'static str,
    /// `oid` and `name` of those that differ, from where and on which condition, after SELECT.
    pub(super) rows: &'static str,
}

/// A column, and which servers have it.
pub(super) type NewerColumn = (fn(ServerVersion) -> bool, &'static str);

/// Rows of a catalog that are watched.
#[derive(Debug, Clone, Copy)]
pub struct Watch {
    /// What a row is to the reader of an error.
    pub(super) what: &'static str,
    /// The catalog, as `x`, with what is joined to it for the name or the condition.
    pub(super) from: &'static str,
    /// The column that tells rows apart; two rows with the same are told apart by `part`.
    pub(super) oid: &'static str,
    /// A number within `oid`.
    pub(super) part: &'static str,
    /// What the row is called.
    pub(super) name: &'static str,
    /// The columns that matter, between commas.
    pub(super) matters: &'static str,
    /// Those that not every server has.
    pub(super) newer: &'static [NewerColumn],
    /// Which rows are watched; `$1` are OIDs of tables, and `used` has those of the types that they are made of, if any watch of the
    /// same tables asks when.
    pub(super) of: &'static str,
    /// When there are any.
    pub(super) when: When,
    /// For which rows it matters, too, if they were changed and changed back.
    pub(super) even_if_undone: &'static str,
    /// Whether it matters that a row is gone.
    pub(super) even_if_gone: bool,
    /// Whether only a superuser can read the catalog.
    pub(super) secret: bool,
}

/// Of most catalogs.
pub(super) const ROWS: Watch = Watch {
    what: "",
    from: "",
    oid: "x.oid",
    part: "0",
    name: "",
    matters: "",
    newer: &[],
    of: "true",
    when: When::Always,
    even_if_undone: "true",
    even_if_gone: false,
    secret: false,
};

/// Left out is what sessions have for themselves.
pub(super) const LASTING: &str = "n.nspname !~ '^pg_(toast_)?temp_'";

/// What is in a schema, by its catalog and by what the columns' names begin with: all of them that last, and their names.
macro_rules! in_schema {
    ($what:literal, $catalog:literal, $column:literal) => {
        Watch {
            what: $what,
            from: concat!($catalog, " AS x JOIN pg_catalog.pg_namespace AS n ON n.oid = x.", $column, "namespace"),
            name: concat!("pg_catalog.concat(n.nspname, '.', x.", $column, "name)"),
            matters: concat!("x.", $column, "name, x.", $column, "namespace"),
            of: super::watch::LASTING,
            ..super::watch::ROWS
        }
    };
}

pub(super) use in_schema;

pub(super) const SCHEMAS: Watch =
    Watch { what: "schema", from: "pg_catalog.pg_namespace AS x", name: "x.nspname", matters: "x.nspname", ..ROWS };

pub(super) const ROLES: Watch = Watch {
    what: "role",
    from: "pg_catalog.pg_authid AS x",
    name: "x.rolname",
    matters: "x.rolname",
    secret: true,
    ..ROWS
};

pub(super) const ENUM_LABELS: Watch = Watch {
    what: "enum label",
    from: "pg_catalog.pg_enum AS x JOIN pg_catalog.pg_type AS t ON t.oid = x.enumtypid \
           JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace",
    name: "pg_catalog.concat(n.nspname, '.', t.typname, ' ', pg_catalog.quote_literal(x.enumlabel))",
    matters: "x.enumlabel",
    ..ROWS
};

/// Of relations, which are `c`.
pub(super) const COLUMNS: Watch = Watch {
    from: "pg_catalog.pg_attribute AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.attrelid \
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace",
    oid: "x.attrelid",
    part: "x.attnum",
    name: "pg_catalog.concat(n.nspname, '.', c.relname, '.', x.attname)",
    ..ROWS
};
