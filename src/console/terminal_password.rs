//! A password that is typed at a terminal, which does not show it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};

use rustix::termios::{self, LocalModes, OptionalActions, Termios};

use crate::{Cancellation, Context, Error, ErrorKind, Registration, Result};

const DOING: &str = "ask for the password";

/// What is typed is no longer than this.
const LONGEST: usize = 4096;

/// Asks for a password at the terminal that the process belongs to, or where it has none on its standard streams.
///
/// # Errors
/// There is nobody to ask: no terminal, and standard input is at its end.
pub(crate) fn ask(cancellation: &Cancellation) -> Result<Vec<u8>> {
    match ask_if_possible(cancellation)? {
        Some(password) => Ok(password),
        None => Err(Error::new(ErrorKind::Usage, DOING)
            .why("there is no terminal")
            .hint("put it into the password file (~/.pgpass) or PGPASSWORD")),
    }
}

/// As [`ask`]; `None` if there is no terminal, from which a job by night would wait for ever.
pub(crate) fn ask_if_possible(cancellation: &Cancellation) -> Result<Option<Vec<u8>>> {
    let Ok(mut terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else { return Ok(None) };
    let doing = || DOING;
    // First: what is typed before is thrown away, and who is asked may answer at once.
    let hidden = Hidden::new(&terminal, cancellation)?;
    terminal.write_all(b"Password: ").context(ErrorKind::Io, doing)?;
    let typed = line(&terminal);
    hidden.end();
    terminal.write_all(b"\n").context(ErrorKind::Io, doing)?;
    typed.context(ErrorKind::Io, doing).map(Some)
}

/// A terminal that shows nothing of what is typed, until this ends or a signal ends the process.
struct Hidden {
    terminal: File,
    before: Termios,
    _at_the_end: Registration,
}

impl Hidden {
    fn new(terminal: &File, cancellation: &Cancellation) -> Result<Self> {
        let doing = || DOING;
        let terminal = terminal.try_clone().context(ErrorKind::Io, doing)?;
        let before = termios::tcgetattr(&terminal).context(ErrorKind::Io, doing)?;
        let (of_signal, modes) = (terminal.try_clone().context(ErrorKind::Io, doing)?, before.clone());
        let at_the_end = cancellation.quick(move || show(&of_signal, &modes))?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        termios::tcsetattr(&terminal, OptionalActions::Flush, &silent).context(ErrorKind::Io, doing)?;
        Ok(Self { terminal, before, _at_the_end: at_the_end })
    }

    fn end(self) {
        show(&self.terminal, &self.before);
    }
}

fn show(terminal: &File, modes: &Termios) {
    // A terminal that has gone shows nothing.
    let _ = termios::tcsetattr(terminal, OptionalActions::Flush, modes);
}

fn line(mut terminal: &File) -> io::Result<Vec<u8>> {
    let mut typed = Vec::new();
    let mut byte = [0];
    while typed.len() < LONGEST && terminal.read(&mut byte)? == 1 && byte[0] != b'\n' {
        typed.push(byte[0]);
    }
    if typed.last() == Some(&b'\r') {
        typed.pop();
    }
    Ok(typed)
}
