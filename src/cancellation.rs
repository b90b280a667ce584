//! Ending work on request: the unfinished files and scratch folders that must not outlive it, and what it has others do.
//!
//! One lock guards both the list of them and the short steps that make a result appear. So the end comes either before such
//! a step or after it, and whoever is told to clean up never races with a rename.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};

/// Ends work on request. The caller makes one, has his [`Reporter`](crate::progress::Reporter) give it to the work, and
/// keeps a clone to end the work by, from another thread. What has another one is not touched.
#[derive(Clone, Default)]
pub struct Cancellation(Option<Arc<Mutex<List>>>);

static NEVER: Cancellation = Cancellation(None);

#[derive(Default)]
struct List {
    pending: Vec<(u64, Pending)>,
    next: u64,
    is_cancelled: bool,
}

enum Pending {
    Quick(Box<dyn FnOnce() + Send>),
    Folder(PathBuf),
    Other(Box<dyn FnOnce(Instant) + Send>),
    Words(Box<dyn FnOnce(Instant) -> String + Send>),
    Whole(Box<dyn FnOnce(Instant) -> String + Send>),
}

/// Keeps something on the list of what is done away with at an end on request. Dropping it takes it off the list and does
/// nothing else.
pub struct Registration(Option<(u64, Arc<Mutex<List>>)>);

impl Cancellation {
    /// One by which nothing was ended yet.
    pub fn new() -> Self {
        Self(Some(Arc::default()))
    }

    /// The one of work that nobody ends.
    pub fn never() -> &'static Self {
        &NEVER
    }

    /// Ends the work: unfinished files go, and servers give up what they are doing for it. The work then fails, with
    /// [`ErrorKind::Interrupted`]. Gives what there is to say about the state that is left.
    ///
    /// A server that does not answer is waited for `within` this time, all in all. Not to be called by a method of a
    /// [`Reporter`](crate::progress::Reporter): the work waits for that, and this for the work.
    pub fn cancel(&self, within: Duration) -> Vec<String> {
        let mut told = Vec::new();
        self.cancel_then(within, |words| told = words);
        told
    }

    /// As [`Cancellation::cancel`], for who ends the process then: until `leave` returns, no other thread can make a result
    /// appear, or come to the end of its work.
    pub fn cancel_then(&self, within: Duration, leave: impl FnOnce(Vec<String>)) {
        let now = Instant::now();
        let deadline = now.checked_add(within).unwrap_or(now + Duration::from_secs(60 * 60 * 24 * 365));
        let Some(list) = &self.0 else { return leave(Vec::new()) };
        let mut list = lock(list);
        list.is_cancelled = true;
        leave(end(&mut list.pending, deadline));
    }

    /// Fails if the end was asked for. For loops that take long and ask nobody else.
    pub(crate) fn check(&self) -> Result<()> {
        self.uninterrupted(|| ())
    }

    /// Does some work.
    ///
    /// # Errors
    /// Those of `work`; if the end was asked for, that, and not what came of it.
    pub(crate) fn run<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        work().map_err(|error| match self.check() {
            Err(cancelled) if error.kind() != ErrorKind::Interrupted => match error.advice().cloned() {
                Some(advice) => cancelled.hint(advice).source(error),
                None => cancelled.source(error),
            },
            _ => error,
        })
    }

    /// Runs a few quick steps that the end does not part. They must not use a [`Registration`].
    ///
    /// # Errors
    /// The end was asked for before.
    pub(crate) fn uninterrupted<T>(&self, steps: impl FnOnce() -> T) -> Result<T> {
        let Some(list) = &self.0 else { return Ok(steps()) };
        let list = lock(list);
        if list.is_cancelled { Err(cancelled()) } else { Ok(steps()) }
    }

    /// Puts an unfinished file, or what else takes no time, on the list: `remove` does away with it. It must not use a
    /// [`Registration`].
    ///
    /// # Errors
    /// This, as the others, if the end was asked for already.
    pub(crate) fn quick(&self, remove: impl FnOnce() + Send + 'static) -> Result<Registration> {
        self.add(Pending::Quick(Box::new(remove)))
    }

    /// Makes a scratch folder that is on the list, with everything in it, as soon as it is there.
    ///
    /// # Errors
    /// What `make` fails with. It must not use a [`Registration`].
    pub fn folder<F: AsRef<Path>>(&self, make: impl FnOnce() -> io::Result<F>) -> io::Result<(F, Registration)> {
        let Some(shared) = &self.0 else { return Ok((make()?, Registration(None))) };
        let mut list = lock(shared);
        if list.is_cancelled {
            return Err(io::Error::other(cancelled()));
        }
        let folder = make()?;
        let id = list.add(Pending::Folder(folder.as_ref().to_path_buf()));
        Ok((folder, Registration(Some((id, Arc::clone(shared))))))
    }

    /// Puts something else on the list: `remove` does away with it, by the time that it is given. It must not use a
    /// [`Registration`].
    pub(crate) fn other(&self, remove: impl FnOnce(Instant) + Send + 'static) -> Result<Registration> {
        self.add(Pending::Other(Box::new(remove)))
    }

    /// Puts the end of some work on the list: `end` sees to it, by the time that it is given, and says what state it leaves,
    /// for a person. It must not use a [`Registration`].
    pub(crate) fn last_words(&self, end: impl FnOnce(Instant) -> String + Send + 'static) -> Result<Registration> {
        self.add(Pending::Words(Box::new(end)))
    }

    /// As `last_words`, of work that everything which is put on the list after it is a part of: `end` ends
    /// that too, and speaks for it. Files and folders are removed all the same.
    pub fn last_words_for_all(&self, end: impl FnOnce(Instant) -> String + Send + 'static) -> Result<Registration> {
        self.add(Pending::Whole(Box::new(end)))
    }

    fn add(&self, pending: Pending) -> Result<Registration> {
        let Some(shared) = &self.0 else { return Ok(Registration(None)) };
        let mut list = lock(shared);
        if list.is_cancelled {
            return Err(cancelled());
        }
        Ok(Registration(Some((list.add(pending), Arc::clone(shared)))))
    }
}

