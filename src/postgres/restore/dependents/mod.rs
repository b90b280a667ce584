//! What a restore's drops would take along that is not in the archive.
//!
//! A drop without `CASCADE` takes along what depends on the object automatically, internally or as a part of it, and the members of
//! an extension: partitions with their rows, owned sequences, indexes, triggers, policies, memberships in publications. The server
//! is asked for all of that by its own dependencies, from what the plan would drop, in a fixed number of queries; then it is held
//! against the archive by kind and name.
//!
//! Not named, because they are not objects but say something about one: privileges, default ones included, comments, security labels,
//! settings, and the properties of a column other than its default.

mod additions;
mod archived;
mod columns;
mod database;
mod definition;
mod loss;
mod names;
mod rows;

use std::collections::{HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};
use pgformat::Entry;

use crate::postgres::archive::kinds;
use crate::postgres::catalogs::{Catalog, FIRST_USER_OID};
use crate::postgres::restore::execute::statement::{NO_MORE_LOCKS, more_locks};
use crate::postgres::restore::execute::{Connect, Run};
use crate::postgres::restore::found::Found;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::{Action, Plan};
use crate::postgres::version::ServerVersion;
use crate::printable;
use crate::progress::Reporter;
use crate::wire::{Begin, Connection, Param, sqlstate};
use crate::words::Choice;
use crate::{Error, ErrorKind, Result};
use archived::Archived;
pub(super) use loss::Losses;
pub use loss::{Dependent, Doubt};
use names::Named;
use rows::Moment;

/// An object's catalog and its OID.
pub(super) type Address = (u32, u32);

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
) -> Result<Losses> {
    if plan.drops.is_empty() {
        return Ok(Losses::default());
    }
    match found {
        Found::Creation { is_there: false, .. } => Ok(Losses::default()),
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
        .hint(Choice::DropDependents + " drops it unseen")
}

/// Asks within a transaction that can only read, in the archive's encoding.
fn reading<T>(target: &mut Connection, plan: &Plan, ask: impl FnOnce(&mut Connection) -> Result<T>) -> Result<T> {
    let begin = Begin::read_only().set("client_encoding", &plan.settings.encoding).set("quote_all_identifiers", "off");
    target.begin(&begin).map_err(|error| plan.settings.not_spoken(error.into()))?;
    let asked = ask(target);
    if !target.is_broken() {
        target.rollback()?;
    }
    asked
}

/// Refuses to go on where something would be lost. What goes all the same, and what may, is given back.
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
) -> Result<Losses> {
    let losses = look(target, connect, plan, entries, found)?;
    match losses.certain.is_empty() || options.drop_dependents {
        true => Ok(losses),
        false => Err(loss::refusal(&losses.certain, found.database())),
    }
}

/// As [`refuse`], and says what goes or may go, right before it does.
///
/// # Errors
/// As [`refuse`].
pub(super) fn refuse_and_tell(
    target: &mut Connection,
    connect: &Connect<'_>,
    plan: &Plan,
    entries: &[Entry],
    options: &RestoreOptions,
    found: &Found,
    reporter: &dyn Reporter,
) -> Result<()> {
    match refuse(target, connect, plan, entries, options, found) {
        Err(error) if options.drop_dependents && error.kind() == ErrorKind::Refused => {
            let subject = format!("database \"{}\"", printable::name(found.database()));
            loss::warn(reporter, subject, "it is dropped unseen");
        }
        losses => loss::tell(&losses?, reporter),
    }
    Ok(())
}

/// Looks again when the plan's tables are locked, in the transaction that drops them: nothing can be added to them any more.
///
/// # Errors
/// [`ErrorKind::Refused`] if there is now what would be lost; the server's.
pub(super) fn hold(run: &mut Run<'_>) -> Result<()> {
    if !run.is_block || run.options.drop_dependents || run.plan.drops.is_empty() {
        return Ok(());
    }
    let present = Present::ask(run.target)?;
    let names = |addresses: &mut dyn Iterator<Item = Address>, are_members: bool| -> Vec<Vec<u8>> {
        let named = addresses.filter_map(|address| present.get(address)).filter(|table| table.is_member == are_members);
        named.filter_map(Named::for_lock).map(<[u8]>::to_vec).collect()
    };
    let roots = present.roots(run.plan, run.entries);
    lock(run, &names(&mut roots.into_iter().map(|(_, address)| address), false))?;
    // Those of extensions that are dropped, which can be others'.
    let going = Going::ask(run.target, &present, run.plan, run.entries)?;
    lock(run, &names(&mut going.addresses.iter().copied(), true))?;
    let lost = lost(run.target, run.plan, run.entries, Moment::Held)?.certain;
    if lost.is_empty() {
        return Ok(());
    }
    let rows = run.target.query("SELECT pg_catalog.current_database()::pg_catalog.text AS name", &[])?;
    let database: BString = rows.one()?.string("name")?;
    Err(loss::refusal(&lost, database.as_bstr()))
}

