//! Default privileges of the target (`ALTER DEFAULT PRIVILEGES`).
//!
//! An archive says of an object's privileges how they differ from those that PostgreSQL gives to every new object. Where the
//! target gives others, to a role that may read every new table, say, the object would have these as well, and be open to
//! whom the archive has closed it. So what was made is held against what PostgreSQL gives by itself, before any rows are in
//! it, and brought to that; the archive's own privileges, where they are wanted, come after that. Extensions are made without
//! the defaults, for what their scripts grant cannot be told from what these add.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;
use pgformat::kinds::Group;

use crate::postgres::archive::kinds::{self, text};
use crate::postgres::privileges;
use crate::postgres::relkind::relkinds;
use crate::postgres::restore::execute::Run;
use crate::postgres::restore::plan::large_objects;
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::EntryError;
use crate::postgres::version::ServerVersion;
use crate::progress::Message;
use crate::sql::{Deparsed, Sql};
use crate::wire::{Notice, Param, Query, Row, sqlstate};
use crate::{Error, Result};

/// The SQLSTATEs of what a role may not do, or not all of it.
const NOT_PERMITTED: [&str; 3] =
    [sqlstate::INSUFFICIENT_PRIVILEGE, sqlstate::PRIVILEGE_NOT_REVOKED, sqlstate::PRIVILEGE_NOT_GRANTED];
/// How many statements are sent together.
const TOGETHER: usize = 100;

/// What is known of the target's default privileges.
#[derive(Debug, Default, Clone)]
pub(in crate::postgres::restore) struct Defaults {
    /// Whether there are any, so that what is made has to be looked at.
    are_there: bool,
    /// Entries whose objects were made and not looked at yet.
    made: Vec<usize>,
    /// The same for large objects that were made with their content, which an archive of before 9.0 does not list.
    objects: Vec<(usize, u32)>,
    /// Entries of extensions that were there already, for which `CREATE EXTENSION IF NOT EXISTS` does nothing.
    were_there: HashSet<usize>,
    /// Those that the archive brings, as they are in the target; `None` until they were asked for.
    known: Option<Arc<Vec<DefaultPrivileges>>>,
}

impl Defaults {
    /// Whether there are any.
    pub(in crate::postgres::restore) fn are_there(&self) -> bool {
        self.are_there
    }

    /// Whether there are objects that were made and not looked at yet.
    pub(in crate::postgres::restore) fn has_unsettled(&self) -> bool {
        !self.made.is_empty() || !self.objects.is_empty()
    }

    /// The same for another connection.
    pub(in crate::postgres::restore) fn for_worker(&self) -> Self {
        Self { made: Vec::new(), objects: Vec::new(), ..self.clone() }
    }
}

/// Default privileges of a role, on one kind of object, in a schema or anywhere.
#[derive(Debug)]
struct DefaultPrivileges {
    role: BString,
    schema: Option<BString>,
    words: &'static str,
    items: Vec<BString>,
    /// What there would be without them.
    without: Vec<BString>,
}

impl DefaultPrivileges {
    fn from_row(row: Row<'_>) -> Result<Option<Self>> {
        let words = match row.char("kind")? {
            b'r' => "TABLES",
            b'S' => "SEQUENCES",
            b'f' => "FUNCTIONS",
            b'T' => "TYPES",
            b'n' => "SCHEMAS",
            b'L' => "LARGE OBJECTS",
            // A newer server's: nothing that is known here is made by them.
            _ => return Ok(None),
        };
        Ok(Some(Self {
            role: row.string("role")?,
            schema: row.opt_string("schema")?,
            words,
            items: items(row, "items")?,
            without: items(row, "without")?,
        }))
    }

    fn lead(&self, before: &[BString], after: &[BString]) -> Result<Sql> {
        let schema = self.schema.as_ref().map(|schema| schema.as_bstr());
        privileges::default_privileges(self.role.as_bstr(), schema, self.words, before, after)
    }
}

fn items(row: Row<'_>, column: &str) -> Result<Vec<BString>> {
    Ok(row.opt_texts(column)?.unwrap_or_default().into_iter().flatten().collect())
}

