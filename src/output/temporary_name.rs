//! The temporary name of a file in the making, and who it belongs to.
//!
//! The name says which process made it, for people; programs must not believe it, because numbers of processes come again and
//! differ between containers. What counts is a lock on the file that ends with the process, however it ends. There are file
//! systems on which another machine does not see that lock, so the name also says which run of which machine it is of.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::capabilities::Publish;
use super::folder::{Folder, id_of};
use crate::cancellation::{Cancellation, Registration};

/// What a name has at its end while its file is unfinished, and after the name that the file will get.
const UNFINISHED: &str = ".part";
const OURS: &str = ".lifeboat-";
/// How many letters are in a name that stand for the machine, and how many of chance.
const MACHINE: usize = 4;
const CHANCE: usize = 8;
/// How much of the name that a file will get is in its temporary one: a name has 255 bytes at most, and SQLite adds to it.
const STEM: usize = 100;
/// How often a name is tried that another run takes away at once.
pub(super) const ATTEMPTS: u32 = 5;
/// What SQLite puts beside a file.
const BESIDE: [&str; 3] = ["-journal", "-wal", "-shm"];
/// Where the byte is that is locked: where no file has one, and SQLite locks nothing.
const LOCKED: i64 = 1 << 62;

/// A temporary name, which goes away with this value, and with the process.
#[derive(Debug)]
pub(super) struct TemporaryName {
    folder: Arc<Folder>,
    pub(super) name: OsString,
    is_kept: bool,
    /// Whether the file system tells files apart, so that it can be seen whether the name is still that of the file.
    tells_apart: bool,
    _registration: Registration,
}

impl TemporaryName {
    /// Makes a file under a temporary name that says that it will be called `name`.
    pub(super) fn create(folder: &Arc<Folder>, name: &OsStr, cancellation: &Cancellation) -> io::Result<(File, Self)> {
        let mut attempts = 0..ATTEMPTS;
        loop {
            let mut part = Self::new(folder, temporary(name), cancellation).map_err(io::Error::other)?;
            let file = match folder.create(&part.name) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                    part.forget();
                    continue;
                }
                made => made?,
            };
            let is_another_s = hold(&file) == Holder::Another;
            part.tells_apart = part.is_named(&file);
            // Before the lock was there, another run may have taken it for one that was left. Not so many times in turn.
            if attempts.next().is_none() || (!is_another_s && part.tells_apart) {
                return Ok((file, part));
            }
        }
    }

    fn new(folder: &Arc<Folder>, name: OsString, cancellation: &Cancellation) -> crate::Result<Self> {
        let (at, its) = (Arc::clone(folder), name.clone());
        let registration = cancellation.quick(move || remove(&at, &its))?;
        let folder = Arc::clone(folder);
        Ok(Self { folder, name, is_kept: false, tells_apart: true, _registration: registration })
    }

    /// Where it is now, without symbolic links.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.real_path().join(&self.name)
    }

    /// Whether it is still the name of `file`, as far as can be seen.
    pub(super) fn is_of(&self, file: &File) -> bool {
        !self.tells_apart || self.is_named(file)
    }

    fn is_named(&self, file: &File) -> bool {
        let file = rustix::fs::fstat(file).ok();
        let named = self.folder.stat(&self.name).ok().flatten();
        file.zip(named).is_some_and(|(file, named)| id_of(&file) == id_of(&named))
    }

    /// Whether its name in capital letters is its name, too.
    pub(super) fn is_any_case(&self) -> bool {
        let capitals = self.name.to_string_lossy().to_uppercase();
        let [one, other] = [&self.name, &OsString::from(capitals)].map(|name| self.folder.stat(name).ok().flatten());
        one.zip(other).is_some_and(|(one, other)| id_of(&one) == id_of(&other))
    }

    /// Gives its file the name `name`. Its own name goes with that, or when this is dropped.
    pub(super) fn publish(&self, name: &OsStr, publish: Publish) -> io::Result<()> {
        match publish {
            Publish::RenameNew => self.folder.rename_new(&self.name, name),
            Publish::Link => self.folder.link(&self.name, name),
            Publish::CheckThenRename if self.folder.stat(name)?.is_some() => Err(io::ErrorKind::AlreadyExists.into()),
            Publish::CheckThenRename | Publish::Rename => self.folder.rename(&self.name, name),
        }
    }

    /// For when the name is another file's, or nobody's any more.
    pub(super) fn forget(mut self) {
        self.is_kept = true;
    }
}

