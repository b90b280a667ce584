//! `lifeboat check`, as a person, a program and a monitoring system meet it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::support::pgbouncer::Pool;
use crate::support::wait::wait_for_waiting;
use crate::support::{Options, Output, REFERENCE, Scene, Server, Session, lifeboat, output, run};

/// What it finds, as JSON; it must end with this code.
fn check(scene: &Scene, code: i32, arguments: &[&str]) -> Value {
    let out = scene.lifeboat(&[&["check", "--json"], arguments].concat());
    assert_eq!(out.code(), code, "{out}");
    let found = out.json();
    assert_eq!((found["schema_version"].as_i64(), found["command"].as_str()), (Some(1), Some("check")), "{found}");
    assert_eq!(found["exit_code"], code, "{found}");
    found
}

fn said(out: &Output) -> String {
    out.stdout() + &out.stderr()
}

/// The findings of one check.
fn of<'a>(found: &'a Value, check: &str) -> Vec<&'a Value> {
    found["findings"].as_array().unwrap().iter().filter(|finding| finding["check"] == check).collect()
}

/// The levels and messages of one check.
fn told(found: &Value, check: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    of(found, check).into_iter().map(|finding| (text(&finding["level"]), text(&finding["message"]))).collect()
}

fn level(found: &Value, check: &str) -> String {
    let all = told(found, check);
    assert_eq!(all.len(), 1, "{check}: {found}");
    all[0].0.clone()
}

#[test]
fn a_database_that_can_be_backed_up_is_told_line_by_line() {
    let server = needed!(Server::newest());
    let database = server.database("check");
    database.sql("CREATE TABLE t (a integer); CREATE TABLE alembic_version (version_num varchar(32) NOT NULL); INSERT INTO alembic_version VALUES ('ae10')");
    let scene = Scene::new();
    let out = scene.run(&["check", "--url", &database.url(), "--output", "new/%F.dump"]);
    let lines = out.stdout();
    for begins in [
        "ok       configuration: database \"",
        "note     password: none is given",
        "ok       connection: to 127.0.0.1:",
        "ok       tls: none, on this machine\n",
        "ok       server: PostgreSQL ",
        "ok       role: \"postgres\", a superuser",
        "ok       tables: \"postgres\" may read all 2 tables\n",
        "ok       locks: nobody holds a lock",
        "ok       catalog: everything in the database is understood: ",
        "ok       revision: Alembic (public.alembic_version): ae10\n",
        "ok       output: ",
        "lifeboat: check: note: 1 note, ",
    ] {
        assert!(lines.contains(begins), "{begins:?} is not in {out}");
    }
    assert_eq!(scene.names(), Vec::<String>::new(), "nothing is made");
    assert_eq!(scene.run(&["check", "--url", &database.url(), "--quiet"]).stdout(), "");
    let found = check(&scene, 0, &["--url", &database.url(), "-o", "x.dump"]);
    assert_eq!((found["status"].as_str(), found["counts"]["failed"].as_i64()), (Some("note"), Some(0)), "{found}");
    assert_eq!(of(&found, "revision")[0]["revision"], "ae10", "{found}");
    assert!(of(&found, "output")[0]["free_bytes"].as_u64().unwrap() > 0, "{found}");
    assert!(of(&found, "server")[0]["database_bytes"].as_u64().unwrap() > 1 << 20, "{found}");
}

