//! What must not outlive a run that is broken off: unfinished files and scratch folders.
//!
//! One lock guards both the list of them and the short steps that make a result appear. So a signal finds the run either
//! before such a step or after it, and whoever is told to clean up never races with a rename.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

static PENDING: Mutex<Vec<(u64, Pending)>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// How long everything may take in all that is to be done when a signal ends the process. A server can take for ever.
const TIME: Duration = Duration::from_secs(10);
static END: OnceLock<Instant> = OnceLock::new();

enum Pending {
    Quick(Box<dyn FnOnce() + Send>),
    Folder(PathBuf),
    Other(Box<dyn FnOnce() + Send>),
    Words(Box<dyn FnOnce() -> String + Send>),
    Whole(Box<dyn FnOnce() -> String + Send>),
}

/// Keeps something on the list of what is done away with when a signal ends the process. Dropping it takes it off the list
/// and does nothing else.
#[derive(Debug)]
pub struct Registration(u64);

impl Registration {
    /// Puts an unfinished file, or what else takes no time, on the list: `remove` does away with it. It must not use a
    /// [`Registration`].
    pub fn quick(remove: impl FnOnce() + Send + 'static) -> Self {
        Self::add(Pending::Quick(Box::new(remove)))
    }

    /// Makes a scratch folder that is on the list, with everything in it, as soon as it is there.
    ///
    /// # Errors
    /// What `make` fails with. It must not use a [`Registration`].
    pub fn folder<F: AsRef<Path>, E>(make: impl FnOnce() -> Result<F, E>) -> Result<(F, Self), E> {
        let mut list = lock();
        let folder = make()?;
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        list.push((id, Pending::Folder(folder.as_ref().to_path_buf())));
        Ok((folder, Self(id)))
    }

    /// Puts something else on the list: `remove` does away with it, by the [`deadline`]. It must not use a [`Registration`].
    pub fn other(remove: impl FnOnce() + Send + 'static) -> Self {
        Self::add(Pending::Other(Box::new(remove)))
    }

    /// Puts the end of some work on the list: `end` sees to it, by the [`deadline`], and says what state it leaves, for a
    /// person. It must not use a [`Registration`].
    pub fn last_words(end: impl FnOnce() -> String + Send + 'static) -> Self {
        Self::add(Pending::Words(Box::new(end)))
    }

    /// As [`Registration::last_words`], of work that everything which is put on the list after it is a part of: `end` ends
    /// that too, and speaks for it. Files and folders are removed all the same.
    pub fn last_words_for_all(end: impl FnOnce() -> String + Send + 'static) -> Self {
        Self::add(Pending::Whole(Box::new(end)))
    }

    fn add(pending: Pending) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        lock().push((id, pending));
        Self(id)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        lock().retain(|(id, _)| *id != self.0);
    }
}

fn lock() -> MutexGuard<'static, Vec<(u64, Pending)>> {
    PENDING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the process ends, once a signal has asked for that: what is put on the list has until then, all of it together.
pub fn deadline() -> Instant {
    *END.get_or_init(|| Instant::now() + TIME)
}

/// Runs a few quick steps that a signal must not part. They must not use a [`Registration`].
pub fn uninterrupted<T>(steps: impl FnOnce() -> T) -> T {
    let _held = lock();
    steps()
}

/// Removes everything on the list, then calls `leave` with what there is to say about the state that is left. It is expected
/// to end the process: until it returns, no other thread can make a result appear.
pub fn remove_all_then(leave: impl FnOnce(&[String])) {
    deadline();
    let mut list = lock();
    let mut words = Vec::new();
    let (mut folders, mut later) = (Vec::new(), Vec::new());
    // What takes no time comes first. There is nobody left to tell about a file that cannot be removed, and the rest must go
    // all the same.
    for (_, pending) in list.drain(..) {
        match pending {
            Pending::Quick(remove) => remove(),
            Pending::Folder(path) => {
                let _ = fs::remove_dir_all(&path);
                folders.push(path);
            }
            other => later.push(other),
        }
    }
    if let Some(at) = later.iter().position(|pending| matches!(pending, Pending::Whole(_))) {
        later.truncate(at + 1);
    }
    for pending in later {
        match pending {
            Pending::Other(remove) => remove(),
            Pending::Words(end) | Pending::Whole(end) => words.push(end()),
            Pending::Quick(_) | Pending::Folder(_) => {}
        }
    }
    // Other threads went on meanwhile, and may have put something there.
    for path in folders {
        let _ = fs::remove_dir_all(path);
    }
    leave(&words);
}

/// `path` with `suffix` put after its last letter: `app.db` and `-wal` make `app.db-wal`.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}
