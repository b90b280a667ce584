//! Servers, and proxies before them, that fall silent in the middle of something: it ends with an error that says so, and a
//! signal ends it. What takes a server long is not cut off.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::fill;
use crate::support::proxy::{Fall, Others, Proxy};
use crate::support::wait::wait_for;
use crate::support::{Database, Output, REFERENCE, Running, Scene, Server, Session, lifeboat, unfinished, verbs};

/// Runs the command to its end, which must come; when it does is not asserted, but five minutes are where hope ends. When
/// `signalled` says so, it is sent SIGTERM.
fn ended(command: &mut Command, signalled: Option<&dyn Fn(u32)>) -> Output {
    let mut running = Running::start(command);
    if let Some(wait) = signalled {
        wait(running.pid());
        running.signal("TERM");
    }
    let begun = Instant::now();
    while !running.has_ended() {
        if begun.elapsed() > Duration::from_secs(300) {
            panic!("it does not end: {}", running.ended_by("KILL"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    running.end()
}

/// The database's URL by way of the proxy.
fn url(database: &Database<'_>, proxy: &Proxy) -> String {
    format!("postgresql://postgres@127.0.0.1:{}/{}?sslmode=disable&connect_timeout=5", proxy.port(), database.name())
}

fn backup(url: &str, scene: &Scene) -> Command {
    verbs::backup(url, &scene.path("out.dump"), &["--force", "--idle-timeout", "1"])
}

fn restore(url: &str, archive: &Path, more: &[&str]) -> Command {
    verbs::restore(url, archive, &[&["--idle-timeout", "1"], more].concat())
}

/// Where the proxy falls silent, after how many bytes, and what becomes of others; options or a verb; what is said.
type Case = (&'static [&'static [u8]], usize, Others, &'static [&'static str], &'static str);

const IN_A_QUERY: &[&[u8]] = &[b"pg_catalog.pg_namespace"];
const IN_A_COPY: &[&[u8]] = &[b"COPY public.filled"];
const IN_A_STATEMENT: &[&[u8]] = &[b"CREATE TABLE"];
/// The one after the rows: a query's own transactions are committed, too.
const IN_A_COMMIT: &[&[u8]] = &[b"COPY public.filled", b"COMMIT"];

#[test]
fn backup_ends_where_the_server_falls_silent() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("silence");
    fill(&database, 300_000);
    let check = &|at, after, others, said: &str| {
        let scene = Scene::new();
        let proxy = Proxy::new(server.port(), Some(Fall { at, after, others }));
        let out = ended(&mut backup(&url(&database, &proxy), &scene), None);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("the server has said nothing for"), "{out}");
        assert!(out.stderr().contains(said), "{out}");
        assert!(scene.names().is_empty(), "{:?}", scene.names());
    };
    std::thread::scope(|scope| {
        for (at, after, others, said) in [
            (IN_A_QUERY, 0, Others::Work, "waits for something to be sent to it"),
            (IN_A_QUERY, 0, Others::Silent, "could not be asked what it does"),
            (IN_A_QUERY, 0, Others::Closed, "could not be asked what it does"),
            (IN_A_COPY, 100_000, Others::Work, "waits for its answer to be taken"),
            (IN_A_COPY, 100_000, Others::Silent, "could not be asked what it does"),
        ] {
            scope.spawn(move || check(at, after, others, said));
        }
    });
}

#[test]
fn backup_ends_where_the_process_of_the_server_is_gone_without_a_word() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("silence");
    fill(&database, 300_000);
    let scene = Scene::new();
    let proxy = Proxy::new(server.port(), Some(Fall { at: IN_A_COPY, after: 100_000, others: Others::Work }));
    let gone = || {
        proxy.wait_for_silence();
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                   WHERE datname = current_database() AND query LIKE 'COPY public.filled%'";
        assert_eq!(database.sql(sql), "1");
    };
    let out = std::thread::scope(|scope| {
        scope.spawn(gone);
        ended(&mut backup(&url(&database, &proxy), &scene), None)
    });
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("is gone"), "{out}");
}

