//! What a restore's drops would take along that is not in the archive.
//!
//! A drop without `CASCADE` takes along what depends on the object automatically, internally or as a part of it, and the members of
//! an extension: partitions with their rows, owned sequences, indexes, triggers, policies, memberships in publications. The server
//! is asked for all of that by its own dependencies, from what the plan would drop, in a fixed number of queries; then it is held
//! against the archive by kind and name.
//!
//! Not named, because they are not objects but say something about one: privileges, default ones included, comments, security labels,
//! settings, and the properties of a column other than its default.

mod archived;
mod database;
mod definition;
mod names;
mod rows;

use std::collections::{HashMap, HashSet};
use std::fmt;

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;

use super::execute::{Connect, Run};
use super::kinds;
use super::options::RestoreOptions;
use super::plan::{Action, Plan};
use super::run::{MORE_LOCKS, NO_MORE_LOCKS};
use super::target::Found;
use crate::postgres::catalogs::FIRST_USER_OID;
use crate::postgres::version::ServerVersion;
use crate::printable;
use crate::progress::{Level, Message, Reporter};
use crate::wire::{Begin, Connection, Param};
use crate::{Error, ErrorKind, Result};
use archived::Archived;
use names::Named;
use rows::Moment;

/// An object's catalog and its OID.
pub(super) type Address = (u32, u32);

/// Something that a restore would drop although it is not in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependent {
    /// Its kind and name, as an entry's: `TABLE public.orders_2027`.
    pub object: String,
    /// What it goes along with, and how.
    pub along_with: Option<String>,
    /// How many rows it has, if it can have any and that can be told.
    pub rows: Option<u64>,
    /// Whether that is estimated.
    pub is_estimate: bool,
}

impl fmt::Display for Dependent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        let about = if self.is_estimate { "about " } else { "" };
        let rows = self.rows.map(|rows| format!("{about}{rows} row{}", if rows == 1 { "" } else { "s" }));
        let parts: Vec<&str> = self.along_with.iter().chain(&rows).map(String::as_str).collect();
        match parts.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", parts.join(", ")),
        }
    }
}

/// How many of them a refusal names.
const SHOWN: usize = 20;
/// How many of them are told where they may go.
const TOLD: usize = 100;

/// Looks at what the plan's drops would take along, before anything is changed.
///
/// # Errors
/// The server's; a database that is to be replaced and cannot be looked into.
pub(super) fn look(
    target: &mut Connection,
    connect: &Connect<'_>,
    plan: &Plan,
    entries: &[Entry],
    found: &Found,
) -> Result<Vec<Dependent>> {
    if plan.drops.is_empty() {
        return Ok(Vec::new());
    }
    match found {
        Found::Creation { is_there: false, .. } => Ok(Vec::new()),
        Found::Creation { name, is_there: true } => {
            let mut within = connect(name.as_bstr()).map_err(|error| unseen(name.as_bstr(), error))?;
            reading(&mut within, plan, |within| database::lost(within, plan, entries))
        }
        Found::Database { .. } => reading(target, plan, |target| lost(target, plan, entries, Moment::Before)),
    }
}

fn unseen(name: &BStr, error: Error) -> Error {
    Error::new(ErrorKind::Refused, format!("look at what is in database \"{name}\", which would be dropped"))
        .source(error)
        .hint("--drop-dependents drops it unseen")
}

/// Asks within a transaction that can only read, in the archive's encoding.
fn reading<T>(target: &mut Connection, plan: &Plan, ask: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
    let begin = Begin::read_only().set("client_encoding", &plan.settings.encoding).set("quote_all_identifiers", "off");
    target.begin(&begin).map_err(|error| plan.settings.not_spoken(error))?;
    let asked = ask(target);
    if !target.is_broken() {
        target.rollback()?;
    }
    asked
}

