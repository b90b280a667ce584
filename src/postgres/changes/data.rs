//! What data are made of while they are copied: the names of schemas, by which COPY finds a table, and what the columns'
//! types write. The tables themselves are locked; nothing of a table of theirs or of a type that they use can be dropped.

use super::membership;
use super::watch::{COLUMNS, ENUM_LABELS, ROLES, ROWS, SCHEMAS, Watch, Watches, When, in_schema};
use crate::error::Result;
use crate::postgres::catalogs::FIRST_USER_OID;
use crate::postgres::session::Session;
use crate::postgres::version::ServerVersion;
use crate::wire::{Param, Query};

/// The types of the columns of the tables `$1`, with all that these consist of: elements, base types, the types that a range
/// is of, the columns of a composite type; and whether one of the tables is foreign.
const USED: &str = "\
    WITH RECURSIVE used (oid) AS ( \
      SELECT a.atttypid FROM pg_catalog.pg_attribute AS a \
      WHERE a.attrelid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped \
      UNION \
      SELECT part.oid FROM used CROSS JOIN LATERAL ( \
        SELECT t.typelem AS oid FROM pg_catalog.pg_type AS t WHERE t.oid = used.oid \
        UNION ALL SELECT t.typbasetype FROM pg_catalog.pg_type AS t WHERE t.oid = used.oid \
        UNION ALL SELECT r.rngsubtype FROM pg_catalog.pg_range AS r WHERE r.rngtypid = used.oid \
        UNION ALL SELECT d.refobjid FROM pg_catalog.pg_depend AS d \
          WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = used.oid AND d.refclassid = \
          'pg_catalog.pg_type'::pg_catalog.regclass \
        UNION ALL SELECT a.atttypid FROM pg_catalog.pg_type AS t \
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = t.typrelid \
          WHERE t.oid = used.oid AND t.typrelid <> 0 AND a.attnum > 0 AND NOT a.attisdropped \
      ) AS part WHERE part.oid <> 0) \
    SELECT ARRAY(SELECT used.oid FROM used) AS types, \
      EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1) AND c.relkind = 'f') AS any_is_foreign";

/// What tables are made of, as far as that says when something is to be watched.
#[derive(Default)]
pub(super) struct Used {
    /// The types of their columns, and what these consist of.
    pub(super) types: Vec<u32>,
    any_is_foreign: bool,
}

impl Used {
    /// By these tables, as the session's snapshot shows them.
    ///
    /// # Errors
    /// The server does not tell.
    pub(super) fn by(tables: &[u32], session: &mut Session) -> Result<Self> {
        let query = Query::new("the types of columns", USED).param(Param::oids(tables));
        let rows = session.connection().run(&query)?;
        let row = rows.one()?;
        Ok(Self { types: row.oids("types")?, any_is_foreign: row.bool("any_is_foreign")? })
    }

    /// Whether there is something to watch.
    pub(super) fn is(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::Uses(types) => types.iter().any(|oid| self.types.contains(oid)),
            When::UsesOneOfUsers => self.types.iter().any(|oid| *oid >= FIRST_USER_OID),
            When::AnyIsForeign => self.any_is_foreign,
        }
    }
}