const DEFAULTS: &str = "\
    SELECT a.defaclobjtype AS kind, r.rolname::pg_catalog.text AS role, n.nspname::pg_catalog.text AS schema, \
      a.defaclacl::pg_catalog.text[] AS items, CASE WHEN a.defaclnamespace <> 0 THEN '{}' \
        ELSE pg_catalog.acldefault(CASE a.defaclobjtype WHEN 'S' THEN 's' ELSE a.defaclobjtype END, a.defaclrole) \
      END::pg_catalog.text[] AS without \
    FROM pg_catalog.pg_default_acl a JOIN pg_catalog.pg_roles r ON r.oid = a.defaclrole \
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace";

impl Run<'_> {
    /// Finds out whether the target has default privileges.
    pub(in crate::postgres::restore) fn note_defaults(&mut self) -> Result<()> {
        self.defaults = Defaults::default();
        if !self.options.target_defaults {
            let any = self.target.query("SELECT EXISTS (SELECT FROM pg_catalog.pg_default_acl) AS any", &[])?;
            self.defaults.are_there = any.one()?.bool("any")?;
        }
        Ok(())
    }

    /// Puts down that an entry's object was made.
    pub(in crate::postgres::restore) fn note_made(&mut self, step: &Step) {
        let entry = &self.entries[step.entry];
        let is_made = matches!(step.action, Action::Define(_) | Action::EachLargeObject { .. });
        // What was there before, an event trigger's function, keeps its privileges.
        let is_replaced =
            matches!(&step.action, Action::Define(Some(other)) if other.starts_with(b"CREATE OR REPLACE "));
        // Schema public is only spoken of.
        if self.defaults.are_there
            && is_made
            && !is_replaced
            && !self.defaults.were_there.contains(&step.entry)
            && has_privileges(entry)
            && !text(&entry.definition).starts_with(b"--")
        {
            self.defaults.made.push(step.entry);
        }
    }

    /// Puts down that large objects were made for an entry.
    pub(in crate::postgres::restore) fn note_objects(&mut self, entry: usize, oids: impl Iterator<Item = u32>) {
        if self.defaults.are_there {
            self.defaults.objects.extend(oids.map(|oid| (entry, oid)));
        }
    }

    /// The statement of a step as it is to be run, so that the target's default privileges do not count: an extension is made
    /// without them, and those that the archive brings take the place of those that are there.
    pub(in crate::postgres::restore) fn without_defaults<'s>(
        &mut self,
        step: &Step,
        statement: &'s [u8],
    ) -> Result<Cow<'s, [u8]>> {
        let entry = &self.entries[step.entry];
        if !self.defaults.are_there || !matches!(step.action, Action::Define(_)) {
            return Ok(Cow::Borrowed(statement));
        }
        let (mut before, mut after) = (Sql::new(), Sql::new());
        if kinds::is(entry, "EXTENSION") {
            let is_there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = $1) AS is_there";
            let is_there = self.target.query(is_there, &[Param::text(text(&entry.tag))])?.one()?.bool("is_there")?;
            if is_there {
                // Its objects have the privileges that were given in this database.
                self.defaults.were_there.insert(step.entry);
                return Ok(Cow::Borrowed(statement));
            }
            let query = format!("{DEFAULTS} WHERE r.rolname = CURRENT_USER");
            for row in self.target.query(query, &[])?.iter() {
                if let Some(default) = DefaultPrivileges::from_row(row)? {
                    before.sql(&default.lead(&default.items, &default.without)?);
                    after.sql(&default.lead(&default.without, &default.items)?);
                }
            }
        } else if kinds::is(entry, "DEFAULT ACL") {
            let known = self.known_defaults()?;
            let is_it = |default: &&DefaultPrivileges| {
                text(&entry.owner) == default.role
                    && text(&entry.schema) == default.schema.as_ref().map_or(BStr::new(""), |schema| schema.as_bstr())
                    && text(&entry.tag).strip_prefix(b"DEFAULT PRIVILEGES FOR ") == Some(default.words.as_bytes())
            };
            if let Some(default) = known.iter().find(is_it) {
                before = default.lead(&default.items, &default.without)?;
            }
        }
        if before.is_empty() && after.is_empty() {
            return Ok(Cow::Borrowed(statement));
        }
        let mut whole = before.as_bstr().to_vec();
        whole.extend_from_slice(statement);
        if !after.is_empty() {
            // The newline ends a comment that the statement may end with.
            whole.extend_from_slice(b"\n;\n");
            whole.extend_from_slice(after.as_bstr());
        }
        Ok(Cow::Owned(whole))
    }

    fn known_defaults(&mut self) -> Result<Arc<Vec<DefaultPrivileges>>> {
        if let Some(known) = &self.defaults.known {
            return Ok(Arc::clone(known));
        }
        let mut known = Vec::new();
        for row in self.target.query(DEFAULTS, &[])?.iter() {
            known.extend(DefaultPrivileges::from_row(row)?);
        }
        Ok(Arc::clone(self.defaults.known.insert(Arc::new(known))))
    }

    /// Brings what was made to the privileges that PostgreSQL gives by itself.
    pub(in crate::postgres::restore) fn settle_privileges(&mut self) -> Result<()> {
        let mut made = std::mem::take(&mut self.defaults.made);
        let objects = std::mem::take(&mut self.defaults.objects);
        if (made.is_empty() && objects.is_empty()) || self.summary.stopped {
            return Ok(());
        }
        let user = self.user.clone();
        if user.is_some() {
            self.become_user(b"SET SESSION AUTHORIZATION DEFAULT;")?;
        }
        let query = query(self.entries, &mut made, &objects, ServerVersion::new(self.target.server_version()))?;
        let mut statements: Vec<(usize, BString)> = Vec::new();
        for row in self.target.run(&query)?.iter() {
            let entry = usize::try_from(row.i32("n")?).ok().and_then(|n| made.get(n)).copied().unwrap_or_default();
            let mut name = Sql::new();
            name.deparsed(&Deparsed::by_server(row.string("name")?));
            let owner = row.string("owner")?;
            let words = row.string("words")?;
            let back = privileges::from_to(
                words.as_bstr(),
                &name,
                owner.as_bstr(),
                &items(row, "items")?,
                &items(row, "expected")?,
            )?;
            if !back.is_empty() {
                statements.push((entry, back.into_bstring()));
            }
        }
        for many in statements.chunks(TOGETHER) {
            if !self.take_away(many)? {
                // In a transaction, one that fails takes the others along.
                many.iter().try_for_each(|one| self.take_away(std::slice::from_ref(one)).map(|_| ()))?;
            }
        }
        match user {
            Some(user) => self.become_user(&user),
            None => Ok(()),
        }
    }

    /// Runs statements, each for an entry. Says false, and changes nothing, if there are several in a transaction, of which one
    /// failed.
    fn take_away(&mut self, many: &[(usize, BString)]) -> Result<bool> {
        self.interrupt.check()?;
        self.pass_on_notices(None);
        let is_block = self.is_block;
        if is_block {
            self.target.savepoint()?;
        }
        let statements: Vec<&[u8]> = many.iter().map(|(_, statement)| statement.as_slice()).collect();
        let results = self.target.foreign()?.execute_each_telling(&statements)?;
        let has_failed = results.iter().any(|(result, _)| result.is_err());
        self.interrupt.check()?;
        if is_block {
            if has_failed {
                self.target.undo()?
            } else {
                self.target.release()?
            }
            if has_failed && many.len() > 1 {
                return Ok(false);
            }
        }
        for ((entry, statement), (result, notices)) in many.iter().zip(results) {
            let is_refusal = |notice: &&Notice| {
                notice.is(sqlstate::PRIVILEGE_NOT_REVOKED) || notice.is(sqlstate::PRIVILEGE_NOT_GRANTED)
            };
            let of = &self.entries[*entry];
            let error = match (result.map_err(Error::from), notices.iter().find(is_refusal)) {
                (Err(error), _) if error.server().is_none() => return Err(error),
                (Err(error), _) => EntryError::server(of, statement, &error),
                (Ok(()), Some(notice)) => EntryError::notice(of, statement, notice),
                (Ok(()), None) => {
                    self.take_notices(Some(*entry), statement, notices);
                    continue;
                }
            };
            self.put_down_unsettled(*entry, error);
        }
        Ok(true)
    }

    /// Puts down that an object has privileges that it should not have.
    fn put_down_unsettled(&mut self, entry: usize, mut error: EntryError) {
        error.message =
            format!("what the target's default privileges add to it could not be taken away: {}", error.message);
        if !error.sqlstate.as_deref().is_some_and(|code| NOT_PERMITTED.contains(&code)) {
            return self.put_down_error(entry, error);
        }
        self.failed.insert(entry);
        // An extension has many objects, and is named once.
        if !self.summary.left.iter().any(|left| left.entry.dump_id == error.entry.dump_id) {
            let text = format!("left to a superuser: {}", error.what_happened());
            self.reporter.message(Message::warning(error.entry.to_string(), text));
            self.summary.left.push(error);
        }
    }
}