#[test]
fn what_a_role_may_not_read_is_named_one_by_one() {
    let server = needed!(Server::newest());
    let database = server.database("check_rights");
    database.sql(
        "CREATE TABLE \"a.b\" (a integer); CREATE SCHEMA shut; CREATE TABLE shut.t (a integer); GRANT SELECT ON shut.t TO alice;
         CREATE TABLE seen (a integer); ALTER TABLE seen ENABLE ROW LEVEL SECURITY; GRANT SELECT ON seen TO alice;
         CREATE TABLE own (a integer); ALTER TABLE own OWNER TO alice; ALTER TABLE own ENABLE ROW LEVEL SECURITY;
         CREATE TABLE forced (a integer); ALTER TABLE forced OWNER TO alice; ALTER TABLE forced ENABLE ROW LEVEL SECURITY;
         ALTER TABLE forced FORCE ROW LEVEL SECURITY; CREATE SEQUENCE s; SELECT lo_from_bytea(4711, 'x'), lo_from_bytea(4712, 'y');
         SELECT lo_from_bytea(4713, 'z'); GRANT SELECT ON LARGE OBJECT 4713 TO PUBLIC; ALTER LARGE OBJECT 4712 OWNER TO alice;
         CREATE FOREIGN DATA WRAPPER w; CREATE SERVER f FOREIGN DATA WRAPPER w; CREATE USER MAPPING FOR bob SERVER f OPTIONS (password 'x');
         CREATE SUBSCRIPTION sub CONNECTION 'host=nowhere' PUBLICATION p WITH (connect = false)",
    );
    let (scene, url) = (Scene::new(), database.url_as("alice"));
    let found = check(&scene, 1, &["--url", &url]);
    assert_eq!(found["status"], "failed", "{found}");
    let failed = |text: &str| ("failed".to_owned(), text.to_owned());
    assert_eq!(
        told(&found, "tables"),
        [
            failed("\"alice\" may not SELECT from the table public.a.b"),
            failed("\"alice\" may not use the schema \"shut\", in which the table shut.t is"),
        ]
    );
    assert_eq!(
        told(&found, "row_security"),
        [
            failed("row security hides rows of the table public.forced from \"alice\""),
            failed("row security hides rows of the table public.seen from \"alice\""),
        ]
    );
    assert_eq!(told(&found, "sequences"), [failed("\"alice\" may not SELECT from the sequence public.s")]);
    assert_eq!(told(&found, "large_objects"), [failed("\"alice\" may not read 1 large object, such as 4711")]);
    assert_eq!(told(&found, "subscriptions"), [failed("how \"sub\" connects, only superusers may read")]);
    assert_eq!(
        told(&found, "user_mappings"),
        [failed("\"alice\" may not read the options of the mapping for \"bob\" on the foreign server \"f\"")]
    );
    assert_eq!(level(&found, "catalog"), "ok", "the rest is looked at all the same: {found}");

    // What it says is what a backup does: with what is named left out or granted, both are content.
    let options = ["--no-subscriptions", "--no-user-mappings", "--no-large-objects", "--enable-row-security"];
    let out = database_backup(&url, &scene, &options);
    assert_eq!(out.code(), 1, "{out}");
    database.sql("GRANT SELECT ON \"a.b\", s TO alice; GRANT USAGE ON SCHEMA shut TO alice");
    let found = check(&scene, 3, &[&["--url", &url], &options[..]].concat());
    assert_eq!(of(&found, "row_security").len(), 2, "{found}");
    assert_eq!(found["counts"]["warnings"], 2, "{found}");
    let out = database_backup(&url, &scene, &options);
    assert!(out.success(), "{out}");
    let without = [&["--url", &url, "--exclude-table", "seen", "--exclude-table", "forced"], &options[..3]].concat();
    assert_eq!(check(&scene, 0, &without)["counts"]["failed"], 0);
}

fn database_backup(url: &str, scene: &Scene, options: &[&str]) -> Output {
    scene.lifeboat(&[&["backup", "--url", url, "--output", "x.dump"], options].concat())
}

