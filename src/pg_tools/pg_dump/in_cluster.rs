//! The dump of a database as a part of a whole server's script, as pg_dumpall has it.

use std::ffi::{OsStr, OsString};
use std::io::Write;

use super::{options, plain};
use crate::pg_tools::Context;
use crate::pg_tools::console::Console;
use crate::pg_tools::failure::Failure;
use crate::pg_tools::messages::Messages;
use crate::postgres::script::RestrictKey;
use crate::wire::Connection;
use crate::{ErrorKind, Result as EngineResult};

/// Writes what pg_dump writes that is called with these arguments, over connections of the caller's. What it has to say, it says
/// by its own name.
///
/// # Errors
/// As pg_dump; what went wrong is told. What keeps a script from being written is the caller's to tell.
pub(in crate::pg_tools) fn write(
    arguments: Vec<OsString>,
    key: &RestrictKey,
    context: &Context,
    connect: &dyn Fn() -> EngineResult<Connection>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let messages = Messages::new(OsStr::new("pg_dump"), "pg_dump", context.major);
    let written = options::read(arguments, context.major).and_then(|mut options| {
        options.restrict_key = Some(key.clone());
        let console = Console::new(&messages, options.flags.verbose, &context.cancellation);
        plain::write(&options, context.major, connect, out, &console)
    });
    written.map_err(|failure| match failure {
        Failure::Engine(error) if error.kind() == ErrorKind::Io => Failure::Engine(error),
        failure => {
            messages.failure(&failure);
            Failure::Told
        }
    })
}
