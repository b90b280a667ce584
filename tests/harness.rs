//! Tests of the harness itself, and the one that says what was tested.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::archive::Rows;
use crate::support::installation::installation;
use crate::support::roundtrip::{Case, Tool, check};
use crate::support::wait::{wait_for, wait_until};
use crate::support::{Options, Output, REFERENCE, Scene, Server, archive, majors, needs, output, report, run, server};

#[test]
fn majors_under_test() {
    let here = majors();
    let list: Vec<&str> = here.iter().filter_map(|m| installation(*m).ok()).map(|i| i.description.as_str()).collect();
    report::say(&format!("PostgreSQL under test: {}", list.join(", ")));
}

/// A run of one test where there is no installation, and these may be missing.
fn without_servers(test: &str, allowed: &str) -> Output {
    let nothing = tempfile::tempdir().unwrap();
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.args(["--exact", test]).env("LIFEBOAT_TEST_PG_DIR", nothing.path());
    tests.env("LIFEBOAT_TEST_ALLOW_MISSING", allowed);
    for ours in ["MAJORS", "REQUIRE", "SUMMARY"] {
        tests.env_remove(format!("LIFEBOAT_TEST_{ours}"));
    }
    output(&mut tests)
}

#[test]
fn a_missing_server_fails_the_test_that_needs_it_unless_it_may_be_missing() {
    // On all majors, on one, and with a server of its own.
    for (test, major) in [
        ("harness::a_server_of_every_major_answers", 13),
        ("objects::table::on_14", 14),
        ("harness::a_server_can_demand_tls_and_a_password", REFERENCE),
    ] {
        for allowed in ["", "zabbix,postgres-19", "client-tools"] {
            let out = without_servers(test, allowed);
            assert!(!out.success(), "{out}");
            assert!(out.stdout().contains(&format!("postgres-{major} is missing: ")), "{out}");
            let hint = format!("LIFEBOAT_TEST_ALLOW_MISSING=postgres-{major}");
            assert!(out.stdout().contains(&hint), "{out}");
        }
        for allowed in ["postgres", "all", "zabbix, postgres"] {
            let out = without_servers(test, allowed);
            assert!(out.success(), "{out}");
            assert!(out.stderr().contains(&format!("NOT RUN: what needs postgres-{major}: ")), "{out}");
        }
        let out = without_servers(test, "postgresql");
        assert!(!out.success() && out.stdout().contains("has \"postgresql\"; there are all, postgres, "), "{out}");
    }
}

#[test]
fn what_may_be_missing_everywhere_can_be_demanded() {
    let fault = |name: &str, allowed: &str, required: &str| needs::fault(name, "why", allowed, required).is_some();
    assert!(fault("zabbix", "", "") && fault("postgres-18", "postgres-17", ""));
    assert!(!fault("zabbix", "all", "") && !fault("zabbix", "fuse, zabbix", ""));
    assert!(!fault("postgres-19", "", "") && !fault("docker", "", "zabbix"));
    for required in ["postgres-19", "docker, postgres", "all"] {
        assert!(fault("postgres-19", "", required), "{required}");
    }
}

/// What `needed!` gives a test, or ends it with, is the only way to end one early: by `return` alone, it passes unseen.
#[test]
fn no_test_ends_early_in_another_way() {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut tests = 0;
    while let Some(folder) = folders.pop() {
        for path in folder.read_dir().unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                for test in text.split("\n#[test]\n").skip(1) {
                    // A body ends with its first line that is not indented; a return further in is that of a thread or a closure.
                    let body = test.split("\n}\n").next().unwrap();
                    let word = "return";
                    let early = |line: &&str| {
                        let before = ["else { ", "=> "].iter().any(|before| line.contains(&format!("{before}{word}")));
                        before || line.starts_with(&format!("    {word}"))
                    };
                    found.extend(body.lines().filter(early).map(|line| format!("{}: {line}", path.display())));
                    tests += 1;
                }
            }
        }
    }
    assert!(tests > 400 && found.is_empty(), "{tests} tests: {found:#?}");
}

#[test]
fn a_server_of_every_major_answers() {
    for server in Server::all() {
        let database = server.database("harness");
        let version = database.sql("SHOW server_version_num");
        assert_eq!(version[..2], server.major().to_string());
    }
}

