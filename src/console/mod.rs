//! What all faces of the program share: the process's standard streams, passwords that none of them must show, signals.

pub(crate) mod filter_file;
pub(crate) mod secret;
pub(crate) mod signals;
pub(crate) mod standard_streams;
pub(crate) mod terminal;
pub(crate) mod terminal_password;