impl List {
    fn add(&mut self, pending: Pending) -> u64 {
        self.next += 1;
        self.pending.push((self.next, pending));
        self.next
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some((mine, list)) = &self.0 {
            lock(list).pending.retain(|(id, _)| id != mine);
        }
    }
}

fn lock(list: &Mutex<List>) -> MutexGuard<'_, List> {
    list.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does away with everything on the list; what there is to say about the state that is left.
fn end(list: &mut Vec<(u64, Pending)>, deadline: Instant) -> Vec<String> {
    let (mut folders, mut later) = (Vec::new(), Vec::new());
    // What takes no time comes first. There is nobody left to tell about a file that cannot be removed, and the rest must go
    // all the same.
    for (_, pending) in list.drain(..) {
        match pending {
            Pending::Quick(remove) => remove(),
            Pending::Folder(path) => {
                let _ = std::fs::remove_dir_all(&path);
                folders.push(path);
            }
            other => later.push(other),
        }
    }
    if let Some(at) = later.iter().position(|pending| matches!(pending, Pending::Whole(_))) {
        later.truncate(at + 1);
    }
    let mut words = Vec::new();
    for pending in later {
        match pending {
            Pending::Other(remove) => remove(deadline),
            Pending::Words(end) | Pending::Whole(end) => words.push(end(deadline)),
            Pending::Quick(_) | Pending::Folder(_) => {}
        }
    }
    // Other threads went on meanwhile, and may have put something there.
    for path in folders {
        let _ = std::fs::remove_dir_all(path);
    }
    words
}

impl fmt::Debug for Cancellation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cancellation")
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration")
    }
}

fn cancelled() -> Error {
    Error::new(ErrorKind::Interrupted, "go on").why("the end was asked for")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::mpsc;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_on_the_list_goes_and_nothing_is_begun_afterwards() {
        let cancellation = Cancellation::new();
        let (told, heard) = mpsc::channel();
        let removed = told.clone();
        let _other = cancellation.other(move |_| told.send("cancelled").unwrap()).unwrap();
        let _quick = cancellation.quick(move || removed.send("removed").unwrap()).unwrap();
        let (folder, _folder) = cancellation.folder(tempfile::tempdir).unwrap();
        drop(cancellation.last_words(|_| "nobody says this".into()).unwrap());
        let _words = cancellation.last_words(|_| "all of it".into()).unwrap();
        assert_eq!(cancellation.clone().cancel(SECOND), ["all of it"]);
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["removed", "cancelled"]);
        assert!(!folder.path().exists());

        let kind = |error: Error| Some(error.kind());
        assert_eq!(cancellation.uninterrupted(|| unreachable!()).err().and_then(kind), Some(ErrorKind::Interrupted));
        assert_eq!(cancellation.quick(|| {}).err().and_then(kind), Some(ErrorKind::Interrupted));
        let failed = || Err::<(), _>(Error::new(ErrorKind::Server, "go on").why("it was told to stop"));
        assert_eq!(cancellation.run(failed).err().and_then(kind), Some(ErrorKind::Interrupted));
        assert!(cancellation.folder(tempfile::tempdir).is_err() && cancellation.cancel(SECOND).is_empty());
    }

    #[test]
    fn one_may_speak_for_all_that_come_after_it() {
        let cancellation = Cancellation::new();
        let mut all = Vec::new();
        for n in 0..2 {
            all.push(cancellation.last_words(move |_| n.to_string()).unwrap());
        }
        all.push(cancellation.last_words_for_all(|_| "all".into()).unwrap());
        all.push(cancellation.last_words(|_| unreachable!()).unwrap());
        assert_eq!(cancellation.cancel(SECOND), ["0", "1", "all"]);
    }

    #[test]
    fn work_that_nobody_ends_goes_on() {
        let never = Cancellation::never();
        let _words = never.last_words(|_| unreachable!()).unwrap();
        assert!(never.cancel(SECOND).is_empty() && never.check().is_ok());
        let (folder, _registration) = never.folder(tempfile::tempdir).unwrap();
        assert!(folder.path().exists());
    }
}
