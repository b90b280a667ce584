//! CREATE TABLE and its like: tables, partitioned and foreign tables, and what materialized views share with them.

use bstr::ByteSlice;

use super::{Column, ColumnDefault, Persistence, Relation, TableCheck, column_settings, reloptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::{Emitter, NewEntry, Render};
use crate::postgres::model::{Components, Model, Object};
use crate::postgres::relkind::Relkind;
use crate::sql::Sql;

impl Relation {
    /// Adds the entry that makes the relation, and those of comments and security labels; for all but sequences.
    pub(super) fn emit_definition(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let words = self.kind.words();
        let name = render.qualified(object);
        let mut sql = render.sql();
        if self.kind == Relkind::View {
            self.create_view(object, &mut sql, &name, false)?;
        } else {
            self.create_table(object, render, &mut sql, &name)?;
        }
        if !matches!(self.kind, Relkind::View | Relkind::ForeignTable) {
            match self.replica_identity {
                b'n' => _ = sql.kw("\nALTER TABLE ONLY ").sql(&name).kw(" REPLICA IDENTITY NOTHING;\n"),
                b'f' => _ = sql.kw("\nALTER TABLE ONLY ").sql(&name).kw(" REPLICA IDENTITY FULL;\n"),
                // The default, or an index: its entry says so.
                _ => {}
            }
        }
        if self.force_row_security {
            sql.kw("\nALTER TABLE ONLY ").sql(&name).kw(" FORCE ROW LEVEL SECURITY;\n");
        }

        let mut entry = NewEntry::of(object, render, words, object.name.clone());
        entry.owner = Some(self.owner.clone());
        entry.definition = sql;
        entry.drop.kw("DROP ").kw(words).kw(" ").sql(&name).kw(";\n");
        entry.relkind = self.kind.letter();
        let stored = [Relkind::Table, Relkind::PartitionedTable, Relkind::MaterializedView];
        if stored.contains(&self.kind) {
            // An empty name is the database's own tablespace, none at all would be "has no tablespace".
            entry.tablespace = Some(self.tablespace.clone());
            entry.table_access_method = self.access_method.clone();
        }
        out.entry(entry);
        self.emit_comments_and_labels(object, render, out)
    }

    fn create_table(&self, object: &Object, render: &Render<'_>, sql: &mut Sql, name: &Sql) -> Result<()> {
        sql.kw("CREATE ");
        // Nothing of a partitioned table itself is stored, and newer servers refuse the word.
        if self.persistence == Persistence::Unlogged && self.kind != Relkind::PartitionedTable {
            sql.kw("UNLOGGED ");
        }
        sql.kw(self.kind.words()).kw(" ").sql(name);
        if self.of_type != 0 {
            let of_type =
                self.details.of_type.as_ref().ok_or_else(|| missing(object, "the type that it is a table of"))?;
            sql.kw(" OF ").deparsed(of_type);
        }
        if self.kind != Relkind::MaterializedView {
            self.append_elements(sql, render.model);
            self.append_parents(sql, render);
        }
        if self.kind == Relkind::PartitionedTable {
            let key = self.details.partition_key.as_ref().ok_or_else(|| missing(object, "its partition key"))?;
            sql.kw("\nPARTITION BY ").deparsed(key);
        }
        if self.kind == Relkind::ForeignTable {
            let server = self.details.server.as_ref().ok_or_else(|| missing(object, "its server"))?;
            sql.kw("\nSERVER ").ident(server.as_bstr());
        }
        if !self.options.is_empty() || !self.toast_options.is_empty() {
            sql.kw("\nWITH (");
            reloptions::append(sql, &self.options, "");
            if !self.options.is_empty() && !self.toast_options.is_empty() {
                sql.kw(", ");
            }
            reloptions::append(sql, &self.toast_options, "toast.");
            sql.kw(")");
        }
        if !self.details.foreign_options.is_empty() {
            sql.kw("\nOPTIONS (\n    ");
            column_settings::append_foreign_options(sql, &self.details.foreign_options);
            sql.kw("\n)");
        }
        if self.kind == Relkind::MaterializedView {
            sql.kw(" AS\n");
            self.append_query(object, sql)?;
            // REFRESH fills it when everything it looks at is there.
            sql.kw("\n  WITH NO DATA;\n");
            crate::postgres::objects::extension::append_depends(sql, object, render, "MATERIALIZED VIEW", name);
        } else {
            sql.kw(";\n");
        }
        for column in self.columns.iter().filter(|column| !column.dropped) {
            column_settings::append(sql, self.kind, name, column, render.options.dialect);
        }
        Ok(())
    }

    /// The columns and constraints between the parentheses. A table of a type needs neither.
    fn append_elements(&self, sql: &mut Sql, model: &Model) {
        let mut separator = " (\n    ";
        let mut next = |sql: &mut Sql| {
            sql.kw(separator);
            separator = ",\n    ";
        };
        for column in self.columns.iter().filter(|column| !column.dropped) {
            let not_null = column.not_null.as_ref().filter(|n| n.local || self.is_partition);
            if self.spells_out(column) {
                let default = inline_default(column, model);
                if self.of_type != 0 && default.is_none() && not_null.is_none() {
                    continue;
                }
                next(sql);
                self.append_column(sql, column, default);
            } else if let Some(not_null) = column.not_null.as_ref().filter(|n| n.local) {
                next(sql);
                if let Some(name) = &not_null.name {
                    // Not in quotes even where all names are: so it is in pg_dump, too.
                    sql.kw("CONSTRAINT ").ident_where_needed(name.as_bstr()).kw(" ");
                }
                sql.kw("NOT NULL ").ident(column.name.as_bstr());
                if not_null.no_inherit {
                    sql.kw(" NO INHERIT");
                }
            }
        }
        let checks =
            self.checks.iter().filter_map(|id| model.get(*id)).filter_map(|o| Some((o, o.body::<TableCheck>()?)));
        for (object, check) in checks.filter(|(_, check)| !check.separate && (check.local || self.is_partition)) {
            next(sql);
            sql.kw("CONSTRAINT ").ident(object.name.as_bstr()).kw(" ").deparsed(&check.definition);
        }
        if separator == ",\n    " {
            sql.kw("\n)");
        } else if self.of_type == 0 {
            sql.kw(" (\n)");
        }
    }

    fn append_column(&self, sql: &mut Sql, column: &Column, default: Option<&ColumnDefault>) {
        sql.ident(column.name.as_bstr());
        if self.of_type == 0 {
            sql.kw(" ").deparsed(&column.type_name);
        }
        if let Some(default) = default {
            match column.generated {
                0 => _ = sql.kw(" DEFAULT ").deparsed(&default.expression),
                kind => {
                    sql.kw(" GENERATED ALWAYS AS (").deparsed(&default.expression).kw(")");
                    if kind == b's' {
                        sql.kw(" STORED");
                    }
                }
            }
        }
        if let Some(not_null) = column.not_null.as_ref().filter(|n| n.local || self.is_partition) {
            if let Some(name) = &not_null.name {
                sql.kw(" CONSTRAINT ").ident(name.as_bstr());
            }
            sql.kw(" NOT NULL");
            if not_null.no_inherit {
                sql.kw(" NO INHERIT");
            }
        }
        if let Some((schema, name)) = &column.collation {
            sql.kw(" COLLATE ").qualified(schema.as_bstr(), name.as_bstr());
        }
    }

    fn append_parents(&self, sql: &mut Sql, render: &Render<'_>) {
        if self.is_partition || self.parents.is_empty() {
            return;
        }
        let mut before = "\nINHERITS (";
        for parent in self.parents.iter().filter_map(|id| render.model.get(*id)) {
            sql.kw(before).sql(&render.qualified(parent));
            before = ", ";
        }
        sql.kw(")");
    }
}

/// The default that is part of the column's definition.
fn inline_default<'m>(column: &Column, model: &'m Model) -> Option<&'m ColumnDefault> {
    let object = model.get(column.default?)?;
    let default = object.body::<ColumnDefault>()?;
    (object.wanted.has(Components::DEFINITION) && !default.separate).then_some(default)
}

fn missing(object: &Object, what: &str) -> Error {
    Error::new(ErrorKind::Changed, format!("dump \"{}\"", object.name))
        .why(format!("the catalog does not say {what}"))
        .hint("it was altered a moment ago: try again")
}
