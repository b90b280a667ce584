//! pg_restore: what it writes, lists and restores beside PostgreSQL's own, of each major.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Face;
use crate::support::installation::{installation, needed};
use crate::support::process::Running;
use crate::support::{Database, Output, REFERENCE, Server, lifeboat, output, run};

/// A database, and archives of it by a major's pg_dump.
struct Archives {
    dir: tempfile::TempDir,
    major: u32,
}

impl Archives {
    fn of(database: &Database<'_>, major: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (format, name) in [("-Fc", "custom"), ("-Fd", "directory"), ("-Ft", "tar")] {
            run(database.tool(major, "pg_dump").arg(format).arg("-f").arg(dir.path().join(name)));
        }
        Self { dir, major }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// What both say and print, of the same arguments.
    fn compare(&self, arguments: &[&str], input: Option<&Path>) {
        let (theirs, ours) = both(self.major, self.dir.path(), arguments, input);
        let what = format!("pg_restore {arguments:?} of {}", self.major);
        assert_eq!(told(&ours), told(&theirs), "{what}");
        if ours.stdout != theirs.stdout {
            let (a, b) = (theirs.stdout(), ours.stdout());
            let at =
                a.lines().zip(b.lines()).position(|(a, b)| a != b).unwrap_or(a.lines().count().min(b.lines().count()));
            let near = |text: &str| text.lines().skip(at.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
            panic!("{what}: line {at} (theirs, ours)\n{}\n\n{}", near(&a), near(&b));
        }
    }
}

/// PostgreSQL's tool and ours, in a folder.
fn both(major: u32, folder: &Path, arguments: &[&str], input: Option<&Path>) -> (Output, Output) {
    let theirs = installation(major).unwrap().tool("pg_restore").unwrap();
    let face = Face::new(major);
    let ended = |mut command: Command| {
        command.args(arguments).current_dir(folder).env("TZ", "Europe/Berlin");
        match input {
            Some(path) => Running::reading(&mut command, Stdio::from(std::fs::File::open(path).unwrap())).end(),
            None => output(&mut command),
        }
    };
    (ended(theirs), ended(face.tool("pg_restore")))
}

fn told(out: &Output) -> (i32, String) {
    (out.code(), out.stderr())
}

/// A database made by the sample of the restore's tests.
fn sample(server: &Server) -> Database<'_> {
    let database = server.database("pg_restore");
    database.load("tests/restore/sample.sql");
    database
}

/// Options of scripts and lists.
const SCRIPTS: &[&[&str]] = &[
    &[],
    &["-a"],
    &["-s"],
    &["-c"],
    &["-c", "--if-exists"],
    &["-C"],
    &["-C", "-c"],
    &["-O"],
    &["-x"],
    &["-Ox", "--no-comments"],
    &["-e"],
    &["-1"],
    &["-a", "--disable-triggers"],
    &["-a", "--disable-triggers", "-S", "the \"boss\""],
    &["--use-set-session-authorization"],
    &["--no-tablespaces"],
    &["--role=alice"],
    &["--enable-row-security"],
    &["--section=pre-data"],
    &["--section=data"],
    &["--section=post-data"],
    &["--no-publications", "--no-subscriptions", "--no-security-labels"],
    &["-n", "public"],
    &["-N", "public"],
    &["-n", "nowhere"],
    &["-t", "people"],
    &["-t", "people", "-t", "nowhere"],
    &["-t", "nowhere", "--strict-names"],
    &["-n", "nowhere", "--strict-names"],
    &["-I", "people_pkey"],
    &["-P", "f(integer)"],
    &["-T", "trigger"],
    &["-R", "-j", "3"],
];

