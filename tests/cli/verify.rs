//! `lifeboat verify`, as a person and as a program meets it.

use std::fs;

use serde_json::Value;

use crate::support::{Database, REFERENCE, Scene, Server, lifeboat_reading, output, run};

fn answer(scene: &Scene, path: &str, code: i32) -> Value {
    let out = scene.lifeboat(&["verify", path, "--json"]);
    assert_eq!(out.code(), code, "{out}");
    let answer = out.json();
    assert_eq!((answer["ok"].as_bool(), answer["exit_code"].as_i64()), (Some(code == 0), Some(i64::from(code))));
    answer
}

fn sample(server: &Server) -> Database<'_> {
    let database = server.database("verify");
    database.sql(
        "CREATE TABLE a (x integer, \"y (,)\" text); INSERT INTO a SELECT n, E'\\t\\\\\\n' || n FROM generate_series(1, 3000) n;
         CREATE TABLE b (o text); INSERT INTO b VALUES ('\\.'), (''), (NULL); CREATE TABLE nothing ();
         INSERT INTO nothing DEFAULT VALUES; SELECT lo_from_bytea(4000000001, 'content'), lo_from_bytea(77, '')",
    );
    database
}

#[test]
fn sound_archives_are_told_in_a_line() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = (Scene::new(), sample(server));
    for compress in ["none", "gzip:6", "lz4", "zstd:3"] {
        scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--compress", compress, "--force"]);
        let out = scene.run(&["verify", "out.dump"]);
        assert_eq!(out.stdout().lines().count(), 1, "{out}");
        assert!(out.stdout().starts_with("lifeboat: out.dump is sound: custom archive 1.1"), "{out}");
        assert!(out.stdout().contains(", 3004 rows in 3 tables, 2 large objects, "), "{out}");
        let found = answer(&scene, "out.dump", 0);
        assert_eq!((found["rows"].as_u64(), found["large_objects"].as_u64()), (Some(3004), Some(2)), "{found}");
        let rows: Vec<_> = found["data"].as_array().unwrap().iter().filter_map(|data| data["rows"].as_u64()).collect();
        assert_eq!(rows, [3000, 3, 1], "{found}");
        for through_a_pipe in [true, false] {
            let out = run(lifeboat_reading(&scene.path("out.dump"), through_a_pipe).args(["verify", "-"]));
            assert!(out.stdout().starts_with("lifeboat: standard input is sound: "), "{out}");
        }
    }
    run(database.tool(REFERENCE, "pg_dump").args(["-Fc", "--inserts", "-f"]).arg(scene.path("inserts.dump")));
    let out = scene.run(&["verify", "inserts.dump"]);
    assert!(out.stdout().contains("statements for the rows of 3 tables, which are not counted"), "{out}");
    run(database.tool(REFERENCE, "pg_dump").args(["-Fc", "--schema-only", "-f"]).arg(scene.path("schema.dump")));
    let out = scene.run(&["verify", "schema.dump"]);
    assert!(out.stdout().contains("0 rows in 0 tables"), "{out}");
}

