//! Plain output, byte by byte beside the pg_dump of the same major: of every case of `tests/objects`, of the database of
//! PostgreSQL's regression tests, and of Zabbix's, under [`SETS`] of options. All on all majors would take longer than all other tests
//! together: of each of the three, a set has its turn on one of the majors that have it, and so every major has some of the sets.
//! With `LIFEBOAT_TEST_EVERY_SET` set, each has its turn on all of them.
//!
//! Cases live side by side: when one has been built, what would be in the way of the next is given another name.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::pg_tools::Face;
use crate::support::process::try_run;
use crate::support::roundtrip::Case;
use crate::support::{Database, Output, REFERENCE, Server};

/// What pg_dump is told, from which major on.
const SETS: &[(u32, &[&str])] = &[
    (14, &[]),
    (14, &["-c"]),
    (14, &["-s", "-c", "--if-exists", "-C"]),
    (14, &["-C", "-O", "-x"]),
    (14, &["-a", "--disable-triggers", "-S", "Big Boss", "--use-set-session-authorization"]),
    (14, &["-s", "--use-set-session-authorization", "-c", "--no-toast-compression"]),
    (14, &["-s", "--no-comments", "--no-tablespaces", "--no-publications", "--no-subscriptions"]),
    (14, &["--section=pre-data"]),
    (14, &["--section=data"]),
    (14, &["--section=post-data"]),
    (14, &["-s", "-n", "pu*", "-n", "[c-h]*", "-N", "*1"]),
    (14, &["-t", "t*", "-t", "*[0-9].t*", "-b"]),
    (14, &["-T", "*.t*", "-B", "--no-unlogged-table-data"]),
    (14, &["--exclude-table-data", "*.*a*", "--load-via-partition-root"]),
    (14, &["--enable-row-security", "--quote-all-identifiers", "-c", "-C"]),
    (14, &["-s", "--disable-dollar-quoting"]),
    (14, &["-a", "--inserts"]),
    (14, &["-a", "--column-inserts", "--rows-per-insert=3"]),
    (14, &["-a", "--inserts", "--on-conflict-do-nothing", "--quote-all-identifiers"]),
    (14, &["-a", "--rows-per-insert=2", "--load-via-partition-root"]),
    (15, &["-s", "--no-table-access-method"]),
    (
        16,
        &[
            "--table-and-children",
            "p*",
            "--table-and-children",
            "*[0-9].p*",
            "--exclude-table-data-and-children",
            "*.*a*",
        ],
    ),
    (17, &["-s", "--exclude-extension", "h*"]),
    (18, &["--statistics", "--no-policies"]),
    (18, &["--no-schema", "--sequence-data", "--statistics"]),
];

/// What is dumped.
#[derive(Debug, Clone, Copy)]
pub enum Subject {
    Cases,
    Gauntlet,
    Zabbix,
}

impl Subject {
    /// The sets that are for it on `major`.
    fn sets(self, major: u32) -> impl Iterator<Item = &'static [&'static str]> {
        let all = std::env::var_os("LIFEBOAT_TEST_EVERY_SET").is_some();
        let turn = self as u32 + major;
        let is_for = move |number: usize, from: u32| all || (number as u32 + turn).is_multiple_of(REFERENCE + 1 - from);
        let known = SETS.iter().enumerate().filter(move |(_, (from, _))| *from <= major);
        known.filter(move |(number, (from, _))| is_for(*number, *from)).map(|(_, (_, set))| *set)
    }
}

/// Fails the test unless lifeboat, called as the pg_dump of the server's major, writes what that writes.
pub fn same(what: &str, face: &Face, database: &Database<'_>, options: &[&str]) {
    let major = database.server().major();
    let what = format!("{what} on {major}, {options:?}");
    let start = |command: &mut Command| Dump::start(command.args(["--restrict-key=k3y"]).args(options));
    let mut ours = face.tool("pg_dump");
    database.server().address(&mut ours, database.name());
    let (mut ours, mut theirs) = (start(&mut ours), start(&mut database.tool(major, "pg_dump")));
    let difference = difference(&mut ours, &mut theirs);
    let (ours, theirs) = (ours.end(), theirs.end());
    if let Some(difference) = difference {
        panic!("{what}: {difference}\n\n{ours}\n{theirs}");
    }
    assert_eq!(ours.code(), theirs.code(), "{what}: {ours}\n{theirs}");
}

