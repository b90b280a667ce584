//! Statements, pipelines, errors, notices, cancelling.

use lifeboat::wire::{Begin, Connection, Param, Query, Why};

use super::{connect, raw, session};
use crate::support::Server;
use crate::support::wait::wait_until;

fn still_works(c: &mut Connection) {
    assert_eq!(c.query("SELECT 1 AS one", &[]).unwrap().one().unwrap().i32("one").unwrap(), 1);
}

#[test]
fn the_version_is_that_of_the_server() {
    for server in Server::all() {
        let c = session(server);
        let expected: i32 = server.sql("postgres", "SHOW server_version_num").parse().unwrap();
        assert_eq!(c.server_version(), expected);
        assert_eq!(c.parameter("server_encoding").unwrap(), "UTF8");
        assert_eq!(c.parameter("nonsense"), None);
    }
}

#[test]
fn the_session_is_listed_under_its_names() {
    let server = needed!(Server::newest());
    let sql = "SELECT application_name AS a, usename AS u FROM pg_catalog.pg_stat_activity WHERE pid = $1";
    for (text, name) in [("", "lifeboat"), (" application_name=nightly", "nightly")] {
        let url =
            format!("host={} port={} user=alice dbname=postgres{text}", server.socket_dir().display(), server.port());
        let mut c = connect(&url);
        let pid = c.backend_pid();
        let rows = c.query(sql, &[Param::int4(pid)]).unwrap();
        let row = rows.one().unwrap();
        assert_eq!((row.text("a").unwrap(), row.text("u").unwrap()), (name.into(), "alice".into()));
    }
    let url = format!(
        "host={} port={} user=alice dbname=postgres options='-c work_mem=123kB'",
        server.socket_dir().display(),
        server.port()
    );
    let rows = connect(&url).query("SELECT current_setting('work_mem') AS w", &[]).unwrap();
    assert_eq!(rows.one().unwrap().text("w").unwrap(), "123kB");
}

#[test]
fn many_statements_run_at_once_and_stop_at_the_first_error() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    c.execute(b"CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2);; SELECT * FROM t; -- nothing").unwrap();
    c.execute(b"").unwrap();
    c.execute(b"SELECT a, NULL AS n FROM t ORDER BY a; DELETE FROM t WHERE a = 2; SELECT 'x' AS x").unwrap();
    // Rows that come after a notice are passed over like others.
    c.execute(
        b"CREATE FUNCTION pg_temp.loud() RETURNS int LANGUAGE plpgsql AS 'BEGIN RAISE WARNING ''loud''; RETURN 1; END'; \
          SELECT pg_temp.loud() FROM generate_series(1, 3)",
    )
    .unwrap();
    assert_eq!(c.take_notices().len(), 3);
    let error = c.execute(b"INSERT INTO t VALUES (3); SELECT 1/0; INSERT INTO t VALUES (4)").unwrap_err();
    assert!(matches!(&error.why, Why::Server(report) if report.is("22012")), "{error}");
    assert_eq!(c.query("SELECT count(*) AS n FROM t", &[]).unwrap().one().unwrap().i64("n").unwrap(), 1);
    assert!(matches!(c.execute(b"SELECT 1\0").unwrap_err().why, Why::Statement(_)));
    still_works(&mut c);
}

#[test]
fn the_fields_of_an_error_can_be_had() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    c.execute(b"CREATE TEMP TABLE t (a int CONSTRAINT small CHECK (a < 10) PRIMARY KEY)").unwrap();
    let error = c.execute(b"INSERT INTO t VALUES (1), (1)").unwrap_err();
    let report = error.server().unwrap();
    assert!(report.is("23505") && report.severity == "ERROR" && report.position.is_none());
    assert_eq!(
        (report.table.as_ref().unwrap().as_slice(), report.constraint.as_ref().unwrap().as_slice()),
        (&b"t"[..], &b"t_pkey"[..])
    );
    let shown = lifeboat::Error::from(error).to_string();
    assert!(shown.contains("(SQLSTATE 23505)") && shown.contains("Key (a)=(1) already exists"), "{shown}");
    let error = c.execute(b"SELECT nonsense FROM t").unwrap_err();
    assert_eq!(error.server().unwrap().position, Some(8));
    let error = c.execute(b"DO $$ BEGIN EXECUTE 'SELECT 1/0'; END $$").unwrap_err();
    assert!(error.server().unwrap().context.as_ref().unwrap().starts_with(b"SQL statement"));
}

#[test]
fn the_state_of_the_transaction_is_known() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    assert_eq!(c.transaction_status(), b'I');
    c.begin(&Begin::read_write()).unwrap();
    assert_eq!(c.transaction_status(), b'T');
    c.query("SELECT 1/0", &[]).unwrap_err();
    assert_eq!(c.transaction_status(), b'E');
    assert!(c.query("SELECT 1", &[]).unwrap_err().server().unwrap().is("25P02"));
    c.rollback().unwrap();
    assert_eq!(c.transaction_status(), b'I');
}

/// Queries whose texts, parameters and results are each more than sockets buffer.
fn heavy(n: u32) -> Vec<Query> {
    (0..n)
        .map(|i| {
            let sql = format!(
                "SELECT $2 + {i} AS i, repeat('r', 3000) AS r FROM generate_series(1, 100) WHERE cardinality($1) > 0"
            );
            let oids = vec![7; if i % 25 == 24 { 200_000 } else { 600 }];
            Query::new(format!("number {i}"), sql).param(Param::oids(&oids)).param(Param::int4(0))
        })
        .collect()
}

