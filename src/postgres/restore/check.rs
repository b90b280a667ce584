//! Reading an archive's data through before anything is dropped for its sake.
//!
//! A few damaged bytes in an archive must not cost the table that is in the target. So what is going to be restored is read
//! before, with the checks that `lifeboat verify` makes, while the target is asked what is in it. An input that cannot be gone
//! through twice is restored as it comes.

use std::collections::HashSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pgformat::{DataPosition, DumpId, Entry, Reader};

use crate::cancellation::Registration;
use crate::postgres::archive::{ArchiveSettings, Chosen, EntryName, archive_error, kinds};
use crate::postgres::restore::plan::large_objects;
use crate::postgres::verify;
use crate::progress::{Part, Phase, Reporter, Unit};
use crate::words::{Choice, Words};
use crate::{Error, ErrorKind, Result, threads};

fn another() -> Words {
    "nothing was changed: take another archive; `"
        + Choice::Verify
        + "` tells all that is wrong with this one, and "
        + Choice::NoVerify
        + " restores what can be read of it"
}

/// How often a session is used, to keep it.
const AWAKE: Duration = Duration::from_secs(1);

/// The data of an archive that is to be checked.
pub(super) struct Check<R> {
    readers: Vec<Reader<R>>,
    data: Vec<EntryData>,
}

/// An entry whose data is to be checked, and the size of that where it is known.
type EntryData = (DumpId, Option<u64>);

impl<R: Read + Clone + Send> Check<R> {
    /// For what is `chosen` of the archive, by so many threads; `None` if its input can be gone through once only.
    pub(super) fn of(archive: &mut Reader<R>, chosen: &[Chosen], jobs: usize) -> Result<Option<Self>> {
        if !archive.is_random() {
            return Ok(None);
        }
        let data = data_to_check(archive, chosen)?;
        let readers: Option<Vec<Reader<R>>> =
            (0..jobs.clamp(1, data.len().max(1))).map(|_| archive.another()).collect();
        Ok(readers.map(|readers| Self { readers, data }))
    }

    /// Checks the data while something else is done; what came of that. When it is done and the check is not, `keep_awake`
    /// is called every now and then: a server may end a session that does nothing.
    ///
    /// # Errors
    /// Those of `doing_else` and `keep_awake`, which end the check; what is wrong with the data first.
    pub(super) fn beside<T>(
        self,
        reporter: &dyn Reporter,
        doing_else: impl FnOnce() -> Result<T>,
        mut keep_awake: impl FnMut(&mut T) -> Result<()>,
    ) -> Result<T> {
        let stop = AtomicBool::new(false);
        let doing = "check the archive before the restore";
        let waiting = thread::current();
        let this = Mutex::new(Some(self));
        let check = || {
            let this = this.lock().unwrap_or_else(PoisonError::into_inner).take();
            let checked = this.map_or(Ok(()), |this| this.all(reporter, &stop));
            waiting.unpark();
            checked
        };
        thread::scope(|scope| {
            // Where there is no thread to be had, one comes after the other.
            let Ok(checking) = threads::spawn_scoped(scope, doing, check) else {
                let done = doing_else()?;
                return check().map(|()| done);
            };
            let mut done = doing_else();
            while let (Ok(done_else), false) = (&mut done, checking.is_finished()) {
                thread::park_timeout(AWAKE);
                if let Err(error) = keep_awake(done_else) {
                    done = Err(error);
                }
            }
            if done.is_err() {
                stop.store(true, Ordering::Relaxed);
            }
            let checked = checking
                .join()
                .unwrap_or_else(|_| Err(Error::new(ErrorKind::Internal, doing).why("a thread failed; see above")));
            checked?;
            done
        })
    }

    fn all(self, reporter: &dyn Reporter, stop: &AtomicBool) -> Result<()> {
        let Self { mut readers, data } = self;
        let Some((first, others)) = readers.split_first_mut() else { return Ok(()) };
        let check = SharedCheck::begin(first, data, reporter, stop);
        thread::scope(|scope| {
            for reader in others {
                // With fewer threads it takes longer, and comes to the same.
                if threads::spawn_scoped(scope, "check the archive", || check.go_through(reader)).is_err() {
                    break;
                }
            }
            check.go_through(first);
        });
        check.end()
    }
}

/// Checks what is `chosen` of an archive's data, by its own reader. One that comes from a pipe is left alone.
pub(super) fn alone<R: Read>(archive: &mut Reader<R>, chosen: &[Chosen], reporter: &dyn Reporter) -> Result<()> {
    if !archive.is_random() {
        return Ok(());
    }
    let stop = AtomicBool::new(false);
    let data = data_to_check(archive, chosen)?;
    let check = SharedCheck::begin(archive, data, reporter, &stop);
    check.go_through(archive);
    check.end()
}

