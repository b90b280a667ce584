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
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::{EntryIndex, kinds, text};
use crate::postgres::privileges;
use crate::postgres::restore::execute::{Client, Job, Ledger, object_privileges};
use crate::postgres::restore::plan::{Action, Step};
use crate::postgres::restore::summary::EntryError;
use crate::progress::Level;
use crate::sql::{Deparsed, Sql, Style};
use crate::wire::{Notice, Param, Row, sqlstate};
use crate::{Error, Result};

/// The SQLSTATEs of what a role may not do, or not all of it.
const NOT_PERMITTED: [&str; 3] =
    [sqlstate::INSUFFICIENT_PRIVILEGE, sqlstate::PRIVILEGE_NOT_REVOKED, sqlstate::PRIVILEGE_NOT_GRANTED];
const TOGETHER: usize = 100;

/// What is known of the target's default privileges.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// Whether there are any, so that what is made has to be looked at.
    pub are_there: bool,
    /// Entries whose objects were made and not looked at yet.
    made: Vec<EntryIndex>,
    /// The same for large objects that were made with their content, which an archive of before 9.0 does not list.
    objects: Vec<(EntryIndex, u32)>,
    /// Entries of extensions that were there already, for which `CREATE EXTENSION IF NOT EXISTS` does nothing.
    were_there: HashSet<EntryIndex>,
    /// Those that the archive brings, as they are in the target; `None` until they were asked for.
    known: Option<Arc<Vec<DefaultPrivileges>>>,
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
        // Those of another type are a newer server's: nothing that is known here is made by them.
        let Some(words) = privileges::type_of_default(row.char("kind")?) else { return Ok(None) };
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
        privileges::default_privileges(self.role.as_bstr(), schema, self.words, (before, after), Style::default())
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

impl Defaults {
    pub fn ask(client: &mut Client<'_>) -> Result<Self> {
        let mut defaults = Self::default();
        if !client.job.options.target_defaults {
            let any = client.query("SELECT EXISTS (SELECT FROM pg_catalog.pg_default_acl) AS any", &[])?;
            defaults.are_there = any.one()?.bool("any")?;
        }
        Ok(defaults)
    }

    pub fn for_worker(&self) -> Self {
        Self { made: Vec::new(), objects: Vec::new(), ..self.clone() }
    }

    pub fn has_unsettled(&self) -> bool {
        !self.made.is_empty() || !self.objects.is_empty()
    }

    pub fn add_made(&mut self, job: &Job<'_>, step: &Step) {
        let entry = &job.entries[step.entry];
        let is_made = match &step.action {
            // What was there before, an event trigger's function, keeps its privileges.
            Action::Define(Some(other)) => !other.starts_with(b"CREATE OR REPLACE "),
            Action::Define(None) | Action::EachLargeObject { .. } => true,
            _ => false,
        };
        // Schema public is only spoken of.
        let is_comment = text(&entry.definition).starts_with(b"--");
        let was_there = self.were_there.contains(&step.entry);
        if self.are_there && is_made && !was_there && !is_comment && has_privileges(entry) {
            self.made.push(step.entry);
        }
    }

    pub fn add_large_objects(&mut self, at: EntryIndex, oids: Vec<u32>) {
        if self.are_there {
            self.objects.extend(oids.into_iter().map(|oid| (at, oid)));
        }
    }

