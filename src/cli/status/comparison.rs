//! A database and a backup, side by side.

use std::collections::BTreeMap;

use bstr::{BStr, ByteSlice};
use serde::Serialize;

use super::table::{Contents, Table, in_columns, qualified};
use crate::cli::amounts::counted;

/// What is the same, and what is not.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    only_in_database: u64,
    only_in_backup: u64,
    /// Tables with other numbers of rows.
    different_rows: u64,
    /// Tables of which that is not known.
    not_compared: u64,
    tables: Vec<Compared>,
}

#[derive(Debug, Serialize)]
struct Compared {
    table: String,
    database_rows: Option<u64>,
    backup_rows: Option<u64>,
    verdict: Verdict,
    #[serde(skip)]
    shown: (String, String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Same,
    Different,
    OnlyInDatabase,
    OnlyInBackup,
    /// One number is an estimate, or not known.
    NotCompared,
}

type Key<'a> = (Option<&'a BStr>, &'a BStr);

fn key(table: &Table) -> Key<'_> {
    (table.schema.as_ref().map(|schema| schema.as_bstr()), table.name.as_bstr())
}

/// Compares tables by their names.
pub(super) fn compare(database: &Contents, backup: &Contents) -> Comparison {
    let mut pairs: BTreeMap<Key<'_>, (Option<&Table>, Option<&Table>)> = BTreeMap::new();
    for table in &database.tables {
        pairs.entry(key(table)).or_default().0 = Some(table);
    }
    for table in &backup.tables {
        pairs.entry(key(table)).or_default().1 = Some(table);
    }
    let tables: Vec<Compared> = pairs
        .into_iter()
        .map(|((schema, name), (database, backup))| {
            let verdict = match (database, backup) {
                (Some(_), None) => Verdict::OnlyInDatabase,
                (None, _) => Verdict::OnlyInBackup,
                (Some(database), Some(backup)) => verdict(database, backup),
            };
            let rows = |table: Option<&Table>| table.and_then(|table| table.rows.number);
            let shown = |table: Option<&Table>| table.map_or("-".to_owned(), |table| table.rows.text());
            Compared {
                table: qualified(schema, name),
                database_rows: rows(database),
                backup_rows: rows(backup),
                verdict,
                shown: (shown(database), shown(backup)),
            }
        })
        .collect();
    let number = |verdict| tables.iter().filter(|table| table.verdict == verdict).count() as u64;
    Comparison {
        only_in_database: number(Verdict::OnlyInDatabase),
        only_in_backup: number(Verdict::OnlyInBackup),
        different_rows: number(Verdict::Different),
        not_compared: number(Verdict::NotCompared),
        tables,
    }
}

/// An estimate says nothing but where both say that there is nothing at all, and it is not even certain then.
fn verdict(database: &Table, backup: &Table) -> Verdict {
    match (database.rows.number, backup.rows.number) {
        (Some(a), Some(b)) if !database.rows.estimated && !backup.rows.estimated => {
            if a == b {
                Verdict::Same
            } else {
                Verdict::Different
            }
        }
        _ => Verdict::NotCompared,
    }
}

impl Comparison {
    /// For people.
    pub(super) fn lines(&self, database: &Contents, backup: &Contents) -> Vec<String> {
        let mut lines = vec![format!("database: {}", database.name), format!("backup: {}", backup.name)];
        let column = |text: &dyn Fn(&Compared) -> String| self.tables.iter().map(text).collect::<Vec<_>>();
        let columns = [("database", column(&|t| t.shown.0.clone())), ("backup", column(&|t| t.shown.1.clone()))];
        if !self.tables.is_empty() {
            lines.extend(in_columns(&columns, &("table", column(&|t| format!("{}{}", t.table, t.remark())))));
        }
        lines.push(self.summary());
        lines
    }

    fn summary(&self) -> String {
        let tables = counted(self.tables.len() as u64, "table", "tables");
        let parts = [
            (self.only_in_database, "only in the database"),
            (self.only_in_backup, "only in the backup"),
            (self.different_rows, "with other numbers of rows"),
            (self.not_compared, "not compared, for a number is an estimate or not known"),
        ];
        let told: Vec<String> =
            parts.iter().filter(|(number, _)| *number > 0).map(|(number, what)| format!("{number} {what}")).collect();
        let told = if told.is_empty() { "with the same numbers of rows".to_owned() } else { told.join(", ") };
        format!("lifeboat: status: {tables}, {told}")
    }
}

impl Compared {
    fn remark(&self) -> String {
        match (self.verdict, self.database_rows, self.backup_rows) {
            (Verdict::Different, Some(database), Some(backup)) if database > backup => {
                format!(" ({} more in the database)", database - backup)
            }
            (Verdict::Different, Some(database), Some(backup)) => {
                format!(" ({} more in the backup)", backup - database)
            }
            (Verdict::OnlyInDatabase, ..) => " (only in the database)".to_owned(),
            (Verdict::OnlyInBackup, ..) => " (only in the backup)".to_owned(),
            _ => String::new(),
        }
    }
}
