//! PostgreSQL's archive formats, and nothing else: no database, no async. `Read` / `Write` / `Seek` in, types out.
//!
//! [`Writer`] writes what real pg_restore reads, in the custom format; [`Reader`] reads what real pg_dump writes: the custom,
//! directory and tar formats, versions 1.10 to 1.16. Both stream: no table is ever held in memory. `docs/FORMAT.md` describes
//! the formats byte by byte.
#![deny(missing_docs)]

mod compression;
mod diagnosis;
mod error;
mod files;
mod header;
pub mod kinds;
mod limits;
mod names;
mod primitives;
mod reader;
mod tar;
mod toc;
mod version;
mod writer;

pub use compression::{Compression, ParseCompressionError, Piece, PieceEncoder};
pub use diagnosis::mangled;
pub use error::{Direction, Error, ErrorKind, Result};
pub use files::{Files, Folder};
pub use header::{Created, Format, Header};
pub use kinds::Kind;
pub use limits::Limits;
pub use primitives::DataPosition;
pub use reader::{Block, DataReader, LargeObjectsReader, Reader};
pub use toc::{DumpId, Entries, Entry, Section};
pub use version::{ParseVersionError, Version};
pub use writer::{ContentsWriter, DataWriter, LargeObjectsWriter, Writer};
