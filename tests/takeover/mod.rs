//! Nothing that the owner of a database has planted there is run by a superuser who backs up, restores or rehearses.
//!
//! What is planted is taken from the statements themselves: all verbs are run once on a server that logs each statement,
//! and of every operator and function in them there is then an overload for every combination of types that PostgreSQL itself has
//! one for, and for more.

mod counted;
mod inserts;
mod plants;
mod statements;
mod texts;

use std::fs;
use std::io::Write;

use pgformat::{Compression, DumpId, Entry, Header, Section, Version, Writer};

use crate::support::needs::Needed;
use crate::support::{Database, Options, Output, REFERENCE, Scene, Server, lifeboat, output};
use plants::Plants;

/// What a session of ours is known as, and psql's where it shows that the plants are alive.
const CONTROL: &str = "control";

/// A server that logs every statement with the name of who sent it.
fn talkative(major: u32) -> Needed<Server> {
    let config = "log_statement = 'all'\nlog_line_prefix = '%a|'\nlog_min_messages = 'log'".to_owned();
    Server::with(major, &Options { config, ..Options::default() })
}

/// Objects of many kinds, so that every query has something to do.
fn fill(database: &Database<'_>) {
    database.sql(
        "CREATE TABLE public.parent (a integer PRIMARY KEY) PARTITION BY RANGE (a);
         CREATE TABLE public.part PARTITION OF public.parent FOR VALUES FROM (0) TO (10); INSERT INTO public.parent VALUES (1);
         CREATE TYPE public.base; CREATE FUNCTION public.base_in(cstring) RETURNS public.base LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
         CREATE FUNCTION public.base_out(public.base) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
         CREATE TYPE public.base (INPUT = public.base_in, OUTPUT = public.base_out, LIKE = integer);
         CREATE TABLE public.alembic_version (version_num text); INSERT INTO public.alembic_version VALUES ('1');
         SELECT pg_catalog.lo_from_bytea(0, 'large'); CREATE PUBLICATION planted FOR ALL TABLES;",
    );
    database.load("tests/restore/sample.sql");
    // It lets nobody make tables.
    database.sql("DROP EVENT TRIGGER watch");
}

