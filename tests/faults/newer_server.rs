//! A server that is newer than lifeboat: backed up if everything in it is accounted for, refused if not.
//!
//! There is no such server to be had, so the newest that there is stands in: between it and lifeboat, its version is
//! changed in what it says of itself, and its catalog gets what a newer one could have.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

use super::{assert_failed, start};
use crate::support::{Database, Output, REFERENCE, Scene, Server, lifeboat, output};

/// What the server calls itself when seen through [`disguised`]: a major version that is not known.
const DISGUISE: &str = "99";

/// A port behind which the server of `database` calls itself newer than it is.
fn disguised(database: &Database<'_>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (here, there) = (listener.local_addr().unwrap().port(), database.server().port());
    thread::spawn(move || {
        for client in listener.incoming() {
            let client = client.unwrap();
            let server = TcpStream::connect(("127.0.0.1", there)).unwrap();
            let (from_client, to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || pass_on(from_client, to_server));
            thread::spawn(move || {
                let (mut server, mut client) = (server, client);
                // The test sees it if the server ends early.
                if disguise(&mut server, &mut client).is_ok() {
                    pass_on(server, client);
                }
            });
        }
    });
    here
}

fn pass_on(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Passes on what the server says until it is ready for queries.
fn disguise(server: &mut TcpStream, client: &mut TcpStream) -> std::io::Result<()> {
    loop {
        let mut head = [0; 5];
        server.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut body = vec![0; length as usize - 4];
        server.read_exact(&mut body)?;
        let version = b"server_version\0";
        if head[0] == b'S' && body.starts_with(version) {
            body[version.len()..version.len() + 2].copy_from_slice(DISGUISE.as_bytes());
        }
        client.write_all(&head)?;
        client.write_all(&body)?;
        if head[0] == b'Z' {
            return Ok(());
        }
    }
}

fn backup(scene: &Scene, database: &Database<'_>) -> Output {
    let url = format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable", disguised(database), database.name());
    output(
        lifeboat().current_dir(scene.path(".")).args(["backup", "--jobs", "2", "--url", &url, "--output", "out.dump"]),
    )
}

const CONTENT: &str = "
    CREATE TABLE t (id integer PRIMARY KEY, name text CHECK (name <> '')); INSERT INTO t VALUES (1, 'a'), (2, 'b');
    CREATE VIEW v AS SELECT name FROM t; CREATE PUBLICATION p FOR TABLE t; COMMENT ON TABLE t IS 'x'";

#[test]
fn is_backed_up_if_everything_in_it_is_accounted_for() {
    let server = needed!(Server::get(19));
    let database = server.database("newer");
    database.sql(CONTENT);
    let scene = Scene::new();
    let out = backup(&scene, &database);
    assert!(out.success(), "{out}");
    let warnings: Vec<String> = out.stderr().lines().map(str::to_owned).collect();
    assert_eq!(warnings.len(), 1, "{out}");
    for said in [&format!("PostgreSQL {DISGUISE}."), "19 is the newest", "accounted for"] {
        assert!(warnings[0].contains(said), "does not say {said:?}: {out}");
    }
    let restored = server.database("newer");
    let out = restored.try_restore(&scene.path("out.dump"), &[]);
    assert!(out.success(), "{out}");
    assert_eq!(restored.sql("SELECT string_agg(name, ',' ORDER BY name) FROM v"), "a,b");
}

#[test]
fn is_refused_if_it_holds_a_relation_of_a_new_kind() {
    let server = needed!(Server::get(19));
    let database = server.database("newer");
    database.sql(CONTENT);
    // What a property graph is to PostgreSQL 19.
    database.sql("CREATE VIEW graph AS SELECT 1; UPDATE pg_class SET relkind = 'g' WHERE relname = 'graph'");
    let scene = Scene::new();
    let out = backup(&scene, &database);
    assert_failed(&scene, &out, "\"graph\"");
    assert!(out.stderr().contains("'g'"), "{out}");
}

#[test]
fn says_so_where_its_catalog_lacks_what_is_asked_for() {
    let server = needed!(Server::get(19));
    let database = server.database("newer");
    database.sql(CONTENT);
    database.sql("SET allow_system_table_mods = on; ALTER TABLE pg_publication RENAME pubviaroot TO pubthroughroot");
    let scene = Scene::new();
    let out = backup(&scene, &database);
    assert_failed(&scene, &out, "pubviaroot");
    assert!(out.stderr().contains("newer than this lifeboat knows"), "{out}");
}

/// Makes a table in pg_catalog that only its OID tells from a catalog that came with the server, and gives that the number
/// of one that did.
fn new_catalog(database: &Database<'_>, columns: &str) {
    database.sql(&format!("SET allow_system_table_mods = on; CREATE TABLE pg_catalog.pg_novelty ({columns})"));
    database.sql(
        "SET allow_system_table_mods = on;
         DELETE FROM pg_depend WHERE objid = 'pg_catalog.pg_novelty'::regclass
           OR refobjid = 'pg_catalog.pg_novelty'::regclass;
         UPDATE pg_attribute SET attrelid = 9999 WHERE attrelid = 'pg_catalog.pg_novelty'::regclass;
         DELETE FROM pg_type WHERE typname IN ('pg_novelty', '_pg_novelty');
         UPDATE pg_class SET oid = 9999, reltype = 0 WHERE relname = 'pg_novelty'",
    );
}

/// What a database holds, and what the error must name; nothing if there is none.
fn check(make: &dyn Fn(&Database<'_>), names: &[&str]) {
    // Whatever its version, a server may have what nobody expects.
    for server in Server::each([13, REFERENCE]) {
        let major = server.major();
        let database = server.database("novelty");
        database.sql("CREATE TABLE t (a integer)");
        make(&database);
        let scene = Scene::new();
        let out = start(&scene, &database, &[]).end();
        if names.is_empty() {
            assert!(out.success(), "on {major}: {out}");
            assert_eq!(out.stderr(), "", "on {major}");
        }
        for name in names {
            assert_failed(&scene, &out, name);
        }
    }
}

#[test]
fn rows_of_users_in_a_new_catalog_are_refused() {
    check(&|database| new_catalog(database, "oid oid, name text"), &[]);
    let filled = |rows: &'static str| {
        move |database: &Database<'_>| {
            new_catalog(database, "oid oid, name text");
            database.sql(&format!("INSERT INTO pg_novelty VALUES {rows}"));
        }
    };
    check(&filled("(1234, 'of the server')"), &[]);
    check(&filled("(1234, 'of the server'), (70001, 'new')"), &["OID 70001 of pg_novelty"]);
}