/// Refuses to go on where something would be lost, unless that was asked for; it is said then.
///
/// # Errors
/// [`ErrorKind::Refused`], with what it is; as [`look`].
pub(super) fn refuse(
    target: &mut Connection,
    connect: &Connect<'_>,
    plan: &Plan,
    entries: &[Entry],
    options: &RestoreOptions,
    found: &Found,
    reporter: &dyn Reporter,
) -> Result<()> {
    let warn = |subject: String, text: &str| {
        reporter.message(Message { level: Level::Warning, subject, text: text.to_owned() });
    };
    let lost = match look(target, connect, plan, entries, found) {
        Err(error) if options.drop_dependents && error.kind() == ErrorKind::Refused => {
            warn(format!("database \"{}\"", printable::name(found.database())), "it is dropped unseen");
            return Ok(());
        }
        lost => lost?,
    };
    if !lost.is_empty() && !options.drop_dependents {
        return Err(refusal(&lost, found.database()));
    }
    for dependent in lost.iter().take(TOLD) {
        warn(
            dependent.to_string(),
            "this restore does not bring it back, and it is dropped along with what is replaced",
        );
    }
    if lost.len() > TOLD {
        warn(format!("{} more", lost.len() - TOLD), "they are dropped along, too; --dry-run names all of them");
    }
    Ok(())
}

fn refusal(lost: &[Dependent], database: &BStr) -> Error {
    let names: Vec<String> = lost.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = lost.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Error::new(ErrorKind::Refused, format!("restore into database \"{}\"", printable::name(database)))
        .why(format!(
            "what this restore does not bring back would be dropped along with what is replaced: {}{more}",
            names.join("; ")
        ))
        .hint(
            "nothing was changed: take it out of the way (as with ALTER TABLE … DETACH PARTITION), or give --drop-dependents \
             to lose it; --dry-run names all of it",
        )
}

/// Looks again when the plan's tables are locked, in the transaction that drops them: nothing can be added to them any more.
///
/// # Errors
/// [`ErrorKind::Refused`] if there is now what would be lost; the server's.
pub(super) fn hold(run: &mut Run<'_>) -> Result<()> {
    if !run.is_block || run.options.drop_dependents || run.plan.drops.is_empty() {
        return Ok(());
    }
    let named = Present::ask(run.target)?;
    let tables: Vec<&[u8]> = named
        .roots(run.plan, run.entries)
        .into_iter()
        .filter_map(|(_, address)| named.get(address)?.for_lock())
        .collect();
    if !tables.is_empty() {
        let lock = [b"LOCK TABLE ", tables.join(b", ".as_slice()).as_slice(), b" IN ACCESS EXCLUSIVE MODE"].concat();
        match run.attempt(&lock)? {
            // Whoever may not lock a table may not drop it either, and that is told with its entry.
            Some(error) if error.server().is_none_or(|report| !report.is("42501")) => {
                let is_full = error.server().is_some_and(|report| report.is(NO_MORE_LOCKS));
                let hint =
                    if is_full { format!("nothing was changed; {MORE_LOCKS}") } else { "nothing was changed".into() };
                return Err(Error::new(error.kind(), "lock the tables that are replaced").source(error).hint(hint));
            }
            _ => {}
        }
    }
    let lost = lost(run.target, run.plan, run.entries, Moment::Held)?;
    if lost.is_empty() {
        return Ok(());
    }
    let rows = run.target.query("SELECT pg_catalog.current_database()::pg_catalog.text AS name", &[])?;
    let database: BString = rows.one()?.string("name")?;
    Err(refusal(&lost, database.as_bstr()))
}

/// The objects in the target that the plan's drops are for, each with the place of its entry.
pub(super) fn roots(target: &mut Connection, plan: &Plan, entries: &[Entry]) -> Result<Vec<(usize, Address)>> {
    Ok(Present::ask(target)?.roots(plan, entries))
}

/// What is in the target.
struct Present {
    named: Vec<Named>,
    places: HashMap<Address, usize>,
}

