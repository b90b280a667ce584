//! What was found, in Prometheus' text format: for the textfile collector of node_exporter, which reads files that others write.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;

use super::finding::{Findings, Level};
use super::shown;
use crate::cli::progress::Console;
use crate::{Existing, OutputFile, Result, io_error};

/// A metric that is taken out of a finding: its name, what it says, and where it is.
const OF_FINDINGS: [(&str, &str, &str, &str); 6] = [
    ("lifeboat_database_size_bytes", "The size of the database.", "server", "database_bytes"),
    ("lifeboat_output_free_bytes", "What is free where backups go.", "output", "free_bytes"),
    ("lifeboat_newest_backup_timestamp_seconds", "When the newest backup was made.", "newest_backup", "made_seconds"),
    ("lifeboat_newest_backup_age_seconds", "How old the newest backup was.", "newest_backup", "age_seconds"),
    ("lifeboat_newest_backup_size_bytes", "The size of the newest backup.", "newest_backup", "bytes"),
    ("lifeboat_newest_backup_sound", "Whether the newest backup is sound.", "newest_backup_sound", "sound"),
];

/// Writes the file, in the place of what was there, so that who reads it finds one or the other.
pub(super) fn write(path: &Path, database: &str, findings: &Findings, console: &Console) -> Result<()> {
    let mut file = OutputFile::create(path, Existing::Replace, console)?.readable_as_usual()?;
    let text = text(database, findings, Timestamp::now());
    file.write_all(text.as_bytes()).map_err(|error| io_error(format!("write {}", shown(path)), path, error))?;
    file.commit()?;
    Ok(())
}

fn text(database: &str, findings: &Findings, now: Timestamp) -> String {
    let database = label(database);
    let mut text = String::new();
    let mut metric = |name: &str, help: &str, values: &[(String, f64)]| {
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        for (labels, value) in values {
            let _ = writeln!(text, "{name}{{database=\"{database}\"{labels}}} {value}");
        }
    };
    let alone = |value| vec![(String::new(), value)];
    metric("lifeboat_check_timestamp_seconds", "When the database was checked last.", &alone(now.as_second() as f64));
    let is_good = findings.worst() < Level::Warning;
    metric(
        "lifeboat_check_ok",
        "Whether nothing failed and there was no warning.",
        &alone(f64::from(u8::from(is_good))),
    );
    let levels = Level::ALL.map(|level| (format!(",level=\"{}\"", level.word()), findings.count(level) as f64));
    metric("lifeboat_check_findings", "What was found, by how it is to be taken.", &levels);
    for (name, help, check, fact) in OF_FINDINGS {
        let values = findings.0.iter().filter(|finding| finding.check == check);
        let value = values.filter_map(|finding| finding.number(fact)).next();
        if let Some(value) = value {
            metric(name, help, &alone(value));
        }
    }
    text
}

/// A label's value with what must be escaped in it.
fn label(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::*;

    #[test]
    fn findings_become_metrics() {
        let mut findings = Findings::default();
        findings.add(Finding::new(Level::Ok, "server", "x").fact("database_bytes", 42_u64));
        findings.add(Finding::new(Level::Failed, "newest_backup_sound", "x").fact("sound", false));
        let text = text("a\"b\\\n", &findings, Timestamp::from_second(1000).unwrap());
        for line in [
            "lifeboat_check_timestamp_seconds{database=\"a\\\"b\\\\\\n\"} 1000\n",
            "lifeboat_check_ok{database=\"a\\\"b\\\\\\n\"} 0\n",
            "lifeboat_check_findings{database=\"a\\\"b\\\\\\n\",level=\"failed\"} 1\n",
            "lifeboat_database_size_bytes{database=\"a\\\"b\\\\\\n\"} 42\n",
            "lifeboat_newest_backup_sound{database=\"a\\\"b\\\\\\n\"} 0\n",
        ] {
            assert!(text.contains(line), "{line} is not in {text}");
        }
        assert!(!text.contains("free_bytes"), "{text}");
    }
}
