//! An archive is read through before anything is dropped for its sake, and nothing comes out of its data but data.

use std::fs;
use std::io::{self, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use lifeboat::postgres::archive::{self, Archive};
use pgformat::{Block, Compression, DumpId, Entry, Header, Version, Writer};

use crate::support::{Database, REFERENCE, Running, Scene, Server, lifeboat, lifeboat_reading, output, run, verbs};

/// Tables, one of which has most of the rows, and a large object.
fn origin(server: &Server) -> Database<'_> {
    let database = server.database("verified");
    database.sql(
        "CREATE TABLE large AS SELECT g AS id, md5(g::text) AS text FROM generate_series(1, 20000) g;
         CREATE TABLE small (id integer PRIMARY KEY); INSERT INTO small SELECT generate_series(1, 10);
         CREATE VIEW v AS SELECT id FROM small; SELECT lo_from_bytea(4711, convert_to(repeat('object', 20000), 'UTF8'))",
    );
    database
}

/// What is in a database, files of tables included: what was dropped and made anew is not the same.
fn contents(database: &Database<'_>) -> String {
    database.sql(
        "SELECT string_agg(oid || ' ' || relname || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class;
         SELECT count(*) FROM large; SELECT count(*) FROM small; SELECT length(lo_get(4711))",
    )
}

/// The largest file under a path, or the path itself.
fn largest(path: &Path) -> PathBuf {
    if !path.is_dir() {
        return path.to_owned();
    }
    let files = fs::read_dir(path).unwrap().map(|file| file.unwrap().path());
    files.filter(|file| !file.ends_with("toc.dat")).max_by_key(|file| file.metadata().unwrap().len()).unwrap()
}

#[test]
fn damaged_archive_costs_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = origin(server);
    let before = contents(&origin);
    let dump = |name: &str, options: &[&str]| {
        run(origin.tool(REFERENCE, "pg_dump").args(options).arg("-f").arg(scene.path(name)));
        scene.path(name)
    };
    for (name, options) in [
        ("custom", &["-Fc"][..]),
        ("zstd", &["-Fc", "-Zzstd"]),
        ("plain", &["-Fc", "-Z0"]),
        ("folder", &["-Fd"]),
        ("tar", &["-Ft"]),
    ] {
        let path = dump(name, options);
        let file = largest(&path);
        let whole = fs::read(&file).unwrap();
        let mut damaged = whole.clone();
        if ["plain", "tar"].contains(&name) {
            // No checksum tells it, but a column is missing.
            let place = whole.windows(5).position(|bytes| bytes == b"9000\t").unwrap();
            damaged[place + 4] = b' ';
        } else {
            let place = whole.len() / 2;
            damaged[place..place + 4].iter_mut().for_each(|byte| *byte ^= 0x55);
        }
        fs::write(&file, damaged).unwrap();
        for options in [&[][..], &["-1"], &["--jobs", "4"], &["--data-only"], &["-t", "large"], &["--section", "data"]]
        {
            let out = origin.try_restore(&path, options);
            let said = out.stderr();
            assert_eq!(out.code(), 1, "{name} {options:?}: {out}");
            assert!(said.contains("TABLE DATA public.large") && said.contains("nothing was changed"), "{name}: {out}");
            assert_eq!(contents(&origin), before, "{name} {options:?}");
        }
        let out = output(lifeboat().arg("restore").arg(&path).args(["--dry-run", "--url", &origin.url()]));
        assert!(out.code() == 1 && out.stderr().contains("TABLE DATA public.large"), "{name}: {out}");
        // What is not wanted need not be whole.
        for options in [&["-t", "small"][..], &["--schema-only"], &["-t", "small", "--jobs", "2"]] {
            let out = server.database("verified").try_restore(&path, options);
            assert_eq!(out.code(), 0, "{name} {options:?}: {out}");
        }
        let target = server.database("verified");
        // Without the check, the other tables are to be had.
        let out = target.try_restore(&path, &["--no-verify"]);
        assert!([1, 3].contains(&out.code()) && !out.stderr().contains("nothing was changed"), "{name}: {out}");
        // From a pipe it is seen when it comes.
        if name != "folder" {
            let mut command = lifeboat_reading(&path, true);
            let out = output(command.args(["restore", "-", "--force", "--url", &target.url()]));
            assert!([1, 3].contains(&out.code()) && !out.stderr().contains("nothing was changed"), "{name}: {out}");
        }
        fs::write(&file, whole).unwrap();
        let out = server.database("verified").try_restore(&path, &["--jobs", "3"]);
        assert_eq!(out.code(), 0, "{name}: {out}");
    }
    // A large object.
    let path = dump("objects", &["-Fd"]);
    let object = path.join("blob_4711.dat.gz");
    let mut bytes = fs::read(&object).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4].iter_mut().for_each(|byte| *byte ^= 0x55);
    fs::write(&object, bytes).unwrap();
    let out = origin.try_restore(&path, &[]);
    assert!(out.code() == 1 && out.stderr().contains("BLOBS"), "{out}");
    assert_eq!(contents(&origin), before);
}

