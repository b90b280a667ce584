//! The program: which of its faces it was called by.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::console::{secret, terminal};
use crate::{cli, pg_tools};

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    secret::learn(&arguments);
    terminal::tell_panics();
    match pg_tools::Call::of(&arguments) {
        Some(call) => call.run(),
        None => cli::run(&arguments),
    }
}
