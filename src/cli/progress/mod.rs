//! How the engine's progress looks: a bar on a terminal, few lines elsewhere.

mod figures;

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::choice;
use super::common::Common;
use crate::console::terminal::{self, Stream};
use crate::printable::escaped;
use crate::{Cancellation, Level, Message, Phase, Reporter, Total, Unit, Words};
use figures::{Figures, spent};

/// How often a long phase shows a sign of life in a log.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);
/// How often a bar is drawn, and how often it is looked whether a line is due.
const FRAME: Duration = Duration::from_millis(200);
const LOOK: Duration = Duration::from_secs(1);

/// The phase that is shown now; whoever prints takes its bar off first.
static SHOWN: Mutex<Option<Shown>> = Mutex::new(None);

fn shown() -> MutexGuard<'static, Option<Shown>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The warnings that were told, as they were told, for the report: so many of the first, and how many there were.
static WARNED: Mutex<(Vec<String>, u64)> = Mutex::new((Vec::new(), 0));
const WARNINGS_KEPT: usize = 100;

/// The first of the warnings that were told, and how many came after them, if any did.
pub(crate) fn warnings() -> (Vec<String>, Option<u64>) {
    let warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    let more = warned.1 - warned.0.len() as u64;
    (warned.0.clone(), Some(more).filter(|more| *more > 0))
}

fn keep_warning(text: String) {
    let mut warned = WARNED.lock().unwrap_or_else(PoisonError::into_inner);
    warned.1 += 1;
    if warned.0.len() < WARNINGS_KEPT {
        warned.0.push(text);
    }
}

/// Ends what is shown of the progress, and takes the bar off the screen.
pub(crate) fn clear() {
    if let Some(Shown { bar: Some(bar), .. }) = shown().take() {
        bar.finish_and_clear();
    }
}

/// Prints the engine's messages and progress on standard error.
#[derive(Debug)]
pub(crate) struct Console {
    level: Level,
    quiet: bool,
    bars: bool,
    counters: Arc<Counters>,
    cancellation: Cancellation,
    /// Keeps the thread going that shows how far the phase has come.
    clock: Mutex<Option<Sender<()>>>,
}

/// What was done in the phase; counted without a lock, for every piece of data.
#[derive(Debug, Default)]
struct Counters {
    done: AtomicU64,
    beside: AtomicU64,
    /// The total, where it is an estimate.
    expected: AtomicU64,
}

/// A phase on its way.
#[derive(Debug)]
struct Shown {
    name: String,
    counted: Counted,
    /// What is worked on.
    current: String,
    bar: Option<ProgressBar>,
    /// When something was said of it last.
    told: Instant,
}

/// What a phase has, and what was done of it.
#[derive(Debug, Clone)]
struct Counted {
    unit: Unit,
    total: Total,
    besides: u64,
    counters: Arc<Counters>,
    begun: Instant,
}

impl Counted {
    fn figures(&self) -> Figures {
        let Counters { done, beside, expected } = &*self.counters;
        let total = match self.total {
            Total::About(_) => Total::About(expected.load(Ordering::Relaxed)),
            total => total,
        };
        let (done, beside) = (done.load(Ordering::Relaxed), beside.load(Ordering::Relaxed));
        Figures { unit: self.unit, total, besides: self.besides, done, beside }
    }
}

impl Shown {
    /// The line for a log, if it is time for one.
    fn line(&mut self, now: Instant) -> Option<String> {
        if now.saturating_duration_since(self.told) < SIGN_OF_LIFE {
            return None;
        }
        self.told = now;
        let elapsed = now.saturating_duration_since(self.counted.begun);
        let text = match self.counted.figures().text(elapsed) {
            nothing if nothing.is_empty() => format!("{} so far", spent(elapsed)),
            text => text,
        };
        let at = if self.current.is_empty() { String::new() } else { format!(" (at {})", self.current) };
        Some(format!("lifeboat: {}: {text}{at}", self.name))
    }

    /// Draws the bar, or prints the line that is due.
    fn show(&mut self, now: Instant) {
        let Some(bar) = &self.bar else {
            if let Some(line) = self.line(now) {
                let _ = terminal::line(Stream::Err, &line);
            }
            return;
        };
        if let Some((done, whole)) = self.counted.figures().share() {
            bar.set_length(u64::try_from(whole).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        }
        bar.tick();
    }
}

/// Shows from time to time how far the work has come, even if nothing comes to its end for long; until what this gives is
/// dropped.
fn show_every(time: Duration) -> io::Result<Sender<()>> {
    let (end, ended) = mpsc::channel();
    let show = move || {
        while ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
            if let Some(shown) = shown().as_mut() {
                shown.show(Instant::now());
            }
        }
    };
    thread::Builder::new().name("progress".into()).spawn(show).map(|_| end)
}

impl Console {
    pub(crate) fn new(common: &Common) -> Self {
        let level = match (common.quiet, common.verbose) {
            (true, _) => Level::Warning,
            (_, true) => Level::Debug,
            _ => Level::Info,
        };
        let bars = !common.quiet && terminal::is_terminal(Stream::Err);
        let cancellation = common.cancellation.clone();
        Self { level, quiet: common.quiet, bars, counters: Arc::default(), cancellation, clock: Mutex::new(None) }
    }
}

fn say(line: &str) {
    let print = || {
        let _ = terminal::line(Stream::Err, line);
    };
    match &*shown() {
        Some(Shown { bar: Some(bar), .. }) => bar.suspend(print),
        _ => print(),
    }
}

