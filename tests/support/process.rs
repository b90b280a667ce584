//! Running programs, with failures that say what happened.

use std::fmt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Once};

use serde_json::Value;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What a program did.
#[derive(Debug, Clone)]
pub struct Output {
    command: String,
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

impl Output {
    /// What a program did that was not run to its end by the functions below.
    pub fn of(command: &str, out: std::process::Output) -> Self {
        Self { command: command.to_owned(), status: out.status, stdout: out.stdout, stderr: out.stderr }
    }

    pub fn success(&self) -> bool {
        self.status.success()
    }

    /// The exit code; a program that a signal ended has none, and that fails the test.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or_else(|| panic!("ended by a signal: {self}"))
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The report that it printed.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|e| panic!("{e}: {self}"))
    }

    /// The entries under a heading of a restore's report.
    pub fn entries(&self, heading: &str) -> Vec<String> {
        let report = self.json();
        let entries = report[heading].as_array().unwrap_or_else(|| panic!("no {heading}: {self}")).iter();
        entries.map(|entry| entry["entry"].as_str().unwrap().to_owned()).collect()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  {}", self.command, self.status)?;
        for (name, bytes) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !bytes.is_empty() {
                let text = String::from_utf8_lossy(bytes);
                write!(f, "\n  {name}:")?;
                for line in shorten(&text).lines() {
                    write!(f, "\n    {line}")?;
                }
            }
        }
        Ok(())
    }
}

/// The head and the tail of a long text.
fn shorten(text: &str) -> String {
    const KEEP: usize = 3000;
    let chars = text.chars().count();
    if chars <= 2 * KEEP {
        return text.to_owned();
    }
    let head: String = text.chars().take(KEEP).collect();
    let tail: String = text.chars().skip(chars - KEEP).collect();
    format!("{head}\n[… {} characters …]\n{tail}", chars - 2 * KEEP)
}

/// A program that is under way.
pub struct Running {
    pub child: Child,
    command: String,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        Self::reading(command, Stdio::null())
    }

    pub fn reading(command: &mut Command, input: Stdio) -> Self {
        heed_signals();
        let child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        Self { child, command: format!("{command:?}") }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub fn signal(&self, name: &str) {
        run(Command::new("kill").args(["-s", name, &self.pid().to_string()]));
    }

    /// Waits for its end.
    pub fn end(self) -> Output {
        let out = Output::of(&self.command, self.child.wait_with_output().unwrap());
        assert_plain(&Output { stdout: Vec::new(), ..out.clone() });
        out
    }

    /// Sends it a signal and waits for its end.
    pub fn ended_by(self, signal: &str) -> Output {
        self.signal(signal);
        self.end()
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs `command` without input to its end and gives what it did, failed or not. Err says why it could not be started.
pub fn try_output(command: &mut Command) -> Result<Output, String> {
    heed_signals();
    let text = format!("{command:?}");
    let out = command.stdin(Stdio::null()).output().map_err(|e| format!("cannot run {text}: {e}"))?;
    let out = Output { command: text, status: out.status, stdout: out.stdout, stderr: out.stderr };
    // Whatever test runs it, with whatever it is run.
    if command.get_program() == env!("CARGO_BIN_EXE_lifeboat") {
        let takes_stdout = command.get_args().any(|argument| argument == "-");
        assert_plain(&Output { stdout: if takes_stdout { Vec::new() } else { out.stdout.clone() }, ..out.clone() });
    }
    Ok(out)
}

/// Fails the test unless all of it is text of printable characters, in lines of lifeboat's own.
pub fn assert_plain(out: &Output) {
    for bytes in [&out.stdout, &out.stderr] {
        let text = std::str::from_utf8(bytes).unwrap_or_else(|e| panic!("{e}: {out}"));
        assert_text_is_plain(text, out);
    }
}

/// The same of a text that is a part of `whole`.
pub fn assert_text_is_plain(text: &str, whole: &dyn fmt::Debug) {
    // Written again here: the code under test has its own list.
    let is_hidden = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{61c}');
    if let Some(bad) = text.chars().find(|c| (c.is_control() && *c != '\n') || is_hidden(*c)) {
        panic!("{bad:?} was printed: {whole:?}");
    }
    if let Some(line) = text.lines().find(|line| line.starts_with("lifeboat: FORGED")) {
        panic!("a line was forged, {line:?}: {whole:?}");
    }
}

/// Runs `command` without input to its end and gives what it did, failed or not.
pub fn output(command: &mut Command) -> Output {
    try_output(command).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs `command` and fails the test, with everything it said, unless it succeeds.
pub fn run(command: &mut Command) -> Output {
    let out = output(command);
    assert!(out.success(), "failed: {out}");
    out
}

/// As [`run`], but Err instead of a panic.
pub fn try_run(command: &mut Command) -> Result<Output, String> {
    let out = try_output(command)?;
    if out.success() { Ok(out) } else { Err(out.to_string()) }
}

/// Takes out of `command`'s environment what would send a client to some other database than the test means, or make
/// it speak another language.
pub fn isolate(command: &mut Command) -> &mut Command {
    heed_signals();
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("PG") || text.starts_with("LC_") || text.ends_with("DATABASE_URL") {
            command.env_remove(&name);
        }
    }
    command.env_remove("LANG").env_remove("LANGUAGE").env("LC_ALL", "C")
}

/// The binary under test, with a clean environment.
pub fn lifeboat() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    isolate(&mut command);
    command
}

/// Makes a copy of the binary under test, by a process of its own: were it open for writing here, a program that another thread
/// starts at that moment would hold it open, too, and it could not be run.
pub fn copy_program(to: &Path) {
    run(Command::new("cp").arg(env!("CARGO_BIN_EXE_lifeboat")).arg(to));
}

/// Has programs that are started heed signals that the tests were started to ignore, in the background of a script or under
/// nohup: what is ignored stays so in another program, what is handled does not.
fn heed_signals() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
        for signal in [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|signal| mask & (1 << (signal - 1)) != 0) {
            signal_hook::flag::register(signal, Arc::default()).unwrap();
        }
    });
}

/// The binary under test, with the content of a file on its standard input: through a pipe, which cannot seek, or else as
/// the shell's `<` gives it.
pub fn lifeboat_reading(path: &Path, through_a_pipe: bool) -> Command {
    let script = if through_a_pipe { r#"p=$0; cat "$p" | "$@""# } else { r#"p=$0; "$@" < "$p""# };
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(path).arg(env!("CARGO_BIN_EXE_lifeboat"));
    isolate(&mut command);
    command
}
