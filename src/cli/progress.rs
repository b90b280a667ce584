//! How the engine's progress looks: a bar on a terminal, few lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Common;
use crate::progress::{Level, Message, Reporter};

/// How often a long phase shows a sign of life in a log.
const SIGN_OF_LIFE: Duration = Duration::from_secs(60);

/// The bar that is on the screen now; whoever prints takes it off first.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Takes the bar off the screen.
pub(crate) fn clear() {
    if let Some(bar) = BAR.lock().unwrap_or_else(PoisonError::into_inner).take() {
        bar.finish_and_clear();
    }
}

/// Prints the engine's messages and progress on standard error.
#[derive(Debug)]
pub(crate) struct Console {
    level: Level,
    bars: bool,
    lines: bool,
    phase: Mutex<Phase>,
}

#[derive(Debug)]
struct Phase {
    name: String,
    total: Option<u64>,
    done: u64,
    told: Instant,
}

impl Console {
    pub(crate) fn new(common: &Common) -> Self {
        let level = match (common.quiet, common.verbose) {
            (true, _) => Level::Warning,
            (_, true) => Level::Debug,
            _ => Level::Info,
        };
        let bars = !common.quiet && io::stderr().is_terminal();
        let phase = Phase { name: String::new(), total: None, done: 0, told: Instant::now() };
        Self { level, bars, lines: !common.quiet && !bars, phase: Mutex::new(phase) }
    }

    fn say(&self, line: &str) {
        let print = || {
            let _ = writeln!(io::stderr().lock(), "{line}");
        };
        match &*BAR.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Reporter for Console {
    fn message(&self, message: Message) {
        if message.level < self.level {
            return;
        }
        let word = match message.level {
            Level::Debug | Level::Info => "",
            Level::Warning => "warning: ",
            Level::Error => "error: ",
        };
        let subject = if message.subject.is_empty() { String::new() } else { format!("{}: ", message.subject) };
        self.say(&format!("lifeboat: {word}{subject}{}", message.text));
    }

    fn phase(&self, name: &str, total: Option<u64>) {
        if self.level == Level::Debug {
            self.say(&format!("lifeboat: {name}"));
        }
        {
            let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
            *phase = Phase { name: name.to_owned(), total, done: 0, told: Instant::now() };
        }
        if self.bars {
            clear();
            let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr());
            bar.set_style(style(name, total.is_some()));
            bar.set_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(200));
            *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
        }
    }

    fn advance(&self, amount: u64) {
        if self.bars {
            if let Some(bar) = &*BAR.lock().unwrap_or_else(PoisonError::into_inner) {
                bar.inc(amount);
            }
        } else if self.lines {
            let line = {
                let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
                phase.done = phase.done.saturating_add(amount);
                if phase.told.elapsed() < SIGN_OF_LIFE {
                    return;
                }
                phase.told = Instant::now();
                match phase.total {
                    Some(total) if total > 0 => {
                        let percent = u128::from(phase.done.min(total)) * 100 / u128::from(total);
                        format!("lifeboat: {}: {percent}%", phase.name)
                    }
                    _ => format!("lifeboat: {}: {} done", phase.name, phase.done),
                }
            };
            self.say(&line);
        }
    }

    fn current(&self, what: &str) {
        if let Some(bar) = &*BAR.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_message(what.to_owned());
        }
    }
}

/// The phases whose units are bytes; those of all others are things to be counted.
const IN_BYTES: [&str; 2] = ["copy", "copying data"];

fn style(name: &str, known: bool) -> ProgressStyle {
    let template = match (known, IN_BYTES.contains(&name)) {
        (true, true) => "{prefix} [{bar:30}] {percent:>3}% {binary_bytes}/{binary_total_bytes} eta {eta} {wide_msg}",
        (true, false) => "{prefix} [{bar:30}] {percent:>3}% {human_pos}/{human_len} eta {eta} {wide_msg}",
        (false, true) => "{prefix} {spinner} {elapsed} {binary_bytes} {wide_msg}",
        (false, false) => "{prefix} {spinner} {elapsed} {wide_msg}",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}
