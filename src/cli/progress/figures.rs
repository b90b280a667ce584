//! How far a phase has come, in words.

use std::time::Duration;

use crate::cli::amounts::{human, human_part};
use crate::{Total, Unit};

/// How long a phase must have run before anything is said about its end, and what share of it must be done by then.
const EARLIEST: Duration = Duration::from_secs(5);
const LEAST_PERCENT: u128 = 1;

/// What a phase has, and how much of it is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Figures {
    pub unit: Unit,
    pub total: Total,
    pub besides: u64,
    /// Units that are done.
    pub done: u64,
    /// Work besides that is done.
    pub beside: u64,
}

impl Figures {
    /// How much is done of how much, in units and as many of them as the work besides stands for. `None` where the whole is
    /// not known, or turned out to be more than was thought.
    pub fn share(&self) -> Option<(u128, u128)> {
        let total = match self.total {
            Total::Unknown => return None,
            Total::About(total) if self.done > total => return None,
            Total::About(total) | Total::Exactly(total) => total,
        };
        let whole = u128::from(total) + u128::from(self.besides);
        let done = u128::from(self.done) + u128::from(self.beside);
        (whole > 0).then_some((done.min(whole), whole))
    }

    /// The figures for a line of a log, after the phase has run for so long; nothing, if there are none.
    pub fn text(&self, elapsed: Duration) -> String {
        let share = self.share();
        let percent = share.map(|(done, whole)| format!("{}%", done * 100 / whole));
        let left =
            share.and_then(|(done, whole)| left(done, whole, elapsed)).map(|left| format!("{} left", rough(left)));
        let parts: Vec<String> = [percent, self.amount(share.is_some()), left].into_iter().flatten().collect();
        parts.join(", ")
    }

