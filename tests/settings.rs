//! What a database and a role would have a session do, and what lifeboat does all the same: back up what pg_dump backs up
//! for a role without such wishes, and restore it as it was.

use crate::support::archive::{self, Rows};
use crate::support::{Database, Options, REFERENCE, Scene, Server, lifeboat, output, verbs};

/// Settings that change what is read or written, or end the work, with the first major that has them.
const HOSTILE: &[(u32, &str, &str)] = &[
    (13, "search_path", "nowhere"),
    (13, "lock_timeout", "'1ms'"),
    (17, "transaction_timeout", "'100ms'"),
    (13, "default_transaction_read_only", "on"),
    (13, "default_transaction_isolation", "serializable"),
    (13, "default_transaction_deferrable", "on"),
    (13, "array_nulls", "off"),
    (13, "transform_null_equals", "on"),
    (13, "gin_fuzzy_search_limit", "1"),
    (13, "synchronize_seqscans", "on"),
    (13, "DateStyle", "German"),
    (13, "IntervalStyle", "sql_standard"),
    (13, "extra_float_digits", "-15"),
    (13, "xmloption", "document"),
    (13, "backslash_quote", "off"),
    (13, "check_function_bodies", "on"),
    (13, "row_security", "off"),
    (13, "session_replication_role", "replica"),
    (13, "client_encoding", "LATIN1"),
    (13, "client_min_messages", "debug5"),
    (13, "default_tablespace", "elsewhere"),
    (16, "icu_validation_level", "error"),
    (18, "restrict_nonsystem_relation_kind", "'view'"),
];
/// Limits of which the one may end the statement that takes both away, and the other the session that it has failed in, where
/// both are as short as can be. So they are in turns.
const IN_TURNS: [[(u32, &str, &str); 2]; 2] = [
    [(13, "statement_timeout", "'1ms'"), (13, "idle_in_transaction_session_timeout", "'50ms'")],
    [(13, "statement_timeout", "'5s'"), (13, "idle_in_transaction_session_timeout", "'1ms'")],
];
/// Settings that change what the text of a value looks like, but not what it means.
const COSMETIC: &[(u32, &str, &str)] = &[
    (13, "bytea_output", "escape"),
    (13, "xmlbinary", "hex"),
    (13, "TimeZone", "'Asia/Tokyo'"),
    (13, "quote_all_identifiers", "on"),
];

const CONTENT: &str = r#"
    CREATE TABLE public.t (id integer PRIMARY KEY, words text[], n double precision, d date, i interval, b bytea, x xml,
        w timestamp with time zone, name text);
    INSERT INTO public.t VALUES (1, ARRAY['a', NULL, 'NULL'], 0.1::double precision + 0.2, '2001-02-03', '-1 mons +2 days -03:04:05',
        '\x00ff5c41', '<a/> and more', '2026-05-06 07:08:09.123456+02', 'Zażółć 日本'),
      (2, '{NULL}', 1e300 / 3, '1999-12-31 BC', '1 year -2 days', '\x', NULL, 'infinity', '');
    CREATE INDEX by_text ON public.t ((n::text));
    CREATE INDEX by_words ON public.t USING gin (words);
    CREATE VIEW public.v AS SELECT id, n::text AS n, i::text AS i, d::text AS d, b::text AS b FROM public.t;
    CREATE MATERIALIZED VIEW public.m AS SELECT * FROM public.v;
    CREATE TABLE public.child (t integer REFERENCES public.t);
    INSERT INTO public.child VALUES (1), (2);
    CREATE FUNCTION public.uses_later() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.zzz';
    CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.word := pg_catalog.upper(NEW.word); RETURN NEW; END';
    CREATE TABLE public.zzz (word text); INSERT INTO public.zzz VALUES ('said');
    CREATE TRIGGER shout BEFORE INSERT ON public.zzz FOR EACH ROW EXECUTE FUNCTION public.shout();
    SELECT pg_catalog.lo_from_bytea(4711, '\x00ff');
    COMMENT ON TABLE public.t IS 'it''s a \ table';
"#;

/// Has `whom`, a role or a database, want these.
fn wish(server: &Server, whom: &str, wishes: &[(u32, &str, &str)]) {
    for (since, name, value) in wishes {
        if server.major() >= *since {
            server.sql("postgres", &format!("ALTER {whom} SET {name} = {value}"));
        }
    }
}

/// A dump by pg_dump, for a role and a database without wishes.
fn reference(server: &Server, database: &Database<'_>, path: &std::path::Path) {
    server.sql("postgres", &format!("ALTER DATABASE {} RESET ALL", database.name()));
    database.pg_dump(REFERENCE, &[], path);
}