#[test]
fn restore_ends_where_the_server_falls_silent_or_does_not_read() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("silence");
    fill(&database, 600_000);
    let scene = Scene::new();
    let archive = scene.path("ref.dump");
    database.pg_dump(REFERENCE, &[], &archive);
    let check = &|at, after, others, more: &[&str], said: &str| {
        let target = server.database("silence_target");
        let proxy = Proxy::new(server.port(), Some(Fall { at, after, others }));
        let out = ended(&mut restore(&url(&target, &proxy), &archive, more), None);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains("the server has said nothing for"), "{out}");
        assert!(out.stderr().contains(said), "{out}");
    };
    let cases: [Case; 6] = [
        (IN_A_QUERY, 0, Others::Work, &[], "waits for something to be sent to it"),
        (IN_A_STATEMENT, 0, Others::Silent, &[], "could not be asked what it does"),
        (IN_A_COPY, 100_000, Others::Work, &[], "waits for something to be sent to it"),
        (IN_A_COPY, 100_000, Others::Silent, &["-1"], "could not be asked what it does"),
        (IN_A_COPY, 100_000, Others::Closed, &["--jobs", "2"], "could not be asked what it does"),
        (IN_A_COMMIT, 0, Others::Silent, &["-1"], "look what is there"),
    ];
    std::thread::scope(|scope| {
        for (at, after, others, more, said) in cases {
            scope.spawn(move || check(at, after, others, more, said));
        }
    });
}

#[test]
fn signal_ends_what_waits_for_a_silent_server() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("silence");
    fill(&database, 600_000);
    let scene = Scene::new();
    let archive = scene.path("ref.dump");
    database.pg_dump(REFERENCE, &[], &archive);
    // Most of the time is spent waiting, so they wait together.
    let check = &|at: &'static [&'static [u8]], after, others, verb: &[&str], said: &str| {
        let target = server.database("silence_target");
        let proxy = Proxy::new(server.port(), Some(Fall { at, after, others }));
        let own = Scene::new();
        let mut command = match verb[0] {
            "backup" => backup(&url(&database, &proxy), &own),
            "restore" => restore(&url(&target, &proxy), &archive, &verb[1..]),
            verb => {
                let mut command = lifeboat();
                command.args([verb, "--url", &url(&database, &proxy)]);
                command
            }
        };
        // Long enough that it is the signal which ends it.
        command.args(["--idle-timeout", "600"]);
        let out = ended(&mut command, Some(&|_| proxy.wait_for_silence()));
        let what = format!("{verb:?} at {:?}, others {others:?}: {out}", at.last().map(bstr::BStr::new));
        assert_eq!(out.code(), 143, "{what}");
        assert!(out.stderr().contains(said), "{what}");
        assert!(own.names().is_empty(), "{what}");
    };
    let cases: [Case; 10] = [
        (IN_A_QUERY, 0, Others::Silent, &["backup"], "unfinished files were removed"),
        (IN_A_COPY, 100_000, Others::Work, &["backup"], "unfinished files were removed"),
        (IN_A_COPY, 100_000, Others::Closed, &["backup", "--jobs", "2"], "unfinished files were removed"),
        (IN_A_QUERY, 0, Others::Closed, &["restore"], "asked for the end"),
        (IN_A_STATEMENT, 0, Others::Silent, &["restore"], "restore again"),
        (IN_A_COPY, 100_000, Others::Silent, &["restore", "-1"], "nothing was changed"),
        (IN_A_COPY, 100_000, Others::Work, &["restore", "-1"], "nothing was changed"),
        (IN_A_COPY, 100_000, Others::Silent, &["restore", "--jobs", "4"], "restore again"),
        (IN_A_COMMIT, 0, Others::Silent, &["restore", "-1"], "has not said whether it did: look what is there"),
        (IN_A_COPY, 100_000, Others::Silent, &["drill"], "asked for the end"),
    ];
    std::thread::scope(|scope| {
        for (at, after, others, verb, said) in cases {
            scope.spawn(move || check(at, after, others, verb, said));
        }
    });
}

