//! What most tests tell lifeboat to do with a PostgreSQL database.

use std::path::Path;
use std::process::Command;

use super::lifeboat;

/// A backup of the database at `url` into `path`.
pub fn backup(url: &str, path: &Path, options: &[&str]) -> Command {
    let mut command = lifeboat();
    command.args(["backup", "--url", url, "--output"]).arg(path).args(options);
    command
}

/// A restore of `archive` over what is in the database at `url`.
pub fn restore(url: &str, archive: &Path, options: &[&str]) -> Command {
    let mut command = lifeboat();
    command.arg("restore").arg(archive).args(["--force", "--url", url]).args(options);
    command
}

/// What a restore of `archive` would do to the database at `url`.
pub fn dry_run(url: &str, archive: &Path, options: &[&str]) -> Command {
    let mut command = lifeboat();
    command.arg("restore").arg(archive).args(["--dry-run", "--url", url]).args(options);
    command
}