    /// The statement of a step as it is to be run, so that the target's default privileges do not count: an extension is made
    /// without them, and those that the archive brings take the place of those that are there.
    pub fn replaced<'s>(&mut self, client: &mut Client<'_>, step: &Step, statement: &'s [u8]) -> Result<Cow<'s, [u8]>> {
        let entry = &client.job.entries[step.entry];
        let is_definition = self.are_there && matches!(step.action, Action::Define(_));
        let (before, after) = match () {
            () if is_definition && kinds::is(entry, "EXTENSION") => self.around_extension(client, step.entry)?,
            () if is_definition && kinds::is(entry, "DEFAULT ACL") => {
                (self.before_defaults(client, entry)?, Sql::new())
            }
            () => return Ok(Cow::Borrowed(statement)),
        };
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

    /// What takes the defaults away before an extension is made, and brings them back.
    fn around_extension(&mut self, client: &mut Client<'_>, at: EntryIndex) -> Result<(Sql, Sql)> {
        let (mut before, mut after) = (Sql::new(), Sql::new());
        let is_there = "SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = $1) AS is_there";
        let name = Param::text(text(&client.job.entries[at].tag));
        if client.query(is_there, &[name])?.one()?.bool("is_there")? {
            // Its objects have the privileges that were given in this database.
            self.were_there.insert(at);
            return Ok((before, after));
        }
        for row in client.query(format!("{DEFAULTS} WHERE r.rolname = CURRENT_USER"), &[])?.iter() {
            if let Some(default) = DefaultPrivileges::from_row(row)? {
                before.sql(&default.lead(&default.items, &default.without)?);
                after.sql(&default.lead(&default.without, &default.items)?);
            }
        }
        Ok((before, after))
    }

    /// What takes away the defaults that those of the entry take the place of.
    fn before_defaults(&mut self, client: &mut Client<'_>, entry: &Entry) -> Result<Sql> {
        let known = self.known(client)?;
        let is_it = |default: &&DefaultPrivileges| {
            text(&entry.owner) == default.role
                && text(&entry.schema) == default.schema.as_ref().map_or(BStr::new(""), |schema| schema.as_bstr())
                && text(&entry.tag).strip_prefix(b"DEFAULT PRIVILEGES FOR ") == Some(default.words.as_bytes())
        };
        let default = known.iter().find(is_it);
        default.map_or(Ok(Sql::new()), |default| default.lead(&default.items, &default.without))
    }

    fn known(&mut self, client: &mut Client<'_>) -> Result<Arc<Vec<DefaultPrivileges>>> {
        if let Some(known) = &self.known {
            return Ok(Arc::clone(known));
        }
        let mut known = Vec::new();
        for row in client.query(DEFAULTS, &[])?.iter() {
            known.extend(DefaultPrivileges::from_row(row)?);
        }
        Ok(Arc::clone(self.known.insert(Arc::new(known))))
    }

    /// Brings what was made to the privileges that PostgreSQL gives by itself.
    pub fn settle(&mut self, client: &mut Client<'_>, ledger: &mut Ledger<'_>) -> Result<()> {
        let mut made = std::mem::take(&mut self.made);
        let objects = std::mem::take(&mut self.objects);
        if (made.is_empty() && objects.is_empty()) || ledger.is_stopped() {
            return Ok(());
        }
        client.as_login(|client| {
            let statements = statements(client, &mut made, &objects)?;
            for many in statements.chunks(TOGETHER) {
                if !take_away(client, ledger, many)? {
                    // In a transaction, one that fails takes the others along.
                    many.iter().try_for_each(|one| take_away(client, ledger, std::slice::from_ref(one)).map(|_| ()))?;
                }
            }
            Ok(())
        })
    }
}

/// The statements that take away what the defaults have added, each for an entry.
fn statements(
    client: &mut Client<'_>,
    made: &mut Vec<EntryIndex>,
    objects: &[(EntryIndex, u32)],
) -> Result<Vec<(EntryIndex, BString)>> {
    let query = object_privileges::query(client.job.entries, made, objects, client.version())?;
    let mut statements = Vec::new();
    for row in client.run(&query)?.iter() {
        let Some(at) = usize::try_from(row.i32("n")?).ok().and_then(|n| made.get(n)) else { continue };
        let mut name = Sql::new();
        name.deparsed(&Deparsed::by_server(row.string("name")?));
        let (words, owner) = (row.string("words")?, row.string("owner")?);
        let (now, expected) = (items(row, "items")?, items(row, "expected")?);
        let back = privileges::from_to(words.as_bstr(), &name, owner.as_bstr(), &now, &expected)?;
        if !back.is_empty() {
            statements.push((*at, back.into_bstring()));
        }
    }
    Ok(statements)
}

/// Runs statements, each for an entry. Says false, and changes nothing, if there are several in a transaction, of which one
/// failed.
fn take_away(client: &mut Client<'_>, ledger: &mut Ledger<'_>, many: &[(EntryIndex, BString)]) -> Result<bool> {
    client.interrupt.check()?;
    client.pass_on_notices(ledger, None);
    let statements: Vec<&[u8]> = many.iter().map(|(_, statement)| statement.as_slice()).collect();
    let results = client.apart(
        |connection| match connection.foreign()?.execute_each_telling(&statements)? {
            (results, None) => Ok(results),
            (_, Some(lost)) => Err(lost.into()),
        },
        |results| results.iter().all(|(result, _)| result.is_ok()),
    )??;
    if client.in_transaction() && many.len() > 1 && results.iter().any(|(result, _)| result.is_err()) {
        return Ok(false);
    }
    for ((at, statement), (result, notices)) in many.iter().zip(results) {
        let is_refusal = |notice: &&Notice| notice.is_any(&NOT_PERMITTED[1..]);
        match (result.map_err(Error::from), notices.iter().find(is_refusal)) {
            (Err(error), _) if error.server().is_none() => return Err(error),
            (Err(error), _) => put_down(ledger, *at, client.entry_error(*at, statement, &error)),
            (Ok(()), Some(notice)) => {
                put_down(ledger, *at, EntryError::notice(&client.job.entries[*at], statement, notice));
            }
            (Ok(()), None) => client.take_notices(ledger, Some(*at), statement, notices),
        }
    }
    Ok(true)
}

/// Puts down that an object has privileges that it should not have.
fn put_down(ledger: &mut Ledger<'_>, at: EntryIndex, mut error: EntryError) {
    error.message =
        format!("what the target's default privileges add to it could not be taken away: {}", error.message);
    if !error.sqlstate.as_deref().is_some_and(|code| NOT_PERMITTED.contains(&code)) {
        ledger.put_down(at, error);
    } else if !ledger.left().iter().any(|left| left.entry.dump_id == error.entry.dump_id) {
        // An extension has many objects, and is named once.
        ledger.leave(at, error, Level::Warning);
    }
}

/// Whether default privileges count for what an entry makes.
fn has_privileges(entry: &Entry) -> bool {
    matches!(kinds::group(entry), EntryGroup::Relation | EntryGroup::Routine | EntryGroup::Schema)
        || ["TYPE", "DOMAIN", "EXTENSION", "BLOB", "BLOB METADATA"].iter().any(|desc| kinds::is(entry, desc))
}
