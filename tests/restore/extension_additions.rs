//! What users add to an extension's tables does not go along with the extension, unless that is asked for; what the extension's own
//! script makes there comes back, and is not named.

use super::dependents::{contents, doubtful, lost};
use crate::support::extension::provide;
use crate::support::{Database, REFERENCE, Scene, Server};

const FILES: &[(&str, &str)] = &[
    ("lifeboat_added.control", "comment = 'tables with parts'\ndefault_version = '1.0'\nrelocatable = true\n"),
    (
        "lifeboat_added--1.0.sql",
        "CREATE TABLE fixed (a integer PRIMARY KEY CHECK (a > 0), b text DEFAULT 'x'); CREATE INDEX fixed_b ON fixed (b);
         CREATE FUNCTION fixed_f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
         CREATE TRIGGER own BEFORE INSERT ON fixed FOR EACH ROW EXECUTE FUNCTION fixed_f();
         CREATE POLICY own ON fixed USING (true); CREATE RULE own AS ON DELETE TO fixed DO INSTEAD NOTHING;
         CREATE STATISTICS own_statistics ON a, b FROM fixed;
         DO $$ BEGIN CREATE POLICY nested ON fixed FOR DELETE USING (true); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         CREATE DOMAIN dom AS integer CONSTRAINT own CHECK (VALUE > 0); CREATE VIEW seen AS SELECT a FROM fixed;
         CREATE OPERATOR FAMILY fam USING btree;
         CREATE TABLE tail (a integer, b integer, c serial) PARTITION BY LIST (a); ALTER TABLE tail ADD d integer DEFAULT 4;
         CREATE INDEX tail_a ON tail (a);",
    ),
    (
        "lifeboat_added--1.0--1.1.sql",
        "ALTER TABLE fixed ADD c integer DEFAULT 5; CREATE INDEX fixed_c ON fixed (c);
         CREATE FUNCTION later() RETURNS integer LANGUAGE sql AS 'SELECT 1';",
    ),
    ("lifeboat_added--1.1--1.2.sql", "CREATE INDEX fixed_cb ON fixed (c, b);"),
    ("lifeboat_bare.control", "comment = 'no members'\ndefault_version = '1.0'\nrelocatable = true\n"),
    ("lifeboat_bare--1.0.sql", "SELECT 1;"),
];

/// The servers that the extensions could be given to.
fn servers() -> impl Iterator<Item = &'static Server> {
    Server::each([13, REFERENCE]).filter(|server| provide(server, FILES).is_ok())
}

/// A database with the extension and a table, and its archive.
fn made(server: &'static Server) -> (Database<'static>, Scene) {
    let database = server.database("additions");
    database.sql("CREATE EXTENSION lifeboat_added");
    database.sql("CREATE TABLE app (a integer)");
    let scene = Scene::of(&database, &[]);
    (database, scene)
}

/// What would be lost, and what may be, after these statements.
fn after(scene: &Scene, made: &Database<'static>, statements: &[&str]) -> (Vec<String>, Vec<String>) {
    let database = made.server().database_from("additions", made.name());
    for sql in statements {
        database.sql(sql);
    }
    (lost(&scene.archive(), &database, &[]), doubtful(&scene.archive(), &database))
}

#[test]
fn what_an_extension_s_script_makes_is_not_named() {
    for server in servers() {
        let (made, scene) = made(server);
        for statements in [
            &[][..],
            &["VACUUM FULL", "VACUUM FREEZE", "ANALYZE"],
            &["BEGIN; DROP EXTENSION lifeboat_added; ROLLBACK"],
            &[
                "ALTER EXTENSION lifeboat_added UPDATE TO '1.1'",
                "ALTER EXTENSION lifeboat_added UPDATE TO '1.2'",
                "VACUUM FULL",
            ],
            &["CREATE SCHEMA other", "ALTER EXTENSION lifeboat_added SET SCHEMA other"],
            // Its properties are no additions.
            &[
                "GRANT SELECT (d) ON tail TO bob; ALTER TABLE tail ALTER d SET STATISTICS 5; ALTER TABLE fixed DISABLE TRIGGER own",
                "REINDEX TABLE fixed",
                "ALTER TABLE fixed ALTER b SET STORAGE EXTERNAL; CLUSTER fixed USING fixed_pkey; ALTER INDEX fixed_b RENAME TO fixed_d",
                "ALTER TABLE fixed OWNER TO alice; ALTER TABLE tail ALTER b SET NOT NULL",
                "ALTER EXTENSION lifeboat_added UPDATE TO '1.1'",
            ],
        ] {
            let found = after(&scene, &made, statements);
            assert_eq!(found, (Vec::new(), Vec::new()), "{statements:?} on {}", server.major());
        }
        // As a restore makes it, which made all of it in one transaction, or did not.
        for options in [&[][..], &["-1"]] {
            let out = scene.restore(&made.url(), options);
            assert_eq!(out.code(), 0, "{options:?} on {}: {out}", server.major());
            assert_eq!(lost(&scene.archive(), &made, &[]), Vec::<String>::new(), "{options:?} on {}", server.major());
        }
    }
}

