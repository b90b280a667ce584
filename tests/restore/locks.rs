//! Locks of others: a restore does not wait for ever, changes nothing where a table could not be replaced, and says whose it is.

use std::io::{BufRead, BufReader};
use std::sync::mpsc;
use std::time::Duration;

use lifeboat::connect::{self, Environment};
use lifeboat::wire::Begin;

use crate::support::wait::{wait_for_session, wait_for_waiting};
use crate::support::{Database, REFERENCE, Running, Scene, Server, Session, verbs};

fn two_tables<'a>(server: &'a Server) -> (Database<'a>, Scene) {
    let database = server.database("locks");
    database
        .sql("CREATE TABLE first AS SELECT 1 AS a; CREATE TABLE second AS SELECT 2 AS a; CREATE INDEX ON second (a)");
    let scene = Scene::of(&database, &[]);
    (database, scene)
}

/// A session in a transaction whose last statement is `sql`.
fn holding(database: &Database<'_>, sql: &str) -> Session {
    let mut session = Session::open(database);
    session.run("BEGIN");
    session.send(sql);
    let beginning = sql.split('\'').next().unwrap();
    wait_for_session(database, &format!("state = 'idle in transaction' AND query LIKE '{beginning}%'"));
    session
}

/// Every relation and its file: what was made anew has others.
fn files(database: &Database<'_>) -> String {
    database.sql("SELECT string_agg(oid || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class WHERE oid >= 16384")
}

#[test]
fn a_table_that_somebody_reads_is_not_replaced_and_neither_are_others() {
    let server = needed!(Server::newest());
    let (database, scene) = two_tables(server);
    let before = files(&database);
    let mut session = holding(&database, "SELECT a FROM second WHERE 'geheim' <> ''");
    for options in [&[][..], &["-1"], &["-e"], &["--jobs", "2"], &["--transaction-size", "1"], &["--drop-dependents"]] {
        let out = scene.restore(&database.url(), &[options, &["--lock-wait-timeout", "300"]].concat());
        assert_eq!(out.code(), 1, "{options:?}: {out}");
        let said = out.stderr();
        if options.contains(&"--drop-dependents") || options.is_empty() {
            assert!(said.contains("could not lock the tables that are replaced"), "{options:?}: {out}");
        }
        assert!(said.contains("canceling statement due to lock timeout (SQLSTATE 55P03)"), "{options:?}: {out}");
        assert!(said.contains("nothing was changed; in the way: process "), "{options:?}: {out}");
        assert!(said.contains(" of postgres (psql), in a transaction since 2"), "{options:?}: {out}");
        assert!(said.contains(" UTC: SELECT a FROM second WHERE ...; wait longer (--lock-wait-timeout)"), "{out}");
        assert!(!said.contains("geheim"), "{out}");
        assert_eq!(files(&database), before, "{options:?}");
    }
    session.run("COMMIT");
    let out = scene.restore(&database.url(), &["--lock-wait-timeout", "300"]);
    assert_eq!((out.code(), out.stderr().as_str()), (0, ""), "{out}");
    database.assert_is("restored", &scene.archive());
}

/// A restore's limit holds for what is not dropped, too.
#[test]
fn a_lock_that_comes_too_late_is_an_error_of_what_waits_for_it() {
    let server = needed!(Server::newest());
    let (database, scene) = two_tables(server);
    let _session = holding(&database, "LOCK TABLE second IN SHARE MODE");
    for more in [&[][..], &["--jobs", "2"]] {
        let options = [&["--data-only", "--json", "--lock-wait-timeout", "300"], more].concat();
        let out = scene.restore(&database.url(), &options);
        assert_eq!(out.code(), 3, "{out}");
        let report = out.json();
        assert_eq!(report["errors"].as_array().unwrap().len(), 1, "{out}");
        assert_eq!(report["errors"][0]["entry"], "TABLE DATA public.second", "{out}");
        assert!(report["errors"][0]["hint"].as_str().unwrap().contains("(--lock-wait-timeout)"), "{out}");
    }
    assert_eq!(database.sql("SELECT count(*) FROM first"), "3");
}

/// Who waits is told who has the lock, as far as the role may see that.
#[test]
fn who_has_a_lock_is_told_to_whom_it_is_kept_from() {
    let server = needed!(Server::newest());
    let (database, _scene) = two_tables(server);
    database.sql("GRANT ALL ON second TO alice");
    for (user, ends) in [("postgres", " UTC: LOCK TABLE second IN EXCLUSIVE MODE;"), ("alice", " of postgres (psql)")] {
        let mut session = holding(&database, "LOCK TABLE second IN EXCLUSIVE MODE");
        let url = database.url_as(user);
        let Ok(connect::Database::Postgres(target)) = connect::recognise(url.as_bytes(), &Environment::empty()) else {
            unreachable!()
        };
        let (tell, told) = mpsc::channel();
        let target = target.with_lock_watch(Duration::from_millis(50), move |message| tell.send(message).unwrap());
        let message = std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut connection = target.connect().unwrap();
                connection.begin(&Begin::read_write()).unwrap();
                connection.execute(b"LOCK TABLE public.second IN EXCLUSIVE MODE").unwrap();
            });
            let message = told.recv_timeout(Duration::from_secs(120));
            session.run("COMMIT");
            message.unwrap()
        });
        assert_eq!(message.subject.to_string(), "a lock on public.second");
        let text = message.text.to_string();
        assert!(text.starts_with("waiting for it; in the way: process ") && text.ends_with(ends), "{user}: {text}");
    }
}

/// The command line says so by itself when it has waited for some time, of a backup as well.
#[test]
fn a_job_that_waits_says_for_whom() {
    let server = needed!(Server::get(REFERENCE));
    // Each has a database of its own: what one replaces would be a change for the other.
    let ((replaced, scene), (read, other)) = (two_tables(server), two_tables(server));
    let mut sessions = [&replaced, &read].map(|database| holding(database, "LOCK TABLE first, second"));
    let out = other.path("out.dump");
    let verbs = [verbs::restore(&replaced.url(), &scene.archive(), &[]), verbs::backup(&read.url(), &out, &[])];
    let mut running = Vec::new();
    for (mut verb, database) in verbs.into_iter().zip([&replaced, &read]) {
        let mut one = Running::start(&mut verb);
        wait_for_waiting(database);
        let lines = BufReader::new(one.child.stderr.take().unwrap()).lines();
        running.push((one, lines));
    }
    for (_, lines) in &mut running {
        let said = lines.map_while(Result::ok).find(|line| line.contains("in the way")).unwrap();
        assert!(
            // Whichever of the two it waits for at that moment.
            ["first", "second"].iter().any(|table| {
                said.starts_with(&format!(
                    "lifeboat: warning: a lock on public.{table}: waiting for it; in the way: process "
                ))
            }),
            "{said}"
        );
        assert!(said.contains(" of postgres (psql), in a transaction since 2"), "{said}");
        assert!(said.contains(" UTC: LOCK TABLE first, second;"), "{said}");
    }
    sessions.iter_mut().for_each(|session| session.run("COMMIT"));
    for (one, lines) in running {
        assert_eq!(one.end().code(), 0, "{:?}", lines.map_while(Result::ok).collect::<Vec<_>>());
    }
}
