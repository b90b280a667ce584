//! Scripts beside those of real pg_restore, of the same archive under the same options: the same bytes.

use std::fs;
use std::io::Write;
use std::path::Path;

use pgformat::{Compression, DumpId, Entry, Header, Version, Writer};

use super::sample;
use crate::support::archive::{Rows, assert_same};
use crate::support::{Database, REFERENCE, Server, installation, lifeboat, output, pg_tool, run};

/// Options in pg_restore's words. [`ours`] says the same to lifeboat, whose defaults are others.
pub const OPTIONS: &[&[&str]] = &[
    &[],
    &["--clean", "--if-exists", "--no-owner", "--no-acl"],
    &["-c", "--if-exists"],
    &["-c"],
    &["-O", "-x"],
    &["--schema-only"],
    &["-a"],
    &["-a", "--disable-triggers"],
    &["-a", "--disable-triggers", "-S", "Big Boss", "--use-set-session-authorization"],
    &["-c", "--use-set-session-authorization"],
    &["--statistics-only"],
    &["-c", "--no-schema"],
    &["--no-data", "--no-statistics"],
    &["-c", "--if-exists", "-C"],
    &["-C", "--use-set-session-authorization"],
    &["-1", "-c", "--if-exists"],
    &["--transaction-size=3"],
    &["--transaction-size=7", "-c", "--if-exists", "-C"],
    &["--transaction-size=1", "-a"],
    &["--section=pre-data", "-c"],
    &["--section=data"],
    &["--section=data", "--section=post-data", "-x"],
    &["--no-comments", "--no-policies", "--no-publications", "--no-subscriptions", "--no-security-labels"],
    &["--no-tablespaces", "--no-table-access-method"],
    &["--role", "Some \"role\"", "--enable-row-security", "-O"],
    &["-n", "public", "-c"],
    &["-N", "public", "-C"],
];

/// What lifeboat is to be told so that it does what pg_restore does by these options.
pub fn ours<'a>(options: &[&'a str]) -> Vec<&'a str> {
    let has = |names: &[&str]| options.iter().any(|option| names.contains(option));
    let mut result = options.to_vec();
    result.extend((!has(&["-O", "--no-owner"])).then_some("--owner"));
    result.extend((!has(&["-x", "--no-acl"])).then_some("--acl"));
    let is_clean = has(&["-c", "--clean"]);
    result.extend((!is_clean).then_some("--no-clean"));
    result.extend((is_clean && !has(&["--if-exists"])).then_some("--no-if-exists"));
    result
}

/// The script of the archive, by lifeboat.
pub fn script(archive: &Path, options: &[&str]) -> Vec<u8> {
    let mut command = lifeboat();
    command.arg("restore").arg(archive).args(["--script", "-", "--restrict-key", "k3y", "--quiet"]).args(options);
    run(&mut command).stdout
}

/// Fails the test unless lifeboat's script is pg_restore's.
pub fn same(archive: &Path, options: &[&str]) {
    same_as_by(REFERENCE, archive, options);
}

/// As [`same`], for an archive that knows more than pg_restore of the reference does.
fn same_as_by(major: u32, archive: &Path, options: &[&str]) {
    let theirs =
        run(pg_tool(major, "pg_restore").args(["-f", "-", "--restrict-key=k3y"]).args(options).arg(archive)).stdout;
    let ours = script(archive, &ours(options));
    let at = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
    if ours.len() == theirs.len() && at == ours.len() {
        return;
    }
    let around = |text: &[u8]| {
        let from = at.saturating_sub(300);
        String::from_utf8_lossy(&text[from.min(text.len())..(at + 300).min(text.len())]).into_owned()
    };
    panic!("{options:?}: byte {at}\nours:\n{}\n\ntheirs:\n{}", around(&ours), around(&theirs));
}

/// Fails the test unless scripts of the archive are pg_restore's under all [`OPTIONS`].
pub fn same_under_all_options(archive: &Path) {
    OPTIONS.iter().for_each(|options| same(archive, options));
}

#[test]
fn of_what_is_new_in_19() {
    let server = needed!(Server::get(19));
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let origin = server.database("script");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    for case in [
        "statistics_data/extended.sql",
        "publication/exceptions.sql",
        "subscription/servers.sql",
        "aggregate/support.sql",
        "function/empty_lists.sql",
    ] {
        origin.load_file(&cases.join(case));
    }
    origin.pg_dump(19, &["--statistics"], &archive);
    for options in OPTIONS {
        same_as_by(19, &archive, options);
    }
    for options in
        [&["-t", "t"][..], &["-n", "O'Brien\\s"], &["--no-schema"], &["--no-statistics"], &["--section=post-data"]]
    {
        same_as_by(19, &archive, options);
    }
}

