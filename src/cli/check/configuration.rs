//! Which database is meant, by what; where the password comes from.

use super::finding::{Finding, Findings, Level};
use super::shown;
use crate::Database;
use crate::cli::database::DatabaseArgs;
use crate::connect::PasswordSource;

pub(super) fn check(args: &DatabaseArgs, database: &Database, findings: &mut Findings) {
    let origin = args.origin();
    match database {
        Database::Sqlite(target) => {
            let message = format!("SQLite database {}, from {origin}", shown(&target.path));
            findings.add(Finding::new(Level::Ok, "configuration", message).fact("from", origin));
        }
        Database::Postgres(target) => {
            let message = format!("{}, from {origin}", target.describe());
            findings.add(Finding::new(Level::Ok, "configuration", message).fact("from", origin));
            for note in target.notes() {
                findings.add(Finding::new(Level::Warning, "configuration", note.as_str()));
            }
            findings.add(password(&target.password_source()));
        }
    }
}

/// Whether the server is going to ask for it is not known before; no finding holds it.
fn password(source: &PasswordSource) -> Finding {
    let new = |level, message: String, from: &str| Finding::new(level, "password", message).fact("from", from);
    match source {
        PasswordSource::Given => new(Level::Ok, "from the URL".to_owned(), "url"),
        PasswordSource::Service => new(Level::Ok, "from the service file".to_owned(), "service file"),
        PasswordSource::Environment => new(Level::Ok, "from PGPASSWORD".to_owned(), "PGPASSWORD"),
        PasswordSource::Typed => new(Level::Ok, "typed at the terminal".to_owned(), "terminal"),
        PasswordSource::File(path) => {
            new(Level::Ok, format!("from the password file {}", shown(path)), "password file")
        }
        PasswordSource::UnusableFile(why) => new(Level::Warning, format!("none: {why}"), "nowhere"),
        PasswordSource::Nowhere(path) => {
            let file = path.as_ref().map(|path| format!(", and no line of {} fits", shown(path))).unwrap_or_default();
            new(Level::Note, format!("none is given{file}"), "nowhere")
        }
    }
}
