//! Who opens a file? The kernel tells, of every process on the machine: of other users and in other containers, too.

use std::fs::File;
use std::io;

/// Watches a file from its making on.
#[derive(Debug)]
pub(super) struct Watch {
    #[cfg(target_os = "linux")]
    inotify: rustix::fd::OwnedFd,
    #[cfg(target_os = "linux")]
    open: std::cell::Cell<i64>,
}

#[cfg(target_os = "linux")]
impl Watch {
    /// Begins to watch `file`. Fails if this user watches as much as he may.
    pub fn new(file: &File) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

        let inotify = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        // By its descriptor, because another file may have got its name. Equal events in a row count as one, so those
        // that part two openings are wanted, too: whoever opens a database reads its header.
        let events = WatchFlags::OPEN | WatchFlags::CLOSE | WatchFlags::ACCESS | WatchFlags::MODIFY;
        add_watch(&inotify, format!("/proc/self/fd/{}", file.as_raw_fd()), events)?;
        Ok(Self { inotify, open: std::cell::Cell::new(0) })
    }

    /// Whether somebody has opened the file since, and not closed it again. It is the case, too, where it was opened so
    /// often that the kernel lost count.
    pub fn is_open(&self) -> io::Result<bool> {
        use rustix::fs::inotify::{ReadFlags, Reader};

        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; 4096];
        let mut reader = Reader::new(&self.inotify, &mut buffer);
        loop {
            let events = match reader.next() {
                Ok(event) => event.events(),
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(self.open.get() > 0),
                Err(rustix::io::Errno::INTR) => continue,
                Err(e) => return Err(e.into()),
            };
            if events.contains(ReadFlags::QUEUE_OVERFLOW) {
                self.open.set(i64::from(u32::MAX));
            } else if events.contains(ReadFlags::OPEN) {
                self.open.set(self.open.get() + 1);
            } else if events.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE) {
                // Who had opened it before is not counted, and must not make up for another one.
                self.open.set((self.open.get() - 1).max(0));
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    pub fn new(_: &File) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn is_open(&self) -> io::Result<bool> {
        Ok(false)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn openings_and_closings_are_seen_and_ones_own_reads_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        std::fs::write(&path, "text").unwrap();
        let earlier = File::open(&path).unwrap();
        let watch = Watch::new(&earlier).unwrap();
        io::read_to_string(&earlier).unwrap();
        assert!(!watch.is_open().unwrap());
        drop(File::open(&path).unwrap());
        drop(earlier);
        let again = File::open(&path).unwrap();
        assert!(watch.is_open().unwrap(), "the end of what was open before is no end of this");
        drop(again);
        assert!(!watch.is_open().unwrap());
        // By another name, after its own has gone to another file.
        let moved = folder.path().join("b.db");
        std::fs::rename(&path, &moved).unwrap();
        std::fs::write(&path, "another").unwrap();
        assert!(!watch.is_open().unwrap());
        let later = File::open(&moved).unwrap();
        assert!(watch.is_open().unwrap());
        assert!(watch.is_open().unwrap());
        drop(later);
        assert!(!watch.is_open().unwrap());
        for _ in 0..20_000 {
            File::open(&moved).unwrap();
        }
        assert!(watch.is_open().unwrap(), "the count was lost");
    }
}