fn scripts_and_lists(major: u32) {
    let server = needed!(Server::get(major));
    needed!(needed(major));
    let archives = Archives::of(&sample(server), major);
    for options in SCRIPTS {
        archives.compare(&[&["-f", "-", "--restrict-key=key", "custom"], *options].concat(), None);
        archives.compare(&[&["-l", "custom"], *options].concat(), None);
    }
    for format in ["custom", "directory", "tar"] {
        archives.compare(&["-f", "-", "--restrict-key=key", format], None);
        archives.compare(&["-l", format], None);
        archives.compare(&["-lv", format], None);
        let asked = format!("-F{}", &format[..1].to_uppercase());
        archives.compare(&["-l", &asked, format], None);
        if format != "directory" {
            let path = archives.path(format);
            archives.compare(&["-l"], Some(&path));
            archives.compare(&["-f", "-", "--restrict-key=key"], Some(&path));
        }
    }
    let list = output(installation(major).unwrap().tool("pg_restore").unwrap().arg("-l").arg(archives.path("custom")));
    let mut lines: Vec<String> =
        list.stdout().lines().filter(|line| !line.starts_with(';')).map(str::to_owned).collect();
    lines.reverse();
    lines.push("nonsense".to_owned());
    lines.push(lines[0].clone());
    std::fs::write(archives.path("list"), lines.join("\n") + "\n99999999;\n").unwrap();
    archives.compare(&["-l", "-L", "list", "custom"], None);
    archives.compare(&["-f", "-", "--restrict-key=key", "-L", "list", "custom"], None);
    archives.compare(&["-l", "-L", "nowhere", "custom"], None);
    // Into a file.
    for tool in [installation(major).unwrap().tool("pg_restore").unwrap(), Face::new(major).tool("pg_restore")] {
        let mut tool = tool;
        std::fs::write(archives.path("script"), "old").unwrap();
        run(tool.args(["-f", "script", "--restrict-key=key", "custom"]).current_dir(archives.dir.path()));
        let written = std::fs::read(archives.path("script")).unwrap();
        let (theirs, _) = both(major, archives.dir.path(), &["-f", "-", "--restrict-key=key", "custom"], None);
        assert!(written == theirs.stdout, "of {major}");
    }
}

tests! { scripts_and_lists:
    scripts_and_lists_as_of_14(14)
    scripts_and_lists_as_of_15(15)
    scripts_and_lists_as_of_16(16)
    scripts_and_lists_as_of_17(17)
    scripts_and_lists_as_of_18(18)
}

/// Both restore an archive into a database of their own, each made by `before`, with these arguments.
struct Restored<'a> {
    theirs: (Output, Database<'a>),
    ours: (Output, Database<'a>),
}

fn restored<'a>(server: &'a Server, before: &str, arguments: &[&str], archive: &Path) -> Restored<'a> {
    let major = server.major();
    let into = |mut command: Command| {
        let database = server.database("pg_restore");
        database.sql(before);
        server.address(&mut command, database.name());
        let out = output(command.args(arguments).arg("-d").arg(database.name()).arg(archive));
        (out, database)
    };
    let face = Face::new(major);
    Restored {
        theirs: into(installation(major).unwrap().tool("pg_restore").unwrap()),
        ours: into(face.tool("pg_restore")),
    }
}

impl Restored<'_> {
    /// What the two said, without the names of their databases.
    fn told(&self) -> [(i32, String); 2] {
        [&self.theirs, &self.ours].map(|(out, database)| {
            // A terminal is told where there are tabs.
            (out.code(), out.stderr().replace(database.name(), "DATABASE").replace('\t', "\\t"))
        })
    }

    fn assert_same(&self, what: &str) {
        let [theirs, ours] = self.told();
        assert_eq!(ours, theirs, "{what}");
        let archive = tempfile::NamedTempFile::new().unwrap();
        self.theirs.1.pg_dump(REFERENCE, &[], archive.path());
        self.ours.1.assert_is(what, archive.path());
    }
}