#[test]
fn who_holds_a_lock_is_named() {
    let config = "max_prepared_transactions = 2".to_owned();
    let server = needed!(Server::with(REFERENCE, &Options { config, ..Options::default() }));
    let database = server.database("check_locks");
    database.sql("CREATE TABLE held (a integer); CREATE TABLE prepared (a integer); CREATE TABLE read (a integer)");
    let (mut holder, mut reader, mut waiter) =
        (Session::open(&database), Session::open(&database), Session::open(&database));
    holder.run("SET application_name = 'nightly'; BEGIN; LOCK TABLE held");
    reader.run(
        "BEGIN; LOCK TABLE prepared; PREPARE TRANSACTION 'two phases'; BEGIN; LOCK TABLE read IN ACCESS SHARE MODE",
    );
    waiter.send("SET application_name = 'migration'; ALTER TABLE read ADD b integer");
    wait_for_waiting(&database);
    let scene = Scene::new();
    let found = check(&scene, 3, &["--url", &database.url()]);
    let locks = told(&found, "locks");
    let says = |at: usize, parts: &[&str]| {
        assert!(
            locks[at].0 == "warning" && parts.iter().all(|part| locks[at].1.contains(part)),
            "{parts:?}: {locks:?}"
        );
    };
    assert_eq!(locks.len(), 3, "{locks:?}");
    let beginning = |who: &str, table: &str, how: &str| {
        format!("a backup would wait for the table public.{table}, which {how} by {who}")
    };
    says(
        0,
        &[&beginning("process ", "held", "is locked"), " of postgres (nightly), in a transaction since 20", " UTC"],
    );
    says(1, &[&beginning("the prepared transaction \"two phases\" of postgres, since 20", "prepared", "is locked")]);
    says(
        2,
        &[
            &beginning("process ", "read", "is going to be locked"),
            " (migration), ",
            ": ALTER TABLE read ADD b integer",
        ],
    );
    let pid: i64 = database.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'nightly'").parse().unwrap();
    assert_eq!(of(&found, "locks")[0]["pid"], pid, "{found}");
    database.sql("ROLLBACK PREPARED 'two phases'");
}

#[test]
fn a_migration_table_is_data_and_runs_nothing_of_its_owners() {
    let server = needed!(Server::newest());
    let database = server.database("check_planted");
    // Whoever reads this table by a query runs the function, for the planner looks at the index; so does what a policy or a view says.
    database.sql(
        "CREATE FUNCTION planted(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
           $$ BEGIN IF current_setting('x.armed', true) = 'on' THEN RAISE EXCEPTION 'planted'; END IF; RETURN $1; END $$;
         CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES (E'x\\033[2J\\n');
         CREATE INDEX ON alembic_version (planted('x'));
         CREATE TABLE schema_migrations (version text GENERATED ALWAYS AS ('1') STORED);
         CREATE SCHEMA other; CREATE VIEW other.django_migrations AS SELECT 1 AS id, planted('x') AS app, planted('y') AS name;
         CREATE SCHEMA hidden; CREATE TABLE hidden.flyway_schema_history (installed_rank integer, version text, description text, success boolean);
         INSERT INTO hidden.flyway_schema_history VALUES (1, '1', 'first', true), (2, '2', 'second', false);
         CREATE SCHEMA long; CREATE TABLE long.schema_migrations (version text);
         INSERT INTO long.schema_migrations SELECT repeat(n::text, 1000) FROM generate_series(1, 3000) n",
    );
    let armed = format!("ALTER DATABASE \"{}\" SET x.armed = 'on'", database.name());
    database.sql(&armed);
    // It is alive: a query runs it.
    assert!(!database.try_psql("SELECT FROM alembic_version").success());
    let scene = Scene::new();
    let found = check(&scene, 3, &["--url", &database.url()]);
    assert_eq!(
        told(&found, "revision"),
        [
            ("warning".to_owned(), "Flyway (hidden.flyway_schema_history): 2 (second) has failed".to_owned()),
            (
                "note".to_owned(),
                "Rails (long.schema_migrations): not read: there is more in it than 1048576 bytes".to_owned()
            ),
            ("ok".to_owned(), "Alembic (public.alembic_version): x\u{1b}[2J\\n".to_owned()),
        ]
    );
    let out = scene.lifeboat(&["check", "--url", &database.url()]);
    assert!(out.stdout().contains("Alembic (public.alembic_version): x\\u{1b}[2J\\n\n"), "{out}");
}