#[test]
fn damage_is_named_with_its_entry_and_the_rest_is_checked_all_the_same() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = (Scene::new(), sample(server));
    let dump = |args: &[&str], name: &str| {
        run(database.tool(REFERENCE, "pg_dump").args(args).arg("-f").arg(scene.path(name)));
    };
    dump(&["-Fd"], "folder");
    let table = fs::read_dir(scene.path("folder")).unwrap().map(|file| file.unwrap().path());
    let table =
        table.max_by_key(|path| (path.extension().is_some_and(|x| x == "gz"), path.metadata().unwrap().len())).unwrap();
    let mut bytes = fs::read(&table).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(&table, bytes).unwrap();
    fs::remove_file(scene.path("folder/blob_77.dat.gz")).unwrap();
    let out = scene.lifeboat(&["verify", "folder"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stdout().starts_with("lifeboat: folder is damaged: 2 problems, each is told above"), "{out}");
    let errors = out.stderr();
    assert!(errors.contains("(TABLE DATA public.a)") && errors.contains("its gzip file is damaged"), "{out}");
    assert!(errors.contains("large object 77") && errors.contains("the archive has no file blob_77.dat"), "{out}");
    let found = answer(&scene, "folder", 1);
    assert_eq!((found["sound"].as_bool(), found["problems"].as_array().unwrap().len()), (Some(false), 2), "{found}");
    assert_eq!(found["rows"], 4, "the other tables are counted: {found}");

    // What no checksum tells: a row with a column less, a file that is cut off between two rows, content without an entry.
    dump(&["-Fd", "-Z0"], "plain");
    let table = fs::read_dir(scene.path("plain")).unwrap().map(|file| file.unwrap().path());
    let table =
        table.filter(|path| !path.ends_with("toc.dat")).max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let whole = fs::read_to_string(&table).unwrap();
    let says = |text: &str, says: &str| {
        fs::write(&table, text).unwrap();
        let out = scene.lifeboat(&["verify", "plain"]);
        assert!(out.code() == 1 && out.stderr().contains(says), "{says}: {out}");
    };
    says(&whole.replacen("7\t", "7", 1), "row 7 has 1 column, and its COPY names 2 columns");
    says(&whole[..whole.find("\n9\t").unwrap() + 1], "the rows have no end mark: after 8 they are cut off");
    says(&format!("{whole}more"), "there is something after the end mark of the rows");
    fs::write(&table, whole).unwrap();
    let list = fs::read_dir(scene.path("plain")).unwrap().map(|file| file.unwrap().path());
    let list = list.into_iter().find(|path| path.extension().is_some_and(|x| x == "toc")).unwrap();
    let lines = fs::read_to_string(&list).unwrap();
    for (content, says) in [
        (lines.replace("77 blob_77.dat\n", ""), "large object 77 has no content"),
        (lines.replace("77 ", "78 "), "is no line"),
        (lines.replace("77", "4000000001"), "large object 4000000001 has its content twice"),
    ] {
        fs::write(&list, content).unwrap();
        let out = scene.lifeboat(&["verify", "plain"]);
        assert!(out.code() == 1 && out.stderr().contains(says), "{says}: {out}");
    }

    // From a pipe there is no way past damage.
    dump(&["-Ft"], "out.tar");
    let whole = fs::read(scene.path("out.tar")).unwrap();
    fs::write(scene.path("cut.tar"), &whole[..whole.len() / 2]).unwrap();
    let out = output(lifeboat_reading(&scene.path("cut.tar"), true).args(["verify", "-"]));
    assert!(out.code() == 1 && out.stderr().contains("it is truncated"), "{out}");
    assert!(out.stdout().contains("entries could not be checked"), "{out}");
}

#[test]
fn sqlite_databases_are_checked_by_sqlite() {
    let scene = Scene::new();
    let path = scene.database("app.db", "delete", 50);
    let out = scene.run(&["verify", "app.db"]);
    assert!(out.stdout().starts_with("lifeboat: app.db is sound: SQLite database, 51 rows in 2 tables, "), "{out}");
    assert_eq!(answer(&scene, "app.db", 0)["rows"], 51);
    let before = scene.names();
    let mut bytes = fs::read(&path).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xa5);
    }
    fs::write(&path, &bytes).unwrap();
    let found = answer(&scene, "app.db", 1);
    assert!(!found["problems"].as_array().unwrap().is_empty(), "{found}");
    let out = scene.fails(1, "page 3", &["verify", "app.db", "--quiet"]);
    assert!(out.stderr().contains("lifeboat: error: "), "{out}");
    let out = output(lifeboat_reading(&path, false).args(["verify", "-"]));
    assert!(out.code() == 1 && out.stderr().contains("give the name of its file"), "{out}");
    assert_eq!(scene.names(), before, "nothing is made beside it");
}

#[test]
fn what_is_no_backup_is_said_to_be_none() {
    let scene = Scene::new();
    fs::write(scene.path("script.sql"), "--\n-- PostgreSQL database dump\n--\n").unwrap();
    fs::create_dir(scene.path("folder")).unwrap();
    scene.fails(1, "it is an SQL script of pg_dump, which psql runs", &["verify", "script.sql"]);
    scene.fails(1, "it is a folder, but none of an archive: it has no toc.dat", &["verify", "folder"]);
    scene.fails(1, "No such file", &["verify", "missing"]);
    assert_eq!(scene.lifeboat(&["verify"]).code(), 2);
}