#[test]
fn a_pipeline_neither_deadlocks_nor_mixes_results_up() {
    for server in Server::all() {
        let mut c = session(server);
        let results = c.pipeline(&heavy(60)).unwrap();
        assert_eq!(results.len(), 60);
        for (i, rows) in (0..).zip(&results) {
            assert_eq!((rows.len(), rows.first().unwrap().i32("i").unwrap()), (100, i));
        }
        assert!(c.pipeline(&[]).unwrap().is_empty());
        still_works(&mut c);
    }
}

#[test]
fn the_error_of_a_pipeline_names_its_query() {
    for server in Server::all() {
        let mut c = session(server);
        c.execute(b"CREATE TEMP TABLE t (a int)").unwrap();
        for bad in ["SELECT 1/0 WHERE $1 IS NULL OR $2 = 0", "SELEC $1, $2", "COPY t FROM STDIN", "COPY t TO STDOUT"] {
            let mut queries = heavy(40);
            queries[0] = Query::new("first", "INSERT INTO t VALUES (1)");
            queries[20].sql = bad.into();
            if bad.starts_with("COPY") {
                queries[20].params.clear();
            }
            let error = c.pipeline(&queries).unwrap_err().to_string();
            assert!(error.contains("number 20"), "{error}");
            // All of them are one transaction, and it is the one that failed.
            assert_eq!(c.query("SELECT FROM t", &[]).unwrap().len(), 0, "{bad}");
            assert_eq!(c.transaction_status(), b'I', "{bad}");
        }
        c.begin(&Begin::read_write()).unwrap();
        c.pipeline(&heavy(3)).unwrap();
        assert_eq!(c.transaction_status(), b'T');
    }
}

#[test]
fn a_deferred_constraint_fails_the_pipeline_that_commits() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    c.execute(b"CREATE TEMP TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)").unwrap();
    let error = c.pipeline(&[Query::new("the rows", "INSERT INTO t VALUES (1), (1)")]).unwrap_err();
    assert!(error.server().unwrap().is("23505"));
    still_works(&mut c);
}

#[test]
fn data_in_the_wrong_place_leaves_the_connection_usable() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    c.execute(b"CREATE TEMP TABLE t (a int)").unwrap();
    for sql in
        [&b"COPY t FROM STDIN"[..], b"COPY t TO STDOUT", b"SELECT 1; COPY pg_catalog.pg_class TO STDOUT; SELECT 2"]
    {
        assert!(c.execute(sql).unwrap_err().to_string().contains("COPY"));
        still_works(&mut c);
        assert!(c.query(sql.split(|b| *b == b';').next().unwrap(), &[]).is_err() || sql.starts_with(b"SELECT"));
        still_works(&mut c);
    }
    for sql in ["SELECT 1", "COPY t TO STDOUT", "", "COPY nonsense FROM STDIN"] {
        assert!(raw(&mut c).copy_in(sql.as_bytes()).is_err(), "{sql}");
        still_works(&mut c);
    }
    for sql in ["SELECT 1", "COPY t FROM STDIN", "", "COPY nonsense TO STDOUT"] {
        assert!(c.copy_out(sql.as_bytes()).is_err(), "{sql}");
        still_works(&mut c);
    }
}

#[test]
fn notices_are_kept_within_bounds() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    c.execute(b"DO $$ BEGIN RAISE NOTICE 'one' USING HINT = 'two'; RAISE WARNING 'three'; END $$").unwrap();
    let notices = c.take_notices();
    assert_eq!(notices.iter().map(|n| n.message.to_string()).collect::<Vec<_>>(), ["one", "three"]);
    assert_eq!(
        (notices[0].hint.as_ref().unwrap().as_slice(), notices[1].severity.as_slice()),
        (&b"two"[..], &b"WARNING"[..])
    );
    assert!(c.take_notices().is_empty());
    c.execute(b"DO $$ BEGIN FOR i IN 1..5000 LOOP RAISE NOTICE '% %', i, repeat('x', 2000); END LOOP; END $$").unwrap();
    let notices = c.take_notices();
    assert!((100..=1000).contains(&notices.len()), "{}", notices.len());
    assert!(notices.last().unwrap().message.starts_with(b"5000 "));
}

#[test]
fn a_statement_can_be_cancelled_from_another_thread() {
    for server in Server::all() {
        let mut c = session(server);
        let (handle, pid) = (c.cancel_handle(), c.backend_pid());
        let sql = format!(
            "SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND state = 'active' AND query LIKE '%pg_sleep%'"
        );
        let canceller = std::thread::spawn(move || {
            wait_until(&sql, || !server.sql("postgres", &sql).is_empty());
            handle.cancel()
        });
        let error = c.execute(b"SELECT pg_sleep(600)").unwrap_err();
        canceller.join().unwrap().unwrap();
        assert!(error.server().unwrap().is("57014"), "{error}");
        still_works(&mut c);
    }
}

#[test]
fn the_reason_of_a_lost_connection_is_told() {
    for server in Server::all() {
        let mut c = session(server);
        let error = c.query("SELECT pg_terminate_backend(pg_backend_pid())", &[]).unwrap_err();
        assert!(matches!(&error.why, Why::Ended(report) if report.is("57P01")), "{error}");
        assert!(c.is_broken());
        let error = c.execute(b"SELECT 1").unwrap_err();
        assert!(matches!(&error.why, Why::Lost(why) if why.contains("administrator")), "{error}");

        // Ended between two statements: the write may succeed or fail, the reason is there in either case.
        let mut c = session(server);
        let pid = c.backend_pid();
        server.sql("postgres", &format!("SELECT pg_terminate_backend({pid})"));
        let gone = format!("SELECT 1 FROM pg_stat_activity WHERE pid = {pid}");
        wait_until("the end of the session", || server.sql("postgres", &gone).is_empty());
        let error = c.execute(b"SELECT 1").unwrap_err();
        assert!(error.server().is_some_and(|s| s.is("57P01")), "{error}");
    }
}
