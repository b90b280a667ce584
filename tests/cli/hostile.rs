//! Text of others, wherever it may come from, neither forges a line of lifeboat's nor drives a terminal: every verb is run
//! on what is hostile from end to end, and all that it says is looked at.

use std::ffi::OsStr;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use pgformat::{Compression, DumpId, Entry, Header, Version, Writer};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;

use crate::support::process::assert_plain;
use crate::support::{Database, Options, Output, REFERENCE, Scene, Server, lifeboat, output, run};

/// Ends a line in each way there is, turns the direction of writing and drives a terminal.
const EVIL: &str = "x\nlifeboat: FORGED\r\u{1b}[31m\u{85}\u{9b}2K\u{2028}\u{202e}\u{7f}\u{b}\u{c}\tlifeboat: FORGED";

/// What lifeboat says, however it comes to its end; nothing of it is hostile.
fn says(command: &mut Command) -> Output {
    let out = output(command);
    assert_plain(&out);
    assert!(!out.to_string().contains("internal error"), "{out}");
    out
}

/// The same in all the ways in which it can be said.
fn says_in_all_ways(arguments: &[&OsStr]) -> Output {
    for more in [&["--json"][..], &["--verbose"], &["--quiet"]] {
        let out = says(lifeboat().args(arguments).args(more));
        if more == ["--json"] && out.code() != 2 {
            serde_json::from_slice::<Value>(&out.stdout).unwrap_or_else(|e| panic!("{e}: {out}"));
        }
    }
    says(lifeboat().args(arguments))
}

fn says_of(arguments: &[&str]) -> Output {
    says_in_all_ways(&arguments.iter().map(OsStr::new).collect::<Vec<_>>())
}

/// A database in which everything is called so, and which has something to say to who restores it.
fn hostile<'a>(server: &'a Server, options: &str, name: &[u8], dir: &Path) -> Database<'a> {
    let database = server.database_with("hostile", options);
    let script = dir.join("script.sql");
    let mut text = b"\\encoding SQL_ASCII\n\\set x '".to_vec();
    name.iter().for_each(|byte| text.extend(format!("\\x{byte:02x}").bytes()));
    text.extend_from_slice(b"'\n\\i ");
    text.extend_from_slice(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/objects/names/every_kind.inc").as_bytes());
    // Where it is restored, a row makes noise, and another is refused with all the words that there are.
    text.extend_from_slice(
        b"\nRESET SESSION AUTHORIZATION; RESET ROLE; SET search_path = public;
        CREATE FUNCTION public.noise(a integer, name text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
            IF current_database() !~ '^target' THEN RETURN true; END IF;
            RAISE NOTICE '%', name USING DETAIL = name, HINT = name;
            RAISE WARNING '%', name USING DETAIL = name, HINT = name;
            IF a = 2 THEN
                RAISE EXCEPTION '%', name USING DETAIL = name || name, HINT = name, TABLE = name;
            END IF;
            RETURN true;
        END $$;
        CREATE TABLE public.noisy (a integer, name text);
        ALTER TABLE public.noisy ADD CONSTRAINT :\"x\" CHECK (public.noise(a, name));
        INSERT INTO public.noisy VALUES (1, :'x');
        CREATE TABLE public.refused (a integer, name text);
        ALTER TABLE public.refused ADD CONSTRAINT :\"x\" CHECK (public.noise(a, name));
        INSERT INTO public.refused VALUES (2, :'x');\n",
    );
    fs::write(&script, text).unwrap();
    database.load_file(&script);
    database
}

/// Backs up, and does everything that can be done with what comes of it.
fn every_verb(server: &Server, options: &str, name: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(format!("folder {EVIL}"));
    fs::create_dir(&folder).unwrap();
    let database = hostile(server, options, name, dir.path());
    let target = server.database_with("target", options);
    let (url, target_url) = (database.url(), target.url());
    let [ours, theirs] = [&b"ours \xff"[..], b"theirs"].map(|name| folder.join(OsStr::from_bytes(name)));

    let out = says(lifeboat().args(["backup", "--url", &url, "--acl", "--verbose", "--output"]).arg(&ours));
    assert_eq!(out.code(), 0, "{out}");
    database.pg_dump(REFERENCE, &[], &theirs);
    let again = folder.join("again");
    let words = ["backup", "--url", &url, "--force", "--output"].map(OsStr::new);
    assert_eq!(says_in_all_ways(&[&words[..], &[again.as_os_str()]].concat()).code(), 0);
    assert_eq!(says_in_all_ways(&[&words[..3], &words[4..], &[again.as_os_str()]].concat()).code(), 4);
    for archive in [&ours, &theirs] {
        let archive = archive.as_os_str();
        let with = |words: &[&str]| {
            let words: Vec<&OsStr> = words.iter().map(OsStr::new).chain([archive]).collect();
            says_in_all_ways(&words)
        };
        assert_eq!(with(&["list"]).code(), 0);
        assert_eq!(with(&["list", "--sizes"]).code(), 0);
        assert_eq!(with(&["list", "--rows"]).code(), 0);
        assert_eq!(with(&["verify"]).code(), 0);
        assert_eq!(with(&["status", "--exact", "--url", &url]).code(), 0);
        assert_ne!(with(&["check", "--url", &url, "--backups"]).code(), 2);
        assert_eq!(with(&["restore", "--url", &target_url, "--dry-run"]).code(), 0);
        for more in [&["--owner", "--acl"][..], &["-e"], &["-1"], &["--jobs", "2"], &["--transaction-size", "5"], &[]] {
            let out = with(&[&["restore", "--url", &target_url, "--force"], more].concat());
            assert!([1, 3].contains(&out.code()), "{out}");
            assert!(out.stderr().contains("lifeboat: FORGED"), "the server's words are missing: {out}");
        }
        assert_eq!(with(&["restore", "--url", &target_url]).code(), 4);
        assert_eq!(with(&["restore", "--url", &url, "--dry-run", "--table", EVIL, "--schema", EVIL]).code(), 0);
        let list = folder.join(format!("list {EVIL}"));
        fs::write(&list, format!("{EVIL}\n1; {EVIL}\n999999; {EVIL}\n")).unwrap();
        with(&["restore", "--url", &target_url, "--force", "--use-list", list.to_str().unwrap()]);
        with(&["restore", "--url", &target_url, "--force", "--filter", list.to_str().unwrap()]);
        let script = folder.join(format!("script {EVIL}"));
        with(&["restore", "--force", "--script", script.to_str().unwrap()]);
        assert!(script.exists());
    }
    // Damaged in many places.
    let bytes = fs::read(&ours).unwrap();
    for part in 1..12 {
        let mut damaged = bytes.clone();
        let at = bytes.len() * part / 12;
        damaged[at..at + 4].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&again, damaged).unwrap();
        for verb in ["verify", "list", "status"] {
            says_in_all_ways(&[OsStr::new(verb), again.as_os_str()]);
        }
    }
    let drill = says(lifeboat().args(["drill", "--url", &url, "--scratch"]).arg(&folder));
    assert_eq!(drill.code(), 0, "{drill}");
    assert_eq!(says(lifeboat().args(["drill", "--json", "--url", &url, "--scratch"]).arg(&folder)).code(), 0);
    on_a_terminal(&ours, &target);
}

