//! How old something may be: `26h`, `7d`.

use std::time::Duration;

/// Takes a number with its unit.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    let wrong = || "it must be a number with its unit: 90min, 26h, 7d, 2w".to_owned();
    let at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(at);
    let seconds: u64 = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(seconds * u64::from(number)))
}

/// A time in the two largest units that it has something of.
pub(super) fn shown(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_have_units() {
        for (text, seconds) in [("0s", 0), ("90min", 5400), ("26h", 93_600), ("7d", 604_800), ("2w", 1_209_600)] {
            assert_eq!(age(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "7", "d", "-1d", "1.5h", "1m", "1y", "99999999999d", "1 d"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_shown_in_two_units() {
        for (seconds, text) in [(5, "5 s"), (60, "1 min"), (3700, "1 h 1 min"), (200_000, "2 d 7 h")] {
            assert_eq!(shown(seconds), text);
        }
    }
}
