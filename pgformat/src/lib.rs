//! PostgreSQL's archive formats, and nothing else: no database, no async. `Read` / `Write` / `Seek` in, types out.
//!
//! [`Writer`] writes what real pg_restore reads, and [`Reader`] reads what real pg_dump writes: the custom, directory and tar
//! formats, versions 1.10 to 1.16. Both stream: no table is ever held in memory.
//! `docs/FORMAT.md` describes the formats byte by byte.
//!
//! ```
//! use std::io::{Cursor, Read, Write};
//!
//! use pgformat::{Compression, DumpId, Entry, Header, Limits, Reader, Version, Writer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let header = Header::new(Version::V1_14, Compression::GZIP).dbname("shop");
//! let table = Entry::new(DumpId(1), "TABLE").schema("public").tag("t").definition("CREATE TABLE public.t (a integer);\n");
//! let rows = Entry::new(DumpId(2), "TABLE DATA").schema("public").tag("t").has_data(true);
//! let rows = rows.copy_statement("COPY public.t (a) FROM stdin;\n").dependencies(vec![DumpId(1)]);
//! let mut writer = Writer::new(Vec::new(), header, vec![table, rows])?;
//! let mut data = writer.data(DumpId(2))?;
//! data.write_all(b"1\n2\n\\.\n\n\n")?;
//! data.finish()?;
//! let archive = writer.finish()?;
//!
//! let limits = Limits::DEFAULT.entries(100);
//! # Ok(())
//! # }
//! ```
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
mod setters;
mod spool;
mod tar;
mod toc;
mod version;
mod writer;

pub use compression::{Compression, FileWriter, ParseCompressionError, Piece, PieceEncoder};
pub use diagnosis::mangled;
pub use error::{Direction, Error, ErrorKind, Result};
pub use files::{Files, Folder, NewFiles};
pub use header::{Created, Format, Header};
pub use kinds::Kind;
pub use limits::Limits;
pub use names::is_archive_file;
pub use primitives::DataPosition;
pub use reader::{Block, DataReader, LargeObjectsReader, Reader};
pub use spool::{NewSpool, Spool};
pub use toc::{DumpId, Entries, Entry, Section};
pub use version::{ParseVersionError, Version};
pub use writer::{ContentsWriter, DataWriter, LargeObjectsWriter, ScriptWriter, Writer};
