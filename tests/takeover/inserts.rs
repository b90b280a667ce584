//! Rows that are written as INSERT statements are read without running anything of their owner's; the real pg_dump, which asks
//! for them by SELECT, shows that what is planted would run.

use super::counted::{PLANT, was_run};
use super::talkative;
use crate::pg_tools::Face;
use crate::support::{REFERENCE, Server, run};

/// Whatever an owner can hang on rows: indexes, checks, defaults, generated columns, statistics, policies, rules, triggers, casts,
/// domains, operators, partitions by functions, and views beside the tables.
const HOSTILE: &str = "
    SET check_function_bodies = off;
    CREATE FUNCTION public.planted(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RAISE LOG ''PLANTED for %'', current_user; RETURN $1; END';
    CREATE DOMAIN public.d AS integer DEFAULT public.planted(1) CHECK (public.planted_check(VALUE));
    CREATE TYPE public.e AS ENUM ('x'); CREATE TYPE public.c AS (a public.d, b public.e);
    CREATE FUNCTION public.planted(public.e) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RAISE LOG ''PLANTED for %'', current_user; RETURN ''x''; END';
    CREATE FUNCTION public.planted(public.c) RETURNS text LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RAISE LOG ''PLANTED for %'', current_user; RETURN ''x''; END';
    CREATE CAST (public.e AS text) WITH FUNCTION public.planted(public.e) AS IMPLICIT;
    CREATE CAST (public.c AS text) WITH FUNCTION public.planted(public.c) AS IMPLICIT;
    CREATE TABLE public.rows (a integer DEFAULT public.planted(2), d public.d, e public.e, c public.c, t text,
        g integer GENERATED ALWAYS AS (public.planted(1)) STORED, CHECK (public.planted_check(a)));
    INSERT INTO public.rows (a, d, e, c, t) VALUES (1, 2, 'x', '(3,x)', 'it''s'), (4, 5, 'x', '(6,x)', NULL), (7, 8, 'x', NULL, '');
    CREATE INDEX ON public.rows ((public.planted(1))); CREATE INDEX ON public.rows (t) WHERE public.planted_check(2);
    CREATE STATISTICS public.of_rows ON a, (a + public.planted(3)) FROM public.rows;
    CREATE FUNCTION public.fired() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM public.planted(5); RETURN NEW; END';
    CREATE TRIGGER t BEFORE INSERT OR UPDATE ON public.rows FOR EACH ROW EXECUTE FUNCTION public.fired();
    CREATE RULE r AS ON INSERT TO public.rows DO ALSO SELECT public.planted(6);
    CREATE POLICY p ON public.rows USING (public.planted_check(7)); ALTER TABLE public.rows ENABLE ROW LEVEL SECURITY;
    ALTER TABLE public.rows FORCE ROW LEVEL SECURITY;
    CREATE TABLE public.parts (a integer) PARTITION BY RANGE ((public.planted(a)));
    CREATE TABLE public.part PARTITION OF public.parts FOR VALUES FROM (0) TO (10); INSERT INTO public.parts VALUES (1);
    CREATE INDEX ON public.parts ((public.planted(1)));
    CREATE VIEW public.seen AS SELECT public.planted(a) FROM public.rows;
    CREATE MATERIALIZED VIEW public.kept AS SELECT public.planted(a) FROM public.rows WITH NO DATA";

const FORMS: &[&[&str]] = &[
    &["--inserts"],
    &["--column-inserts", "--rows-per-insert=2", "--on-conflict-do-nothing", "--quote-all-identifiers"],
    &["--inserts", "--load-via-partition-root", "--enable-row-security", "-a"],
    &["--inserts", "-Fc"],
];

#[test]
fn rows_become_statements_without_running_anything_of_their_owner() {
    for major in [14, REFERENCE] {
        let Ok(server) = talkative(major) else { continue };
        rows_become_statements(&server);
    }
}

fn rows_become_statements(server: &Server) {
    let major = server.major();
    let (database, face) = (server.database("inserts"), Face::new(major));
    server.sql("postgres", "CREATE ROLE mallory LOGIN");
    server.sql("postgres", &format!("ALTER DATABASE {} OWNER TO mallory", database.name()));
    database.sql("GRANT CREATE ON SCHEMA public TO mallory");
    database.sql(&format!("SET SESSION AUTHORIZATION mallory; {PLANT} {HOSTILE}"));
    server.sql("postgres", &format!("ALTER DATABASE {} SET constraint_exclusion = on", database.name()));

    let dir = tempfile::tempdir().unwrap();
    for form in FORMS {
        let before = server.log().len();
        let mut dump = face.tool("pg_dump");
        server.address(&mut dump, database.name());
        let path = dir.path().join("ours");
        run(dump.args(*form).arg("-f").arg(&path));
        assert!(!was_run(server, before), "on {major}, {form:?}: {}", &server.log()[before..]);
        let written = std::fs::read(&path).unwrap();
        let is_there = String::from_utf8_lossy(&written).contains("INSERT INTO");
        assert!(is_there || form.contains(&"-Fc"), "on {major}, {form:?}: no rows");
    }
    // Whoever asks in another way runs what is planted.
    let before = server.log().len();
    run(database.tool(major, "pg_dump").args(["--inserts", "-f"]).arg(dir.path().join("theirs")));
    assert!(was_run(server, before), "on {major}, the plants are dead");
}
