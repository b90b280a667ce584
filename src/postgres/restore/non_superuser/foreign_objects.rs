//! What a target says of itself to a role that may not do everything: which objects belong to others, and which owners the
//! role cannot give objects to. It takes a fixed number of queries, all in one round trip.

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;

use crate::postgres::archive::{ArchiveSettings, Chosen, text};
use crate::postgres::objects::{event_trigger, publication};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::version::ServerVersion;
use crate::printable::on_one_line;
use crate::progress::Message;
use crate::sql::Sql;
use crate::wire::{Begin, Connection, Param, Query, Row, Rows};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result, printable};

/// What is there that belongs to others, as far as it bounds the role that restores.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ForeignObjects {
    /// The role.
    pub role: BString,
    /// The database.
    pub database: BString,
    /// What is there, belongs to others or could not be made anew, and could be in the archive, by its kind and name as a
    /// comment has them: `EXTENSION hstore`.
    pub objects: HashMap<BString, Object>,
    /// Owners that the archive names and the role cannot give objects to, and whether there is such a role.
    pub owners: HashMap<BString, bool>,
    /// What is to be said if the server does not tell.
    pub unknown: Option<Message>,
}

/// Something that belongs to another role, or could not be made anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    pub owner: BString,
    /// Whether it is the role's own: a schema or an extension, in a database in which it may make no such thing.
    pub is_mine: bool,
    pub comment: Option<BString>,
    /// The statements that an archive would make it with, where all that it consists of is known.
    pub definition: Option<BString>,
    /// The function of an event trigger.
    pub function: Option<Function>,
    /// Whether the role may make something in it, if it is a schema.
    pub may_create: bool,
    /// A schema's privileges.
    pub privileges: HashSet<BString>,
}

/// The function of an event trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Function {
    pub schema: BString,
    /// Its name and its arguments, which are none.
    pub signature: BString,
    /// Whether the role may replace it.
    pub is_mine: bool,
    pub language: BString,
    pub body: BString,
    /// Whether it has nothing but a language and a body.
    pub is_plain: bool,
}

/// What is to be asked about: an archive's entries, and what is wanted of each.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The archive's entries.
    pub entries: &'a [Entry],
    /// What the archive says about the session.
    pub settings: &'a ArchiveSettings,
    /// What is wanted of each entry.
    pub wanted: &'a [Chosen],
    /// What is asked of the restore.
    pub options: &'a RestoreOptions,
}

/// Asks `target`; `None` if the role is a superuser. The role is the one that the restore will take.
pub fn ask(target: &mut Connection, question: Question<'_>) -> Result<Option<ForeignObjects>> {
    let Question { settings, options, .. } = question;
    let begin = Begin::read_only().set("client_encoding", &settings.encoding).set("quote_all_identifiers", "off");
    target.begin(&begin).map_err(|error| settings.not_spoken(error.into()))?;
    if let Some(role) = &options.role {
        target.take_role(role.as_bstr()).map_err(Error::from).map_err(|error| {
            let taking = format!("take the role \"{}\"", printable::name(role.as_bstr()));
            match error.server() {
                Some(report) => Error::new(ErrorKind::Server, taking)
                    .why(on_one_line(report.message.as_bstr()))
                    .hint("nothing was changed; see " + Choice::Role),
                None => Error::new(error.kind(), taking).source(error),
            }
        })?;
    }
    let asked = ask_as_role(target, question);
    if !target.is_broken() {
        target.rollback()?;
    }
    asked
}

