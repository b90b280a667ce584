//! A synchronous client of PostgreSQL's frontend/backend protocol, version 3.
//!
//! # Why there is one
//!
//! **Bytes.** A SQL_ASCII database holds whatever it was given, and no conversion exists for it; an archive's statements are in
//! the encoding of the database that it was made of. The clients that exist take statements as `&str` and ask for UTF8 while
//! they connect, so a table whose name is not valid UTF-8 can be neither locked nor copied with them. Here statements,
//! parameters, values and errors are bytes, and the session's encoding is left alone.
//!
//! **COPY.** Nearly all of a backup's bytes pass through here, one small message a row. A client that makes a value of each
//! message allocates for each, and holds a row whole, however long. [`CopyOut::fill`] walks over the messages where they lie
//! in a large read buffer and copies each row once, to where it is wanted, in parts if it is long. [`CopyIn::send`] gathers
//! rows into large messages, because the server does not care how the data are cut.
//!
//! **Round trips.** A catalog is read by some dozens of queries whose results do not depend on each other.
//! [`Connection::pipeline`] has them all on their way at once; over a slow line it takes one round trip, not dozens.
//!
//! **Threads, not futures.** A dump is a handful of connections, each with a thread that does nothing else, so blocking
//! reads are all that is needed, and the fastest that there is.
//!
//! # What it stands on
//!
//! Messages without bytes in them are those of `postgres-protocol`, which does no I/O of its own; values are those of
//! `postgres-types`. Of the crate that it is in, this module uses nothing: what a server of which version has for limits of
//! time, and how further connections are made, it is told ([`Startup`], [`Dial`], [`Watch`]).
//!
//! # How two talkers do not wait for each other
//!
//! A server that cannot get rid of its results stops reading, and a client that cannot get rid of its statements could stop
//! reading, too. So [`Channel`] never waits for room to write without reading meanwhile what comes in, and a pipeline has
//! no more on its way than what sockets buffer, so that what comes in stays small. A COPY into the server looks after each
//! batch for what the server has said: notices of triggers, or that it has refused the data long ago.
//!
//! # After an error
//!
//! An error of the server's ends a statement, not the connection: every call here reads on to where the server is ready
//! again. Where the conversation cannot be taken up again (the stream broke off or made no sense, the server ended the
//! session, a [`CopyOut`] was dropped in its middle) the connection remembers why, and every later call says so. Nothing
//! that the server sends makes anything panic, and no length that it tells is believed: buffers grow as bytes come in.
//!
//! # Bounds
//!
//! Nothing that a server sends takes memory without end. The results of the queries that are sent together take 2 GiB at
//! most, a single one 1 GiB: a database of a million objects stays below that. Of an error or a notice 1 MiB is kept, of
//! notices the last thousand, 1 MiB in all. COPY's data is handed on as it comes, whatever the length of a row. Other
//! messages of more than 1 MiB are refused by their length. How long is waited for a server is said in [`Watch`]'s file.
//!
//! # What is planned where
//!
//! No statement of ours is planned before the search path is empty, on whatever connection: `block` says how. What comes
//! from an archive has a way of its own, [`Connection::foreign`].
//!
//! # A new kind of message exchange
//!
//! Put it into a file of its own, beside `simple`, `extended`, `copy_out` and `copy_in`: check that the connection is
//! usable and the text guarded, put messages into `out`, flush, and take messages with `next` until `ReadyForQuery`.
//! `next` has taken in notices and parameters by then. Give a message that has no place to `unexpected`.

mod block;
mod cancel;
mod channel;
mod connection;
mod copy_in;
mod copy_out;
mod decode;
mod error;
mod extended;
mod foreign;
mod frame;
mod methods;
mod param;
mod patience;
mod report;
mod rows;
mod simple;
mod socket;
pub mod sqlstate;
mod startup;
mod values;

pub use block::Begin;
pub use cancel::{CancelHandle, Dial, cancel_all};
pub use channel::Channel;
pub use connection::Connection;
pub use copy_in::CopyIn;
pub use copy_out::CopyOut;
pub use error::{Error, Login, NoAnswer, Result, Why};
pub use extended::Query;
pub use foreign::{Foreign, SessionSettings};
pub use methods::Methods;
pub use param::Param;
pub use patience::{Seen, Watch};
pub use report::{Notice, ServerError};
pub use rows::{Row, Rows};
pub use simple::Told;
pub use socket::Socket;
pub use startup::{ChannelBinding, Startup};
