//! What pg_dump leaves out without a word, and lifeboat does not.

use crate::support::{REFERENCE, Server, archive};

#[test]
fn comments_on_system_columns_are_dumped_and_restored() {
    for server in Server::all() {
        let database = server.database("system_columns");
        database.sql("CREATE TABLE t (a integer); COMMENT ON COLUMN t.ctid IS 'where it lies'");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        database.backup(&path, &[]);
        let archive = archive::read(&path).unwrap();
        assert!(archive.entries.iter().any(|e| e.tag.as_deref() == Some(b"COLUMN t.ctid")), "on {}", server.major());

        let copy = server.database("system_columns_copy");
        copy.restore(&path, &[]);
        let comment = copy.sql("SELECT pg_catalog.col_description('t'::regclass, -1)");
        assert_eq!(comment.trim(), "where it lies", "on {}", server.major());
    }
}

#[test]
fn members_added_to_the_servers_own_operator_families_are_named() {
    const OPERATOR: &str = "
        CREATE FUNCTION lt(text, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE OPERATOR <<<< (LEFTARG = text, RIGHTARG = integer, FUNCTION = lt);
        CREATE FUNCTION cmp(text, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';";
    const ADD: &str = "ALTER OPERATOR FAMILY text_ops USING btree
        ADD OPERATOR 1 <<<< (text, integer), FUNCTION 1 (text, integer) cmp(text, integer);";
    for server in Server::all() {
        let database = server.database("added_to_family");
        let dir = tempfile::tempdir().unwrap();
        let backup = || database.backup(&dir.path().join("archive"), &["--force"]).stderr();
        database.sql(OPERATOR);
        // What a class has for its own type is dumped with it, even if the family is the server's.
        database.sql(
            "CREATE TYPE own AS (a integer);
             CREATE FUNCTION lt(own, own) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true';
             CREATE OPERATOR <<<< (LEFTARG = own, RIGHTARG = own, FUNCTION = lt);
             CREATE FUNCTION cmp(own, own) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1';
             CREATE OPERATOR CLASS mine FOR TYPE own USING btree FAMILY text_ops AS OPERATOR 1 <<<< (own, own),
             FUNCTION 1 (own, own) cmp(own, own)",
        );
        assert_eq!(backup(), "", "on {}", server.major());
        database.sql(ADD);
        let said = backup();
        for named in
            ["operator 1 (text, integer) of operator family text_ops", "function 1 (text, integer) of operator"]
        {
            assert!(said.contains(named), "on {}: {said}", server.major());
        }
        // What an extension brings comes with it.
        database.sql(
            "ALTER EXTENSION plpgsql ADD OPERATOR <<<< (text, integer); ALTER EXTENSION plpgsql ADD FUNCTION cmp(text, integer)",
        );
        assert_eq!(backup(), "", "on {}", server.major());
    }
}

/// An old server sees no need to quote it.
#[test]
fn role_of_a_policy_may_be_called_by_a_word_that_is_reserved_later() {
    let newest = needed!(Server::get(REFERENCE));
    for server in Server::each([13, 15]).chain([newest]) {
        if server.sql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname = 'system_user'") == "0" {
            server.sql("postgres", "CREATE ROLE \"system_user\"");
        }
    }
    for server in Server::each([13, 15]) {
        let database = server.database("reserved_role");
        database.sql("CREATE TABLE t (a integer); CREATE POLICY p ON t TO system_user, alice USING (true)");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        database.backup(&path, &[]);
        let copy = newest.database("reserved_role");
        copy.restore(&path, &[]);
        assert_eq!(copy.sql("SELECT roles FROM pg_policies"), "{alice,system_user}", "from {}", server.major());
    }
}

#[test]
fn what_users_hung_on_the_tables_of_extensions_is_named() {
    for server in Server::all() {
        let database = server.database("hung");
        let dir = tempfile::tempdir().unwrap();
        let backup = || database.backup(&dir.path().join("archive"), &["--force"]).stderr();
        database.sql(
            "CREATE TABLE member (a integer PRIMARY KEY, b integer); CREATE VIEW of_member AS SELECT a FROM member;
             ALTER EXTENSION plpgsql ADD TABLE member; ALTER EXTENSION plpgsql ADD VIEW of_member",
        );
        assert_eq!(backup(), "", "on {}", server.major());
        database.sql(
            "CREATE POLICY looking ON member USING (true); CREATE STATISTICS pairs ON a, b FROM member;
             CREATE RULE keeping AS ON DELETE TO member DO INSTEAD NOTHING",
        );
        let said = backup();
        for named in [
            "policy looking on table public.member",
            "statistics object public.pairs",
            "rule keeping on table public.member",
        ] {
            assert!(said.contains(named), "{named} on {}: {said}", server.major());
        }
    }
}

/// Functions and databases come to such lists by `SET … FROM CURRENT`; what pg_dump before 19 writes of them, no server reads.
#[test]
fn settings_that_are_lists_without_names_are_restored() {
    for server in Server::all() {
        let database = server.database("no_names");
        database.sql(
            "SELECT set_config('search_path', '', false), set_config('temp_tablespaces', '', false);
             CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1';
             CREATE PROCEDURE public.p() LANGUAGE sql SET temp_tablespaces FROM CURRENT SET search_path FROM CURRENT AS ''",
        );
        let set = format!(
            "ALTER DATABASE {0} SET search_path FROM CURRENT; ALTER ROLE alice IN DATABASE {0}",
            database.name()
        );
        database.sql(&format!("SELECT set_config('search_path', '', false); {set} SET search_path FROM CURRENT"));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        database.backup(&path, &[]);
        let copy = server.database("no_names_copy");
        copy.restore(&path, &[]);
        let all = "SELECT string_agg(DISTINCT setting, ' ') FROM pg_proc, unnest(proconfig) AS setting
            WHERE pronamespace = 'public'::regnamespace";
        let there = if server.major() >= 19 {
            "search_path= temp_tablespaces="
        } else {
            "search_path=\"\" temp_tablespaces=\"\""
        };
        assert_eq!(copy.sql(all), there, "on {}", server.major());
        assert_eq!(copy.sql("SELECT public.f()"), "1");
        // The database's own settings, when it is made anew. Older servers do not understand how pg_dump 18 makes one.
        if server.major() < 15 {
            continue;
        }
        let dropped = server.sql("postgres", &format!("DROP DATABASE {}", database.name()));
        assert_eq!(dropped, "");
        let elsewhere = server.database("maintenance");
        elsewhere.restore(&path, &["--create"]);
        let settings = "SELECT string_agg(DISTINCT setting, ' ') FROM pg_db_role_setting, unnest(setconfig) AS setting
            WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let there = if server.major() >= 19 { "search_path=" } else { "search_path=\"\"" };
        assert_eq!(database.sql(settings), there, "on {}", server.major());
    }
}
