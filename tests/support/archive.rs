//! A reader of custom-format archives for tests, and the comparison of two archives, entry by entry.
//!
//! It is written against the format, not with pgformat: what pgformat gets wrong in both directions must show here.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::needs;
use super::process::{Output, output};

/// What an archive holds.
#[derive(Debug, Clone)]
pub struct Archive {
    pub version: (u8, u8, u8),
    /// 0 none, 1 gzip, 2 lz4, 3 zstd.
    pub compression: u8,
    pub dbname: Option<Vec<u8>>,
    pub server: Option<Vec<u8>>,
    pub dumper: Option<Vec<u8>>,
    pub entries: Vec<Entry>,
    /// Where the table of contents ends and the data begins.
    pub data_begin: usize,
    /// The data of entries, by dump id, decompressed.
    pub data: HashMap<i64, Data>,
}

/// One entry of the table of contents.
#[derive(Debug, Clone)]
pub struct Entry {
    pub dump_id: i64,
    pub had_dumper: bool,
    pub catalog_oid: Option<Vec<u8>>,
    pub object_oid: Option<Vec<u8>>,
    pub tag: Option<Vec<u8>>,
    pub desc: Option<Vec<u8>>,
    pub section: i64,
    pub definition: Option<Vec<u8>>,
    pub drop: Option<Vec<u8>>,
    pub copy: Option<Vec<u8>>,
    pub schema: Option<Vec<u8>>,
    pub tablespace: Option<Vec<u8>>,
    pub access_method: Option<Vec<u8>>,
    pub relkind: Option<i64>,
    pub owner: Option<Vec<u8>>,
    pub with_oids: Option<Vec<u8>>,
    pub deps: Vec<i64>,
}

/// The data of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    Table(Vec<u8>),
    /// Large objects in the archive's order: OID and content.
    LargeObjects(Vec<(u32, Vec<u8>)>),
}

/// Reads the whole archive at `path`, which the tests made and which therefore fits into memory.
pub fn read(path: &Path) -> Result<Archive, String> {
    let bytes = fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    let mut cursor = Cursor { bytes: &bytes, at: 0, int_size: 4, offset_size: 8 };
    parse(&mut cursor).map_err(|e| format!("{}: at byte {}: {e}", path.display(), cursor.at))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    int_size: usize,
    offset_size: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(n).filter(|end| *end <= self.bytes.len()).ok_or("the file ends here")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn int(&mut self) -> Result<i64, String> {
        let negative = self.byte()? != 0;
        let value = self.take(self.int_size)?.iter().rev().fold(0_i64, |v, b| (v << 8) | i64::from(*b));
        Ok(if negative { -value } else { value })
    }

    fn string(&mut self) -> Result<Option<Vec<u8>>, String> {
        let length = self.int()?;
        match usize::try_from(length) {
            Ok(length) => Ok(Some(self.take(length)?.to_vec())),
            Err(_) => Ok(None),
        }
    }

    /// Chunks up to the one of length 0, as one stream, decompressed.
    fn stream(&mut self, compression: u8) -> Result<Vec<u8>, String> {
        let mut raw = Vec::new();
        loop {
            let length = usize::try_from(self.int()?).map_err(|_| "a chunk of negative length")?;
            if length == 0 {
                break;
            }
            raw.extend_from_slice(self.take(length)?);
        }
        match compression {
            0 => Ok(raw),
            1 => {
                let mut plain = Vec::new();
                let mut decoder = flate2::read::ZlibDecoder::new(raw.as_slice());
                decoder.read_to_end(&mut plain).map_err(|e| format!("a damaged zlib stream: {e}"))?;
                if decoder.total_in() != raw.len() as u64 {
                    return Err(format!(
                        "{} bytes after the end of a zlib stream",
                        raw.len() as u64 - decoder.total_in()
                    ));
                }
                Ok(plain)
            }
            other => Err(format!("the tests do not decompress method {other}")),
        }
    }
}

fn parse(c: &mut Cursor<'_>) -> Result<Archive, String> {
    if c.take(5)? != b"PGDMP" {
        return Err("not an archive".to_owned());
    }
    let version = (c.byte()?, c.byte()?, c.byte()?);
    c.int_size = usize::from(c.byte()?);
    c.offset_size = usize::from(c.byte()?);
    if c.byte()? != 1 {
        return Err("not the custom format".to_owned());
    }
    let compression = if version >= (1, 15, 0) { c.byte()? } else { u8::from(c.int()? != 0) };
    for _ in 0..7 {
        c.int()?;
    }
    let (dbname, server, dumper) = (c.string()?, c.string()?, c.string()?);
    let mut entries = Vec::new();
    for _ in 0..c.int()? {
        entries.push(entry(c, version)?);
    }
    let data_begin = c.at;
    let mut data = HashMap::new();
    while c.at < c.bytes.len() {
        let (kind, id) = (c.byte()?, c.int()?);
        let content = match kind {
            1 => Data::Table(c.stream(compression)?),
            3 => {
                let mut objects = Vec::new();
                loop {
                    let oid = c.int()? as u32;
                    if oid == 0 {
                        break;
                    }
                    objects.push((oid, c.stream(compression)?));
                }
                Data::LargeObjects(objects)
            }
            other => return Err(format!("a data block of kind {other}")),
        };
        if data.insert(id, content).is_some() {
            return Err(format!("two data blocks of entry {id}"));
        }
    }
    Ok(Archive { version, compression, dbname, server, dumper, entries, data_begin, data })
}

