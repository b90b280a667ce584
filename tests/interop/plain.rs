//! Backups in plain format, written while the database is read: the bytes of pg_dump of the same major.

use std::path::{Path, PathBuf};

use bstr::BString;
use lifeboat::postgres::ServerVersion;
use lifeboat::postgres::dump::{DumpOptions, InsertForm, RowForm};
use lifeboat::postgres::restore::RestoreOptions;
use lifeboat::postgres::script::{RestrictKey, ScriptSummary, Style, compressed, of_database};
use lifeboat::{Context, Database as Found, Environment, Silent, recognise};
use pgformat::{Compression, Version};

use crate::support::archive::{Rows, assert_same};
use crate::support::needs;
use crate::support::roundtrip::Case;
use crate::support::{Database, REFERENCE, Scene, Server, output, pg_tool, run};

/// What pg_dump is told, in its words. Every one of a database is compared under some of them, and the sample under all.
const OPTIONS: &[&[&str]] = &[
    &["-s"],
    &["-a"],
    &["-c"],
    &["-c", "--if-exists"],
    &["-C"],
    &["-c", "--if-exists", "-C"],
    &["-O"],
    &["-O", "-x"],
    &["-a", "--disable-triggers"],
    &["-a", "--disable-triggers", "-S", "Big Boss", "--use-set-session-authorization"],
    &["--use-set-session-authorization", "-c"],
    &["--no-comments", "--no-tablespaces"],
    &["--section=pre-data"],
    &["--section=data"],
    &["--section=post-data"],
    &["--load-via-partition-root"],
    &["-n", "public"],
    &["-t", "t*", "-b"],
    &["-T", "t*", "-B"],
    &["--exclude-table-data", "*a*"],
    &["--enable-row-security"],
    &["--quote-all-identifiers", "-c", "-C"],
    &["--disable-dollar-quoting"],
    &["--inserts"],
    &["--column-inserts", "--rows-per-insert=3"],
    &["--inserts", "--on-conflict-do-nothing", "--quote-all-identifiers"],
    &["--rows-per-insert=2", "--load-via-partition-root", "-a"],
];

/// What lifeboat's library is told by them.
struct Told {
    dump: DumpOptions,
    restore: RestoreOptions,
    style: Style,
}

impl Told {
    fn of(major: u32, options: &[&str]) -> Self {
        let version = if major >= 17 { Version::V1_16 } else { Version::V1_14 };
        let mut dump = DumpOptions::default().archive_version(Some(version));
        let mut restore = RestoreOptions::default().clean(false).if_exists(false).owner(true);
        let mut inserts: Option<InsertForm> = None;
        let mut words = options.iter().flat_map(|word| word.split('='));
        while let Some(word) = words.next() {
            let mut value = || words.next().map(BString::from).unwrap();
            match word {
                "-s" => dump.data = false,
                "-a" => dump.definitions = false,
                "-c" => restore.clean = true,
                "--if-exists" => restore.if_exists = true,
                "-C" => restore.create = true,
                "-O" => restore.owner = false,
                "-x" => dump.privileges = false,
                "-b" => dump.large_objects = Some(true),
                "-B" => dump.large_objects = Some(false),
                "-S" => restore.superuser = Some(value()),
                "-n" => dump.selection.schemas.push(value()),
                "-t" => dump.selection.tables.push(value()),
                "-T" => dump.selection.exclude_tables.push(value()),
                "--exclude-table-data" => dump.selection.exclude_table_data.push(value()),
                "--disable-triggers" => restore.disable_triggers = true,
                "--use-set-session-authorization" => restore.session_authorization = true,
                "--no-comments" => dump.comments = false,
                "--no-tablespaces" => restore.tablespaces = false,
                "--load-via-partition-root" => dump.load_via_partition_root = true,
                "--enable-row-security" => dump.row_security = true,
                "--quote-all-identifiers" => dump.quote_all_identifiers = true,
                "--disable-dollar-quoting" => dump.dollar_quoting = false,
                "--inserts" => inserts.get_or_insert_default().rows_per_insert = 1,
                "--column-inserts" => inserts.get_or_insert_default().columns = true,
                "--rows-per-insert" => {
                    inserts.get_or_insert_default().rows_per_insert = value().to_string().parse().unwrap();
                }
                "--on-conflict-do-nothing" => inserts.get_or_insert_default().on_conflict_do_nothing = true,
                "--statistics" => dump.statistics = true,
                "--section" => {
                    let name = value();
                    let sections = &mut dump.sections;
                    sections.pre_data = name == "pre-data";
                    sections.data = name == "data";
                    sections.post_data = name == "post-data";
                }
                other => panic!("{other} is not known here"),
            }
        }
        dump.dialect = ServerVersion::of_major(i32::try_from(major).unwrap());
        dump.rows = inserts.map_or(RowForm::Copy, RowForm::Inserts);
        let style = Style::default().version(ServerVersion::of_major(i32::try_from(major).unwrap()));
        Self { dump, restore, style }
    }

