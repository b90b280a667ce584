//! The application of a drill: a process of its own that writes without pause.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::sample;
use crate::console::terminal;
use crate::{Context, Error, ErrorKind, Result};

/// The running writer; killed when dropped.
pub(super) struct Writer {
    process: Child,
    committed: Arc<AtomicI64>,
}

impl Writer {
    /// Starts the process.
    pub(super) fn start(database: &Path) -> Result<Self> {
        let doing = || "start the process that writes";
        let program = std::env::current_exe().context(ErrorKind::Io, doing)?;
        let mut process = Command::new(program)
            .arg("drill-writer")
            .arg(database)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context(ErrorKind::Io, doing)?;
        let output = process.stdout.take();
        // From here on, it ends when this does.
        let writer = Self { process, committed: Arc::new(AtomicI64::new(0)) };
        if let Some(output) = output {
            let committed = Arc::clone(&writer.committed);
            let listen = move || {
                for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
                    if let Ok(seq) = line.parse() {
                        committed.store(seq, Ordering::SeqCst);
                    }
                }
            };
            spawn("listen to the process that writes", listen)?;
        }
        Ok(writer)
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The number of the last transfer that the writer has said to be committed.
    pub(super) fn committed(&self) -> i64 {
        self.committed.load(Ordering::SeqCst)
    }

    /// Waits until the writer has committed a transfer after number `seq`.
    pub(super) fn wait_beyond(&mut self, seq: i64) -> Result<i64> {
        let begun = Instant::now();
        loop {
            let now = self.committed();
            if now > seq {
                return Ok(now);
            }
            let ended = self.process.try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > Duration::from_secs(60) {
                return Err(Error::new(ErrorKind::Internal, "see the writing process write")
                    .why(ended.map_or("it does not get on".to_owned(), |status| format!("it ended: {status}"))));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends the process as a power cut would: in the middle of what it does.
    pub(super) fn kill(mut self) -> Result<()> {
        self.process.kill().context(ErrorKind::Io, || "kill the process that writes")?;
        self.process.wait().context(ErrorKind::Io, || "kill the process that writes")?;
        Ok(())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the process does: writes, and says after each transaction which one it was, until its input ends, which it does
/// when the drill itself ends in whatever way.
pub(super) fn write_until_input_ends(database: &Path) -> Result<()> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&stop);
    spawn("notice the end of the drill", move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        seen.store(true, Ordering::SeqCst);
    })?;
    let mut to = terminal::data();
    sample::write(database, |seq| writeln!(to, "{seq}").is_ok() && !stop.load(Ordering::SeqCst))
        .context(ErrorKind::Internal, || format!("write to {}", database.display()))
}

fn spawn(doing: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    thread::Builder::new().spawn(work).map(drop).map_err(|error| Error::no_thread(doing, error))
}