#[test]
fn signal_before_the_restore_has_begun_changes_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    origin(server).pg_dump(REFERENCE, &[], &scene.archive());
    // A server that never says anything: the archive is checked, and nothing else can be done.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgresql://app@127.0.0.1:{}/app?sslmode=disable", silent.local_addr().unwrap().port());
    let restore = Running::start(&mut verbs::restore(&url, &scene.archive(), &[]));
    let (_connection, _) = silent.accept().unwrap();
    let out = restore.ended_by("TERM");
    assert_eq!(out.code(), 143, "{out}");
    assert!(out.stderr().contains("nothing was changed"), "{out}");
}

/// Reads an entry's data.
fn read(archive: &mut Archive, id: DumpId) -> Result<u64, String> {
    match archive.block(id).map_err(|error| error.to_string())? {
        Some(Block::Data(mut data)) => io::copy(&mut data, &mut io::sink()).map_err(|error| error.to_string()),
        _ => Err("no rows".to_owned()),
    }
}

#[test]
fn file_that_is_replaced_after_it_was_checked_is_refused() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = origin(server);
    let (folder, file) = (scene.path("folder"), scene.path("file"));
    run(origin.tool(REFERENCE, "pg_dump").args(["-Fd", "-f"]).arg(&folder));
    origin.pg_dump(REFERENCE, &[], &file);
    for path in [&folder, &file] {
        let mut archive = archive::open(path, "read").unwrap();
        let is_data = |entry: &&Entry| entry.tag.as_ref().is_some_and(|tag| tag == "large") && entry.has_data;
        let id = archive.entries().iter().find(is_data).unwrap().dump_id;
        let mut another = archive.another().unwrap();
        read(&mut another, id).unwrap();
        let changed = largest(path);
        let bytes = fs::read(&changed).unwrap();
        match path == &folder {
            // The same bytes in another file: nobody has checked them.
            true => {
                fs::write(scene.path("new"), bytes).unwrap();
                fs::rename(scene.path("new"), &changed).unwrap();
            }
            false => fs::OpenOptions::new().append(true).open(&changed).unwrap().write_all(b"more").unwrap(),
        }
        let error = read(&mut archive, id).unwrap_err();
        assert!(error.contains("changed or replaced"), "{error}");
    }
    // A file that gets another name, or whose name another gets, is the same: it is open.
    origin.pg_dump(REFERENCE, &[], &file);
    let mut archive = archive::open(&file, "read").unwrap();
    let id = archive.entries().iter().find(|entry| entry.has_data).unwrap().dump_id;
    fs::rename(&file, scene.path("other")).unwrap();
    fs::write(&file, "nothing").unwrap();
    read(&mut archive, id).unwrap();
}