fn entry(c: &mut Cursor<'_>, version: (u8, u8, u8)) -> Result<Entry, String> {
    let mut entry = Entry {
        dump_id: c.int()?,
        had_dumper: c.int()? != 0,
        catalog_oid: c.string()?,
        object_oid: c.string()?,
        tag: c.string()?,
        desc: c.string()?,
        section: c.int()?,
        definition: c.string()?,
        drop: c.string()?,
        copy: c.string()?,
        schema: c.string()?,
        tablespace: c.string()?,
        access_method: None,
        relkind: None,
        owner: None,
        with_oids: None,
        deps: Vec::new(),
    };
    if version >= (1, 14, 0) {
        entry.access_method = c.string()?;
    }
    if version >= (1, 16, 0) {
        entry.relkind = Some(c.int()?);
    }
    entry.owner = c.string()?;
    entry.with_oids = c.string()?;
    while let Some(dep) = c.string()? {
        let dep = String::from_utf8_lossy(&dep).into_owned();
        entry.deps.push(dep.parse().map_err(|_| format!("a dependency called {dep}"))?);
    }
    c.byte()?;
    c.take(c.offset_size)?;
    Ok(entry)
}

/// What an entry is, where its number means nothing: kind, schema, tag, and a count among its equals.
type Identity = (String, String, String, usize);

fn text(bytes: Option<&Vec<u8>>) -> String {
    bytes.map_or_else(String::new, |b| String::from_utf8_lossy(b).into_owned())
}

fn identities(archive: &Archive) -> Vec<Identity> {
    let mut seen: HashMap<(String, String, String), usize> = HashMap::new();
    let count = |e: &Entry| {
        let key = (text(e.desc.as_ref()), text(e.schema.as_ref()), text(e.tag.as_ref()));
        let n = seen.entry(key.clone()).or_insert(0);
        *n += 1;
        (key.0, key.1, key.2, *n)
    };
    archive.entries.iter().map(count).collect()
}

fn name(id: &Identity) -> String {
    let dot = if id.1.is_empty() { "" } else { "." };
    let number = if id.3 > 1 { format!(" #{}", id.3) } else { String::new() };
    format!("{} {}{dot}{}{number}", id.0, id.1, id.2)
}

/// How the rows of tables are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// As they stand: two dumps of one database.
    InOrder,
    /// As a bag: COPY may put rows on other pages than they came from, so a restored table may give them in another order.
    AnyOrder,
}

/// Every difference between two archives, each a line or a few: entries that are missing or too many, what differs
/// within an entry, its dependencies by what they point at, its data, and the order. Empty if there is none.
///
/// Numbers (dump ids, OIDs) may differ, and so may the header and the format's version; a field that one of the versions
/// does not have is not compared. An absent field and an empty one differ. Archives of two databases of different names are compared without the entries that are
/// about the database itself, which hold its name.
pub fn differences(reference: &Archive, candidate: &Archive, rows: Rows) -> Vec<String> {
    if reference.dbname == candidate.dbname {
        entry_differences(reference, candidate, rows)
    } else {
        entry_differences(&without_database(reference), &without_database(candidate), rows)
    }
}

fn without_database(archive: &Archive) -> Archive {
    let about_database =
        |e: &Entry| text(e.desc.as_ref()).starts_with("DATABASE") || text(e.tag.as_ref()).starts_with("DATABASE ");
    let mut archive = archive.clone();
    archive.entries.retain(|e| !about_database(e));
    archive
}

