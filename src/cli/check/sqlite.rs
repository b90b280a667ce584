//! An SQLite database; and what is told of migrations for either.

use std::fs;
use std::path::Path;

use super::collected::Collected;
use super::finding::{Finding, Findings, Level};
use crate::cli::amounts::{counted, human};
use crate::cli::progress::Console;
use crate::output::with_suffix;
use crate::revision::{Revision, RevisionState};
use crate::sqlite::{self, Look};
use crate::{ErrorKind, Phase, Reporter, Result, Unit};

/// Looks at the database at `path`. Gives its size.
pub(super) fn check(path: &Path, integrity: bool, console: &Console, findings: &mut Findings) -> Result<Option<u64>> {
    let doing = format!("look into {}", path.display());
    let look = match sqlite::look(path, console.cancellation(), &doing) {
        Ok(look) => look,
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(error) => {
            findings.add(Finding::of_error(Level::Failed, "file", &error));
            return Ok(None);
        }
    };
    file(path, &look, findings);
    let users = sqlite::users(path);
    let users: Vec<_> = users.iter().filter(|user| user.pid != std::process::id()).collect();
    let told: Vec<String> = users.iter().map(|user| format!("{} (pid {})", user.name, user.pid)).collect();
    let message = if told.is_empty() { "no process that is seen from here".to_owned() } else { told.join(", ") };
    let pids: Vec<u32> = users.iter().map(|user| user.pid).collect();
    findings.add(Finding::new(Level::Ok, "open_by", message).fact("pids", pids));
    if integrity {
        self::integrity(path, console, findings)?;
    }
    revisions(&look.revisions, findings);
    Ok(Some(look.header.file_size))
}

fn file(path: &Path, look: &Look, findings: &mut Findings) {
    let header = &look.header;
    let tables = counted(look.identity.tables.len() as u64, "table", "tables");
    let text = format!("{}, pages of {} bytes, {tables}", human(header.file_size), header.page_size);
    findings.add(
        Finding::new(Level::Ok, "file", text)
            .fact("bytes", header.file_size)
            .fact("tables", look.identity.tables.len()),
    );
    let mode = header.journal_mode.name();
    let length =
        |suffix| fs::metadata(with_suffix(path, suffix)).ok().map(|facts| facts.len()).filter(|bytes| *bytes > 0);
    let (log, journal) = (length("-wal"), length("-journal"));
    let mut text = format!("journal mode {mode}");
    if let Some(bytes) = log {
        text += &format!(", {} in the -wal file", human(bytes));
    }
    if let Some(bytes) = journal {
        text += &format!(", {} in the -journal file: a transaction is under way, or was broken off", human(bytes));
    }
    let level = if journal.is_some() { Level::Note } else { Level::Ok };
    findings.add(
        Finding::new(level, "journal", text).fact("mode", mode).fact("wal_bytes", log).fact("journal_bytes", journal),
    );
}

fn integrity(path: &Path, console: &Console, findings: &mut Findings) -> Result<()> {
    const CHECK: &str = "integrity";
    console.phase(Phase::new("check", Unit::Steps));
    console.current("PRAGMA integrity_check");
    let collected = Collected::new(console);
    match sqlite::verify(path, &collected) {
        Ok(verified) => match verified.problems.first() {
            None => findings.ok(CHECK, "PRAGMA integrity_check finds nothing wrong"),
            Some(first) => {
                let problems = counted(verified.problems.len() as u64, "problem", "problems");
                let finding = Finding::new(
                    Level::Failed,
                    CHECK,
                    format!("the database is damaged: {problems}, the first: {first}"),
                );
                findings.add(finding.hint("lifeboat verify names each; restore it from the newest sound backup"));
            }
        },
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(error) => findings.add(Finding::of_error(Level::Failed, CHECK, &error)),
    }
    for (_, text) in collected.take() {
        findings.add(Finding::new(Level::Warning, CHECK, text));
    }
    Ok(())
}

/// What the tools that migrate databases have written down. What it says is text of others, of whatever length.
pub(super) fn revisions(revisions: &[Revision], findings: &mut Findings) {
    const LONGEST: usize = 100;
    let cut = |text: &String| text.chars().take(LONGEST).collect::<String>();
    for Revision { tool, table, state } in revisions {
        let names = |names: &[String]| names.iter().map(cut).collect::<Vec<_>>().join(", ");
        let (level, text, newest) = match state {
            RevisionState::Newest(newest) if newest.is_empty() => {
                (Level::Note, format!("{tool} ({table}): none yet"), None)
            }
            RevisionState::Newest(newest) => {
                (Level::Ok, format!("{tool} ({table}): {}", names(newest)), Some(names(newest)))
            }
            RevisionState::Failed(newest) => {
                (Level::Warning, format!("{tool} ({table}): {} has failed", names(newest)), Some(names(newest)))
            }
            RevisionState::Unread(why) => (Level::Note, format!("{tool} ({table}): not read: {why}"), None),
        };
        findings.add(
            Finding::new(level, "revision", text)
                .fact("tool", *tool)
                .fact("table", table.as_str())
                .fact("revision", newest),
        );
    }
}
