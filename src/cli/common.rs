//! What every verb takes.

use super::backend_options::BackendOptions;
use crate::Cancellation;

/// The options of all verbs, and what is known of the whole command line.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Common {
    /// Print the result, or the error, as one JSON object on standard output
    #[arg(long, global = true, help_heading = "Output")]
    pub json: bool,
    /// Print nothing but warnings and errors
    #[arg(long, short, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Also print what is being done
    #[arg(long, short, global = true, help_heading = "Output")]
    pub verbose: bool,
    /// The options of one backend only.
    #[arg(skip)]
    pub given: BackendOptions,
    /// By what a signal ends the work.
    #[arg(skip = Cancellation::new())]
    pub cancellation: Cancellation,
}