fn entry_differences(reference: &Archive, candidate: &Archive, rows: Rows) -> Vec<String> {
    let (ids_a, ids_b) = (identities(reference), identities(candidate));
    let index = |ids: &[Identity]| -> BTreeMap<Identity, usize> {
        ids.iter().cloned().enumerate().map(|(i, id)| (id, i)).collect()
    };
    let (in_a, in_b) = (index(&ids_a), index(&ids_b));
    let mut found = Vec::new();
    for id in &ids_a {
        if !in_b.contains_key(id) {
            found.push(format!("missing: {}", name(id)));
        }
    }
    for id in &ids_b {
        if !in_a.contains_key(id) {
            found.push(format!("extra: {}", name(id)));
        }
    }
    let points_at = |archive: &Archive, ids: &[Identity], entry: &Entry| -> BTreeSet<String> {
        let at = |dep: &i64| archive.entries.iter().position(|e| e.dump_id == *dep).map(|i| name(&ids[i]));
        entry.deps.iter().filter_map(at).collect()
    };
    for (id, i) in &in_a {
        let Some(j) = in_b.get(id) else { continue };
        let (a, b) = (&reference.entries[*i], &candidate.entries[*j]);
        let method = |archive: &Archive, e: &Entry| (archive.version >= (1, 14, 0)).then(|| e.access_method.clone());
        let methods = method(reference, a).zip(method(candidate, b)).unwrap_or_default();
        for (field, x, y) in [
            ("tag", &a.tag, &b.tag),
            ("kind", &a.desc, &b.desc),
            ("catalog", &a.catalog_oid, &b.catalog_oid),
            ("definition", &a.definition, &b.definition),
            ("drop statement", &a.drop, &b.drop),
            ("copy statement", &a.copy, &b.copy),
            ("schema", &a.schema, &b.schema),
            ("tablespace", &a.tablespace, &b.tablespace),
            ("access method", &methods.0, &methods.1),
            ("owner", &a.owner, &b.owner),
            ("flag of OIDs", &a.with_oids, &b.with_oids),
        ] {
            // pg_dump sorts the members of a family by their numbers alone, which many of them share.
            let family = field == "definition" && text(a.desc.as_ref()) == "OPERATOR FAMILY";
            if x != y && !(family && members(x) == members(y)) {
                found.push(format!("{field} of {}:{}", name(id), text_difference(x.as_ref(), y.as_ref())));
            }
        }
        let is_row = |e: &Entry| e.object_oid.as_deref().map(|oid| oid != b"0");
        if is_row(a) != is_row(b) {
            let (x, y) = (&a.object_oid, &b.object_oid);
            found.push(format!("OID of {}:{}", name(id), text_difference(x.as_ref(), y.as_ref())));
        }
        if let (Some(x), Some(y)) = (a.relkind, b.relkind)
            && x != y
        {
            found.push(format!("relkind of {}: {x}, not {y}", name(id)));
        }
        if a.section != b.section {
            found.push(format!("section of {}: {}, not {}", name(id), a.section, b.section));
        }
        if a.had_dumper != b.had_dumper {
            found.push(format!("has data, {}: {}, not {}", name(id), a.had_dumper, b.had_dumper));
        }
        let (x, y) = (points_at(reference, &ids_a, a), points_at(candidate, &ids_b, b));
        if x != y {
            let (lacks, adds): (Vec<_>, Vec<_>) = (x.difference(&y).collect(), y.difference(&x).collect());
            found.push(format!("dependencies of {}: lacks {lacks:?}, adds {adds:?}", name(id)));
        }
        if let Some(what) = data_difference(reference.data.get(&a.dump_id), candidate.data.get(&b.dump_id), rows) {
            found.push(format!("data of {}: {what}", name(id)));
        }
    }
    found.extend(order_difference(
        &ids_a.iter().filter(|id| in_b.contains_key(id)).collect::<Vec<_>>(),
        &ids_b.iter().filter(|id| in_a.contains_key(id)).collect::<Vec<_>>(),
    ));
    found
}

/// The lines of an operator family's definition in one order.
fn members(definition: &Option<Vec<u8>>) -> Vec<String> {
    let all = text(definition.as_ref());
    let mut lines: Vec<String> = all.lines().map(|l| l.trim_end_matches([' ', ',', ';']).to_owned()).collect();
    lines.sort_unstable();
    lines
}

