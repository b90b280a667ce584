//! Archives and options by chance, which no pg_dump would write: what a script makes of them is what pg_restore makes of
//! them.

use std::fs;
use std::io::Write;
use std::path::Path;

use bstr::BString;
use pgformat::{Compression, DumpId, Entry, Header, Section, Version, Writer, kinds};

use super::scripts::ours;
use crate::support::{REFERENCE, installation, lifeboat, output, pg_tool};

/// How many archives are made where `LIFEBOAT_TEST_RANDOM` does not say; each has the number of its own that it is made from.
const CASES: u64 = 120;

/// Numbers by chance, the same ones each time (splitmix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }

    fn text(&mut self, choices: &[&str]) -> Option<BString> {
        Some((*self.of(choices)).into())
    }

    fn text_or_none(&mut self, choices: &[&str]) -> Option<BString> {
        if self.one_in(4) { None } else { self.text(choices) }
    }
}

const NAMES: &[&str] = &["t", "t", "a b", "x\ny\r\nz", "Q\"q", "select", "o'k\\", "ü", "f(integer)"];
const ABOUT: &[&str] = &[
    "TABLE t",
    "LARGE OBJECT 5",
    "DATABASE d",
    "POLICY p ON t",
    "PUBLICATION p",
    "SUBSCRIPTION s",
    "EVENT TRIGGER e",
    "COLUMN t.\nx",
];

fn entry(chance: &mut Chance, id: i32, count: usize) -> Entry {
    // pg_restore 18 does not know the data of extended statistics.
    let known: Vec<_> = kinds::ALL.iter().filter(|kind| kind.desc != "EXTENDED STATISTICS DATA").collect();
    let kind = *chance.of(&known);
    let is_setting = ["ENCODING", "STDSTRINGS", "SEARCHPATH"].contains(&kind.desc);
    let desc = match kind.desc {
        // There is one of each at most, and warnings go elsewhere.
        _ if is_setting => "TABLE",
        "WARNING" | "BLOB METADATA" => "VIEW",
        desc => desc,
    };
    let is_about = ["ACL", "COMMENT", "SECURITY LABEL"].contains(&desc);
    // pg_restore takes the name of such an object out of its drop statement, whatever that is.
    let is_usual = kind.owner == kinds::Owner::ByDropStatement;
    let drop = match chance.below(7) {
        2..=4 if is_usual => None,
        0 => None,
        1 => Some("".into()),
        2 => Some("-- nothing to drop\n".into()),
        3 => Some("ALTER TABLE ONLY s.t DROP CONSTRAINT c;\n".into()),
        4 => Some("CREATE OR REPLACE VIEW v AS SELECT 1;\n".into()),
        5 => Some(format!("DROP {desc} s.t CASCADE;\n").into()),
        _ => Some(format!("DROP {desc} s.t;\n").into()),
    };
    let has_data = kind.has_data && ["TABLE DATA", "BLOBS"].contains(&desc);
    let definitions =
        ["CREATE x;\n", "CREATE y;\nALTER y; ALTER y;\n", "-- *not* creating it\n", "", "SELECT 'ü'", "a;b;c;d;e;\n"];
    let dependencies = (0..chance.below(4)).map(|_| DumpId(chance.below(count) as i32 + 1)).collect();
    let mut entry = Entry::new(DumpId(id), desc).has_data(has_data);
    entry.catalog_oid = (chance.below(3) as u32, 7);
    entry.tag = if is_about {
        chance.text(ABOUT)
    } else {
        chance.text(match desc {
            "DATABASE" => &["d", "D 'd", "a.b"],
            // Which pg_restore does not quote.
            "BLOB" => &["7", "4000000000"],
            _ => NAMES,
        })
    };
    entry.section = if chance.one_in(5) {
        *chance.of(&[Section::None, Section::PreData, Section::Data, Section::PostData])
    } else {
        kind.section
    };
    entry.definition = match (desc, chance.one_in(3)) {
        ("TABLE DATA", true) => Some("-- load via partition root s.p;\n".into()),
        ("TABLE DATA" | "BLOBS", _) => Some("".into()),
        _ => chance.text(&definitions),
    };
    entry.drop_statement = drop.filter(|_| !has_data);
    entry.copy_statement = if has_data { chance.text(&["", "COPY s.t (a) FROM stdin;\n"]) } else { None };
    entry.schema = chance.text_or_none(&["", "public", "s", "S s", "pg_catalog"]);
    entry.tablespace = chance.text_or_none(&["", "", "fast", "Fast\nx"]);
    entry.table_access_method = chance.text_or_none(&["heap", "heap", "Col umn"]);
    entry.relkind = if has_data { 0 } else { *chance.of(&[0, b'r', b'p', b'v']) };
    entry.owner = chance.text_or_none(&["", "alice", "Bob\n'b\\"]);
    entry.dependencies(dependencies)
}

