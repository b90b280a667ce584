//! Numbers as arguments of options.

use std::ffi::OsStr;
use std::ops::RangeInclusive;

use super::failure::Failure;
use crate::printable::escaped;

/// The number that an option's argument is: one that C's strtol reads, with blanks around it.
///
/// # Errors
/// It is none, or not in `range`.
pub(super) fn number(argument: &OsStr, option: &str, range: RangeInclusive<i32>) -> Result<i32, Failure> {
    let text = argument.to_string_lossy();
    let blank = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let trimmed = text.trim_matches(blank);
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Failure::usage(format!("invalid value \"{}\" for option {option}", escaped(&text))));
    }
    match trimmed.parse::<i32>() {
        Ok(number) if range.contains(&number) => Ok(number),
        // What is too long for a number is out of every range.
        _ => Err(Failure::usage(format!("{option} must be in range {}..{}", range.start(), range.end()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        let read = |text: &str| number(OsStr::new(text), "-j/--jobs", 1..=i32::MAX);
        assert!(matches!(read(" +3 "), Ok(3)));
        for (text, said) in [
            ("x", "invalid value \"x\" for option -j/--jobs"),
            ("", "invalid value \"\" for option -j/--jobs"),
            ("3x", "invalid value \"3x\" for option -j/--jobs"),
            ("-1 ", "-j/--jobs must be in range 1..2147483647"),
            ("99999999999999", "-j/--jobs must be in range 1..2147483647"),
        ] {
            assert!(matches!(read(text), Err(Failure::Usage(text)) if text == said), "{text}");
        }
    }
}
