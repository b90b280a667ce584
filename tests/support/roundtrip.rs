//! The round trip of a case: what is in a database is dumped as pg_dump dumps it, and comes back, by real pg_restore and
//! by the tool under test.

use std::fs;
use std::path::{Path, PathBuf};

use pgformat::Section;

use super::archive::Rows;
use super::needs::Needed;
use super::process::{lifeboat, try_run};
use super::server::Server;
use super::{Database, REFERENCE, archive, pg_tool, reference_for};

/// A script that builds what is to be dumped, `tests/objects/<kind>/<case>.sql`. What its first comment lines say, in the
/// form `-- key: value`:
///
/// - `min`, `max`: the first and the last major that has what it builds
/// - `extension`: an extension that it needs; a server that does not offer it leaves the case out
/// - `needs`: `icu`, which not every installation is built with
/// - `database`: options of CREATE DATABASE: `ENCODING 'LATIN1'`
/// - `options`: what every dump of the case is told, pg_dump's and lifeboat's alike: `--statistics --schema 'a b'`.
///   Apostrophes hold words together, `''` in them is one; further lines add to it
/// - `changes`: why a dump of the restored database cannot equal the first one; it is then held against a dump of
///   what real pg_restore makes of pg_dump's archive
/// - `irrecoverable`: why even real pg_restore cannot restore real pg_dump's archive; only the dumps are compared
#[derive(Debug, Clone)]
pub struct Case {
    pub path: PathBuf,
    pub name: String,
    min: u32,
    max: u32,
    extensions: Vec<String>,
    icu: bool,
    database: String,
    options: Vec<String>,
    changes: bool,
    dump_only: bool,
}

impl Case {
    /// Reads the case at `path`; Err says what is wrong with its head.
    pub fn read(path: &Path) -> Result<Case, String> {
        let text = fs::read(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let name = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let mut case = Case {
            path: path.to_owned(),
            name,
            min: 0,
            max: u32::MAX,
            extensions: Vec::new(),
            icu: false,
            database: String::new(),
            options: Vec::new(),
            changes: false,
            dump_only: false,
        };
        // A case may hold text in any encoding, its head is ASCII.
        for line in String::from_utf8_lossy(&text).lines() {
            let Some((key, value)) = line.strip_prefix("-- ").and_then(|l| l.split_once(": ")) else { break };
            if !key.bytes().all(|b| b.is_ascii_lowercase()) {
                break;
            }
            let number = || value.trim().parse().map_err(|_| format!("{}: {key}: not a number", path.display()));
            match key {
                "min" => case.min = number()?,
                "max" => case.max = number()?,
                "extension" => case.extensions.push(value.trim().to_owned()),
                "needs" if value.trim() == "icu" => case.icu = true,
                "database" => case.database = value.trim().to_owned(),
                "options" => case.options.extend(words(value)),
                "changes" => case.changes = true,
                "irrecoverable" => case.dump_only = true,
                _ => return Err(format!("{}: the head has an unknown key \"{key}\"", path.display())),
            }
        }
        Ok(case)
    }

    /// The cases in `dir`, by name.
    pub fn all(dir: &Path) -> Result<Vec<Case>, String> {
        let files = fs::read_dir(dir).map_err(|e| format!("cannot read {}: {e}", dir.display()))?;
        let mut paths: Vec<PathBuf> =
            files.flatten().map(|f| f.path()).filter(|p| p.extension().is_some_and(|x| x == "sql")).collect();
        paths.sort();
        paths.iter().map(|p| Case::read(p)).collect()
    }

    /// A database with what the case builds.
    pub fn database<'a>(&self, server: &'a Server) -> Result<Database<'a>, String> {
        let database = server.database_with(&self.name, &self.database);
        try_run(server.psql_command(database.name()).arg("-f").arg(&self.path))?;
        Ok(database)
    }

    /// A database with what the case builds, and pg_dump's archive of all of it.
    pub fn dumped<'a>(&self, server: &'a Server) -> Result<(Database<'a>, tempfile::TempPath), String> {
        let path = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?.into_temp_path();
        let database = self.database(server)?;
        Tool::Reference(&[]).dump(&database, &[], &path)?;
        Ok((database, path))
    }

    /// The options of CREATE DATABASE that it needs.
    pub fn database_options(&self) -> &str {
        &self.database
    }

    /// Whether the case is about servers of `major`.
    pub fn is_for(&self, major: u32) -> bool {
        (self.min..=self.max).contains(&major)
    }

    /// The shared server of `major` that has what the case needs.
    pub fn server(&self, major: u32) -> Needed<&'static Server> {
        let icu = "SELECT count(*) > 1 FROM pg_collation WHERE collprovider = 'i'";
        let server = Server::get(major)?;
        let lacks_icu = self.icu && server.sql("postgres", icu) != "t";
        let server = if lacks_icu { Server::with_icu(major)? } else { server };
        self.extensions.iter().try_for_each(|extension| server.offers(extension))?;
        Ok(server)
    }
}