/// What the bar shows then.
const SEEN: &str = "TABLE DATA public.noisy";

/// A restore on a terminal, held while its bar shows what it works on.
fn on_a_terminal(archive: &Path, target: &Database<'_>) {
    // Rows wait for this lock; the other session is gone when the test wants it to be.
    target.sql(
        "DROP SCHEMA IF EXISTS gate CASCADE; CREATE SCHEMA gate; DROP TABLE IF EXISTS public.noisy CASCADE;
        CREATE TABLE public.noisy (a integer, name text)",
    );
    let mut holder =
        target.server().psql_command(target.name()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut orders = holder.stdin.take().unwrap();
    writeln!(orders, "BEGIN; LOCK TABLE public.noisy; \\echo held").unwrap();
    let mut held = [0; 5];
    holder.stdout.as_mut().unwrap().read_exact(&mut held).unwrap();

    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let mut command = lifeboat();
    command.arg("restore").arg(archive).args([
        "--force",
        "--no-clean",
        "--data-only",
        "--verbose",
        "--url",
        &target.url(),
    ]);
    command.stdin(Stdio::null()).stdout(terminal.try_clone().unwrap()).stderr(terminal).env("TERM", "xterm");
    let mut child = command.spawn().unwrap();
    // Or its copies of the terminal would stay open here.
    drop(command);
    let mut screen = fs::File::from(master);
    let (mut text, mut piece, mut is_seen) = (Vec::new(), [0; 4096], false);
    // It fails when the last one who has the terminal open is gone.
    while let Ok(n @ 1..) = screen.read(&mut piece) {
        text.extend_from_slice(&piece[..n]);
        // The bar shows the table that waits.
        if !is_seen && String::from_utf8_lossy(&text).contains(SEEN) {
            is_seen = true;
            writeln!(orders, "ROLLBACK;").unwrap();
        }
    }
    drop(orders);
    holder.wait().unwrap();
    child.wait().unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains(SEEN), "no bar was seen: {text:?}");
    assert!(text.contains("lifeboat: FORGED"), "{text:?}");
    // Codes that draw a bar, and end lines on a terminal.
    let mut plain = text.replace("\r\n", "\n").replace('\r', "\n");
    for code in ["\u{1b}[2K", "\u{1b}[K", "\u{1b}[1A", "\u{1b}[1B", "\u{1b}[?25l", "\u{1b}[?25h"] {
        plain = plain.replace(code, "");
    }
    crate::support::process::assert_text_is_plain(&plain, &text);
}