    fn write(&self, url: &str) -> lifeboat::Result<(Vec<u8>, ScriptSummary)> {
        let Found::Postgres(target) = recognise(url.as_bytes(), &Environment::of_process())? else {
            panic!("{url} is no database of PostgreSQL's");
        };
        let key: RestrictKey = "k3y".parse()?;
        let mut script = Vec::new();
        let style = (&self.style, &key);
        let summary = of_database(&|| target.connect(), &self.dump, &self.restore, style, &mut script, &Silent)?;
        assert_eq!(summary.bytes, script.len() as u64);
        Ok((script, summary))
    }
}

/// Fails the test unless lifeboat's script is pg_dump's.
fn same(database: &Database<'_>, what: &str, options: &[&str]) {
    let major = database.server().major();
    let theirs = output(database.tool(major, "pg_dump").args(["--restrict-key=k3y"]).args(options));
    let mut told = Told::of(major, options);
    let version = run(pg_tool(major, "pg_dump").arg("--version")).stdout();
    told.dump.dumped_by = version.trim().trim_start_matches("pg_dump (PostgreSQL) ").into();
    let ours = told.write(&database.url());
    if !theirs.success() {
        assert!(ours.is_err(), "{what}, {options:?}: only pg_dump fails: {theirs}");
        return;
    }
    let (ours, _) = ours.unwrap_or_else(|error| panic!("{what}, {options:?}: {error}"));
    same_text(&format!("{what}, {options:?}"), &ours, &theirs.stdout);
}

fn same_text(what: &str, ours: &[u8], theirs: &[u8]) {
    let at = ours.iter().zip(theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
    if at == ours.len() && at == theirs.len() {
        return;
    }
    let around = |text: &[u8]| {
        let from = at.saturating_sub(300).min(text.len());
        String::from_utf8_lossy(&text[from..(at + 300).min(text.len())]).into_owned()
    };
    panic!("{what}: byte {at}\nours:\n{}\n\ntheirs:\n{}", around(ours), around(theirs));
}

/// Cases whose order is not the same in any two dumps of pg_dump's.
const UNSTABLE: &[&str] = &["operator_family/clauses"];

fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    let mut kinds: Vec<PathBuf> = folder.read_dir().unwrap().map(|kind| kind.unwrap().path()).collect();
    kinds.retain(|path| path.is_dir());
    kinds.sort();
    let of_kind = |kind: &PathBuf| {
        let name = kind.file_name().unwrap().to_string_lossy().into_owned();
        let cases = Case::all(kind).unwrap();
        cases.into_iter().map(move |case| (format!("{name}/{}", case.name), case)).collect::<Vec<_>>()
    };
    kinds.iter().flat_map(of_kind).filter(|(name, _)| !UNSTABLE.contains(&name.as_str())).collect()
}

/// Every case of every kind of object: without options, and with some each, so that all have their turn.
fn of_every_kind(major: u32) {
    for (number, (name, case)) in cases().into_iter().enumerate().filter(|(_, (_, case))| case.is_for(major)) {
        let Ok(server) = case.server(major) else { continue };
        let database = case.database(server).unwrap_or_else(|why| panic!("{name}: {why}"));
        same(&database, &name, &[]);
        same(&database, &name, OPTIONS[number % OPTIONS.len()]);
        same(&database, &name, OPTIONS[(number * 7 + 3) % OPTIONS.len()]);
    }
}

