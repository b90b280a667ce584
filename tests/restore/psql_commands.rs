//! What a hostile archive, or the honest archive of a hostile database, puts into a script: psql must not carry it out. A psql
//! that has the hole (CVE-2026-18408) shows with pg_restore's script that each of the attacks is one.

use std::fs;
use std::io::Write;
use std::path::Path;

use bstr::ByteSlice;
use pgformat::{Compression, DumpId, Entry, Header, Version, Writer};

use super::scripts::{same, script};
use crate::support::needs::{self, Needed};
use crate::support::quiet::assert_quiet;
use crate::support::{Output, REFERENCE, Scene, Server, lifeboat, output, pg_tool, run};

/// The major whose psql the tests have in a version that runs programs for `\unrestrict`.
const HOLE: u32 = 14;

/// A server of the psql with the hole. Installations that were not got by the tests may have been mended.
fn with_hole() -> Needed<&'static Server> {
    let server = Server::get(HOLE)?;
    let version = run(pg_tool(HOLE, "psql").arg("--version")).stdout();
    let minor = version.trim().rsplit('.').next().and_then(|minor| minor.parse::<u32>().ok());
    let has_hole = minor.is_some_and(|minor| (19..24).contains(&minor));
    needs::need("unmended-psql", has_hole.then_some(server).ok_or(version))
}

/// Runs a script with the psql that has the hole, in a new database, whatever comes of it.
fn run_script(server: &Server, script: &Path) -> Output {
    let database = server.database("script");
    let mut command = pg_tool(HOLE, "psql");
    server.address(&mut command, database.name());
    output(command.args(["-X", "-f"]).arg(script))
}

fn write(path: &Path, entries: Vec<Entry>, data: &[(i32, &[u8])]) {
    let mut writer = Writer::new(Vec::new(), Header::new(Version::V1_14, Compression::None), entries).unwrap();
    for (id, bytes) in data {
        let mut data = writer.data(DumpId(*id)).unwrap();
        data.write_all(bytes).unwrap();
        data.finish().unwrap();
    }
    fs::write(path, writer.finish().unwrap()).unwrap();
}

fn entry(id: i32, desc: &str, tag: &str, definition: &str) -> Entry {
    Entry::new(DumpId(id), desc).tag(tag).schema("public").definition(definition)
}

fn settings() -> Vec<Entry> {
    vec![
        entry(1001, "ENCODING", "ENCODING", "SET client_encoding = 'UTF8';\n"),
        entry(1002, "STDSTRINGS", "STDSTRINGS", "SET standard_conforming_strings = 'on';\n"),
        entry(1003, "SEARCHPATH", "SEARCHPATH", "SELECT pg_catalog.set_config('search_path', '', false);\n"),
    ]
}

/// Fails the test unless the archive is refused for what the entry of this name holds, with nothing written, to a file or
/// to standard output.
fn is_refused(archive: &Path, name: &str, why: &str) {
    let file = archive.with_extension("refused.sql");
    for to in ["-", file.to_str().unwrap()] {
        let mut command = lifeboat();
        let out = output(command.arg("restore").arg(archive).args(["--no-clean", "--owner", "--acl", "--script", to]));
        assert_eq!(out.code(), 1, "{why}: {out}");
        assert!(out.stderr().contains(&format!("could not write {name} into a script: ")), "{why}: {out}");
        assert!(out.stderr().contains(why), "{why}: {out}");
        // Rows are looked at when their turn comes.
        assert!(name.starts_with("TABLE DATA") || out.stdout.is_empty(), "{out}");
    }
    assert!(!file.exists());
}