fn ask_as_role(target: &mut Connection, question: Question<'_>) -> Result<Option<ForeignObjects>> {
    let who = target.query(
        "SELECT rolname::pg_catalog.text AS role, rolsuper, pg_catalog.current_database()::pg_catalog.text AS database \
         FROM pg_catalog.pg_roles WHERE rolname = current_user",
        &[],
    )?;
    let who = who.one()?;
    if who.bool("rolsuper")? {
        return Ok(None);
    }
    let (role, database) = (who.string("role")?, who.string("database")?);
    let mut found = ForeignObjects { role, database, ..ForeignObjects::default() };
    let server = ServerVersion::new(target.server_version());
    let mut queries = queries(server);
    // What is in a database that is yet to be made cannot be asked.
    if question.options.create {
        queries.clear();
    }
    queries.push(which_owners(server, &question.owners()));
    let results = match target.pipeline(&queries).map_err(Error::from) {
        Ok(results) => results,
        // Not everybody may be allowed to look everywhere. The restore itself asks for none of it.
        Err(error) if error.server().is_some() && !target.is_broken() => {
            let subject = "what belongs to other roles".to_owned();
            let text = format!("not known, so it is tried to be replaced: {error}");
            found.unknown = Some(Message::warning(subject, text));
            return Ok(Some(found));
        }
        Err(error) => return Err(error),
    };
    let standard = question.settings.standard_strings;
    if let [extensions, schemas, event_triggers, publications, subscriptions, _] = results.as_slice() {
        found.add(extensions, "EXTENSION ", standard, extension)?;
        found.add(schemas, "SCHEMA ", standard, |row, _, _| {
            let privileges = row.texts("privileges")?.into_iter().flatten().collect();
            let may_create = row.bool("may_create")?;
            Ok(Object { is_mine: row.bool("is_mine")?, may_create, privileges, ..Object::default() })
        })?;
        let is_known = !server.is_newer_than_known();
        found.add(event_triggers, "EVENT TRIGGER ", standard, |row, name, sql| {
            event_trigger(row, name, is_known.then_some(sql))
        })?;
        found.add(publications, "PUBLICATION ", standard, |row, name, sql| {
            // What is in it is not asked for, unless that is everything.
            let is_known = is_known && (row.bool("puballtables")? || row.bool("puballsequences")?);
            publication(row, name, is_known.then_some(sql))
        })?;
        // Their connection strings are secret.
        found.add(subscriptions, "SUBSCRIPTION ", standard, |_, _, _| Ok(Object::default()))?;
    }
    for row in results.last().into_iter().flat_map(Rows::iter) {
        found.owners.insert(row.string("name")?, row.bool("is_there")?);
    }
    Ok(Some(found))
}

impl<'a> Question<'a> {
    /// The owners that objects are to be given to.
    fn owners(&self) -> Vec<&'a BStr> {
        if !self.options.owner || self.options.session_authorization {
            return Vec::new();
        }
        let wanted = self.entries.iter().zip(self.wanted).filter(|(_, wanted)| wanted.any());
        let owners: HashSet<&BStr> = wanted.map(|(entry, _)| text(&entry.owner)).collect();
        owners.into_iter().filter(|owner| !owner.is_empty()).collect()
    }
}

fn which_owners(server: ServerVersion, owners: &[&BStr]) -> Query {
    // To give an object to a role one must be able to take the role.
    let membership = if server.set_option_of_membership() { "SET" } else { "MEMBER" };
    let sql = format!(
        "SELECT o.name, r.oid IS NOT NULL AS is_there FROM pg_catalog.unnest($1) AS o (name) \
         LEFT JOIN pg_catalog.pg_roles r ON r.rolname::pg_catalog.text = o.name \
         WHERE r.oid IS NULL OR NOT pg_catalog.pg_has_role(r.oid, '{membership}')"
    );
    Query::new("which owners objects cannot be given to", sql).param(Param::texts(owners))
}