tests! { of_every_kind: every_kind_is_pg_dump_s_on_18(18) }

/// What the pg_dump of an older major writes in other words, and a case of each that has nothing else of that sort.
const OLDER: &[&str] = &[
    "extension/depends_on_several",
    "foreign_data/of_extension",
    "foreign_data/wrappers",
    "foreign_table/clauses",
    "function/clauses",
    "function/of_extension",
    "index/every_clause",
    "materialized_view/of_extension",
    "sequence/clauses",
    "subscription/clauses",
    "table/columns_and_data",
];

fn older_words_are_pg_dump_s(major: u32) {
    let is_one = |(name, case): &(String, Case)| OLDER.contains(&name.as_str()) && case.is_for(major);
    for (name, case) in cases().into_iter().filter(is_one) {
        let Ok(server) = case.server(major) else { continue };
        let database = case.database(server).unwrap_or_else(|why| panic!("{name}: {why}"));
        same(&database, &name, &[]);
        same(&database, &name, &["-c", "--if-exists", "-C"]);
        same(&database, &name, &["-a"]);
    }
}

tests! { older_words_are_pg_dump_s:
    older_words_are_pg_dump_s_on_15(15)
    older_words_are_pg_dump_s_on_16(16)
    older_words_are_pg_dump_s_on_17(17)
}

#[test]
fn statistics_are_pg_dump_s() {
    let server = needed!(Server::get(REFERENCE));
    let of_statistics = |(name, case): &(String, Case)| name.starts_with("statistics_data/") && case.is_for(REFERENCE);
    for (name, case) in cases().into_iter().filter(of_statistics) {
        let database = case.database(needed!(case.server(REFERENCE))).unwrap();
        same(&database, &name, &["--statistics"]);
    }
    // In another order than that of an archive: those of materialized views come last.
    let database = server.database("plain");
    database.sql(
        "CREATE TABLE z AS SELECT n, n % 7 AS m FROM generate_series(1, 500) n;
         CREATE INDEX ON z ((n + m));
         CREATE MATERIALIZED VIEW a AS SELECT * FROM z;
         CREATE INDEX ON a ((n - m));
         CREATE STATISTICS s (dependencies) ON n, m FROM z",
    );
    database.sql("ANALYZE");
    same(&database, "views and indexes", &["--statistics"]);
    same(&database, "views and indexes", &["--statistics", "-n", "public", "--section=post-data"]);
}

