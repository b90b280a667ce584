//! What users added to the tables and other objects of an extension, told from what the extension's script made there.
//!
//! What hangs on a member of an extension (an index, a constraint, a trigger, a column) is no member itself, whoever made it. The row
//! by which the server notes that it depends on the member is written when it is made, and by little else, so its transaction tells:
//!
//! - **A script's run** is a transaction in which the extension got members, or in which its own row was written, other than for another
//!   schema. What was made in it up to its last member is the script's. What comes after that is the script's, too, unless there is
//!   something in between that is not of the extension; where the transaction holds anything else at all, that is not certain, nor is
//!   what comes before the first member in an update's run: one that goes over several versions leaves no trace of where it began.
//! - **A block with an exception clause** in a script is a transaction below it, with a number that comes soon after. It is known by
//!   its place: of the members, those with greater OIDs came later by the number of their command as well, and the others before.
//! - **A column's row** is written again when the column is changed. So the oldest row that speaks of it counts (a default, an index).
//!   The column was there before that if a later column, what depends on one of these, or the table's own row, which has their number,
//!   is of a script's run before.
//!
//! None of that holds where the member was not made by a script in this database: then the row that makes it a member was written
//! by a later command than the others that came with it. If other members were made by a script, a user put it into the extension, and
//! it is lost itself. If none were, it was pg_upgrade, and nothing can be told. Nor can it of an index after REINDEX CONCURRENTLY.
//!
//! A transaction that tried to drop a row and was rolled back leaves the number of its own command there; only transactions count then.

use std::collections::{BTreeMap, HashMap, HashSet};

use bstr::{BStr, BString, ByteSlice};

use crate::postgres::catalogs::Catalog;
use crate::postgres::relkind::relkinds;
use crate::postgres::restore::dependents::{Address, Archived, Dependent, Doubt, Losses, Named, Present};
use crate::wire::{Connection, Param, Row};
use crate::{Result, printable};

/// Kinds that are members if an extension's script makes them, or that no script makes.
const NEVER_A_SCRIPT_S: [&str; 5] =
    ["SEQUENCE", "OPERATOR CLASS", "PUBLICATION TABLE", "PUBLICATION TABLES IN SCHEMA", "TABLE OF SUBSCRIPTION"];

/// Who made something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Maker {
    Script,
    User,
    Unknown,
}

/// What is known of a part of a member, or of a member.
struct Judged {
    extension: BString,
    address: Address,
    /// For what tells something about columns.
    column: Option<Witness>,
    maker: Maker,
}

/// What tells that columns were there.
struct Witness {
    number: i16,
    /// Its name, if it is the column itself.
    name: Option<BString>,
    /// How many transactions there were since.
    age: i32,
    /// Whether it is from the transaction that made the table.
    is_birth: bool,
}

/// Whether something hangs on a member of an extension, and could come with its script.
pub fn is_part(object: &Named, whole: Option<&Named>) -> bool {
    whole.is_some_and(|whole| whole.is_member) && !NEVER_A_SCRIPT_S.iter().any(|kind| object.kind == *kind)
}

/// Whether the archive makes a part of a member, which has no definition in the archive.
pub fn holds(archived: &Archived<'_>, part: &Named) -> bool {
    archived.entry(part).is_some() || (part.kind != "DEFAULT" && archived.holds(part, None))
}

/// Those of an extension's `members`, and of the `parts` of members, that the extension's script has not made.
pub fn lost(target: &mut Connection, present: &Present, members: &[&Named], parts: &[&Named]) -> Result<Losses> {
    let relations: Vec<u32> =
        members.iter().map(|member| member.address).filter(|a| a.0 == Catalog::CLASS.0).map(|a| a.1).collect();
    if relations.is_empty() && parts.is_empty() {
        return Ok(Losses::default());
    }
    let judged = ask(target, &relations, parts)?;
    let columns = columns(&judged, present);
    let mut found = Found::default();
    for column in &columns {
        found.put(column.extension, column.maker, column.shown.clone(), None);
    }
    let added: HashSet<(Address, &BStr)> = columns.iter().map(|column| (column.table, column.name.as_bstr())).collect();
    let of_parts: HashMap<Address, &Judged> =
        judged.iter().filter(|judged| judged.column.is_none()).map(|judged| (judged.address, judged)).collect();
    let by_hand = |address: Address| of_parts.get(&address).is_some_and(|judged| judged.maker == Maker::User);
    for member in members.iter().filter(|member| by_hand(member.address)) {
        let Some(judged) = of_parts.get(&member.address) else { continue };
        let how = format!("put into EXTENSION {}", judged.extension);
        found.put(&judged.extension, Maker::User, member.shown(), Some(how));
    }
    for part in parts {
        // What goes with something that is named is not.
        let column = (part.part_of.unwrap_or_default(), part.words.as_ref().map_or(BStr::new(""), |w| w.as_bstr()));
        if by_hand(column.0) || (part.kind == "DEFAULT" && added.contains(&column)) {
            continue;
        }
        match of_parts.get(&part.address) {
            Some(Judged { extension, maker, .. }) => {
                let whole = present.whole(part).map(|whole| format!("on {} of EXTENSION {extension}", whole.shown()));
                found.put(extension, *maker, part.shown(), whole);
            }
            None => found.put(BStr::new(""), Maker::User, part.shown(), None),
        }
    }
    Ok(found.losses())
}

