//! Others who change a table while a backup waits for its lock.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use super::{Running, Session, assert_failed, restore, wait_for_waiting};
use crate::sqlite::Scene;
use crate::support::{Database, Output, REFERENCE, Server};

const TABLE: &str =
    "CREATE TABLE t (a integer, b varchar(10)); INSERT INTO t SELECT n, n FROM generate_series(1, 100) n";

/// Backs up while `change` is not yet committed; it is committed when the backup waits for the table's lock.
fn backup_during(scene: &Scene, database: &Database<'_>, change: &str) -> Output {
    let mut session = Session::open(database);
    session.run("BEGIN");
    session.run(change);
    let running = Running::start(scene, database, &[]);
    wait_for_waiting(database);
    session.run("COMMIT");
    running.end()
}

#[test]
fn lock_that_does_not_come_in_time_is_an_error() {
    for server in Server::all() {
        let database = server.database("locked");
        database.psql(TABLE);
        let mut session = Session::open(&database);
        session.run("BEGIN");
        session.run("LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
        let scene = Scene::new();
        let running = Running::start(&scene, &database, &["--lock-wait-timeout", "300"]);
        assert_failed(&scene, &running.end(), "canceling statement due to lock timeout");
        session.run("ROLLBACK");
        scene.run(&["backup", "--url", &database.url(), "--output", "out.dump", "--lock-wait-timeout", "300"]);
    }
}

#[test]
fn table_that_is_dropped_meanwhile_is_not_in_the_backup() {
    for server in Server::all() {
        let database = server.database("dropped");
        database.psql(TABLE);
        database.psql("CREATE TABLE other AS TABLE t");
        let scene = Scene::new();
        let out = backup_during(&scene, &database, "DROP TABLE t");
        assert!(out.success() && out.stderr().contains("beginning again"), "{out}");
        let restored = server.database("dropped");
        let out = restore(&scene, "out.dump", &restored, &[]);
        assert!(out.success(), "{out}");
        assert_eq!(restored.psql("SELECT to_regclass('t') IS NULL, count(*) FROM other"), "t|100");
    }
}

#[test]
fn column_that_is_added_meanwhile_is_not_in_the_snapshot() {
    for server in Server::all() {
        let database = server.database("added");
        database.psql(TABLE);
        let scene = Scene::new();
        let out = backup_during(&scene, &database, "ALTER TABLE t ADD COLUMN c integer; UPDATE t SET b = 'new'");
        assert!(out.success(), "{out}");
        let restored = server.database("added");
        let out = restore(&scene, "out.dump", &restored, &[]);
        assert!(out.success(), "{out}");
        assert_eq!(restored.psql("SELECT count(*), sum(a), sum(b::integer) FROM t"), "100|5050|5050");
    }
}

#[test]
fn column_that_is_dropped_meanwhile_is_an_error() {
    for server in Server::all() {
        let database = server.database("column");
        database.psql(TABLE);
        let scene = Scene::new();
        assert_failed(&scene, &backup_during(&scene, &database, "ALTER TABLE t DROP COLUMN b"), "\"b\"");
    }
}

/// A table that has been truncated, or written anew, is empty for the transactions that began before: an archive without
/// its rows would look complete. The backup notices, and begins again.
#[test]
fn table_that_is_written_anew_meanwhile_is_never_backed_up_empty() {
    for server in Server::all() {
        for change in ["ALTER TABLE t ALTER a TYPE bigint", "TRUNCATE t; INSERT INTO t VALUES (1, '2')"] {
            let database = server.database("anew");
            database.psql(TABLE);
            let scene = Scene::new();
            let out = backup_during(&scene, &database, change);
            assert!(out.success(), "{out}");
            assert!(out.stderr().contains("public.t") && out.stderr().contains("beginning again"), "{out}");
            let restored = server.database("anew");
            let out = restore(&scene, "out.dump", &restored, &[]);
            assert!(out.success(), "{out}");
            let rows = "SELECT count(*), sum(a), pg_typeof(sum(a)) FROM t";
            assert_eq!(restored.psql(rows), database.psql(rows));
        }
    }
}

/// Tables are locked and copied by name: where another table gets the name meanwhile, its rows must not be taken for those
/// of the first one.
#[test]
fn tables_that_change_names_meanwhile_keep_their_rows() {
    for server in Server::all() {
        for options in [&[][..], &["--table", "t"]] {
            let database = server.database("swapped");
            database.psql(TABLE);
            database.psql("CREATE TABLE u AS SELECT * FROM t LIMIT 7; COMMENT ON TABLE u IS 'seven'");
            let scene = Scene::new();
            let mut session = Session::open(&database);
            session.run("BEGIN");
            session.run("ALTER TABLE t RENAME TO x; ALTER TABLE u RENAME TO t; ALTER TABLE x RENAME TO u");
            let running = Running::start(&scene, &database, options);
            wait_for_waiting(&database);
            session.run("COMMIT");
            let out = running.end();
            assert!(out.success() && out.stderr().contains("another table got its name"), "{out}");
            let restored = server.database("swapped");
            let out = restore(&scene, "out.dump", &restored, &[]);
            assert!(out.success(), "{out}");
            assert_eq!(restored.psql("SELECT count(*), obj_description('t'::regclass, 'pg_class') FROM t"), "7|seven");
        }
    }
}

/// Their schemas' names are not held by the tables' locks.
#[test]
fn schemas_that_change_names_meanwhile_fail_the_backup() {
    for server in Server::all() {
        let database = server.database("schemas");
        database.psql(
            "CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA gone;
             CREATE TABLE a.t AS SELECT 'of a' AS rows; CREATE TABLE b.t AS SELECT 'of b' AS rows",
        );
        let backup_while = |change: &str| {
            let scene = Scene::new();
            let gate = Gate::before(&database);
            let url = format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable", gate.port, database.name());
            let running = Running::start(&scene, &database, &["--url", &url]);
            gate.held.recv_timeout(Duration::from_secs(120)).unwrap();
            database.psql(change);
            gate.let_go();
            (scene, running.end())
        };
        // What nobody else is called by is no danger.
        let (_scene, out) = backup_while("DROP SCHEMA gone; CREATE SCHEMA new");
        assert!(out.success(), "{out}");
        let swap = "ALTER SCHEMA a RENAME TO x; ALTER SCHEMA b RENAME TO a; ALTER SCHEMA x RENAME TO b";
        let (scene, out) = backup_while(swap);
        assert_failed(&scene, &out, "another schema got its name");
    }
}

/// Between a backup with two connections and its server: holds back the first connection's first COPY, and the second's
/// first LOCK, until it is told to let go.
struct Gate {
    port: u16,
    held: mpsc::Receiver<(usize, String)>,
    open: Arc<(Mutex<bool>, Condvar)>,
}

impl Gate {
    fn before(database: &Database<'_>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, there) = (listener.local_addr().unwrap().port(), database.server().port());
        let (send, held) = mpsc::channel();
        let open = Arc::new((Mutex::new(false), Condvar::new()));
        let gate = Self { port, held, open: open.clone() };
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let client = client.unwrap();
                let server = TcpStream::connect(("127.0.0.1", there)).unwrap();
                let (mut answers, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut answers, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
                let (send, open) = (send.clone(), open.clone());
                // It ends when either side does, which the test sees in what the backup says.
                thread::spawn(move || drop(pass_on(number, client, server, &send, &open)));
            }
        });
        gate
    }

    /// The statements of both connections that are held back, when they are.
    fn wait(&self) -> [String; 2] {
        let mut statements = [String::new(), String::new()];
        for _ in 0..2 {
            let (number, statement) = self.held.recv_timeout(Duration::from_secs(120)).unwrap();
            statements[number] = statement;
        }
        statements
    }

    fn let_go(&self) {
        *self.open.0.lock().unwrap() = true;
        self.open.1.notify_all();
    }
}