/// Values of all sorts, and tables of all sorts.
const ROWS: &str = r#"
    CREATE TABLE none (); INSERT INTO none DEFAULT VALUES; INSERT INTO none DEFAULT VALUES;
    CREATE TABLE generated (a int GENERATED ALWAYS AS (1 + 1) STORED); INSERT INTO generated DEFAULT VALUES;
    CREATE TABLE g (a int, g int GENERATED ALWAYS AS (a + 1) STORED, b text, h int GENERATED ALWAYS AS (a + 2) STORED);
    INSERT INTO g (a, b) VALUES (1, 'x'), (2, NULL), (3, E'a\\b''c\nd\te\r\f\v\b'), (4, '\N'), (5, ''), (6, E'\\.');
    CREATE TABLE always (i int GENERATED ALWAYS AS IDENTITY, t text); INSERT INTO always (t) SELECT 'a' FROM generate_series(1, 250);
    CREATE TABLE sometimes (i int GENERATED BY DEFAULT AS IDENTITY, t text); INSERT INTO sometimes (t) VALUES ('a');
    CREATE DOMAIN d AS int; CREATE DOMAIN dd AS d; CREATE DOMAIN b AS bool; CREATE DOMAIN dt AS varchar(9);
    CREATE TYPE mood AS ENUM ('sad', 'it''s'); CREATE TYPE pair AS (a int, b text);
    CREATE TABLE types (a int2, b int4, c int8, d oid, e float4, f float8, g numeric, h bit(3), i varbit, j bool, k d, l dd, m b,
      n money, o int[], p "char", q name, r regclass, s xid, t bytea, u json, v timestamptz, w interval, x text, y dt, z mood,
      aa pair, ab inet, ac int4range, ad numeric(5,2)[], ae bit(3)[], af bool[]);
    INSERT INTO types VALUES (1, -2, 3, 4, 1.5, 'infinity', 'NaN', B'101', B'', true, 5, 6, false, 7.5, '{1,NULL}', 'x', 'n',
      'pg_class', '8', '\x00ff27', '{"a":"it''s"}', '2020-01-01', '1 day 2 hours', '', 'a', 'it''s', '(1,"x,y")', '::1', '[1,3)',
      '{1.5,NULL}', '{101}', '{t,f}');
    INSERT INTO types (a, b, c, d, e, f, g, h, i, j, k, l, m) VALUES (NULL, -2147483648, 9223372036854775807, 4294967295, 1e-20,
      '-infinity', 1e30, B'000', B'10101', false, 5, 6, true);
    INSERT INTO types (e, f, g) VALUES ('nan', 'nan', -0.000001), (-0, '-0', 12345678901234567890.5), ('inf', '1e300', 0),
      (0.1::float4, 0.1::float8, 'infinity');
    CREATE TABLE dropped (a int, b int, c int); ALTER TABLE dropped DROP COLUMN b; INSERT INTO dropped VALUES (1, 2);
    CREATE TABLE "odd ""name" (" a" int, "B'" text, "\" text); INSERT INTO "odd ""name" VALUES (1, 'x', '\');
    CREATE TABLE empty (a int);
    CREATE TABLE h (a int) PARTITION BY HASH (a); CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    INSERT INTO h VALUES (1), (2), (3), (4), (5);
    CREATE TABLE m (a mood) PARTITION BY HASH (a); CREATE TABLE m0 PARTITION OF m FOR VALUES WITH (MODULUS 1, REMAINDER 0);
    INSERT INTO m VALUES ('sad');
    CREATE TABLE long (a text, b text); INSERT INTO long SELECT repeat(E'\'\\\n', 100000), repeat('x', n) FROM generate_series(1, 3) n"#;

const FORMS: &[&[&str]] = &[
    &["--inserts"],
    &["--column-inserts"],
    &["--rows-per-insert=3"],
    &["--inserts", "--on-conflict-do-nothing"],
    &["--column-inserts", "--rows-per-insert=2", "--on-conflict-do-nothing"],
    &["--rows-per-insert=100000"],
    &["--inserts", "--load-via-partition-root"],
    &["--column-inserts", "--disable-triggers"],
];

fn rows_are_pg_dump_s(major: u32) {
    let server = needed!(Server::get(major));
    let database = server.database("rows");
    database.sql(ROWS);
    let mut forms: Vec<Vec<&str>> = FORMS.iter().map(|form| [&["-a"], *form].concat()).collect();
    forms.push(vec!["-a"]);
    forms.iter().for_each(|form| same(&database, "rows", form));
    let setting = |change: &str| database.sql(&format!("ALTER DATABASE {} {change}", database.name()));
    setting("SET standard_conforming_strings = off");
    forms.iter().for_each(|form| same(&database, "rows and backslashes", form));
    setting("RESET standard_conforming_strings");
    // Of a zero, INSERT statements as pg_dump writes them lose the sign.
    database.sql("UPDATE types SET f = 0 WHERE f = 0");
    // The archive is pg_dump's, too, and comes back.
    let dir = tempfile::tempdir().unwrap();
    let (theirs, ours) = (dir.path().join("theirs"), dir.path().join("ours"));
    let target = server.database("rows");
    for form in FORMS.iter().filter(|form| !form.contains(&"--disable-triggers")) {
        database.pg_dump(REFERENCE, form, &theirs);
        database.backup(&ours, &[&["--force", "--owner", "--acl", "--archive-version", "1.16"], *form].concat());
        assert_same(&format!("{form:?}"), &theirs, &ours, Rows::InOrder);
        target.restore(&ours, &[]);
        let plain = dir.path().join("plain");
        database.pg_dump(REFERENCE, &["-a"], &plain);
        let back = dir.path().join("back");
        target.pg_dump(REFERENCE, &["-a"], &back);
        assert_same(&format!("{form:?}, restored"), &plain, &back, Rows::InOrder);
    }
}

tests! { rows_are_pg_dump_s:
    rows_are_pg_dump_s_on_14(14)
    rows_are_pg_dump_s_on_15(15)
    rows_are_pg_dump_s_on_16(16)
    rows_are_pg_dump_s_on_17(17)
    rows_are_pg_dump_s_on_18(18)
}

/// Comments that say more, and change nothing else. Which numbers entries have is each program's own affair.
#[test]
fn entries_are_numbered_on_request() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("plain");
    database.sql("CREATE TABLE t AS SELECT 1 AS a; COMMENT ON TABLE t IS 'x'; SELECT lo_create(70001)");
    let mut told = Told::of(REFERENCE, &[]);
    told.style = told.style.verbose(true);
    let (ours, _) = told.write(&database.url()).unwrap();
    let theirs = run(database.tool(REFERENCE, "pg_dump").args(["-v", "--restrict-key=k3y"]));
    let shape = |text: &[u8]| -> Vec<String> {
        let text = String::from_utf8_lossy(text).into_owned();
        let shown = |line: &str| match line.split_once(" (class ") {
            Some((_, class)) => format!("-- TOC entry (class {class}"),
            None if line.starts_with("-- Started on 2") || line.starts_with("-- Completed on 2") => {
                line[..15].to_owned()
            }
            None => line.to_owned(),
        };
        let kept = |line: &&str| !line.starts_with("-- Dependencies: ") && !line.starts_with("-- Dumped by");
        text.lines().filter(kept).map(shown).collect()
    };
    assert_eq!(shape(&ours), shape(&theirs.stdout));
    assert!(shape(&ours).iter().filter(|line| line.starts_with("-- TOC entry")).count() == 5);
}

