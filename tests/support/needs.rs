//! What tests need and a machine may lack. A test gets it from a function that gives [`Needed`], by `needed!`:
//! where it is missing the test fails, unless it is allowed to be, and then a line says so. No test ends early in another way.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Mutex;

use super::report;

/// Everything that may be missing. `postgres` and the like are followed by a major: `postgres-14`.
const NAMES: &[&str] = &[
    "postgres",
    "client-tools",
    "active-record",
    "dbmate",
    "django-dbbackup",
    "extensions",
    "headers",
    "icu",
    "docker",
    "file-attributes",
    "fuse",
    "mounts",
    "packers",
    "pgbouncer",
    "pgdumplib",
    "postgis",
    "prlimit",
    "process-namespaces",
    "root",
    "schemas",
    "shared",
    "sqlite3",
    "static-libc",
    "strace",
    "systemd",
    "unmended-psql",
    "zabbix",
];

/// What is allowed to be missing everywhere, and why it is.
const OPTIONAL: &[(&str, &str)] = &[
    ("postgres-19", "Debian's experimental suite has it for some time"),
    ("client-tools-13", "what npm has of 13 is a server alone"),
    ("headers-13", "what npm has of 13 is a server alone"),
    ("icu-14", "what PyPI has is built without ICU, and npm has 15 and 18"),
    ("icu-16", "what PyPI has is built without ICU, and npm has 15 and 18"),
    ("icu-17", "what PyPI has is built without ICU, and npm has 15 and 18"),
    ("docker", "an engine takes root, and an image that tests/images/build makes"),
    ("packers", "zip, uuencode, gpg and the like make files that are none of ours"),
    ("root", "who is not root cannot become it"),
    ("shared", "data sets and tools beside the checkout are no part of it"),
];

/// That something is missing which may be: nothing else lets a test end before it has tested anything.
#[derive(Debug)]
pub struct Missing(());

/// What a test needs, or that it may do without.
pub type Needed<T> = Result<T, Missing>;

/// What was got. Where Err says why it was not: fails the test, unless `name` may be missing.
pub fn need<T>(name: &str, got: Result<T, impl fmt::Display>) -> Needed<T> {
    got.map_err(|why| missing(name, &why))
}

/// Fails the test, which needs `name`, unless that may be missing; then a line says so, once.
pub fn missing(name: &str, why: &dyn fmt::Display) -> Missing {
    if let Some(fault) = fault(name, &why.to_string(), &variable("ALLOW_MISSING"), &variable("REQUIRE")) {
        panic!("{fault}");
    }
    left_out(&format!("what needs {name}"), why)
}

/// Says, once, that a variable leaves `what` out, or allows it to be.
pub fn left_out(what: &str, why: &dyn fmt::Display) -> Missing {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let why: Vec<String> = why.to_string().lines().map(|line| line.trim().to_owned()).collect();
    let line = format!("NOT RUN: {what}: {}", why.join("; "));
    if SAID.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(line.clone()) {
        report::say(&line);
    }
    Missing(())
}

fn variable(name: &str) -> String {
    std::env::var(format!("LIFEBOAT_TEST_{name}")).unwrap_or_default()
}

/// What is wrong with `name` being missing, or with the variables.
pub fn fault(name: &str, why: &str, allowed: &str, required: &str) -> Option<String> {
    let base = base(name);
    assert!(NAMES.contains(&base), "tests/support/needs.rs does not know \"{name}\"");
    let words = |list: &str| -> Vec<String> {
        list.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect()
    };
    let (allowed, required) = (words(allowed), words(required));
    let all = allowed.iter().chain(&required);
    if let Some(unknown) = all.map(String::as_str).find(|word| *word != "all" && !NAMES.contains(&self::base(word))) {
        return Some(format!(
            "LIFEBOAT_TEST_ALLOW_MISSING or LIFEBOAT_TEST_REQUIRE has \"{unknown}\"; there are all, {}",
            NAMES.join(", ")
        ));
    }
    let lists = |words: &[String]| words.iter().any(|word| word == "all" || word == name || word == base);
    let optional = OPTIONAL.iter().any(|(optional, _)| *optional == name) && !lists(&required);
    (!optional && !lists(&allowed)).then(|| {
        format!("{name} is missing: {why}\nTo test without what needs it: LIFEBOAT_TEST_ALLOW_MISSING={name} (or all)")
    })
}

/// The name without a major.
fn base(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((base, major)) if major.parse::<u32>().is_ok() => base,
        _ => name,
    }
}

/// Gives what a function hands out that gives [`Needed`]; ends the test where it may be missing.
macro_rules! needed {
    ($got:expr) => {
        match $got {
            Ok(got) => got,
            Err($crate::support::needs::Missing { .. }) => return,
        }
    };
}
