//! Rows, in every form that pg_dump writes them.

use lifeboat::postgres::restore::RestoreOptions;

use super::{forced, restore_all, restore_into, sample, with_owners};
use crate::support::archive::{Rows, assert_same};
use crate::support::{REFERENCE, Scene, Server};

#[test]
fn rows_as_statements_are_restored_one_by_one() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let (original, archive) = (dir.path().join("original"), dir.path().join("archive"));
    let origin = sample(server);
    origin.pg_dump(REFERENCE, &[], &original);
    for args in [&["--inserts"][..], &["--column-inserts", "--rows-per-insert=7"]] {
        origin.pg_dump(REFERENCE, args, &archive);
        let target = server.database("target");
        let summary = restore_all(&target, &archive, &with_owners());
        assert_eq!(summary.rows, 504 + 400 + 6 + 2, "{args:?}");
        target.assert_is("rows as statements", &original);
    }
}

#[test]
fn a_row_that_is_refused_as_a_statement_takes_no_other_along() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    origin.sql("CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(1, 1000)");
    let scene = Scene::of(&origin, &["--inserts", "--data-only"]);
    let target = server.database("target");
    target.sql("CREATE TABLE t (a integer CHECK (a <> 700))");
    let summary = restore_into(&target, &scene.archive(), &forced()).unwrap();
    assert_eq!((summary.rows, summary.errors.len()), (999, 1));
    let error = &summary.errors[0];
    assert_eq!(
        (error.sqlstate.as_deref(), error.statement.as_str()),
        (Some("23514"), "INSERT INTO public.t VALUES (700);")
    );
    assert_eq!(target.sql("SELECT count(*) FROM t"), "999");
}

#[test]
fn a_copy_that_is_refused_does_not_keep_the_next_from_being_restored() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    origin.sql(
        "CREATE TABLE a (t text); INSERT INTO a SELECT repeat(md5(n::text), 10) FROM generate_series(1, 50000) n;
         CREATE TABLE b (n integer); INSERT INTO b SELECT generate_series(1, 1000);
         CREATE TABLE c (n integer); INSERT INTO c VALUES (1)",
    );
    let scene = Scene::of(&origin, &["--data-only"]);
    let target = server.database("target");
    // Refused at the first row, at the start of the statement, and not at all.
    target.sql("CREATE TABLE a (t integer); CREATE TABLE c (n integer)");
    let summary = restore_into(&target, &scene.archive(), &forced()).unwrap();
    let failed: Vec<_> =
        summary.errors.iter().map(|e| (e.entry.tag.as_str(), e.sqlstate.as_deref().unwrap())).collect();
    assert_eq!(failed, [("a", "22P02"), ("b", "42P01")]);
    assert!(summary.errors[0].context.as_ref().unwrap().contains("COPY a, line 1"), "{:?}", summary.errors[0]);
    assert_eq!(summary.rows, 1);
    assert_eq!(target.sql("SELECT count(*) FROM c"), "1");
}

#[test]
fn rows_that_the_server_does_not_store_are_an_error() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("origin");
    origin.sql("CREATE TABLE t (a integer); INSERT INTO t SELECT generate_series(1, 100)");
    let scene = Scene::of(&origin, &["--data-only"]);
    let target = server.database("target");
    target.sql(
        "CREATE TABLE t (a integer);
         CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
             $$ BEGIN IF NEW.a % 10 = 0 THEN RETURN NULL; END IF; RETURN NEW; END $$;
         CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
    );
    let summary = restore_into(&target, &scene.archive(), &forced()).unwrap();
    assert_eq!(summary.errors.len(), 1);
    assert!(summary.errors[0].message.contains("100 rows were sent, but the server stored 90"), "{:?}", summary.errors);
    // With the triggers off, all of them are.
    target.sql("TRUNCATE t");
    restore_all(&target, &scene.archive(), &forced().disable_triggers(true));
    assert_eq!(target.sql("SELECT count(*) FROM t"), "100");
}

#[test]
fn encoding_that_the_target_cannot_convert_is_an_error_that_names_it_before_anything_is_changed() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    let origin = server.database_with("origin", "ENCODING 'LATIN1' LOCALE 'C'");
    origin.sql("CREATE TABLE t AS SELECT 1 AS a");
    origin.pg_dump(REFERENCE, &[], &archive);
    let target = server.database_with("target", "ENCODING 'EUC_JP' LOCALE 'C'");
    target.sql("CREATE TABLE t AS SELECT 2 AS a");
    for options in [forced(), RestoreOptions::default()] {
        let error = restore_into(&target, &archive, &options).unwrap_err();
        assert!(error.to_string().contains("use the archive's encoding, LATIN1"), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("nothing was changed")), "{error}");
    }
    assert_eq!(target.sql("SELECT a FROM t"), "2");
    // Into one with room for all of its characters, and back.
    let target = server.database_with("target", "ENCODING 'UTF8' LOCALE 'C'");
    origin.sql("INSERT INTO t VALUES (3); COMMENT ON TABLE t IS U&'\\00e4'");
    origin.pg_dump(REFERENCE, &[], &archive);
    restore_all(&target, &archive, &forced());
    assert_eq!(target.sql("SELECT encode(convert_to(obj_description('t'::regclass), 'UTF8'), 'hex')"), "c3a4");
    let (wide, again) = (dir.path().join("wide"), dir.path().join("again"));
    target.pg_dump(REFERENCE, &[], &wide);
    restore_all(&origin, &wide, &forced());
    origin.pg_dump(REFERENCE, &[], &again);
    assert_same("there and back", &archive, &again, Rows::InOrder);
}

#[test]
fn databases_in_other_encodings_are_restored_byte_by_byte() {
    let server = needed!(Server::get(REFERENCE));
    for (encoding, name, bytes) in
        [("LATIN1", "\\xe4", "\\xe4f6fc"), ("EUC_JP", "\\xb0a1", "\\xb0a1b0a2"), ("SQL_ASCII", "\\xff", "\\xfffe80")]
    {
        let options = format!("ENCODING '{encoding}' LOCALE 'C'");
        let dir = tempfile::tempdir().unwrap();
        let (archive, again) = (dir.path().join("archive"), dir.path().join("again"));
        let origin = server.database_with("origin", &options);
        origin.sql(&format!(
            "DO $$ BEGIN EXECUTE format('CREATE TABLE %I (t text)', convert_from('{name}', '{encoding}'));
             EXECUTE format('INSERT INTO %I VALUES (%L)', convert_from('{name}', '{encoding}'), convert_from('{bytes}', '{encoding}'));
             END $$"
        ));
        origin.pg_dump(REFERENCE, &[], &archive);
        let target = server.database_with("target", &options);
        restore_all(&target, &archive, &forced());
        restore_all(&target, &archive, &forced());
        target.pg_dump(REFERENCE, &[], &again);
        assert_same(encoding, &archive, &again, Rows::InOrder);
    }
}