/// What is watched while data are copied; `$1` are the tables whose rows are.
pub const DATA: Watches = Watches {
    rows: &[
        Watch {
            // Types whose values are names: regclass, regproc, regprocedure, regoper, regoperator, regtype, regnamespace,
            // regcollation, regconfig, regdictionary.
            of: "x.oid IN (SELECT c.relnamespace FROM pg_catalog.pg_class AS c WHERE c.oid = ANY ($1)) \
                 OR EXISTS (SELECT FROM used WHERE used.oid \
                   = ANY ('{2205,24,2202,2203,2204,2206,4089,4191,3734,3769}'::pg_catalog.oid[]))",
            ..SCHEMAS
        },
        Watch { of: "x.enumtypid IN (SELECT used.oid FROM used)", when: When::UsesOneOfUsers, ..ENUM_LABELS },
        Watch {
            matters: "x.relnatts",
            of: "x.reltype IN (SELECT used.oid FROM used)",
            when: When::UsesOneOfUsers,
            even_if_undone: "x.relkind = 'c'",
            ..in_schema!("composite type", "pg_catalog.pg_class", "rel")
        },
        Watch {
            what: "column of composite type",
            matters: "x.atttypid, x.attisdropped",
            of: "c.reltype IN (SELECT used.oid FROM used) AND x.attnum > 0",
            when: When::UsesOneOfUsers,
            even_if_undone: "c.relkind = 'c'",
            ..COLUMNS
        },
        Watch {
            what: "function that writes a type",
            from: "pg_catalog.pg_proc AS x",
            name: "x.proname",
            matters: "x.prolang, x.prosrc, x.probin",
            of: "x.oid IN (SELECT t.typoutput::pg_catalog.oid FROM pg_catalog.pg_type AS t \
                 WHERE t.oid IN (SELECT used.oid FROM used))",
            ..ROWS
        },
        // Of foreign tables, which cannot be locked before they are read.
        Watch {
            of: "x.oid = ANY ($1) AND x.relkind = 'f'",
            when: When::AnyIsForeign,
            ..in_schema!("foreign table", "pg_catalog.pg_class", "rel")
        },
        Watch {
            what: "column of foreign table",
            matters: "x.attname, x.atttypid, x.attisdropped, x.attfdwoptions",
            of: "c.oid = ANY ($1) AND c.relkind = 'f' AND x.attnum > 0",
            when: When::AnyIsForeign,
            ..COLUMNS
        },
        Watch {
            what: "server or options of foreign table",
            from: "pg_catalog.pg_foreign_table AS x JOIN pg_catalog.pg_class AS c ON c.oid = x.ftrelid",
            oid: "x.ftrelid",
            name: "c.relname",
            matters: "x.ftserver, x.ftoptions",
            of: "x.ftrelid = ANY ($1)",
            when: When::AnyIsForeign,
            ..ROWS
        },
        Watch {
            // Whoever refreshes a materialized view gives it another TOAST table.
            of: "x.relpersistence <> 't' AND n.nspname <> 'pg_toast'",
            ..values(in_schema!("relation", "pg_catalog.pg_class", "rel"), &[2205])
        },
        Watch {
            of: "n.nspname !~ '^pg_(toast_)?temp_'",
            ..values(in_schema!("type", "pg_catalog.pg_type", "typ"), &[2206, 2202, 2204])
        },
        Watch {
            of: "n.nspname !~ '^pg_temp_'",
            ..values(in_schema!("function", "pg_catalog.pg_proc", "pro"), &[24, 2202])
        },
        values(in_schema!("operator", "pg_catalog.pg_operator", "opr"), &[2203, 2204]),
        values(in_schema!("collation", "pg_catalog.pg_collation", "coll"), &[4191]),
        values(in_schema!("text search configuration", "pg_catalog.pg_ts_config", "cfg"), &[3734]),
        values(in_schema!("text search dictionary", "pg_catalog.pg_ts_dict", "dict"), &[3769]),
        // Values of regdatabase, from PostgreSQL 19 on, are names of databases.
        values(
            Watch {
                what: "database",
                from: "pg_catalog.pg_database AS x",
                name: "x.datname",
                matters: "x.datname",
                ..ROWS
            },
            &[6490],
        ),
        values(ROLES, NAMES_OF_ROLES),
    ],
    roles: Some(When::Uses(NAMES_OF_ROLES)),
    now: &[],
};

/// As [`DATA`], where row security decides by policies which rows are copied. Policies are locked with their tables, but
/// not the functions that they call.
pub const POLICIES: Watches = Watches {
    rows: &[Watch {
        matters: "x.prolang, x.prosrc, x.probin, x.proconfig, x.prosecdef",
        newer: &[(ServerVersion::sql_bodies, "x.prosqlbody::pg_catalog.text")],
        of: "n.nspname !~ '^pg_temp_'",
        ..in_schema!("function", "pg_catalog.pg_proc", "pro")
    }],
    roles: None,
    now: membership::NOW,
};

/// Values of regrole and aclitem are names of roles.
const NAMES_OF_ROLES: &[u32] = &[4096, 1033];

/// Things whose names are values of these types; a number is written for one that is gone.
const fn values(named: Watch, types: &'static [u32]) -> Watch {
    Watch { when: When::Uses(types), even_if_gone: true, ..named }
}
