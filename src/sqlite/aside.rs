//! Moving a database aside, with everything that belongs to it, so that it can be moved back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::SIDECARS;
use crate::cleanup::with_suffix;
use crate::error::Result;
use crate::output::{folder_of, io_error, sync_folder};

/// What is put after the name of a database that was moved aside.
const ASIDE: &str = ".pre-restore-bak";

/// The endings of the files of one database: its own, which is none, and those that SQLite keeps beside it.
pub const SUFFIXES: [&str; 4] = ["", SIDECARS[0], SIDECARS[1], SIDECARS[2]];

/// One file's old and new name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// What it was called.
    pub from: PathBuf,
    /// What it is called now.
    pub to: PathBuf,
    /// Which file of the set it is: one of [`SUFFIXES`].
    pub suffix: &'static str,
}

/// What moving a database aside comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// An earlier set that was moved aside and makes room, under a number.
    pub earlier: Vec<Move>,
    /// The database's own files.
    pub current: Vec<Move>,
    folder: PathBuf,
}

impl Plan {
    /// Looks at what is there.
    pub fn new(database: &Path) -> Self {
        let aside = with_suffix(database, ASIDE);
        let earlier = if existing(&aside).next().is_some() {
            let numbered = with_suffix(&aside, &format!(".{}", free_number(&aside)));
            moves(&aside, &numbered)
        } else {
            Vec::new()
        };
        Self { earlier, current: moves(database, &aside), folder: folder_of(database) }
    }

    /// Moves the files. At every moment, and whatever ends the process, each set is complete under its old name or under
    /// its new one.
    pub fn carry_out(&self) -> Result<()> {
        move_set(&self.earlier, &self.folder)?;
        move_set(&self.current, &self.folder)
    }

    /// Moves the database's own files back; for when what was to take their place did not come.
    pub fn undo(&self) -> Result<()> {
        let back: Vec<Move> = self
            .current
            .iter()
            .filter(|m| fs::symlink_metadata(&m.to).is_ok())
            .map(|m| Move { from: m.to.clone(), to: m.from.clone(), suffix: m.suffix })
            .collect();
        move_set(&back, &self.folder)
    }
}

fn existing(base: &Path) -> impl Iterator<Item = &'static str> + '_ {
    SUFFIXES.into_iter().filter(|suffix| fs::symlink_metadata(with_suffix(base, suffix)).is_ok())
}

fn moves(from: &Path, to: &Path) -> Vec<Move> {
    existing(from).map(|suffix| Move { from: with_suffix(from, suffix), to: with_suffix(to, suffix), suffix }).collect()
}

/// The number after the highest that is used, so that a higher number means later.
fn free_number(aside: &Path) -> u64 {
    let prefix = match aside.file_name() {
        Some(name) => format!("{}.", name.to_string_lossy()),
        None => return 1,
    };
    let Ok(entries) = fs::read_dir(folder_of(aside)) else { return 1 };
    let highest = entries
        .filter_map(|entry| entry.ok())
        .filter_map(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let rest = name.strip_prefix(&prefix)?;
            let digits = rest.split('-').next()?;
            digits.parse::<u64>().ok()
        })
        .max();
    highest.map_or(1, |n| n.saturating_add(1))
}

/// Moves the files of one database.
///
/// The files beside it get their new names while they keep the old ones; then the database is renamed, and with that the
/// new set is complete and the old one no database any more; then the old names go.
fn move_set(set: &[Move], folder: &Path) -> Result<()> {
    let failed =
        |m: &Move, e: io::Error| io_error(format!("move {} to {}", m.from.display(), m.to.display()), &m.from, e);
    if set.is_empty() {
        return Ok(());
    }
    let (database, beside): (Vec<&Move>, Vec<&Move>) = set.iter().partition(|m| m.suffix.is_empty());
    let linked = link_all(&beside)?;
    if linked {
        sync_folder(folder)?;
    }
    for m in database {
        fs::rename(&m.from, &m.to).map_err(|e| failed(m, e))?;
    }
    sync_folder(folder)?;
    for m in beside {
        if linked {
            fs::remove_file(&m.from).map_err(|e| failed(m, e))?;
        } else {
            fs::rename(&m.from, &m.to).map_err(|e| failed(m, e))?;
        }
    }
    sync_folder(folder)
}

/// Gives each file its new name as a second one. Gives false, and leaves nothing of it, where the file system has no hard
/// links (FAT, some network file systems): there the database has to go first and the rest follows.
fn link_all(moves: &[&Move]) -> Result<bool> {
    for (done, m) in moves.iter().enumerate() {
        if fs::hard_link(&m.from, &m.to).is_err() {
            for made in moves.iter().take(done) {
                fs::remove_file(&made.to)
                    .map_err(|e| io_error(format!("remove {}", made.to.display()), &made.to, e))?;
            }
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn put(folder: &Path, names: &[&str]) {
        for name in names {
            fs::write(folder.join(name), name).unwrap();
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_set_moves_together() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &["a.db", "a.db-wal", "a.db-shm", "other"]);
        let plan = Plan::new(&folder.path().join("a.db"));
        plan.carry_out().unwrap();
        let expected = ["a.db.pre-restore-bak", "a.db.pre-restore-bak-shm", "a.db.pre-restore-bak-wal", "other"];
        assert_eq!(names(folder.path()), expected);
        plan.undo().unwrap();
        assert_eq!(names(folder.path()), ["a.db", "a.db-shm", "a.db-wal", "other"]);
        assert_eq!(fs::read(folder.path().join("a.db-wal")).unwrap(), b"a.db-wal");
    }

    #[test]
    fn earlier_sets_are_kept_under_rising_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        for round in ["one", "two", "three"] {
            fs::write(&database, round).unwrap();
            fs::write(folder.path().join("a.db-wal"), round).unwrap();
            Plan::new(&database).carry_out().unwrap();
        }
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("a.db.pre-restore-bak.1"), "one");
        assert_eq!(read("a.db.pre-restore-bak.2-wal"), "two");
        assert_eq!(read("a.db.pre-restore-bak"), "three");
        assert_eq!(names(folder.path()).len(), 6);
    }

    #[test]
    fn a_log_without_its_database_moves_too() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &["a.db-wal"]);
        Plan::new(&folder.path().join("a.db")).carry_out().unwrap();
        assert_eq!(names(folder.path()), ["a.db.pre-restore-bak-wal"]);
    }

    #[test]
    fn a_database_named_like_a_log_is_still_the_database() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &["a-wal", "a-wal-wal"]);
        Plan::new(&folder.path().join("a-wal")).carry_out().unwrap();
        assert_eq!(names(folder.path()), ["a-wal.pre-restore-bak", "a-wal.pre-restore-bak-wal"]);
    }
}
