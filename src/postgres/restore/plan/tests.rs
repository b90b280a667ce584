//! What a plan consists of, for archives that are made up here.

use bstr::{BStr, BString};
use pgformat::kinds::{self, DropForm};
use pgformat::{DumpId, Entry, Section};

use super::*;
use crate::ErrorKind;
use crate::postgres::archive::{Sections, Selection};
use crate::postgres::restore::plan;
use crate::postgres::restore::plan::Action;

fn some(text: &str) -> Option<BString> {
    Some(text.into())
}

fn entry(id: i32, desc: &str, tag: &str) -> Entry {
    let section = kinds::find(desc.as_bytes()).map_or(Section::PreData, |kind| kind.section);
    Entry::new(DumpId(id), desc).tag(tag).section(section).schema("public").owner("alice")
}

fn of_no_schema(mut entry: Entry) -> Entry {
    entry.schema = None;
    entry
}

fn object(id: i32, desc: &str, tag: &str, definition: &str, drop: &str) -> Entry {
    entry(id, desc, tag).definition(definition).drop_statement(drop)
}

fn table(id: i32, name: &str) -> Entry {
    object(id, "TABLE", name, &format!("CREATE TABLE public.{name} ();\n"), &format!("DROP TABLE public.{name};\n"))
}

fn rows(id: i32, table: i32, name: &str) -> Entry {
    entry(id, "TABLE DATA", name)
        .has_data(true)
        .copy_statement(format!("COPY public.{name} FROM stdin;\n"))
        .dependencies(vec![DumpId(table)])
}

fn depending(entry: Entry, on: i32) -> Entry {
    entry.dependencies(vec![DumpId(on)])
}

fn search_path() -> Entry {
    entry(9001, "SEARCHPATH", "SEARCHPATH").definition("SELECT pg_catalog.set_config('search_path', '', false);\n")
}

fn settings() -> Vec<Entry> {
    let encoding = entry(9002, "ENCODING", "ENCODING").definition("SET client_encoding = 'UTF8';\n");
    let strings = entry(9003, "STDSTRINGS", "STDSTRINGS").definition("SET standard_conforming_strings = 'on';\n");
    vec![encoding, strings, search_path()]
}

/// The archive's settings and then `entries`.
fn archive(entries: impl IntoIterator<Item = Entry>) -> Vec<Entry> {
    settings().into_iter().chain(entries).collect()
}

/// The steps as text, a line each: what is done, and to which entry.
fn steps_in(entries: &[Entry], version: (u8, u8), options: &RestoreOptions) -> Vec<String> {
    let plan = plan(entries, version, options, &Destination::NEWEST).unwrap();
    let line = |step: &Step| {
        let text = match &step.action {
            Action::Heading(_) => return None,
            Action::Connect(database) => format!("connect to {database}"),
            Action::Drop(sql)
            | Action::DropCascade(sql)
            | Action::Become(sql)
            | Action::Set(sql)
            | Action::Alter(sql) => sql.to_string(),
            Action::Define(_) => BStr::new(step.statement(entries).unwrap()).to_string(),
            Action::EachLargeObject { before, after, .. } => format!("each {before}*{after}"),
            Action::CopyRows { statement, table } => {
                format!("{} into {:?}", statement.to_string().trim(), table.map(EntryIndex::get))
            }
            Action::RunData { table } => format!("run data for {:?}", table.map(EntryIndex::get)),
            Action::LargeObjects { create, replace } => format!("large objects, create {create}, replace {replace}"),
            Action::Say(text) => format!("say {text}"),
        };
        Some(text.trim().to_owned())
    };
    plan.drops.iter().chain(&plan.steps).filter_map(line).collect()
}

fn steps(entries: &[Entry], options: &RestoreOptions) -> Vec<String> {
    steps_in(entries, (1, 16), options)
}

fn no_clean() -> RestoreOptions {
    RestoreOptions { clean: false, ..RestoreOptions::default() }
}

