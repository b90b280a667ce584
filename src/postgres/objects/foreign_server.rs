//! Foreign servers, and the user mappings on them.

use bstr::{BString, ByteSlice};

use super::foreign_options;
use crate::error::{Error, ErrorKind, Result};
use crate::postgres::catalogs::Catalog;
use crate::postgres::emit::{Depends, Emitter, NewEntry, Render, Subject};
use crate::postgres::kind::{Kind, Scope, results};
use crate::postgres::model::{Body, Components, Model, NewObject, Object, Rank};
use crate::postgres::privileges::Privileges;
use crate::sql::Deparsed;
use crate::wire::{Query, Rows};
use crate::words::Choice;

pub(super) struct ForeignServers;

/// A foreign server.
pub struct ForeignServer {
    owner: BString,
    wrapper: BString,
    kind: Option<BString>,
    version: Option<BString>,
    options: Option<Deparsed>,
    privileges: Privileges,
    mappings: Vec<UserMapping>,
}

struct UserMapping {
    user: BString,
    options: Option<Deparsed>,
}

impl Kind for ForeignServers {
    fn rows_of_users_in(&self) -> Option<Catalog> {
        Some(Catalog::FOREIGN_SERVER)
    }

    fn queries(&self, scope: &Scope<'_>) -> Vec<Query> {
        let servers = format!(
            "SELECT s.oid, s.srvname, s.srvowner, w.fdwname, s.srvtype, s.srvversion, {} AS options, \
             s.srvacl::pg_catalog.text[] AS acl, pg_catalog.acldefault('S', \
             s.srvowner)::pg_catalog.text[] AS acl_default \
             FROM pg_catalog.pg_foreign_server AS s \
             JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw",
            foreign_options::in_lines("s.srvoptions")
        );
        // The catalog itself may only be read by superusers. The view shows the options to whom they concern, by these
        // rules, and to all others it shows none.
        let visible = if scope.superuser {
            "true"
        } else {
            "CASE WHEN m.umuser = 0 THEN pg_catalog.pg_has_role(s.srvowner, 'USAGE') \
             ELSE m.usename = current_user AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE') \
               OR pg_catalog.has_server_privilege(s.oid, 'USAGE')) END"
        };
        let mappings = format!(
            "SELECT m.srvid, m.usename, {} AS options, {visible} AS options_are_visible \
             FROM pg_catalog.pg_user_mappings AS m JOIN pg_catalog.pg_foreign_server AS s ON s.oid = m.srvid \
             ORDER BY m.srvid, m.usename",
            foreign_options::in_lines("m.umoptions")
        );
        vec![Query::new("foreign servers", servers), Query::new("user mappings", mappings)]
    }

    fn collect(&self, rows: &[Rows], scope: &Scope<'_>, model: &mut Model) -> Result<()> {
        let [servers, mappings] = results(rows, "read foreign servers")?;
        for row in servers.iter() {
            let name = row.string("srvname")?;
            let body = ForeignServer {
                owner: model.role(row.oid("srvowner")?, name.as_bstr())?.into(),
                wrapper: row.string("fdwname")?,
                kind: row.opt_string("srvtype")?.filter(|text| !text.is_empty()),
                version: row.opt_string("srvversion")?.filter(|text| !text.is_empty()),
                options: row.opt_string("options")?.map(Deparsed::by_server),
                privileges: Privileges::from_row(row, "acl", "acl_default")?,
                mappings: Vec::new(),
            };
            let has = Components::DEFINITION.or(Components::USER_MAPPING).or(body.privileges.component());
            model.add(NewObject::of(Catalog::FOREIGN_SERVER, row.oid("oid")?, name, body).has(has));
        }
        for row in mappings.iter() {
            let Some(server) = model.find(Catalog::FOREIGN_SERVER, row.oid("srvid")?) else { continue };
            let options = scope.options;
            let is_wanted = options.definitions && options.user_mappings && options.sections.pre_data;
            if !is_wanted || !model.get(server).is_some_and(|server| server.wanted.has(Components::USER_MAPPING)) {
                continue;
            }
            let user = row.string("usename")?;
            if !row.bool("options_are_visible")? {
                return Err(hidden(&user, model.get(server)));
            }
            let options = row.opt_string("options")?.map(Deparsed::by_server);
            if let Some(server) = model.body_mut::<ForeignServer>(server) {
                server.mappings.push(UserMapping { user, options });
            }
        }
        Ok(())
    }
}

/// A mapping without its options would look complete, and would not let anybody in.
fn hidden(user: &BString, server: Option<&Object>) -> Error {
    let server = server.map(|server| server.name.as_bstr()).unwrap_or_default();
    Error::new(ErrorKind::Incomplete, format!("dump the user mapping for \"{user}\" on the server \"{server}\""))
        .why("this role may not read its options, such as the password")
        .hint("back up as a superuser, or leave user mappings out: " + Choice::NoUserMappings)
}

impl Body for ForeignServer {
    fn rank(&self) -> Rank {
        Rank::ForeignServer
    }

    fn emit(&self, object: &Object, render: &Render<'_>, out: &mut Emitter) -> Result<()> {
        let mut sql = render.sql();
        sql.kw("CREATE SERVER ").ident(object.name.as_bstr());
        if let Some(kind) = &self.kind {
            sql.kw(" TYPE ").literal(kind.as_bstr());
        }
        if let Some(version) = &self.version {
            sql.kw(" VERSION ").literal(version.as_bstr());
        }
        sql.kw(" FOREIGN DATA WRAPPER ").ident(self.wrapper.as_bstr());
        sql.opt_deparsed(" OPTIONS (\n    ", &self.options, "\n)").kw(";\n");
        out.define(render, object, "SERVER", Some(self.owner.as_bstr()), sql);
        let mut name = render.sql();
        name.ident(object.name.as_bstr());
        // GRANT has another word for it than COMMENT.
        let subject = Subject { words: "FOREIGN SERVER", schema: None, name: &name, owner: self.owner.as_bstr() };
        out.privileges(render, object, &subject, &self.privileges)?;
        if object.dumped().has(Components::USER_MAPPING) {
            for mapping in &self.mappings {
                out.entry(self.mapping(mapping, object, render));
            }
        }
        Ok(())
    }
}

impl ForeignServer {
    fn mapping(&self, mapping: &UserMapping, object: &Object, render: &Render<'_>) -> NewEntry {
        let mut tag = BString::from("USER MAPPING ");
        tag.extend_from_slice(&mapping.user);
        tag.extend_from_slice(b" SERVER ");
        tag.extend_from_slice(&object.name);
        let mut entry = NewEntry::of(object, render, "USER MAPPING", tag);
        (entry.id, entry.catalog_id) = (None, None);
        entry.depends = Depends::On(Vec::new());
        entry.owner = Some(self.owner.clone());
        for (sql, verb) in [(&mut entry.definition, "CREATE"), (&mut entry.drop, "DROP")] {
            sql.kw(verb).kw(" USER MAPPING FOR ").ident(mapping.user.as_bstr());
            sql.kw(" SERVER ").ident(object.name.as_bstr());
        }
        entry.definition.opt_deparsed(" OPTIONS (\n    ", &mapping.options, "\n)").kw(";\n");
        entry.drop.kw(";\n");
        entry
    }
}