/// Locks tables that are going to be dropped.
fn lock(run: &mut Run<'_>, tables: &[Vec<u8>]) -> Result<()> {
    if tables.is_empty() {
        return Ok(());
    }
    let lock = [b"LOCK TABLE ", tables.join(b", ".as_slice()).as_slice(), b" IN ACCESS EXCLUSIVE MODE"].concat();
    match run.attempt(&lock)? {
        // Whoever may not lock a table may not drop it either, and that is told with its entry.
        Some(error) if error.server().is_none_or(|report| !report.is(sqlstate::INSUFFICIENT_PRIVILEGE)) => {
            let is_full = error.server().is_some_and(|report| report.is(NO_MORE_LOCKS));
            let hint = if is_full { "nothing was changed; " + more_locks() } else { "nothing was changed".into() };
            Err(Error::new(error.kind(), "lock the tables that are replaced").source(error).hint(hint))
        }
        _ => Ok(()),
    }
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
        let rows = target.run(&names::query(ServerVersion::new(target.server_version()), is_superuser))?;
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

/// What is dropped along with the objects of the classes `$1` and the OIDs `$2`, which cannot do without them.
const GOES: &str = "\
    goes (class, oid) AS ( \
      SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS root (class, oid) \
      UNION \
      SELECT d.classid, d.objid FROM pg_catalog.pg_depend d \
      JOIN goes ON d.refclassid = goes.class AND d.refobjid = goes.oid \
      WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x'))";

/// Those of `asked` that something depends on that would not be dropped with `roots`.
pub(super) fn held(target: &mut Connection, roots: &[Address], asked: &[Address]) -> Result<HashSet<Address>> {
    if asked.is_empty() {
        return Ok(HashSet::new());
    }
    let ([classes, oids], [asked_classes, asked_oids]) = (columns_of(roots), columns_of(asked));
    let rows = target.query(
        format!(
            "WITH RECURSIVE {GOES}, part (root_class, root, class, oid) AS ( \
             SELECT root.class, root.oid, root.class, root.oid FROM ROWS FROM (pg_catalog.unnest($3), pg_catalog.unnest($4)) AS root (class, oid) \
             UNION \
             SELECT part.root_class, part.root, d.classid, d.objid FROM pg_catalog.pg_depend d \
             JOIN part ON d.refclassid = part.class AND d.refobjid = part.oid \
             WHERE d.deptype IN ('a', 'i', 'P', 'S', 'e', 'x') \
         ) \
         SELECT DISTINCT part.root_class, part.root FROM part \
         JOIN pg_catalog.pg_depend d ON d.refclassid = part.class AND d.refobjid = part.oid \
         WHERE d.deptype = 'n' AND NOT EXISTS (SELECT FROM goes WHERE goes.class = d.classid AND goes.oid = d.objid)"
        ),
        &[classes, oids, asked_classes, asked_oids],
    )?;
    rows.iter().map(|row| Ok((row.oid("root_class")?, row.oid("root")?))).collect()
}

/// What the plan's drops take away.
struct Going {
    addresses: HashSet<Address>,
    /// What has no name that an archive could have, described.
    unknown: Vec<BString>,
}

impl Going {
    fn ask(target: &mut Connection, present: &Present, plan: &Plan, entries: &[Entry]) -> Result<Self> {
        let roots = present.roots(plan, entries);
        let all: Vec<Address> = roots.iter().map(|(_, address)| *address).collect();
        // These stay if something holds them.
        let may_stay = |entry: usize| ["EXTENSION", "SCHEMA"].iter().any(|desc| kinds::is(&entries[entry], desc));
        let asked: Vec<Address> = roots.iter().filter(|(entry, _)| may_stay(*entry)).map(|(_, a)| *a).collect();
        let stay = held(target, &all, &asked)?;
        let roots: Vec<Address> = all.into_iter().filter(|address| !stay.contains(address)).collect();
        let [classes, oids] = columns_of(&roots);
        let parts: Vec<u32> = Catalog::PARTS.iter().map(|catalog| catalog.0).collect();
        let rows = target.query(
            format!(
                "WITH RECURSIVE {GOES} \
             SELECT class, oid, CASE WHEN class <> ALL ($3) THEN pg_catalog.pg_describe_object(class, oid, 0) END AS described, \
                 EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = goes.class AND d.objid = goes.oid \
                     AND d.deptype = 'e') AS is_member \
             FROM goes"
            ),
            &[classes, oids, Param::oids(&parts)],
        )?;
        let mut going = Self { addresses: HashSet::new(), unknown: Vec::new() };
        for row in rows.iter() {
            let address = (row.oid("class")?, row.oid("oid")?);
            going.addresses.insert(address);
            if let Some(described) = row.opt_string("described")?
                && present.get(address).is_none()
                && !row.bool("is_member")?
            {
                going.unknown.push(described);
            }
        }
        Ok(going)
    }
}

/// What goes along with what the plan drops, and is not in the archive.
fn lost(target: &mut Connection, plan: &Plan, entries: &[Entry], moment: Moment) -> Result<Losses> {
    let present = Present::ask(target)?;
    let archived = Archived::of(entries);
    let Going { addresses: goes, unknown } = Going::ask(target, &present, plan, entries)?;
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
    let mut losses = sift(target, &present, &archived, &going, is_gone_along, is_left_out, moment)?;
    losses.certain.extend(unknown.iter().map(|described| Dependent::named(described.as_bstr())));
    Ok(losses)
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
) -> Result<Losses> {
    let (mut missing, mut members, mut parts): (Vec<&Named>, Vec<&Named>, Vec<&Named>) = Default::default();
    let (mut kept, mut emptied) = (Vec::new(), Vec::new());
    for object in going.iter().copied().filter(|object| object.address.1 >= FIRST_USER_OID) {
        let whole = present.whole(object);
        if object.is_member {
            members.push(object);
        } else if (object.is_table() || object.is_exception()) && is_left_out(object) {
            missing.push(object);
        } else if additions::is_part(object, whole) && !object.is_table() {
            if !additions::holds(archived, object) {
                parts.push(object);
            }
        } else if archived.holds(object, whole) {
            if ["TABLE", "FOREIGN TABLE", "TYPE"].iter().any(|kind| object.kind == *kind) {
                kept.push(object);
            }
            if object.kind == "TABLE" && !archived.has_rows_of(object) {
                emptied.push(object);
            }
        } else if object.is_table() || !whole.is_some_and(&is_lost) || whole.is_some_and(|whole| whole.is_member) {
            missing.push(object);
        }
    }
    let mut counts = rows::count(target, &missing, moment)?;
    let missing = missing.iter().map(|object| {
        let counted = counts.remove(&object.address.1).filter(|_| object.is_table());
        Dependent {
            along_with: along_with(object, present.whole(object)),
            rows: counted.map(|(rows, _)| rows),
            is_estimate: counted.is_some_and(|(_, is_exact)| !is_exact),
            ..Dependent::named(object.shown().as_bstr())
        }
    });
    let mut losses = Losses { certain: missing.collect(), doubtful: Vec::new() };
    losses.extend(columns::lost(target, archived, &kept, moment)?);
    let mut counts = rows::count(target, &emptied, moment)?;
    losses.certain.extend(emptied.iter().filter_map(|table| {
        let (rows, is_exact) = counts.remove(&table.address.1).filter(|(rows, _)| *rows > 0)?;
        let object = Dependent::named(format!("rows of {}", table.shown()).as_str().into());
        Some(Dependent { rows: Some(rows), is_estimate: !is_exact, ..object })
    }));
    losses.extend(additions::lost(target, present, &members, &parts)?);
    members.retain(|member| member.is_table() && !archived.has_rows_of(member));
    losses.certain.extend(rows::of_extensions(target, &members, moment)?);
    Ok(losses)
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