/// What was found, certain or not.
#[derive(Default)]
struct Found {
    certain: Vec<Dependent>,
    doubtful: BTreeMap<BString, Vec<String>>,
}

impl Found {
    fn put(&mut self, extension: impl AsRef<BStr>, maker: Maker, shown: BString, along_with: Option<String>) {
        match maker {
            Maker::Script => {}
            Maker::User => {
                let along_with = along_with.map(|whole| printable::name(whole.as_str().into()));
                self.certain.push(Dependent { along_with, ..Dependent::named(shown.as_bstr()) });
            }
            Maker::Unknown => {
                let of_extension = self.doubtful.entry(extension.as_ref().to_owned()).or_default();
                of_extension.push(printable::name(shown.as_bstr()));
            }
        }
    }

    fn losses(self) -> Losses {
        let doubt = |(extension, mut objects): (BString, Vec<String>)| {
            objects.sort();
            Doubt {
                about: printable::name(format!("EXTENSION {extension}").as_str().into()),
                why: "it is dropped with what is on its tables, and what its script does not make again is lost; the catalog does not \
                      tell, as after pg_upgrade, who made these"
                    .to_owned(),
                objects,
            }
        };
        let Self { mut certain, doubtful } = self;
        certain.sort_by(|a, b| a.object.cmp(&b.object));
        Losses { certain, doubtful: doubtful.into_iter().map(doubt).collect() }
    }
}

/// A column, or all columns of a table, that the script is not known to have made.
struct OfUser<'a> {
    table: Address,
    /// Empty where it stands for all columns.
    name: &'a BStr,
    shown: BString,
    extension: &'a BStr,
    maker: Maker,
}

/// The columns that no script made, as far as that can be told.
fn columns<'a>(judged: &'a [Judged], present: &Present) -> Vec<OfUser<'a>> {
    let mut tables: BTreeMap<Address, Vec<(&Judged, &Witness)>> = BTreeMap::new();
    for judged in judged {
        if let Some(witness) = &judged.column {
            tables.entry(judged.address).or_default().push((judged, witness));
        }
    }
    let mut found = Vec::new();
    for (table, told) in tables {
        let Some(named) = present.get(table) else { continue };
        let own = told.iter().copied().filter(|(_, witness)| witness.name.is_some());
        // Where nothing can be told of the table, all columns are one doubt.
        if told.iter().all(|(by, _)| by.maker == Maker::Unknown) {
            found.extend(own.take(1).map(|(by, _)| OfUser {
                table,
                name: BStr::new(""),
                shown: format!("columns of {}", named.shown()).into(),
                extension: by.extension.as_bstr(),
                maker: Maker::Unknown,
            }));
            continue;
        }
        found.extend(own.filter_map(|(by, column)| {
            let name = column.name.as_ref()?.as_bstr();
            let shown = format!("COLUMN {}.{} {name}", named.schema, named.tag).into();
            let (extension, maker) = (by.extension.as_bstr(), maker(&told, column, by.maker));
            Some(OfUser { table, name, shown, extension, maker }).filter(|column| column.maker != Maker::Script)
        }));
    }
    found
}

/// Who added a column, of which its own row says this.
fn maker(told: &[(&Judged, &Witness)], column: &Witness, own: Maker) -> Maker {
    let of_it = told.iter().filter(|(_, witness)| witness.number == column.number);
    let oldest = of_it.max_by_key(|(_, witness)| witness.age).map_or((own, column.age), |(by, w)| (by.maker, w.age));
    if own == Maker::Script || oldest.0 == Maker::Script {
        return Maker::Script;
    }
    let is_proof = |(by, witness): &&(&Judged, &Witness)| {
        by.maker == Maker::Script && witness.number >= column.number && witness.age > oldest.1
    };
    let mut proofs = told.iter().filter(is_proof).map(|(_, witness)| witness.is_birth);
    match proofs.next() {
        // Before a later run, a user can have added it.
        Some(first) => {
            if first || proofs.any(|is_birth| is_birth) {
                Maker::Script
            } else {
                Maker::Unknown
            }
        }
        None => own,
    }
}

