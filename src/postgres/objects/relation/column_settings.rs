//! Settings of columns that CREATE TABLE has no room for: ALTER TABLE … ALTER COLUMN.

use bstr::ByteSlice;

use super::Column;
use crate::postgres::relkind::Relkind;
use crate::postgres::version::ServerVersion;
use crate::sql::{Deparsed, Sql};

/// Appends a statement for each setting of the column that is not as it would be by itself. `name` is the relation's.
pub(super) fn append(sql: &mut Sql, kind: Relkind, name: &Sql, column: &Column, dialect: ServerVersion) {
    if column.statistics >= 0 {
        alter(sql, kind, name, column).kw(" SET STATISTICS ").num(column.statistics).kw(";\n");
    }
    let storage = match column.storage {
        Some(b'p') => Some("PLAIN"),
        Some(b'e') => Some("EXTERNAL"),
        Some(b'x') => Some("EXTENDED"),
        Some(b'm') => Some("MAIN"),
        _ => None,
    };
    if let Some(storage) = storage {
        alter(sql, kind, name, column).kw(" SET STORAGE ").kw(storage).kw(";\n");
    }
    let compression = match column.compression {
        b'p' => Some("pglz"),
        b'l' => Some("lz4"),
        _ => None,
    };
    if let Some(compression) = compression {
        alter(sql, kind, name, column).kw(" SET COMPRESSION ").kw(compression).kw(";\n");
    }
    if !column.options.as_bstr().is_empty() {
        alter(sql, kind, name, column).kw(" SET (").deparsed(&column.options).kw(");\n");
    }
    if kind == Relkind::ForeignTable && !column.foreign_options.is_empty() {
        match dialect.dumps_foreign_columns_with_only() {
            true => alter(sql, kind, name, column),
            false => alter_as(" ", sql, kind, name, column),
        };
        sql.kw(" OPTIONS (\n    ");
        append_foreign_options(sql, &column.foreign_options);
        sql.kw("\n);\n");
    }
}

fn alter<'s>(sql: &'s mut Sql, kind: Relkind, name: &Sql, column: &Column) -> &'s mut Sql {
    alter_as(" ONLY ", sql, kind, name, column)
}

fn alter_as<'s>(only: &'static str, sql: &'s mut Sql, kind: Relkind, name: &Sql, column: &Column) -> &'s mut Sql {
    sql.kw("ALTER ").kw(kind.alter_words()).kw(only).sql(name).kw(" ALTER COLUMN ").ident(column.name.as_bstr())
}

/// Appends options for a foreign-data wrapper, a line each.
pub(super) fn append_foreign_options(sql: &mut Sql, options: &[Deparsed]) {
    for (i, option) in options.iter().enumerate() {
        if i > 0 {
            sql.kw(",\n    ");
        }
        sql.deparsed(option);
    }
}