fn of_sample(major: u32) {
    let server = needed!(Server::get(major));
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let origin = sample(server);
    origin.pg_dump(major, &["-b"], &archive);
    same_under_all_options(&archive);
    for options in [
        &["-n", "app", "-c"][..],
        &["-N", "app"],
        &["-t", "customer", "-t", "busy", "-I", "by_name", "-P", "twice(integer)", "-T", "orders noted"],
        &["-n", "app", "-t", "customer", "--strict-names", "-c", "--if-exists", "--transaction-size=2"],
        &["-I", "by_name", "-a"],
        &["-j", "4", "-c"],
    ] {
        same(&archive, options);
    }
    lists(&archive, dir.path());
    filters(&archive, dir.path());

    // Rows in other forms.
    for (name, args) in [
        ("inserts", &["--inserts", "-b"][..]),
        ("root", &["--load-via-partition-root", "--no-large-objects"]),
        ("data", &["-a"]),
        ("schema", &["-s"]),
    ] {
        let archive = dir.path().join(name);
        let args: Vec<&str> =
            args.iter().map(|a| if major < 16 && *a == "--no-large-objects" { "--no-blobs" } else { a }).collect();
        origin.pg_dump(major, &args, &archive);
        same(&archive, &[]);
        same(&archive, &["-a", "--transaction-size=4"]);
        same(&archive, &["-c", "--if-exists", "-C"]);
    }
    for format in ["-Fd", "-Ft"] {
        let archive = dir.path().join(format);
        run(origin.tool(major, "pg_dump").args([format, "-b", "-f"]).arg(&archive));
        same(&archive, &["-c", "--if-exists", "-C"]);
        same(&archive, &["-a"]);
    }
    if major == REFERENCE {
        let archive = dir.path().join("statistics");
        origin.sql("ANALYZE");
        origin.pg_dump(major, &["--statistics"], &archive);
        same_under_all_options(&archive);
        same(&archive, &["-t", "customer", "-I", "by_name"]);
        same(&archive, &["-t", "busy", "--statistics-only"]);
        same(&archive, &["--no-schema", "--no-data"]);
    }
}

/// Lists that were reordered and edited; what is in none of the sections keeps to the entry before it.
fn lists(archive: &Path, dir: &Path) {
    let list = run(pg_tool(REFERENCE, "pg_restore").arg("-l").arg(archive)).stdout();
    let mut lines: Vec<&str> = list.lines().collect();
    lines.reverse();
    let path = dir.join("list");
    let path_text = path.to_str().unwrap();
    for (text, options) in [
        (lines.join("\n"), &["-c", "--if-exists"][..]),
        (lines.join("\r\n"), &["--section=post-data"]),
        (lines.iter().step_by(3).copied().collect::<Vec<_>>().join("\n"), &[]),
        (lines.iter().step_by(2).copied().collect::<Vec<_>>().join("\n"), &["-n", "app", "-C", "--transaction-size=5"]),
        (lines.iter().filter(|l| l.contains("DATA")).map(|l| format!("  {l} ; kept\n\n;")).collect(), &["-a"]),
        (
            lines.iter().filter(|l| l.contains("TABLE DATA")).copied().collect::<Vec<_>>().join("\n"),
            &["--disable-triggers"],
        ),
    ] {
        fs::write(&path, text).unwrap();
        same(archive, &[&["-L", path_text], options].concat());
    }
    // What lifeboat lists can be given back to it.
    let listed = run(lifeboat().arg("list").arg(archive)).stdout();
    fs::write(&path, listed).unwrap();
    same(archive, &["-L", path_text]);
}

fn filters(archive: &Path, dir: &Path) {
    let path = dir.join("filter");
    let path_text = path.to_str().unwrap();
    for text in [
        "# a comment\n\ninclude table customer # why\ninclude index by_name\n",
        "include function twice ( integer )\ninclude trigger orders noted",
        "exclude schema app\n",
        "include schema Odd; DROP\ninclude schema app\nexclude schema app\n",
        "include table DROP TABLE\n",
    ] {
        fs::write(&path, text).unwrap();
        same(archive, &["--filter", path_text]);
    }
    // In quotes, pg_restore finds no table, index or schema at all; lifeboat finds those of the name in the quotes.
    fs::write(&path, "include table \"DROP TABLE\"\n").unwrap();
    let quoted = script(archive, &["--filter", path_text]);
    fs::write(&path, "include table DROP TABLE\n").unwrap();
    assert_eq!(quoted, script(archive, &["--filter", path_text]));
    assert!(String::from_utf8_lossy(&quoted).contains("CREATE TABLE \"Odd; DROP\".\"DROP TABLE\""));
}

