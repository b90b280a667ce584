//! How long a lock is waited for, as a setting of PostgreSQL's says it: `5s`, `100ms`, `1.5 min`, `500`.

use std::fmt;
use std::time::Duration;

/// The units, and how many milliseconds each has.
const UNITS: [(&str, f64); 6] =
    [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("min", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];

/// Why a text is no time that a setting takes, in the server's words for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LockWaitFault {
    /// It is no number with a unit.
    Syntax,
    /// The unit is not known.
    Unit,
    /// It is too much for a setting.
    TooLong,
    /// It is less than nothing: so many milliseconds.
    Negative(i64),
}

impl fmt::Display for LockWaitFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax => f.write_str("it is no number with a unit of time"),
            Self::Unit => f.write_str("the units are \"us\", \"ms\", \"s\", \"min\", \"h\" and \"d\""),
            Self::TooLong => write!(f, "it is more than {} ms", i32::MAX),
            Self::Negative(ms) => write!(f, "it is less than nothing ({ms} ms)"),
        }
    }
}

impl std::error::Error for LockWaitFault {}

/// The time that `text` says, as the server would take it for `lock_timeout`: a number, whole or not, decimal, octal or
/// hexadecimal, with a unit or in milliseconds. `None` is no limit, which is what 0 means.
///
/// # Errors
/// The server would not take it.
pub fn lock_wait(text: &str) -> Result<Option<Duration>, LockWaitFault> {
    let is_blank = |c: char| matches!(c, ' ' | '\t'..='\r');
    let text = text.trim_start_matches(is_blank);
    let (number, rest) = number(text).ok_or(LockWaitFault::Syntax)?;
    let unit = rest.trim_matches(is_blank);
    let factor = match unit {
        "" => 1.0,
        // A unit has three letters at the most; what is longer is no unit at all, to the server.
        _ if unit.len() > 3 || unit.contains(is_blank) => return Err(LockWaitFault::Syntax),
        _ => UNITS.iter().find(|(name, _)| *name == unit).ok_or(LockWaitFault::Unit)?.1,
    };
    let milliseconds = (number * factor).round_ties_even();
    if milliseconds > f64::from(i32::MAX) || milliseconds < f64::from(i32::MIN) {
        return Err(LockWaitFault::TooLong);
    }
    // It is within the limits of an i32.
    #[expect(clippy::cast_possible_truncation, reason = "it is within the limits of an i32")]
    let milliseconds = milliseconds as i64;
    match u64::try_from(milliseconds) {
        Ok(0) => Ok(None),
        Ok(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        Err(_) => Err(LockWaitFault::Negative(milliseconds)),
    }
}

/// The number that a text begins with, and what comes after it.
fn number(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let digits = |text: &str, radix: u32| text.find(|c: char| !c.is_digit(radix)).unwrap_or(text.len());
    if let Some(hexadecimal) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let end = digits(hexadecimal, 16);
        let number = u32::from_str_radix(&hexadecimal[..end], 16).ok()?;
        return Some((sign * f64::from(number), &hexadecimal[end..]));
    }
    // What begins with a 0 is octal, as far as it goes, unless it has a fraction.
    let radix = if unsigned.starts_with('0') { 8 } else { 10 };
    let whole = digits(unsigned, radix);
    if whole > 0 && !unsigned[whole..].starts_with(['.', 'e', 'E']) {
        let number = u64::from_str_radix(&unsigned[..whole], radix).ok()?;
        #[expect(clippy::cast_precision_loss, reason = "more than an i32 is refused later")]
        return Some((sign * number as f64, &unsigned[whole..]));
    }
    let mut end = digits(unsigned, 10);
    if let Some(fraction) = unsigned[end..].strip_prefix('.') {
        end += 1 + digits(fraction, 10);
    }
    if let Some(exponent) = unsigned[end..].strip_prefix(['e', 'E']) {
        let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let places = digits(signed, 10);
        if places > 0 {
            end += 1 + (exponent.len() - signed.len()) + places;
        }
    }
    let number: f64 = unsigned[..end].parse().ok()?;
    Some((sign * number, &unsigned[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_taken_as_settings_take_them() {
        for (text, expected) in [
            ("0", 0),
            ("0s", 0),
            ("100", 100),
            (" 5s", 5000),
            ("5 s ", 5000),
            ("100ms", 100),
            ("1min", 60_000),
            ("1.5min", 90_000),
            (".5s", 500),
            ("1e3", 1000),
            ("1e1s", 10_000),
            ("0x10", 16),
            ("010", 8),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1499us", 1),
            ("400us", 0),
            ("+7", 7),
            ("2147483647", i32::MAX as u64),
        ] {
            let found = lock_wait(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(found, (expected > 0).then(|| Duration::from_millis(expected)), "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for (text, fault) in [
            ("", LockWaitFault::Syntax),
            ("s", LockWaitFault::Syntax),
            ("5 s s", LockWaitFault::Syntax),
            ("5 minutes", LockWaitFault::Syntax),
            ("5m", LockWaitFault::Unit),
            ("5S", LockWaitFault::Unit),
            ("2147483648", LockWaitFault::TooLong),
            ("100d", LockWaitFault::TooLong),
            ("-1", LockWaitFault::Negative(-1)),
            ("-1s", LockWaitFault::Negative(-1000)),
        ] {
            assert_eq!(lock_wait(text), Err(fault), "{text}");
        }
    }
}