#[test]
fn connecting_has_an_end_and_a_signal_ends_it() {
    // Nobody accepts; the kernel does, until its queue is full.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let scene = Scene::new();
    let socket = scene.path(".s.PGSQL.5432");
    let queue = UnixListener::bind(&socket).unwrap();
    // Connections that wait, one beyond the longest queue that there may be.
    let _waiting: Vec<_> = std::iter::from_fn(|| {
        let socket = rustix::net::socket_with(
            rustix::net::AddressFamily::UNIX,
            rustix::net::SocketType::STREAM,
            rustix::net::SocketFlags::NONBLOCK,
            None,
        )
        .unwrap();
        rustix::net::connect(&socket, &rustix::net::SocketAddrUnix::new(scene.path(".s.PGSQL.5432")).unwrap()).ok()?;
        Some(socket)
    })
    .collect();
    let directory = scene.path("").display().to_string();
    for (url, said) in [
        (format!("postgresql://u@127.0.0.1:{port}/d?connect_timeout=2"), "did not answer in time"),
        (format!("postgresql://u@127.0.0.1:{port}/d?connect_timeout=2&sslmode=require"), "did not answer in time"),
        (format!("host={directory} user=u dbname=d connect_timeout=2"), "did not answer in time"),
    ] {
        let out = ended(&mut backup(&url, &scene), None);
        assert_eq!(out.code(), 1, "{out}");
        assert!(out.stderr().contains(said), "{out}");
    }
    for url in [
        format!("postgresql://u@127.0.0.1:{port}/d?connect_timeout=0"),
        format!("host={directory} user=u dbname=d connect_timeout=0"),
    ] {
        let mut command = backup(&url, &scene);
        command.arg("--verbose");
        // The unfinished file is there before the connection is made.
        let begun = |process| {
            wait_for("the unfinished file", || unfinished(process, &scene.path(".")));
        };
        let out = ended(&mut command, Some(&begun));
        assert_eq!(out.code(), 143, "{out}");
        assert!(out.stderr().contains("unfinished files were removed"), "{out}");
    }
    drop(queue);
}

#[test]
fn what_takes_the_server_long_is_not_cut_off() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("silence");
    fill(&database, 10);
    let scene = Scene::new();
    // A backup that waits for a lock, until it has been asked about several times.
    let mut session = Session::open(&database);
    session.run("BEGIN; LOCK TABLE filled IN ACCESS EXCLUSIVE MODE");
    let proxy = Proxy::new(server.port(), None);
    let let_go = || {
        wait_for("questions whether it still works", || (proxy.connections() >= 5).then_some(()));
        session.run("COMMIT");
    };
    let out = std::thread::scope(|scope| {
        scope.spawn(let_go);
        let mut command = backup(&url(&database, &proxy).replace("timeout=5", "timeout=60"), &scene);
        command.args(["--lock-wait-timeout", "600000"]);
        ended(&mut command, None)
    });
    assert!(out.success(), "{out}");
    // A restore of an index that takes long, for a role whose number of connections is used up: then nobody can ask.
    database.sql(
        "CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
           'BEGIN IF current_database() LIKE ''silence_slow%'' THEN PERFORM pg_sleep(6); END IF; RETURN $1; END';
         CREATE TABLE one AS SELECT 1 AS id; CREATE INDEX ON one (slow(id))",
    );
    let archive = scene.path("ref.dump");
    database.pg_dump(REFERENCE, &[], &archive);
    database.sql("CREATE ROLE silence_one LOGIN CONNECTION LIMIT 1");
    for (user, asked) in [("postgres", 3), ("silence_one", 3)] {
        let target = server.database("silence_slow");
        target.sql("GRANT ALL ON SCHEMA public TO silence_one");
        let proxy = Proxy::new(server.port(), None);
        let out = ended(
            &mut restore(
                &url(&target, &proxy).replace("postgres@", &format!("{user}@")).replace("timeout=5", "timeout=60"),
                &archive,
                &[],
            ),
            None,
        );
        assert!(out.success(), "{out}");
        assert!(proxy.connections() >= asked, "nobody asked: {}", proxy.connections());
        assert_eq!(target.sql("SELECT count(*) FROM pg_indexes WHERE tablename = 'one'"), "1");
    }
    database.sql("DROP ROLE IF EXISTS silence_one");
}
