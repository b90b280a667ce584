//! Statistics in an archive, and servers that do not take them.

use std::borrow::Cow;

use pgformat::Entry;
use pgformat::kinds::EntryGroup;

use crate::postgres::archive::kinds;
use crate::postgres::archive::select::is_extended;
use crate::postgres::restore::options::RestoreOptions;
use crate::postgres::version::ServerVersion;
use crate::progress::{Message, Reporter};

/// `options` as they are for a server of this version: without the statistics where it has no functions for them, which
/// is said once and not as an error for each. They are no loss, for the server can make them anew.
pub fn as_taken<'a>(
    options: &'a RestoreOptions,
    entries: &[Entry],
    server: ServerVersion,
    reporter: &dyn Reporter,
) -> Cow<'a, RestoreOptions> {
    if !options.statistics || server.restores_extended_statistics() {
        return Cow::Borrowed(options);
    }
    let statistics = server.restores_statistics();
    let left_out =
        |entry: &&Entry| kinds::group(entry) == EntryGroup::StatisticsData && (!statistics || is_extended(entry));
    let count = entries.iter().filter(left_out).count();
    if count > 0 {
        let of = match (statistics, count) {
            (false, 1) => "relation in the archive",
            (false, _) => "relations in the archive",
            (true, 1) => "extended statistics object in the archive",
            (true, _) => "extended statistics objects in the archive",
        };
        let since = if statistics { 19 } else { 18 };
        let text = format!(
            "those of {count} {of} are left out: the server is PostgreSQL {server}, and only {since} and later take any; \
             make them with ANALYZE"
        );
        reporter.message(Message::warning("statistics", text));
    }
    Cow::Owned(RestoreOptions { statistics, extended_statistics: false, ..options.clone() })
}
