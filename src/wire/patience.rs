//! How long the other side is waited for.
//!
//! While a connection is made, and where a statement is to be cancelled, there is a moment after which nothing is waited
//! for. Afterwards there is none: to make an index or to wait for a lock may take a server hours, in which it says nothing.
//! But a server that is gone says nothing either, and neither does a proxy between here and there that has forgotten a
//! connection, which no time limit of TCP notices. So after some time of silence somebody is asked who can tell the one
//! from the other: a [`Watch`]. There may be several, each with a time of its own.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::socket::Socket;

/// How long after a first doubt somebody is asked again, at most. What is on its way has arrived by then.
const AGAIN: Duration = Duration::from_secs(15);

/// Finds out whether a server that says nothing on one connection still works for it.
pub trait Watch: Send + Sync {
    /// Looks whether it does. This takes a bounded time.
    fn look(&self) -> Seen;

    /// After what time the next look is due, where the server works and has been silent for `silence`; `limit` is the time after
    /// which the first one was.
    fn pause(&self, limit: Duration, silence: Duration) -> Duration {
        let _ = silence;
        limit
    }
}

/// What a [`Watch`] has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// The server works for the connection, or nothing speaks against that.
    Works,
    /// Something speaks against that; worded to follow "the server has said nothing for a minute, and".
    Doubt(String),
}

/// What happens in times of silence.
#[derive(Clone)]
pub(super) struct Idle {
    /// After what time.
    pub(super) limit: Duration,
    /// Who is asked.
    pub(super) watch: Arc<dyn Watch>,
}

/// How long the other side of a channel is waited for.
#[derive(Default)]
pub(super) struct Patience {
    /// Until this moment, whatever comes in.
    pub(super) deadline: Option<Instant>,
    /// What happens where nothing comes in.
    pub(super) idle: Vec<Idle>,
}

/// A watch, while something is waited for.
struct Look<'a> {
    idle: &'a Idle,
    /// When it is due; one that lies further ahead than there is time never is.
    at: Option<Instant>,
    is_in_doubt: bool,
}

impl Patience {
    /// Fails if the time is over.
    pub(super) fn check(&self) -> io::Result<()> {
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(io::ErrorKind::TimedOut.into()),
            _ => Ok(()),
        }
    }

    /// Waits until something of what is `wanted` can be done with the socket, or the other side is gone.
    ///
    /// # Errors
    /// The time is over; nothing has come for long, and nobody works at it.
    pub(super) fn wait(&self, socket: &Socket, wanted: PollFlags) -> io::Result<PollFlags> {
        let begun = Instant::now();
        let mut looks: Vec<Look<'_>> =
            self.idle.iter().map(|idle| Look { idle, at: begun.checked_add(idle.limit), is_in_doubt: false }).collect();
        loop {
            let until = looks.iter().filter_map(|look| look.at).chain(self.deadline).min();
            let possible = socket.wait(wanted, until)?;
            if !possible.is_empty() {
                return Ok(possible);
            }
            self.check()?;
            let now = Instant::now();
            for look in looks.iter_mut().filter(|look| look.at.is_some_and(|at| at <= now)) {
                if let Some(why) = look.take(begun) {
                    // It may have answered meanwhile.
                    let possible = socket.wait(wanted, Some(Instant::now()))?;
                    if !possible.is_empty() {
                        return Ok(possible);
                    }
                    let silence = in_words(begun.elapsed());
                    return Err(io::Error::other(format!("the server has said nothing for {silence}, and {why}")));
                }
            }
        }
    }
}

impl Look<'_> {
    /// Looks, and says what speaks against the server's working if that is so for the second time.
    fn take(&mut self, begun: Instant) -> Option<String> {
        let Idle { limit, watch } = self.idle;
        let (wait, doubt) = match watch.look() {
            Seen::Works => (watch.pause(*limit, begun.elapsed()), None),
            Seen::Doubt(why) => ((*limit).min(AGAIN), Some(why)),
        };
        self.at = Instant::now().checked_add(wait);
        let was_in_doubt = std::mem::replace(&mut self.is_in_doubt, doubt.is_some());
        doubt.filter(|_| was_in_doubt)
    }
}

impl std::fmt::Debug for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let idle: Vec<Duration> = self.idle.iter().map(|idle| idle.limit).collect();
        f.debug_struct("Patience").field("deadline", &self.deadline).field("idle", &idle).finish_non_exhaustive()
    }
}

fn in_words(time: Duration) -> String {
    match time.as_secs() {
        0 | 1 => "a second".to_owned(),
        seconds @ 2..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", seconds / 60),
    }
}
