//! When an archive was made, as `pg_restore -l` shows it.
//!
//! An archive has a local time without a zone, and whether daylight saving time was in force. pg_restore takes it for a time of the
//! place where it is listed, as the C library's `mktime` does, and prints it with that place's zone. That is the time by the clock
//! on the wall as long as the place has the same rules; elsewhere, what was noted as daylight saving time is an hour less.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use pgformat::Created;

/// How far from the time in question `mktime` looks for one at which daylight saving time was, or was not, in force: so many
/// steps of about a week in both directions, eight and a half years.
const STEPS: i64 = 447;
const STEP: SignedDuration = SignedDuration::from_secs(601_200);

/// What is in force by daylight saving time where a zone does not say.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The time in `zone`, with the zone's name: `2026-07-01 12:00:00 CEST`. A time that no calendar has is shown as it is.
pub(super) fn shown(created: &Created, zone: &TimeZone) -> String {
    match moment(created, zone) {
        Some(moment) => moment.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        None => created.to_string(),
    }
}

fn moment(created: &Created, zone: &TimeZone) -> Option<Timestamp> {
    let local = local(created)?;
    let guess = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    // Less than 0 is what nobody knows.
    let is_dst = match created.daylight_saving {
        ..0 => return Some(guess),
        flag => flag != 0,
    };
    let at = |step: i64| guess.checked_add(STEP.checked_mul(i32::try_from(step).ok()?)?).ok();
    let nearby = (0..=STEPS).flat_map(|n| [-n, n]).filter_map(at).map(|time| zone.to_offset_info(time));
    match nearby.into_iter().find(|info| info.dst().is_dst() == is_dst) {
        Some(info) => info.offset().to_timestamp(local).ok(),
        None if is_dst => guess.checked_sub(HOUR).ok(),
        None => guess.checked_add(HOUR).ok(),
    }
}

/// The time on the wall; what is beyond a day, a month or a year belongs to the next.
fn local(created: &Created) -> Option<DateTime> {
    let Created { second, minute, hour, day, month, year, .. } = *created;
    let year = i64::from(year) + 1_900 + i64::from(month.div_euclid(12));
    let month = i8::try_from(month.rem_euclid(12) + 1).ok()?;
    let first = Date::new(i16::try_from(year).ok()?, month, 1).ok()?;
    let seconds = ((i64::from(day) - 1) * 24 + i64::from(hour)) * 3_600 + i64::from(minute) * 60 + i64::from(second);
    first.to_datetime(jiff::civil::Time::midnight()).checked_add(SignedDuration::from_secs(seconds)).ok()
}
