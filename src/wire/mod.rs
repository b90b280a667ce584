//! A synchronous client of PostgreSQL's frontend/backend protocol, version 3.

mod cancel;
mod channel;
mod connection;
mod copy_in;
mod copy_out;
mod decode;
mod extended;
mod frame;
mod param;
mod report;
mod rows;
mod simple;
mod startup;

pub use cancel::{CancelHandle, Dial};
pub use channel::{Channel, Socket};
pub use connection::Connection;
pub use copy_in::CopyIn;
pub use copy_out::CopyOut;
pub use extended::Query;
pub use param::Param;
pub use report::{Notice, ServerError};
pub use rows::{Column, Row, Rows};
pub use startup::{ChannelBinding, Startup};
