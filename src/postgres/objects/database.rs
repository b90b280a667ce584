//! The database itself: its CREATE DATABASE, its settings, and those of roles in it. What restores into a database that
//! exists leaves these entries alone.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope, Stage, results};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank, SecurityLabel};
use crate::postgres::privileges::Privileges;
use crate::postgres::version::ServerVersion;
use crate::sql::{MalformedSetting, Sql};
use crate::wire::{Query, Row, Rows};

pub(in crate::postgres) struct Databases;

/// The database.
pub struct Database {
    owner: BString,
    encoding: BString,
    /// `b` for the built-in provider, `c` for the C library, `i` for ICU.
    locale_provider: u8,
    collate: BString,
    ctype: BString,
    locale: Option<BString>,
    icu_rules: Option<BString>,
    tablespace: BString,
    is_template: bool,
    connection_limit: i32,
    comment: Option<BString>,
    labels: Vec<SecurityLabel>,
    privileges: Privileges,
    /// `name=value`, in the catalog's order.
    settings: Vec<BString>,
    /// The same for roles in this database.
    role_settings: Vec<(BString, BString)>,
}

impl Kind for Databases {
    fn stage(&self) -> Stage {
        Stage::Survey
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        queries(scope.server, "pg_catalog.current_database()", "d.datname")
    }

    fn collect(&self, rows: &[Rows], _: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [databases, labels, settings] = results(rows, "read the database's properties")?;
        let row = databases.one()?;
        let name = row.string("datname")?;
        let mut database = Database::from_row(row, model)?;
        for row in labels.iter() {
            let (provider, label) = (row.string("provider")?, row.string("label")?);
            database.labels.push(SecurityLabel { sub_id: 0, provider, label });
        }
        for row in settings.iter() {
            match row.opt_string("rolname")? {
                None => database.settings.push(row.string("item")?),
                Some(role) => database.role_settings.push((role, row.string("item")?)),
            }
        }
        let has = Components::DEFINITION.or(database.privileges.component());
        model.add(NewObject::of(Catalog::DATABASE, row.oid("oid")?, name, database).wanted(Components::ALL).has(has));
        Ok(())
    }
}

/// What is asked of the database whose name is `which`, as one that is called `name`: SQL expressions.
pub(in crate::postgres) fn queries(server: ServerVersion, which: &str, name: &str) -> Vec<Query> {
    let locale = if server.builtin_locale_provider() {
        "d.datlocprovider AS provider, d.datlocale AS locale"
    } else if server.icu_locale_column() {
        "d.datlocprovider AS provider, d.daticulocale AS locale"
    } else {
        "'c'::pg_catalog.\"char\" AS provider, NULL::pg_catalog.text AS locale"
    };
    let rules = if server.collation_rules() { "d.daticurules" } else { "NULL::pg_catalog.text" };
    vec![
        Query::new(
            "the database",
            format!(
                "SELECT d.oid, {name} AS datname, d.datdba, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding, \
                 d.datcollate::pg_catalog.text AS \"collate\", d.datctype::pg_catalog.text AS ctype, {locale}, \
                 {rules} AS icu_rules, \
                 t.spcname AS tablespace, d.datistemplate, d.datconnlimit, d.datacl::pg_catalog.text[] AS acl, \
                 pg_catalog.acldefault('d', d.datdba)::pg_catalog.text[] AS acl_default, \
                 pg_catalog.shobj_description(d.oid, 'pg_database') AS comment \
                 FROM pg_catalog.pg_database AS d JOIN pg_catalog.pg_tablespace AS t ON t.oid = d.dattablespace \
                 WHERE d.datname = {which}"
            ),
        ),
        Query::new(
            "security labels of the database",
            format!(
                "SELECT l.provider, l.label FROM pg_catalog.pg_shseclabel AS l \
                 JOIN pg_catalog.pg_database AS d ON d.oid = l.objoid \
                 WHERE l.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.datname = {which}"
            ),
        ),
        Query::new(
            "settings of the database",
            format!(
                "SELECT r.rolname, c.item FROM pg_catalog.pg_db_role_setting AS s \
                 JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase \
                 LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole \
                 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (item) \
                 WHERE d.datname = {which} AND (s.setrole = 0 OR r.rolname IS NOT NULL)"
            ),
        ),
    ]
}

impl Database {
    fn from_row(row: Row<'_>, model: &Model) -> Result<Self> {
        Ok(Self {
            owner: model.role(row.oid("datdba")?, row.text("datname")?)?.into(),
            encoding: row.string("encoding")?,
            locale_provider: row.char("provider")?,
            collate: row.opt_string("collate")?.unwrap_or_default(),
            ctype: row.opt_string("ctype")?.unwrap_or_default(),
            locale: row.opt_string("locale")?,
            icu_rules: row.opt_string("icu_rules")?,
            tablespace: row.string("tablespace")?,
            is_template: row.bool("datistemplate")?,
            connection_limit: row.i32("datconnlimit")?,
            comment: row.opt_string("comment")?,
            labels: Vec::new(),
            privileges: Privileges::from_row(row, "acl", "acl_default")?,
            settings: Vec::new(),
            role_settings: Vec::new(),
        })
    }