#[test]
fn names_and_messages_of_a_hostile_server_are_escaped_by_every_verb() {
    for major in [13, REFERENCE] {
        // Of its own: tests that have their dumps written in another encoding would read these roles' names, which have none.
        let Ok(server) = &Server::with(major, &Options::default()) else { continue };
        let encodings = if major == REFERENCE { &["UTF8", "LATIN1", "SQL_ASCII"][..] } else { &["UTF8"] };
        thread::scope(|scope| {
            for encoding in encodings {
                scope.spawn(move || {
                    // Roles are the cluster's: each has its own.
                    let (first, rest) = (encoding.as_bytes()[0], &EVIL.as_bytes()[1..]);
                    // Elsewhere, what is a character of two bytes or three here is one of one.
                    let bytes = b"\nlifeboat: FORGED\r\x1b[31m\x85\x9b2K\x7f\x0b\x0c\tlifeboat: FORGED\xe9";
                    let rest = if *encoding == "UTF8" { rest } else { bytes };
                    let name = [&[first], rest].concat();
                    every_verb(server, &format!("ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"), &name);
                });
            }
        });
    }
}

#[test]
fn command_lines_urls_environment_and_paths_are_escaped() {
    let long = format!("--{EVIL}");
    let file = format!("/nowhere/{EVIL}");
    let url = |rest: &str| format!("postgresql://{rest}");
    let encoded: String = EVIL.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let (user, host, port) =
        (url(&format!("{encoded}:secret@127.0.0.1:1/d")), url(&format!("{encoded}/d")), url(&format!("h:{EVIL}/d")));
    let option = url(&format!("127.0.0.1:1/{encoded}?{encoded}=1"));
    let mode = url(&format!("127.0.0.1:1/d?sslmode={encoded}&connect_timeout={encoded}"));
    let words = format!("host='{EVIL}' {EVIL}=1");
    let scheme = format!("{EVIL}://x");
    for arguments in [
        &[EVIL][..],
        &[&long],
        &["backup", &long],
        &["backup", EVIL],
        &["backup", "--output"],
        &["backup", "--output", &file, "--url", &file],
        &["backup", "--output", &file, "--compress", EVIL, "--url", &url("h/d")],
        &["backup", "--output", &file, "--archive-version", EVIL],
        &["backup", "--output", &file, "--jobs", EVIL],
        &["backup", "--output", &file, "--section", EVIL],
        &["backup", "--output", &file, "--filter", &file, "--url", &url("127.0.0.1:1/d")],
        &["backup", "--output", &file, "--url", &user],
        &["backup", "--output", &file, "--url", &host],
        &["backup", "--output", &file, "--url", &port],
        &["backup", "--output", &file, "--url", &option],
        &["backup", "--output", &file, "--url", &mode],
        &["backup", "--output", &file, "--url", &words],
        &["backup", "--output", &file, "--url", &scheme],
        &["restore", &file, "--url", &user],
        &["restore", &file, "--url", &format!("sqlite:///{EVIL}"), "--force"],
        &["restore", &file, "--restrict-key", EVIL, "--script", &file],
        &["restore", &file, "--transaction-size", EVIL],
        &["restore", "--script", EVIL, EVIL, EVIL],
        &["list", &file],
        &["list", EVIL],
        &["verify", &file],
        &["verify", EVIL, EVIL],
        &["status", &file],
        &["check", "--url", &user],
        &["check", "--url", &url("127.0.0.1:1/d"), "--backups", &file, "--output", &file],
        &["check", "--url", &url("127.0.0.1:1/d"), "--backups", &file, "--max-age", EVIL],
        &["prune", &file, "--url", &user, "--keep-last", "1"],
        &["prune", &file, "--url", &user, "--keep-last", EVIL],
        &["drill", "--scratch", &file],
        &["drill", "--url", &format!("sqlite:///{EVIL}")],
        &["drill", "--url", &user],
    ] {
        let out = says_of(arguments);
        assert!([1, 2].contains(&out.code()), "{out}");
        assert!(!out.stderr().contains("secret") && !out.stdout().contains("secret"), "{out}");
    }
    for (name, value) in [
        ("DATABASE_URL", EVIL),
        ("PGHOST", EVIL),
        ("PGPORT", EVIL),
        ("PGSSLMODE", EVIL),
        ("PGSERVICE", EVIL),
        ("PGPASSFILE", &file),
        ("PGSSLROOTCERT", &file),
        ("PGOPTIONS", EVIL),
        ("LIFEBOAT_IDLE_TIMEOUT", EVIL),
    ] {
        says(lifeboat().args(["backup", "--help"]).env(name, value));
        let out = says(lifeboat().args(["backup", "--output", &file]).env(name, value));
        assert_ne!(out.code(), 0, "{out}");
        let url = url("127.0.0.1:1/d");
        says(lifeboat().args(["backup", "--verbose", "--output", &file, "--url", &url]).env(name, value));
    }
    // By whatever name it is called.
    use std::os::unix::process::CommandExt;
    for argument in ["--help", "--version", "backup", EVIL] {
        says(lifeboat().arg0(format!("/{EVIL}")).arg(argument));
    }
}

