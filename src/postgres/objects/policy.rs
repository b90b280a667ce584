//! Row security: whether it is on, and policies.

use std::cmp::Ordering;

use bstr::{BString, ByteSlice};

use super::on_table::{self, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Depends, Emitter, Render};
use crate::postgres::kind::{Kind, Scope};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::postgres::relkind::relkinds;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Param, Query, Row, Rows};

/// Being switched on is apart from there being policies.
const SWITCHED_ON: &str = concat!(
    "\
    SELECT {table}, r.relname FROM pg_catalog.unnest($1) AS wanted (oid) \
    JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid \
    WHERE r.relrowsecurity AND r.relkind IN ",
    relkinds!(tables),
    " ORDER BY r.oid"
);

/// Role 0 is PUBLIC, and stands alone. A role may be noted more than once: TO CURRENT_USER, SESSION_USER.
const POLICIES: &str = concat!(
    "\
    SELECT p.oid, p.polname, {table}, p.polcmd, p.polpermissive, p.polroles = ARRAY[0::pg_catalog.oid] AS for_all, \
           (SELECT pg_catalog.count(DISTINCT u.role) FROM pg_catalog.unnest(p.polroles) AS u (role))::pg_catalog.int4 AS \
           role_count, \
           ARRAY(SELECT a.rolname FROM pg_catalog.pg_roles AS a WHERE a.oid = ANY (p.polroles))::pg_catalog.text[] \
           AS roles, \
           pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS qualification, \
           pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS with_check \
    FROM pg_catalog.unnest($1) AS wanted (oid) \
    JOIN pg_catalog.pg_class AS r ON r.oid = wanted.oid \
    JOIN pg_catalog.pg_policy AS p ON p.polrelid = r.oid \
    WHERE r.relkind IN ",
    relkinds!(tables),
    " ORDER BY p.oid"
);

pub(super) struct Policies;

/// That row security is switched on for a table, or a policy.
struct RowSecurity {
    table: Table,
    policy: Option<Policy>,
}

/// A policy.
struct Policy {
    /// The words for the command that it is for.
    command: &'static str,
    permissive: bool,
    /// The roles that it is for; none if it is for all.
    roles: Vec<BString>,
    qualification: Option<Deparsed>,
    with_check: Option<Deparsed>,
}

impl Kind for Policies {
    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let query = |what, sql: &str| {
            Query::new(what, sql.replace("{table}", on_table::COLUMNS)).param(Param::oids(&scope.relations))
        };
        vec![query("tables with row security", SWITCHED_ON), query("policies", POLICIES)]
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [switched_on, policies] = rows else { return Ok(()) };
        for row in switched_on.iter() {
            let name = row.string("relname")?;
            let table = Table::of_row(row, model, name.as_bstr())?;
            if table.wanted(model).has(Components::POLICY) {
                // In no catalog, so that what depends on the table in that catalog is not this one's.
                let body = RowSecurity { table, policy: None };
                let new = NewObject::of(Catalog(0), row.oid("table_oid")?, name, body);
                model.add(new.schema(table.schema(model)).wanted(Components::ALL));
            }
        }
        for row in policies.iter() {
            add(row, model)?;
        }
        Ok(())
    }
}

fn add(row: Row<'_>, model: &mut Model) -> Result<()> {
    let name = row.string("polname")?;
    let table = Table::of_row(row, model, name.as_bstr())?;
    if !table.wanted(model).has(Components::POLICY) {
        return Ok(());
    }
    let incomplete = |why: String| Error::new(ErrorKind::Incomplete, format!("dump policy \"{name}\"")).why(why);
    let command = match row.char("polcmd")? {
        b'*' => "",
        b'r' => " FOR SELECT",
        b'a' => " FOR INSERT",
        b'w' => " FOR UPDATE",
        b'd' => " FOR DELETE",
        other => return Err(incomplete(format!("the command '{}' it is for is not known", char::from(other)))),
    };
    let for_all = row.bool("for_all")?;
    let roles: Vec<BString> = row.texts("roles")?.into_iter().flatten().collect();
    let count = row.i32("role_count")?;
    if !for_all && usize::try_from(count).ok() != Some(roles.len()) {
        return Err(incomplete(format!("it is for {count} roles, of which {} exist", roles.len())));
    }
    let policy = Policy {
        command,
        permissive: row.bool("polpermissive")?,
        roles: if for_all { Vec::new() } else { roles },
        qualification: row.opt_string("qualification")?.map(Deparsed::by_server),
        with_check: row.opt_string("with_check")?.map(Deparsed::by_server),
    };
    let body = RowSecurity { table, policy: Some(policy) };
    let new = NewObject::of(Catalog::POLICY, row.oid("oid")?, name, body);
    model.add(new.schema(table.schema(model)).wanted(Components::ALL));
    Ok(())
}

impl Body for RowSecurity {
    fn rank(&self) -> Rank {
        Rank::Policy
    }

    fn tie_break(&self, other: &dyn Body, model: &Model) -> Ordering {
        other.downcast::<Self>().map_or(Ordering::Equal, |other| self.table.compare(other.table, model))
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let table = self.table.named(render)?;
        let Some(policy) = &self.policy else {
            let mut entry = table.entry(object, "ROW SECURITY", render);
            entry.depends = Depends::On(vec![self.table.id]);
            entry.definition.kw("ALTER TABLE ").sql(&table.qualified).kw(" ENABLE ROW LEVEL SECURITY;");
            out.entry(entry);
            return Ok(());
        };
        if object.dumped().has(Components::DEFINITION) {
            let mut entry = table.entry(object, "POLICY", render);
            entry.tag = table.tag(object);
            let mut name = render.sql();
            name.ident(object.name.as_bstr()).kw(" ON ").sql(&table.qualified);
            policy.append_definition(&name, &mut entry.definition);
            entry.drop.kw("DROP POLICY ").sql(&name).kw(";\n");
            out.entry(entry);
        }
        table.comment("POLICY", object, render, out);
        Ok(())
    }
}

impl Policy {
    fn append_definition(&self, name: &Sql, sql: &mut Sql) {
        sql.kw("CREATE POLICY ").sql(name);
        sql.kw(if self.permissive { "" } else { " AS RESTRICTIVE" }).kw(self.command);
        if !self.roles.is_empty() {
            sql.kw(" TO ").idents(self.roles.iter().map(|role| role.as_bstr()));
        }
        sql.opt_deparsed(" USING (", &self.qualification, ")").opt_deparsed(" WITH CHECK (", &self.with_check, ")");
        sql.kw(";\n");
    }
}
