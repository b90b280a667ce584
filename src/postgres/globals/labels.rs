//! Security labels of what is in no database.

use std::collections::HashMap;

use bstr::{BStr, ByteSlice};

use super::Globals;
use crate::error::Result;
use crate::postgres::catalogs::{Catalog, CatalogId};
use crate::postgres::model::SecurityLabel;
use crate::sql::Sql;
use crate::wire::{Query, Rows};

/// All of them, by what they are on.
pub(super) struct Labels(HashMap<CatalogId, Vec<SecurityLabel>>);

pub(super) fn query() -> Query {
    Query::new(
        "security labels of roles and tablespaces",
        "SELECT l.classoid AS catalog, l.objoid AS oid, l.provider, l.label FROM pg_catalog.pg_shseclabel AS l \
         WHERE l.classoid IN ('pg_catalog.pg_authid'::pg_catalog.regclass, 'pg_catalog.pg_tablespace'::pg_catalog.regclass) \
         ORDER BY 1, 2, 3",
    )
}

impl Labels {
    pub(super) fn of(rows: &Rows) -> Result<Self> {
        let mut labels: HashMap<CatalogId, Vec<SecurityLabel>> = HashMap::new();
        for row in rows.iter() {
            let id = CatalogId { catalog: Catalog(row.oid("catalog")?), oid: row.oid("oid")? };
            let label = SecurityLabel { sub_id: 0, provider: row.string("provider")?, label: row.string("label")? };
            labels.entry(id).or_default().push(label);
        }
        Ok(Self(labels))
    }

    /// Those of one object, which has them from now on.
    pub(super) fn take(&mut self, catalog: Catalog, oid: u32) -> Vec<SecurityLabel> {
        self.0.remove(&CatalogId { catalog, oid }).unwrap_or_default()
    }
}

/// Appends the statements that give an object its labels. `words` say what it is, and `name` is its name.
pub(super) fn append(globals: &Globals, sql: &mut Sql, words: &'static str, name: &BStr, labels: &[SecurityLabel]) {
    for label in labels {
        sql.kw("SECURITY LABEL FOR ").ident(label.provider.as_bstr()).kw(" ON ").kw(words).kw(" ").ident(name);
        globals.literal(sql.kw(" IS "), label.label.as_bstr()).kw(";\n");
    }
}

/// Appends the statement that gives an object its comment.
pub(super) fn append_comment(globals: &Globals, sql: &mut Sql, words: &'static str, name: &BStr, comment: &BStr) {
    sql.kw("COMMENT ON ").kw(words).kw(" ").ident(name);
    globals.literal(sql.kw(" IS "), comment).kw(";\n");
}
