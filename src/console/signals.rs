//! The end on request: a first signal cleans up and leaves, a second one leaves at once. One that follows the first at once
//! is the same request: `timeout` sends it to a process and then to the group that the process is in. Whatever signal ends a
//! process by default, and is not that of a fault of its own, is such a request: a limit on its time is one, too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, process, thread};

use signal_hook::consts::{
    SIGALRM, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
};
use signal_hook::flag::{register, register_conditional_shutdown};
use signal_hook::iterator::Signals;

use crate::{Cancellation, Context, Error, ErrorKind, Result};

/// Those that end a process, and the names that people know them by.
const REQUESTS: [(i32, &str); 11] = [
    (SIGINT, "SIGINT"),
    (SIGTERM, "SIGTERM"),
    (SIGHUP, "SIGHUP"),
    (SIGQUIT, "SIGQUIT"),
    (SIGXCPU, "SIGXCPU"),
    (SIGALRM, "SIGALRM"),
    (SIGVTALRM, "SIGVTALRM"),
    (SIGPROF, "SIGPROF"),
    (SIGUSR1, "SIGUSR1"),
    (SIGUSR2, "SIGUSR2"),
    (SIGIO, "SIGIO"),
];

/// How long everything may take in all that is to be done before the process ends. A server can take for ever.
const TIME: Duration = Duration::from_secs(10);

/// For how long signals after the first one mean the same.
const SAME_REQUEST: Duration = Duration::from_secs(1);

/// The signal that asked for the end, when everything that had to go has gone.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The signal's number.
    pub(crate) signal: i32,
    /// The name that people know it by.
    pub(crate) name: &'static str,
    /// What there is to say of what was left.
    pub(crate) left: Vec<String>,
}

/// Begins to listen for the signals that ask for the end. `tell` says that it has come, and gives the process's exit code.
pub(crate) fn handle(cancellation: Cancellation, tell: impl Fn(&Ended) -> u8 + Send + 'static) -> Result<()> {
    let doing = || "listen for signals";
    let again = Arc::new(AtomicBool::new(false));
    // Listened to, it does not end the process: the write that is too long fails, and says so.
    register(SIGXFSZ, Arc::new(AtomicBool::new(false))).context(ErrorKind::Internal, doing)?;
    let wanted: Vec<i32> = REQUESTS.iter().map(|(signal, _)| *signal).filter(|s| !ignored(*s)).collect();
    for &signal in &wanted {
        register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again)).context(ErrorKind::Internal, doing)?;
    }
    let mut signals = Signals::new(&wanted).context(ErrorKind::Internal, doing)?;
    let listen = move || {
        if let Some(signal) = signals.forever().next() {
            let impatient = Arc::clone(&again);
            let wait = move || {
                thread::sleep(SAME_REQUEST);
                impatient.store(true, Ordering::SeqCst);
            };
            if thread::Builder::new().name("second signal".into()).spawn(wait).is_err() {
                again.store(true, Ordering::SeqCst);
            }
            leave(&cancellation, signal, &tell);
        }
    };
    thread::Builder::new().spawn(listen).map_err(|error| Error::no_thread(doing(), error))?;
    Ok(())
}

fn leave(cancellation: &Cancellation, signal: i32, tell: &dyn Fn(&Ended) -> u8) {
    let name = REQUESTS.iter().find(|(known, _)| *known == signal).map_or("a signal", |(_, name)| name);
    cancellation.cancel_then(TIME, |words| {
        let left = words.iter().map(ToString::to_string).collect();
        process::exit(i32::from(tell(&Ended { signal, name, left })));
    });
}

/// Whether the signal was being ignored when the process began (nohup, a shell's background job): then that stays so.
fn ignored(signal: i32) -> bool {
    let Ok(status) = fs::read_to_string("/proc/self/status") else { return false };
    let Some(mask) = status.lines().find_map(|line| line.strip_prefix("SigIgn:")) else { return false };
    let Ok(mask) = u64::from_str_radix(mask.trim(), 16) else { return false };
    mask & (1 << (signal - 1)) != 0
}
