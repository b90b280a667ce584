//! Moving a database aside, with everything that belongs to it, so that it can be moved back.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::sidecars::SIDECARS;
use crate::error::{Error, Result};
use crate::output::{folder_of, io_error, leftovers, sync_folder, with_suffix};

/// What is put after the name of a database that was moved aside.
const ASIDE: &str = ".pre-restore-bak";

/// The endings of the files of one database: its own, which is none, and those that SQLite keeps beside it.
pub const SUFFIXES: [&str; 4] = ["", SIDECARS[0], SIDECARS[1], SIDECARS[2]];

/// One file's old and new name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Move {
    /// What it was called.
    pub from: PathBuf,
    /// What it is called now.
    pub to: PathBuf,
    /// Which file of the set it is: one of [`SUFFIXES`].
    pub suffix: &'static str,
}

impl Move {
    /// The same move back.
    pub fn back(&self) -> Self {
        Self { from: self.to.clone(), to: self.from.clone(), suffix: self.suffix }
    }

    /// The error of a move that failed.
    pub(super) fn failed(&self, error: io::Error) -> Error {
        io_error(format!("move {} to {}", self.from.display(), self.to.display()), &self.from, error)
    }
}

/// What moving a database aside comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovePlan {
    /// An earlier set that was moved aside and makes room, under a number.
    pub earlier: Vec<Move>,
    /// The database's own files.
    pub current: Vec<Move>,
    /// Second names of the database itself, which a restore that was broken off has given it.
    pub second_names: Vec<PathBuf>,
}

impl MovePlan {
    /// Looks at what is there.
    pub fn new(database: &Path) -> Self {
        let aside = with_suffix(database, ASIDE);
        let current = moves(database, &aside);
        let candidates = std::iter::once(aside.clone()).chain(leftovers(database));
        let second_names: Vec<PathBuf> = candidates.filter(|other| same_file(database, other)).collect();
        if second_names.contains(&aside) {
            return Self { earlier: Vec::new(), current, second_names };
        }
        let earlier = if existing(&aside).next().is_some() {
            let numbered = with_suffix(&aside, &format!(".{}", free_number(&aside)));
            moves(&aside, &numbered)
        } else {
            Vec::new()
        };
        Self { earlier, current, second_names }
    }

    /// The move of the database itself, if it is there.
    pub fn database(&self) -> Option<&Move> {
        self.current.iter().find(|m| m.suffix.is_empty())
    }

    /// The moves of the files beside it.
    pub fn beside(&self) -> Vec<Move> {
        self.current.iter().filter(|m| !m.suffix.is_empty()).cloned().collect()
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| fs::symlink_metadata(path).map(|m| (m.dev(), m.ino())).ok();
    id(one).is_some() && id(one) == id(other)
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

/// Moves the files of one database that nobody uses.
///
/// The files beside it get their new names while they keep the old ones; then the database is renamed, and with that the
/// new set is complete and the old one no database any more; then the old names go.
pub(super) fn move_set(set: &[Move], folder: &Path) -> Result<()> {
    if set.is_empty() {
        return Ok(());
    }
    let (database, beside): (Vec<&Move>, Vec<&Move>) = set.iter().partition(|m| m.suffix.is_empty());
    let linked = link_all(&beside)?;
    if linked {
        sync_folder(folder)?;
    }
    for m in database {
        fs::rename(&m.from, &m.to).map_err(|e| m.failed(e))?;
    }
    sync_folder(folder)?;
    for m in beside {
        if linked {
            fs::remove_file(&m.from).map_err(|e| m.failed(e))?;
        } else {
            fs::rename(&m.from, &m.to).map_err(|e| m.failed(e))?;
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

    fn carry_out(database: &Path) {
        let plan = MovePlan::new(database);
        move_set(&plan.earlier, &folder_of(database)).unwrap();
        move_set(&plan.current, &folder_of(database)).unwrap();
    }

    #[test]
    fn a_set_moves_together() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &["a.db", "a.db-wal", "a.db-shm", "other"]);
        let plan = MovePlan::new(&folder.path().join("a.db"));
        move_set(&plan.current, folder.path()).unwrap();
        let expected = ["a.db.pre-restore-bak", "a.db.pre-restore-bak-shm", "a.db.pre-restore-bak-wal", "other"];
        assert_eq!(names(folder.path()), expected);
        let back: Vec<Move> = plan.current.iter().map(Move::back).collect();
        move_set(&back, folder.path()).unwrap();
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
            carry_out(&database);
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
        carry_out(&folder.path().join("a.db"));
        assert_eq!(names(folder.path()), ["a.db.pre-restore-bak-wal"]);
    }

    #[test]
    fn a_database_named_like_a_log_is_still_the_database() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &["a-wal", "a-wal-wal"]);
        carry_out(&folder.path().join("a-wal"));
        assert_eq!(names(folder.path()), ["a-wal.pre-restore-bak", "a-wal.pre-restore-bak-wal"]);
    }

    #[test]
    fn a_second_name_is_no_earlier_set() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), &["a.db"]);
        let (database, aside) = (folder.path().join("a.db"), folder.path().join("a.db.pre-restore-bak"));
        fs::hard_link(&database, &aside).unwrap();
        let plan = MovePlan::new(&database);
        assert_eq!((plan.earlier, plan.second_names), (vec![], vec![aside]));
    }
}
