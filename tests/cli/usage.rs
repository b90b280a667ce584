use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::sqlite::rows;
use crate::support::{Scene, lifeboat, output};

fn json(text: &str) -> Value {
    assert_eq!(text.matches('\n').count(), 1, "one line: {text:?}");
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text:?}"))
}

#[test]
fn help_tells_what_a_person_needs() {
    let scene = Scene::new();
    let help = scene.run(&["--help"]).stdout();
    for needed in ["backup", "restore", "list", "verify", "drill", "Exit codes:", "130", "LIFEBOAT_DATABASE_URL"] {
        assert!(help.contains(needed), "{needed} is not in {help}");
    }
    assert!(!help.contains("drill-writer"), "{help}");
    for (verb, needed) in [
        ("backup", "--no-owner"),
        ("backup", "--compress"),
        ("restore", "--single-transaction"),
        ("restore", "--if-exists"),
        ("list", "FILE"),
        ("verify", "PATH"),
        ("check", "--max-age"),
        ("status", "--exact"),
        ("prune", "--keep-last"),
        ("drill", "--scratch"),
    ] {
        let help = scene.run(&[verb, "--help"]).stdout();
        assert!(help.contains(needed) && help.contains("Examples:"), "{needed} is not in {help}");
    }
    assert!(scene.run(&["--version"]).stdout().starts_with("lifeboat "));
    assert_eq!(scene.lifeboat(&[]).code(), 2);
}

#[test]
fn nonsense_is_a_usage_error() {
    let scene = Scene::new();
    let database = ["backup", "--url", "sqlite:///a.db", "--output", "o"];
    for arguments in [
        &["backup"][..],
        &["backup", "--output", "o"],
        &["frobnicate"],
        &["backup", "--url", "mysql://h/d", "--output", "o"],
        &["backup", "--url", "sqlite://a.db", "--output", "o"],
        &["backup", "--url", "sqlite:///:memory:", "--output", "o"],
        &["backup", "--url", "", "--output", "o"],
        &["restore", "--url", "sqlite:///a.db"],
        &["restore", "o", "--url", "sqlite:///a.db", "--jobs", "2", "--single-transaction"],
        &["list"],
        &[&database[..], &["--compress", "brotli"]].concat(),
        &[&database[..], &["--compress", "gzip:10"]].concat(),
        &[&database[..], &["--archive-version", "1.13"]].concat(),
        &[&database[..], &["--jobs", "0"]].concat(),
        &[&database[..], &["--jobs", "99999999999999999999"]].concat(),
        &[&database[..], &["--lock-wait-timeout", "18446744073709551615"]].concat(),
        &[&database[..], &["extra"]].concat(),
    ] {
        let out = scene.lifeboat(arguments);
        assert_eq!(out.code(), 2, "{out}");
        assert!(out.stderr().starts_with("lifeboat: error: "), "{out}");
        assert_eq!(out.stdout(), "", "{out}");
        let out = scene.lifeboat(&[arguments, &["--json"]].concat());
        let answer = json(&out.stdout());
        assert_eq!((out.code(), answer["exit_code"].as_i64(), answer["ok"].as_bool()), (2, Some(2), Some(false)));
        assert_eq!(answer["error"]["kind"], "usage", "{answer}");
        assert!(!answer["error"]["message"].as_str().unwrap().is_empty());
    }
    assert_eq!(scene.names(), Vec::<String>::new());
}

#[test]
fn password_is_never_printed() {
    let scene = Scene::new();
    for url in
        ["mysql://u:geheim@h/d", "postgresql://u:geheim@127.0.0.1:1/d", "u:geheim@x", "postgresql://u:geheim@h:port/d"]
    {
        for more in [&[][..], &["--json"], &["--verbose"]] {
            let out = scene.lifeboat(&[&["backup", "--url", url, "--output", "o"], more].concat());
            assert!(!out.success());
            assert!(!out.stdout().contains("geheim") && !out.stderr().contains("geheim"), "{out}");
        }
    }
}