impl Present {
    fn ask(target: &mut Connection) -> Result<Self> {
        let is_superuser = target.parameter("is_superuser").is_some_and(|value| value == "on");
        let rows = target.run(&names::query(ServerVersion(target.server_version()), is_superuser))?;
        let named = names::read(&rows)?;
        let places = named.iter().enumerate().map(|(at, object)| (object.address, at)).collect();
        Ok(Self { named, places })
    }

    fn get(&self, address: Address) -> Option<&Named> {
        self.places.get(&address).map(|at| &self.named[*at])
    }

    fn whole(&self, part: &Named) -> Option<&Named> {
        self.get(part.part_of?)
    }

    fn roots(&self, plan: &Plan, entries: &[Entry]) -> Vec<(usize, Address)> {
        let archived = Archived::of(entries);
        let is_drop = |action: &Action| matches!(action, Action::Drop(_) | Action::DropCascade(_));
        let dropped: HashSet<usize> =
            plan.drops.iter().filter(|step| is_drop(&step.action)).map(|step| step.entry).collect();
        let found = self.named.iter().filter_map(|object| Some((archived.entry(object)?, object.address)));
        found.filter(|(entry, _)| dropped.contains(entry)).collect()
    }
}

fn columns_of(addresses: &[Address]) -> [Param; 2] {
    let (classes, oids): (Vec<u32>, Vec<u32>) = addresses.iter().copied().unzip();
    [Param::oids(&classes), Param::oids(&oids)]
}

/// Those of `asked` that something depends on that would not be dropped with `roots`.
pub(super) fn held(target: &mut Connection, roots: &[Address], asked: &[Address]) -> Result<HashSet<Address>> {
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let ([classes, oids], [asked_classes, asked_oids]) = (columns_of(roots), columns_of(asked));
    let rows = target.query(
        "WITH RECURSIVE goes (class, oid) AS ( \
             SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS root (class, oid) \
             UNION \
             SELECT d.classid, d.objid FROM pg_catalog.pg_depend d \
             JOIN goes ON d.refclassid = goes.class AND d.refobjid = goes.oid \
             WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x') \
         ), part (root_class, root, class, oid) AS ( \
             SELECT root.class, root.oid, root.class, root.oid FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4)) AS root (class, oid) \
             UNION \
             SELECT part.root_class, part.root, d.classid, d.objid FROM pg_catalog.pg_depend d \
             JOIN part ON d.refclassid = part.class AND d.refobjid = part.oid \
             WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x') \
         ) \
         SELECT DISTINCT part.root_class, part.root FROM part \
         JOIN pg_catalog.pg_depend d ON d.refclassid = part.class AND d.refobjid = part.oid \
         WHERE d.deptype = 'n' AND NOT EXISTS (SELECT FROM goes WHERE goes.class = d.classid AND goes.oid = d.objid)",
        &[classes, oids, asked_classes, asked_oids],
    )?;
    rows.iter().map(|row| Ok((row.oid("root_class")?, row.oid("root")?))).collect()
}

/// Catalogs whose objects are parts of others and have no names of their own: they go with what they are parts of. Default
/// privileges are among them: they are privileges.
const PARTS: [u32; 12] = [1259, 2606, 2604, 2620, 2618, 1247, 1255, 2602, 2603, 2605, 826, 2616];