/// Runs every verb with many options; `query` is put into each URL.
fn run_all(scene: &Scene, server: &Server, source: &str, targets: &[&Database<'_>], query: &str) -> Vec<Output> {
    let url = |database: &str| format!("postgresql://postgres@127.0.0.1:{}/{database}{query}", server.port());
    let mut outputs = Vec::new();
    let mut lifeboat = |arguments: &[&str]| {
        let mut command = lifeboat();
        let out = output(command.current_dir(scene.path(".")).args(arguments));
        assert!(matches!(out.code(), 0 | 3 | 4), "{out}");
        outputs.push(out);
    };
    let from = url(source);
    for (n, more) in [
        &["--owner", "--acl", "--statistics", "--exclude-schema", "planted"][..],
        &["--jobs", "2", "--lock-wait-timeout", "60000"],
        &["--table", "*.par*", "--exclude-table", "q*", "--schema", "public", "--exclude-table-data", "nothing"],
        &["--role", "postgres", "--enable-row-security", "--data-only"],
        &["--schema-only", "--strict-names", "--extension", "plpgsql"],
        &["--column-inserts", "--rows-per-insert", "2", "--on-conflict-do-nothing"],
    ]
    .into_iter()
    .enumerate()
    {
        lifeboat(&[&["backup", "--url", &from, "--output", &format!("{n}.dump"), "--force"], more].concat());
    }
    let to = url(targets[0].name());
    lifeboat(&["restore", "0.dump", "--url", &to]);
    lifeboat(&["restore", "0.dump", "--url", &to, "--dry-run"]);
    for (target, more) in targets.iter().zip([
        &["--owner", "--acl"][..],
        &["-1"],
        &["--jobs", "2"],
        &["--transaction-size", "3", "--role", "postgres"],
        &["--use-set-session-authorization", "--owner"],
    ]) {
        // Over what is there, the second time.
        for _ in 0..2 {
            lifeboat(&[&["restore", "0.dump", "--url", &url(target.name()), "--force"], more].concat());
        }
    }
    lifeboat(&["check", "--url", &from]);
    lifeboat(&["status", "--url", &from]);
    lifeboat(&["status", "--url", &from, "--exact", "0.dump"]);
    lifeboat(&["drill", "--url", &from, "--scratch", "."]);
    lifeboat(&["restore", "0.dump", "--url", &url("postgres"), "--create", "--dry-run"]);
    // Older servers do not know the option for the locale's provider, which pg_dump 18 writes of them, too.
    if server.major() >= 15 {
        // The source itself is made anew, without what was planted.
        lifeboat(&[
            "restore",
            "0.dump",
            "--url",
            &url("postgres"),
            "--create",
            "--force",
            "--owner",
            "--acl",
            "--drop-dependents",
        ]);
    }
    lifeboat(&["restore", "0.dump", "--url", &from, "--swap", "--disconnect", "--force", "--owner", "--acl"]);
    server.sql("postgres", &format!("DROP DATABASE {source}_pre_restore_bak"));
    outputs
}

/// Restores an archive whose statements put the plants onto the path, and hide relations and types of the system's, before
/// anything else is done: queries of the restore's own between them are planned as ever.
fn restore_hostile(scene: &Scene, target: &Database<'_>, options: &[&str]) {
    let entry = |id: i32, desc: &str, section: Section, definition: &str| {
        Entry::new(DumpId(id), desc).section(section).tag(format!("hostile {id}")).definition(definition)
    };
    let hide =
        "SET search_path = planted, pg_catalog; CREATE TEMP TABLE IF NOT EXISTS pg_largeobject_metadata (oid integer);
        CREATE TEMP TABLE IF NOT EXISTS text (a integer); CREATE TEMP TABLE IF NOT EXISTS int4 (a integer);";
    let entries = vec![
        entry(1, "ENCODING", Section::PreData, "SET client_encoding = 'UTF8';\n"),
        entry(2, "STDSTRINGS", Section::PreData, "SET standard_conforming_strings = 'on';\n"),
        entry(3, "FUNCTION", Section::PreData, hide),
        entry(4, "BLOB", Section::PreData, "SELECT pg_catalog.lo_create('4242');\n").tag("4242"),
        entry(5, "BLOBS", Section::Data, "").has_data(true).drop_statement(
            "SELECT pg_catalog.lo_unlink('4242') FROM pg_catalog.pg_largeobject_metadata \
             WHERE oid OPERATOR(pg_catalog.=) '4242';\n",
        ),
    ];
    let file = fs::File::create(scene.path("hostile.dump")).unwrap();
    let mut writer = Writer::seekable(file, Header::new(Version::V1_14, Compression::None), entries).unwrap();
    let mut objects = writer.large_objects(DumpId(5)).unwrap();
    let mut object = objects.object(4242).unwrap();
    object.write_all(&[7; 5000]).unwrap();
    object.finish().unwrap();
    objects.finish().unwrap();
    writer.finish().unwrap();
    target.sql("SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid OPERATOR(pg_catalog.=) 4242");
    let url = target.url();
    let out = scene.run(&[&["restore", "hostile.dump", "--url", &url, "--force", "--no-clean"], options].concat());
    assert!(out.success(), "{out}");
    assert_eq!(target.sql("SELECT pg_catalog.length(pg_catalog.lo_get(4242))"), "5000", "{options:?}: {out}");
}

#[test]
fn what_is_planted_in_a_database_is_never_run() {
    plant_in_all(REFERENCE);
}

/// Everybody may create in `public` there.
#[test]
fn what_anybody_plants_in_public_is_never_run() {
    plant_in_all(14);
}

fn plant_in_all(major: u32) {
    let server = needed!(talkative(major));
    let source = server.database("planted");
    fill(&source);
    let scene = Scene::new();
    let of_targets = || -> Vec<Database<'_>> { (0..5).map(|_| server.database("planted")).collect() };
    let clean = of_targets();
    let before = server.log().len();
    let clean_outputs =
        run_all(&scene, &server, source.name(), &clean.iter().collect::<Vec<_>>(), "?target_session_attrs=read-write");
    let sent = statements::sent(&server.log()[before..]);
    assert!(sent.len() > 100, "the log of {major} says nothing");
    let unqualified: Vec<String> = sent.iter().flat_map(|sql| texts::unqualified(sql, &[])).collect();
    assert!(unqualified.is_empty(), "on {major}: {unqualified:#?}");

    let plants = Plants::of(&sent);
    let planted = of_targets();
    for database in [source.name(), "postgres"].into_iter().chain(planted.iter().map(Database::name)) {
        plants.plant(&server, database);
    }
    // Where the search path comes from, and that what lies on it would be found.
    server.sql("postgres", "ALTER ROLE postgres SET search_path = planted, pg_catalog");
    plants.show_that_they_live(&server, source.name());
    let before = server.log().len();
    let outputs = run_all(
        &scene,
        &server,
        source.name(),
        &planted.iter().collect::<Vec<_>>(),
        "?target_session_attrs=read-write",
    );
    for options in [&[][..], &["-1"], &["--jobs", "2"], &["--transaction-size", "1"]] {
        restore_hostile(&scene, &planted[0], options);
    }
    let run = plants::run(&server.log()[before..]);
    assert!(run.is_empty(), "on {major}, these were run: {run:#?}");
    let codes = |outputs: &[Output]| outputs.iter().map(Output::code).collect::<Vec<_>>();
    let said = |outputs: &[Output]| outputs.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let (planted, clean) = (said(&outputs), said(&clean_outputs));
    assert_eq!(codes(&outputs), codes(&clean_outputs), "on {major}: {planted}\nbut without: {clean}");
}

#[test]
fn every_text_in_the_source_names_schemas() {
    let mut faults = Vec::new();
    for (file, of_file) in texts::of_the_source() {
        let all = texts::tokens(&of_file.join("\n"));
        let found = of_file.iter().flat_map(|text| texts::unqualified(text, &all));
        faults.extend(found.map(|fault| format!("{}: {fault}", file.display())));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}