tests! { of_sample:
    of_an_archive_of_14(14)
    of_an_archive_of_15(15)
    of_an_archive_of_16(16)
    of_an_archive_of_17(17)
    of_an_archive_of_18(18)
}

/// An archive as pg_dump up to 8.4 wrote it, with all that it had and what comes after 10 has not: a path for each schema,
/// owners in definitions, large objects without entries, strings with backslashes.
#[test]
fn of_archives_from_long_ago() {
    needed!(installation::needed(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    let object = |id, desc: &str, schema: &str, tag: &str, definition: &str, drop: &str| {
        let entry = Entry::new(DumpId(id), desc).tag(tag).schema(schema).definition(definition).drop_statement(drop);
        let entry = entry.owner(if id % 2 == 0 { "Old 'owner\\" } else { "alice" });
        entry.copy_statement("").tablespace(if id % 3 == 0 { "Fast" } else { "" })
    };
    let data = |id, desc: &str, schema: &str, tag: &str, copy: &str| {
        let entry = object(id, desc, schema, tag, "", "").has_data(true).copy_statement(copy);
        entry.dependencies(vec![DumpId(4)])
    };
    let entries = vec![
        object(1, "ENCODING", "", "ENCODING", "SET client_encoding = 'LATIN1';\n", ""),
        object(2, "SCHEMA", "", "old", "CREATE SCHEMA old AUTHORIZATION alice;\n", "DROP SCHEMA old;\n"),
        object(
            3,
            "SCHEMA",
            "",
            "public",
            "-- *not* creating schema, since initdb creates it\n",
            "-- *not* dropping it\n",
        ),
        object(4, "TABLE", "old", "t", "CREATE TABLE t (a text);\n", "DROP TABLE old.t;\n"),
        object(5, "COMMENT", "old", "TABLE t", "COMMENT ON TABLE t IS 'x;y';\n", ""),
        object(
            6,
            "PROCEDURAL LANGUAGE",
            "",
            "plpgsql",
            "CREATE PROCEDURAL LANGUAGE plpgsql;\n",
            "DROP PROCEDURAL LANGUAGE plpgsql;\n",
        ),
        object(
            7,
            "FUNCTION",
            "old",
            "f()",
            "CREATE FUNCTION f() RETURNS void AS 'a;b;' LANGUAGE sql;\n",
            "DROP FUNCTION old.f();\n",
        ),
        object(8, "SEQUENCE", "pg_catalog", "s", "CREATE SEQUENCE s;\n", "DROP SEQUENCE pg_catalog.s;\n"),
        object(9, "SEQUENCE SET", "pg_catalog", "s", "SELECT pg_catalog.setval('s', 7, true);\n", ""),
        data(10, "TABLE DATA", "old", "t", "COPY t (a) FROM stdin;\n"),
        data(11, "TABLE DATA", "old", "t", ""),
        data(12, "BLOBS", "", "BLOBS", ""),
        data(13, "BLOB COMMENTS", "", "BLOB COMMENTS", ""),
        object(14, "INDEX", "old", "i", "CREATE INDEX i ON t USING btree (a);\n", "DROP INDEX old.i;\n"),
        object(15, "VIEW", "Other", "v", "CREATE VIEW v AS SELECT 1;\n", "DROP VIEW \"Other\".v;\n"),
        object(16, "ACL", "old", "t", "REVOKE ALL ON TABLE t FROM PUBLIC;\nGRANT ALL ON TABLE t TO bob;\n", ""),
        object(17, "DEFAULT ACL", "old", "DEFAULT", "ALTER DEFAULT PRIVILEGES …;\n", ""),
    ];
    for version in [Version::V1_11, Version::V1_12, Version::V1_13] {
        for strings in ["off", "on"] {
            let mut entries = entries.clone();
            let definition = format!("SET standard_conforming_strings = '{strings}';\n");
            entries.push(object(18, "STDSTRINGS", "", "STDSTRINGS", &definition, ""));
            let mut writer = Writer::new(Vec::new(), Header::new(version, Compression::None), entries).unwrap();
            for (id, rows) in [(10, "1\n\\.\n\n\n"), (11, "INSERT INTO t VALUES ('a;b');\n\n\n")] {
                let mut data = writer.data(DumpId(id)).unwrap();
                data.write_all(rows.as_bytes()).unwrap();
                data.finish().unwrap();
            }
            let mut objects = writer.large_objects(DumpId(12)).unwrap();
            for (oid, size) in [(3_000_000_000, 40_000), (7, 0), (8, 16 * 1024), (9, 16 * 1024 + 1)] {
                let mut object = objects.object(oid).unwrap();
                object.write_all(&vec![b'x'; size]).unwrap();
                object.finish().unwrap();
            }
            objects.finish().unwrap();
            let mut comments = writer.data(DumpId(13)).unwrap();
            comments.write_all(b"COMMENT ON LARGE OBJECT 7 IS 'x';\n").unwrap();
            comments.finish().unwrap();
            fs::write(&path, writer.finish().unwrap()).unwrap();
            same_under_all_options(&path);
        }
    }
}

/// What psql makes of a script, in a new database.
fn run_script<'a>(server: &'a Server, script: &Path) -> (Database<'a>, String) {
    let database = server.database("script");
    let out = run(server.psql_command(database.name()).args(["-v", "ON_ERROR_STOP=1", "-f"]).arg(script));
    assert!(out.stderr.is_empty(), "{out}");
    (database, out.stdout())
}

#[test]
fn psql_makes_the_same_database_of_it() {
    for server in Server::all() {
        let major = server.major().max(14);
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| dir.path().join(name);
        let origin = sample(server);
        origin.pg_dump(major, &["-b"], &file("archive"));
        let out = run(lifeboat().arg("restore").arg(file("archive")).arg("--script").arg(file("sql")).args([
            "--owner",
            "--acl",
            "--no-clean",
            "--single-transaction",
            "--json",
        ]));
        let said = out.json();
        assert_eq!(said["bytes"].as_u64().unwrap(), fs::metadata(file("sql")).unwrap().len(), "{out}");
        assert_eq!((said["ok"].as_bool(), said["large_objects"].as_u64()), (Some(true), Some(4)), "{out}");
        // Before 17 there is a setting less.
        let text = fs::read(file("sql")).unwrap();
        let text = if server.major() < 17 {
            String::from_utf8(text).unwrap().replace("SET transaction_timeout = 0;\n", "").into_bytes()
        } else {
            text
        };
        fs::write(file("sql"), text).unwrap();
        let (restored, _) = run_script(server, &file("sql"));
        restored.pg_dump(major, &["-b"], &file("again"));
        assert_same("after psql", &file("archive"), &file("again"), Rows::AnyOrder);
    }
}

#[test]
fn nothing_breaks_out_of_a_comment() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    // Names, of a role too, which stands in every comment.
    let evil = "script\n\\! echo BROKEN OUT\nCREATE TABLE broken_out (); --";
    let quoted = format!("\"{evil}\"");
    server.sql("postgres", &format!("DROP ROLE IF EXISTS {quoted}; CREATE ROLE {quoted}"));
    let origin = server.database_with("hard' \\name", "");
    origin.sql(&format!(
        r#"CREATE SCHEMA {quoted} AUTHORIZATION {quoted};
        CREATE TABLE {quoted}.{quoted} ({quoted} text PRIMARY KEY, n serial);
        INSERT INTO {quoted}.{quoted} VALUES ('{evil}'), ('\.'), (E'\\.\n\\.\r\n\\! echo BROKEN OUT');
        COMMENT ON TABLE {quoted}.{quoted} IS '{evil}';
        ALTER TABLE {quoted}.{quoted} OWNER TO {quoted};
        CREATE FUNCTION {quoted}.{quoted}(a integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
        CREATE TYPE {quoted}."t\." AS ENUM ('{evil}');
        SELECT lo_from_bytea(4711, convert_to('{evil}', 'UTF8'));
        GRANT SELECT ON {quoted}.{quoted} TO {quoted}"#
    ));
    origin.pg_dump(REFERENCE, &[], &file("archive"));
    for options in OPTIONS {
        same(&file("archive"), options);
    }
    for (name, options) in
        [("plain", &["--no-clean"][..]), ("clean", &["--owner", "--acl"]), ("all", &["--owner", "--acl", "--no-clean"])]
    {
        fs::write(file(name), script(&file("archive"), options)).unwrap();
        let (restored, said) = run_script(server, &file(name));
        assert!(!said.contains("BROKEN OUT"), "{said}");
        assert_eq!(restored.sql("SELECT count(*) FROM pg_class WHERE relname = 'broken_out'"), "0");
        if name != "plain" {
            restored.assert_is(name, &file("archive"));
        }
    }
    // And into the database of the hard name, made anew by the script.
    let name = origin.name().to_owned();
    fs::write(file("create"), script(&file("archive"), &["--create", "--owner", "--acl"])).unwrap();
    let out = run(server.psql_command("postgres").args(["-v", "ON_ERROR_STOP=1", "-f"]).arg(file("create")));
    assert!(!out.stdout().contains("BROKEN OUT"), "{out}");
    assert_eq!(origin.sql("SELECT current_database()"), name);
    origin.assert_is("created", &file("archive"));
    drop(origin);
    server.sql("postgres", &format!("DROP ROLE {quoted}"));
}

#[test]
fn a_hostile_archive_ends_no_comment_and_no_rows_early() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("archive");
    let write = |rows: &[u8], evil: &str| {
        let table =
            Entry::new(DumpId(1), "TABLE DATA").has_data(true).tag(evil).copy_statement("COPY public.t FROM stdin;\n");
        let odd =
            Entry::new(DumpId(2), evil).tag(evil).schema(evil).owner(evil).tablespace(evil).definition("SELECT 1;");
        let mut header = Header::new(Version::V1_14, Compression::None);
        header.server_version = evil.into();
        header.dumper_version = evil.into();
        // Without it, there would be a path for each schema, in quotes.
        let path = Entry::new(DumpId(3), "SEARCHPATH").definition("SELECT 2;\n");
        let mut writer = Writer::new(Vec::new(), header, vec![odd, table, path]).unwrap();
        let mut data = writer.data(DumpId(1)).unwrap();
        data.write_all(rows).unwrap();
        data.finish().unwrap();
        fs::write(&file, writer.finish().unwrap()).unwrap();
    };
    let evil = "x\r\n\\! touch /tmp/x\nDROP TABLE t;";
    write(b"1\n\\.\n\n\n", evil);
    let text = String::from_utf8(script(&file, &["--owner", "--no-tablespaces"])).unwrap();
    assert!(!text.lines().any(|line| line.starts_with("\\!") || line.starts_with("DROP")), "{text}");
    for (rows, why) in [
        (&b"1\n\\.\nDROP TABLE t;\n"[..], "after the end mark"),
        (b"1\n\\.\r\n\\! touch /tmp/x\n\\.\n", "after the end mark"),
        (b"1\n2", "no end mark"),
        (b"1\n\\.", "no end mark"),
    ] {
        write(rows, "t");
        let script = dir.path().join("sql");
        let out = output(lifeboat().arg("restore").arg(&file).arg("--script").arg(&script));
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains(why), "{out}");
        assert!(!script.exists());
    }
}