/// What goes along with what the plan drops, and is not in the archive.
fn lost(target: &mut Connection, plan: &Plan, entries: &[Entry], moment: Moment) -> Result<Vec<Dependent>> {
    let present = Present::ask(target)?;
    let archived = Archived::of(entries);
    let roots = present.roots(plan, entries);
    let all: Vec<Address> = roots.iter().map(|(_, address)| *address).collect();
    // These stay if something holds them.
    let may_stay = |entry: usize| ["EXTENSION", "SCHEMA"].iter().any(|desc| kinds::is(&entries[entry], desc));
    let asked: Vec<Address> = roots.iter().filter(|(entry, _)| may_stay(*entry)).map(|(_, a)| *a).collect();
    let stay = held(target, &all, &asked)?;
    let roots: Vec<Address> = all.into_iter().filter(|address| !stay.contains(address)).collect();
    let [classes, oids] = columns_of(&roots);
    let rows = target.query(
        "WITH RECURSIVE goes (class, oid) AS ( \
             SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS root (class, oid) \
             UNION \
             SELECT d.classid, d.objid FROM pg_catalog.pg_depend d \
             JOIN goes ON d.refclassid = goes.class AND d.refobjid = goes.oid \
             WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x') \
         ) \
         SELECT class, oid, CASE WHEN class <> ALL ($3) THEN pg_catalog.pg_describe_object(class, oid, 0) END AS described, \
             EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = goes.class AND d.objid = goes.oid \
                 AND d.deptype = 'e') AS is_member \
         FROM goes",
        &[classes, oids, Param::oids(&PARTS)],
    )?;
    let mut goes = HashSet::new();
    let mut unknown = Vec::new();
    for row in rows.iter() {
        let address = (row.oid("class")?, row.oid("oid")?);
        goes.insert(address);
        if let Some(described) = row.opt_string("described")?
            && present.get(address).is_none()
            && !row.bool("is_member")?
        {
            unknown.push(described);
        }
    }
    let is_held = |object: &&Named| {
        // What a subscription brings into a table is not in pg_depend, and goes with the table all the same.
        let address = if object.kind == "TABLE OF SUBSCRIPTION" { object.part_of } else { Some(object.address) };
        address.is_some_and(|address| goes.contains(&address))
    };
    let going: Vec<&Named> = present.named.iter().filter(is_held).collect();
    let is_gone_along = |whole: &Named| goes.contains(&whole.address) && !archived.holds(whole, present.whole(whole));
    // A partition goes with its parent, whether or not this restore makes it again.
    let is_left_out = |table: &Named| table.part_of.is_some() && !is_wanted(plan, &archived, table);
    // Nor does this restore tell a publication again what to leave out, unless it makes the publication.
    let is_forgotten = |exception: &Named| {
        !present.whole(exception).is_some_and(|publication| is_wanted(plan, &archived, publication))
    };
    let is_left_out = |object: &Named| match object.is_exception() {
        true => is_forgotten(object),
        false => is_left_out(object),
    };
    let mut dependents = sift(target, &present, &archived, &going, is_gone_along, is_left_out, moment)?;
    dependents.extend(unknown.into_iter().map(|described| Dependent {
        object: printable::name(described.as_bstr()),
        along_with: None,
        rows: None,
        is_estimate: false,
    }));
    Ok(dependents)
}

/// Whether the archive makes it, and this restore wants that.
fn is_wanted(plan: &Plan, archived: &Archived<'_>, object: &Named) -> bool {
    archived.entry(object).is_some_and(|at| plan.wanted.get(at).is_some_and(|wanted| wanted.definition))
}

