//! `lifeboat backup --all-databases`: every database of a server, each as if it had been named, and roles and tablespaces once.

use std::path::Path;

use bstr::ByteSlice;
use serde_json::json;

use super::globals::GlobalsArgs;
use super::name::Fields;
use super::{Args, one};
use crate::cli::backend_options;
use crate::cli::common::Common;
use crate::cli::exit;
use crate::cli::progress::Console;
use crate::cli::report::{Outcome, failure_facts, failure_line};
use crate::connect::Target;
use crate::console::standard_streams;
use crate::postgres::globals::{self, GlobalsOptions};
use crate::printable;
use crate::{Database, Error, ErrorKind, Level, Message, Reporter, Result};

/// Backs them up, one after the other; one that fails is told, and the others are backed up all the same.
pub(super) fn run(args: Args, database: Database, all: &Fields, console: &Console, common: &Common) -> Result<Outcome> {
    let Database::Postgres(target) = database else {
        // Which refuses the option.
        common.given.check(backend_options::SQLITE)?;
        return Err(Error::new(ErrorKind::Usage, "back up all databases").why("an SQLite database is one"));
    };
    let names = [args.output.as_deref(), args.afterwards.link()];
    names.into_iter().flatten().try_for_each(|name| check_name(name, all))?;
    let connect = || target.connect();
    let options = args.postgres.clone().options(std::time::Duration::from_millis(args.lock_wait_timeout))?;
    let asks = GlobalsOptions::default().role(options.role).lock_wait(options.lock_wait);
    let databases = globals::databases(&connect, &asks, console)?;
    let fields: Vec<Fields> = databases.iter().map(|name| all.with_database(name.as_bstr())).collect();
    let (mut lines, mut backups, mut failed) = (Vec::new(), Vec::new(), 0);
    let mut take = |what: serde_json::Value, result: Result<Outcome>| {
        let mut facts = match result {
            Ok(outcome) => {
                lines.extend(outcome.lines);
                outcome.json
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                console.message(Message::new(Level::Error, "", failure_line(&error)));
                failed += 1;
                failure_facts(&error)?
            }
        };
        facts["database"] = what;
        backups.push(facts);
        Ok(())
    };
    let mut args = args;
    if args.globals.path().is_some() {
        let alone = Args { output: None, ..args.clone() };
        take(serde_json::Value::Null, one(alone, of(target.as_ref().clone()), all, console, common))?;
        args.globals = GlobalsArgs::default();
    } else {
        console.message(Message::new(
            Level::Info,
            "",
            "roles and tablespaces are in no database: --globals saves them",
        ));
    }
    for (name, fields) in databases.iter().zip(&fields) {
        let shown = printable::name(name.as_ref());
        console.message(Message::new(Level::Debug, "", format!("backing up the database {shown}")));
        let target = target.with_database(name.clone());
        take(name.to_string().into(), one(args.clone(), of(target), fields, console, common))?;
    }
    // The advice once, and not for each.
    let before = lines.len();
    lines.retain(|line| !line.starts_with(ADVICE));
    if lines.len() < before {
        lines.push(format!("{ADVICE} these files off-host (scp, rclone, S3, ...) for true disaster recovery."));
    }
    let code = match failed {
        0 => exit::SUCCESS,
        all if all == backups.len() => exit::FAILED,
        _ => exit::INCOMPLETE,
    };
    Ok(Outcome { lines, json: json!({ "backups": backups }), code })
}

/// What the line begins with that comes last in the report of a backup.
const ADVICE: &str = "lifeboat: move";

fn of(target: Target) -> Database {
    Database::Postgres(Box::new(target))
}

/// Checks that two databases would not be called the same.
fn check_name(name: &Path, fields: &Fields) -> Result<()> {
    let of = |database: &str| fields.with_database(database.into()).fill(name);
    if !standard_streams::is_output(name) && of("a")? != of("b")? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Usage, format!("name the backups {}", name.display()))
        .why("all databases would have the same name")
        .hint("put {database} into it"))
}
