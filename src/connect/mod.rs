//! From what a person typed to an open connection: URLs in the forms of libpq and of SQLAlchemy, `key=value` strings, the
//! `PG*` environment, the password file, TLS.
//!
//! A text becomes [`settings::Settings`] (what was said, by parameter), and settings with the environment become a
//! [`Target`] (what it means); only [`Target::connect`] touches the network. The environment is a value
//! ([`Environment`]), so that everything before that can be tested without changing the process's own.

mod application;
mod attempt;
mod certificate;
mod client_key;
mod environment;
mod hosts;
mod keyword;
mod lock_watch;
mod named;
mod password_file;
mod peer;
mod recognise;
mod revocation;
mod service_file;
mod settings;
mod socket;
mod sqlite;
mod target;
mod tls;
mod url;
mod url_file;
mod watch;

pub use environment::Environment;
pub use named::Named;
pub use recognise::{Database, find_url, recognise};
pub(crate) use recognise::{VARIABLES, url_variable};
pub use settings::Settings;
pub use sqlite::SqliteTarget;
pub(crate) use target::PasswordSource;
pub use target::Target;
pub(crate) use tls::CertificateCheck;
pub use tls::SslMode;
pub use url_file::read_url;
