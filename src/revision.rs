//! Which revision of its schema a database has: what the tools that migrate databases write down there.
//!
//! Whoever owns the table may have written anything into it: it is data, and shown as that.

/// A tool that writes down which migrations it has made.
#[derive(Debug)]
pub(crate) struct MigrationTool {
    /// Its name.
    pub name: &'static str,
    /// The table in which it does.
    pub table: &'static str,
    /// The columns of it that are read.
    pub columns: &'static [&'static str],
    newest: fn(&[Values]) -> Vec<String>,
    failed: fn(&[Values]) -> bool,
}

/// The values of a row, in the order of the tool's columns.
pub(crate) type Values = Vec<Option<String>>;

/// What a tool has written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Revision {
    /// The tool.
    pub tool: &'static str,
    /// The table, as it is called in its database.
    pub table: String,
    /// What is known of it.
    pub state: RevisionState,
}

/// What is known of the newest revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RevisionState {
    /// It is this one; Alembic may have several heads. None means that nothing was migrated yet.
    Newest(Vec<String>),
    /// The newest migration failed, the tool says.
    Failed(Vec<String>),
    /// It cannot be read, for this reason.
    Unread(String),
}

/// So many bytes of a table are read, and no more: no tool writes as much.
pub(crate) const MOST_BYTES: usize = 1 << 20;

/// The tools that are known.
pub(crate) const TOOLS: &[MigrationTool] = &[
    MigrationTool {
        name: "Alembic",
        table: "alembic_version",
        columns: &["version_num"],
        newest: |rows| {
            let mut heads: Vec<String> = rows.iter().filter_map(|row| text(row, 0)).collect();
            heads.sort_unstable();
            heads.truncate(5);
            heads
        },
        failed: |_| false,
    },
    MigrationTool {
        name: "Django",
        table: "django_migrations",
        columns: &["id", "app", "name"],
        newest: |rows| {
            let newest = rows.iter().max_by_key(|row| number(row, 0));
            newest.and_then(|row| Some(format!("{}.{}", text(row, 1)?, text(row, 2)?))).into_iter().collect()
        },
        failed: |_| false,
    },
    MigrationTool {
        name: "Rails",
        table: "schema_migrations",
        columns: &["version"],
        // They are times, or numbers without zeros before them.
        newest: |rows| {
            let versions = rows.iter().filter_map(|row| text(row, 0));
            versions.max_by_key(|version| (version.len(), version.clone())).into_iter().collect()
        },
        failed: |_| false,
    },
    MigrationTool {
        name: "Flyway",
        table: "flyway_schema_history",
        columns: &["installed_rank", "version", "description", "success"],
        newest: |rows| {
            let row = rows.iter().max_by_key(|row| number(row, 0));
            let described = row.map(|row| match (text(row, 1), text(row, 2)) {
                (Some(version), Some(description)) => format!("{version} ({description})"),
                (version, description) => version.or(description).unwrap_or_default(),
            });
            described.into_iter().collect()
        },
        failed: |rows| {
            let row = rows.iter().max_by_key(|row| number(row, 0));
            row.and_then(|row| text(row, 3)).is_some_and(|success| matches!(&*success, "f" | "0" | "false"))
        },
    },
];

impl MigrationTool {
    /// What its rows say.
    pub(crate) fn state(&self, rows: &[Values]) -> RevisionState {
        let newest = (self.newest)(rows);
        if (self.failed)(rows) { RevisionState::Failed(newest) } else { RevisionState::Newest(newest) }
    }
}

fn text(row: &Values, column: usize) -> Option<String> {
    row.get(column).cloned().flatten()
}

fn number(row: &Values, column: usize) -> Option<i64> {
    text(row, column)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(tool: &str, rows: &[&[Option<&str>]]) -> RevisionState {
        let rows: Vec<Values> =
            rows.iter().map(|row| row.iter().map(|value| value.map(str::to_owned)).collect()).collect();
        TOOLS.iter().find(|known| known.name == tool).unwrap().state(&rows)
    }

    fn newest(revisions: &[&str]) -> RevisionState {
        RevisionState::Newest(revisions.iter().map(|revision| (*revision).to_owned()).collect())
    }

    #[test]
    fn the_newest_is_found_by_each_tools_own_order() {
        assert_eq!(state("Alembic", &[&[Some("b2")], &[Some("a1")]]), newest(&["a1", "b2"]));
        let django = [[Some("2"), Some("auth"), Some("0002_x")], [Some("10"), Some("app"), Some("0001_y")]];
        assert_eq!(state("Django", &[&django[0], &django[1]]), newest(&["app.0001_y"]));
        assert_eq!(state("Rails", &[&[Some("9")], &[Some("10")], &[None]]), newest(&["10"]));
        let flyway = |success| [Some("3"), Some("1.2"), Some("make it"), success];
        assert_eq!(state("Flyway", &[&flyway(Some("t"))]), newest(&["1.2 (make it)"]));
        let failed = RevisionState::Failed(vec!["1.2 (make it)".to_owned()]);
        assert_eq!(state("Flyway", &[&flyway(Some("f"))]), failed);
        let repeatable = [Some("4"), None, Some("views"), Some("1")];
        assert_eq!(state("Flyway", &[&repeatable, &flyway(Some("f"))]), newest(&["views"]));
    }

    #[test]
    fn nothing_and_nonsense_are_no_revision() {
        for tool in TOOLS {
            assert_eq!(tool.state(&[]), newest(&[]), "{}", tool.name);
            tool.state(&[Vec::new()]);
        }
        assert_eq!(state("Django", &[&[Some("x"), None, None]]), newest(&[]));
    }
}