/// What psql would take for something else than the server from which it came.
#[test]
fn what_psql_would_not_take_for_what_it_is_is_refused() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("plain");
    database.sql(r#"CREATE TABLE t ("ERROR" int, a int[], CHECK (a[1:"ERROR"] IS NOT NULL))"#);
    let error = Told::of(REFERENCE, &[]).write(&database.url()).unwrap_err().to_string();
    assert!(error.contains("write TABLE public.t into a script") && error.contains("a variable of psql's"), "{error}");
    Told::of(REFERENCE, &["-a"]).write(&database.url()).unwrap();
}

#[test]
fn script_brings_the_database_back() {
    let server = needed!(Server::get(REFERENCE));
    let (origin, target) = (server.database("plain"), server.database("plain"));
    origin.sql(
        r"CREATE TABLE t (id int PRIMARY KEY, text text);
          INSERT INTO t SELECT n, repeat(E'a\\b\t''', n % 50) FROM generate_series(1, 30000) n;
          CREATE TABLE u (); INSERT INTO u DEFAULT VALUES;
          SELECT lo_from_bytea(70001, decode(repeat('00ff', 40000), 'hex'))",
    );
    let (script, summary) = Told::of(REFERENCE, &[]).write(&origin.url()).unwrap();
    assert_eq!((summary.rows, summary.large_objects), (30001, 1));
    let dir = tempfile::tempdir().unwrap();
    let (file, archive) = (dir.path().join("script"), dir.path().join("archive"));
    std::fs::write(&file, script).unwrap();
    target.load_file(&file);
    origin.pg_dump(REFERENCE, &[], &archive);
    target.assert_is("after the script", &archive);
}