/// Whether default privileges count for what an entry makes.
fn has_privileges(entry: &Entry) -> bool {
    matches!(kinds::group(entry), Group::Relation | Group::Routine | Group::Schema)
        || ["TYPE", "DOMAIN", "EXTENSION", "BLOB", "BLOB METADATA"].iter().any(|desc| kinds::is(entry, desc))
}

/// The objects of these entries, with what belongs to them, whose privileges are not those of every new object.
fn query(entries: &[Entry], made: &mut Vec<usize>, unlisted: &[(usize, u32)], server: ServerVersion) -> Result<Query> {
    type Names<'a> = (Vec<&'a [u8]>, Vec<Cow<'a, [u8]>>, Vec<Vec<u8>>);
    let [mut relations, mut routines, mut types, mut schemas, mut extensions, mut objects]: [Names<'_>; 6] =
        Default::default();
    for (n, &at) in made.iter().enumerate() {
        let entry = &entries[at];
        let n = n.to_string().into_bytes();
        let list = match kinds::group(entry) {
            Group::Relation => &mut relations,
            Group::Routine => &mut routines,
            Group::Schema => &mut schemas,
            _ if kinds::is(entry, "EXTENSION") => &mut extensions,
            _ if kinds::is(entry, "BLOB") => &mut objects,
            _ if kinds::is(entry, "BLOB METADATA") => {
                for oid in large_objects::oids(entry)? {
                    objects.0.push(b"");
                    objects.1.push(Cow::Owned(oid.to_string().into_bytes()));
                    objects.2.push(n.clone());
                }
                continue;
            }
            _ => &mut types,
        };
        list.0.push(text(&entry.schema));
        // Of an aggregate that takes anything, an archive says (*).
        list.1.push(match text(&entry.tag).strip_suffix(b"(*)") {
            Some(name) if kinds::group(entry) == Group::Routine => Cow::Owned([name, b"()"].concat()),
            _ => Cow::Borrowed(text(&entry.tag).as_bytes()),
        });
        list.2.push(n);
    }
    for (entry, oid) in unlisted {
        objects.0.push(b"");
        objects.1.push(Cow::Owned(oid.to_string().into_bytes()));
        objects.2.push(made.len().to_string().into_bytes());
        made.push(*entry);
    }
    let multirange = if server.multiranges() { "rngmultitypid" } else { "rngtypid" };
    let sql = SETTLE.replace("rngmultitypid", multirange);
    let mut query = Query::new("the privileges of what was made", sql);
    for (schemas, names, numbers) in [relations, routines, types, schemas, extensions, objects] {
        query = query.param(Param::texts(&schemas)).param(Param::texts(&names)).param(Param::texts(&numbers));
    }
    Ok(query)
}

/// Names come in arrays: a schema, a name in it, and the number of the entry, each as text.
const SETTLE: &str = concat!(
    "\
    WITH extension AS (SELECT e.oid, m.n FROM ROWS FROM (pg_catalog.unnest($13), pg_catalog.unnest($14), pg_catalog.unnest($15)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_extension e ON e.extname = m.name::pg_catalog.name), \
    member AS (SELECT d.classid, d.objid, e.n FROM extension e JOIN pg_catalog.pg_depend d ON d.refclassid = \
    'pg_catalog.pg_extension'::pg_catalog.regclass \
      AND d.refobjid = e.oid AND d.deptype = 'e' AND d.objsubid = 0), \
    relation AS (SELECT c.oid, m.n FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.schema::pg_catalog.name \
      JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relname = m.name::pg_catalog.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_class'::pg_catalog.regclass), \
    type AS (SELECT t.oid, m.n FROM ROWS FROM (pg_catalog.unnest($7), pg_catalog.unnest($8), pg_catalog.unnest($9)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.schema::pg_catalog.name \
      JOIN pg_catalog.pg_type t ON t.typnamespace = s.oid AND t.typname = m.name::pg_catalog.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_type'::pg_catalog.regclass), \
    type_and_more AS (SELECT oid, n FROM type UNION SELECT r.rngmultitypid, t.n FROM type t \
      JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid), \
    routine AS (SELECT p.oid, m.n FROM ROWS FROM (pg_catalog.unnest($4), pg_catalog.unnest($5), pg_catalog.unnest($6)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.schema::pg_catalog.name \
      JOIN pg_catalog.pg_proc p ON p.pronamespace = s.oid \
      AND p.proname || '(' || pg_catalog.oidvectortypes(p.proargtypes) || ')' = m.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_proc'::pg_catalog.regclass \
      UNION SELECT d.objid, t.n FROM type_and_more t JOIN pg_catalog.pg_depend d ON d.refclassid = \
      'pg_catalog.pg_type'::pg_catalog.regclass \
        AND d.refobjid = t.oid AND d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.deptype = 'i'), \
    schema AS (SELECT s.oid, m.n FROM ROWS FROM (pg_catalog.unnest($10), pg_catalog.unnest($11), pg_catalog.unnest($12)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_namespace s ON s.nspname = m.name::pg_catalog.name \
      UNION SELECT objid, n FROM member WHERE classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass), \
    object AS (SELECT l.oid, m.n FROM ROWS FROM (pg_catalog.unnest($16), pg_catalog.unnest($17), pg_catalog.unnest($18)) \
      AS m (schema, name, n) JOIN pg_catalog.pg_largeobject_metadata l ON l.oid = m.name::pg_catalog.oid), \
    found AS (SELECT 'pg_catalog.pg_class'::pg_catalog.regclass AS class, c.oid, o.n, ",
    relkinds!(grant words of "c.relkind"),
    " AS words, \
        pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name, c.relowner AS owner, \
        c.relacl AS acl, ",
    relkinds!(acl letter of "c.relkind"),
    " AS letter \
      FROM relation o JOIN pg_catalog.pg_class c ON c.oid = o.oid JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
      WHERE c.relkind IN ",
    relkinds!(relations),
    " \
      UNION ALL SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, o.n, 'TYPE', \
        pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(t.typname), t.typowner, t.typacl, 'T' \
      FROM type_and_more o JOIN pg_catalog.pg_type t ON t.oid = o.oid JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace \
      UNION ALL SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, o.n, CASE p.prokind WHEN 'p' THEN \
      'PROCEDURE' ELSE 'FUNCTION' END, \
        pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(p.proname) || '(' \
          || pg_catalog.oidvectortypes(p.proargtypes) || ')', p.proowner, p.proacl, 'f' \
      FROM routine o JOIN pg_catalog.pg_proc p ON p.oid = o.oid JOIN pg_catalog.pg_namespace s ON s.oid = p.pronamespace \
      UNION ALL SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, s.oid, o.n, 'SCHEMA', \
      pg_catalog.quote_ident(s.nspname), s.nspowner, s.nspacl, 'n' \
      FROM schema o JOIN pg_catalog.pg_namespace s ON s.oid = o.oid \
      UNION ALL SELECT 'pg_catalog.pg_largeobject'::pg_catalog.regclass, l.oid, o.n, 'LARGE OBJECT', \
      l.oid::pg_catalog.text, l.lomowner, l.lomacl, 'L' \
      FROM object o JOIN pg_catalog.pg_largeobject_metadata l ON l.oid = o.oid) \
    SELECT f.n::pg_catalog.int4 AS n, f.words, f.name, pg_catalog.pg_get_userbyid(f.owner)::pg_catalog.text AS owner, \
      f.acl::pg_catalog.text[] AS items, \
      coalesce(i.initprivs, pg_catalog.acldefault(f.letter::pg_catalog.\"char\", f.owner))::pg_catalog.text[] AS expected \
    FROM found f LEFT JOIN pg_catalog.pg_init_privs i ON i.classoid = f.class::pg_catalog.oid AND i.objoid = f.oid \
      AND i.objsubid = 0 AND i.privtype = 'e' \
    WHERE f.acl IS NOT NULL ORDER BY 1, f.class, f.oid"
);
