//! Puts a restored database into the place of the old one.
//!
//! A database can be several files, and no file system changes several names at once. What makes it one step all the same:
//!
//! - Nobody reads meanwhile: the old files are locked, and so is every file that gets the database's name. Whoever opens it
//!   waits, and then finds the old database with all that belongs to it, or the new one with nothing beside it.
//! - Whoever opened a file before it lost the name would go on with the wrong one. He is looked for after the renaming, when
//!   nobody can follow him, and if there is one, the old file gets its name back before anybody could read either.
//! - A name never goes from the old file to nothing: a second name is made for the old file, and the new one is renamed over
//!   the first. Where a file system has no second names (hard links), there is nothing under the name for a moment.
//! - Should the process be killed, the locks are gone. So the old database never stands without its log or journal, nor the
//!   new one with it: where they hold something, a [`StandIn`] that needs neither stands there while they move.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::in_use::Claim;
use super::locked_file::LockedFile;
use super::move_aside::{Move, MovePlan, move_set};
use super::stand_in::StandIn;
use crate::error::{Error, ErrorKind, Result};
use crate::output::{OutputFile, folder_of, io_error, sync_folder};

/// What is to be switched.
pub(super) struct Switch<'a> {
    /// The database.
    pub database: &'a Path,
    /// What for, to follow "could not".
    pub doing: &'a str,
    /// The hold on the old files.
    pub claim: &'a Claim,
    /// What stands in between, if something has to.
    pub stand_in: Option<&'a StandIn>,
}

impl Switch<'_> {
    /// Gives `new` the database's name, and the old files theirs. Gives its size, and what was moved.
    ///
    /// Fails, with everything as it was, if somebody has opened the database, or a file cannot be moved.
    pub fn carry_out(&self, new: OutputFile) -> Result<(u64, MovePlan)> {
        let held = hold(&new, LockedFile::locked, self.doing)?;
        new.commit_by(|staged| {
            let mut steps = Steps { folder: folder_of(self.database), done: Vec::new() };
            self.steps(staged, &held, &mut steps).map_err(|e| steps.undo(e))
        })
    }

    fn steps<'s>(&'s self, staged: &Path, held: &'s LockedFile, steps: &mut Steps<'s>) -> Result<MovePlan> {
        self.claim.check_same(self.doing)?;
        // Whoever can be found now need not be found when something is to be taken back.
        self.claim.check_unused(self.doing)?;
        let plan = MovePlan::new(self.database);
        for second in &plan.second_names {
            fs::remove_file(second).map_err(|e| io_error(format!("remove {}", second.display()), second, e))?;
        }
        steps.make_room(&plan.earlier)?;
        match (plan.database(), self.stand_in) {
            (None, _) => {
                steps.move_beside(plan.beside())?;
                steps.put_first(staged, self.database, self.doing)?;
            }
            (Some(old), None) => {
                steps.swap(staged, &old.from, &old.to, held)?;
                self.claim.check_unused(self.doing)?;
                steps.move_beside(plan.beside())?;
            }
            (Some(old), Some(stand_in)) => self.by_way_of(stand_in, old, staged, held, steps, plan.beside())?,
        }
        Ok(plan)
    }

    fn by_way_of<'s>(
        &'s self,
        stand_in: &'s StandIn,
        old: &Move,
        staged: &Path,
        held: &'s LockedFile,
        steps: &mut Steps<'s>,
        beside: Vec<Move>,
    ) -> Result<()> {
        steps.swap(&stand_in.path(), &old.from, &old.to, stand_in.held())?;
        self.claim.check_unused(self.doing)?;
        steps.move_beside(beside)?;
        if !stand_in.is_whole() {
            return steps.swap(staged, &old.from, &stand_in.path(), held);
        }
        // From here on the stand-in stays if something fails: it is the old database whole, and somebody may have opened it.
        steps.done.clear();
        let mut replaced = || {
            stand_in.check_unused(self.database, self.doing)?;
            steps.swap(staged, &old.from, &stand_in.path(), held)?;
            stand_in.check_unused(self.database, self.doing)
        };
        replaced().map_err(|e: Error| e.hint(stand_in.stays(&old.to)))
    }
}