/// Checks what the table of contents says of what is `chosen`, of an archive from a pipe as well.
pub(super) fn texts(entries: &[Entry], chosen: &[Chosen]) -> Result<()> {
    let encoding = ArchiveSettings::as_far_as_said(entries).encoding;
    for (entry, _) in entries.iter().zip(chosen).filter(|(_, chosen)| chosen.any()) {
        if let Some(problem) = verify::text_problem(entry, &encoding) {
            let doing = format!("check {} in the archive", EntryName::of(entry));
            return Err(Error::new(ErrorKind::Archive, doing).why(problem).hint(another()));
        }
    }
    Ok(())
}

/// Says that nothing was changed if the end is asked for before the restore itself has begun.
pub(super) fn nothing_changed(reporter: &dyn Reporter) -> Result<Registration> {
    reporter.cancellation().last_words(|_| "nothing was changed".into())
}

/// The entries whose data is chosen, and is there, in an archive that goes on to its end.
fn data_to_check<R: Read>(archive: &mut Reader<R>, chosen: &[Chosen]) -> Result<Vec<EntryData>> {
    let failed = |error| archive_error("find the end of the archive", error).hint(another());
    archive.check_end().map_err(failed)?;
    let sizes = archive.sizes().map_err(failed)?;
    let entries = archive.entries().iter().zip(chosen).zip(sizes);
    let entries = entries.filter(|((entry, chosen), _)| {
        chosen.data && entry.has_data && archive.data_position(entry.dump_id) != Some(DataPosition::NoData)
    });
    Ok(entries.map(|((entry, _), size)| (entry.dump_id, size)).collect())
}

/// A check on its way: what those who go through the archive together share.
struct SharedCheck<'a> {
    reporter: &'a dyn Reporter,
    stop: &'a AtomicBool,
    settings: ArchiveSettings,
    data: Vec<EntryData>,
    next: AtomicUsize,
    /// What is wrong: of what comes first in the archive, among all that was found.
    wrong: Mutex<Option<(usize, Error)>>,
}

impl<'a> SharedCheck<'a> {
    fn begin<R: Read>(
        archive: &Reader<R>,
        data: Vec<EntryData>,
        reporter: &'a dyn Reporter,
        stop: &'a AtomicBool,
    ) -> Self {
        let total = data.iter().try_fold(0_u64, |total, (_, size)| Some(total.saturating_add((*size)?)));
        let phase = Phase::new("verify", Unit::Bytes);
        reporter.phase(total.map_or(phase, |total| phase.of(total)));
        let settings = ArchiveSettings::as_far_as_said(archive.entries());
        Self { reporter, stop, settings, data, next: AtomicUsize::new(0), wrong: Mutex::new(None) }
    }

    /// Checks what nobody else has taken yet.
    fn go_through<R: Read>(&self, archive: &mut Reader<R>) {
        while !self.stop.load(Ordering::Relaxed) {
            let at = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((id, size)) = self.data.get(at) else { return };
            let checked = self.reporter.cancellation().check();
            if let Err(error) = checked.and_then(|()| self.one(archive, *id, *size)) {
                let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
                if wrong.as_ref().is_none_or(|(first, _)| at < *first) {
                    *wrong = Some((at, error));
                }
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    fn one<R: Read>(&self, archive: &mut Reader<R>, id: DumpId, size: Option<u64>) -> Result<()> {
        let Some(entry) = archive.entry(id).cloned() else { return Ok(()) };
        let name = EntryName::of(&entry).to_string();
        let doing = format!("check {name} in the archive");
        self.reporter.current(&name);
        let part = Part::new(self.reporter, size, 0);
        let failed = |error| archive_error(doing.clone(), error).hint(another());
        let mut objects = match kinds::is(&entry, "BLOBS") {
            true => large_objects::with_content_in(&entry, archive.entries())?,
            false => HashSet::new(),
        };
        if let Some(block) = archive.block(id).map_err(failed)? {
            let found = verify::check(&entry, block, &self.settings, &part, self.stop).map_err(failed)?;
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            found.objects.iter().for_each(|oid| _ = objects.remove(oid));
            if let Some(problem) =
                found.problems.into_iter().next().or_else(|| large_objects::without_content(&objects))
            {
                return Err(Error::new(ErrorKind::Archive, doing).why(problem).hint(another()));
            }
        }
        part.end();
        Ok(())
    }

    fn end(self) -> Result<()> {
        let wrong = self.wrong.into_inner().unwrap_or_else(PoisonError::into_inner);
        wrong.map_or(Ok(()), |(_, error)| Err(error))
    }
}
