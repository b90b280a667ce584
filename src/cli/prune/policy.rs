//! Which backups are kept, by when they were made.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{Error, ErrorKind, Result};

/// How many are kept of what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Policy {
    /// For each of [`RULES`].
    keep: [u32; RULES.len()],
}

/// The words for the rules, and what backups have in common of which one is kept: nothing for the last.
const RULES: [(&str, Option<&str>); 6] = [
    ("last", None),
    ("hourly", Some("%Y-%m-%d %H %z")),
    ("daily", Some("%Y-%m-%d")),
    ("weekly", Some("%G-%V")),
    ("monthly", Some("%Y-%m")),
    ("yearly", Some("%Y")),
];

/// The options of `lifeboat prune`, by restic's and borg's words.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What is kept (a backup that any of these keeps)")]
pub(crate) struct PolicyArgs {
    /// The newest N
    #[arg(long, value_name = "N")]
    keep_last: Option<u32>,
    /// Of the last N hours that have a backup, the newest of each
    #[arg(long, value_name = "N")]
    keep_hourly: Option<u32>,
    /// Of the last N days that have a backup, the newest of each
    #[arg(long, value_name = "N")]
    keep_daily: Option<u32>,
    /// Of the last N weeks (from Monday on) that have a backup, the newest of each
    #[arg(long, value_name = "N")]
    keep_weekly: Option<u32>,
    /// Of the last N months that have a backup, the newest of each
    #[arg(long, value_name = "N")]
    keep_monthly: Option<u32>,
    /// Of the last N years that have a backup, the newest of each
    #[arg(long, value_name = "N")]
    keep_yearly: Option<u32>,
}

impl PolicyArgs {
    /// The policy that these come to.
    ///
    /// # Errors
    /// Nothing would be kept.
    pub(crate) fn policy(&self) -> Result<Policy> {
        let Self { keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly } = *self;
        let keep =
            [keep_last, keep_hourly, keep_daily, keep_weekly, keep_monthly, keep_yearly].map(Option::unwrap_or_default);
        let policy = Policy { keep };
        if policy == Policy::default() {
            return Err(Error::new(ErrorKind::Usage, "remove old backups")
                .why("nothing says which are to be kept")
                .hint("say it with --keep-last 7, --keep-daily 14, --keep-weekly 8 and the like"));
        }
        Ok(policy)
    }
}

impl Policy {
    /// The policy that a text says: `last=7,daily=14`.
    ///
    /// # Errors
    /// It makes no sense, or nothing would be kept.
    pub(crate) fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut policy = Self::default();
        for rule in text.split(',') {
            let wrong = || {
                let words: Vec<&str> = RULES.iter().map(|(word, _)| *word).collect();
                format!("it must be rules with numbers, as last=7,daily=14; the rules are {}", words.join(", "))
            };
            let (word, number) = rule.split_once('=').ok_or_else(wrong)?;
            let at = RULES.iter().position(|(known, _)| *known == word).ok_or_else(wrong)?;
            policy.keep[at] = number.parse().map_err(|_| wrong())?;
        }
        if policy == Self::default() {
            return Err("nothing would be kept".to_owned());
        }
        Ok(policy)
    }

    /// For each of these, which are the newest first, by which rules it is kept; by none, if it is not.
    pub(super) fn reasons(&self, made: &[Timestamp], zone: &TimeZone) -> Vec<Vec<&'static str>> {
        let mut reasons = vec![Vec::new(); made.len()];
        for ((word, in_common), keep) in RULES.iter().zip(self.keep) {
            let (mut left, mut last) = (keep, None);
            for (moment, reasons) in made.iter().zip(&mut reasons).take_while(|_| keep > 0) {
                let period = in_common.map(|format| moment.to_zoned(zone.clone()).strftime(format).to_string());
                // Only the last of a period counts.
                if left == 0 || (period.is_some() && period == last) {
                    continue;
                }
                last = period;
                left -= 1;
                reasons.push(*word);
            }
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(policy: &str, made: &[&str]) -> Vec<String> {
        let moments: Vec<Timestamp> = made.iter().map(|text| format!("{text}:00Z").parse().unwrap()).collect();
        let reasons = Policy::parse(policy).unwrap().reasons(&moments, &TimeZone::UTC);
        let shown = |(made, reasons): (&&str, &Vec<&str>)| {
            (!reasons.is_empty()).then(|| format!("{} {}", &made[..10], reasons.join("+")))
        };
        made.iter().zip(&reasons).filter_map(shown).collect()
    }

    const MADE: [&str; 8] = [
        "2026-03-02T03:00",
        "2026-03-01T23:00",
        "2026-03-01T03:00",
        "2026-02-28T03:00",
        "2026-02-22T03:00",
        "2026-01-31T03:00",
        "2026-01-01T03:00",
        "2025-12-31T03:00",
    ];

    #[test]
    fn each_rule_keeps_the_newest_of_its_periods() {
        assert_eq!(kept("last=2", &MADE), ["2026-03-02 last", "2026-03-01 last"]);
        assert_eq!(kept("daily=2", &MADE), ["2026-03-02 daily", "2026-03-01 daily"]);
        assert_eq!(kept("daily=3", &MADE)[2], "2026-02-28 daily");
        // The first of March was a Sunday: it ends the week that began in February.
        assert_eq!(kept("weekly=3", &MADE), ["2026-03-02 weekly", "2026-03-01 weekly", "2026-02-22 weekly"]);
        assert_eq!(kept("monthly=3", &MADE), ["2026-03-02 monthly", "2026-02-28 monthly", "2026-01-31 monthly"]);
        assert_eq!(kept("yearly=9", &MADE), ["2026-03-02 yearly", "2025-12-31 yearly"]);
        assert_eq!(kept("hourly=2", &["2026-03-02T03:30", "2026-03-02T03:10", "2026-03-01T03:10"]).len(), 2);
        assert_eq!(kept("last=1,daily=1,yearly=2", &MADE), ["2026-03-02 last+daily+yearly", "2025-12-31 yearly"]);
        assert!(kept("last=1", &[]).is_empty());
    }

    #[test]
    fn something_is_always_kept() {
        for wrong in ["", "last", "last=", "last=-1", "last=0", "x=1", "last=1,", "daily=0,weekly=0"] {
            assert!(Policy::parse(wrong).is_err(), "{wrong}");
        }
        for (word, _) in RULES {
            assert_eq!(kept(&format!("{word}=1"), &MADE).len(), 1, "{word}");
        }
    }
}
