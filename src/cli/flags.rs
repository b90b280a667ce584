//! Flags that come in pairs, of which the last one wins, and values with a small language of their own.

use std::str::FromStr;

/// What a pair of flags comes to: `yes` and `no` override each other, so at most one is set.
#[allow(dead_code, reason = "the PostgreSQL verbs use it as they are wired in")]
pub(crate) fn pair(yes: bool, no: bool, default: bool) -> bool {
    match (yes, no) {
        (true, _) => true,
        (_, true) => false,
        _ => default,
    }
}

/// How table data is compressed: pg_dump's `--compress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compress {
    None,
    Gzip(u32),
    Lz4(u32),
    Zstd(i32),
}

impl FromStr for Compress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(level) = text.parse::<u32>() {
            return Self::method(if level == 0 { "none" } else { "gzip" }, (level > 0).then_some(i64::from(level)));
        }
        let (method, detail) = match text.split_once(':') {
            Some((method, detail)) => (method, Some(detail)),
            None => (text, None),
        };
        let level = match detail {
            None => None,
            Some(detail) => {
                let number = detail.strip_prefix("level=").unwrap_or(detail);
                Some(number.parse::<i64>().map_err(|_| format!("{detail:?} is not a compression level"))?)
            }
        };
        Self::method(method, level)
    }
}

impl Compress {
    fn method(name: &str, level: Option<i64>) -> Result<Self, String> {
        let within = |default: i64, low: i64, high: i64| {
            let level = level.unwrap_or(default);
            if (low..=high).contains(&level) {
                Ok(level)
            } else {
                Err(format!("{name} has levels from {low} to {high}"))
            }
        };
        let small = |level: i64| u32::try_from(level).map_err(|_| format!("{level} is no level of {name}"));
        match name {
            "none" if level.is_none() => Ok(Self::None),
            "none" => Err("\"none\" has no levels".into()),
            "gzip" => Ok(Self::Gzip(small(within(6, 1, 9)?)?)),
            "lz4" => Ok(Self::Lz4(small(within(0, 0, 12)?)?)),
            "zstd" => i32::try_from(within(3, -7, 22)?).map(Self::Zstd).map_err(|e| e.to_string()),
            _ => Err(format!("{name:?} is none of gzip, lz4, zstd, none")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn methods_and_levels() {
        for (text, expected) in [
            ("gzip:6", Compress::Gzip(6)),
            ("gzip", Compress::Gzip(6)),
            ("gzip:level=9", Compress::Gzip(9)),
            ("9", Compress::Gzip(9)),
            ("0", Compress::None),
            ("none", Compress::None),
            ("zstd", Compress::Zstd(3)),
            ("zstd:-5", Compress::Zstd(-5)),
            ("lz4", Compress::Lz4(0)),
        ] {
            assert_eq!(text.parse::<Compress>().unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_compression() {
        for text in ["", "10", "gzip:0", "gzip:10", "gzip:", "zstd:23", "none:1", "lz4:99999999999999999999", "brotli"]
        {
            text.parse::<Compress>().unwrap_err();
        }
    }
}