#[test]
fn last_flag_of_a_pair_wins() {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    let orders = |pair: &str| {
        let (yes, no) = (format!("--{pair}"), format!("--no-{pair}"));
        [[yes.clone(), no.clone()], [no.clone(), yes.clone()], [yes.clone(), yes], [no.clone(), no]]
    };
    for order in orders("compact") {
        scene.run(&["backup", "--url", "sqlite:///a.db", "-o", "o", "--force", &order[0], &order[1]]);
    }
    // Nobody listens there, and there is no such archive; what matters is that the options make sense.
    for order in ["owner", "acl"].into_iter().flat_map(orders) {
        let url = "postgresql://127.0.0.1:1/x";
        assert_eq!(scene.lifeboat(&["backup", "--url", url, "-o", "p", &order[0], &order[1]]).code(), 1);
    }
    for order in ["owner", "acl", "clean", "if-exists", "data-for-failed-tables"].into_iter().flat_map(orders) {
        assert_eq!(scene.lifeboat(&["restore", "nothing", "--script", "-", &order[0], &order[1]]).code(), 1);
    }
}

#[test]
fn last_of_quiet_and_verbose_wins() {
    let scene = Scene::new();
    scene.database("a.db", "delete", 1);
    for (options, says_something) in [
        (["--quiet", "--verbose"], true),
        (["-v", "-q"], false),
        (["-q", "-v"], true),
        (["--verbose", "--quiet"], false),
    ] {
        let out = scene.run(&[&["backup", "--url", "sqlite:///a.db", "-o", "o", "--force"], &options[..]].concat());
        assert_eq!(!out.stdout().is_empty(), says_something, "{options:?}: {out}");
        // They may stand on both sides of the verb.
        let [first, second] = options;
        let out = scene.run(&[first, "backup", second, "--url", "sqlite:///a.db", "-o", "o", "--force"]);
        assert_eq!(!out.stdout().is_empty(), says_something, "{options:?}: {out}");
    }
}

#[test]
fn environment_names_the_database_in_the_promised_order() {
    let scene = Scene::new();
    for name in ["first", "second", "third", "given"] {
        scene.database(&format!("{name}.db"), "delete", 1);
        fs::rename(scene.path(&format!("{name}.db")), scene.path(&format!("{name}.sqlite"))).unwrap();
    }
    let all = [("LIFEBOAT_DATABASE_URL", "first"), ("DATABASE_URL", "second"), ("Z4J_DATABASE_URL", "third")];
    let backed_up = |variables: &[(&str, &str)], given: &[&str]| {
        let mut command = lifeboat();
        command.current_dir(scene.path(".")).args(["backup", "--output", "o", "--force"]).args(given);
        for (name, value) in variables {
            command.env(name, format!("sqlite+aiosqlite:////{}", scene.path(value).display()) + ".sqlite");
        }
        let out = output(&mut command);
        assert!(out.success(), "{out}");
        let connection = rusqlite::Connection::open(scene.path("o")).unwrap();
        let title: String = connection.query_row("SELECT title FROM documents", [], |r| r.get(0)).unwrap();
        title.split('.').next().unwrap().to_owned()
    };
    assert_eq!(backed_up(&all, &["--url", "sqlite:///given.sqlite"]), "given");
    assert_eq!(backed_up(&all, &[]), "first");
    assert_eq!(backed_up(&all[1..], &[]), "second");
    assert_eq!(backed_up(&all[2..], &[]), "third");
    let out = output(lifeboat().current_dir(scene.path(".")).args(["backup", "--output", "o"]).env("DATABASE_URL", ""));
    assert_eq!(out.code(), 2, "an empty variable names nothing: {out}");
}

#[test]
fn what_is_said_never_gets_into_an_archive_on_standard_output() {
    let scene = Scene::new();
    let url = "postgresql://u@127.0.0.1:1/d";
    let out = scene.lifeboat(&["backup", "--url", url, "--output", "-", "--json"]);
    assert_eq!((out.code(), out.stdout().as_str()), (1, ""), "{out}");
    assert_eq!(json(&out.stderr())["error"]["kind"], "connection");
}