#[test]
fn sizes_are_listed_where_they_can_be_told() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = (Scene::new(), sample(server));
    database.sql("ANALYZE");
    for (format, more) in [("-Fc", "-Z6"), ("-Fd", "-Zlz4"), ("-Ft", "-Z0")] {
        run(database.tool(REFERENCE, "pg_dump").args([format, more, "--statistics", "-f"]).arg(scene.path(format)));
        let path = format!("./{format}");
        let out = scene.run(&["list", "--sizes", &path]);
        let text = out.stdout();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains(" archive 1.16 of verify"), "{out}");
        assert!(lines[1].ends_with(" KiB  TABLE DATA public.a (about 3000 rows)"), "the largest comes first: {out}");
        assert!(lines.last().unwrap().contains(" of data for 4 of "), "{out}");
        let answer = scene.run(&["list", "--sizes", "--json", &path]).json();
        let stored: Vec<_> =
            answer["data"].as_array().unwrap().iter().map(|data| data["stored_bytes"].as_u64().unwrap()).collect();
        assert!(stored.is_sorted_by(|a, b| a >= b) && stored.len() == 4, "{answer}");
        assert_eq!(answer["stored_bytes"], stored.iter().sum::<u64>());
    }
    let out = run(lifeboat_reading(&scene.path("-Fc"), true).args(["list", "--sizes", "-"]));
    assert!(out.stdout().contains(" KiB  TABLE DATA public.a"), "its table of contents says where it is: {out}");
    let out = run(lifeboat_reading(&scene.path("-Ft"), true).args(["list", "--sizes", "-"]));
    assert!(out.stdout().contains("sizes are not known before an archive like this is read"), "{out}");
    // An archive that says of nothing where it is, but can be gone through.
    let streamed = run(database.tool(REFERENCE, "pg_dump").arg("-Fc")).stdout;
    fs::write(scene.path("streamed"), streamed).unwrap();
    let out = scene.run(&["list", "--sizes", "streamed"]);
    assert!(out.stdout().contains(" KiB  TABLE DATA public.a\n"), "{out}");
}

#[test]
fn rows_are_counted_on_request() {
    let server = needed!(Server::get(REFERENCE));
    let (scene, database) = (Scene::new(), sample(server));
    database.pg_dump(REFERENCE, &[], &scene.path("out.dump"));
    for out in [
        scene.run(&["list", "--rows", "out.dump"]),
        run(lifeboat_reading(&scene.path("out.dump"), true).args(["list", "--rows", "-"])),
    ] {
        let counted = database.sql("SELECT count(*) FROM a");
        assert!(out.stdout().contains(&format!("TABLE DATA public.a ({counted} rows)\n")), "{out}");
        assert!(out.stdout().contains(" large object"), "{out}");
    }
    let answer = scene.run(&["list", "--rows", "--json", "out.dump"]).json();
    let data = answer["data"].as_array().unwrap();
    let of_a = data.iter().find(|data| data["entry"] == "TABLE DATA public.a").unwrap();
    assert_eq!(of_a["rows"].to_string(), database.sql("SELECT count(*) FROM a"));

    let whole = fs::read(scene.path("out.dump")).unwrap();
    fs::write(scene.path("cut.dump"), &whole[..whole.len() - 10]).unwrap();
    scene.fails(1, "lifeboat verify tells all", &["list", "--rows", "cut.dump"]);
}

#[test]
fn several_backups_are_checked_whatever_is_wrong_with_one() {
    let scene = Scene::new();
    for name in ["a", "b"] {
        scene.database(&format!("{name}.db"), "delete", 1);
        scene.run(&["backup", "--url", &format!("sqlite:///{name}.db"), "-o", &format!("{name}.out")]);
    }
    let out = scene.run(&["verify", "a.out", "b.out"]);
    assert_eq!(out.stdout().matches(" is sound: ").count(), 2, "{out}");
    fs::write(scene.path("no backup"), "nothing").unwrap();
    let out = scene.lifeboat(&["verify", "a.out", "no backup", "missing", "b.out"]);
    assert_eq!((out.code(), out.stdout().matches(" is sound: ").count()), (1, 2), "{out}");
    assert!(out.stderr().contains("no backup") && out.stderr().contains("missing"), "{out}");
    let answer = scene.lifeboat(&["verify", "--json", "a.out", "missing"]).json();
    assert_eq!((answer["ok"].as_bool(), answer["exit_code"].as_i64()), (Some(false), Some(1)), "{answer}");
    let backups = answer["backups"].as_array().unwrap();
    assert_eq!((backups[0]["sound"].as_bool(), backups[1]["file"].as_str()), (Some(true), Some("missing")), "{answer}");
    assert_eq!(backups[1]["error"]["kind"], "io", "{answer}");
    scene.fails(2, "standard input can be one of them only", &["verify", "-", "-"]);
}