#[test]
fn a_server_that_is_not_there_fails_and_everything_else_is_looked_at() {
    let scene = Scene::new();
    fs::create_dir(scene.path("backups")).unwrap();
    let url = "postgresql://u:geheim@127.0.0.1:1/app";
    let out = scene.lifeboat(&[
        "check",
        "--url",
        url,
        "--backups",
        "backups",
        "--output",
        "backups/x",
        "--prometheus",
        "m.prom",
    ]);
    assert_eq!(out.code(), 1, "{out}");
    let text = out.stdout();
    assert!(
        text.contains("failed   connection: could not connect to database \"app\" at 127.0.0.1:1 as \"u\""),
        "{out}"
    );
    assert!(text.contains("ok       password: from the URL\n") && !said(&out).contains("geheim"), "{out}");
    assert!(text.contains("failed   newest_backup: could not find a backup of this database at backups"), "{out}");
    assert!(text.contains("ok       output: "), "{out}");
    let metrics = fs::read_to_string(scene.path("m.prom")).unwrap();
    assert!(metrics.contains("lifeboat_check_ok{database=\"app\"} 0\n"), "{metrics}");
    let mode = fs::metadata(scene.path("m.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o444, 0o444, "who collects it may read it: {mode:o}");
    // In quiet, what is wrong and nothing else.
    let out = scene.lifeboat(&["check", "--url", url, "--quiet"]);
    assert!(
        out.stdout().is_empty() && out.stderr().starts_with("lifeboat: error: connection: could not connect"),
        "{out}"
    );
    let out = scene.lifeboat(&["check", "--url", url, "--nagios"]);
    assert_eq!(
        (out.code(), out.stdout().lines().next()),
        (2, Some("lifeboat: check: failed: 1 failed, 2 ok")),
        "{out}"
    );
    scene.fails(2, "there is no --url", &["check"]);
    let out = scene.lifeboat(&["check", "--url", url, "--max-age", "1d"]);
    assert!(out.code() == 2 && out.stderr().contains("--backups"), "{out}");
}

#[test]
fn where_the_configuration_comes_from_is_told_without_the_password() {
    let scene = Scene::new();
    fs::write(scene.path("pgpass"), "*:*:*:*:geheim\n").unwrap();
    let told_with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = lifeboat();
        let path = scene.path("pgpass");
        command.env("HOME", scene.folder()).env("PGPASSFILE", path).envs(variables.iter().copied());
        let out = output(command.arg("check").args(arguments));
        assert!(!said(&out).contains("geheim"), "{out}");
        out.stdout().lines().take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let url = ("DATABASE_URL", "postgresql://u@127.0.0.1:1/app");
    let found = told_with(&[url], &[]);
    assert_eq!(found[0], "ok       configuration: database \"app\" at 127.0.0.1:1 as \"u\", from DATABASE_URL");
    assert!(found[1].starts_with("warning  password: none: the password file "), "{found:?}");
    fs::set_permissions(scene.path("pgpass"), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(told_with(&[url], &[])[1].starts_with("ok       password: from the password file "));
    assert_eq!(told_with(&[url, ("PGPASSWORD", "geheim")], &[])[1], "ok       password: from PGPASSWORD");
    let found = told_with(&[("PGPORT", "1")], &["-h", "127.0.0.1", "-U", "u"]);
    assert!(found[0].ends_with(", from --host, --username"), "{found:?}");
    assert!(
        told_with(&[("PGHOST", "127.0.0.1"), ("PGPORT", "1"), ("PGUSER", "u")], &[])[0]
            .ends_with("from the PG* variables")
    );
}

#[test]
fn the_newest_backup_of_this_database_is_found_and_read() {
    let server = needed!(Server::newest());
    let (database, other) = (server.database("check_newest"), server.database("check_newest_other"));
    database.sql("CREATE TABLE t AS SELECT n, repeat('x', 100) AS x FROM generate_series(1, 1000) n");
    let scene = Scene::new();
    fs::create_dir(scene.path("backups")).unwrap();
    let url = database.url();
    let newest = |code, more: &[&str]| check(&scene, code, &[&["--url", &url, "--backups", "backups"], more].concat());
    let found = newest(1, &[]);
    assert!(told(&found, "newest_backup")[0].1.contains("there is no backup of this database"), "{found}");

    // Its name says nothing: the one of another database is called like this one.
    other.backup(&scene.path("backups").join(format!("{}.dump", database.name())), &[]);
    fs::write(scene.path("backups/notes.txt"), "none").unwrap();
    let found = newest(1, &[]);
    assert!(told(&found, "newest_backup")[0].1.ends_with("but 1 of other databases"), "{found}");
    database.backup(&scene.path("backups/a"), &["--format", "directory"]);
    let found = newest(0, &["--max-age", "1h"]);
    let facts = of(&found, "newest_backup")[0];
    assert!(
        facts["file"].as_str().unwrap().ends_with("/backups/a") && facts["bytes"].as_u64().unwrap() > 1000,
        "{found}"
    );
    assert_eq!(of(&found, "newest_backup_sound")[0]["sound"], true, "{found}");

    // An old one does not count for the newest; a file alone is looked at, too, by way of a link.
    let bytes = {
        database.backup(&scene.path("b.dump"), &["--compress", "none"]);
        let mut bytes = fs::read(scene.path("b.dump")).unwrap();
        assert_eq!(&bytes[..5], b"PGDMP");
        // The year, after magic, version, sizes, format, and six integers of five bytes, one of compression and five of the time.
        let at = 5 + 3 + 2 + 1 + 6 * 5;
        assert_eq!(bytes[at], 0, "{:?}", &bytes[..50]);
        bytes[at + 1] -= 2;
        bytes
    };
    fs::write(scene.path("backups/old.dump"), &bytes).unwrap();
    assert!(of(&newest(0, &["--max-age", "1h"]), "newest_backup")[0]["file"].as_str().unwrap().ends_with("/a"));
    std::os::unix::fs::symlink(scene.path("backups/old.dump"), scene.path("link")).unwrap();
    let found = check(&scene, 1, &["--url", &url, "--backups", "link", "--max-age", "26h", "--no-verify"]);
    let (how, text) = told(&found, "newest_backup")[0].clone();
    assert!(how == "failed" && text.contains("must not be older than 1 d 2 h"), "{found}");
    assert!(of(&found, "newest_backup_sound").is_empty(), "{found}");

    let damaged = fs::read_dir(scene.path("backups/a")).unwrap().map(|file| file.unwrap().path());
    let damaged = damaged.max_by_key(|path| (!path.ends_with("toc.dat"), path.metadata().unwrap().len())).unwrap();
    fs::write(damaged, "").unwrap();
    let found = newest(1, &["--prometheus", "m.prom"]);
    assert_eq!(level(&found, "newest_backup_sound"), "failed", "{found}");
    let metrics = fs::read_to_string(scene.path("m.prom")).unwrap();
    assert!(metrics.contains("\nlifeboat_newest_backup_sound{") && metrics.contains("\"} 0\n"), "{metrics}");

    // Whoever cannot be read is named, and is not taken for the newest.
    fs::write(scene.path("backups/cut.dump"), &bytes[..40]).unwrap();
    let found = newest(3, &["--no-verify"]);
    assert!(told(&found, "backups")[0].1.contains("cut.dump"), "{found}");
}

#[test]
fn tls_and_certificates_are_told() {
    let server = needed!(Server::with(REFERENCE, &Options { tls: true, ..Options::default() }));
    let database = server.database("check_tls");
    let scene = Scene::new();
    let found = check(&scene, 3, &["--url", &format!("{}?sslmode=require", database.url())]);
    let facts = of(&found, "tls")[0];
    assert_eq!((facts["version"].as_str(), facts["checked"].as_str()), (Some("TLSv1.3"), Some("nothing")), "{found}");
    assert_eq!(facts["level"], "warning", "{found}");
    let old = format!("{}?sslmode=require&ssl_max_protocol_version=TLSv1.2", database.url());
    assert_eq!(of(&check(&scene, 3, &["--url", &old]), "tls")[0]["version"], "TLSv1.2");
}

fn sqlite(scene: &Scene) -> String {
    let path = scene.database("app.db", "wal", 50);
    format!("sqlite:///{}", path.display())
}

#[test]
fn an_sqlite_database_is_looked_at() {
    let scene = Scene::new();
    let url = sqlite(&scene);
    let holder = rusqlite::Connection::open(scene.path("app.db")).unwrap();
    holder
        .execute_batch(
            "CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text, applied text);
             INSERT INTO django_migrations VALUES (9, 'auth', '0009_x', ''), (10, 'app', '0001_initial', '');
             CREATE VIRTUAL TABLE alembic_version USING fts5(version_num);
             CREATE VIEW schema_migrations AS SELECT abs(-9223372036854775808) AS version",
        )
        .unwrap();
    let found = check(&scene, 0, &["--url", &url, "--integrity", "--output", "x.db"]);
    assert_eq!(level(&found, "file"), "ok", "{found}");
    assert_eq!(of(&found, "journal")[0]["mode"], "wal", "{found}");
    assert!(of(&found, "journal")[0]["wal_bytes"].as_u64().unwrap() > 0, "{found}");
    assert_eq!(
        told(&found, "revision"),
        [("ok".to_owned(), "Django (django_migrations): app.0001_initial".to_owned())]
    );
    assert_eq!(of(&found, "open_by")[0]["pids"][0], std::process::id(), "{found}");
    assert_eq!(level(&found, "integrity"), "ok", "{found}");
    drop(holder);

    // Its backups are known by what is in them and by its name.
    fs::create_dir(scene.path("backups")).unwrap();
    scene.run(&["backup", "--url", &url, "--output", "backups/app-1.db"]);
    scene.run(&["backup", "--url", &url, "--output", "backups/tenant-1.db"]);
    rusqlite::Connection::open(scene.path("backups/app-2.db"))
        .unwrap()
        .execute_batch("CREATE TABLE other (a)")
        .unwrap();
    let found = check(&scene, 0, &["--url", &url, "--backups", "backups", "--max-age", "1h"]);
    assert!(of(&found, "newest_backup")[0]["file"].as_str().unwrap().ends_with("backups/app-1.db"), "{found}");
    assert_eq!(of(&found, "newest_backup_sound")[0]["sound"], true, "{found}");

    let mut bytes = fs::read(scene.path("app.db")).unwrap();
    for page in bytes.chunks_mut(4096).skip(1) {
        page[..64].fill(0xa5);
    }
    fs::write(scene.path("app.db"), bytes).unwrap();
    let found = check(&scene, 1, &["--url", &url, "--integrity"]);
    assert_eq!(found["status"], "failed", "{found}");
    let found = check(&scene, 1, &["--url", "sqlite:///missing.db"]);
    assert!(told(&found, "file")[0].1.contains("there is no file missing.db"), "{found}");
    scene.fails(2, "--table", &["check", "--url", &url, "--table", "x"]);
    scene.fails(2, "--integrity", &["check", "--url", "postgresql://u@127.0.0.1:1/x", "--integrity"]);
}

#[test]
fn a_pooler_is_found_out() {
    let server = needed!(Server::get(REFERENCE));
    let pooler = needed!(Pool::start(server, "transaction", ""));
    let database = server.database("check_pooler");
    let out = run(lifeboat().args(["check", "--url", &pooler.url(database.name())]));
    assert!(out.stdout().contains("note     pooler: a connection pooler stands in between"), "{out}");
}
