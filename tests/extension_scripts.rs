//! What an extension's script hangs on the extension's own tables comes back with the extension, and is not called left out; what
//! a user hangs on them, or changes there, does not come back, and is.

use crate::support::extension::provide;
use crate::support::{Database, REFERENCE, Server};

const FILES: &[(&str, &str)] = &[
    ("lifeboat_parts.control", "comment = 'parts on tables'\ndefault_version = '1.0'\nrelocatable = true\n"),
    (
        "lifeboat_parts--1.0.sql",
        "CREATE TABLE parts (a integer, who name);
         ALTER TABLE parts ENABLE ROW LEVEL SECURITY;
         CREATE POLICY own ON parts USING (who = current_user);
         CREATE POLICY changed ON parts FOR INSERT WITH CHECK (true);
         CREATE RULE keep AS ON DELETE TO parts DO INSTEAD NOTHING;
         CREATE STATISTICS parts_statistics ON a, who FROM parts;
         DO $$ BEGIN CREATE POLICY nested ON parts FOR DELETE USING (true); EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         CREATE VIEW parts_view AS SELECT a FROM parts;
         CREATE RULE into_view AS ON INSERT TO parts_view DO INSTEAD INSERT INTO parts VALUES (NEW.a);
         CREATE TABLE parts_tail (a integer);
         CREATE RULE tail AS ON DELETE TO parts_tail DO INSTEAD NOTHING;
         CREATE POLICY tail ON parts_tail USING (a > 0);",
    ),
    (
        "lifeboat_parts--1.0--1.1.sql",
        "CREATE POLICY updated ON parts FOR UPDATE USING (false); CREATE FUNCTION parts_count() RETURNS bigint LANGUAGE sql AS 'SELECT 1';",
    ),
    ("lifeboat_parts--1.1--1.2.sql", "CREATE POLICY updated_again ON parts_tail FOR UPDATE USING (false);"),
];

/// The warnings of a backup; pg_dump has none.
fn warnings(database: &Database<'_>) -> String {
    let dir = tempfile::tempdir().unwrap();
    database.pg_dump(REFERENCE, &[], &dir.path().join("reference"));
    database.backup(&dir.path().join("ours"), &[]).stderr()
}

fn assert_quiet(what: &str, database: &Database<'_>) {
    assert_eq!(warnings(database), "", "{what} on {}", database.server().major());
}

fn assert_named(what: &str, database: &Database<'_>, named: &[&str], not_named: &[&str]) {
    let said = warnings(database);
    let on = format!("{what} on {}: {said}", database.server().major());
    assert_eq!(said.lines().count(), 1, "{on}");
    assert!(said.contains("left out, because their tables come with an extension"), "{on}");
    for name in named {
        assert!(said.contains(name), "{name} is not named: {on}");
    }
    for name in not_named {
        assert!(!said.contains(name), "{name} is named: {on}");
    }
}

#[test]
fn only_what_users_hang_on_tables_of_extensions_is_called_left_out() {
    for server in Server::all() {
        let Ok(()) = provide(server, FILES) else { continue };
        let database = server.database("script");
        database.sql("CREATE EXTENSION lifeboat_parts");
        assert_quiet("as the script made it", &database);
        for catalog in ["pg_policy", "pg_rewrite", "pg_depend", "pg_extension", "pg_statistic_ext", "pg_attribute"] {
            database.sql(&format!("VACUUM FREEZE {catalog}"));
            database.sql(&format!("VACUUM FULL {catalog}"));
        }
        assert_quiet("after VACUUM FULL", &database);
        database.sql("CREATE SCHEMA other; ALTER EXTENSION lifeboat_parts SET SCHEMA other; ALTER TABLE other.parts ADD b integer");
        assert_quiet("in another schema", &database);
        for version in ["1.1", "1.2"] {
            database.sql(&format!("ALTER EXTENSION lifeboat_parts UPDATE TO '{version}'"));
            assert_quiet(version, &database);
        }
        let theirs =
            ["policy own", "rule keep", "policy nested", "rule into_view", "tail", "updated", "parts_statistics"];

        for (what, sql, named) in [
            ("a policy", "CREATE POLICY mine ON other.parts USING (true)", "policy mine on table other.parts"),
            (
                "a rule",
                "CREATE RULE my_rule AS ON UPDATE TO other.parts_view DO INSTEAD NOTHING",
                "rule my_rule on view other.parts_view",
            ),
            ("statistics", "CREATE STATISTICS my_statistics ON a, b FROM other.parts", "my_statistics"),
            (
                "a change",
                "ALTER POLICY changed ON other.parts WITH CHECK (a > 1)",
                "policy changed on table other.parts",
            ),
        ] {
            let again = server.database_from("script", database.name());
            again.sql(sql);
            assert_named(what, &again, &[named], &theirs);
        }

        // What comes back with a restore is the script's again.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        database.backup(&path, &[]);
        let restored = server.database("script");
        let out = restored.try_restore(&path, &[]);
        assert!(out.success(), "on {}: {out}", server.major());
        assert_quiet("restored", &restored);
    }
}

/// As a migration does it that sets up a whole application.
#[test]
fn what_a_user_adds_in_the_extension_s_own_transaction_is_named() {
    for server in Server::each([14, REFERENCE]) {
        let Ok(()) = provide(server, FILES) else { continue };
        let database = server.database("script");
        database.sql(
            "BEGIN; CREATE TABLE before (a integer); CREATE EXTENSION lifeboat_parts; CREATE TABLE app (a integer);
             CREATE POLICY mine ON parts USING (true); CREATE TABLE after (a integer); COMMIT",
        );
        assert_named(
            "one transaction",
            &database,
            &["policy mine on table public.parts"],
            &["policy own", "rule", "tail", "nested"],
        );
        let database = server.database("script");
        database.sql("CREATE EXTENSION lifeboat_parts; BEGIN; CREATE TABLE added (a integer); CREATE POLICY mine ON added USING (true);
             ALTER EXTENSION lifeboat_parts ADD TABLE added; COMMIT");
        assert_named(
            "a table added by hand",
            &database,
            &["policy mine on table public.added"],
            &["policy own", "rule", "tail"],
        );
    }
}