/// The same under all sets that are for `subject`.
pub fn same_under_its_sets(subject: Subject, what: &str, database: &Database<'_>) {
    let major = database.server().major();
    let face = Face::new(major);
    subject.sets(major).for_each(|set| same(what, &face, database, set));
}

/// A pg_dump that is under way.
struct Dump {
    child: Child,
    stdout: ChildStdout,
    stderr: std::fs::File,
    command: String,
}

impl Dump {
    fn start(command: &mut Command) -> Self {
        let stderr = tempfile::tempfile().unwrap();
        let given = stderr.try_clone().unwrap();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(given).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        Self { child, stdout, stderr, command: format!("{command:?}") }
    }

    /// The next bytes that it writes: as many as there is room for, unless they are the last.
    fn read(&mut self, buffer: &mut Vec<u8>) {
        (&mut self.stdout).take(1 << 16).read_to_end(buffer).unwrap();
    }

    /// What it did besides.
    fn end(mut self) -> Output {
        drop(self.stdout);
        let status = self.child.wait().unwrap();
        let mut stderr = Vec::new();
        self.stderr.rewind().unwrap();
        self.stderr.read_to_end(&mut stderr).unwrap();
        Output::of(&self.command, std::process::Output { status, stdout: Vec::new(), stderr })
    }
}

/// Reads both to their end, or to where they differ, and gives what is there.
fn difference(ours: &mut Dump, theirs: &mut Dump) -> Option<String> {
    let (mut our_text, mut their_text) = (Vec::new(), Vec::new());
    loop {
        // A little of what was the same is kept, to show where it ends.
        let kept = our_text.len().min(500);
        for text in [&mut our_text, &mut their_text] {
            text.drain(..text.len() - kept);
        }
        ours.read(&mut our_text);
        theirs.read(&mut their_text);
        let at = our_text.iter().zip(&their_text).position(|(a, b)| a != b);
        if at.is_some() || our_text.len() != their_text.len() {
            let at = at.unwrap_or(our_text.len().min(their_text.len()));
            let around = |text: &[u8]| {
                let shown = &text[at.saturating_sub(500)..(at + 500).min(text.len())];
                String::from_utf8_lossy(shown).into_owned()
            };
            return Some(format!("\nours:\n{}\n\ntheirs:\n{}", around(&our_text), around(&their_text)));
        }
        if our_text.len() == kept {
            return None;
        }
    }
}

/// Cases whose order is not the same in any two dumps of pg_dump's.
const UNSTABLE: &[&str] = &["operator_family/clauses"];

/// Cases whose names are key words from a major on: lifeboat quotes them whatever the tool's major, see docs/PG_TOOLS.md.
const KEY_WORDS_FROM: &[(&str, u32)] = &[("names/reserved_later", 16)];

/// The first major whose pg_dump resolves all loops of these cases. An older one warns that it cannot, and then the order is any.
const LOOPS_FROM: u32 = 15;

/// Every case of every kind of object, with its name.
pub fn cases() -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    let mut kinds: Vec<PathBuf> = folder.read_dir().unwrap().map(|kind| kind.unwrap().path()).collect();
    kinds.retain(|path| path.is_dir());
    kinds.sort();
    let of_kind = |kind: &PathBuf| {
        let name = kind.file_name().unwrap().to_string_lossy().into_owned();
        let cases = Case::all(kind).unwrap();
        cases.into_iter().map(move |case| (format!("{name}/{}", case.name), case)).collect::<Vec<_>>()
    };
    kinds.iter().flat_map(of_kind).filter(|(name, _)| !UNSTABLE.contains(&name.as_str())).collect()
}

/// A database in which cases live side by side.
struct Bed {
    database: Database<'static>,
    /// Its server's port, its options, and of which sort the cases in it are.
    key: (u16, String, Sort),
    cases: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// What is in loops takes both programs long to sort among much else.
    Loops,
    /// What makes a tablespace cannot be built in a transaction; and there is little that wants a database of its own sort.
    Outside,
    /// What is set for the whole database holds for the others, too.
    Settings,
    /// What psql could take for its command is written otherwise in INSERT statements, see docs/PG_TOOLS.md.
    Commands,
    Other,
}

/// Cases with names and rows in which there is such a command.
const COMMANDS: &[&str] = &["names/out_of_restricted_mode"];