/// What the tools that everybody has make of it is the script.
#[test]
fn compressed_scripts_are_unpacked_by_the_usual_tools() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("compressed");
    database.sql("CREATE TABLE t AS SELECT n, md5((n % 100)::text) FROM generate_series(1, 60000) n");
    let told = Told::of(REFERENCE, &[]);
    let (script, _) = told.write(&database.url()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let Found::Postgres(target) = recognise(database.url().as_bytes(), &Environment::of_process()).unwrap() else {
        panic!("no database of PostgreSQL's")
    };
    let key: RestrictKey = "k3y".parse().unwrap();
    for (compression, tool) in
        [("gzip", "gzip"), ("gzip:1", "gzip"), ("gzip:9", "gzip"), ("lz4", "lz4"), ("zstd", "zstd"), ("zstd:9", "zstd")]
    {
        let mut packed = Vec::new();
        compressed(&mut packed, compression.parse().unwrap(), |out| {
            of_database(&|| target.connect(), &told.dump, &told.restore, (&told.style, &key), out, &Silent)
        })
        .unwrap();
        assert!(packed.len() < script.len() / 3, "{compression}: {} of {} bytes", packed.len(), script.len());
        let file = dir.path().join(compression);
        std::fs::write(&file, packed).unwrap();
        let unpacked = std::process::Command::new(tool).arg("-dc").stdin(std::fs::File::open(&file).unwrap()).output();
        let Ok(unpacked) = needs::need(tool, unpacked.map_err(|e| format!("{tool}: {e}"))) else { continue };
        assert!(unpacked.status.success(), "{compression}: {unpacked:?}");
        same_text(compression, &unpacked.stdout, &script);
    }
    // An error of what writes is that of the whole, and one of what it is written to as well.
    let error = compressed(&mut Vec::new(), Compression::GZIP, |_| {
        Err::<(), _>(lifeboat::Error::new(lifeboat::ErrorKind::Io, "do this"))
    });
    assert!(error.unwrap_err().to_string().contains("do this"));
    let error = compressed(&mut std::fs::File::open("/dev/null").unwrap(), Compression::ZSTD, |out| {
        out.write_all(&script).context(lifeboat::ErrorKind::Io, || "write")
    });
    assert!(error.is_err());
}

/// lifeboat's own word for it, whose owners and privileges are those of the one who runs the script, if it is not told otherwise.
#[test]
fn backup_in_plain_format_is_such_a_script() {
    let server = needed!(Server::get(REFERENCE));
    let (database, scene) = (server.database("plain"), Scene::new());
    database.sql(
        "CREATE TABLE t AS SELECT generate_series(1, 9) AS a; GRANT SELECT ON t TO bob; ALTER TABLE t OWNER TO carol",
    );
    let theirs = |options: &[&str]| {
        let script = run(database.tool(REFERENCE, "pg_dump").arg("--restrict-key=k3y").args(options)).stdout();
        // Scripts that servers before 17 are to take have no such line.
        script.replace("SET transaction_timeout = 0;\n", "")
    };
    let masked = |script: &str| -> String {
        let mask = |line: &str| match line {
            _ if line.starts_with("-- Dumped by") => "-- Dumped by\n".to_owned(),
            _ if line.starts_with("\\restrict ") => "\\restrict k3y\n".to_owned(),
            _ if line.starts_with("\\unrestrict ") => "\\unrestrict k3y\n".to_owned(),
            _ => line.to_owned(),
        };
        script.split_inclusive('\n').map(mask).collect()
    };
    let url = database.url();
    let out = scene.run(&["backup", "--url", &url, "-Fp", "--output", "app.sql", "--json"]).json();
    assert_eq!((&out["format"], &out["tables"], &out["rows"]), (&"plain".into(), &1.into(), &9.into()), "{out}");
    let ours = std::fs::read_to_string(scene.path("app.sql")).unwrap();
    assert_eq!(out["bytes"], ours.len());
    assert_eq!(masked(&ours), masked(&theirs(&["-O", "-x"])));
    let options = ["backup", "--url", &url, "--format", "plain", "--owner", "--acl", "-Z", "gzip", "--output", "-"];
    let packed = scene.run(&options).stdout;
    let mut ours = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut ours).unwrap();
    assert_eq!(masked(&ours), masked(&theirs(&[])));
    scene.fails(2, "write a script over 2 connections", &["backup", "--url", &url, "-Fp", "-j2", "--output", "x.sql"]);
    assert_eq!(scene.names(), ["app.sql"]);
}