impl Drop for TemporaryName {
    fn drop(&mut self) {
        if !self.is_kept {
            remove(&self.folder, &self.name);
        }
    }
}

/// Removes an unfinished file, and what SQLite has put beside it. The error that led here matters more than one of this.
fn remove(folder: &Folder, name: &OsStr) {
    let _ = folder.remove(name);
    for suffix in BESIDE {
        let mut beside = name.to_owned();
        beside.push(suffix);
        let _ = folder.remove(&beside);
    }
}

/// Gives a file without a name a temporary one, which the caller takes away. For the short steps that no signal parts: a
/// [`TemporaryName`] must not be made there.
pub(super) fn link(file: &File, folder: &Folder, name: &OsStr) -> io::Result<OsString> {
    loop {
        let made = temporary(name);
        match folder.link_open(file, &made) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            done => return done.map(|()| made),
        }
    }
}

/// Who holds a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// This process, now.
    Ours,
    /// Somebody else.
    Another,
    /// The file system knows no locks.
    Unknown,
}

/// Locks `file` for as long as it is open here. The lock is the open file's and not the process's, so that SQLite, which closes
/// other descriptors of the file, does not end it, and is not kept out by it.
pub(super) fn hold(file: &File) -> Holder {
    let lock = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: LOCKED,
        l_len: 1,
        l_pid: 0,
    };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&lock)) {
        Ok(_) => Holder::Ours,
        Err(nix::Error::EAGAIN | nix::Error::EACCES) => Holder::Another,
        Err(_) => Holder::Unknown,
    }
}

/// A new temporary name of a file that will be called `name`.
pub(super) fn temporary(name: &OsStr) -> OsString {
    let begin = beginning(name);
    let number = RandomState::new().hash_one(std::time::UNIX_EPOCH.elapsed().unwrap_or_default());
    let (machine, chance) = (machine(), letters(number, CHANCE));
    format!("{begin}{}-{machine}{chance}{UNFINISHED}", std::process::id()).into()
}

/// What all temporary names of a file that will be called `name` begin with.
pub(super) fn beginning(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let mut length = name.len().min(STEM);
    while !name.is_char_boundary(length) {
        length -= 1;
    }
    format!(".{}{OURS}", name.get(..length).unwrap_or_default())
}

/// Letters that stand for this machine since it was started, the same in all its containers.
fn machine() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    letters(id.bytes().fold(0, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into())), MACHINE)
}

fn letters(mut number: u64, count: usize) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    let mut letter = || {
        let letter = LETTERS.get((number % 32) as usize).copied().unwrap_or(b'a');
        number /= 32;
        char::from(letter)
    };
    (0..count).map(|_| letter()).collect()
}

/// Whether the file of this temporary name was made on this machine since it was started.
pub(super) fn is_of_this_machine(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let made = name.rsplit_once(OURS).and_then(|(_, rest)| rest.split_once('-'));
    made.is_some_and(|(_, letters)| letters.starts_with(&machine()))
}

/// Whether `name` is a temporary one, or one that SQLite put beside such a file: then the name of that file.
pub(super) fn unfinished(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    let base = BESIDE.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    let (_, rest) = base.strip_suffix(UNFINISHED)?.strip_prefix('.')?.rsplit_once(OURS)?;
    let (process, chance) = rest.split_once('-')?;
    let is_ours = process.parse::<u32>().is_ok()
        && chance.len() == MACHINE + CHANCE
        && chance.bytes().all(|b| b.is_ascii_alphanumeric());
    is_ours.then_some(base)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_known_again_and_no_others() {
        for name in ["a", "app.db", &"é".repeat(127), "x.lifeboat-1-aaaaaaaaaaaa.part"] {
            let made = temporary(OsStr::new(name));
            assert!(made.len() <= 160, "{made:?}");
            assert_eq!(unfinished(&made), made.to_str());
            let mut beside = made.clone();
            beside.push("-journal");
            assert_eq!(unfinished(&beside), made.to_str());
        }
        for other in [
            "a",
            ".part",
            ".a.part",
            ".a.lifeboat-.part",
            ".a.lifeboat-12-abc.part",
            ".a.lifeboat-x-abcdefghijkl.part",
            "a.lifeboat-1-abcdefghijkl.part",
        ] {
            assert_eq!(unfinished(OsStr::new(other)), None, "{other}");
        }
    }
}
