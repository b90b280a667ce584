//! `host=localhost dbname='my db'`: connection strings of keywords and values.

use bstr::ByteSlice;

use super::settings::Settings;
use crate::{Error, ErrorKind, Result};

/// Reads a connection string. Values may stand in single quotes; a backslash takes the next character as it is.
///
/// # Errors
/// It is not formed so, or names a parameter that does not exist.
pub(super) fn parse(text: &[u8]) -> Result<Settings> {
    let mut settings = Settings::default();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let end = rest.iter().position(|b| *b == b'=' || b.is_ascii_whitespace()).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let name = name.to_str().map_err(|_| malformed("the name of a parameter is not valid UTF-8"))?;
        let Some(value) = after.trim_ascii_start().strip_prefix(b"=") else {
            // The rest may hold a password that was meant to be quoted, so it is not shown.
            return Err(malformed("there is a word that no \"=\" follows"));
        };
        let (value, after) = value_of(value.trim_ascii_start(), name)?;
        settings.set(name, value)?;
        rest = after.trim_ascii_start();
    }
    Ok(settings)
}

fn value_of<'a>(text: &'a [u8], name: &str) -> Result<(Vec<u8>, &'a [u8])> {
    let quoted = text.first() == Some(&b'\'');
    let mut value = Vec::new();
    let mut bytes = text.iter().enumerate().skip(usize::from(quoted));
    while let Some((at, &byte)) = bytes.next() {
        match byte {
            b'\\' => value.extend(bytes.next().map(|(_, b)| *b)),
            b'\'' if quoted => return Ok((value, &text[at + 1..])),
            _ if !quoted && byte.is_ascii_whitespace() => return Ok((value, &text[at..])),
            _ => value.push(byte),
        }
    }
    if quoted {
        return Err(malformed(&format!("the value of {name:?} has no closing quote")));
    }
    Ok((value, &[]))
}

fn malformed(why: &str) -> Error {
    Error::new(ErrorKind::Usage, "read the connection string").why(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_unquoted() {
        let s = parse(br" host = 'a b' dbname=it\'s password='x\\y\'z' port=5433 user='' ").unwrap();
        assert_eq!(s.get("host").unwrap(), "a b");
        assert_eq!(s.get("dbname").unwrap(), "it's");
        assert_eq!(s.get("password").unwrap(), r"x\y'z");
        assert_eq!(s.get("port").unwrap(), "5433");
        assert_eq!(s.get("user"), None);
    }

    #[test]
    fn what_is_wrong_is_said_without_showing_secrets() {
        for (text, said) in [
            ("host=x geheim", "no \"=\""),
            ("host=x hots=geheim", "\"hots\""),
            ("password='geheim", "\"password\" has no closing quote"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(said) && !error.contains("geheim"), "{error}");
        }
    }
}