/// What is in the database before, and the options.
const RESTORES: &[(&str, &[&str])] = &[
    ("", &[]),
    ("", &["-v"]),
    ("", &["-O", "-x"]),
    ("", &["-1"]),
    ("", &["-e"]),
    ("", &["-c"]),
    ("", &["-c", "--if-exists"]),
    ("", &["-s"]),
    ("", &["-n", "public"]),
    ("CREATE TABLE t (a integer); INSERT INTO t VALUES (5)", &[]),
    ("CREATE TABLE t (a integer); INSERT INTO t VALUES (5)", &["--no-data-for-failed-tables"]),
    ("CREATE TABLE t (a integer); INSERT INTO t VALUES (5)", &["--no-data-for-failed-tables", "-v"]),
    ("CREATE TABLE t (a integer); INSERT INTO t VALUES (5)", &["-e"]),
    ("CREATE TABLE t (a integer); INSERT INTO t VALUES (5)", &["-1"]),
    ("CREATE TABLE t (b text)", &["-a"]),
    ("CREATE TABLE t (a integer, b text, c date, d text CHECK (d <> 'three'))", &["-a"]),
    ("CREATE TABLE t (a integer); CREATE VIEW of_others AS SELECT a FROM t", &["-c"]),
    ("CREATE TABLE t (a integer); CREATE VIEW of_others AS SELECT a FROM t", &["-c", "--if-exists", "-v"]),
    ("CREATE TABLE t (a integer)", &["-c", "-e"]),
    ("CREATE TYPE mood AS ENUM ('x'); CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT 7'", &[]),
];

const CONTENT: &str = "
    CREATE TYPE mood AS ENUM ('good', 'bad');
    CREATE TABLE t (a integer PRIMARY KEY, b text, c date, d text);
    INSERT INTO t VALUES (1, 'one', '2026-01-01', 'one'), (2, 'two', NULL, 'two'), (3, 'three', NULL, 'three');
    ALTER TABLE t OWNER TO alice; GRANT SELECT ON t TO bob; COMMENT ON TABLE t IS 'a table';
    CREATE INDEX by_b ON t (b);
    CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql AS 'SELECT $1 + 1';
    CREATE VIEW v AS SELECT a, f(a) FROM t;
    CREATE SEQUENCE s START 5; SELECT nextval('s');
    CREATE TABLE of_mood (m mood, x integer REFERENCES t); INSERT INTO of_mood VALUES ('good', 1), ('bad', 2);
    CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM t";

fn restores(major: u32) {
    let server = needed!(Server::get(major));
    needed!(needed(major));
    let origin = server.database("pg_restore");
    origin.sql(CONTENT);
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    run(origin.tool(major, "pg_dump").arg("-Fc").arg("-f").arg(&archive));
    let mut wrong = Vec::new();
    for (before, options) in RESTORES {
        let what = format!("{options:?} over {before:?} on {major}");
        let done = restored(server, before, options, &archive);
        let [theirs, ours] = done.told();
        if theirs != ours {
            wrong.push(format!("{what}:\n{}\n---\n{}", theirs.1, ours.1));
            continue;
        }
        done.assert_same(&what);
    }
    assert!(wrong.is_empty(), "(theirs, ours)\n{}", wrong.join("\n\n"));
}

tests! { restores:
    restores_as_of_14(14)
    restores_as_of_15(15)
    restores_as_of_16(16)
    restores_as_of_17(17)
    restores_as_of_18(18)
}

