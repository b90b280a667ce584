//! The system catalogs of the server, as it describes them itself.

use std::collections::HashSet;

use bstr::{BStr, BString, ByteSlice};

use super::columns;
use crate::error::Result;
use crate::postgres::catalogs::FIRST_USER_OID;
use crate::postgres::relkind::relkinds;
use crate::sql::Sql;
use crate::wire::{Connection, Param, Query};

/// A system catalog of the server.
pub(super) struct ServerCatalog {
    pub oid: u32,
    pub name: BString,
    /// Whether it is the cluster's.
    pub shared: bool,
    pub columns: Vec<ServerColumn>,
}

/// A column of one.
pub(super) struct ServerColumn {
    pub name: BString,
    /// Whether it is an OID under whatever name.
    pub is_oid: bool,
}

/// The system catalogs of this server.
pub(super) fn read(connection: &mut Connection) -> Result<Vec<ServerCatalog>> {
    let query = Query::new(
        "the system catalogs",
        concat!(
            "SELECT c.oid, c.relname, c.relisshared, a.attname, \
           a.atttypid = 26 OR t.typcategory = 'N' AND t.typname LIKE 'reg%' AS is_oid \
         FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid \
         JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid \
         WHERE c.relnamespace = 11 AND c.oid < $1 AND c.relkind NOT IN ",
            relkinds!(not_catalogs),
            " \
           AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        ),
    );
    let mut catalogs: Vec<ServerCatalog> = Vec::new();
    for row in connection.run(&query.param(Param::oid(FIRST_USER_OID)))?.iter() {
        let oid = row.oid("oid")?;
        let column = ServerColumn { name: row.string("attname")?, is_oid: row.bool("is_oid")? };
        match catalogs.last_mut().filter(|last| last.oid == oid) {
            Some(last) => last.columns.push(column),
            None => catalogs.push(ServerCatalog {
                oid,
                name: row.string("relname")?,
                shared: row.bool("relisshared")?,
                columns: vec![column],
            }),
        }
    }
    Ok(catalogs)
}

/// The columns of these catalogs that the session's role may not read. Of all columns there are, that would take the server longer
/// than everything else it says of them.
pub(super) fn unreadable(connection: &mut Connection, catalogs: &[u32]) -> Result<HashSet<(u32, BString)>> {
    let query = Query::new(
        "columns that may not be read",
        "SELECT a.attrelid, a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = ANY ($1) AND a.attnum > 0 \
         AND NOT a.attisdropped AND NOT pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')",
    );
    let rows = connection.run(&query.param(Param::oids(catalogs)))?;
    rows.iter().map(|row| Ok((row.oid("attrelid")?, row.string("attname")?))).collect()
}

impl ServerCatalog {
    /// Whether its rows have OIDs.
    pub fn has_oids(&self) -> bool {
        self.columns.iter().any(|column| column.name == "oid")
    }

    /// Appends `FROM` this catalog, as `x`, and the condition that a row is about something of a user's in this database,
    /// as far as OIDs can say so.
    pub fn append_of_users(&self, sql: &mut Sql) {
        sql.kw(" FROM ").qualified("pg_catalog".into(), self.name.as_bstr()).kw(" AS x WHERE ");
        // A row of a cluster's catalog is of this database if it names it; others are nothing that a database has.
        let database =
            "(SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())";
        let oids: Vec<&BStr> = if self.shared {
            self.columns.iter().filter(|column| column.is_oid).map(|column| column.name.as_bstr()).collect()
        } else if self.has_oids() {
            vec!["oid".into()]
        } else {
            // What a row is about comes first, but for what says where that is to be looked for.
            let subject = |column: &&ServerColumn| column.is_oid && !column.name.starts_with(b"class");
            let subject = self.columns.iter().find(subject).filter(|_| columns::of(&self.name).is_some());
            match subject {
                Some(subject) => vec![subject.name.as_bstr()],
                None => self.columns.iter().filter(|column| column.is_oid).map(|c| c.name.as_bstr()).collect(),
            }
        };
        sql.kw(if oids.is_empty() { "(true" } else { "(false" });
        for column in oids {
            sql.kw(" OR x.").ident(column);
            if self.shared {
                sql.kw("::pg_catalog.oid = ").kw(database);
            } else {
                sql.kw("::pg_catalog.oid >= ").num(FIRST_USER_OID);
            }
        }
        sql.kw(")");
    }
}