#[test]
fn members_of_extensions_in_a_new_catalog_come_with_the_extension() {
    check(
        &|database| {
            new_catalog(database, "oid oid, name text");
            database.sql(
                "INSERT INTO pg_novelty VALUES (70001, 'new');
                 INSERT INTO pg_depend (classid, objid, objsubid, refclassid, refobjid, refobjsubid, deptype)
                 SELECT 9999, 70001, 0, 'pg_extension'::regclass, oid, 0, 'e' FROM pg_extension",
            );
        },
        &[],
    );
}

#[test]
fn facts_about_users_objects_in_a_new_catalog_are_refused() {
    let filled = |object: &'static str| {
        move |database: &Database<'_>| {
            new_catalog(database, "nvrelid regclass, nvsetting text");
            database.sql(&format!("INSERT INTO pg_novelty VALUES ({object}, 'x')"));
        }
    };
    check(&filled("'pg_class'"), &[]);
    check(&filled("'t'"), &["1 rows of the catalog pg_novelty"]);
}

#[test]
fn mentions_of_objects_in_catalogs_that_are_not_known_are_refused() {
    for mention in [
        "pg_depend VALUES (424242, 70001, 0, 2615, 2200, 0, 'n')",
        "pg_depend VALUES (1259, 't'::regclass, 0, 424242, 70001, 0, 'n')",
        "pg_shdepend SELECT oid, 424242, 70001, 0, 1260, 10, 'o' FROM pg_database WHERE datname = current_database()",
        "pg_description VALUES (70001, 424242, 0, 'x')",
        "pg_seclabel VALUES (70001, 424242, 0, 'x', 'y')",
        "pg_init_privs VALUES (70001, 424242, 0, 'i', '{=r/postgres}')",
    ] {
        let sql = format!("SET allow_system_table_mods = on; INSERT INTO {mention}");
        check(&|database| drop(database.sql(&sql)), &["OID 70001 of catalog 424242"]);
        for server in Server::each([13, REFERENCE]) {
            // Shared by all databases.
            server.sql("postgres", "SET allow_system_table_mods = on; DELETE FROM pg_shdepend WHERE classid = 424242");
        }
    }
}

#[test]
fn kind_of_dependency_that_is_not_known_is_refused() {
    check(
        &|database| {
            database.sql("CREATE VIEW v AS SELECT * FROM t");
            database.sql(
                "SET allow_system_table_mods = on; UPDATE pg_depend SET deptype = 'Z' WHERE refobjid = 't'::regclass",
            );
        },
        &["kind of dependency is 'Z'"],
    );
}

/// A backup of `database` with more options.
fn backup_again(scene: &Scene, url: &str, more: &[&str]) -> Output {
    let mut command = lifeboat();
    command.current_dir(scene.path(".")).args(["backup", "--url", url, "--output", "out.dump"]).args(more);
    output(&mut command)
}