/// Large objects, rows as statements, other owners, a role that may do little, a pipeline of many entries.
fn harder(major: u32) {
    let server = needed!(Server::get(major));
    needed!(needed(major));
    let origin = server.database("pg_restore");
    origin.sql(CONTENT);
    origin.sql(
        "SELECT lo_from_bytea(4711, 'abc'), lo_from_bytea(4712, 'def'); ALTER LARGE OBJECT 4711 OWNER TO alice;
         CREATE SCHEMA of_bob AUTHORIZATION bob; CREATE TABLE of_bob.x (\"Odd name\" text, n numeric, b boolean);
         INSERT INTO of_bob.x VALUES (E'it''s\n\\\\ odd;', 1.50, true), (NULL, 'NaN', false); ALTER TABLE of_bob.x OWNER TO bob;
         CREATE TABLE in_place (a integer) TABLESPACE elsewhere; INSERT INTO in_place VALUES (1);
         CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no %'', NEW.a; END';
         CREATE TRIGGER tr BEFORE INSERT ON in_place FOR EACH ROW EXECUTE FUNCTION tr();
         CREATE PUBLICATION pub FOR ALL TABLES;
         CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
         CREATE EVENT TRIGGER ev ON sql_drop EXECUTE FUNCTION ev()",
    );
    let dir = tempfile::tempdir().unwrap();
    let (copies, inserts) = (dir.path().join("copies"), dir.path().join("inserts"));
    run(origin.tool(major, "pg_dump").arg("-Fc").arg("-f").arg(&copies));
    run(origin.tool(major, "pg_dump").args(["-Fc", "--inserts"]).arg("-f").arg(&inserts));
    let alice = "GRANT CREATE ON SCHEMA public TO alice";
    let mut wrong = Vec::new();
    for (before, options, archive) in [
        ("", &[][..], &inserts),
        ("", &["--use-set-session-authorization", "-v"], &copies),
        ("CREATE SCHEMA of_bob; CREATE TABLE of_bob.x (\"Odd name\" text, n integer, b integer)", &[], &inserts),
        ("CREATE SCHEMA of_bob; CREATE TABLE of_bob.x (\"Odd name\" text, n integer, b integer)", &["-1"], &inserts),
        ("SELECT lo_from_bytea(4711, 'old')", &["-v"], &copies),
        ("SELECT lo_from_bytea(4711, 'old')", &["-c", "--if-exists"], &copies),
        ("SELECT lo_from_bytea(4711, 'old')", &["-e"], &copies),
        (alice, &["-U", "alice"], &copies),
        (alice, &["-U", "alice", "-O", "-x"], &copies),
        (alice, &["--role", "alice", "--no-comments"], &copies),
        (alice, &["-U", "alice", "-1"], &copies),
        (alice, &["-U", "alice", "--no-tablespaces", "-v"], &inserts),
        ("CREATE TABLE in_place (a integer); CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no %'', NEW.a; END';
          CREATE TRIGGER tr BEFORE INSERT ON in_place FOR EACH ROW EXECUTE FUNCTION tr()", &["-a", "-t", "in_place"], &copies),
        ("CREATE TABLE in_place (a integer); CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no %'', NEW.a; END';
          CREATE TRIGGER tr BEFORE INSERT ON in_place FOR EACH ROW EXECUTE FUNCTION tr()", &["-a", "-t", "in_place", "--disable-triggers"], &copies),
    ] {
        let what = format!("{options:?} over {before:?} on {major}");
        let done = restored(server, before, options, archive);
        let [theirs, ours] = done.told();
        if theirs != ours {
            wrong.push(format!("{what}:\n{}\n---\n{}", theirs.1, ours.1));
        } else {
            done.assert_same(&what);
        }
    }
    if major >= 17 {
        for size in ["1", "3", "1000"] {
            let done = restored(server, "", &[&format!("--transaction-size={size}")], &copies);
            done.assert_same(size);
        }
        for (text, is_good) in [
            ("include table t\n", true),
            ("include table \"t\"\n", true),
            ("include function f(integer)\nexclude schema x", true),
            ("exclude table t", false),
            ("include table_data t", false),
            ("include function f( integer )", true),
        ] {
            let filter = dir.path().join("filter");
            std::fs::write(&filter, text).unwrap();
            let (theirs, ours) = both(major, dir.path(), &["-l", "--filter=filter", "copies"], None);
            if told(&ours) != told(&theirs) || ours.stdout() != theirs.stdout() || theirs.success() != is_good {
                wrong.push(format!("{text}:\n{theirs}\n---\n{ours}"));
            }
        }
    }
    assert!(wrong.is_empty(), "(theirs, ours)\n{}", wrong.join("\n\n"));
}

tests! { harder:
    harder_as_of_14(14)
    harder_as_of_16(16)
    harder_as_of_17(17)
    harder_as_of_18(18)
}

/// By several connections, out of every format, and out of a pipe.
fn every_way(major: u32) {
    let server = needed!(Server::get(major));
    needed!(needed(major));
    let origin = sample(server);
    let archives = Archives::of(&origin, major);
    let original = archives.path("original");
    origin.pg_dump(REFERENCE, &[], &original);
    let face = Face::new(major);
    for (name, jobs) in [("custom", "1"), ("custom", "3"), ("directory", "1"), ("directory", "3"), ("tar", "1")] {
        let target = server.database("pg_restore");
        let mut command = face.tool("pg_restore");
        server.address(&mut command, target.name());
        let out = run(command.args(["-j", jobs, "-d", target.name()]).arg(archives.path(name)));
        assert_eq!((out.stderr(), out.stdout()), (String::new(), String::new()), "{name}, {jobs} of {major}");
        target.assert_is(name, &original);
        if name != "directory" {
            let target = server.database("pg_restore");
            let mut command = face.tool("pg_restore");
            server.address(&mut command, target.name());
            command.args(["-d", target.name()]);
            let input = Stdio::from(std::fs::File::open(archives.path(name)).unwrap());
            let out = Running::reading(&mut command, input).end();
            assert!(out.success() && out.stderr().is_empty(), "{out}");
            target.assert_is(name, &original);
        }
    }
    for (arguments, input) in [(vec!["-j", "2", "tar"], None), (vec!["-j", "2"], Some(archives.path("custom")))] {
        let (theirs, ours) =
            both(major, archives.dir.path(), &[&["-d", "x"], &arguments[..]].concat(), input.as_deref());
        assert_eq!(told(&ours), told(&theirs), "{arguments:?} of {major}");
    }
}

tests! { every_way:
    every_way_as_of_14(14)
    every_way_as_of_16(16)
    every_way_as_of_18(18)
}

/// The database itself, whether there is one of that name or not.
fn creates(major: u32) {
    let server = needed!(Server::get(major));
    needed!(needed(major));
    let origin = server.database("to_be_made");
    origin.sql(CONTENT);
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    run(origin.tool(major, "pg_dump").arg("-Fc").arg("-f").arg(&archive));
    let original = dir.path().join("original");
    origin.pg_dump(REFERENCE, &[], &original);
    let drop = format!("DROP DATABASE \"{}\"", origin.name());
    let make = format!("CREATE DATABASE \"{}\"", origin.name());
    let face = Face::new(major);
    for (is_there, options) in [
        (false, &["-C"][..]),
        (true, &["-C", "-c"]),
        (false, &["-C", "-c"]),
        (false, &["-C", "-c", "--if-exists", "-v"]),
        (true, &["-C", "-c", "-O", "-x", "-j", "2"]),
        (true, &["-C", "-s"]),
    ] {
        let mut said = Vec::new();
        for mut command in [installation(major).unwrap().tool("pg_restore").unwrap(), face.tool("pg_restore")] {
            server.try_psql("postgres", &drop);
            if is_there {
                server.sql("postgres", &make);
                origin.sql("CREATE TABLE of_before (a integer)");
            }
            server.address(&mut command, "postgres");
            let out = output(command.args(options).args(["-d", "postgres"]).arg(&archive));
            let path = dir.path().join(said.len().to_string());
            origin.pg_dump(REFERENCE, &[], &path);
            said.push((told(&out), path));
        }
        let what = format!("{options:?}, there: {is_there}, of {major}");
        assert_eq!(said[1].0, said[0].0, "{what}");
        crate::support::archive::assert_same(&what, &said[0].1, &said[1].1, crate::support::archive::Rows::AnyOrder);
    }
}

tests! { creates:
    creates_as_of_14(14)
    creates_as_of_16(16)
    creates_as_of_18(18)
}

/// What is there is not dropped for the sake of an archive that cannot be restored.
#[test]
fn a_damaged_archive_drops_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("pg_restore");
    origin.sql("CREATE TABLE t AS SELECT n, md5(n::text) FROM generate_series(1, 2000) n");
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    origin.pg_dump(REFERENCE, &[], &archive);
    let mut bytes = std::fs::read(&archive).unwrap();
    let middle = bytes.len() - 2000;
    bytes[middle] ^= 0xff;
    std::fs::write(&archive, bytes).unwrap();
    let face = Face::new(REFERENCE);
    let mut command = face.tool("pg_restore");
    server.address(&mut command, origin.name());
    let out = output(command.args(["-c", "-d", origin.name()]).arg(&archive));
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().starts_with("pg_restore: error: could not check TABLE DATA"), "{out}");
    assert_eq!(origin.sql("SELECT count(*) FROM t"), "2000");
}

/// pg_restore makes such an object empty, and says nothing.
#[test]
fn a_large_object_without_content_is_an_error() {
    let server = needed!(Server::get(REFERENCE));
    needed!(needed(REFERENCE));
    let origin = server.database("pg_restore");
    origin.sql("SELECT lo_from_bytea(4711, 'abc'), lo_from_bytea(4712, 'def'); CREATE TABLE t (a integer)");
    let dir = tempfile::tempdir().unwrap();
    // Batches of large objects, and one by one, as before 17.
    for (name, mut dump) in [("of_18", origin.tool(REFERENCE, "pg_dump")), ("of_16", Face::new(16).tool("pg_dump"))] {
        let folder = dir.path().join(name);
        server.address(&mut dump, origin.name());
        run(dump.args(["-Fd", "-f"]).arg(&folder));
        let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
        let list = files.into_iter().find(|path| path.extension().is_some_and(|e| e == "toc")).unwrap();
        let text = std::fs::read_to_string(&list).unwrap();
        std::fs::write(&list, text.replace("4711 blob_4711.dat\n", "")).unwrap();
        let done = restored(server, "", &[], &folder);
        assert_eq!(done.told()[0], (0, String::new()));
        let why = "the archive has no content for large object 4711";
        assert_eq!(
            done.told()[1],
            (1, format!("pg_restore: error: {why}\npg_restore: warning: errors ignored on restore: 1\n"))
        );
        let contents =
            "SELECT string_agg(convert_from(lo_get(oid), 'UTF8'), ',' ORDER BY oid) FROM pg_largeobject_metadata";
        assert_eq!(done.ours.1.sql(contents).trim(), ",def");
        let done = restored(server, "", &["-1"], &folder);
        assert!(done.ours.0.code() == 1 && done.ours.0.stderr().contains(why), "{}", done.ours.0);
        assert_eq!(done.ours.1.sql("SELECT count(*) FROM pg_largeobject_metadata").trim(), "0");
        // It is seen before anything is dropped for it.
        let done = restored(server, "SELECT lo_from_bytea(4711, 'old')", &["-c", "--if-exists"], &folder);
        assert!(done.ours.0.code() == 1 && done.ours.0.stderr().contains(why), "{}", done.ours.0);
        assert_eq!(done.ours.1.sql("SELECT convert_from(lo_get(4711), 'UTF8')").trim(), "old");
        let mut restore = lifeboat();
        restore.args(["restore", "--force", "--url", &origin.url()]).arg(&folder);
        let out = output(&mut restore);
        assert!(out.code() == 1 && out.stderr().contains(why) && out.stderr().contains("nothing was changed"), "{out}");
    }
}

#[test]
fn a_role_that_cannot_be_taken_ends_it() {
    let server = needed!(Server::get(REFERENCE));
    needed!(needed(REFERENCE));
    let origin = server.database("pg_restore");
    origin.sql("CREATE TABLE t (a integer)");
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    origin.pg_dump(REFERENCE, &[], &archive);
    let done = restored(server, "", &["--role=nobody_at_all", "-e"], &archive);
    done.assert_same("a role");
    // Without -e, pg_restore goes on as the one who logged in.
    let done = restored(server, "", &["--role=nobody_at_all"], &archive);
    assert_eq!(
        (done.ours.0.code(), done.ours.1.sql("SELECT count(*) FROM pg_class WHERE relname = 't'")),
        (1, "0".into())
    );
}