#[test]
fn what_psql_would_carry_out_is_refused_by_the_name_of_its_entry() {
    let dir = tempfile::tempdir().unwrap();
    let (archive, theirs, marker) =
        (dir.path().join("archive"), dir.path().join("theirs.sql"), dir.path().join("marker"));
    let mark = format!("`touch {}`", marker.display());
    let command = format!("\\unrestrict {mark}");
    let server = needed!(with_hole());
    let attack = |entries: Vec<Entry>, data: &[(i32, &[u8])], name: &str, why: &str, runs: bool| {
        write(&archive, [settings(), entries].concat(), data);
        is_refused(&archive, name, why);
        run(pg_tool(REFERENCE, "pg_restore").arg("-f").arg(&theirs).arg(&archive));
        let out = run_script(server, &theirs);
        assert_eq!(marker.exists(), runs, "{why}: {out}");
        let _ = fs::remove_file(&marker);
    };
    let evil = |definition: &str| vec![entry(1, "TABLE", "evil", definition)];
    // What is quoted, or a row, is written otherwise.
    let defused = |entries: Vec<Entry>, data: &[(i32, &[u8])]| {
        write(&archive, [settings(), entries].concat(), data);
        let ours = dir.path().join("ours.sql");
        for (script, runs) in [(&theirs, true), (&ours, false)] {
            match runs {
                true => run(pg_tool(REFERENCE, "pg_restore").arg("-f").arg(script).arg(&archive)),
                false => run(lifeboat().arg("restore").arg(&archive).args(["--no-clean", "--script"]).arg(script)),
            };
            let out = run_script(server, script);
            assert_eq!(marker.exists(), runs, "{out}");
            let _ = fs::remove_file(&marker);
        }
        fs::remove_file(&ours).unwrap();
    };
    let is_command = "which psql would take for a command";
    attack(evil(&format!("{command}\n")), &[], "TABLE public.evil", is_command, true);
    attack(evil(&format!("SELECT 1 {command}\n;\n")), &[], "TABLE public.evil", is_command, true);
    attack(evil(&format!("SELECT 'a\\'; {command}\n --';\n")), &[], "TABLE public.evil", is_command, true);
    attack(evil(&format!("-- comment\r{command}\n")), &[], "TABLE public.evil", is_command, true);
    attack(evil(&format!("SELECT $a$ $b$ $a$; {command}\n$b$;\n")), &[], "TABLE public.evil", is_command, true);
    attack(evil("SELECT 1 \\gexec\n"), &[], "TABLE public.evil", is_command, false);
    attack(evil("SELECT 'open;\n"), &[], "TABLE public.evil", "a quote in it has no end", false);
    attack(evil("COPY public.t FROM stdin;\n"), &[], "TABLE public.evil", "it is a COPY statement", false);
    attack(evil("SELECT :'HOST';\n"), &[], "TABLE public.evil", "a variable of psql's", false);
    // The server says, in an error, what psql puts in the place of the variable: a command that stands nowhere.
    let spoken = format!(
        "DO $$ BEGIN RAISE EXCEPTION '%', chr(92) || 'unrest' || 'rict ' || chr(96) || 'touch {}' || chr(96); END $$;\n",
        marker.display()
    );
    let entries =
        vec![entry(1, "TABLE", "first", &spoken), entry(2, "TABLE", "evil", "SELECT :LAST_ERROR_MESSAGE\n;\n")];
    attack(entries, &[], "TABLE public.evil", "a variable of psql's", true);
    // Something is open after this one, for psql and not for the server.
    let entries = vec![
        entry(1, "TABLE", "first", "SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false);\n"),
        entry(2, "COMMENT", "evil", &format!("COMMENT ON SCHEMA public IS '\\''; {command}\n --';\n")),
    ];
    defused(entries, &[]);
    let entries = vec![
        entry(1, "TABLE", "first", "SELECT pg_catalog.set_config('standard_conforming_strings', 'off', false);\n"),
        entry(2, "COMMENT", "evil", &format!("COMMENT ON SCHEMA public IS '\\'' '; {command}\n --';\n")),
    ];
    attack(entries, &[], "COMMENT public.evil", is_command, false);
    // Drops, owners and rows.
    let drop = entry(1, "TABLE", "evil", ";\n").drop_statement(format!("{command}\nDROP TABLE x;\n"));
    write(&archive, [settings(), vec![drop]].concat(), &[]);
    let out = output(lifeboat().arg("restore").arg(&archive).args(["--script", "-"]));
    assert!(out.code() == 1 && out.stderr().contains(is_command) && out.stdout.is_empty(), "{out}");
    let data = |copy: &str| entry(1, "TABLE DATA", "evil", "").has_data(true).copy_statement(copy);
    let rows = format!("1\n{command}\n\\.\n\n\n").into_bytes();
    let name = "TABLE DATA public.evil";
    let from_stdin = "COPY public.evil (a) FROM stdin;\n";
    defused(vec![data(from_stdin)], &[(1, &rows)]);
    attack(vec![data("COPY public.evil (a) FROM stdin")], &[(1, b"1\n\\.\n")], name, "has no semicolon", false);
    attack(
        vec![data("")],
        &[(1, format!("INSERT INTO evil VALUES (1);\n{command}\n").as_bytes())],
        name,
        is_command,
        true,
    );
    attack(vec![data(from_stdin)], &[(1, b"1\n\\unre\0\nstrict `x`\n\\.\n")], name, "zero byte", false);
}

