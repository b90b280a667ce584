//! Every kind of object, in all its cases: dumped as pg_dump dumps it, and back again.
//!
//! A directory is a kind, a script in it is a case. A new directory needs its line below; a test looks for forgotten ones.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::support::roundtrip::{Case, Tool, check_all};

macro_rules! kinds {
    ($($kind:ident)*) => {
        const KINDS: &[&str] = &[$(stringify!($kind)),*];

        $(mod $kind {
            fn run(major: u32) {
                super::run(stringify!($kind), major);
            }

            tests! { run: on_13(13) on_14(14) on_15(15) on_16(16) on_17(17) on_18(18) on_19(19) }
        })*
    };
}

kinds! {
    access_method
    aggregate
    cast
    collation
    constraint
    conversion
    database
    default_privileges
    encoding
    event_trigger
    extended_statistics
    extension
    foreign_data
    foreign_key
    foreign_table
    function
    index
    inheritance
    language
    large_object
    loops
    materialized_view
    names
    operator
    operator_class
    operator_family
    partition
    policy
    privileges
    procedure
    publication
    rule
    schema
    sequence
    statistics_data
    subscription
    table
    text_search
    transform
    trigger
    type_base
    type_composite
    type_domain
    type_enum
    type_privileges
    type_range
    view
}

fn directory(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects").join(kind.trim_start_matches("r#"))
}

fn run(kind: &str, major: u32) {
    let cases = Case::all(&directory(kind)).unwrap();
    assert!(!cases.is_empty(), "{kind} has no case");
    check_all(major, Tool::chosen(), &cases);
}

#[test]
fn every_directory_is_a_kind_in_the_list() {
    let listed: BTreeSet<PathBuf> = KINDS.iter().map(|k| directory(k)).collect();
    let present: BTreeSet<PathBuf> =
        directory("").read_dir().unwrap().flatten().map(|f| f.path()).filter(|p| p.is_dir()).collect();
    assert_eq!(listed, present, "tests/objects/mod.rs lists other kinds than there are directories");
}

/// Kinds whose cases are in directories of other names.
const ELSEWHERE: &[(&str, &[&str])] = &[
    ("relation", &["table", "view", "materialized_view", "foreign_table", "names", "encoding"]),
    ("relation (details)", &["partition", "view", "foreign_table"]),
    ("column", &["table"]),
    ("column default", &["table", "loops"]),
    ("table constraint", &["table", "loops"]),
    ("data", &["table", "encoding"]),
    ("type", &["type_base", "type_composite", "type_domain", "type_enum", "type_range", "type_privileges"]),
    ("function", &["function", "procedure"]),
    ("statistics of relations", &["statistics_data"]),
    ("procedural language", &["language"]),
    ("index attach", &["index", "partition"]),
    ("foreign data wrapper", &["foreign_data"]),
    ("foreign server", &["foreign_data"]),
    ("text search parser", &["text_search"]),
    ("text search template", &["text_search"]),
    ("text search dictionary", &["text_search"]),
    ("text search configuration", &["text_search"]),
];

#[test]
fn every_kind_in_the_registry_has_its_cases() {
    let names: Vec<&str> = lifeboat::postgres::kinds().collect();
    for name in &names {
        let own = [name.replace(' ', "_")];
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let directories = ELSEWHERE.iter().find(|(kind, _)| kind == name).map_or(own.as_slice(), |(_, list)| list);
        for directory in directories {
            assert!(KINDS.contains(directory), "the kind \"{name}\" has no directory tests/objects/{directory}");
        }
    }
    for (name, _) in ELSEWHERE {
        assert!(names.contains(name), "there is no kind \"{name}\"");
    }
}