/// The words of `text`, apart by blanks; a blank between apostrophes is no end of a word.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\'' if quoted && rest.next_if_eq(&'\'').is_some() => word.get_or_insert_default().push(c),
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Who dumps and restores.
#[derive(Debug, Clone, Copy)]
pub enum Tool {
    Lifeboat,
    /// pg_dump, with more arguments, and pg_restore: shows whether a case is sound, and the runner's own eyes.
    Reference(&'static [&'static str]),
}

impl Tool {
    /// The tool that `LIFEBOAT_TEST_TOOL` names, or else lifeboat.
    pub fn chosen() -> Tool {
        match std::env::var("LIFEBOAT_TEST_TOOL").as_deref() {
            Ok("lifeboat") | Err(_) => Tool::Lifeboat,
            Ok("reference") => Tool::Reference(&[]),
            Ok(other) => panic!("LIFEBOAT_TEST_TOOL={other}: there are lifeboat and reference"),
        }
    }

    /// Dumps `database` with owners and privileges, and otherwise as `options` say.
    fn dump(self, database: &Database<'_>, options: &[String], path: &Path) -> Result<(), String> {
        match self {
            Tool::Lifeboat => {
                let mut command = lifeboat();
                command.args(["backup", "--owner", "--acl", "--archive-version", "1.16", "--url"]).arg(database.url());
                try_run(command.args(options).arg("--output").arg(path)).map(|_| ())
            }
            Tool::Reference(args) => {
                let mut command = database.tool(REFERENCE, "pg_dump");
                try_run(command.arg("-Fc").args(args).args(options).arg("-f").arg(path)).map(|_| ())
            }
        }
    }

    /// Restores the archive into the empty `database`.
    fn restore(self, database: &Database<'_>, path: &Path) -> Result<(), String> {
        match self {
            Tool::Lifeboat => {
                let mut command = lifeboat();
                command.args(["restore", "--force", "--owner", "--acl", "--url"]).arg(database.url());
                try_run(command.arg(path)).map(|_| ())
            }
            Tool::Reference(_) => pg_restore(database, path),
        }
    }
}

/// Restores with real pg_restore. Any error is one, except this: pg_restore from 17 on sends every server a setting that
/// servers before 17 do not have.
pub fn pg_restore(database: &Database<'_>, path: &Path) -> Result<(), String> {
    let out = database.pg_restore(REFERENCE, &[], path);
    let expected = if database.server().major() < 17 {
        "pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter \"transaction_timeout\"\n\
         Command was: SET transaction_timeout = 0;\n\
         pg_restore: warning: errors ignored on restore: 1\n"
    } else {
        ""
    };
    if out.stderr() == expected && out.success() == expected.is_empty() { Ok(()) } else { Err(out.to_string()) }
}

/// What real pg_restore makes of an archive as a script, without a server.
pub fn script(path: &Path) -> Result<String, String> {
    try_run(pg_tool(REFERENCE, "pg_restore").args(["-f", "-", "--restrict-key=test"]).arg(path)).map(|out| out.stdout())
}