/// Prints a message of the engine's, whatever its level.
pub(crate) fn tell(message: &Message) {
    let word = match message.level {
        Level::Debug | Level::Info => "",
        Level::Warning => "warning: ",
        Level::Error => "error: ",
    };
    let named = |words: &Words| words.named(choice::name);
    let subject = if message.subject.is_empty() { String::new() } else { format!("{}: ", named(&message.subject)) };
    let text = format!("{subject}{}", named(&message.text));
    say(&format!("lifeboat: {word}{text}"));
    if message.level == Level::Warning {
        keep_warning(text);
    }
}

impl Reporter for Console {
    fn message(&self, message: Message) {
        if message.level >= self.level {
            tell(&message);
        }
    }

    fn phase(&self, phase: Phase<'_>) {
        if self.level == Level::Debug {
            say(&format!("lifeboat: {}", phase.name));
        }
        clear();
        if self.quiet {
            return;
        }
        let Phase { name, unit, total, besides } = phase;
        self.counters.done.store(0, Ordering::Relaxed);
        self.counters.beside.store(0, Ordering::Relaxed);
        self.counters.expected.store(if let Total::About(total) = total { total } else { 0 }, Ordering::Relaxed);
        let begun = Instant::now();
        let counted = Counted { unit, total, besides, counters: Arc::clone(&self.counters), begun };
        let bar = self.bars.then(|| bar(name, counted.clone()));
        *shown() = Some(Shown { name: name.to_owned(), counted, current: String::new(), bar, told: begun });
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        if clock.is_none() {
            // Without a thread for it, the work goes on all the same.
            *clock = show_every(if self.bars { FRAME } else { LOOK }).ok();
        }
    }

    fn advance(&self, amount: u64) {
        self.counters.done.fetch_add(amount, Ordering::Relaxed);
    }

    fn beside(&self, amount: u64) {
        self.counters.beside.fetch_add(amount, Ordering::Relaxed);
    }

    fn expect(&self, total: u64) {
        self.counters.expected.store(total, Ordering::Relaxed);
    }

    fn cancellation(&self) -> &Cancellation {
        &self.cancellation
    }

    fn current(&self, what: &str) {
        if let Some(shown) = shown().as_mut() {
            what.clone_into(&mut shown.current);
            if let Some(bar) = &shown.bar {
                // A bar is drawn by others.
                bar.set_message(escaped(what).into_owned());
            }
        }
    }
}

/// The line on a terminal, with and without an end that is known.
const KNOWN: &str = "{prefix} [{bar:20}] {figures} {wide_msg}";
const UNKNOWN: &str = "{prefix} {spinner} {elapsed} {figures} {wide_msg}";

fn bar(name: &str, counted: Counted) -> ProgressBar {
    let whole = counted.figures().share().map(|(_, whole)| u64::try_from(whole).unwrap_or(u64::MAX));
    let template = if whole.is_some() { KNOWN } else { UNKNOWN };
    let figures = move |_: &ProgressState, out: &mut dyn fmt::Write| {
        let _ = out.write_str(&counted.figures().short(counted.begun.elapsed()));
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(whole, ProgressDrawTarget::stderr());
    bar.set_style(style.with_key("figures", figures).progress_chars("=> "));
    bar.set_prefix(escaped(name).into_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A phase that begins at `begun`, and its counters.
    fn phase(begun: Instant, total: Total) -> (Shown, Arc<Counters>) {
        let counters = Arc::new(Counters::default());
        let counted = Counted { unit: Unit::Bytes, total, besides: 0, counters: Arc::clone(&counters), begun };
        let current = "TABLE DATA public.orders".to_owned();
        (Shown { name: "restore".into(), counted, current, bar: None, told: begun }, counters)
    }

    #[test]
    fn templates_are_understood() {
        assert!([KNOWN, UNKNOWN].iter().all(|template| ProgressStyle::with_template(template).is_ok()));
    }

    #[test]
    fn log_gets_a_line_now_and_then() {
        let begun = Instant::now();
        let (mut shown, counters) = phase(begun, Total::Exactly(200 << 20));
        assert_eq!(shown.line(begun + SECOND * 59), None);
        counters.done.store(50 << 20, Ordering::Relaxed);
        let line = "lifeboat: restore: 25%, 50.0 MiB of 200.0 MiB, about 3 min left (at TABLE DATA public.orders)";
        assert_eq!(shown.line(begun + SECOND * 60).as_deref(), Some(line));
        assert_eq!(shown.line(begun + SECOND * 119), None);
        // Nothing moved, and it goes on.
        let line = "lifeboat: restore: 25%, 50.0 MiB of 200.0 MiB, about 6 min left (at TABLE DATA public.orders)";
        assert_eq!(shown.line(begun + SECOND * 120).as_deref(), Some(line));
    }

    #[test]
    fn line_says_how_long_it_has_been_where_nothing_is_counted() {
        let begun = Instant::now();
        let (mut shown, _) = phase(begun, Total::Unknown);
        shown.current.clear();
        assert_eq!(shown.line(begun + SECOND * 65).as_deref(), Some("lifeboat: restore: 65 s so far"));
        assert_eq!(shown.line(begun + SECOND * 600).as_deref(), Some("lifeboat: restore: 10 min so far"));
    }

    #[test]
    fn estimated_total_follows_what_is_expected() {
        let begun = Instant::now();
        let (mut shown, counters) = phase(begun, Total::About(400));
        counters.expected.store(200, Ordering::Relaxed);
        counters.done.store(100, Ordering::Relaxed);
        let line = shown.line(begun + SECOND * 60).unwrap();
        assert!(line.starts_with("lifeboat: restore: 50%, 100 bytes of about 200 bytes"), "{line}");
    }
}
