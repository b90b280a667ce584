//! SQL text, built and read.
//!
//! It is built by parts. Keyword text is `&'static str`; names, literals and text that the server deparsed come in
//! through methods of their own, so a raw string made at run time does not compile.

mod builder;
mod encoding;
pub mod harmless;
mod keywords;
pub mod lexer;
pub mod quote;
mod setting;
mod style;

pub use builder::{Deparsed, Sql};
pub use encoding::{Encoding, LaterBytes};
pub use setting::{MalformedSetting, NoNames};
pub use style::Style;