fn data_difference(a: Option<&Data>, b: Option<&Data>, rows: Rows) -> Option<String> {
    match (a, b) {
        (None, None) => None,
        (Some(_), None) => Some("there is none".to_owned()),
        (None, Some(_)) => Some("there should be none".to_owned()),
        (Some(x), Some(y)) if x == y => None,
        (Some(Data::Table(x)), Some(Data::Table(y))) => {
            let arrange = |table: &[u8]| {
                let mut lines: Vec<Vec<u8>> = table.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
                if rows == Rows::AnyOrder {
                    lines.sort_unstable();
                }
                lines.join(&b'\n')
            };
            let (p, q) = (arrange(x), arrange(y));
            let shown = || line_difference(&String::from_utf8_lossy(&p), &String::from_utf8_lossy(&q));
            (p != q).then(|| format!("{} bytes, not {}\n{}", x.len(), y.len(), shown()))
        }
        (Some(Data::LargeObjects(x)), Some(Data::LargeObjects(y))) => {
            let list = |objects: &[(u32, Vec<u8>)]| {
                objects
                    .iter()
                    .map(|(oid, content)| format!("{oid}: {} bytes", content.len()))
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            Some(format!("large objects\n{}", line_difference(&list(x), &list(y))))
        }
        (Some(_), Some(_)) => Some("a table's instead of large objects', or the other way round".to_owned()),
    }
}

/// How two texts differ of which each may be absent, which is not the same as being empty.
fn text_difference(a: Option<&Vec<u8>>, b: Option<&Vec<u8>>) -> String {
    match (a, b) {
        (Some(x), Some(y)) => format!("\n{}", line_difference(&text(Some(x)), &text(Some(y)))),
        _ => {
            let shown = |t: Option<&Vec<u8>>| t.map_or("none".to_owned(), |t| format!("{:?}", text(Some(t))));
            format!(" {}, not {}", shown(a), shown(b))
        }
    }
}

/// The lines of two texts that are not the same, after what they have in common at both ends.
pub fn line_difference(a: &str, b: &str) -> String {
    const SHOWN: usize = 12;
    let (x, y): (Vec<&str>, Vec<&str>) = (a.split('\n').collect(), b.split('\n').collect());
    let head = x.iter().zip(&y).take_while(|(p, q)| p == q).count();
    let tail = x[head..].iter().rev().zip(y[head..].iter().rev()).take_while(|(p, q)| p == q).count();
    let mut text = String::new();
    for (sign, lines) in [('-', &x[head..x.len() - tail]), ('+', &y[head..y.len() - tail])] {
        for line in lines.iter().take(SHOWN) {
            let shown: String = line.chars().take(400).collect();
            let _ = writeln!(text, "    {sign} {shown}");
        }
        if lines.len() > SHOWN {
            let _ = writeln!(text, "    {sign} (and {} more lines)", lines.len() - SHOWN);
        }
    }
    text
}

/// The entries that stand elsewhere in `b` than in `a`: those outside a longest common subsequence.
fn order_difference(a: &[&Identity], b: &[&Identity]) -> Vec<String> {
    let place: HashMap<&Identity, usize> = b.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let places: Vec<usize> = a.iter().filter_map(|id| place.get(id).copied()).collect();
    // Patience: ends[l] is the index in `places` at which the best increasing run of length l + 1 ends.
    let (mut ends, mut before): (Vec<usize>, Vec<Option<usize>>) = (Vec::new(), Vec::new());
    for (i, p) in places.iter().enumerate() {
        let length = ends.partition_point(|e| places[*e] < *p);
        before.push(length.checked_sub(1).map(|l| ends[l]));
        if length == ends.len() {
            ends.push(i);
        } else {
            ends[length] = i;
        }
    }
    let mut in_order = vec![false; places.len()];
    let mut at = ends.last().copied();
    while let Some(i) = at {
        in_order[i] = true;
        at = before[i];
    }
    let moved = |i: usize| {
        let follows = |list: &[&Identity], at: usize| at.checked_sub(1).map_or("nothing".to_owned(), |p| name(list[p]));
        format!("order: {} comes after {}, not after {}", name(a[i]), follows(a, i), follows(b, places[i]))
    };
    (0..places.len()).filter(|i| !in_order[*i]).map(moved).collect()
}

/// Fails the test if the archives differ, with every difference. `what` says what was compared.
pub fn assert_same(what: &str, reference: &Path, candidate: &Path, rows: Rows) {
    let found = differences(&read(reference).unwrap(), &read(candidate).unwrap(), rows);
    assert!(found.is_empty(), "{what}: {} differences (- reference, + candidate):\n{}", found.len(), found.join("\n"));
}

/// As [`assert_same`], by the comparison that is independent of this project, if it is there: `LIFEBOAT_TEST_ARCHIVE_DIFF`, or
/// `tools/archive_diff.py` in a directory `shared` beside the checkout.
pub fn assert_same_independently(what: &str, reference: &Path, candidate: &Path, rows: Rows) {
    let tool = match std::env::var_os("LIFEBOAT_TEST_ARCHIVE_DIFF") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/tools/archive_diff.py"),
    };
    needed!(needs::need(
        "shared",
        tool.is_file().then_some(()).ok_or("there is no comparison of archives by another hand")
    ));
    let any_order = (rows == Rows::AnyOrder).then_some("--any-row-order");
    let out = output(Command::new("python3").arg(tool).arg(reference).arg(candidate).args(any_order));
    assert!(out.success(), "{what}: the comparison by another hand sees a difference: {out}");
}
