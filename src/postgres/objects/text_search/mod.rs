//! Text search: parsers, templates, dictionaries, configurations.

mod configuration;
mod dictionary;
mod parser;
mod template;

pub(super) use configuration::Configurations;
pub(super) use dictionary::Dictionaries;
pub(super) use parser::Parsers;
pub(super) use template::Templates;