    /// The same, short enough for a line on a terminal with a bar.
    pub fn short(&self, elapsed: Duration) -> String {
        let share = self.share();
        let percent = share.map(|(done, whole)| format!("{:>3}%", done * 100 / whole));
        let of = |about: &str, total: u64| match self.unit {
            Unit::Bytes => {
                let ((done, _), (total, unit)) = (human_part(self.done, total), human_part(total, total));
                format!("{done}/{about}{total} {unit}")
            }
            Unit::Steps => format!("{}/{about}{total}", self.done),
        };
        let amount = match self.total {
            Total::Exactly(total) if total > 0 => Some(of("", total)),
            Total::About(total) if share.is_some() => Some(of("~", total)),
            _ => self.amount(share.is_some()),
        };
        let left = share.and_then(|(done, whole)| left(done, whole, elapsed));
        let left = left.map(|left| format!("{} left", rough(left).replacen("about ", "~", 1)));
        [percent, amount, left].into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    /// The units that are done, of how many.
    fn amount(&self, is_known: bool) -> Option<String> {
        let words = |n: u64| match self.unit {
            Unit::Bytes => human(n),
            Unit::Steps => n.to_string(),
        };
        match self.total {
            Total::Exactly(0) => None,
            Total::Exactly(total) => Some(format!("{} of {}", words(self.done), words(total))),
            Total::About(total) if is_known => Some(format!("{} of about {}", words(self.done), words(total))),
            _ => (self.done > 0).then(|| format!("{} so far", words(self.done))),
        }
    }
}

/// How long it takes to the end, if it goes on as it went from the beginning.
fn left(done: u128, whole: u128, elapsed: Duration) -> Option<Duration> {
    let is_early = elapsed < EARLIEST || done * 100 < whole * LEAST_PERCENT;
    if is_early || done == 0 || done == whole {
        return None;
    }
    // A phase has fewer than 2^65 units and a year fewer than 2^35 milliseconds.
    let millis = elapsed.as_millis().checked_mul(whole - done)? / done;
    Some(Duration::from_millis(u64::try_from(millis).ok()?))
}

/// A time as one says it who does not know it exactly.
fn rough(time: Duration) -> String {
    let seconds = time.as_millis().div_ceil(1000);
    match seconds {
        0..10 => "a few seconds".to_owned(),
        10..90 => format!("about {} s", seconds.next_multiple_of(10)),
        90..5400 => format!("about {} min", seconds.div_ceil(60)),
        5400..172_800 => {
            let minutes = seconds.div_ceil(60).next_multiple_of(10);
            match (minutes / 60, minutes % 60) {
                (hours, 0) => format!("about {hours} h"),
                (hours, minutes) => format!("about {hours} h {minutes} min"),
            }
        }
        _ => format!("about {} days", seconds.div_ceil(86_400)),
    }
}

/// How long something has been running.
pub(super) fn spent(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds / 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const GIB: u64 = 1 << 30;

    fn bytes(total: Total, done: u64) -> Figures {
        Figures { unit: Unit::Bytes, total, besides: 0, done, beside: 0 }
    }

    #[test]
    fn bytes_have_a_share_an_amount_and_an_estimate() {
        let text = |done, seconds| bytes(Total::Exactly(4 * GIB), done).text(SECOND * seconds);
        assert_eq!(text(0, 60), "0%, 0 bytes of 4.0 GiB");
        assert_eq!(text(GIB, 4), "25%, 1.0 GiB of 4.0 GiB");
        assert_eq!(text(GIB, 60), "25%, 1.0 GiB of 4.0 GiB, about 3 min left");
        assert_eq!(text(3 * GIB, 60), "75%, 3.0 GiB of 4.0 GiB, about 20 s left");
        assert_eq!(text(4 * GIB - 1, 3600), "99%, 3.9 GiB of 4.0 GiB, a few seconds left");
        assert_eq!(text(4 * GIB, 3600), "100%, 4.0 GiB of 4.0 GiB");
        // Too little is done to tell.
        assert_eq!(text(GIB / 100, 3600), "0%, 10.2 MiB of 4.0 GiB");
    }

    #[test]
    fn work_besides_counts_for_the_share_and_the_estimate_only() {
        let restore = Figures { besides: GIB, ..bytes(Total::Exactly(3 * GIB), 3 * GIB) };
        assert_eq!(restore.text(SECOND * 60), "75%, 3.0 GiB of 3.0 GiB, about 20 s left");
        let restore = Figures { beside: GIB / 2, ..restore };
        assert_eq!(restore.text(SECOND * 70), "87%, 3.0 GiB of 3.0 GiB, about 10 s left");
        let definitions = Figures { besides: 500, beside: 100, ..bytes(Total::Exactly(0), 0) };
        assert_eq!(definitions.text(SECOND * 60), "20%, about 4 min left");
    }

    #[test]
    fn steps_are_counted() {
        let figures = Figures { unit: Unit::Steps, ..bytes(Total::Exactly(1000), 250) };
        assert_eq!(figures.text(SECOND * 10), "25%, 250 of 1000, about 30 s left");
        assert_eq!(Figures { total: Total::Unknown, ..figures }.text(SECOND * 10), "250 so far");
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        assert_eq!(bytes(Total::Unknown, 0).text(SECOND * 600), "");
        assert_eq!(bytes(Total::Exactly(0), 0).text(SECOND * 600), "");
        assert_eq!(bytes(Total::Unknown, 3 * GIB / 2).text(SECOND * 600), "1.5 GiB so far");
        // Work besides says nothing where the whole is not known.
        assert_eq!(Figures { besides: GIB, ..bytes(Total::Unknown, GIB) }.text(SECOND * 600), "1.0 GiB so far");
    }

    #[test]
    fn estimated_total_is_given_up_when_it_is_exceeded() {
        let text = |done| bytes(Total::About(2 * GIB), done).text(SECOND * 60);
        assert_eq!(text(GIB), "50%, 1.0 GiB of about 2.0 GiB, about 60 s left");
        assert_eq!(text(2 * GIB), "100%, 2.0 GiB of about 2.0 GiB");
        assert_eq!(text(2 * GIB + 1), "2.0 GiB so far");
    }

    #[test]
    fn terminal_gets_the_same_in_fewer_letters() {
        let figures = bytes(Total::Exactly(4 * GIB), GIB / 2);
        assert_eq!(figures.short(SECOND), " 12% 0.5/4.0 GiB");
        assert_eq!(figures.short(SECOND * 60), " 12% 0.5/4.0 GiB ~7 min left");
        assert_eq!(Figures { total: Total::About(GIB), ..figures }.short(SECOND * 60), " 50% 0.5/~1.0 GiB ~60 s left");
        assert_eq!(Figures { total: Total::Unknown, ..figures }.short(SECOND * 60), "512.0 MiB so far");
        let steps = Figures { unit: Unit::Steps, ..bytes(Total::Exactly(50), 49) };
        assert_eq!(steps.short(SECOND * 60), " 98% 49/50 a few seconds left");
        let definitions = Figures { besides: 500, beside: 100, ..bytes(Total::Exactly(0), 0) };
        assert_eq!(definitions.short(SECOND * 60), " 20% ~4 min left");
    }

    #[test]
    fn no_number_is_too_large() {
        let all = Figures { besides: u64::MAX, beside: u64::MAX, ..bytes(Total::Exactly(u64::MAX), u64::MAX - 1) };
        assert!(all.text(Duration::MAX).starts_with("99%, "));
        let more = Figures { done: u64::MAX, ..bytes(Total::Exactly(1), 0) };
        assert_eq!(more.text(SECOND), "100%, 16383.9 PiB of 1 bytes");
    }

    #[test]
    fn times_are_rounded_the_more_the_longer_they_are() {
        for (seconds, words) in [
            (0, "a few seconds"),
            (9, "a few seconds"),
            (10, "about 10 s"),
            (81, "about 90 s"),
            (90, "about 2 min"),
            (3601, "about 61 min"),
            (5400, "about 1 h 30 min"),
            (7200, "about 2 h"),
            (7201, "about 2 h 10 min"),
            (172_799, "about 48 h"),
            (172_801, "about 3 days"),
        ] {
            assert_eq!(rough(SECOND * seconds), words, "{seconds}");
        }
        assert_eq!(
            [59, 119, 120, 7199, 7260].map(|s| spent(SECOND * s)),
            ["59 s", "119 s", "2 min", "119 min", "2 h 1 min"]
        );
    }
}
