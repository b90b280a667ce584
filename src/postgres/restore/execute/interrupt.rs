//! The end on request in the middle of a restore: what the server is doing is cancelled, and what it leaves is said.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cancellation::{Cancellation, Registration};
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::restore::plan::Plan;
use crate::wire::{CancelHandle, Connection, cancel_all};
use crate::{Error, ErrorKind, Result};

/// How long the end of a statement is waited for before it is cancelled again, in case that it began just then.
const PAUSE: Duration = Duration::from_millis(50);

/// What the one who restores and the one who ends it have in common.
pub struct Interrupt {
    shared: Arc<Shared>,
    /// Of how many entries the steps before each step are.
    entries: Vec<u64>,
    /// Of the one who restores; workers have none.
    registration: Option<Registration>,
}

#[derive(Default)]
struct Shared {
    is_single: bool,
    total: u64,
    /// Entries that are there for good, failed ones included.
    entries: AtomicU64,
    /// Whether anything was or may have been changed.
    has_begun: AtomicBool,
    is_asked: AtomicBool,
    /// Whether what the workers do is of no use any more.
    is_ending: AtomicBool,
    /// Whether a COMMIT is on its way, of which only the server's answer tells what became of it.
    is_committing: AtomicBool,
    /// Whether nothing more is sent to the server.
    is_over: AtomicBool,
    /// The connection's, and those of the workers beside it.
    handles: Mutex<Vec<CancelHandle>>,
}

impl Interrupt {
    /// Begins to listen, for a restore by `plan` through `target`.
    pub fn new(
        plan: &Plan,
        options: &RestoreOptions,
        target: &Connection,
        cancellation: &Cancellation,
    ) -> Result<Self> {
        let mut entries = vec![0];
        let mut count = 0;
        for (at, step) in plan.steps.iter().enumerate() {
            let is_last = plan.steps.get(at + 1).is_none_or(|next| next.entry != step.entry);
            count += u64::from(is_last);
            entries.push(count);
        }
        let shared = Arc::new(Shared {
            is_single: options.single_transaction,
            total: count,
            handles: Mutex::new(vec![target.cancel_handle()]),
            ..Shared::default()
        });
        let at_the_end = Arc::clone(&shared);
        let registration = Some(cancellation.last_words(move |deadline| at_the_end.end(deadline))?);
        Ok(Self { shared, entries, registration })
    }

    pub fn begin(&self) {
        self.shared.has_begun.store(true, Ordering::SeqCst);
    }

    pub fn tell_steps(&self, steps: usize) {
        if let Some(entries) = self.entries.get(steps) {
            self.shared.entries.store(*entries, Ordering::SeqCst);
        }
    }

    /// Another connection takes the place of the one before.
    pub fn follow(&self, target: &Connection) {
        *self.shared.handles() = vec![target.cancel_handle()];
    }

    /// The same for a worker, whose connection is cancelled along with the others.
    pub fn of_worker(&self, connection: &Connection) -> Self {
        self.shared.handles().push(connection.cancel_handle());
        self.of_same_worker()
    }

    /// Another one for a worker that is known already.
    pub fn of_same_worker(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), entries: Vec::new(), registration: None }
    }

    pub fn tell_entries(&self, entries: usize) {
        self.shared.entries.store(u64::try_from(entries).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    /// Something has ended the restore: workers neither begin anything more nor tell what comes of being cancelled.
    pub fn end_workers(&self) {
        self.shared.is_ending.store(true, Ordering::SeqCst);
    }

    /// Has `commit` commit, unless the end was asked for. It is not cancelled then: its answer is waited for, because
    /// nothing else tells what is left.
    pub fn committing(&self, commit: impl FnOnce() -> Result<()>) -> Result<Result<()>> {
        self.shared.is_committing.store(true, Ordering::SeqCst);
        if let Err(error) = self.check() {
            self.has_committed();
            return Err(error);
        }
        Ok(commit())
    }

    /// What became of the COMMIT is known, and told, or there was none.
    pub fn has_committed(&self) {
        self.shared.is_committing.store(false, Ordering::SeqCst);
    }

    /// Fails if the end was asked for; nothing more may be sent to the server then.
    pub fn check(&self) -> Result<()> {
        let is_worker = self.registration.is_none();
        let why = if self.shared.is_asked.load(Ordering::SeqCst) {
            if !is_worker {
                self.shared.is_over.store(true, Ordering::SeqCst);
            }
            "the end was asked for"
        } else if is_worker && self.shared.is_ending.load(Ordering::SeqCst) {
            "another part of it failed"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Interrupted, "go on with the restore").why(why))
    }

    /// What state the target is in if the restore ends now, for a person.
    pub fn what_is_left(&self) -> String {
        self.shared.what_is_left()
    }
}

/// Whatever way a restore leaves by, nobody waits for it any more.
impl Drop for Interrupt {
    fn drop(&mut self) {
        if self.registration.is_some() {
            self.shared.is_over.store(true, Ordering::SeqCst);
        }
    }
}

impl Shared {
    fn handles(&self) -> MutexGuard<'_, Vec<CancelHandle>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what the server is doing; says what state that leaves.
    fn end(&self, deadline: Instant) -> String {
        self.is_asked.store(true, Ordering::SeqCst);
        while !self.is_over.load(Ordering::SeqCst) && Instant::now() < deadline {
            if !self.is_committing.load(Ordering::SeqCst) {
                let handles = self.handles().clone();
                cancel_all(&handles, deadline);
            }
            std::thread::sleep(PAUSE);
        }
        self.what_is_left()
    }

    fn what_is_left(&self) -> String {
        let (entries, total) = (self.entries.load(Ordering::SeqCst), self.total);
        // Of statements that were on their way together, it is not known which were run.
        match () {
            () if !self.has_begun.load(Ordering::SeqCst) => "nothing was changed".into(),
            () if self.is_committing.load(Ordering::SeqCst) => {
                "the server was told to commit, and has not said whether it did: look what is there".into()
            }
            () if entries == total => "everything had been restored".into(),
            () if self.is_single => "nothing was changed: the restore was one transaction".into(),
            () if entries == 0 => format!(
                "some of what is to be replaced was dropped, and few of {total} entries restored, if any: restore again"
            ),
            () => format!("at least {entries} of {total} entries had been restored, and remain: restore again"),
        }
    }
}
