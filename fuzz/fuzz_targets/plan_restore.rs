//! From an archive's table of contents to the plan of a restore, and to a script. Whatever the entries say and whatever is
//! asked for: no panic, no endless loop; and a script is the same when it is written again.
//!
//! The first bytes choose the options, the rest is an archive: `cargo fuzz run plan_restore`, after
//! `cargo run -p pgformat --example fuzz_seeds fuzz/corpus`.
#![no_main]

#[path = "support/options.rs"]
mod options;
#[path = "support/plans.rs"]
mod plans;

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use pgformat::{Limits, Reader};

fn limits() -> Limits {
    let limits = Limits::DEFAULT.entries(10_000).text(1 << 20).dependencies(10_000);
    limits.contents(1 << 22).chunk(1 << 22).objects(10_000)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, archive)) = bytes.split_first_chunk() else { return };
    let Ok(reader) = Reader::with_limits(archive, limits()) else { return };
    let options = options::options(*choice, archive, reader.entries());
    let version = (reader.header().version.major, reader.header().version.minor);
    plans::check(&reader.shared_entries(), version, &options);
    plans::check_script(&options, || Reader::seekable_with_limits(Cursor::new(archive), limits()).ok());
});