fn ask(target: &mut Connection, relations: &[u32], parts: &[&Named]) -> Result<Vec<Judged>> {
    let whole = |part: &&Named| part.part_of.unwrap_or_default();
    let list = |of: &dyn Fn(&&Named) -> u32| Param::oids(&parts.iter().map(of).collect::<Vec<u32>>());
    let params = [
        list(&|part| part.address.0),
        list(&|part| part.address.1),
        list(&|part| whole(part).0),
        list(&|part| whole(part).1),
        Param::oids(relations),
    ];
    let rows = target.query(MAKERS, &params)?;
    rows.iter().map(|row| read(&row)).collect()
}

fn read(row: &Row<'_>) -> Result<Judged> {
    let column = match row.opt_i16("number")? {
        Some(number) => Some(Witness {
            number,
            name: row.opt_string("name")?,
            age: row.i32("age")?,
            is_birth: row.bool("is_birth")?,
        }),
        None => None,
    };
    let maker = match row.text("maker")?.as_bytes() {
        b"script" => Maker::Script,
        b"user" => Maker::User,
        _ => Maker::Unknown,
    };
    let address = (row.oid("class")?, row.oid("oid")?);
    Ok(Judged { extension: row.string("extension")?, address, column, maker })
}

/// Who made each of the parts ($1 to $4: catalogs and OIDs, and those of what they are parts of) and what is on columns of the
/// relations ($5); and which of the relations a user has put into their extension.
const MAKERS: &str = concat!("\
WITH asked AS (
    SELECT * FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3), pg_catalog.unnest($4))
        AS a (class, oid, whole_class, whole)
), relation AS (
    SELECT r.oid FROM pg_catalog.unnest($5) AS r (oid)
), extension AS (
    SELECT e.oid, e.extname::pg_catalog.text AS name, e.xmin AS xid, e.cmin::pg_catalog.text::pg_catalog.int8 AS command,
        e.xmax::pg_catalog.text <> '0' AS is_touched,
        (SELECT d.xmin FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass
        AND d.objid = e.oid AND d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
            AND d.deptype = 'n') AS made
    FROM pg_catalog.pg_extension e WHERE e.oid IN (
        SELECT m.refobjid FROM pg_catalog.pg_depend m
        JOIN (SELECT whole_class, whole FROM asked UNION SELECT
        'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, oid FROM relation) AS w (class, oid)
            ON m.classid = w.class AND m.objid = w.oid
        WHERE m.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND m.deptype = 'e')
), member AS MATERIALIZED (
    SELECT d.refobjid AS extension, d.classid AS class, d.objid AS oid, d.xmin AS xid,
        d.cmin::pg_catalog.text::pg_catalog.int8 AS command, d.xmax::pg_catalog.text <> '0' AS is_touched,
        EXISTS (SELECT FROM pg_catalog.pg_depend o WHERE o.deptype <> 'e' AND o.xmin = d.xmin
            AND CASE WHEN d.xmax::pg_catalog.text = '0' AND o.xmax::pg_catalog.text = '0' THEN o.cmin = d.cmin ELSE d.xmin = e.made END
            AND (o.classid = d.classid AND o.objid = d.objid OR o.refclassid = d.classid AND o.refobjid = d.objid)) AS is_born
    FROM pg_catalog.pg_depend d JOIN extension e ON e.oid = d.refobjid WHERE d.refclassid =
    'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e'
), run AS MATERIALIZED (
    SELECT made.extension, made.xid, pg_catalog.min(made.command) FILTER (WHERE NOT made.is_touched) AS first,
        pg_catalog.max(made.command) FILTER (WHERE NOT made.is_touched) AS last,
        pg_catalog.max(made.oid) FILTER (WHERE made.is_born) AS last_oid
    FROM (
        SELECT extension, oid, xid, command, is_touched, is_born FROM member WHERE is_born OR class NOT IN
        ('pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_class'::pg_catalog.regclass)
        UNION ALL SELECT e.oid, e.oid, e.xid, e.command, e.is_touched, false FROM extension e
        WHERE e.xid IS DISTINCT FROM e.made OR EXISTS (SELECT FROM member m WHERE m.extension = e.oid AND m.xid = e.xid)) AS made
    GROUP BY made.extension, made.xid
), whole AS MATERIALIZED (
    SELECT m.*, NOT m.is_born AND m.class = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND NOT EXISTS (SELECT FROM run WHERE run.extension = m.extension AND run.xid = m.xid)
            AND EXISTS (SELECT FROM member b WHERE b.extension = m.extension AND b.is_born AND b.xid = e.made) AS is_by_hand
    FROM member m JOIN extension e ON e.oid = m.extension
    WHERE (m.class, m.oid) IN (SELECT whole_class, whole FROM asked UNION SELECT
    'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, oid FROM relation)
), other AS MATERIALIZED (
    SELECT d.xmin AS xid, d.cmin::pg_catalog.text::pg_catalog.int8 AS command,
        coalesce(m.refobjid, CASE WHEN d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass THEN d.objid END)
        AS extension
    FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_depend m ON m.classid = d.classid AND m.objid = d.objid
        AND m.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND m.deptype = 'e'
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.deptype = 'n' AND d.classid <>
    'pg_catalog.pg_statistic_ext'::pg_catalog.regclass AND d.xmax::pg_catalog.text = '0'
        AND d.xmin IN (SELECT xid FROM run)
), witness AS (
    SELECT a.class, a.oid, NULL::pg_catalog.int2 AS number, NULL::pg_catalog.text AS name, a.whole_class, a.whole, w.xid, w.command,
        w.is_touched, a.class = 'pg_catalog.pg_class'::pg_catalog.regclass AND EXISTS (SELECT FROM
        pg_catalog.pg_attribute c
            WHERE c.attrelid = a.oid AND pg_catalog.age(c.xmin) > pg_catalog.age(w.xid)) AS is_rebuilt
    FROM asked a CROSS JOIN LATERAL (
        SELECT d.xmin AS xid, d.cmin::pg_catalog.text::pg_catalog.int8 AS command, d.xmax::pg_catalog.text <> '0' AS is_touched
        FROM pg_catalog.pg_depend d WHERE d.classid = a.class AND d.objid = a.oid AND d.refclassid = a.whole_class
            AND d.refobjid = a.whole AND d.deptype IN ('a', 'i') LIMIT 1) AS w
  UNION ALL
    SELECT 'pg_catalog.pg_class'::pg_catalog.regclass, r.oid, of_column.number, of_column.name,
    'pg_catalog.pg_class'::pg_catalog.regclass, r.oid, of_column.xid,
        of_column.command::pg_catalog.text::pg_catalog.int8, of_column.xmax::pg_catalog.text <> '0', false
    FROM relation r JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind IN ", relkinds!(tables_of_any_server), "
    CROSS JOIN LATERAL (
        SELECT a.attnum, a.attname::pg_catalog.text, a.xmin, a.cmin, a.xmax FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attislocal
      UNION ALL SELECT d.refobjsubid::pg_catalog.int2, NULL, d.xmin, d.cmin, d.xmax FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = r.oid AND d.refobjsubid > 0
      UNION ALL SELECT c.relnatts, NULL, c.xmin, c.cmin, c.xmax) AS of_column (number, name, xid, command, xmax)
)
SELECT w.class, w.oid, w.number, w.name, pg_catalog.age(w.xid) AS age, w.xid = t.xid AS is_birth, e.name AS extension, CASE
    WHEN t.is_by_hand THEN 'script'
    WHEN NOT t.is_born OR w.is_rebuilt THEN 'unknown'
    WHEN run.xid IS NOT NULL THEN CASE
        WHEN w.is_touched OR run.last IS NULL THEN 'script'
        WHEN w.xid <> t.xid AND w.command < run.first AND EXISTS (SELECT FROM other o WHERE o.xid = w.xid AND o.extension IS NULL)
            THEN 'unknown'
        WHEN w.command <= run.last THEN 'script'
        WHEN EXISTS (SELECT FROM other o WHERE o.xid = w.xid AND o.extension IS DISTINCT FROM e.oid
            AND o.command > run.last AND o.command < w.command) THEN 'user'
        WHEN EXISTS (SELECT FROM other o WHERE o.xid = w.xid AND o.extension IS NULL) THEN 'unknown'
        ELSE 'script' END
    WHEN w.number IS NULL AND EXISTS (SELECT FROM run r WHERE r.extension = e.oid AND r.last_oid > w.oid
        AND pg_catalog.age(r.xid) - pg_catalog.age(w.xid) BETWEEN 0 AND 100000
        AND NOT EXISTS (SELECT FROM member m WHERE m.extension = e.oid AND m.xid = r.xid AND NOT m.is_touched AND NOT w.is_touched
            AND CASE WHEN m.oid > w.oid THEN m.command < w.command ELSE m.command > w.command END)) THEN 'script'
    ELSE 'user' END AS maker
FROM witness w JOIN whole t ON t.class = w.whole_class AND t.oid = w.whole JOIN extension e ON e.oid = t.extension
LEFT JOIN run ON run.extension = e.oid AND run.xid = w.xid
UNION ALL
SELECT t.class, t.oid, NULL, NULL, NULL, NULL, e.name, 'user' FROM whole t JOIN extension e ON e.oid = t.extension
WHERE t.is_by_hand AND t.oid IN (SELECT oid FROM relation)");
