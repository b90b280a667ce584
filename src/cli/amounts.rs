//! Numbers, sizes and times as reports have them.

use std::time::Duration;

/// `1 row`, `2 rows`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// A time in seconds, as programs are told it.
pub(crate) fn seconds(time: Duration) -> f64 {
    time.as_millis() as f64 / 1000.0
}

/// A size as the report of a backup gives it: always in the same unit, so that two lines of a log can be compared.
pub(crate) fn mebibytes(bytes: u64) -> String {
    // In hundredths, rounded up, so that a file that is there never shows as 0.00.
    let hundredths = (u128::from(bytes) * 100).div_ceil(1 << 20);
    format!("{}.{:02} MiB", hundredths / 100, hundredths % 100)
}

/// A size in the unit that fits it.
pub(crate) fn human(bytes: u64) -> String {
    let (number, unit) = human_part(bytes, bytes);
    format!("{number} {unit}")
}

/// The number of bytes in the unit that fits `whole`, and that unit.
pub(crate) fn human_part(bytes: u64, whole: u64) -> (String, &'static str) {
    if whole < 1024 {
        return (bytes.to_string(), "bytes");
    }
    let (mut bytes, mut whole) = (u128::from(bytes) * 10 / 1024, u128::from(whole) * 10 / 1024);
    let mut unit = "KiB";
    for next in ["MiB", "GiB", "TiB", "PiB"] {
        if whole < 10_240 {
            break;
        }
        (bytes, whole, unit) = (bytes / 1024, whole / 1024, next);
    }
    (format!("{}.{}", bytes / 10, bytes % 10), unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(mebibytes(0), "0.00 MiB");
        assert_eq!(mebibytes(1), "0.01 MiB");
        assert_eq!(mebibytes(12_939_428), "12.35 MiB");
        assert_eq!(mebibytes(1 << 20), "1.00 MiB");
        assert_eq!(mebibytes(u64::MAX), "17592186044416.00 MiB");
    }

    #[test]
    fn sizes_are_given_in_the_unit_that_fits() {
        for (bytes, shown) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1_048_576, "1.0 MiB"),
            (5 << 30, "5.0 GiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(human(bytes), shown);
        }
        assert_eq!(human_part(100 << 20, 5 << 30), ("0.0".to_owned(), "GiB"));
        assert_eq!(human_part(500, 1023), ("500".to_owned(), "bytes"));
    }
}
