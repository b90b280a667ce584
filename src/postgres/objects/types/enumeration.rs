//! Enums.

use bstr::{BString, ByteSlice};

use crate::postgres::emit::Render;
use crate::sql::Sql;
use crate::wire::Query;

pub(super) fn query() -> Query {
    // LEFT JOIN, since an enum need not have labels.
    let sql = "SELECT t.oid, l.enumlabel FROM pg_catalog.pg_type AS t \
         JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace \
         LEFT JOIN pg_catalog.pg_enum AS l ON l.enumtypid = t.oid WHERE t.typtype = 'e' AND ";
    Query::new("enums", format!("{sql}{} ORDER BY t.oid, l.enumsortorder", super::OF_USERS))
}

/// The statement, from AS on.
pub(super) fn body(labels: &[BString], render: &Render<'_>) -> Sql {
    let mut sql = render.sql();
    sql.kw(" AS ENUM (");
    for (i, label) in labels.iter().enumerate() {
        sql.kw(if i > 0 { ",\n    " } else { "\n    " }).literal(label.as_bstr());
    }
    sql.kw("\n);\n");
    sql
}
