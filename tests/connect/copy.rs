//! COPY in both directions: over a Unix socket, TCP, and TLS.

use lifeboat::wire::{Connection, Why};

use super::{connect, encoded, raw, session};
use crate::support::server::PASSWORD;
use crate::support::{Options, Server};

fn still_works(c: &mut Connection) {
    assert_eq!(c.query("SELECT 1 AS one", &[]).unwrap().one().unwrap().i32("one").unwrap(), 1);
}

fn count(c: &mut Connection, table: &str) -> i64 {
    c.query(format!("SELECT count(*) AS n FROM {table}"), &[]).unwrap().one().unwrap().i64("n").unwrap()
}

fn read_all(c: &mut Connection, sql: &str, at_least: usize) -> Vec<u8> {
    let mut data = Vec::new();
    let mut copy = c.copy_out(sql.as_bytes()).unwrap();
    while copy.fill(&mut data, at_least).unwrap() {}
    data
}

/// A table has no order.
fn sorted(data: &[u8]) -> Vec<&[u8]> {
    let mut rows: Vec<_> = data.split(|b| *b == b'\n').collect();
    rows.sort_unstable();
    rows
}

/// Much data out, and in again in odd pieces, with short and very long rows.
fn there_and_back(c: &mut Connection) {
    c.execute(
        b"CREATE TEMP TABLE a AS SELECT g AS n, repeat('x', g % 500) AS x FROM generate_series(1, 20000) g; \
          INSERT INTO a VALUES (0, repeat('long', 1000000)); CREATE TEMP TABLE b (LIKE a)",
    )
    .unwrap();
    let data = read_all(c, "COPY a TO STDOUT", 100_000);
    assert_eq!(data.iter().filter(|b| **b == b'\n').count(), 20_001);
    let mut copy = raw(c).copy_in(b"COPY b FROM STDIN").unwrap();
    let mut rest = &data[..];
    for size in [1, 7, 4096, 131_072, 131_073, 1_000_000].into_iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at(rest.len().min(size));
        copy.send(piece).unwrap();
        rest = later;
    }
    assert_eq!(copy.finish().unwrap(), 20_001);
    assert_eq!(count(c, "(SELECT * FROM a EXCEPT ALL SELECT * FROM b) d"), 0);
    let again = read_all(c, "COPY b TO STDOUT", usize::MAX);
    assert!(sorted(&data) == sorted(&again), "the data differ");
}

#[test]
fn data_come_back_the_same_through_a_socket() {
    for server in Server::all() {
        there_and_back(&mut session(server));
    }
}

#[test]
fn data_come_back_the_same_through_tls() {
    let hba = "hostssl all all 127.0.0.1/32 scram-sha-256".to_owned();
    for major in [13, 18] {
        let options = Options { tls: true, hba: hba.clone(), ..Options::default() };
        let Ok(server) = Server::with(major, &options) else { continue };
        let url = format!(
            "postgresql://alice:{}@localhost:{}/postgres?sslmode=verify-full&sslrootcert={}",
            encoded(PASSWORD),
            server.port(),
            server.ca().display()
        );
        let mut c = connect(&url);
        assert!(c.is_tls());
        there_and_back(&mut c);
        noisy_trigger(&mut c);
    }
}

#[test]
fn fill_adds_what_was_asked_for_and_at_most_a_row_more() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    let mut copy = c.copy_out(b"COPY (SELECT repeat('z', 99) FROM generate_series(1, 10000)) TO STDOUT").unwrap();
    let mut data = b"before".to_vec();
    let mut calls = 0;
    loop {
        let before = data.len();
        let more = copy.fill(&mut data, 12_345).unwrap();
        if !more {
            break;
        }
        let added = data.len() - before;
        assert!((12_345..12_345 + 100).contains(&added), "{added}");
        assert_eq!((data.len() - 6) % 100, 0, "a row was cut");
        calls += 1;
    }
    assert!(!copy.fill(&mut data, 1).unwrap());
    drop(copy);
    assert_eq!((data.len(), calls), (1_000_006, 80));
    assert!(data.starts_with(b"beforezzz"));
    assert_eq!(read_all(&mut c, "COPY (SELECT 1 WHERE false) TO STDOUT", 1), b"");
    still_works(&mut c);
}

#[test]
fn rows_that_are_longer_than_what_was_asked_for_are_cut_and_nothing_is_lost() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    // Of every length around that of a piece, and around twice that.
    let sql = "COPY (SELECT g, repeat('x', (g * 7919) % 700), CASE WHEN g % 50 = 0 THEN repeat('y', 5000) END \
               FROM generate_series(1, 3000) g) TO STDOUT";
    let whole = read_all(&mut c, sql, 1 << 30);
    for piece in [1, 7, 100, 350, 4096] {
        let mut copy = c.copy_out(sql.as_bytes()).unwrap();
        let (mut data, mut buffer) = (Vec::new(), Vec::new());
        loop {
            buffer.clear();
            let more = copy.fill(&mut buffer, piece).unwrap();
            assert!(buffer.len() <= 2 * piece && (!more || buffer.len() >= piece), "{} of {piece}", buffer.len());
            data.extend_from_slice(&buffer);
            if !more {
                break;
            }
        }
        assert_eq!(copy.rows(), 3000);
        drop(copy);
        assert!(data == whole, "by {piece} it is not the same");
    }
    still_works(&mut c);
}

