//! The names that people already use: `pg_dump`, `pg_restore` and `pg_dumpall`, as PostgreSQL's own tools are called, with what they
//! say and how they end. They are a face of the engine like `lifeboat`'s own verbs (`src/cli`), and share no options with those.
//!
//! The program is one of them when it is called by that name, by whatever link or copy, or as `lifeboat pg_dump …`.

mod compression;
mod connection;
mod console;
mod encoding;
mod failure;
mod filter;
mod getopt;
mod help;
mod major;
mod messages;
mod numbers;
mod output;
mod parts;
mod pg_dump;
mod pg_dumpall;
mod pg_restore;
mod section;
mod server_message;
mod wording;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use crate::Cancellation;
use crate::console::signals;
use major::Major;
use messages::Messages;

/// A tool of PostgreSQL's that this program can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Dump,
    Dumpall,
    Restore,
}

impl Tool {
    /// All of them.
    pub(crate) const ALL: &'static [Self] = &[Self::Dump, Self::Dumpall, Self::Restore];

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dump => "pg_dump",
            Self::Dumpall => "pg_dumpall",
            Self::Restore => "pg_restore",
        }
    }

    fn named(name: &OsStr) -> Option<Self> {
        Self::ALL.iter().copied().find(|tool| tool.name() == name)
    }
}

/// How one of the tools was called.
#[derive(Debug)]
pub(crate) struct Call {
    tool: Tool,
    /// What the program was called by, as getopt_long shows it.
    called: OsString,
    arguments: Vec<OsString>,
    major: Result<Major, String>,
}

impl Call {
    /// The call that the process's arguments are, if they are one of a tool.
    pub(crate) fn of(arguments: &[OsString]) -> Option<Self> {
        let (called, rest) = arguments.split_first()?;
        let name = Path::new(called).file_name()?;
        if let Some(tool) = Tool::named(name) {
            return Some(Self {
                tool,
                called: called.clone(),
                arguments: rest.to_vec(),
                major: Major::of_call(called),
            });
        }
        let (first, rest) = rest.split_first()?;
        let tool = Tool::named(first)?;
        Some(Self { tool, called: first.clone(), arguments: rest.to_vec(), major: Major::of_call(first) })
    }

    /// Runs the tool, and gives its exit code.
    pub(crate) fn run(self) -> ExitCode {
        let messages = |major| Messages::new(&self.called, self.tool.name(), major);
        let (major, messages) = match self.major {
            Ok(major) => (major, messages(major)),
            Err(why) => {
                messages(Major::NEWEST).error(&why);
                return ExitCode::FAILURE;
            }
        };
        match self.arguments.first().map(|first| first.as_bytes()) {
            Some(b"--help" | b"-?") => return messages.print(&self.tool.help(major)),
            Some(b"--version" | b"-V") => return messages.print(&[major.version_of(self.tool.name())]),
            _ => {}
        }
        let cancellation = Cancellation::new();
        let at_the_end = messages.clone();
        let handled = signals::handle(cancellation.clone(), move |ended| {
            at_the_end.terminated(ended);
            1
        });
        let context = Context { messages, major, cancellation };
        let ended = match handled {
            Ok(()) => self.tool.run(self.arguments, &context),
            Err(error) => Err(error.into()),
        };
        match ended {
            Ok(code) => code,
            Err(failure) => {
                context.messages.failure(&failure);
                ExitCode::FAILURE
            }
        }
    }
}

/// What a tool has of its call besides the arguments.
struct Context {
    messages: Messages,
    major: Major,
    cancellation: Cancellation,
}

impl Tool {
    fn help(self, major: Major) -> Vec<String> {
        match self {
            Self::Dump => pg_dump::help(major),
            Self::Dumpall => pg_dumpall::help(major),
            Self::Restore => pg_restore::help(major),
        }
    }

    fn run(self, arguments: Vec<OsString>, context: &Context) -> Result<ExitCode, failure::Failure> {
        match self {
            Self::Dump => pg_dump::run(arguments, context),
            Self::Dumpall => pg_dumpall::run(arguments, context),
            Self::Restore => pg_restore::run(arguments, context),
        }
    }
}
