//! A folder that is there, is empty, and stays as it is: it may be one in which others look, that has a mode or an owner for a
//! reason, at which something is mounted, or beside which nothing can be made.
//!
//! The new one is made in it, and its files are moved up when all of them are on disk; that with the table of contents comes last,
//! so that there is no archive before all of it is there.

use std::ffi::{OsStr, OsString};
use std::io;

use super::Flush;
use super::folder::Folder;
use super::temporary_folder::CONTENTS;

/// Moves the files of `part`, which is called `name` in `home`, to that, and removes `part`. On failure nothing is left in `home`
/// that was not there before, as far as that can be.
pub(super) fn move_up(part: &Folder, home: &Folder, name: &OsStr, flush: Flush) -> io::Result<()> {
    let mut moved = Vec::new();
    let done = move_all(part, home, flush, &mut moved);
    if done.is_err() {
        // The first error is the one to be told.
        for name in moved {
            let _ = home.remove(&name);
        }
        return done;
    }
    home.remove_folder(name)
}

fn move_all(part: &Folder, home: &Folder, flush: Flush, moved: &mut Vec<OsString>) -> io::Result<()> {
    let mut move_one = |name: &OsStr| {
        if home.stat(name)?.is_some() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        part.move_to(home, name)?;
        moved.push(name.to_owned());
        Ok(())
    };
    // What is moved while a folder is read may hide from that.
    loop {
        let mut some = Ok(false);
        part.each_name(|name| {
            if some.is_ok() && name != CONTENTS && name != "." && name != ".." {
                some = move_one(name).map(|()| true);
            }
        })?;
        if !some? {
            break;
        }
    }
    if flush != Flush::Nothing {
        home.flush()?;
    }
    move_one(OsStr::new(CONTENTS))
}

/// Whether there is nothing in the folder but what is called `name`.
pub(super) fn is_empty_but_for(home: &Folder, name: &OsStr) -> io::Result<bool> {
    let mut is_empty = true;
    home.each_name(|found| is_empty &= found == "." || found == ".." || found == name)?;
    Ok(is_empty)
}