/// Locks a file of ours that will get the database's name, in the manner of `how`.
pub(super) fn hold(
    file: &OutputFile,
    how: fn(File) -> io::Result<Option<LockedFile>>,
    doing: &str,
) -> Result<LockedFile> {
    let path = &file.temporary_path();
    let held = file.file().try_clone().and_then(how).map_err(|e| io_error(doing, path, e))?;
    held.ok_or_else(|| {
        Error::new(ErrorKind::Refused, doing)
            .why(format!("another process has locked {}, which nobody but lifeboat should know of", path.display()))
    })
}

enum Step<'a> {
    /// Files were moved that make no difference to what has the database's name.
    Moved(Vec<Move>),
    /// A file took the place of another one, which is kept under a second name.
    Swapped { name: PathBuf, kept: PathBuf, put: &'a LockedFile },
}

/// What was done so far.
struct Steps<'a> {
    folder: PathBuf,
    done: Vec<Step<'a>>,
}

impl<'a> Steps<'a> {
    fn make_room(&mut self, earlier: &[Move]) -> Result<()> {
        self.done.push(Step::Moved(earlier.to_vec()));
        move_set(earlier, &self.folder)
    }

    /// Moves files beside a database that does not need them.
    fn move_beside(&mut self, beside: Vec<Move>) -> Result<()> {
        for m in beside {
            fs::rename(&m.from, &m.to).map_err(|e| m.failed(e))?;
            self.done.push(Step::Moved(vec![m]));
        }
        sync_folder(&self.folder)
    }

    /// Renames `new` to `name`, where there is nothing yet.
    fn put_first(&mut self, new: &Path, name: &Path, doing: &str) -> Result<()> {
        rename_to_free(new, name).map_err(|e| match e.kind() {
            io::ErrorKind::AlreadyExists => Error::new(ErrorKind::Refused, doing)
                .why(format!("{} was made meanwhile", name.display()))
                .hint("stop the application, and try again; nothing was changed"),
            _ => io_error(format!("finish the file {}", name.display()), name, e),
        })?;
        sync_folder(&self.folder)
    }

    /// Puts `new` into the place of the file that is called `name`, which is called `keep` from now on.
    fn swap(&mut self, new: &Path, name: &Path, keep: &Path, put: &'a LockedFile) -> Result<()> {
        let m = Move { from: name.to_path_buf(), to: keep.to_path_buf(), suffix: "" };
        match fs::hard_link(name, keep) {
            Ok(()) => {
                // The second name lasts before the first one goes.
                sync_folder(&self.folder)?;
                fs::rename(new, name).or_else(|e| fs::remove_file(keep).and(Err(e)))
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(e),
            Err(_) => rename_to_free(name, keep)
                .and_then(|()| rename_to_free(new, name).or_else(|e| fs::rename(keep, name).and(Err(e)))),
        }
        .map_err(|e| m.failed(e))?;
        self.done.push(Step::Swapped { name: m.from, kept: m.to, put });
        sync_folder(&self.folder)
    }

    /// Takes back what was done, last things first. Gives the error that led here, with what to do if that fails.
    fn undo(&mut self, error: Error) -> Error {
        let mut last = Ok(());
        while let Some(step) = self.done.pop() {
            last = step.take_back(&self.folder);
            if last.is_err() {
                self.done.push(step);
                break;
            }
        }
        match last {
            Ok(()) => error,
            Err(e) => error.hint(format!("{e}; stop the application, then move back by hand: {}", self.left())),
        }
    }

    fn left(&self) -> String {
        let back = |m: &Move| format!("{} to {}", m.to.display(), m.from.display());
        let left = self.done.iter().rev().flat_map(|step| match step {
            Step::Moved(moves) => moves.iter().map(back).collect(),
            Step::Swapped { name, kept, .. } => vec![format!("{} to {}", kept.display(), name.display())],
        });
        left.collect::<Vec<_>>().join(", ")
    }
}

impl Step<'_> {
    fn take_back(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Moved(moves) => {
                let back: Vec<Move> =
                    moves.iter().map(Move::back).filter(|m| fs::symlink_metadata(&m.from).is_ok()).collect();
                move_set(&back, folder)
            }
            Self::Swapped { name, kept, put } => {
                fs::rename(kept, name).map_err(|e| io_error(format!("put {} back", name.display()), kept, e))?;
                sync_folder(folder)?;
                // Whoever has opened it while it had the name shall not take it for the database.
                put.spoil().map_err(|e| io_error(format!("spoil what {} was for a moment", name.display()), name, e))
            }
        }
    }
}

/// Renames a file to a name that nothing has. Where the file system cannot see to that itself, it is looked at before.
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::EXIST) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) if fs::symlink_metadata(to).is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}