/// As CREATE PUBLICATION … FOR ALL SEQUENCES is known by a new column to a lifeboat before PostgreSQL 19.
#[test]
fn new_column_of_a_catalog_is_refused_where_it_says_something_unless_that_is_accepted() {
    for server in Server::each([13, REFERENCE]) {
        let major = server.major();
        let database = server.database("column");
        let scene = Scene::new();
        let backup = |more: &[&str]| backup_again(&scene, &database.url(), more);
        let quiet = |why: &str, more: &[&str]| {
            let out = backup_again(&scene, &database.url(), &[more, &["--force"]].concat());
            assert!(out.success() && out.stderr().is_empty(), "on {major}, {why}: {out}");
            std::fs::remove_file(scene.path("out.dump")).unwrap();
        };
        let refused = |says: &str, more: &[&str]| {
            let out = backup(more);
            assert_failed(&scene, &out, says);
            assert!(out.stderr().contains("--accept-unknown"), "on {major}: {out}");
            let out = backup(&[more, &["--accept-unknown"]].concat());
            assert!(out.success() && out.stderr().contains(says), "on {major}: {out}");
            assert_eq!(out.stderr().lines().count(), 1, "on {major}: {out}");
            std::fs::remove_file(scene.path("out.dump")).unwrap();
        };
        database
            .sql("CREATE PUBLICATION p; CREATE PUBLICATION q; CREATE TABLE t (a integer); CREATE VIEW v AS SELECT 1");
        database.sql("SET allow_system_table_mods = on; ALTER TABLE pg_publication ADD pubnews boolean");
        quiet("all NULL", &[]);
        database.sql("UPDATE pg_publication SET pubnews = false");
        quiet("all false", &[]);
        database.sql("UPDATE pg_publication SET pubnews = true WHERE pubname = 'q'");
        refused("pubnews of pg_publication (of publication q)", &[]);
        quiet("not dumped", &["--no-publications"]);
        quiet("not selected", &["-t", "t"]);
        database.sql("DROP PUBLICATION q");

        // What it says of all that came with the server is nothing new.
        database.sql("SET allow_system_table_mods = on; ALTER TABLE pg_cast ADD castnews text DEFAULT 'usual'");
        quiet("as the server's", &[]);
        // With a selection, what is in it counts.
        database.sql("CREATE SCHEMA other; CREATE TABLE other.t (a integer); CREATE COLLATION mine (LOCALE = 'C')");
        database.sql("SET allow_system_table_mods = on; ALTER TABLE pg_collation ADD collnews text");
        database.sql("UPDATE pg_collation SET collnews = 'x' WHERE collname = 'mine'");
        refused("collnews of pg_collation (of collation public.mine)", &[]);
        refused("collnews of pg_collation (of collation public.mine)", &["-n", "public"]);
        quiet("in another schema", &["-n", "other"]);
        database.sql("DROP COLLATION mine");
        // One without OIDs, too; whether that is of what is selected cannot be known.
        database.sql("SET allow_system_table_mods = on; ALTER TABLE pg_sequence ADD seqnews text");
        database.sql("INSERT INTO pg_sequence SELECT 't'::regclass, 23, 1, 1, 1, 1, 1, false, 'news'");
        refused("seqnews of pg_sequence", &[]);
        let out = backup(&["-n", "other"]);
        assert!(out.success() && out.stderr().contains("seqnews of pg_sequence"), "on {major}: {out}");
    }
}

/// What a role may not read may say anything.
#[test]
fn new_column_that_may_not_be_read_is_refused_where_there_is_something_that_it_could_be_about() {
    for server in Server::each([14, REFERENCE]) {
        let major = server.major();
        let database = server.database_with("column", "OWNER alice");
        database.sql("SET allow_system_table_mods = on; ALTER TABLE pg_publication ADD pubnews boolean; REVOKE ALL ON pg_publication FROM PUBLIC; GRANT SELECT (oid, pubname, pubowner, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) ON pg_publication TO PUBLIC");
        if major > 17 {
            database.sql("SET allow_system_table_mods = on; GRANT SELECT (pubgencols) ON pg_publication TO PUBLIC");
        }
        let scene = Scene::new();
        let backup = |more: &[&str]| backup_again(&scene, &database.url_as("alice"), more);
        let out = backup(&[]);
        assert!(out.success() && out.stderr().is_empty(), "on {major}: {out}");
        std::fs::remove_file(scene.path("out.dump")).unwrap();
        database.sql("SET ROLE alice; CREATE PUBLICATION p");
        assert_failed(
            &scene,
            &backup(&[]),
            "pubnews of pg_publication (of publication p) (which only others may read)",
        );
        let out = backup(&["--accept-unknown"]);
        assert!(out.success() && out.stderr().contains("pubnews"), "on {major}: {out}");
    }
}

/// The columns that are known are all that there are, or else every backup would come with a warning.
#[test]
fn no_server_that_is_known_has_anything_new() {
    for server in Server::all() {
        let database = server.database("known");
        database.sql("CREATE TABLE t (a integer); CREATE PUBLICATION p FOR ALL TABLES; CREATE DOMAIN d AS integer CHECK (VALUE > 0)");
        let scene = Scene::new();
        let out = start(&scene, &database, &[]).end();
        assert!(out.success() && out.stderr().is_empty(), "on {}: {out}", server.major());
    }
}