#[test]
fn a_database_goes_with_its_value() {
    let server = needed!(Server::get(REFERENCE));
    let name = server.database("odd \"name\"").name().to_owned();
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    assert_eq!(server.sql("postgres", &count), "0");
    let kept = server.database("odd \"name\"");
    assert_eq!(kept.sql("SELECT current_database()"), kept.name());
}

#[test]
fn a_server_can_demand_tls_and_a_password() {
    let options =
        Options { tls: true, hba: "hostssl all all 127.0.0.1/32 scram-sha-256".to_owned(), ..Options::default() };
    let server = needed!(Server::with(REFERENCE, &options));
    let login = |sslmode: &str, password: &str| {
        let mut command = server.psql_command("postgres");
        command.env("PGHOST", "127.0.0.1").env("PGSSLMODE", sslmode).env("PGPASSWORD", password);
        command.env("PGSSLROOTCERT", server.ca());
        output(command.args(["-At", "-c", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"]))
    };
    assert_eq!(login("verify-full", server::PASSWORD).stdout(), "t\n");
    assert!(login("verify-full", "wrong").stderr().contains("password authentication failed"));
    assert!(!login("disable", server::PASSWORD).success());
}

#[test]
fn a_server_does_not_outlive_killed_tests() {
    // This test runs itself in a process that starts a server and then waits to be killed.
    const ROLE: &str = "LIFEBOAT_TEST_VICTIM";
    if let Some(path) = std::env::var_os(ROLE) {
        let server = Server::with(REFERENCE, &Options::default()).unwrap();
        let pid_file = std::fs::read_to_string(server.socket_dir().join("data/postmaster.pid")).unwrap();
        let pid = pid_file.lines().next().unwrap();
        std::fs::write(&path, format!("{pid}\n{}\n", server.socket_dir().display())).unwrap();
        loop {
            std::thread::sleep(Duration::from_secs(60));
        }
    }
    needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("server");
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "harness::a_server_does_not_outlive_killed_tests"])
        .env(ROLE, &path)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let (pid, data) = wait_for("the other process's server", || {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut lines = text.lines().map(str::to_owned);
        Some((lines.next()?, lines.next().filter(|_| text.ends_with('\n'))?))
    });
    let process = Path::new("/proc").join(pid);
    assert!(process.exists(), "its server should run");
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("the end of the server and its directory", || !process.exists() && !Path::new(&data).exists());
}

fn sample(dir: &Path) -> Case {
    let path = dir.join("sample.sql");
    std::fs::write(
        &path,
        "CREATE TABLE t (a integer PRIMARY KEY, b text); COMMENT ON TABLE t IS 'c'; INSERT INTO t VALUES (1, 'x');
         CREATE VIEW v AS SELECT a FROM t; GRANT SELECT ON v TO bob; ALTER TABLE t OWNER TO alice;
         SELECT lo_from_bytea(4711, 'large');",
    )
    .unwrap();
    Case::read(&path).unwrap()
}

#[test]
fn the_round_trip_of_the_reference_tools_shows_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for server in Server::all() {
        assert_eq!(
            check(server, Tool::Reference(&[]), &sample(dir.path())),
            Vec::<String>::new(),
            "on {}",
            server.major()
        );
    }
}

#[test]
fn the_round_trip_sees_what_a_dump_leaves_out() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    for (args, seen) in [
        (&["--no-comments"][..], "missing: COMMENT public.TABLE t"),
        (&["--no-acl"], "missing: ACL public.TABLE v"),
        (&["--schema-only"], "missing: TABLE DATA public.t"),
        (&["--no-large-objects"], "missing: BLOBS"),
        (&["--exclude-table-data=t"], "missing: TABLE DATA public.t"),
        (&["--inserts"], "data of TABLE DATA public.t"),
        (&["--section=data", "--section=pre-data"], "missing: CONSTRAINT public.t t_pkey"),
    ] {
        let failures = check(server, Tool::Reference(args), &sample(dir.path())).join("\n");
        assert!(failures.contains(seen), "{args:?} should show \"{seen}\", but: {failures}");
    }
}

#[test]
fn the_options_of_a_case_reach_both_tools() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("options.sql");
    let sql = "-- options: --no-comments --exclude-table-data='it''s a table'
