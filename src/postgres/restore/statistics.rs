//! Statistics in an archive, and servers that do not take them.

use std::borrow::Cow;

use pgformat::Entry;
use pgformat::kinds::Group;

use super::kinds;
use super::options::RestoreOptions;
use crate::postgres::version::ServerVersion;
use crate::progress::{Level, Message, Reporter};

/// `options` as they are for a server of this version: without the statistics where it has no functions for them, which
/// is said once and not as an error for each. They are no loss, for the server can make them anew.
pub(super) fn as_taken<'a>(
    options: &'a RestoreOptions,
    entries: &[Entry],
    server: ServerVersion,
    reporter: &dyn Reporter,
) -> Cow<'a, RestoreOptions> {
    if !options.statistics || server.restores_statistics() {
        return Cow::Borrowed(options);
    }
    let count = entries.iter().filter(|entry| kinds::group(entry) == Group::StatisticsData).count();
    if count > 0 {
        let text = format!(
            "those of {count} {} in the archive are left out: the server is PostgreSQL {server}, and only 18 and later \
             take any; make them with ANALYZE",
            if count == 1 { "relation" } else { "relations" }
        );
        reporter.message(Message { level: Level::Warning, subject: "statistics".into(), text });
    }
    Cow::Owned(RestoreOptions { statistics: false, ..options.clone() })
}