#[test]
fn bytes_that_no_server_takes_cost_nothing_in_formats_without_checksums() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = origin(server);
    let before = contents(&origin);
    for (name, options) in [("plain", &["-Fc", "-Z0"][..]), ("folder", &["-Fd", "-Z0"]), ("tar", &["-Ft"])] {
        let path = scene.path(name);
        run(origin.tool(REFERENCE, "pg_dump").args(options).arg("-f").arg(&path));
        let file = largest(&path);
        let whole = fs::read(&file).unwrap();
        for (bytes, what) in [(&[0_u8; 8][..], "a zero byte"), (&[0xff], "a byte that is no character in UTF-8")] {
            let mut damaged = whole.clone();
            let place = whole.windows(5).position(|bytes| bytes == b"9000\t").unwrap() + 10;
            damaged[place..place + bytes.len()].copy_from_slice(bytes);
            fs::write(&file, damaged).unwrap();
            for options in [&[][..], &["-t", "large"], &["--jobs", "2"]] {
                let out = origin.try_restore(&path, options);
                assert!(out.code() == 1 && out.stderr().contains(&format!("row 9000 has {what}")), "{name}: {out}");
                assert!(out.stderr().contains("nothing was changed"), "{name}: {out}");
            }
            assert_eq!(contents(&origin), before, "{name}");
            assert_eq!(output(lifeboat().arg("verify").arg(&path)).code(), 1, "{name}");
        }
    }
}

#[test]
fn bytes_that_no_server_takes_in_a_table_of_contents_cost_nothing() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let origin = origin(server);
    let before = contents(&origin);
    let path = scene.path("archive");
    run(origin.tool(REFERENCE, "pg_dump").arg("-Fc").arg("-f").arg(&path));
    let whole = fs::read(&path).unwrap();
    for text in ["CREATE TABLE public.large", "DROP TABLE public.large", "COPY public.large", "CREATE VIEW public.v"] {
        for (byte, what) in [(0, "zero byte"), (0xff, "no characters in UTF-8")] {
            // A statement for rows must be COPY to begin with.
            let what = if text.starts_with("COPY") && byte == 0 { "is not COPY" } else { what };
            let mut damaged = whole.clone();
            let place = whole.windows(text.len()).position(|bytes| bytes == text.as_bytes()).unwrap();
            damaged[place + text.len() - 2] = byte;
            fs::write(&path, damaged).unwrap();
            for options in [&[][..], &["-1"], &["--jobs", "2"]] {
                let out = origin.try_restore(&path, options);
                assert!(out.code() == 1 && out.stderr().contains(what), "{text} {byte} {options:?}: {out}");
                assert!(out.stderr().contains("nothing was changed"), "{text} {byte} {options:?}: {out}");
            }
            let mut command = lifeboat_reading(&path, true);
            let out = output(command.args(["restore", "-", "--force", "--url", &origin.url()]));
            assert!(out.code() == 1 && out.stderr().contains(what), "{text} {byte}: {out}");
            assert_eq!(output(lifeboat().arg("verify").arg(&path)).code(), 1, "{text} {byte}");
            assert_eq!(contents(&origin), before, "{text} {byte}");
        }
    }
}

/// An archive of a table whose rows come by this statement, or without one, and are this.
fn made_up(path: &Path, copy: Option<&str>, rows: &str) {
    let of_table = |id, desc: &str| Entry::new(DumpId(id), desc).tag("small").schema("public");
    let strings =
        Entry::new(DumpId(3), "STDSTRINGS").tag("STDSTRINGS").definition("SET standard_conforming_strings = 'on';\n");
    let table = of_table(1, "TABLE")
        .definition("CREATE TABLE public.small (id integer);\n")
        .drop_statement("DROP TABLE public.small;\n");
    let mut data = of_table(2, "TABLE DATA").has_data(true).dependencies(vec![DumpId(1)]);
    data.copy_statement = copy.map(Into::into);
    let header = Header::new(Version::V1_14, Compression::None);
    let mut writer = Writer::seekable(fs::File::create(path).unwrap(), header, vec![strings, table, data]).unwrap();
    let mut out = writer.data(DumpId(2)).unwrap();
    out.write_all(rows.as_bytes()).unwrap();
    out.finish().unwrap();
    writer.finish().unwrap();
}

