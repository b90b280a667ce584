//! The plan beside real pg_restore's script of the same archive: the same statements in the same order.

use std::fs::File;

use lifeboat::postgres::restore::{Action, Plan, RestoreOptions, Target, plan};
use pgformat::{Entry, Reader};

use super::{forced, sample, with_owners};
use crate::support::{REFERENCE, Server, pg_tool, run};

/// The plan as text, without the data.
fn text_of(plan: &Plan, entries: &[Entry]) -> String {
    let mut text = String::new();
    let mut add = |sql: &[u8]| text.push_str(&(String::from_utf8_lossy(sql) + "\n"));
    plan.session.iter().for_each(|statement| add(statement));
    for step in &plan.steps {
        match &step.action {
            Action::Drop(sql)
            | Action::DropCascade(sql)
            | Action::Set(sql)
            | Action::Define(sql)
            | Action::Alter(sql) => {
                add(sql);
            }
            Action::EachLargeObject { before, after, oids_of, .. } => {
                for oid in String::from_utf8_lossy(entries[*oids_of].definition.as_ref().unwrap()).lines() {
                    add(format!("{before}{oid}{after};").as_bytes());
                }
            }
            Action::CopyRows { statement, .. } => add(statement),
            Action::RunData { .. } | Action::LargeObjects { .. } => {}
            Action::Say(text) => panic!("{text}"),
        }
    }
    text
}

/// The lines that say something, without comments, data and the commands of psql.
fn lines(script: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut in_rows = false;
    for line in script.lines() {
        match line {
            "\\." if in_rows => in_rows = false,
            _ if in_rows => {}
            _ => {
                let line = line.trim_end();
                in_rows = line.starts_with("COPY ") && line.ends_with(" FROM stdin;") && !script.contains("-- plan\n");
                if !line.is_empty() && !line.starts_with("--") && !line.starts_with('\\') {
                    lines.push(line);
                }
            }
        }
    }
    lines
}

fn same_as_pg_restore(major: u32, options: &RestoreOptions, args: &[&str]) {
    let Some(server) = Server::get(major) else { return };
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("archive");
    sample(server).pg_dump(major.max(14), &["-b"], &archive);
    let out = run(pg_tool(REFERENCE, "pg_restore").args(["-f", "-"]).args(args).arg(&archive));
    let reader = Reader::seekable(File::open(&archive).unwrap()).unwrap();
    let version = (reader.header().version.major, reader.header().version.minor);
    let plan = plan(reader.entries(), version, options, &Target::NEWEST).unwrap();
    let ours = String::from("-- plan\n") + &text_of(&plan, reader.entries());
    let theirs = out.stdout();
    // The content of large objects is data as well.
    let is_content = |line: &&str| {
        !["BEGIN;", "COMMIT;"].contains(line)
            && !["lo_open", "lowrite", "lo_close"].iter().any(|f| line.starts_with(&format!("SELECT pg_catalog.{f}(")))
    };
    let theirs: Vec<&str> = lines(&theirs).into_iter().filter(is_content).collect();
    let ours = lines(&ours);
    let differs = ours.iter().zip(&theirs).position(|(a, b)| a != b);
    if let Some(at) = differs {
        let around = at.saturating_sub(3)..at + 4;
        panic!("{args:?}: line {at}\nours: {:#?}\ntheirs: {:#?}", ours.get(around.clone()), theirs.get(around));
    }
    assert_eq!(ours.len(), theirs.len(), "{args:?}: {:?} {:?}", ours.last(), theirs.last());
}

fn all_options(major: u32) {
    same_as_pg_restore(major, &forced(), &["--clean", "--if-exists", "--no-owner", "--no-acl"]);
    same_as_pg_restore(major, &with_owners(), &["--clean", "--if-exists"]);
    same_as_pg_restore(major, &RestoreOptions { if_exists: false, ..with_owners() }, &["--clean"]);
    let plain = RestoreOptions { clean: false, ..with_owners() };
    same_as_pg_restore(major, &plain, &[]);
    same_as_pg_restore(major, &RestoreOptions { data: false, ..plain.clone() }, &["--schema-only"]);
    same_as_pg_restore(major, &RestoreOptions { schema: false, ..plain.clone() }, &["--data-only"]);
    let disabled = RestoreOptions { schema: false, disable_triggers: true, ..plain.clone() };
    same_as_pg_restore(major, &disabled, &["--data-only", "--disable-triggers"]);
    same_as_pg_restore(
        major,
        &RestoreOptions { comments: false, policies: false, ..plain.clone() },
        &["--no-comments", "--no-policies"],
    );
    for (section, name) in
        [((true, false, false), "pre-data"), ((false, true, false), "data"), ((false, false, true), "post-data")]
    {
        let (pre_data, data, post_data) = section;
        let sections = lifeboat::postgres::restore::Sections { pre_data, data, post_data };
        same_as_pg_restore(major, &RestoreOptions { sections, ..plain.clone() }, &["--section", name]);
    }
    let only = |only| RestoreOptions { only, ..plain.clone() };
    use lifeboat::postgres::restore::Selection;
    same_as_pg_restore(major, &only(Selection { schemas: vec!["app".into()], ..Selection::default() }), &["-n", "app"]);
    same_as_pg_restore(
        major,
        &only(Selection { exclude_schemas: vec!["app".into()], ..Selection::default() }),
        &["-N", "app"],
    );
    let names = Selection {
        tables: vec!["customer".into(), "busy".into()],
        indexes: vec!["by_name".into()],
        functions: vec!["twice(integer)".into()],
        triggers: vec!["orders noted".into()],
        ..Selection::default()
    };
    same_as_pg_restore(
        major,
        &only(names),
        &["-t", "customer", "-t", "busy", "-I", "by_name", "-P", "twice(integer)", "-T", "orders noted"],
    );
}

#[test]
fn plan_of_an_archive_of_14_is_pg_restores() {
    all_options(14);
}

#[test]
fn plan_of_an_archive_of_18_is_pg_restores() {
    all_options(18);
}