#[test]
fn results_are_json_when_asked() {
    let scene = Scene::new();
    let path = scene.database("a.db", "wal", 7);
    let out = scene.run(&["backup", "--url", "sqlite:///a.db", "-o", "o", "--json"]).stdout();
    assert!(
        out.starts_with("{\"schema_version\":1,\"ok\":true,\"command\":\"backup\",\"backend\":")
            && out.ends_with(",\"warnings\":[],\"exit_code\":0}\n"),
        "{out}"
    );
    let answer = json(&out);
    assert_eq!((answer["ok"].as_bool(), answer["command"].as_str()), (Some(true), Some("backup")));
    assert_eq!((answer["backend"].as_str(), answer["exit_code"].as_i64()), (Some("sqlite"), Some(0)));
    assert_eq!(answer["bytes"].as_u64(), Some(fs::metadata(scene.path("o")).unwrap().len()));
    assert_eq!(answer["output"].as_str().map(|p| p.ends_with("/o")), Some(true));

    let answer = json(&scene.run(&["list", "o", "--json"]).stdout());
    assert_eq!(answer["format"], "sqlite");
    let objects = answer["objects"].as_array().unwrap();
    assert!(objects.iter().any(|o| o["name"] == "documents" && o["type"] == "table" && o["rows"] == 7), "{answer}");
    assert!(objects.iter().any(|o| o["name"] == "by_title" && o["type"] == "index"), "{answer}");

    let refused = scene.lifeboat(&["restore", "o", "--url", "sqlite:///a.db", "--json"]);
    let answer = json(&refused.stdout());
    assert_eq!((refused.code(), answer["error"]["kind"].as_str()), (4, Some("refused")));
    assert!(answer["error"]["hint"].as_str().unwrap().contains("--force"));

    let answer = json(&scene.run(&["restore", "o", "--url", "sqlite:///a.db", "--force", "--json"]).stdout());
    assert_eq!(answer["previous"][0]["to"].as_str().map(|p| p.ends_with("a.db.pre-restore-bak")), Some(true));
    assert_eq!(rows(&path), 7);

    let failed = scene.lifeboat(&["list", "nothing", "--json"]);
    assert_eq!((failed.code(), json(&failed.stdout())["ok"].as_bool()), (1, Some(false)));
}

#[test]
fn list_shows_tables_with_their_rows() {
    let scene = Scene::new();
    scene.database("a.db", "wal", 7);
    let text = scene.run(&["list", "a.db"]).stdout();
    assert!(text.contains("TABLE documents (7 rows)\n") && text.contains("INDEX by_title on documents\n"), "{text}");
    assert_eq!(scene.names(), ["a.db"], "looking leaves nothing");
    fs::write(scene.path("text"), "once upon a time").unwrap();
    scene.fails(1, "not", &["list", "text"]);
}

#[test]
fn quiet_is_quiet_and_verbose_tells_more() {
    let scene = Scene::new();
    scene.database("a.db", "wal", 7);
    let out = scene.run(&["backup", "--url", "sqlite:///a.db", "-o", "o", "--quiet"]);
    assert_eq!((out.stdout(), out.stderr()), (String::new(), String::new()));
    let out = scene.run(&["--verbose", "backup", "--url", "sqlite:///a.db", "-o", "p"]);
    assert!(out.stderr().contains("lifeboat: copy\n") && out.stderr().contains("lifeboat: check\n"), "{out}");
    scene.fails(4, "exists", &["backup", "--url", "sqlite:///a.db", "-o", "o", "--quiet"]);
}

#[test]
fn reader_who_goes_away_is_no_error() {
    let scene = Scene::new();
    let connection = rusqlite::Connection::open(scene.path("a.db")).unwrap();
    for n in 0..5_000 {
        connection.execute_batch(&format!("CREATE TABLE a_table_with_a_long_name_{n}(a)")).unwrap_or_default();
        if n == 300 {
            break;
        }
    }
    drop(connection);
    let mut list = Command::new("sh");
    let script = "for n in 1 2 3 4 5 6 7 8; do \"$0\" list a.db; echo $? >&2; done | head -n 1";
    let out = output(list.args(["-c", script, env!("CARGO_BIN_EXE_lifeboat")]).current_dir(scene.path(".")));
    assert_eq!(out.stderr(), "0\n".repeat(out.stderr().lines().count()), "{out}");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let scene = Scene::new();
    scene.database("a.db", "wal", 7);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let out =
        lifeboat().current_dir(scene.path(".")).args(["list", "a.db"]).stdout(Stdio::from(full)).output().unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&out.stderr).contains("could not print the report"));
}