/// What the owner of a database has planted, pg_dump writes as it is. Where a COPY fails, psql takes rows for statements, and a
/// quote in them turns what follows inside out.
#[test]
fn what_a_quote_in_rows_would_bring_out_of_a_comment_is_none() {
    let server = needed!(with_hole());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (archive, theirs, ours, marker) = (file("archive"), file("theirs.sql"), file("ours.sql"), file("marker"));
    let command = format!("\\unrestrict `touch {}`", marker.display());
    let plant = |comment: &str| {
        let origin = server.database("planted");
        origin.sql(&format!(
            "CREATE TABLE t (a text); INSERT INTO t VALUES ('it''s'), ('{command}');
             CREATE TABLE u (b text); CREATE INDEX i ON u (b); COMMENT ON INDEX i IS '{comment}'"
        ));
        origin.pg_dump(HOLE, &[], &archive);
    };
    // A row as COPY writes it begins no command that psql would carry out: it gives the line up.
    plant("harmless");
    same(&archive, &[]);
    plant(&command);
    same(&archive, &["-t", "t"]);
    run(pg_tool(REFERENCE, "pg_restore").arg("-f").arg(&theirs).arg(&archive));
    run(lifeboat().arg("restore").arg(&archive).args(["--no-clean", "--script"]).arg(&ours));
    for (psql, script, runs) in
        [(HOLE, &theirs, true), (REFERENCE, &theirs, false), (HOLE, &ours, false), (REFERENCE, &ours, false)]
    {
        // A table of that name is there already, which has no such column.
        let database = server.database("script");
        database.sql("CREATE TABLE t (other integer)");
        let mut tool = pg_tool(psql, "psql");
        server.address(&mut tool, database.name());
        let out = output(tool.args(["-X", "-f"]).arg(script));
        assert_eq!(marker.exists(), runs, "psql {psql}: {out}");
        let _ = fs::remove_file(&marker);
    }
    let database = server.database("script");
    let mut tool = pg_tool(HOLE, "psql");
    server.address(&mut tool, database.name());
    // It has settings that the older server does not know.
    output(tool.args(["-X", "-f"]).arg(&ours));
    assert_eq!(database.sql("SELECT pg_catalog.obj_description('public.i'::regclass)"), command);
}

