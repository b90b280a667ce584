//! Views: CREATE VIEW, and the stand-ins that break loops between views and what depends on them.

use bstr::ByteSlice;

use super::{Relation, reloptions};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::emit::Render;
use crate::postgres::model::Object;
use crate::sql::Sql;

impl Relation {
    /// Appends the statement that makes the view: its stand-in, where it has been set apart. `replace` says that the
    /// view itself is to take the place of its stand-in.
    pub(super) fn create_view(&self, object: &Object, sql: &mut Sql, name: &Sql, replace: bool) -> Result<()> {
        sql.kw(if replace { "CREATE OR REPLACE VIEW " } else { "CREATE VIEW " }).sql(name);
        if self.set_apart && !replace {
            sql.kw(" AS\n");
            self.append_stand_in_query(sql);
        } else {
            if !self.options.is_empty() {
                sql.kw(" WITH (");
                reloptions::append(sql, &self.options, "");
                sql.kw(")");
            }
            sql.kw(" AS\n");
            self.append_query(object, sql)?;
            if let Some(option) = self.check_option {
                sql.kw("\n  WITH ").kw(option).kw(" CHECK OPTION");
            }
        }
        sql.kw(";\n");
        Ok(())
    }

    /// The statement by which the view takes the place of its stand-in.
    ///
    /// # Errors
    /// The server did not tell its query.
    pub fn replace_stand_in(&self, object: &Object, render: &Render<'_>) -> Result<Sql> {
        let mut sql = render.sql();
        self.create_view(object, &mut sql, &render.qualified(object), true)?;
        Ok(sql)
    }

    /// The statement by which a stand-in takes the place of the view: it depends on nothing.
    pub fn restore_stand_in(&self, object: &Object, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        sql.kw("CREATE OR REPLACE VIEW ").sql(&render.qualified(object)).kw(" AS\n");
        self.append_stand_in_query(&mut sql);
        sql.kw(";\n");
        sql
    }

    /// Appends the query of a view without the semicolon.
    pub(super) fn append_query(&self, object: &Object, sql: &mut Sql) -> Result<()> {
        let query = self.details.query.as_ref().map(|query| query.as_bstr()).unwrap_or_default();
        let Some(query) = query.strip_suffix(b";") else {
            return Err(Error::new(ErrorKind::Changed, format!("dump the view \"{}\"", object.name))
                .why("the server does not tell its query")
                .hint("it was dropped a moment ago, or its rule is damaged"));
        };
        sql.deparsed(&crate::sql::Deparsed::by_server(query));
        Ok(())
    }

    /// Columns of the same names, types and collations, so that everything which names them can be made.
    fn append_stand_in_query(&self, sql: &mut Sql) {
        sql.kw("SELECT");
        for (i, column) in self.columns.iter().enumerate() {
            sql.kw(if i > 0 { ",\n    " } else { "\n    " });
            sql.kw("NULL::").deparsed(&column.type_name);
            if let Some((schema, name)) = &column.collation {
                sql.kw(" COLLATE ").qualified(schema.as_bstr(), name.as_bstr());
            }
            sql.kw(" AS ").ident(column.name.as_bstr());
        }
    }
}