#[test]
fn an_error_in_the_middle_of_a_copy_out_is_reported() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    let mut copy = c.copy_out(b"COPY (SELECT 1000 / (50000 - g) FROM generate_series(1, 100000) g) TO STDOUT").unwrap();
    let mut data = Vec::new();
    let error = loop {
        match copy.fill(&mut data, 1000) {
            Ok(true) => {}
            Ok(false) => panic!("the copy ended well"),
            Err(error) => break error,
        }
    };
    assert!(error.server().unwrap().is("22012"), "{error}");
    assert!(!data.is_empty());
    drop(copy);
    still_works(&mut c);
}

#[test]
fn a_copy_out_left_early_is_not_mistaken_for_data() {
    let server = needed!(Server::newest());
    let sql = b"COPY (SELECT repeat('q', 1000) FROM generate_series(1, 20000)) TO STDOUT";
    let mut c = session(server);
    let mut copy = c.copy_out(sql).unwrap();
    copy.fill(&mut Vec::new(), 10).unwrap();
    copy.drain().unwrap();
    still_works(&mut c);
    let mut copy = c.copy_out(sql).unwrap();
    copy.fill(&mut Vec::new(), 10).unwrap();
    drop(copy);
    let error = c.query("SELECT 1", &[]).unwrap_err();
    assert!(matches!(&error.why, Why::Lost(why) if why.contains("COPY")), "{error}");
}

#[test]
fn a_server_that_refuses_data_is_noticed_while_they_are_sent() {
    for server in Server::all() {
        let mut c = session(server);
        c.execute(b"CREATE TEMP TABLE t (a int CHECK (a < 1000000))").unwrap();
        let mut copy = raw(&mut c).copy_in(b"COPY t FROM STDIN").unwrap();
        let mut sent = 0u64;
        let error = loop {
            if let Err(error) = copy.send(b"not a number\n") {
                break error;
            }
            sent += 1;
            assert!(sent < 200_000_000, "the refusal is never noticed");
        };
        assert!(error.server().unwrap().is("22P02"), "{error}");
        assert!(copy.send(b"1\n").is_err());
        assert!(copy.finish().is_err());
        still_works(&mut c);

        // Little data: noticed at the end.
        let mut copy = raw(&mut c).copy_in(b"COPY t FROM STDIN").unwrap();
        copy.send(b"1\n2000000\n").unwrap();
        let error = copy.finish().unwrap_err();
        let report = error.server().unwrap();
        assert!(report.is("23514") && report.context.as_ref().unwrap().starts_with(b"COPY t, line 2"), "{report:?}");
        still_works(&mut c);
        assert_eq!(count(&mut c, "t"), 0);
    }
}

#[test]
fn a_copy_in_that_is_given_up_stores_nothing() {
    let server = needed!(Server::newest());
    let mut c = session(server);
    c.execute(b"CREATE TEMP TABLE t (a int)").unwrap();
    let mut copy = raw(&mut c).copy_in(b"COPY t FROM STDIN").unwrap();
    copy.send(b"1\n").unwrap();
    copy.abort("no more of this").unwrap();
    still_works(&mut c);
    let mut copy = raw(&mut c).copy_in(b"COPY t FROM STDIN").unwrap();
    copy.send(b"1\n").unwrap();
    drop(copy);
    assert_eq!(count(&mut c, "t"), 0);
    assert_eq!(raw(&mut c).copy_in(b"COPY t FROM STDIN").unwrap().finish().unwrap(), 0);
    still_works(&mut c);
}

/// The server says more than sockets buffer while it is being sent data.
fn noisy_trigger(c: &mut Connection) {
    c.execute(
        b"CREATE TEMP TABLE noisy (a int); \
          CREATE FUNCTION pg_temp.say() RETURNS trigger LANGUAGE plpgsql AS \
          $$ BEGIN RAISE NOTICE '% %', NEW.a, repeat('n', 1000); RETURN NEW; END $$; \
          CREATE TRIGGER say BEFORE INSERT ON noisy FOR EACH ROW EXECUTE FUNCTION pg_temp.say()",
    )
    .unwrap();
    let mut copy = raw(c).copy_in(b"COPY noisy FROM STDIN").unwrap();
    let rows: Vec<u8> = (0..10_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
    copy.send(&rows).unwrap();
    assert_eq!(copy.finish().unwrap(), 10_000);
    assert!(c.take_notices().last().unwrap().message.starts_with(b"9999 "));
    still_works(c);
}

#[test]
fn a_server_that_talks_while_it_is_sent_data_causes_no_deadlock() {
    for server in Server::all() {
        noisy_trigger(&mut session(server));
    }
}