    fn create(&self, object: &Object, render: &Render<'_>) -> Result<Sql> {
        let mut sql = render.sql();
        sql.kw("CREATE DATABASE ").ident(object.name.as_bstr()).kw(" WITH TEMPLATE = template0 ENCODING = ");
        sql.literal(self.encoding.as_bstr());
        let (provider, locale_word) = match self.locale_provider {
            b'b' => ("builtin", " BUILTIN_LOCALE = "),
            b'c' => ("libc", " ICU_LOCALE = "),
            b'i' => ("icu", " ICU_LOCALE = "),
            other => {
                return Err(Error::new(ErrorKind::Incomplete, format!("dump the database \"{}\"", object.name))
                    .why(format!("its locale provider '{}' is not known", other.escape_ascii())));
            }
        };
        // The only one that there is without a word.
        if self.locale_provider != b'c' || render.options.dialect.locale_provider() {
            sql.kw(" LOCALE_PROVIDER = ").kw(provider);
        }
        if self.collate == self.ctype {
            sql.kw(" LOCALE = ").literal(self.collate.as_bstr());
        } else {
            sql.kw(" LC_COLLATE = ").literal(self.collate.as_bstr());
            sql.kw(" LC_CTYPE = ").literal(self.ctype.as_bstr());
        }
        if let Some(locale) = &self.locale {
            sql.kw(locale_word).literal(locale.as_bstr());
        }
        if let Some(rules) = &self.icu_rules {
            sql.kw(" ICU_RULES = ").literal(rules.as_bstr());
        }
        if self.tablespace != "pg_default" {
            sql.kw(" TABLESPACE = ").ident(self.tablespace.as_bstr());
        }
        sql.kw(";\n");
        Ok(sql)
    }

    /// What cannot be said in CREATE DATABASE.
    fn properties(&self, object: &Object, render: &Render<'_>) -> Result<(Sql, Sql)> {
        let (mut sql, mut drop) = (render.sql(), render.sql());
        let name = object.name.as_bstr();
        if self.connection_limit != -1 {
            sql.kw("ALTER DATABASE ").ident(name).kw(" CONNECTION LIMIT = ").num(self.connection_limit).kw(";\n");
        }
        if self.is_template {
            sql.kw("ALTER DATABASE ").ident(name).kw(" IS_TEMPLATE = true;\n");
            // A template cannot be dropped.
            drop.kw("UPDATE pg_catalog.pg_database SET datistemplate = false WHERE datname = ");
            drop.literal(name).kw(";\n");
        }
        sql.sql(&self.settings(object, render)?);
        Ok((sql, drop))
    }

    /// What sessions in it begin with.
    pub(in crate::postgres) fn settings(&self, object: &Object, render: &Render<'_>) -> Result<Sql> {
        let mut sql = render.sql();
        let name = object.name.as_bstr();
        for item in &self.settings {
            sql.kw("ALTER DATABASE ").ident(name);
            append_setting(&mut sql, item, object, render)?;
        }
        for (role, item) in &self.role_settings {
            sql.kw("ALTER ROLE ").ident(role.as_bstr()).kw(" IN DATABASE ").ident(name);
            append_setting(&mut sql, item, object, render)?;
        }
        Ok(sql)
    }

    /// What takes the settings away again.
    pub(in crate::postgres) fn no_settings(&self, object: &Object, render: &Render<'_>) -> Sql {
        let mut sql = render.sql();
        let name = object.name.as_bstr();
        sql.kw("ALTER DATABASE ").ident(name).kw(" RESET ALL;\n");
        let roles: BTreeSet<&BString> = self.role_settings.iter().map(|(role, _)| role).collect();
        for role in roles {
            sql.kw("ALTER ROLE ").ident(role.as_bstr()).kw(" IN DATABASE ").ident(name).kw(" RESET ALL;\n");
        }
        sql
    }

    /// Its owner's name.
    pub(in crate::postgres) fn owner(&self) -> &BStr {
        self.owner.as_bstr()
    }
}

fn append_setting(sql: &mut Sql, item: &BString, object: &Object, render: &Render<'_>) -> Result<()> {
    let malformed = |why: MalformedSetting| {
        Error::new(ErrorKind::Incomplete, format!("dump the settings of the database \"{}\"", object.name))
            .why(format!("\"{item}\" {why}"))
    };
    sql.kw(" SET ");
    let no_names = render.no_names();
    // Where there is but one way to read a literal, pg_dump needs none that is read alike in both.
    match render.server.only_standard_strings() {
        true => sql.setting(item.as_bstr(), no_names),
        false => sql.portable_setting(item.as_bstr(), no_names),
    }
    .map_err(malformed)?
    .kw(";\n");
    Ok(())
}

impl Body for Database {
    fn rank(&self) -> Rank {
        Rank::Database
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        let subject = Subject { words: "DATABASE", schema: None, name: &name, owner: self.owner.as_bstr() };

        let mut entry = NewEntry::of(object, render, "DATABASE", object.name.clone());
        entry.owner = Some(self.owner.clone());
        entry.definition = self.create(object, render)?;
        entry.drop.kw("DROP DATABASE ").sql(&name).kw(";\n");
        out.entry(entry);

        if let Some(comment) = self.comment.as_ref().filter(|_| render.options.comments) {
            out.comment_text(render, object.id, &subject, Some(comment.as_bstr()));
        }
        if render.options.security_labels {
            out.label_list(render, object, &subject, &self.labels);
        }
        out.privileges(render, object, &subject, &self.privileges)?;

        let (definition, drop) = self.properties(object, render)?;
        if !definition.is_empty() {
            let mut entry = NewEntry::of(object, render, "DATABASE PROPERTIES", object.name.clone());
            (entry.id, entry.catalog_id) = (None, None);
            entry.depends = Depends::On(Vec::new());
            entry.owner = Some(self.owner.clone());
            (entry.definition, entry.drop) = (definition, drop);
            entry.goes_with_another = true;
            out.entry(entry);
        }
        Ok(())
    }
}