/// What users add, and what is lost with it.
const ADDED: &[(&str, &[&str])] = &[
    ("CREATE INDEX mine ON fixed (b, a)", &["INDEX public.mine"]),
    ("CREATE INDEX mine_too ON tail (b)", &["INDEX public.mine_too"]),
    (
        "CREATE TRIGGER mine BEFORE INSERT ON fixed FOR EACH ROW EXECUTE FUNCTION fixed_f()",
        &["TRIGGER public.fixed mine"],
    ),
    ("ALTER TABLE fixed ADD mine integer", &["COLUMN public.fixed mine"]),
    ("ALTER TABLE tail ADD mine integer DEFAULT 1", &["COLUMN public.tail mine"]),
    ("ALTER TABLE fixed ADD identity integer GENERATED ALWAYS AS IDENTITY", &["COLUMN public.fixed identity"]),
    ("ALTER TABLE fixed ADD serial serial", &["COLUMN public.fixed serial", "SEQUENCE public.fixed_serial_seq"]),
    ("CREATE POLICY mine ON tail USING (true)", &["POLICY public.tail mine"]),
    ("ALTER POLICY own ON fixed USING (a > 1)", &["POLICY public.fixed own"]),
    ("CREATE RULE mine AS ON UPDATE TO seen DO INSTEAD NOTHING", &["RULE public.seen mine"]),
    ("ALTER TABLE fixed ADD CONSTRAINT checked CHECK (a < 9)", &["CONSTRAINT public.fixed checked"]),
    ("ALTER TABLE fixed ADD CONSTRAINT one UNIQUE (b)", &["CONSTRAINT public.fixed one"]),
    ("ALTER TABLE fixed ADD CONSTRAINT to_k FOREIGN KEY (a) REFERENCES k", &["CONSTRAINT public.fixed to_k"]),
    ("ALTER TABLE fixed ALTER a SET DEFAULT 3", &["DEFAULT public.fixed a"]),
    ("ALTER TABLE fixed ALTER b SET DEFAULT 'y'", &["DEFAULT public.fixed b"]),
    ("CREATE STATISTICS mine_of_it ON a, b FROM fixed", &["STATISTICS public.mine_of_it"]),
    ("CREATE PUBLICATION mine FOR TABLE fixed", &["PUBLICATION TABLE public.mine fixed"]),
    ("CREATE TABLE part PARTITION OF tail FOR VALUES IN (1)", &["TABLE public.part 0"]),
    ("ALTER DOMAIN dom ADD CONSTRAINT mine CHECK (VALUE < 9)", &["CONSTRAINT public.dom mine"]),
    (
        "ALTER OPERATOR FAMILY fam USING btree ADD FUNCTION 1 (int4, int2) btint42cmp(int4, int2)",
        &["MEMBER OF OPERATOR FAMILY public.fam FUNCTION 1 btint42cmp(integer,smallint)"],
    ),
    // A table of its own.
    (
        "CREATE TABLE table_of_mine (a integer PRIMARY KEY); CREATE INDEX ON table_of_mine (a);
         ALTER EXTENSION lifeboat_added ADD TABLE table_of_mine",
        &["TABLE public.table_of_mine"],
    ),
];