#[test]
fn drops_come_first_and_backwards_then_definitions_and_data() {
    let index = object(5, "INDEX", "i", "CREATE INDEX i ON public.a (x);\n", "DROP INDEX public.i;\n");
    let entries = archive([table(1, "a"), table(2, "b"), rows(3, 1, "a"), rows(4, 2, "b"), index]);
    assert_eq!(
        steps(&entries, &RestoreOptions::default()),
        [
            "DROP INDEX IF EXISTS public.i;",
            "DROP TABLE IF EXISTS public.b;",
            "DROP TABLE IF EXISTS public.a;",
            "CREATE TABLE public.a ();",
            "CREATE TABLE public.b ();",
            "COPY public.a FROM stdin; into Some(3)",
            "COPY public.b FROM stdin; into Some(4)",
            "CREATE INDEX i ON public.a (x);",
        ]
    );
    assert_eq!(steps(&entries, &no_clean()).len(), 5);
    let plain = RestoreOptions { if_exists: false, ..RestoreOptions::default() };
    assert_eq!(steps(&entries, &plain)[0], "DROP INDEX public.i;");
}

/// The statement that pg_dump writes for a kind, and what `IF EXISTS` makes of it.
fn drop_of(kind: &kinds::Kind) -> Option<(String, String)> {
    match kind.drop {
        DropForm::NoDrop => None,
        DropForm::Words(words) => {
            Some((format!("DROP {words} public.x;"), format!("DROP {words} IF EXISTS public.x;")))
        }
        DropForm::Constraint => Some((
            "ALTER TABLE ONLY public.\"DROP CONSTRAINT\" DROP CONSTRAINT x;".into(),
            "ALTER TABLE IF EXISTS ONLY public.\"DROP CONSTRAINT\" DROP CONSTRAINT IF EXISTS x;".into(),
        )),
        DropForm::Column => Some((
            "ALTER TABLE public.t ALTER COLUMN x DROP DEFAULT;".into(),
            "ALTER TABLE IF EXISTS public.t ALTER COLUMN x DROP DEFAULT;".into(),
        )),
        DropForm::AsIs => Some(("UPDATE x SET y = 1;".into(), "UPDATE x SET y = 1;".into())),
        DropForm::Unlink => Some((
            "SELECT pg_catalog.lo_unlink('7');".into(),
            "SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '7';".into(),
        )),
        DropForm::UnlinkAll => Some((
            "SELECT 1".into(),
            "each SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '*'".into(),
        )),
    }
}

#[test]
fn every_kind_that_can_be_dropped_gets_if_exists() {
    for kind in kinds::ALL {
        let Some((statement, expected)) = drop_of(kind) else { continue };
        let entry = object(1, kind.desc, "x", "7\n", &statement).catalog_oid((2613, 7));
        let options = RestoreOptions { acl: true, ..RestoreOptions::default() };
        let entries = archive([entry]);
        let dropped = plan(&entries, (1, 16), &options, &Destination::NEWEST).unwrap().drops.len();
        // The database itself is not restored along with what is in it.
        if matches!(kind.group, kinds::EntryGroup::Database) {
            assert_eq!(dropped, 0, "{}", kind.desc);
            continue;
        }
        // The slot of a subscription is its publisher's, and stays there.
        let before = match kind.group {
            kinds::EntryGroup::Subscription => {
                "ALTER SUBSCRIPTION public.x DISABLE; ALTER SUBSCRIPTION public.x SET (slot_name = NONE); "
            }
            _ => "",
        };
        assert_eq!(steps(&entries, &options)[0], format!("{before}{expected}"), "{}", kind.desc);
    }
}

#[test]
fn drops_that_are_comments_or_views_in_loops_stay_what_they_are() {
    let schema = object(
        1,
        "SCHEMA",
        "public",
        "-- *not* creating schema, since initdb creates it\n",
        "-- *not* dropping schema\n",
    )
    .schema("");
    let rule = object(
        2,
        "RULE",
        "v _RETURN",
        "CREATE OR REPLACE VIEW public.v AS SELECT 1;",
        "CREATE OR REPLACE VIEW public.v AS SELECT NULL;",
    );
    let foreign =
        object(3, "CHECK CONSTRAINT", "t c", "ALTER …;", "ALTER FOREIGN TABLE ONLY public.t DROP CONSTRAINT c;");
    let domain = object(4, "CHECK CONSTRAINT", "d c", "ALTER …;", "ALTER DOMAIN public.d DROP CONSTRAINT c;");
    let entries = archive([schema, rule, foreign, domain]);
    assert_eq!(
        steps(&entries, &RestoreOptions::default())[..4],
        [
            "ALTER DOMAIN public.d DROP CONSTRAINT IF EXISTS c;",
            "ALTER FOREIGN TABLE IF EXISTS ONLY public.t DROP CONSTRAINT IF EXISTS c;",
            "CREATE OR REPLACE VIEW public.v AS SELECT NULL;",
            "-- *not* creating schema, since initdb creates it",
        ]
    );
}

