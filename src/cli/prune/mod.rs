//! `lifeboat prune`: removing old backups of a database.

mod policy;

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use serde::Serialize;

use self::policy::PolicyArgs;
use super::amounts::{counted, human};
use super::backups::{self, Backup, Found, Origin};
use super::common::Common;
use super::database::DatabaseArgs;
use super::exit;
use super::progress::Console;
use super::report::Outcome;
use crate::output::{Removal, Stamp, with_suffix};
use crate::{Error, ErrorKind, Level, Message, Reporter, Result};

pub(crate) use policy::Policy;

const EXAMPLES: &str = "\
Examples:
  lifeboat prune /var/backups/app --url postgresql://app@db.example/app --keep-last 7
  lifeboat prune /var/backups/app --keep-daily 14 --keep-weekly 8 --keep-monthly 12
      the URL is in the environment; shows what would be removed
  lifeboat prune /var/backups/app --keep-daily 14 --force
      removes it

Only backups of the database that is named are removed, and what is one is seen by its
content. No server is asked. The newest that is kept is read to its last byte first: if it
is damaged, an older one stays that is not.

Exit codes: 0 if it is done, or shown; 1 if something could not be removed, or no backup
is sound, and then nothing is removed.";

/// Remove old backups of a database from a folder
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The folder; those below it are not looked into
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    #[command(flatten)]
    database: DatabaseArgs,
    /// Remove them, instead of only saying which
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    policy: PolicyArgs,
}

#[derive(Serialize)]
struct Facts {
    folder: String,
    removed: bool,
    #[serde(flatten)]
    pruned: Pruned,
}

/// What was kept and what was not.
#[derive(Debug, Serialize)]
pub(crate) struct Pruned {
    backups: Vec<Verdict>,
    other_databases: usize,
    unreadable: Vec<String>,
    failed: usize,
}

#[derive(Debug, Serialize)]
struct Verdict {
    file: String,
    made: String,
    bytes: u64,
    /// By which rules it is kept; by none, if it is not.
    kept: Vec<&'static str>,
    /// Why it could not be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let console = Console::new(common);
    let policy = args.policy.policy()?;
    let database = args.database.database(&common.cancellation)?;
    DatabaseArgs::tell_notes(&database, &console);
    let origin = Origin::of(&database, &common.cancellation)?;
    let plan = Plan::new(&args.folder, &origin, policy, &console)?;
    let pruned = plan.carry_out(args.force, &console)?;
    let lines = pruned.lines(&args.folder, args.force);
    let code = if pruned.failed == 0 { exit::SUCCESS } else { exit::FAILED };
    let facts = Facts { folder: args.folder.display().to_string(), removed: args.force, pruned };
    Ok(Outcome { code, ..Outcome::new(lines, facts)? })
}

/// What is to be kept and what not.
pub(crate) struct Plan {
    folder: PathBuf,
    backups: Vec<(Backup, Vec<&'static str>)>,
    others: usize,
    unreadable: Vec<PathBuf>,
}

/// The rule that keeps the last backup that is sound.
const SOUND: &str = "sound";

impl Plan {
    /// Looks at what is in the folder, and whether what is kept is sound.
    ///
    /// # Errors
    /// The folder cannot be read; there are backups to remove, and none at all is sound.
    pub(crate) fn new(folder: &Path, origin: &Origin, policy: Policy, console: &Console) -> Result<Self> {
        let Found { backups, others, unreadable } = backups::in_folder(folder, origin, console.cancellation())?;
        for (path, error) in &unreadable {
            let text = format!("it is left, for nobody knows of which database it is: {error}");
            console.message(Message::warning(path.display().to_string(), text));
        }
        let (backups, foreign): (Vec<Backup>, Vec<Backup>) =
            backups.into_iter().partition(|backup| is_trusted(backup, folder));
        for backup in foreign {
            let text =
                "it is left, and counts for nothing: it is another user's, who may want older ones to be removed";
            console.message(Message::warning(backup.path.display().to_string(), text));
        }
        let made: Vec<_> = backups.iter().map(|backup| backup.made).collect();
        let reasons = policy.reasons(&made, &TimeZone::system());
        let unreadable = unreadable.into_iter().map(|(path, _)| path).collect();
        let mut plan = Self {
            folder: folder.to_path_buf(),
            backups: backups.into_iter().zip(reasons).collect(),
            others,
            unreadable,
        };
        plan.keep_a_sound_one(console)?;
        Ok(plan)
    }

    /// Whether the backup at `path` is one of those that it knows.
    pub(crate) fn knows(&self, path: &Path) -> bool {
        self.backups.iter().any(|(backup, _)| backup.path.file_name() == path.file_name())
    }

    /// Sees to it that one of those that are kept is sound: reads them, the newest first, and then the others.
    fn keep_a_sound_one(&mut self, console: &Console) -> Result<()> {
        if self.backups.iter().all(|(_, reasons)| !reasons.is_empty()) {
            return Ok(());
        }
        let (kept, others): (Vec<usize>, Vec<usize>) =
            (0..self.backups.len()).partition(|at| !self.backups[*at].1.is_empty());
        for at in kept.into_iter().chain(others) {
            let (backup, reasons) = &mut self.backups[at];
            let Some(problem) = backups::problem(backup, console)? else {
                if reasons.is_empty() {
                    reasons.push(SOUND);
                }
                return Ok(());
            };
            console.message(Message::warning(backup.path.display().to_string(), format!("it is damaged: {problem}")));
        }
        Err(Error::new(ErrorKind::Archive, format!("remove old backups in {}", self.folder.display()))
            .why("none of them is sound")
            .hint("nothing was removed; make a backup first"))
    }

