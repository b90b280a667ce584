//! Locks on a file that last until they are given up.
//!
//! SQLite locks bytes of its files with POSIX locks. Those belong to a process, which loses them all when it closes any
//! descriptor of the file. Locks of the open file description (OFD) conflict with them in the same way, and end with the
//! one descriptor that they were taken through.

use std::fs::File;
use std::io;

/// Locks all of `file`, which must be open for writing, against every other process, until it and its clones are closed.
/// Gives false if another process has a lock on any byte of it.
pub(super) fn lock_all(file: &File) -> io::Result<bool> {
    match try_lock(file) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::PermissionDenied) => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn try_lock(file: &File) -> io::Result<()> {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    // From the first byte, of no length: to the end, however far that moves.
    let all = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&all)).map(drop).map_err(io::Error::from)
}

/// Elsewhere there are POSIX locks only: a file that is locked must not be opened and closed a second time.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn try_lock(file: &File) -> io::Result<()> {
    Ok(rustix::fs::fcntl_lock(file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?)
}