#[test]
fn only_base_types_are_dropped_with_cascade() {
    let base = object(1, "TYPE", "t", "CREATE TYPE …;", "DROP TYPE public.t CASCADE;\n");
    let table = object(2, "TABLE", "a", "CREATE TABLE …;", "DROP TABLE public.a CASCADE;\n");
    let plan = plan(&archive([base, table]), (1, 16), &RestoreOptions::default(), &Destination::NEWEST).unwrap();
    assert_eq!(plan.drops[0].action, Action::Drop("DROP TABLE IF EXISTS public.a;\n".into()));
    assert_eq!(plan.drops[1].action, Action::DropCascade("DROP TYPE IF EXISTS public.t CASCADE;\n".into()));
}

#[test]
fn owners_are_set_on_request_in_the_words_of_each_kind() {
    let mut no_drop = table(6, "no_drop");
    no_drop.drop_statement = None;
    let entries = archive([
        table(1, "a"),
        object(2, "FUNCTION", "f(integer)", "CREATE FUNCTION …;", "DROP FUNCTION public.f(integer);\n"),
        object(3, "OPERATOR CLASS", "c", "CREATE …;", "DROP OPERATOR CLASS public.c USING btree;\n"),
        object(4, "INDEX", "i", "CREATE INDEX …;", "DROP INDEX public.i;\n"),
        of_no_schema(object(5, "SCHEMA", "s", "CREATE SCHEMA s AUTHORIZATION x;", "DROP SCHEMA s;").owner("Bob")),
        no_drop,
        table(7, "no_owner").owner(""),
        object(8, "BLOB", "42", "SELECT pg_catalog.lo_create('42');", "SELECT pg_catalog.lo_unlink('42');"),
        object(9, "BLOB METADATA", "43..44", "43\n44\n", "SELECT 1"),
    ]);
    let options = RestoreOptions { owner: true, ..no_clean() };
    assert_eq!(
        steps(&entries, &options),
        [
            "CREATE TABLE public.a ();",
            "ALTER TABLE public.a OWNER TO alice;",
            "CREATE FUNCTION …;",
            "ALTER FUNCTION public.f(integer) OWNER TO alice;",
            "CREATE …;",
            "ALTER OPERATOR CLASS public.c USING btree OWNER TO alice;",
            "CREATE INDEX …;",
            "CREATE SCHEMA s AUTHORIZATION x;",
            "ALTER SCHEMA s OWNER TO \"Bob\";",
            "CREATE TABLE public.no_drop ();",
            "CREATE TABLE public.no_owner ();",
            "SELECT pg_catalog.lo_create('42');",
            "ALTER LARGE OBJECT 42 OWNER TO alice;",
            "each SELECT pg_catalog.lo_create('*')",
            "each ALTER LARGE OBJECT * OWNER TO alice",
        ]
    );
    // Without owners, a schema is made without the clause that names one.
    assert_eq!(steps(&entries, &no_clean())[4], "CREATE SCHEMA s;");
}