    /// Removes what is not kept, if that is asked for; what cannot be removed is named.
    ///
    /// # Errors
    /// The folder is gone; the end was asked for.
    pub(crate) fn carry_out(self, force: bool, console: &Console) -> Result<Pruned> {
        let removal = force.then(|| Removal::out_of(&self.folder, console)).transpose()?;
        let mut failed = 0;
        let mut backups = Vec::with_capacity(self.backups.len());
        for (backup, kept) in self.backups {
            let mut verdict = Verdict {
                file: backup.path.display().to_string(),
                made: backup.made.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
                bytes: backup.bytes,
                kept,
                error: None,
            };
            if let Some(removal) = removal.as_ref().filter(|_| verdict.kept.is_empty())
                && let Err(error) = remove(removal, &backup, console)
            {
                if error.kind() == ErrorKind::Interrupted {
                    return Err(error);
                }
                console.message(Message::new(Level::Error, "", error.to_string()));
                failed += 1;
                verdict.error = Some(error.to_string());
            }
            backups.push(verdict);
        }
        let unreadable = self.unreadable.iter().map(|path| path.display().to_string()).collect();
        Ok(Pruned { backups, other_databases: self.others, unreadable, failed })
    }
}

/// Whether a backup is this user's, root's or the folder's owner's: others who may write there could push the good ones out.
fn is_trusted(backup: &Backup, folder: &Path) -> bool {
    let trusted = [0, rustix::process::geteuid().as_raw()];
    trusted.contains(&backup.owner) || fs::metadata(folder).is_ok_and(|facts| facts.uid() == backup.owner)
}

/// Removes a backup, and the file with its checksum beside it.
fn remove(removal: &Removal, backup: &Backup, console: &Console) -> Result<()> {
    let Some(name) = backup.path.file_name() else { return Ok(()) };
    let checksum = with_suffix(&backup.path, ".sha256");
    let of_checksum =
        fs::symlink_metadata(&checksum).ok().filter(|facts| facts.is_file()).map(|facts| Stamp::of(&facts));
    removal.remove(name, backup.stamp, console)?;
    match (of_checksum, checksum.file_name()) {
        (Some(stamp), Some(beside)) if is_checksum_of(&checksum, name.as_encoded_bytes()) => {
            removal.remove(beside, stamp, console)
        }
        _ => Ok(()),
    }
}

/// Whether a file has the checksum of a file of this name, and nothing else, as `backup --sha256` writes it.
fn is_checksum_of(path: &Path, name: &[u8]) -> bool {
    const MOST: u64 = 4096;
    let mut text = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut text));
    let line = text.strip_suffix(b"\n").unwrap_or(&text);
    read.is_ok()
        && line.len() > 66
        && line[..64].iter().all(u8::is_ascii_hexdigit)
        && &line[64..66] == b"  "
        && &line[66..] == name
}

impl Pruned {
    /// How many were removed, or would be, and how large they are together.
    pub(crate) fn gone(&self) -> (u64, u64) {
        let gone = self.backups.iter().filter(|backup| backup.kept.is_empty() && backup.error.is_none());
        gone.fold((0, 0), |(number, bytes), backup| (number + 1, bytes + backup.bytes))
    }

    /// How many could not be removed.
    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    fn lines(&self, folder: &Path, force: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for backup in &self.backups {
            let what = match (&backup.error, backup.kept.is_empty(), force) {
                (Some(_), ..) => "failed".to_owned(),
                (None, true, true) => "removed".to_owned(),
                (None, true, false) => "remove".to_owned(),
                (None, false, _) => "keep".to_owned(),
            };
            let size = human(backup.bytes);
            let why = if backup.kept.is_empty() { String::new() } else { format!(" ({})", backup.kept.join(", ")) };
            lines.push(format!("{what:<7}  {}  {size:>10}  {}{why}", backup.made, backup.file));
        }
        let (number, bytes) = self.gone();
        let kept = self.backups.iter().filter(|backup| !backup.kept.is_empty()).count();
        let gone = if force { "removed" } else { "to be removed" };
        let mut parts = vec![format!("{kept} kept"), format!("{number} {gone} ({})", human(bytes))];
        let more = [
            (self.failed, "could not be removed"),
            (self.other_databases, "of other databases"),
            (self.unreadable.len(), "cannot be read"),
        ];
        parts.extend(more.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")));
        lines.push(format!("lifeboat: prune: {}: {}", folder.display(), parts.join(", ")));
        if !force && number > 0 {
            lines.push("lifeboat: nothing was removed: --force does it".to_owned());
        }
        lines
    }

    /// One line about it, for the report of a backup.
    pub(crate) fn line(&self) -> String {
        let (number, bytes) = self.gone();
        format!("pruned: {} ({})", counted(number, "older backup", "older backups"), human(bytes))
    }
}

/// Removes what is too old after a backup of a database: the folder is that of the backup at `path`.
///
/// # Errors
/// The backup is not known to be one of the database; something cannot be removed.
pub(crate) fn after_backup(path: &Path, origin: &Origin, policy: Policy, console: &Console) -> Result<Pruned> {
    let folder = crate::output::folder_of(path);
    let plan = Plan::new(&folder, origin, policy, console)?;
    if !plan.knows(path) {
        return Err(Error::new(ErrorKind::Refused, format!("remove old backups in {}", folder.display()))
            .why("the new backup is not known there as one of this database")
            .hint(
                "nothing was removed; of an SQLite database, a backup must have its name in its own (docs/CHECK.md)",
            ));
    }
    plan.carry_out(true, console)
}
