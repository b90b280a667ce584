//! Numbers as arguments of options.

use std::ffi::OsStr;
use std::time::Duration;

use super::failure::Failure;
use super::major::Major;
use crate::postgres::dump;
use crate::printable::escaped;

/// A number that an option takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// How the option is called.
    option: &'static str,
    least: i32,
    most: i32,
    /// What tools of PostgreSQL 14 say of anything else.
    of_14: &'static str,
}

pub(super) const JOBS: Limits =
    Limits { option: "-j/--jobs", least: 1, most: i32::MAX, of_14: "invalid number of parallel jobs" };
pub(super) const LEVEL: Limits =
    Limits { option: "-Z/--compress", least: 0, most: 9, of_14: "compression level must be in range 0..9" };
pub(super) const EXTRA_FLOAT_DIGITS: Limits =
    Limits { option: "--extra-float-digits", least: -15, most: 3, of_14: "extra_float_digits must be in range -15..3" };
pub(super) const ROWS_PER_INSERT: Limits = Limits {
    option: "--rows-per-insert",
    least: 1,
    most: i32::MAX,
    of_14: "rows-per-insert must be in range 1..2147483647",
};

pub(super) const TRANSACTION_SIZE: Limits =
    Limits { option: "--transaction-size", least: 1, most: i32::MAX, of_14: "" };

/// The number that an option's argument is: one that C's strtol reads, with blanks around it.
///
/// # Errors
/// It is none, or beyond the limits.
pub(super) fn number(argument: &OsStr, limits: Limits, major: Major) -> Result<i32, Failure> {
    let Limits { option, least, most, of_14 } = limits;
    let text = argument.to_string_lossy();
    let blank = |c: char| c.is_ascii_whitespace() || c == '\x0b';
    let trimmed = text.trim_matches(blank);
    let digits = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match trimmed.parse::<i32>() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ if major.number() == 14 => Err(Failure::usage(of_14)),
        // What is too long for a number is out of every range.
        _ if is_number => Err(Failure::usage(format!("{option} must be in range {least}..{most}"))),
        _ => Err(Failure::usage(format!("invalid value \"{}\" for option {option}", escaped(&text)))),
    }
}

/// How long a lock is waited for, as `--lock-wait-timeout` says it: as the server's settings of time do.
///
/// # Errors
/// The server would not take it.
pub(super) fn lock_wait(argument: &OsStr) -> Result<Option<Duration>, Failure> {
    let text = argument.to_string_lossy();
    dump::lock_wait(&text).map_err(|why| {
        Failure::usage(format!("invalid value \"{}\" for option --lock-wait-timeout: {why}", escaped(&text)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_c_reads_them() {
        let read = |text: &str| number(OsStr::new(text), JOBS, Major::parse("18").unwrap());
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