/// Of what is `going`, that what the archive does not hold: objects, columns, rows. Parts of something that `is_lost` itself are not
/// named. A table is named if it `is_left_out` of the restore, too.
fn sift(
    target: &mut Connection,
    present: &Present,
    archived: &Archived<'_>,
    going: &[&Named],
    is_lost: impl Fn(&Named) -> bool,
    is_left_out: impl Fn(&Named) -> bool,
    moment: Moment,
) -> Result<Vec<Dependent>> {
    let mut missing: Vec<&Named> = Vec::new();
    let (mut kept, mut emptied, mut of_extensions) = (Vec::new(), Vec::new(), Vec::new());
    for object in going.iter().copied().filter(|object| object.address.1 >= FIRST_USER_OID) {
        let whole = present.whole(object);
        if object.is_member {
            if object.is_table() && !archived.has_rows_of(object) {
                of_extensions.push(object);
            }
        } else if (object.is_table() || object.is_exception()) && is_left_out(object) {
            missing.push(object);
        } else if archived.holds(object, whole) {
            if object.kind == "TABLE" || object.kind == "FOREIGN TABLE" {
                kept.push(object);
            }
            if object.kind == "TABLE" && !archived.has_rows_of(object) {
                emptied.push(object);
            }
        } else if object.is_table() || !whole.is_some_and(|whole| whole.is_member || is_lost(whole)) {
            missing.push(object);
        }
    }
    let mut counts = rows::count(target, &missing, moment)?;
    let mut dependents: Vec<Dependent> = missing
        .iter()
        .map(|object| {
            let counted = counts.remove(&object.address.1).filter(|_| object.is_table());
            Dependent {
                object: printable::name(object.shown().as_bstr()),
                along_with: along_with(object, present.whole(object)),
                rows: counted.map(|(rows, _)| rows),
                is_estimate: counted.is_some_and(|(_, is_exact)| !is_exact),
            }
        })
        .collect();
    dependents.extend(columns(target, archived, &kept)?);
    let mut counts = rows::count(target, &emptied, moment)?;
    dependents.extend(emptied.iter().filter_map(|table| {
        let (rows, is_exact) = counts.remove(&table.address.1).filter(|(rows, _)| *rows > 0)?;
        let object = printable::name(format!("rows of {}", table.shown()).as_str().into());
        Some(Dependent { object, along_with: None, rows: Some(rows), is_estimate: !is_exact })
    }));
    dependents.extend(rows::of_extensions(target, &of_extensions, moment)?);
    Ok(dependents)
}

fn along_with(object: &Named, whole: Option<&Named>) -> Option<String> {
    let whole = printable::name(whole?.shown().as_bstr());
    match object.kind.as_slice() {
        b"SEQUENCE" => Some(format!("owned by {whole}")),
        _ if object.is_exception() => Some(format!("without it, {whole} has the table, too")),
        _ if object.is_table() => Some(format!("a partition of {whole}")),
        _ => None,
    }
}

/// The columns of these tables that were added to what the archive's definitions of them have. A table that lacks as many columns of
/// the archive's has them under other names, and is the archive's table in another state.
fn columns(target: &mut Connection, archived: &Archived<'_>, tables: &[&Named]) -> Result<Vec<Dependent>> {
    let oids: Vec<u32> = tables.iter().map(|table| table.address.1).collect();
    let by_oid: HashMap<u32, &&Named> = tables.iter().map(|table| (table.address.1, table)).collect();
    let rows = target.query(
        "SELECT attrelid AS relation, pg_catalog.array_agg(attname::pg_catalog.text ORDER BY attnum) AS names \
         FROM pg_catalog.pg_attribute WHERE attrelid = ANY ($1) AND attnum > 0 AND NOT attisdropped AND attislocal \
         GROUP BY attrelid",
        &[Param::oids(&oids)],
    )?;
    let mut added = Vec::new();
    for row in rows.iter() {
        let Some(table) = by_oid.get(&row.oid("relation")?) else { continue };
        let Some(listed) = archived.columns(table) else { continue };
        let listed: HashSet<BString> = listed.into_iter().map(|column| column.name.into()).collect();
        let there: HashSet<BString> = row.texts("names")?.into_iter().flatten().collect();
        let (more, fewer) = (there.difference(&listed), listed.difference(&there).count());
        let more: Vec<&BString> = more.collect();
        if more.len() <= fewer {
            continue;
        }
        added.extend(more.into_iter().map(|name| {
            let shown = format!("COLUMN {}.{} {name}", table.schema, table.tag);
            let object = printable::name(shown.as_str().into());
            Dependent { object, along_with: None, rows: None, is_estimate: false }
        }));
    }
    added.sort_by(|a, b| a.object.cmp(&b.object));
    Ok(added)
}
