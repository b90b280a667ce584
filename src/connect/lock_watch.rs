//! Who has the lock that a statement waits for: a server that makes somebody wait says nothing by itself, and whoever runs
//! backups and restores from a timer finds a job that does not come to its end.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bstr::ByteSlice;

use super::watch::ServerProbe;
use crate::postgres::sessions::{self, OtherSession};
use crate::wire::{Param, Query, Seen, Watch};
use crate::{Message, Result, printable};

/// When it is asked, and who is told.
#[derive(Clone)]
pub(super) struct LockWatch {
    pub(super) after: Duration,
    pub(super) tell: Arc<dyn Fn(Message) + Send + Sync>,
}

impl fmt::Debug for LockWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LockWatch").field("after", &self.after).finish_non_exhaustive()
    }
}

/// Asks for one connection.
pub(super) struct LockProbe {
    probe: ServerProbe,
    tell: Arc<dyn Fn(Message) + Send + Sync>,
    /// What was told last, so that it is not told again while it stays so.
    told: Mutex<Option<Message>>,
}

/// How long a question may take: the work waits for it, though its answer may have come.
const PATIENCE: Duration = Duration::from_secs(5);

impl LockProbe {
    pub(super) fn of(probe: ServerProbe, watch: &LockWatch) -> Self {
        Self { probe: probe.with_patience(PATIENCE), tell: Arc::clone(&watch.tell), told: Mutex::new(None) }
    }

    /// What there is to say, if the connection's statement waits for others.
    fn ask(&self) -> Result<Option<Message>> {
        let Some((mut connection, pid)) = self.probe.beside()? else { return Ok(None) };
        // A prepared transaction has no process: its number is 0.
        let blockers = format!(
            "SELECT DISTINCT ON (b.pid) b.pid AS blocker, {} \
             FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS b (pid) \
             LEFT JOIN LATERAL pg_catalog.pg_stat_get_activity(b.pid) AS a ON true ORDER BY b.pid",
            sessions::COLUMNS
        );
        let awaited = "SELECT l.relation::pg_catalog.regclass::pg_catalog.text AS relation FROM pg_catalog.pg_locks AS l \
                       WHERE l.pid = $1 AND NOT l.granted AND l.locktype = 'relation'";
        let queries = [
            Query::new("who has the lock", blockers).param(Param::int4(pid)),
            Query::new("what is waited for", awaited).param(Param::int4(pid)),
        ];
        let results = connection.pipeline(&queries)?;
        let [blockers, awaited] = results.as_slice() else { return Ok(None) };
        let mut others = Vec::new();
        let mut is_prepared = false;
        for row in blockers.iter() {
            match row.opt_i32("pid")? {
                Some(_) => others.push(OtherSession::of(row)?),
                // One that has just gone is in nobody's way.
                None => is_prepared |= row.i32("blocker")? == 0,
            }
        }
        let mut who: Vec<String> = (!others.is_empty()).then(|| sessions::in_words(&others)).into_iter().collect();
        if is_prepared {
            who.push("a prepared transaction (see pg_prepared_xacts)".to_owned());
        }
        if who.is_empty() {
            return Ok(None);
        }
        let what = match awaited.first().map(|row| row.opt_text("relation")).transpose()?.flatten() {
            Some(relation) => format!("a lock on {}", printable::name(relation.as_bstr())),
            None => "a lock".to_owned(),
        };
        Ok(Some(Message::warning(what, format!("waiting for it; in the way: {}", who.join("; ")))))
    }
}

impl Watch for LockProbe {
    fn look(&self) -> Seen {
        // Where nobody can be asked, there is nothing to tell: what waits has its own end, and its own error.
        if let Ok(Some(message)) = self.ask() {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.as_ref() != Some(&message) {
                (self.tell)(message.clone());
                *told = Some(message);
            }
        }
        Seen::Works
    }

    /// What waits for long is asked about less and less often: to build an index may take hours.
    fn pause(&self, limit: Duration, silence: Duration) -> Duration {
        silence.max(limit)
    }
}
