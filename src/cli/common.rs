//! What every verb takes.

use std::ffi::OsString;

use super::backend_options::BackendOptions;
use crate::Cancellation;

/// The options of all verbs, and what is known of the whole command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Print the result, or the error, as one JSON object on standard output
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Print nothing but warnings and errors
    #[arg(long, short, global = true, overrides_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Also print what is being done
    #[arg(long, short, global = true, overrides_with = "quiet", help_heading = "Output")]
    pub verbose: bool,
    /// Print help. -h is the host, as for PostgreSQL's tools
    #[arg(long, global = true, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// The options of one backend only.
    #[arg(skip)]
    pub given: BackendOptions,
    /// By what a signal ends the work.
    #[arg(skip = Cancellation::new())]
    pub cancellation: Cancellation,
}

impl Common {
    /// Lets the last of `--quiet` and `--verbose` win where they stand on both sides of the verb, and clap overrides neither.
    pub(crate) fn settle(&mut self, arguments: &[OsString]) {
        if self.quiet && self.verbose {
            let options = arguments.iter().take_while(|argument| *argument != "--");
            let is = |argument: &OsString, names: [&str; 2]| names.iter().any(|name| argument == name);
            let (quiet, verbose) = (["-q", "--quiet"], ["-v", "--verbose"]);
            let last = options.filter(|argument| is(argument, quiet) || is(argument, verbose)).last();
            let is_quiet = last.is_some_and(|last| is(last, quiet));
            (self.quiet, self.verbose) = (is_quiet, !is_quiet);
        }
    }
}