/// Passes messages on, and holds back the one that the gate is for.
fn pass_on(
    number: usize,
    mut client: TcpStream,
    mut server: TcpStream,
    send: &mpsc::Sender<(usize, String)>,
    open: &(Mutex<bool>, Condvar),
) -> std::io::Result<()> {
    let mut is_first = true;
    let mut has_held = false;
    loop {
        // All messages but the first have their type before their length.
        let mut head = vec![0; if is_first { 4 } else { 5 }];
        client.read_exact(&mut head)?;
        let length = u32::from_be_bytes(head[head.len() - 4..].try_into().unwrap());
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body)?;
        let text = String::from_utf8_lossy(&body);
        let is_it = ["COPY ", "LOCK "].get(number).is_some_and(|word| text.contains(word));
        if !has_held && !is_first && is_it {
            has_held = true;
            send.send((number, text.into_owned())).unwrap();
            let mut is_open = open.0.lock().unwrap();
            while !*is_open {
                is_open = open.1.wait(is_open).unwrap();
            }
        }
        is_first = false;
        server.write_all(&head)?;
        server.write_all(&body)?;
    }
}

/// Backs up two tables, one over each of two connections, while somebody waits for a stronger lock on the table that the
/// connection of this number copies.
fn backup_while_waiting_for(number: usize) -> (Scene, Output) {
    let server = Server::get(REFERENCE).unwrap();
    let database = server.database("behind");
    database.psql("CREATE TABLE one AS SELECT 1 AS a; CREATE TABLE two AS SELECT 2 AS a");
    let scene = Scene::new();
    let gate = Gate::before(&database);
    let url = format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable", gate.port, database.name());
    let running = Running::start(&scene, &database, &["--jobs", "2", "--url", &url]);
    let statements = gate.wait();
    let table = ["one", "two"].into_iter().find(|table| statements[number].contains(&format!("public.{table} ")));
    let table = table.unwrap_or_else(|| panic!("{statements:?}"));
    let mut session = Session::open(&database);
    session.send(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"));
    wait_for_waiting(&database);
    gate.let_go();
    (scene, running.end())
}

/// A second connection must not wait behind somebody who waits for the first one: all three would wait for ever.
#[test]
fn second_connection_does_not_wait_behind_somebody_who_waits_for_the_first() {
    if Server::get(REFERENCE).is_none() {
        return;
    }
    let (scene, out) = backup_while_waiting_for(1);
    assert_failed(&scene, &out, "use --jobs 1");
}

#[test]
fn first_connection_copies_what_somebody_waits_for() {
    if Server::get(REFERENCE).is_none() {
        return;
    }
    let (scene, out) = backup_while_waiting_for(0);
    assert!(out.success(), "{out}");
    assert_eq!(scene.names(), ["out.dump"]);
}