#[test]
fn privileges_and_what_must_see_them_come_last() {
    let matview = object(2, "MATERIALIZED VIEW DATA", "m", "REFRESH MATERIALIZED VIEW public.m;", "");
    let trigger = object(3, "EVENT TRIGGER", "e", "CREATE EVENT TRIGGER e …;", "DROP EVENT TRIGGER e;");
    let comment = object(4, "COMMENT", "EVENT TRIGGER e", "COMMENT ON EVENT TRIGGER e IS 'x';", "");
    let acl = object(5, "ACL", "TABLE a", "GRANT SELECT ON public.a TO bob;", "");
    let statistics = object(6, "STATISTICS DATA", "m", "SELECT stats_m;", "").section(Section::PostData);
    let index = object(7, "INDEX", "i", "CREATE INDEX i …;", "");
    let entries = archive([table(1, "a"), matview, trigger, comment, acl, statistics, index]);
    assert_eq!(
        steps(&entries, &RestoreOptions { acl: true, ..no_clean() }),
        [
            "CREATE TABLE public.a ();",
            "CREATE INDEX i …;",
            "GRANT SELECT ON public.a TO bob;",
            "REFRESH MATERIALIZED VIEW public.m;",
            "CREATE EVENT TRIGGER e …;",
            "COMMENT ON EVENT TRIGGER e IS 'x';",
            "SELECT stats_m;",
        ]
    );
    let without: Vec<_> = steps(&entries, &RestoreOptions { comments: false, statistics: false, ..no_clean() });
    assert_eq!(without.len(), 4, "{without:?}");
}

#[test]
fn large_objects_are_restored_as_each_version_wrote_them() {
    let blobs = |id| of_no_schema(entry(id, "BLOBS", "BLOBS").has_data(true));
    // Before 1.12: the data alone makes them.
    let old = archive([blobs(1)]);
    assert_eq!(steps_in(&old, (1, 11), &RestoreOptions::default()), ["large objects, create true, replace true"]);
    assert_eq!(steps_in(&old, (1, 11), &no_clean()), ["large objects, create true, replace false"]);
    // 1.12 to 1.15: an entry for each.
    let each = archive([
        object(1, "BLOB", "42", "SELECT pg_catalog.lo_create('42');", "SELECT pg_catalog.lo_unlink('42');"),
        blobs(2),
    ]);
    assert_eq!(
        steps_in(&each, (1, 14), &no_clean()),
        ["SELECT pg_catalog.lo_create('42');", "large objects, create false, replace false"]
    );
    // 1.16: batches, with one copy of what is said about each.
    let batch = object(1, "BLOB METADATA", "42..43", "42\n43\n", "SELECT 1");
    let acl = depending(
        object(
            3,
            "ACL",
            "LARGE OBJECTS 42..43",
            "REVOKE ALL ON LARGE OBJECT 42 FROM \"LARGE OBJECT 1;\";\nGRANT ALL ON LARGE OBJECT 42 TO bob;\n",
            "",
        ),
        1,
    );
    let comment = depending(object(4, "COMMENT", "LARGE OBJECT 42", "COMMENT ON LARGE OBJECT 42 IS 'x';", ""), 1);
    let entries = archive([batch, blobs(2), acl, comment]);
    let options = RestoreOptions { acl: true, ..RestoreOptions::default() };
    assert_eq!(
        steps(&entries, &options),
        [
            "each SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid = '*'",
            "each SELECT pg_catalog.lo_create('*')",
            "large objects, create false, replace false",
            "COMMENT ON LARGE OBJECT 42 IS 'x';",
            "each REVOKE ALL ON LARGE OBJECT * FROM \"LARGE OBJECT 1;\"",
            "each GRANT ALL ON LARGE OBJECT * TO bob",
        ]
    );
    assert_eq!(steps(&entries, &RestoreOptions { data: false, ..options.clone() }), [""; 0]);
    let only_data = RestoreOptions { schema: false, ..options };
    assert_eq!(steps(&entries, &only_data).len(), 6);
}

#[test]
fn schema_only_and_data_only_part_an_archive_in_two() {
    let set = object(4, "SEQUENCE SET", "s", "SELECT pg_catalog.setval('public.s', 1);", "");
    let entries = archive([
        table(1, "a"),
        object(2, "SEQUENCE", "s", "CREATE SEQUENCE public.s;", "DROP SEQUENCE public.s;"),
        rows(3, 1, "a"),
        set,
    ]);
    let schema_only = RestoreOptions { data: false, ..no_clean() };
    assert_eq!(steps(&entries, &schema_only), ["CREATE TABLE public.a ();", "CREATE SEQUENCE public.s;"]);
    let data_only = RestoreOptions { schema: false, disable_triggers: true, ..no_clean() };
    assert_eq!(
        steps(&entries, &data_only),
        [
            "SET SESSION AUTHORIZATION DEFAULT;",
            "ALTER TABLE public.a DISABLE TRIGGER ALL;",
            "COPY public.a FROM stdin; into Some(3)",
            "ALTER TABLE public.a ENABLE TRIGGER ALL;",
            "SELECT pg_catalog.setval('public.s', 1);",
        ]
    );
    let sections = Sections { pre_data: false, data: true, post_data: false };
    assert_eq!(steps(&entries, &RestoreOptions { sections, ..no_clean() }).len(), 2);
}

