//! What is asked of a table's rows or a sequence's value runs nothing of its owner's: no function in the expressions of indexes,
//! and no view that has come to bear the name.

use super::talkative;
use crate::support::wait::wait_for_locked_out;
use crate::support::{Output, REFERENCE, Running, Scene, Server, Session, lifeboat, output, verbs};

/// What says in the log who has run it.
pub(super) const PLANT: &str = "
    CREATE FUNCTION public.planted(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RAISE LOG ''PLANTED for %'', current_user; RETURN 1; END';
    CREATE FUNCTION public.planted_check(integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS
        'BEGIN RAISE LOG ''PLANTED for %'', current_user; RETURN true; END';";

/// Whether the log says that a superuser has run a plant.
pub(super) fn was_run(server: &Server, before: usize) -> bool {
    server.log()[before..].contains("PLANTED for postgres")
}

#[test]
fn rows_are_counted_without_running_anything_of_their_owner() {
    for major in [14, REFERENCE] {
        let Ok(server) = talkative(major) else { continue };
        let database = server.database("counted");
        server.sql("postgres", "CREATE ROLE mallory LOGIN");
        server.sql("postgres", &format!("ALTER DATABASE {} OWNER TO mallory", database.name()));
        let as_mallory = |sql: &str| database.sql(&format!("SET SESSION AUTHORIZATION mallory; {sql}"));
        database.sql("GRANT CREATE ON SCHEMA public TO mallory");
        as_mallory(
            "CREATE TABLE public.p (a integer) PARTITION BY RANGE (a); CREATE EXTENSION hstore;
             CREATE TABLE public.p1 PARTITION OF public.p FOR VALUES FROM (0) TO (10)",
        );
        let scene = Scene::of(&database, &[]);
        as_mallory(PLANT);
        for table in ["p2", "of_extension"] {
            as_mallory(&format!(
                "CREATE TABLE public.{table} (a integer, CHECK (public.planted_check(2))); INSERT INTO public.{table} VALUES (11), (12);
                 CREATE INDEX ON public.{table} ((public.planted(1))); CREATE STATISTICS public.of_{table} ON a, (a + public.planted(3)) FROM public.{table}"
            ));
        }
        as_mallory(
            "ALTER TABLE public.p ATTACH PARTITION public.p2 FOR VALUES FROM (10) TO (20); ALTER EXTENSION hstore ADD TABLE public.of_extension",
        );
        let settings = format!("ALTER DATABASE {} SET constraint_exclusion = on", database.name());
        server.sql("postgres", &settings);

        let restore = |options: &[&str]| -> Output {
            output(lifeboat().arg("restore").arg(scene.archive()).args(["--url", &database.url()]).args(options))
        };
        let before = server.log().len();
        let out = restore(&["--dry-run", "--json"]);
        assert_eq!(out.code(), 0, "{out}");
        let said = out.json();
        let lost = said["would_lose"].as_array().unwrap();
        for name in ["TABLE public.p2", "rows of TABLE public.of_extension"] {
            assert!(lost.iter().any(|lost| lost["object"] == name && lost["rows"] == 2), "on {major}: {out}");
        }
        for options in [&[][..], &["--force"], &["--force", "-1"], &["--force", "--jobs", "2"]] {
            let out = restore(options);
            assert_eq!(out.code(), 4, "on {major} {options:?}: {out}");
        }
        assert!(!was_run(&server, before), "on {major}: {}", &server.log()[before..]);

        // A view takes the place of the table between the look at the catalog and the counting.
        let mut other = Session::open(&database);
        other.run(
            "BEGIN; LOCK TABLE public.p2; ALTER TABLE public.p2 RENAME TO p3; SET check_function_bodies = off;
             CREATE FUNCTION public.of_view() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN public.planted(4); END';
             CREATE VIEW public.p2 AS SELECT public.of_view() AS a",
        );
        let restore = Running::start(&mut verbs::dry_run(&database.url(), &scene.archive(), &[]));
        wait_for_locked_out(&database, "%pg_relation_size%");
        other.run("COMMIT");
        let out = restore.end();
        assert!(out.code() != 0 && out.stderr().contains("cannot copy from view"), "on {major}: {out}");
        assert!(!was_run(&server, before), "on {major}: {}", &server.log()[before..]);

        // Whoever asks in another way runs all of it.
        database.sql("SELECT count(*) FROM public.p3; SELECT * FROM public.p2");
        assert!(was_run(&server, before), "on {major}, the plants are dead");
    }
}

#[test]
fn a_table_in_the_place_of_a_sequence_is_not_asked_for_its_value() {
    for major in [14, REFERENCE] {
        let Ok(server) = talkative(major) else { continue };
        let database = server.database("swapped");
        server.sql("postgres", "CREATE ROLE mallory LOGIN");
        database.sql("GRANT CREATE ON SCHEMA public TO mallory");
        let as_mallory = |sql: &str| database.sql(&format!("SET SESSION AUTHORIZATION mallory; {sql}"));
        as_mallory(PLANT);
        as_mallory("CREATE SEQUENCE public.s START 7; CREATE SEQUENCE public.\"o'\\ \"\"ther\"");
        let scene = Scene::new();
        let before = server.log().len();

        let mut other = Session::open(&database);
        other.run(
            "SET SESSION AUTHORIZATION mallory; BEGIN; ALTER SEQUENCE public.s RENAME TO was_s;
             CREATE TABLE public.s (last_value bigint, is_called boolean); CREATE INDEX ON public.s ((public.planted(1)))",
        );
        let backup = Running::start(&mut verbs::backup(&database.url(), &scene.archive(), &[]));
        // From 18 on the value is asked for by the sequence's OID.
        wait_for_locked_out(&database, if major < 18 { "%last_value%" } else { "%pg_get_sequence_data%" });
        other.run("COMMIT");
        let out = backup.end();
        assert_eq!(out.code(), 0, "on {major}: {out}");
        assert!(!was_run(&server, before), "on {major}: {}", &server.log()[before..]);
        database.sql("SELECT * FROM public.s");
        assert!(was_run(&server, before), "on {major}, the plant is dead");
    }
}