#[test]
fn what_users_add_to_what_is_an_extension_s_is_named_and_not_dropped() {
    for server in servers() {
        let (made, scene) = made(server);
        made.sql("CREATE TABLE k (a integer PRIMARY KEY)");
        let statements: Vec<&str> = ADDED.iter().map(|(sql, _)| *sql).collect();
        let (mut lost_of_all, doubtful) = after(&scene, &made, &statements);
        let mut expected: Vec<&str> = ADDED.iter().flat_map(|(_, named)| *named).copied().collect();
        lost_of_all.sort();
        expected.sort_unstable();
        assert_eq!(
            (lost_of_all, doubtful),
            (expected.iter().map(ToString::to_string).collect(), Vec::new()),
            "on {}",
            server.major()
        );
        // Before an update of the extension, which makes columns and indexes after them.
        let add = "ALTER TABLE fixed ADD mine integer DEFAULT 3; CREATE INDEX mine ON fixed (mine)";
        let update = "ALTER EXTENSION lifeboat_added UPDATE TO '1.2'";
        let expected = (vec!["COLUMN public.fixed mine".to_owned(), "INDEX public.mine".to_owned()], Vec::new());
        assert_eq!(after(&scene, &made, &[add, update, "VACUUM FULL"]), expected, "on {}", server.major());
        let found = after(&scene, &made, &[&format!("BEGIN; CREATE TABLE x (a integer); {add}; {update}; COMMIT")]);
        assert!(found.1.contains(&"INDEX public.mine".to_owned()), "on {}: {found:?}", server.major());
        let moved = "BEGIN; CREATE SCHEMA o; ALTER EXTENSION lifeboat_added SET SCHEMA o; CREATE INDEX mine ON o.fixed (b); COMMIT";
        assert_eq!(after(&scene, &made, &[moved]).0, ["INDEX o.mine"], "on {}", server.major());
        // A failed attempt to drop all of it changes nothing of that.
        let statements = [ADDED[0].0, ADDED[2].0, ADDED[3].0, "BEGIN; DROP EXTENSION lifeboat_added; ROLLBACK"];
        let expected = ["COLUMN public.fixed mine", "INDEX public.mine", "TRIGGER public.fixed mine"];
        assert_eq!(after(&scene, &made, &statements).0, expected, "on {}", server.major());

        made.sql(ADDED[0].0);
        let before = contents(&made);
        for options in [&[][..], &["-1"], &["-e"], &["--jobs", "2"]] {
            let out = scene.restore(&made.url(), options);
            assert_eq!(out.code(), 4, "{options:?} on {}: {out}", server.major());
            let says = "INDEX public.mine (on TABLE public.fixed of EXTENSION lifeboat_added)";
            assert!(out.stderr().contains(says), "{options:?} on {}: {out}", server.major());
        }
        assert_eq!(contents(&made), before);
        // An extension that stays loses nothing.
        made.sql("CREATE VIEW mine_too AS SELECT a FROM fixed");
        assert_eq!(lost(&scene.archive(), &made, &[]), Vec::<String>::new());
        assert_eq!(scene.restore(&made.url(), &[]).code(), 0);
        assert_eq!(made.sql("SELECT to_regclass('mine') IS NULL"), "f");
        made.sql("DROP VIEW mine_too");
        let out = scene.restore(&made.url(), &["--drop-dependents"]);
        assert!(out.code() == 0 && out.stderr().contains("INDEX public.mine"), "on {}: {out}", server.major());
        assert_eq!(made.sql("SELECT to_regclass('mine') IS NULL"), "t");
    }
}

#[test]
fn what_a_user_adds_in_the_transaction_that_makes_the_extension_is_named() {
    for server in servers() {
        let (made, scene) = made(server);
        let empty = server.database("additions");
        let found = after(
            &scene,
            &empty,
            &["BEGIN; CREATE TABLE x (a integer); CREATE EXTENSION lifeboat_added; CREATE TABLE y (a integer);
               CREATE INDEX mine ON fixed (a); ALTER TABLE tail ADD mine integer; COMMIT"],
        );
        assert_eq!(found.0, ["COLUMN public.tail mine", "INDEX public.mine"], "on {}", server.major());
        // Right after the script's last statement, it could be one of those.
        let found = after(
            &scene,
            &empty,
            &[
                "BEGIN; CREATE TABLE x (a integer); CREATE EXTENSION lifeboat_added; CREATE INDEX mine ON fixed (a); COMMIT",
            ],
        );
        assert!(
            found.0.is_empty() && found.1.contains(&"INDEX public.mine".to_owned()),
            "on {}: {found:?}",
            server.major()
        );
        drop(made);
    }
}

/// pg_upgrade makes an extension without members, and then puts each member into it: that is what is done here.
#[test]
fn where_nobody_can_tell_who_made_it_the_restore_goes_on_and_says_so() {
    for server in servers() {
        let (made, scene) = made(server);
        let found = after(&scene, &made, &["REINDEX INDEX CONCURRENTLY fixed_b"]);
        assert_eq!(found, (Vec::new(), vec!["INDEX public.fixed_b".to_owned()]), "on {}", server.major());

        let database = server.database("additions");
        database.sql(
            "CREATE EXTENSION lifeboat_bare; BEGIN; CREATE TABLE upgraded (a integer CHECK (a > 0), b text);
             ALTER EXTENSION lifeboat_bare ADD TABLE upgraded; COMMIT; CREATE INDEX mine ON upgraded (b); CREATE TABLE app (a integer)",
        );
        let scene = Scene::of(&database, &[]);
        let expected =
            ["CONSTRAINT public.upgraded upgraded_a_check", "INDEX public.mine", "columns of TABLE public.upgraded"];
        assert_eq!(lost(&scene.archive(), &database, &[]), Vec::<String>::new());
        assert_eq!(doubtful(&scene.archive(), &database), expected, "on {}", server.major());
        let out = scene.restore(&database.url(), &[]);
        assert_eq!(out.code(), 0, "on {}: {out}", server.major());
        assert!(
            out.stderr().contains("warning: EXTENSION lifeboat_bare: ") && out.stderr().contains("INDEX public.mine"),
            "{out}"
        );
    }
}
