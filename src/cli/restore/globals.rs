//! `lifeboat restore --globals`: roles and tablespaces, which are in no database.

use std::borrow::Cow;
use std::path::Path;
use std::time::{Duration, Instant};

use bstr::{BStr, BString, ByteSlice};
use serde::Serialize;

use crate::cli::amounts::{counted, seconds};
use crate::cli::exit;
use crate::cli::option_values::read_file;
use crate::cli::progress::Console;
use crate::cli::report::Outcome;
use crate::connect::Target;
use crate::postgres::globals::{self, GlobalsPreview, GlobalsRestoreOptions, GlobalsRestored};
use crate::printable;
use crate::{Error, ErrorKind, Result};

/// The options that mean something for roles and tablespaces.
pub(super) const OPTIONS: &[&str] = &[
    "--globals",
    "--exit-on-error",
    "--idle-timeout",
    "--host",
    "--port",
    "--username",
    "--password",
    "--no-password",
];

/// Restores the script at `path`, or says what that would do.
pub(super) fn run(path: &Path, target: &Target, how: How, console: &Console) -> Result<Outcome> {
    let begun = Instant::now();
    let script = read_file(path, "the roles and tablespaces")?;
    let mut connection = target.connect()?;
    if how.dry_run {
        return told(path, &globals::preview(&mut connection, &script)?);
    }
    let options = GlobalsRestoreOptions::default().force(how.force).exit_on_error(how.exit_on_error);
    let elsewhere = |database: &BStr| target.with_database(database).connect();
    let restored = globals::restore(&mut connection, &elsewhere, &script, &options, console)?;
    done(path, &restored, begun.elapsed())
}

/// How it is to be done.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub(super) force: bool,
    pub(super) dry_run: bool,
    pub(super) exit_on_error: bool,
}

/// The error for options that are about the restore of a database.
pub(super) fn refused(others: &[&str]) -> Error {
    Error::new(ErrorKind::Usage, format!("use {} with --globals", others.join(" and ")))
        .why("it is about the restore of a database, and roles and tablespaces are in none")
        .hint("leave it out")
}

fn told(path: &Path, preview: &GlobalsPreview) -> Result<Outcome> {
    let mut lines = vec!["lifeboat: dry run: nothing was changed".to_owned(), "backend: postgresql".to_owned()];
    let mut say = |what: &str, names: &mut dyn Iterator<Item = &BString>| {
        lines.extend(names.map(|name| format!("{what} {}", printable::name(name.as_bstr()))));
    };
    say("would make: role", &mut preview.roles.iter());
    say("would alter: role", &mut preview.altered.iter());
    if preview.all_roles {
        lines.push("would alter: settings of all roles".to_owned());
    }
    let mut say = |what: &str, names: &mut dyn Iterator<Item = &BString>| {
        lines.extend(names.map(|name| format!("{what} {}", printable::name(name.as_bstr()))));
    };
    say("would make: tablespace", &mut preview.tablespaces.iter());
    say("would alter: tablespace", &mut preview.there.iter().map(|(name, _)| name));
    lines.extend(preview.others.iter().map(|other| format!("would alter: {other}")));
    let names = |all: &[BString]| all.iter().map(ToString::to_string).collect();
    let facts = Told {
        backend: "postgresql",
        dry_run: true,
        input: path.to_string_lossy(),
        roles: names(&preview.roles),
        altered_roles: names(&preview.altered),
        tablespaces: names(&preview.tablespaces),
        altered_tablespaces: preview.there.iter().map(|(name, _)| name.to_string()).collect(),
        altered_others: &preview.others,
    };
    Outcome::new(lines, facts)
}

#[derive(Serialize)]
struct Told<'a> {
    backend: &'static str,
    dry_run: bool,
    input: Cow<'a, str>,
    roles: Vec<String>,
    altered_roles: Vec<String>,
    tablespaces: Vec<String>,
    altered_tablespaces: Vec<String>,
    altered_others: &'a [String],
}

fn done(path: &Path, restored: &GlobalsRestored, took: Duration) -> Result<Outcome> {
    let GlobalsRestored { roles, altered, tablespaces, errors, skipped, stopped, .. } = restored;
    let failed = errors.len() + skipped.len();
    let (headline, code) = match (stopped, failed) {
        (true, _) => {
            ("restore stopped at the first error: what was restored before it remains".to_owned(), exit::FAILED)
        }
        (false, 0) => ("restore complete".to_owned(), exit::SUCCESS),
        (false, failed) => {
            let failed = counted(failed as u64, "statement", "statements");
            (format!("restore finished, but {failed} failed; each is told above"), exit::INCOMPLETE)
        }
    };
    let lines = vec![
        format!("lifeboat: {headline}"),
        "backend: postgresql".to_owned(),
        format!("roles: {roles} made, {altered} altered"),
        format!("tablespaces: {tablespaces} made"),
    ];
    let facts = Facts {
        backend: "postgresql",
        input: path.to_string_lossy(),
        roles: *roles,
        altered_roles: *altered,
        tablespaces: *tablespaces,
        errors: errors.iter().map(|error| ErrorFacts { about: &error.about, message: &error.message }).collect(),
        skipped,
        stopped: *stopped,
        seconds: seconds(took),
    };
    Ok(Outcome { code, ..Outcome::new(lines, facts)? })
}

#[derive(Serialize)]
struct Facts<'a> {
    backend: &'static str,
    input: Cow<'a, str>,
    roles: u64,
    altered_roles: u64,
    tablespaces: u64,
    errors: Vec<ErrorFacts<'a>>,
    skipped: &'a [String],
    stopped: bool,
    seconds: f64,
}

#[derive(Serialize)]
struct ErrorFacts<'a> {
    about: &'a str,
    message: &'a str,
}
