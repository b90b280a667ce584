//! How a compression is spelled: `gzip`, `zstd:9`, `zstd:level=9,long`, or a level alone, which is gzip's.

use std::ffi::OsStr;

use pgformat::Compression;

use super::failure::Failure;
use crate::printable::escaped;

/// The levels of an algorithm and the one that is meant by none.
struct Levels {
    least: i32,
    most: i32,
    default: i32,
}

/// An algorithm, with what is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    None,
    Gzip,
    Lz4,
    Zstd,
}

impl Algorithm {
    const ALL: [(Self, &'static str); 4] =
        [(Self::None, "none"), (Self::Gzip, "gzip"), (Self::Lz4, "lz4"), (Self::Zstd, "zstd")];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(algorithm, _)| *algorithm == self).map_or("", |(_, name)| name)
    }

    fn levels(self) -> Option<Levels> {
        match self {
            Self::None => None,
            Self::Gzip => Some(Levels { least: 1, most: 9, default: -1 }),
            Self::Lz4 => Some(Levels { least: 1, most: 12, default: 0 }),
            Self::Zstd => Some(Levels { least: -131_072, most: 22, default: 3 }),
        }
    }
}

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// The compression itself.
    pub(super) compression: Compression,
    /// Whether threads were asked for, which the program has a number of its own of.
    pub(super) workers: bool,
}

/// Reads the argument of `--compress`, as tools from PostgreSQL 16 on do.
///
/// # Errors
/// It names no algorithm, or an option or a level that the algorithm does not have.
pub(super) fn parse(argument: &OsStr) -> Result<Asked, Failure> {
    let text = argument.to_string_lossy();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    let is_level = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (name, detail) = match text.split_once(':') {
        _ if is_level && digits.bytes().all(|byte| byte == b'0') => ("none", None),
        _ if is_level => ("gzip", Some(&*text)),
        Some((name, detail)) => (name, Some(detail)),
        None => (&*text, None),
    };
    let Some((algorithm, _)) = Algorithm::ALL.into_iter().find(|(_, known)| *known == name) else {
        return Err(Failure::usage(format!("unrecognized compression algorithm: \"{}\"", escaped(name))));
    };
    specification(algorithm, detail)
        .map_err(|why| Failure::usage(format!("invalid compression specification: {}", escaped(&why))))
}

fn specification(algorithm: Algorithm, detail: Option<&str>) -> Result<Asked, String> {
    let mut level = None;
    let mut workers = None;
    let mut long = false;
    let is_number =
        |text: &str| !text.is_empty() && text.strip_prefix('-').unwrap_or(text).bytes().all(|b| b.is_ascii_digit());
    match detail {
        None => {}
        Some(text) if is_number(text) => level = text.parse::<i32>().ok().or(Some(i32::MAX)),
        Some("") => return Err("found empty string where a compression option was expected".to_owned()),
        Some(text) => {
            for part in text.split(',') {
                let (keyword, value) = part.split_once('=').map_or((part, None), |(key, value)| (key, Some(value)));
                match keyword {
                    "" => return Err("found empty string where a compression option was expected".to_owned()),
                    "level" => level = Some(integer(keyword, value)?),
                    "workers" => workers = Some(integer(keyword, value)?),
                    "long" => long = boolean(keyword, value)?,
                    _ => return Err(format!("unrecognized compression option: \"{keyword}\"")),
                }
            }
        }
    }
    let name = algorithm.name();
    if let Some(level) = level {
        match algorithm.levels() {
            None => return Err(format!("compression algorithm \"{name}\" does not accept a compression level")),
            // Of Zstandard, 0 is its default, and smaller ones are faster still.
            Some(levels) if (levels.least..=levels.most).contains(&level) || level == levels.default => {}
            Some(Levels { least, most, default }) => {
                return Err(format!(
                    "compression algorithm \"{name}\" expects a compression level between {least} and {most} (default at {default})"
                ));
            }
        }
    }
    if workers.is_some() && algorithm != Algorithm::Zstd {
        return Err(format!("compression algorithm \"{name}\" does not accept a worker count"));
    }
    if long && algorithm != Algorithm::Zstd {
        return Err(format!("compression algorithm \"{name}\" does not support long-distance mode"));
    }
    let chosen = level.filter(|level| algorithm.levels().is_none_or(|levels| levels.default != *level));
    let compression = match algorithm {
        Algorithm::None => Compression::None,
        Algorithm::Gzip => Compression::Gzip(chosen.and_then(|level| u8::try_from(level).ok())),
        // There is one way of making LZ4 here, whatever the level.
        Algorithm::Lz4 => Compression::Lz4,
        Algorithm::Zstd => Compression::Zstd(chosen.filter(|level| *level != 0)),
    };
    Ok(Asked { compression, workers: workers.is_some() })
}

fn integer(keyword: &str, value: Option<&str>) -> Result<i32, String> {
    let Some(value) = value else { return Err(format!("compression option \"{keyword}\" requires a value")) };
    value.parse().map_err(|_| format!("value for compression option \"{keyword}\" must be an integer"))
}

fn boolean(keyword: &str, value: Option<&str>) -> Result<bool, String> {
    match value.map(str::to_ascii_lowercase).as_deref() {
        None | Some("yes" | "on" | "1") => Ok(true),
        Some("no" | "off" | "0") => Ok(false),
        Some(_) => Err(format!("value for compression option \"{keyword}\" must be a Boolean value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        match parse(OsStr::new(text)) {
            Ok(asked) => asked.compression.to_string(),
            Err(Failure::Usage(why)) => why,
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn compressions_are_spelled_as_postgresql_spells_them() {
        for (text, meaning) in [
            ("none", "none"),
            ("0", "none"),
            ("6", "gzip:6"),
            ("gzip:9", "gzip:9"),
            ("zstd:level=5,long=off", "zstd:5"),
            ("q", "unrecognized compression algorithm: \"q\""),
            (
                "15",
                "invalid compression specification: compression algorithm \"gzip\" expects a compression level between 1 and 9 (default at -1)",
            ),
            (
                "none:1",
                "invalid compression specification: compression algorithm \"none\" does not accept a compression level",
            ),
            ("gzip:nonInt", "invalid compression specification: unrecognized compression option: \"nonInt\""),
            (
                "gzip:level=x",
                "invalid compression specification: value for compression option \"level\" must be an integer",
            ),
            ("gzip:level", "invalid compression specification: compression option \"level\" requires a value"),
            (
                "zstd:long=x",
                "invalid compression specification: value for compression option \"long\" must be a Boolean value",
            ),
        ] {
            assert_eq!(said(text), meaning, "{text}");
        }
    }
}