/// Gives what the last case built other names, where the next ones could have the same, and makes what it may have dropped.
const MOVE: &str = r#"
DO $do$
DECLARE it record;
BEGIN
  FOR it IN SELECT nspname FROM pg_catalog.pg_namespace
    WHERE nspname ~ '^[a-zA-Z_ ]{1,40}$' AND nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE pg_catalog.format('ALTER SCHEMA %I RENAME TO %I', it.nspname, it.nspname || ' @number');
  END LOOP;
  FOR it IN SELECT pubname FROM pg_catalog.pg_publication WHERE pubname ~ '^[a-zA-Z_ ]{1,40}$' LOOP
    EXECUTE pg_catalog.format('ALTER PUBLICATION %I RENAME TO %I', it.pubname, it.pubname || ' @number');
  END LOOP;
END $do$;
CREATE SCHEMA public;
GRANT CREATE, USAGE ON SCHEMA public TO PUBLIC;
"#;

fn build(database: &Database<'_>, case: &Case, number: usize, in_a_block: bool) -> Result<(), String> {
    let mut psql = database.server().psql_command(database.name());
    if in_a_block {
        psql.arg("-1");
    }
    // The case may have had errors passed over.
    psql.arg("-f").arg(&case.path).args(["-c", "\\set ON_ERROR_STOP on", "-c", "RESET SESSION AUTHORIZATION"]);
    try_run(psql.args(["-c", &MOVE.replace("@number", &number.to_string())])).map(drop)
}

/// All that is for `major` of `cases`, in as few databases as it can be in.
fn beds(major: u32) -> Vec<Bed> {
    let mut beds: Vec<Bed> = Vec::new();
    for (number, (name, case)) in cases().into_iter().enumerate().filter(|(_, (_, case))| case.is_for(major)) {
        if KEY_WORDS_FROM.iter().any(|(case, from)| *case == name && major < *from) {
            continue;
        }
        let Ok(server) = case.server(major) else { continue };
        let text = String::from_utf8_lossy(&std::fs::read(&case.path).unwrap()).into_owned();
        let sort = match () {
            () if name.contains("loop") => Sort::Loops,
            () if COMMANDS.contains(&name.as_str()) => Sort::Commands,
            () if text.contains("ALTER DATABASE") => Sort::Settings,
            () if text.contains("every_kind.inc") || !case.database_options().is_empty() => Sort::Outside,
            () => Sort::Other,
        };
        if sort == Sort::Loops && major < LOOPS_FROM {
            continue;
        }
        let key = (server.port(), case.database_options().to_owned(), sort);
        // Where it fails in a transaction there is nothing left of it; what is left elsewhere is dumped as well.
        let mut fitting = beds.iter_mut().filter(|bed| bed.key == key);
        if let Some(bed) = fitting
            .find(|bed| build(&bed.database, &case, number, !matches!(sort, Sort::Outside | Sort::Commands)).is_ok())
        {
            bed.cases.push(name);
            continue;
        }
        let database = server.database_with("bed", case.database_options());
        build(&database, &case, number, false).unwrap_or_else(|why| panic!("{name}: {why}"));
        beds.push(Bed { database, key, cases: vec![name] });
    }
    beds
}

fn cases_are_pg_dump_s(major: u32) {
    needed!(Server::get(major));
    for bed in beds(major) {
        let what = format!("{} cases, {}", bed.cases.len(), bed.cases.join(" "));
        let face = Face::new(major);
        let (_, _, sort) = bed.key;
        let has_inserts = |set: &&[&str]| set.iter().any(|option| option.contains("insert"));
        let sets = Subject::Cases.sets(major).filter(|set| sort != Sort::Commands || !has_inserts(set));
        sets.for_each(|set| same(&what, &face, &bed.database, set));
    }
}

tests! { cases_are_pg_dump_s:
    cases_are_pg_dump_s_on_14(14)
    cases_are_pg_dump_s_on_15(15)
    cases_are_pg_dump_s_on_16(16)
    cases_are_pg_dump_s_on_17(17)
    cases_are_pg_dump_s_on_18(18)
}

/// Restored cases cannot have it: what the reference writes of it, a server of 14 does not take.
#[test]
fn identity_column_of_an_unlogged_table_is_pg_dump_s_on_14() {
    let server = needed!(Server::get(14));
    let database = server.database("identity");
    database.sql("CREATE UNLOGGED TABLE t (a integer GENERATED ALWAYS AS IDENTITY)");
    same("an identity column", &Face::new(14), &database, &["-s"]);
}