#[test]
fn a_script_file_appears_complete_or_not_at_all_and_replaces_none_unasked() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let (archive, path) = (dir.path().join("archive"), dir.path().join("sql"));
    sample(server).pg_dump(REFERENCE, &[], &archive);
    let to_file = |more: &[&str]| output(lifeboat().arg("restore").arg(&archive).arg("--script").arg(&path).args(more));
    assert_eq!(to_file(&[]).code(), 0);
    let first = fs::read_to_string(&path).unwrap();
    assert_eq!(to_file(&[]).code(), 4);
    assert_eq!(fs::read_to_string(&path).unwrap(), first);
    assert_eq!(to_file(&["--force"]).code(), 0);
    // The key is another one each time.
    let second = fs::read_to_string(&path).unwrap();
    assert_ne!(first, second);
    let key = |text: &str| text.lines().find_map(|l| l.strip_prefix("\\restrict ")).unwrap().to_owned();
    assert_eq!(first.replace(&key(&first), &key(&second)), second);
    // From a pipe.
    let out = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "cat '{}' | '{}' restore - --script - --restrict-key k3y",
            archive.display(),
            env!("CARGO_BIN_EXE_lifeboat")
        ))
        .output()
        .unwrap();
    assert_eq!(out.stdout, script(&archive, &[]));
    // A full disk leaves nothing.
    if Path::new("/dev/full").exists() {
        let out = output(lifeboat().arg("restore").arg(&archive).args(["--script", "/dev/full"]));
        assert_eq!(out.code(), 1, "{out}");
    }
}