/// Runs all of `cases` that fit on the server of `major` and fails the test with all that went wrong, and if none fits.
pub fn check_all(major: u32, tool: Tool, cases: &[Case]) {
    needed!(Server::get(major));
    let wanted = std::env::var("LIFEBOAT_TEST_CASE").ok();
    let fitting: Vec<&Case> = cases.iter().filter(|case| case.is_for(major)).collect();
    assert!(!fitting.is_empty(), "there is no case for {major}");
    let mut failures = Vec::new();
    for case in fitting.into_iter().filter(|case| wanted.as_ref().is_none_or(|wanted| *wanted == case.name)) {
        let Ok(server) = case.server(major) else { continue };
        failures
            .extend(check(server, tool, case).into_iter().map(|f| format!("{} on {major}: {f}", case.path.display())));
    }
    assert!(failures.is_empty(), "{} failures:\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Runs one case and gives what went wrong; a failure of one step does not keep the others from being tried.
pub fn check(server: &Server, tool: Tool, case: &Case) -> Vec<String> {
    let mut failures = Vec::new();
    if let Err(why) = try_check(server, tool, case, &mut failures) {
        failures.push(why);
    }
    failures
}

fn try_check(server: &Server, tool: Tool, case: &Case, failures: &mut Vec<String>) -> Result<(), String> {
    let dir = tempfile::tempdir().map_err(|e| e.to_string())?;
    let file = |name: &str| dir.path().join(name);
    let new_database = || server.database_with(&case.name, &case.database);
    let (reference, candidate) = (file("reference"), file("candidate"));

    let origin = new_database();
    try_run(server.psql_command(origin.name()).arg("-f").arg(&case.path))?;
    Tool::Reference(&[]).dump(&origin, &case.options, &reference)?;
    tool.dump(&origin, &case.options, &candidate)?;
    let found = archive::differences(&read_pg_dump_s(&reference)?, &archive::read(&candidate)?, Rows::InOrder);
    tell("the dump", &found, failures);
    failures.extend(not_in_the_table_of_kinds(&candidate)?);
    if let Tool::Lifeboat = tool {
        failures.extend(other_script(&candidate, server.major())?);
    }

    if case.dump_only {
        return Ok(());
    }
    let expected = if case.changes {
        let restored = new_database();
        pg_restore(&restored, &reference)?;
        let path = file("expected");
        Tool::Reference(&[]).dump(&restored, &case.options, &path)?;
        path
    } else {
        reference
    };
    for (what, by_tool) in [("real pg_restore", false), ("our restore", true)] {
        let restored = new_database();
        let done = if by_tool { tool.restore(&restored, &candidate) } else { pg_restore(&restored, &candidate) };
        if let Err(why) = done {
            failures.push(format!("{what} failed: {why}"));
            continue;
        }
        let again = file("again");
        Tool::Reference(&[]).dump(&restored, &case.options, &again)?;
        let found = archive::differences(&read_pg_dump_s(&expected)?, &read_pg_dump_s(&again)?, Rows::AnyOrder);
        tell(&format!("the database after {what}"), &found, failures);
    }
    Ok(())
}

/// Whether the script of an archive is another one than real pg_restore's; none of an honest archive may be refused.
fn other_script(path: &Path, major: u32) -> Result<Option<String>, String> {
    let mut command = lifeboat();
    command.arg("restore").arg(path).args([
        "--script",
        "-",
        "--restrict-key",
        "test",
        "--owner",
        "--acl",
        "--no-clean",
    ]);
    let ours = try_run(&mut command)?.stdout;
    let theirs =
        try_run(pg_tool(reference_for(major), "pg_restore").args(["-f", "-", "--restrict-key=test"]).arg(path))?.stdout;
    if ours == theirs {
        return Ok(None);
    }
    let at = ours.iter().zip(&theirs).position(|(a, b)| a != b).unwrap_or(ours.len().min(theirs.len()));
    Ok(Some(format!("the script is not pg_restore's from byte {at} on")))
}

/// What the archive has that pgformat's table of kinds, by which a restore goes, does not have, or has in another section.
fn not_in_the_table_of_kinds(path: &Path) -> Result<Vec<String>, String> {
    // These may have to wait for something that comes after the data.
    const POSTPONED: [&str; 3] = ["FUNCTION", "PROCEDURE", "MATERIALIZED VIEW"];
    let number = |section| match section {
        Section::None => 1,
        Section::PreData => 2,
        Section::Data => 3,
        Section::PostData => 4,
    };
    let mut found = Vec::new();
    for entry in archive::read(path)?.entries {
        let desc = entry.desc.unwrap_or_default();
        let name = String::from_utf8_lossy(&desc);
        match pgformat::kinds::find(&desc) {
            None => found.push(format!("pgformat's table of kinds has no {name}")),
            Some(kind) => {
                let as_there = entry.section == number(kind.section);
                let postponed = POSTPONED.contains(&&*name) && entry.section == number(Section::PostData);
                if !(as_there || postponed || kind.section_varies()) {
                    found.push(format!("a {name} is in section {}, not {:?}", entry.section, kind.section));
                }
            }
        }
    }
    Ok(found)
}

/// Reads an archive of real pg_dump's, without the versions of columns: servers that got their last update in late 2026 keep
/// them among the columns' options, and the pg_dump of the same update, which is newer than the reference, leaves them out.
fn read_pg_dump_s(path: &Path) -> Result<archive::Archive, String> {
    let mut archive = archive::read(path)?;
    for definition in archive.entries.iter_mut().filter_map(|entry| entry.definition.as_mut()) {
        let text = String::from_utf8_lossy(definition);
        if text.contains("(pg_attver=") {
            let lines = text.split_inclusive('\n').filter(|line| !line.ends_with(");\n") || !is_version_alone(line));
            *definition = lines.map(without_version).collect::<String>().into_bytes();
        }
    }
    Ok(archive)
}

fn is_version_alone(line: &str) -> bool {
    let options = line.split_once(" SET (pg_attver=").map(|(_, rest)| rest.trim_end_matches(");\n"));
    options.is_some_and(|rest| rest.bytes().all(|c| c.is_ascii_digit()))
}

/// The line without the version that stands before other options.
fn without_version(line: &str) -> String {
    match line.split_once(" SET (pg_attver=").and_then(|(head, rest)| Some((head, rest.split_once(", ")?.1))) {
        Some((head, options)) => format!("{head} SET ({options}"),
        None => line.to_owned(),
    }
}

fn tell(what: &str, found: &[String], failures: &mut Vec<String>) {
    if !found.is_empty() {
        failures.push(format!(
            "{what} differs in {} places (- reference, + candidate):\n{}",
            found.len(),
            found.join("\n")
        ));
    }
}