/// A function that a restore calls can turn to an encoding in which a backslash belongs to the character before it, and whoever may
/// make a database chooses what psql puts in the place of a variable.
#[test]
fn neither_an_encoding_nor_the_name_of_a_database_makes_a_command_of_a_row() {
    let server = needed!(with_hole());
    let scene = Scene::new();
    let origin = server.database("\\unrestrict `touch named`");
    origin.sql(
        r"CREATE FUNCTION turn(text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
        CREATE TABLE a (a text CHECK (turn(a))); INSERT INTO a VALUES ('GB18030');
        CREATE OR REPLACE FUNCTION turn(text) RETURNS boolean LANGUAGE sql AS
            'SELECT pg_catalog.set_config(''client_encoding'', $1, false) IS NOT NULL';
        CREATE TABLE t (a text); INSERT INTO t VALUES (':DBNAME'), (E'\u20ac0x\\unrestrict `touch encoded`')",
    );
    for (mut tool, runs) in [(pg_tool(HOLE, "pg_dump"), true), (lifeboat(), false)] {
        if !runs {
            tool.env("LIFEBOAT_PG_MAJOR", HOLE.to_string()).arg("pg_dump");
        }
        server.address(&mut tool, origin.name());
        run(tool.arg("-f").arg(scene.path("plain.sql")));
        if !runs {
            assert_quiet(&fs::read(scene.path("plain.sql")).unwrap());
        }
        // A table of that name is there already, which has no such column.
        let database = server.database("\\unrestrict `touch named`");
        database.sql("CREATE TABLE t (other integer)");
        let mut tool = pg_tool(HOLE, "psql");
        server.address(&mut tool, database.name());
        let out = output(tool.args(["-X", "-f", "plain.sql"]).current_dir(scene.path("")));
        assert!(out.stderr().contains("column \"a\" of relation \"t\" does not exist"), "{out}");
        for marker in ["named", "encoded"] {
            assert_eq!(scene.path(marker).exists(), runs, "{marker}: {out}");
            let _ = fs::remove_file(scene.path(marker));
        }
    }
}