#[test]
fn hostile_archives_are_told_in_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join(EVIL);
    let mut header = Header::new(Version::V1_14, Compression::None);
    (header.server_version, header.dumper_version, header.dbname) = (EVIL.into(), EVIL.into(), EVIL.into());
    let entry = |id, desc: &str, definition: &str| {
        let entry = Entry::new(DumpId(id), desc).tag(EVIL).schema(EVIL).owner(EVIL).tablespace(EVIL);
        entry.table_access_method(EVIL).definition(definition)
    };
    let data = |id| entry(id, "TABLE DATA", "").has_data(true).copy_statement(format!("COPY {EVIL}"));
    let warning = entry(7, "WARNING", EVIL);
    let entries = vec![
        entry(1, EVIL, EVIL),
        entry(2, "TABLE", EVIL),
        data(3).dependencies(vec![DumpId(2)]),
        data(4).copy_statement(format!("COPY \"{EVIL}\" (a) FROM stdin;\n")),
        entry(5, "EXTENSION", EVIL),
        entry(6, "COMMENT", EVIL),
        warning,
    ];
    let mut writer = Writer::new(Vec::new(), header, entries).unwrap();
    for id in [3, 4] {
        let mut data = writer.data(DumpId(id)).unwrap();
        data.write_all(EVIL.as_bytes()).unwrap();
        data.finish().unwrap();
    }
    fs::write(&file, writer.finish().unwrap()).unwrap();
    let with = |words: &[&str]| {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).chain([file.as_os_str()]).collect();
        says_in_all_ways(&words)
    };
    for words in [
        &["list"][..],
        &["list", "--sizes"],
        &["list", "--rows"],
        &["verify"],
        &["status"],
        &["restore", "--script", "/dev/null"],
        &["restore", "--script", "/dev/null", "--create", "--owner"],
        &["restore", "--script", "/dev/null", "--table", EVIL],
    ] {
        with(words);
    }
    // In an encoding, the string constants and the search path, which must be what they are.
    for desc in ["ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "BLOB METADATA"] {
        let writer =
            Writer::new(Vec::new(), Header::new(Version::V1_16, Compression::None), vec![entry(1, desc, EVIL)]);
        fs::write(&file, writer.unwrap().finish().unwrap()).unwrap();
        with(&["restore", "--script", "/dev/null", "--create"]);
        with(&["verify"]);
    }
    let target = needed!(Server::get(REFERENCE)).database("target");
    for more in [&[][..], &["-1"], &["--jobs", "2"], &["--dry-run"]] {
        with(&[&["restore", "--force", "--url", &target.url()], more].concat());
    }
}

#[test]
fn list_is_pg_restore_s_with_line_breaks_in_names_and_safe_beyond_that() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("listed");
    database.sql("CREATE TABLE \"a\nb\r\n c\" (i integer); CREATE TABLE \"d\u{1b}[31m\u{202e}\te\" (i integer)");
    let scene = Scene::of(&database, &[]);
    let theirs = run(crate::support::pg_tool(REFERENCE, "pg_restore").arg("-l").arg(scene.archive())).stdout();
    let ours = run(lifeboat().arg("list").arg(scene.archive())).stdout();
    let escaped = theirs.replace("\u{1b}[31m\u{202e}\te", "\\u{1b}[31m\\u{202e}\\te");
    assert_ne!(escaped, theirs, "pg_restore escapes by itself now");
    let of_tables = |list: &str| list.lines().filter(|l| l.contains(" TABLE ")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(of_tables(&ours), of_tables(&escaped));
}