fn queries(server: ServerVersion) -> Vec<Query> {
    let publications = publication::columns(server);
    vec![
        Query::new(
            "the extensions of others",
            "SELECT e.extname::pg_catalog.text AS name, \
                pg_catalog.pg_get_userbyid(e.extowner)::pg_catalog.text AS owner, \
             pg_catalog.pg_has_role(e.extowner, 'USAGE') AS is_mine, \
             pg_catalog.obj_description(e.oid, 'pg_extension') AS comment, n.nspname::pg_catalog.text AS schema \
             FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace \
             WHERE NOT pg_catalog.pg_has_role(e.extowner, 'USAGE') \
             OR NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')",
        ),
        Query::new(
            "the schemas of others",
            "SELECT nspname::pg_catalog.text AS name, pg_catalog.pg_get_userbyid(nspowner)::pg_catalog.text AS owner, \
             pg_catalog.pg_has_role(nspowner, 'USAGE') AS is_mine, \
             pg_catalog.obj_description(oid, 'pg_namespace') AS comment, \
             pg_catalog.has_schema_privilege(oid, 'CREATE') AS may_create, \
             ARRAY(SELECT CASE WHEN grantee = 0 THEN 'PUBLIC' \
             ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(grantee)::pg_catalog.text) END || ' ' || \
             privilege_type \
             || CASE WHEN is_grantable THEN '*' ELSE '' END FROM pg_catalog.aclexplode( \
             coalesce(nspacl, pg_catalog.acldefault('n', nspowner)))) AS privileges \
             FROM pg_catalog.pg_namespace WHERE (NOT pg_catalog.pg_has_role(nspowner, 'USAGE') \
             OR NOT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')) AND nspname !~ '^pg_' AND nspname <> 'information_schema'",
        ),
        Query::new(
            "the event triggers of others",
            format!(
                "SELECT evtname::pg_catalog.text AS name, evtname, \
                    pg_catalog.pg_get_userbyid(evtowner)::pg_catalog.text AS owner, \
                 pg_catalog.obj_description(t.oid, 'pg_event_trigger') AS comment, {}, \
                 n.nspname::pg_catalog.text AS function_schema, p.proname::pg_catalog.text || '()' AS signature, \
                 pg_catalog.pg_has_role(p.proowner, 'USAGE') AS is_mine, l.lanname::pg_catalog.text AS language, \
                 p.prosrc AS body, (p.proconfig IS NULL AND p.provolatile = 'v' AND p.procost = 100 \
                 AND NOT p.prosecdef AND NOT p.proleakproof AND NOT p.proisstrict AND p.proparallel = 'u' \
                 AND p.probin IS NULL) AS is_plain \
                 FROM pg_catalog.pg_event_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.evtfoid \
                 JOIN pg_catalog.pg_language l ON l.oid = p.prolang \
                 JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
                 WHERE NOT pg_catalog.pg_has_role(evtowner, 'USAGE')",
                event_trigger::COLUMNS
            ),
        ),
        Query::new(
            "the publications of others",
            format!(
                "SELECT pubname::pg_catalog.text AS name, pubname, \
                    pg_catalog.pg_get_userbyid(pubowner)::pg_catalog.text AS owner, \
                 pg_catalog.obj_description(oid, 'pg_publication') AS comment, {publications} \
                 FROM pg_catalog.pg_publication WHERE NOT pg_catalog.pg_has_role(pubowner, 'USAGE')"
            ),
        ),
        Query::new(
            "the subscriptions of others",
            // Before 14 not everybody may read their OIDs, by which comments are found.
            "SELECT s.subname::pg_catalog.text AS name, \
                pg_catalog.pg_get_userbyid(s.subowner)::pg_catalog.text AS owner, \
             NULL::pg_catalog.text AS comment FROM pg_catalog.pg_subscription s \
             JOIN pg_catalog.pg_database d ON d.oid = s.subdbid AND d.datname = pg_catalog.current_database() \
             WHERE NOT pg_catalog.pg_has_role(s.subowner, 'USAGE')",
        ),
    ]
}

impl ForeignObjects {
    /// Puts down the objects in `rows`; `of` makes one from a row, its quoted name, and a statement to be written.
    fn add(
        &mut self,
        rows: &Rows,
        kind: &'static str,
        standard_strings: bool,
        of: impl Fn(Row<'_>, &Sql, Sql) -> Result<Object>,
    ) -> Result<()> {
        for row in rows.iter() {
            let mut name = Sql::new();
            name.ident(row.text("name")?);
            let object = of(row, &name, Sql::with_strings(standard_strings))?;
            let object = Object { owner: row.string("owner")?, comment: row.opt_string("comment")?, ..object };
            self.objects.insert([kind.as_bytes(), name.as_bstr()].concat().into(), object);
        }
        Ok(())
    }
}

fn extension(row: Row<'_>, name: &Sql, mut sql: Sql) -> Result<Object> {
    sql.kw("CREATE EXTENSION IF NOT EXISTS ").sql(name).kw(" WITH SCHEMA ").ident(row.text("schema")?).kw(";\n");
    Ok(Object { definition: Some(sql.into_bstring()), is_mine: row.bool("is_mine")?, ..Object::default() })
}

fn event_trigger(row: Row<'_>, name: &Sql, sql: Option<Sql>) -> Result<Object> {
    let definition = sql.and_then(|mut sql| {
        event_trigger::EventTrigger::from_row(row, BString::default()).ok()?.definition(name, &mut sql);
        Some(sql.into_bstring())
    });
    let function = Function {
        schema: row.string("function_schema")?,
        signature: row.string("signature")?,
        is_mine: row.bool("is_mine")?,
        language: row.string("language")?,
        body: row.string("body")?,
        is_plain: row.bool("is_plain")?,
    };
    Ok(Object { definition, function: Some(function), ..Object::default() })
}

fn publication(row: Row<'_>, name: &Sql, sql: Option<Sql>) -> Result<Object> {
    let definition = sql.and_then(|mut sql| {
        publication::Publication::from_row(row, BString::default()).ok()?.definition(name, &mut sql);
        Some(sql.into_bstring())
    });
    Ok(Object { definition, ..Object::default() })
}
