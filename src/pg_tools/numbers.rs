//! Numbers as arguments of options.

use std::ffi::OsStr;
use std::ops::RangeInclusive;
use std::time::Duration;

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

/// How long a lock is waited for, as `--lock-wait-timeout` says it: in milliseconds, or with a unit as the server's settings have
/// them. No time is no limit.
///
/// # Errors
/// The server would not take it.
pub(super) fn lock_wait(argument: &OsStr) -> Result<Option<Duration>, Failure> {
    let text = argument.to_string_lossy();
    let trimmed = text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let end = trimmed.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(trimmed.len());
    let (amount, unit) = trimmed.split_at(end);
    let milliseconds = match unit.trim_start() {
        "us" => 0.001,
        "" | "ms" => 1.0,
        "s" => 1000.0,
        "min" => 60_000.0,
        "h" => 3_600_000.0,
        "d" => 86_400_000.0,
        _ => f64::NAN,
    };
    let wait = amount.parse::<f64>().unwrap_or(f64::NAN) * milliseconds;
    let wait = wait.round();
    if !(0.0..=f64::from(i32::MAX)).contains(&wait) {
        let shown = escaped(&text);
        return Err(Failure::usage(format!("invalid value \"{shown}\" for option --lock-wait-timeout")));
    }
    Ok(Some(Duration::from_secs_f64(wait / 1000.0)).filter(|wait| !wait.is_zero()))
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

    #[test]
    fn times_are_spelled_as_settings_are() {
        let read = |text: &str| lock_wait(OsStr::new(text)).ok().flatten().map(|wait| wait.as_millis());
        for (text, wait) in [
            ("2500", Some(2500)),
            ("100ms", Some(100)),
            (" 1.5 s ", Some(1500)),
            ("1min", Some(60_000)),
            ("2h", Some(7_200_000)),
            ("1d", Some(86_400_000)),
            ("0", None),
        ] {
            assert_eq!(read(text), wait, "{text}");
        }
        for wrong in ["", "x", "1 year", "-1", "30d", "1S"] {
            assert!(lock_wait(OsStr::new(wrong)).is_err(), "{wrong}");
        }
    }
}