#[test]
fn statements_in_the_place_of_rows_are_run() {
    let inserts = rows(2, 1, "a").copy_statement("");
    let root = rows(3, 1, "a").definition("-- load via partition root public.p\n");
    let entries = archive([table(1, "a"), inserts, root]);
    assert_eq!(steps(&entries, &no_clean())[1..], ["run data for Some(3)", "COPY public.a FROM stdin; into Some(3)"]);
}

#[test]
fn tablespaces_and_access_methods_are_set_when_they_change() {
    let with =
        |id, name, tablespace: &str, method: &str| table(id, name).tablespace(tablespace).table_access_method(method);
    let partitioned = with(4, "p", "", "columnar").relkind(b'p');
    let entries = archive([
        with(1, "a", "", "heap"),
        with(2, "b", "Fast", "heap"),
        with(3, "c", "Fast", "columnar"),
        partitioned,
    ]);
    assert_eq!(
        steps(&entries, &no_clean()),
        [
            "SET default_tablespace = '';",
            "SET default_table_access_method = heap;",
            "CREATE TABLE public.a ();",
            "SET default_tablespace = \"Fast\";",
            "CREATE TABLE public.b ();",
            "SET default_table_access_method = columnar;",
            "CREATE TABLE public.c ();",
            "SET default_tablespace = '';",
            "CREATE TABLE public.p ();",
            "ALTER TABLE public.p SET ACCESS METHOD columnar;",
        ]
    );
    let plain = RestoreOptions { tablespaces: false, table_access_methods: false, ..no_clean() };
    assert_eq!(steps(&entries, &plain).len(), 4);
}

#[test]
fn settings_come_from_the_archive_and_only_what_the_target_knows_is_sent() {
    let options = RestoreOptions { role: some("Boss"), ..RestoreOptions::default() };
    let made = plan(&archive([]), (1, 16), &options, &Destination::NEWEST).unwrap();
    let session: Vec<String> = made.session.iter().map(|statement| statement.to_string()).collect();
    assert!(session.contains(&"SET transaction_timeout = 0;".to_owned()), "{session:?}");
    assert!(session.contains(&"SET client_encoding = 'UTF8';".to_owned()), "{session:?}");
    assert!(session.contains(&"SET standard_conforming_strings = on;".to_owned()), "{session:?}");
    assert!(session.contains(&"SET ROLE \"Boss\";".to_owned()), "{session:?}");
    assert!(session.contains(&"SELECT pg_catalog.set_config('search_path', '', false);".to_owned()), "{session:?}");
    let old = Destination { transaction_timeout: false, table_access_methods: false, ..Destination::NEWEST };
    let made = plan(&archive([]), (1, 16), &options, &old).unwrap();
    assert!(!made.session.iter().any(|statement| statement.starts_with(b"SET transaction_timeout")));
    // An archive from long ago says nothing, and has a path for each entry.
    let entries = [table(1, "a"), table(2, "b").schema("Other")];
    let made = plan(&entries, (1, 10), &no_clean(), &old).unwrap();
    assert!(made.session.iter().any(|statement| statement == "SET client_encoding = 'SQL_ASCII';"));
    assert!(made.session.iter().any(|statement| statement == "SET standard_conforming_strings = off;"));
    assert_eq!(
        steps_in(&entries, (1, 10), &no_clean()),
        [
            "SET search_path = public, pg_catalog;",
            "CREATE TABLE public.a ();",
            "SET search_path = \"Other\", pg_catalog;",
            "CREATE TABLE public.b ();",
        ]
    );
}