#[test]
fn nothing_is_run_for_rows_but_copy_and_insert() {
    let server = needed!(Server::get(REFERENCE));
    let scene = Scene::new();
    let database = origin(server);
    database.sql("CREATE TABLE note (text text)");
    let before = contents(&database);
    let path = scene.path("archive");
    let program = format!("COPY public.note FROM PROGRAM 'touch {}';\n", scene.path("run").display());
    let rows = "1\n2\n\\.\n\n\n";
    for (copy, rows) in [
        (Some(program.as_str()), rows),
        (Some("COPY public.small (id) FROM stdin; INSERT INTO public.note VALUES ('run');\n"), rows),
        (Some("INSERT INTO public.note VALUES ('run');\n"), rows),
        (Some("COPY public.small (id) TO stdout;\n"), rows),
        (Some("COPY (DELETE FROM public.small RETURNING id) TO stdout;\n"), rows),
        (Some("COPY public.small (id) FROM stdin WHERE id > 1;\n"), rows),
        (Some("what is this"), rows),
        (None, "INSERT INTO public.small VALUES (3);\nDELETE FROM public.small;\n"),
        (None, program.as_str()),
    ] {
        made_up(&path, copy, rows);
        let url = database.url();
        let to_script = ["--script", "script.sql", "--force"];
        // The table's key is not in the archive, which would be a reason of its own to refuse it.
        let all = ["--force", "--drop-dependents"];
        let at_once = ["--force", "--drop-dependents", "-1"];
        for options in [&["--force", "--data-only"][..], &all, &at_once, &["--dry-run"], &to_script] {
            let mut command = lifeboat();
            command.current_dir(scene.path(".")).args(["restore", "archive"]).args(options);
            let is_script = options[0] == "--script";
            let out = output(if is_script { &mut command } else { command.args(["--url", &url]) });
            // A script of statements is what psql would show anyway.
            if !(is_script && copy.is_none()) {
                assert_eq!(out.code(), 1, "{copy:?} {options:?}: {out}");
                assert!(out.stderr().contains("TABLE DATA public.small"), "{copy:?} {options:?}: {out}");
            }
        }
        let out = scene.lifeboat(&["verify", "archive"]);
        assert!(out.code() == 1 && out.stderr().contains("no other is run"), "{copy:?}: {out}");
        // Nor is it where nobody looks beforehand.
        let out = database.try_restore(&path, &["--no-verify", "--data-only", "-1"]);
        assert_eq!(out.code(), 1, "{copy:?}: {out}");
        let mut command = lifeboat_reading(&path, true);
        let out = output(command.args(["restore", "-", "--force", "--data-only", "-1", "--url", &url]));
        assert_eq!(out.code(), 1, "{copy:?}: {out}");
        assert_eq!((contents(&database), database.sql("SELECT count(*) FROM note")), (before.clone(), "0".into()));
        assert!(!scene.path("run").exists(), "{copy:?}");
    }
    // What pg_dump of any time writes is taken.
    for (copy, rows) in [
        (Some("COPY public.small (id) FROM stdin;\n"), "11\n12\n\\.\n\n\n"),
        (Some("COPY public.small  FROM stdin;\n"), "11\n12\n\\.\n\n\n"),
        (None, "INSERT INTO public.small VALUES (11);\nINSERT INTO public.small VALUES (12);\n\n\n"),
    ] {
        made_up(&path, copy, rows);
        let target = server.database("verified");
        let out = target.try_restore(&path, &[]);
        assert_eq!((out.code(), target.sql("SELECT sum(id) FROM small")), (0, "23".to_owned()), "{copy:?}: {out}");
        assert_eq!(scene.lifeboat(&["verify", "archive"]).code(), 0, "{copy:?}");
    }
}
