//! `list` beside `pg_restore -l`.

use std::fs;
use std::path::Path;

use crate::support::{REFERENCE, installation, lifeboat, pg_tool, run};

/// Where an archive of the format's version 1.12 has the time of its creation: seven numbers of a sign and four bytes.
const CLOCK: usize = 16;

/// Year, month, day, hour, minute, second, and whether daylight saving time was in force.
const TIMES: &[[i32; 7]] = &[
    [2026, 7, 1, 12, 0, 0, 1],
    [2026, 7, 1, 12, 0, 0, 0],
    [2026, 7, 1, 0, 0, 0, 1],
    [2026, 7, 1, 12, 0, 0, -1],
    [2026, 1, 15, 12, 0, 0, 0],
    [2026, 1, 15, 12, 0, 0, 1],
    [2026, 1, 1, 0, 30, 0, 1],
    // An hour that is left out, and one that comes twice, in Europe and in America.
    [2026, 3, 29, 2, 30, 0, 0],
    [2026, 3, 29, 2, 30, 0, 1],
    [2026, 3, 29, 2, 30, 0, -1],
    [2026, 10, 25, 2, 30, 0, 0],
    [2026, 10, 25, 2, 30, 0, 1],
    [2026, 3, 8, 2, 30, 0, 0],
    [2026, 3, 8, 2, 30, 0, 1],
    [2026, 11, 1, 1, 30, 0, 0],
    [2026, 11, 1, 1, 30, 0, 1],
    // Years of other rules, and of none.
    [1996, 7, 1, 12, 0, 0, 0],
    [1901, 12, 13, 12, 0, 0, 1],
    [2045, 7, 1, 12, 0, 0, 1],
    // What no clock shows.
    [2026, 13, 40, 25, 61, 75, 0],
    [2026, 1, -400, 0, 0, -9, 1],
];

/// Those of unusual rules are in force by half an hour, by two, in winter, or all year but in Ramadan.
const ZONES: &[&str] = &[
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Europe/Dublin",
    "Africa/Casablanca",
    "Pacific/Apia",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "EST5EDT,M3.2.0,M11.1.0",
    "<+0330>-3:30",
    ":Europe/Berlin",
];

#[test]
fn shows_the_time_as_pg_restore_does() {
    needed!(installation::needed(REFERENCE));
    let mut bytes =
        fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/old/harbour-1.12.dump")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("archive");
    let mut wrong = Vec::new();
    for &[year, month, day, hour, minute, second, daylight_saving] in TIMES {
        let clock = [second, minute, hour, day, month - 1, year - 1900, daylight_saving];
        for (place, n) in clock.into_iter().enumerate() {
            let at = CLOCK + 5 * place;
            bytes[at] = u8::from(n < 0);
            bytes[at + 1..at + 5].copy_from_slice(&n.unsigned_abs().to_le_bytes());
        }
        fs::write(&path, &bytes).unwrap();
        for zone in ZONES {
            let created = |text: String| text.lines().find(|line| line.contains("created at")).unwrap().to_owned();
            let expected = created(run(pg_tool(REFERENCE, "pg_restore").env("TZ", zone).arg("-l").arg(&path)).stdout());
            let found = created(run(lifeboat().env("TZ", zone).arg("list").arg(&path)).stdout());
            if found != expected {
                wrong.push(format!("{clock:?} in {zone}: {found}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