#[test]
fn a_setting_that_is_more_than_a_word_is_refused() {
    let evil = entry(1, "ENCODING", "ENCODING").definition("SET client_encoding = 'UTF8; DROP TABLE x';");
    let error = plan(&[evil], (1, 16), &RestoreOptions::default(), &Destination::NEWEST).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Archive);
}

#[test]
fn a_selection_takes_what_belongs_to_it_along() {
    let comment = |id, on: i32, tag: &str| depending(object(id, "COMMENT", tag, &format!("COMMENT ON {tag};"), ""), on);
    let entries = archive([
        table(1, "a"),
        table(2, "b"),
        comment(3, 1, "TABLE a"),
        comment(4, 2, "TABLE b"),
        rows(5, 1, "a"),
        rows(6, 2, "b"),
    ]);
    let only = Selection { tables: vec!["b".into()], ..Selection::default() };
    let options = RestoreOptions { only, strict_names: true, ..no_clean() };
    assert_eq!(
        steps(&entries, &options),
        ["CREATE TABLE public.b ();", "COMMENT ON TABLE b;", "COPY public.b FROM stdin; into Some(4)",]
    );
    for only in [
        Selection { tables: vec!["c".into()], ..Selection::default() },
        Selection { schemas: vec!["nowhere".into()], ..Selection::default() },
        Selection { indexes: vec!["a".into()], ..Selection::default() },
    ] {
        let options = RestoreOptions { only, strict_names: true, ..no_clean() };
        assert_eq!(plan(&entries, (1, 16), &options, &Destination::NEWEST).unwrap_err().kind(), ErrorKind::Usage);
    }
    let exclude = Selection { exclude_schemas: vec!["public".into()], ..Selection::default() };
    assert_eq!(steps(&entries, &RestoreOptions { only: exclude, ..no_clean() }), [""; 0]);
}

#[test]
fn a_list_chooses_entries_and_their_order() {
    let entries = archive([table(1, "a"), table(2, "b"), table(3, "c")]);
    let options = RestoreOptions { list: Some(vec![DumpId(3), DumpId(1), DumpId(3)]), ..no_clean() };
    assert_eq!(steps(&entries, &options), ["CREATE TABLE public.c ();", "CREATE TABLE public.a ();"]);
    let unknown = RestoreOptions { list: Some(vec![DumpId(7)]), ..no_clean() };
    assert_eq!(plan(&entries, (1, 16), &unknown, &Destination::NEWEST).unwrap_err().kind(), ErrorKind::Usage);
}

#[test]
fn whole_groups_can_be_left_out() {
    let publication = object(1, "PUBLICATION", "p", "CREATE PUBLICATION p;", "DROP PUBLICATION p;");
    let published = object(2, "PUBLICATION TABLE", "p a", "ALTER PUBLICATION p ADD TABLE public.a;", "");
    let comment = object(3, "COMMENT", "PUBLICATION p", "COMMENT ON PUBLICATION p IS 'x';", "");
    let subscription = object(4, "SUBSCRIPTION", "s", "CREATE SUBSCRIPTION s …;", "DROP SUBSCRIPTION s;");
    let policy = object(5, "POLICY", "a q", "CREATE POLICY q ON public.a;", "DROP POLICY q ON public.a;");
    let label = object(6, "SECURITY LABEL", "TABLE a", "SECURITY LABEL …;", "");
    let database = object(7, "COMMENT", "DATABASE d", "COMMENT ON DATABASE d IS 'x';", "");
    let unknown = object(8, "NOVELTY", "n", "CREATE NOVELTY n;", "DROP NOVELTY n;");
    let entries = archive([publication, published, comment, subscription, policy, label, database, unknown]);
    assert_eq!(steps(&entries, &no_clean()).len(), 7);
    let options = RestoreOptions {
        publications: false,
        subscriptions: false,
        policies: false,
        security_labels: false,
        ..no_clean()
    };
    assert_eq!(steps(&entries, &options), ["CREATE NOVELTY n;"]);
    assert_eq!(steps(&entries, &RestoreOptions { clean: true, ..options })[0], "DROP NOVELTY n;");
}