#[test]
fn honest_text_that_looks_like_commands_stays_in_the_script() {
    for server in Server::each([HOLE, REFERENCE]) {
        let dir = tempfile::tempdir().unwrap();
        let (archive, ours, marker) = (dir.path().join("archive"), dir.path().join("sql"), dir.path().join("marker"));
        let touch = format!("\\! touch {}", marker.display());
        let origin = server.database("honest");
        origin.sql(&format!(
            r#"CREATE TABLE "a
{touch}
\q" (a text DEFAULT '\', b text DEFAULT E'\\''', c integer[], "\unrestrict" text);
            INSERT INTO "a
{touch}
\q" VALUES ('{touch}', E'x\n{touch}\n\\.', '{{1,2,3}}', '\unrestrict x'), (':USER', '`touch {}`', NULL, E'\\N');
            COMMENT ON TABLE "a
{touch}
\q" IS '\unrestrict
 `x` :HOST';
            CREATE VIEW v AS SELECT c[1:a.n] AS s, 'x' LIKE 'y\' ESCAPE '\' AS l, replace('a', '\', '\\') AS r
                FROM "a
{touch}
\q", (SELECT 2 AS n) a;
            CREATE FUNCTION f(a integer) RETURNS text LANGUAGE plpgsql AS $f$ BEGIN /* \ ' */ RETURN $$ {touch} $$ || '\'; END $f$;
            CREATE FUNCTION g() RETURNS text LANGUAGE sql AS E'SELECT ''{touch}'' /* '' */ -- \\''\n';
            CREATE RULE r AS ON INSERT TO v DO INSTEAD (SELECT 1; SELECT ';\');"#,
            marker.display()
        ));
        for (tool, path) in [("pg_dump", &archive), ("lifeboat", &dir.path().join("other"))] {
            match tool {
                "pg_dump" => origin.pg_dump(REFERENCE, &[], path),
                _ => _ = origin.backup(path, &["--acl"]),
            }
            for options in [&[][..], &["-c", "--if-exists"], &["-a"], &["-C", "-c"], &["--transaction-size=2"]] {
                same(path, options);
            }
            fs::write(&ours, script(path, &["--no-clean"])).unwrap();
            let database = server.database("script");
            for psql in [HOLE, REFERENCE] {
                let mut command = pg_tool(psql, "psql");
                server.address(&mut command, database.name());
                let out = output(command.args(["-X", "-f"]).arg(&ours));
                assert!(!marker.exists(), "psql {psql}: {out}");
                assert_eq!(database.sql("SELECT count(*) FROM pg_proc WHERE proname IN ('f', 'g')"), "2", "{out}");
            }
        }
    }
}

/// Whoever may write a row or name a table could else keep a database from being backed up as a script.
#[test]
fn what_anybody_may_write_stops_no_script() {
    for server in Server::each([HOLE, REFERENCE]) {
        let origin = server.database("loud");
        origin.sql(
            r#"CREATE SCHEMA app; SET search_path = app; CREATE TABLE "\unrestrict `x`" (":LAST_ERROR_MESSAGE" text DEFAULT '\unrestrict `x`', "id" integer PRIMARY KEY, j jsonb, b text);
            INSERT INTO "\unrestrict `x`" VALUES
                (':LAST_ERROR_MESSAGE', 1, '{":LAST_ERROR_MESSAGE": "\\unrestrict `x`"}', '\unrestrict'),
                (E'it''s\n\\unrestrict `x` \\', 2, NULL, ':LAST_ERROR_MESSAGE'), (E'\u00e9\\unrestrict `x`:LAST_ERROR_MESSAGE', 3, NULL, NULL),
                (E'\u20ac0x\\unrestrict `x`', 4, NULL, 'localhost:DBNAME');
            COMMENT ON TABLE "\unrestrict `x`" IS E'\u00e9:LAST_ERROR_MESSAGE\n\\unrestrict `y`';
            CREATE VIEW "v:LAST_ERROR_MESSAGE" AS SELECT 1 AS "\unrestrict `c`", ':LAST_ERROR_MESSAGE'::text AS t;
            CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $f$ BEGIN
                RETURN 'it''s \unrestrict `' || ':LAST_ERROR_MESSAGE'; END $f$;
            CREATE TYPE e AS ENUM ('\unrestrict `x`', ':LAST_ERROR_MESSAGE');
            CREATE TABLE "誠\unrestrict `x`" ("誠:DBNAME" text); INSERT INTO "誠\unrestrict `x`" VALUES ('誠\unrestrict `x`');
            SELECT lo_from_bytea(0, ':LAST_ERROR_MESSAGE')"#,
        );
        let scene = Scene::new();
        let path = |name: &str| scene.path(name);
        for options in [
            &[][..],
            &["--inserts"],
            // The last byte of one of the letters is a backslash then.
            &["--column-inserts", "--encoding=GB18030"],
            &["--column-inserts", "--rows-per-insert=2"],
            &["--quote-all-identifiers", "-c", "--if-exists"],
        ] {
            let mut ours = lifeboat();
            run(ours
                .env("LIFEBOAT_PG_MAJOR", server.major().to_string())
                .args(["pg_dump", "-d", &origin.url(), "-f"])
                .arg(path("plain.sql"))
                .args(options));
            assert_quiet(&fs::read(path("plain.sql")).unwrap());
            let database = server.database("quiet");
            for psql in [HOLE, REFERENCE] {
                database.sql("DROP SCHEMA IF EXISTS app CASCADE; SELECT lo_unlink(oid) FROM pg_largeobject_metadata");
                let mut tool = pg_tool(psql, "psql");
                server.address(&mut tool, database.name());
                let out = output(tool.args(["-X", "-f"]).arg(path("plain.sql")));
                assert!(out.success() && (out.stderr().is_empty() || options.contains(&"-c")), "{options:?}: {out}");
                let dump = |database: &crate::support::Database<'_>, name: &str| {
                    database.pg_dump(REFERENCE, &["-O", "-x"], &path(name));
                    let mut sql = pg_tool(REFERENCE, "pg_restore");
                    run(sql.args(["-f", "-", "--restrict-key=x"]).arg(path(name))).stdout
                };
                assert_eq!(
                    dump(&database, "b").as_bstr(),
                    dump(&origin, "a").as_bstr(),
                    "{options:?} on {}",
                    server.major()
                );
            }
        }
    }
}
