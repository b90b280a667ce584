//! Whether a backup can be written where it is to go.

use std::path::Path;

use rustix::fs::{Access, access, statvfs};

use super::finding::{Finding, Findings, Level};
use super::shown;
use crate::cli::amounts::human;
use crate::console::standard_streams;

/// Looks at the folder of `output`, or the nearest that is there; `needed` is about how much a backup takes.
pub(super) fn check(output: &Path, needed: Option<u64>, findings: &mut Findings) {
    const CHECK: &str = "output";
    if standard_streams::is_output(output) {
        return findings.note(CHECK, "it is standard output");
    }
    let Ok(path) = std::path::absolute(output) else {
        return findings.add(Finding::new(Level::Failed, CHECK, "there is no working folder"));
    };
    let folder = path.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new("/"));
    if let Err(error) = access(folder, Access::WRITE_OK | Access::EXEC_OK) {
        let message = format!("nothing can be written in {}: {}", shown(folder), std::io::Error::from(error));
        return findings.add(Finding::new(Level::Failed, CHECK, message));
    }
    let free = match statvfs(folder) {
        Ok(facts) => facts.f_bavail.saturating_mul(facts.f_frsize),
        Err(error) => {
            let message =
                format!("how much is free in {} is not known: {}", shown(folder), std::io::Error::from(error));
            return findings.add(Finding::new(Level::Warning, CHECK, message));
        }
    };
    let text = format!("{} are free in {}", human(free), shown(folder));
    let finding = match needed {
        _ if free == 0 => Finding::new(Level::Failed, CHECK, format!("nothing is free in {}", shown(folder))),
        Some(needed) if free < needed => {
            Finding::new(Level::Warning, CHECK, format!("{text}, and a backup may take {}", human(needed)))
        }
        _ => Finding::new(Level::Ok, CHECK, text),
    };
    let finding = match needed {
        Some(needed) => finding.fact("expected_bytes", needed),
        None => finding,
    };
    findings.add(finding.fact("folder", shown(folder)).fact("free_bytes", free));
}