#[test]
fn wishes_of_roles_and_databases_change_neither_backup_nor_restore() {
    for major in [14, REFERENCE] {
        let Ok(server) = Server::with(major, &Options::default()) else { continue };
        let source = server.database("wishes");
        // The text that COPY makes of it is the same in every session.
        source.sql(&format!("SET xmloption = content; SET check_function_bodies = off; {CONTENT}"));
        server.sql("postgres", "CREATE ROLE wishful SUPERUSER LOGIN");
        let scene = Scene::new();
        reference(&server, &source, &scene.path("reference"));

        wish(&server, "ROLE wishful", HOSTILE);
        let parallel = if major >= 16 { "debug_parallel_query" } else { "force_parallel_mode" };
        wish(&server, "ROLE wishful", &[(13, parallel, "regress")]);
        let from = source.url_as("wishful");
        for (n, more) in [&[][..], &["--jobs", "2"]].into_iter().enumerate() {
            let path = format!("{n}.dump");
            wish(&server, "ROLE wishful", &IN_TURNS[n]);
            scene.run(
                &[
                    &["backup", "--owner", "--acl", "--archive-version", "1.16", "--url", &from, "--output", &path],
                    more,
                ]
                .concat(),
            );
            archive::assert_same("the backup", &scene.path("reference"), &scene.path(&path), Rows::InOrder);
        }

        wish(&server, "ROLE wishful", COSMETIC);
        scene.run(&[
            "backup",
            "--owner",
            "--acl",
            "--archive-version",
            "1.16",
            "--url",
            &from,
            "--output",
            "cosmetic.dump",
        ]);
        let every: [&[&str]; 4] = [&[], &["-1"], &["--jobs", "2"], &["--transaction-size", "3"]];
        for (path, options) in [("0.dump", &every[..]), ("cosmetic.dump", &every[..1])] {
            for more in options {
                let target = server.database("wishes");
                wish(&server, &format!("DATABASE {}", target.name()), HOSTILE);
                wish(&server, &format!("DATABASE {}", target.name()), COSMETIC);
                let url = target.url_as("wishful");
                scene.run(&["restore", path, "--url", &url, "--dry-run"]);
                // Over itself, too.
                for limits in IN_TURNS {
                    wish(&server, "ROLE wishful", &limits);
                    let out = scene.run(&[&["restore", path, "--owner", "--url", &url, "--force"][..], more].concat());
                    assert_eq!(out.stderr(), "", "on {major}: {out}");
                }
                reference(&server, &target, &scene.path("again"));
                archive::assert_same("restored", &scene.path("reference"), &scene.path("again"), Rows::InOrder);
                let look = "SELECT * FROM public.m ORDER BY id";
                assert_eq!(target.sql(look), source.sql(look), "on {major}, {path} {more:?}");
                std::fs::remove_file(scene.path("again")).unwrap();
            }
        }
        let out = scene.run(&["drill", "--url", &from, "--scratch", "."]);
        assert!(out.stdout().contains("drill passed"), "{out}");
    }
}

#[test]
fn triggers_run_unless_the_connection_itself_says_otherwise() {
    let server = needed!(Server::with(REFERENCE, &Options::default()));
    let source = server.database("wishes");
    source.sql(&format!("SET xmloption = content; SET check_function_bodies = off; {CONTENT}"));
    source.sql("UPDATE public.zzz SET word = 'said'");
    server.sql("postgres", "CREATE ROLE wishful SUPERUSER LOGIN");
    wish(&server, "ROLE wishful", &[(13, "session_replication_role", "replica"), (13, "exit_on_error", "on")]);
    let scene = Scene::new();
    scene.run(&["backup", "--url", &source.url(), "--output", "out.dump"]);
    for (query, word) in [("", "SAID"), ("?options=-c%20session_replication_role%3Dreplica", "said")] {
        let target = server.database("wishes");
        target.restore(&scene.path("out.dump"), &["--schema-only"]);
        let url = format!("{}{query}", target.url_as("wishful"));
        let out = output(&mut verbs::restore(&url, &scene.path("out.dump"), &["--data-only", "--table", "zzz"]));
        assert!(out.success(), "{out}");
        assert_eq!(target.sql("SELECT word FROM public.zzz"), word, "{query}");
        // Everything is there already, so that every statement fails, and the session goes on.
        let mut restore = lifeboat();
        restore.args(["restore", "--force", "--no-clean", "--schema-only", "--url", &url]).arg(scene.path("out.dump"));
        let out = output(&mut restore);
        assert_eq!(out.code(), 3, "{out}");
        assert!(out.stderr().contains("TRIGGER") && out.stderr().contains("TABLE"), "{out}");
    }
}