fn archive(chance: &mut Chance, path: &Path) -> usize {
    let count = 1 + chance.below(25);
    let mut entries: Vec<Entry> = (1..=count).map(|id| entry(chance, id as i32, count)).collect();
    let setting =
        |id: usize, desc: &str, definition: &str| Entry::new(DumpId(id as i32), desc).tag(desc).definition(definition);
    if !chance.one_in(3) {
        entries.push(setting(count + 1, "SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"));
    }
    if !chance.one_in(3) {
        entries.push(setting(count + 2, "STDSTRINGS", "SET standard_conforming_strings = 'on';\n"));
    }
    if !chance.one_in(3) {
        entries.insert(0, setting(count + 3, "ENCODING", "SET client_encoding = 'UTF8';\n"));
    }
    let blocks: Vec<(DumpId, bool, bool)> = entries
        .iter()
        .filter(|entry| entry.has_data)
        .map(|entry| {
            let is = |desc: &str| entry.desc.as_ref().is_some_and(|d| d == desc);
            (entry.dump_id, is("BLOBS"), entry.copy_statement.as_ref().is_some_and(|copy| !copy.is_empty()))
        })
        .collect();
    let file = fs::File::create(path).unwrap();
    let version = *chance.of(&[Version::V1_11, Version::V1_14, Version::V1_16, Version::V1_16]);
    if version < Version::V1_14 {
        entries.iter_mut().for_each(|entry| entry.table_access_method = None);
    }
    if version < Version::V1_16 {
        entries.iter_mut().for_each(|entry| entry.relkind = 0);
    }
    let mut writer = Writer::seekable(file, Header::new(version, Compression::None), entries).unwrap();
    for (id, is_objects, is_copy) in blocks {
        if is_objects {
            let mut objects = writer.large_objects(id).unwrap();
            for oid in 0..chance.below(3) as u32 {
                let mut object = objects.object(100 + oid).unwrap();
                object.write_all(&vec![7; *chance.of(&[0, 1, 16_384, 50_000])]).unwrap();
                object.finish().unwrap();
            }
            objects.finish().unwrap();
        } else {
            let mut data = writer.data(id).unwrap();
            data.write_all(if is_copy { b"1\n\\\\.\n\\.\n\n\n" } else { b"INSERT INTO t VALUES (1);\n\n\n" }).unwrap();
            data.finish().unwrap();
        }
    }
    writer.finish().unwrap();
    count
}

/// Options, in pg_restore's words, that do not contradict each other.
fn options(chance: &mut Chance, count: usize, list: &Path) -> Vec<String> {
    let mut options: Vec<&str> = Vec::new();
    match chance.below(8) {
        0 => options.push("-a"),
        1 => options.push("-s"),
        2 => options.extend(["-c", "--statistics-only"]),
        3 => options.push("--no-schema"),
        4 => options.extend(["-c", "--no-data"]),
        _ => options.extend(*chance.of(&[&["-c"][..], &["-c", "--if-exists"], &[]])),
    }
    match chance.below(6) {
        0 => options.push("-1"),
        1 => options.extend(["--transaction-size", "2"]),
        2 => options.extend(["-C", "--transaction-size", "5"]),
        3 => options.push("-C"),
        _ => {}
    }
    for (n, more) in [
        (3, &["--use-set-session-authorization"][..]),
        (5, &["-x"]),
        (3, &["--disable-triggers"]),
        (3, &["-S", "the 'boss"]),
        (6, &["--no-comments"]),
        (6, &["--no-policies"]),
        (6, &["--no-publications"]),
        (6, &["--no-subscriptions"]),
        (6, &["--no-security-labels"]),
        (6, &["--no-tablespaces"]),
        (6, &["--no-table-access-method"]),
        (6, &["--section", "data", "--section", "post-data"]),
        (8, &["--section", "pre-data"]),
        (6, &["-n", "s"]),
        (8, &["-N", "public"]),
        (6, &["-t", "t"]),
        (8, &["-I", "t", "-P", "f(integer)"]),
        (8, &["-T", "a b"]),
        (8, &["--role", "R r"]),
    ] {
        if chance.one_in(n) {
            options.extend(more);
        }
    }
    if !options.contains(&"--use-set-session-authorization") && chance.one_in(3) {
        options.push("-O");
    }
    let mut options: Vec<String> = options.into_iter().map(str::to_owned).collect();
    if chance.one_in(4) {
        let lines: String = (0..count).map(|_| format!("{}; x\n", 1 + chance.below(count))).collect();
        fs::write(list, lines).unwrap();
        options.extend(["-L".to_owned(), list.to_str().unwrap().to_owned()]);
    }
    options
}

#[test]
fn archives_by_chance_become_pg_restore_s_scripts() {
    needed!(installation::needed(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let (path, list) = (dir.path().join("archive"), dir.path().join("list"));
    let mut compared = 0;
    let cases = std::env::var("LIFEBOAT_TEST_RANDOM").ok().and_then(|n| n.parse().ok()).unwrap_or(CASES);
    for case in 0..cases {
        let mut chance = Chance(case);
        let count = archive(&mut chance, &path);
        for _ in 0..3 {
            let options = options(&mut chance, count, &list);
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            let mut tool = pg_tool(REFERENCE, "pg_restore");
            let theirs = output(tool.args(["-f", "-", "--restrict-key=k"]).args(&options).arg(&path));
            let mut command = lifeboat();
            command.arg("restore").arg(&path).args(["--script", "-", "--restrict-key", "k"]).args(ours(&options));
            let mine = output(&mut command);
            assert!([0, 1].contains(&mine.code()), "case {case}: {mine}");
            // What has no owner in its words, pg_restore gives up on.
            if !theirs.success() {
                continue;
            }
            compared += 1;
            assert_eq!(mine.code(), 0, "case {case}: {mine}");
            if mine.stdout != theirs.stdout {
                let at = mine.stdout.iter().zip(&theirs.stdout).position(|(a, b)| a != b);
                let at = at.unwrap_or(mine.stdout.len().min(theirs.stdout.len())).saturating_sub(200);
                let around = |text: &[u8]| String::from_utf8_lossy(&text[at..text.len().min(at + 500)]).into_owned();
                panic!(
                    "case {case}, {options:?}\nours:\n{}\n\ntheirs:\n{}",
                    around(&mine.stdout),
                    around(&theirs.stdout)
                );
            }
        }
    }
    assert!(compared > cases, "pg_restore gave up on nearly all: {compared} of {}", cases * 3);
}