CREATE TABLE \"it's a table\" (a integer); INSERT INTO \"it's a table\" VALUES (1);
COMMENT ON TABLE \"it's a table\" IS 'c';";
    std::fs::write(&path, sql).unwrap();
    let case = Case::read(&path).unwrap();
    // Told once more, the tool dumps the same; the reference would not, had it not been told.
    for args in [&[][..], &["--no-comments", "--exclude-table-data=it's a table"]] {
        assert_eq!(check(server, Tool::Reference(args), &case), Vec::<String>::new(), "{args:?}");
    }
}

#[test]
fn the_comparison_sees_order_and_dependencies() {
    let server = needed!(Server::get(REFERENCE));
    let database = server.database("compare");
    database.sql(
        "CREATE TABLE a (x integer PRIMARY KEY); CREATE TABLE b (x integer REFERENCES a); CREATE VIEW c AS TABLE a",
    );
    let scene = Scene::of(&database, &[]);
    let original = archive::read(&scene.archive()).unwrap();
    assert_eq!(archive::differences(&original, &original, Rows::InOrder), Vec::<String>::new());

    let mut moved = original.clone();
    let last = moved.entries.len() - 1;
    moved.entries.swap(last - 1, last);
    let found = archive::differences(&original, &moved, Rows::InOrder);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("order: "), "{found:?}");

    let mut poorer = original.clone();
    let entry = poorer.entries.iter_mut().find(|e| e.desc.as_deref() == Some(b"FK CONSTRAINT")).unwrap();
    entry.deps.clear();
    let found = archive::differences(&original, &poorer, Rows::InOrder);
    assert!(found.len() == 1 && found[0].starts_with("dependencies of FK CONSTRAINT public.b b_x_fkey"), "{found:?}");
    archive::assert_same_independently("itself", &scene.archive(), &scene.archive(), Rows::InOrder);

    // An absent text is not an empty one, whichever it is.
    type Field = fn(&mut archive::Entry) -> &mut Option<Vec<u8>>;
    let fields: [Field; 10] = [
        |e| &mut e.tag,
        |e| &mut e.desc,
        |e| &mut e.definition,
        |e| &mut e.drop,
        |e| &mut e.copy,
        |e| &mut e.schema,
        |e| &mut e.tablespace,
        |e| &mut e.access_method,
        |e| &mut e.owner,
        |e| &mut e.with_oids,
    ];
    for field in fields {
        let [mut absent, mut empty] = [original.clone(), original.clone()];
        *field(&mut absent.entries[0]) = None;
        *field(&mut empty.entries[0]) = Some(Vec::new());
        for (a, b) in [(&absent, &empty), (&empty, &absent)] {
            let found = archive::differences(a, b, Rows::InOrder);
            assert!(found.len() == 1 && found[0].contains("none"), "{found:?}");
        }
    }
}

#[test]
fn a_failing_program_says_why() {
    let out = output(Command::new("sh").args(["-c", "echo spoken; echo wrong >&2; exit 3"]));
    assert_eq!(out.code(), 3);
    assert!(out.to_string().contains("spoken") && out.to_string().contains("wrong"), "{out}");
    assert!(std::panic::catch_unwind(|| run(&mut Command::new("false"))).is_err());
}

/// As in the background of a script: what is ignored when the tests start is not ignored by what they start.
#[test]
fn programs_heed_signals_that_the_tests_ignore() {
    const ROLE: &str = "LIFEBOAT_TEST_IGNORES";
    if std::env::var_os(ROLE).is_some() {
        let mut show = Command::new("grep");
        println!("{}", run(show.args(["SigIgn", "/proc/self/status"])).stdout());
    } else {
        let mut tests = Command::new("sh");
        tests.args(["-c", "trap '' HUP INT TERM; exec \"$@\"", "sh"]).arg(std::env::current_exe().unwrap());
        tests.args(["--exact", "harness::programs_heed_signals_that_the_tests_ignore", "--nocapture"]).env(ROLE, "1");
        let out = run(&mut tests).stdout();
        let mask = out.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_else(|| panic!("{out}"));
        let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
        assert_eq!(mask & 0b100_0000_0000_0011, 0, "{out}");
    }
}
