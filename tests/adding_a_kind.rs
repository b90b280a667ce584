//! `docs/ADDING_A_KIND.md` names every place that a new kind of object touches: a kind that does not exist is added by it.
//!
//! What the compiler cannot see, [`forgotten`] does, in the project as it is and in the one with the new kind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PAGE: &str = "docs/ADDING_A_KIND.md";
const OBJECTS: &str = "src/postgres/objects/";
const NAMES: &str = "src/postgres/restore/dependents/names.rs";

/// What the new kind is called.
const KIND: &str = "gadget";

/// A project: the files by their paths, whatever is text.
#[derive(Clone)]
struct Project(BTreeMap<String, String>);

impl Project {
    fn here() -> Self {
        let mut files = BTreeMap::new();
        for beginning in ["Cargo.toml", "Cargo.lock", "benches", "build.rs", "examples", "pgformat", "src", "tests"] {
            read(&root(), &root().join(beginning), &mut files);
        }
        Self(files)
    }

    fn file(&self, path: &str) -> &str {
        self.0.get(path).unwrap_or_else(|| panic!("{path} is not there"))
    }

    /// Makes one of the page's edits.
    fn make(&mut self, edit: &Edit) {
        let path = edit.path.clone();
        let Some(anchor) = &edit.anchor else {
            assert!(self.0.insert(path.clone(), edit.text.clone()).is_none(), "{PAGE} makes {path}, which is there");
            return;
        };
        let text = self.file(&path);
        let places: Vec<_> = text.match_indices(anchor).collect();
        let beginnings = places.iter().filter(|(at, _)| *at == 0 || text.as_bytes()[at - 1] == b'\n');
        let [(at, _)] = beginnings.collect::<Vec<_>>()[..] else { panic!("{path} has no one line {anchor:?}") };
        let line = text[*at..].find('\n').map_or(text.len(), |end| at + end + 1);
        let at = if edit.before { *at } else { line };
        let changed = [&text[..at], &edit.text, &text[at..]].concat();
        self.0.insert(path, changed);
    }

    fn with(mut self, edits: &[Edit]) -> Self {
        edits.iter().for_each(|edit| self.make(edit));
        self
    }

    /// Writes it to a directory, and leaves alone there what is as it should be, for the compiler goes by the time.
    fn write(&self, to: &Path) {
        let mut there = BTreeMap::new();
        read(to, to, &mut there);
        for path in there.keys().filter(|path| !self.0.contains_key(*path)) {
            fs::remove_file(to.join(path)).unwrap();
        }
        for (path, text) in &self.0 {
            if there.get(path) != Some(text) {
                let path = to.join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
        }
    }

    /// The files of the kinds, with their paths.
    fn kinds(&self) -> impl Iterator<Item = (&str, &str)> {
        let files = self.0.iter().filter(|(path, _)| path.starts_with(OBJECTS));
        files.map(|(path, text)| (path.as_str(), text.as_str()))
    }
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

/// Reads what is text at `path`, a file or a directory in `of`.
fn read(of: &Path, path: &Path, files: &mut BTreeMap<String, String>) {
    if let Ok(entries) = path.read_dir() {
        entries.for_each(|entry| read(of, &entry.unwrap().path(), files));
    } else if let Ok(text) = fs::read_to_string(path) {
        files.insert(path.strip_prefix(of).unwrap().to_str().unwrap().to_owned(), text);
    }
}

/// What the page tells to do to a file: a comment before a block says which file, and where in it.
#[derive(Clone)]
struct Edit {
    path: String,
    /// How the line begins after which the text goes, or before; none for a new file.
    anchor: Option<String>,
    before: bool,
    text: String,
}

fn edits() -> Vec<Edit> {
    let page = fs::read_to_string(root().join(PAGE)).unwrap();
    let mut edits = Vec::new();
    for part in page.split("\n<!-- ").skip(1) {
        let (head, rest) = part.split_once(" -->\n```").unwrap_or_else(|| panic!("no block comes after {part}"));
        let text = rest.split_once('\n').unwrap().1.split_once("\n```\n").unwrap().0.to_owned() + "\n";
        let (what, rest) = head.split_once(' ').unwrap();
        let (path, place) = rest.split_once(" after ").unwrap_or((rest, ""));
        let (place, before) = place.strip_suffix(" before").map_or((place, false), |place| (place, true));
        let anchor: Option<String> = (what == "in").then(|| serde_json::from_str(place).unwrap());
        edits.push(Edit { path: path.to_owned(), anchor, before, text });
    }
    edits
}

/// The texts between the two, each up to the first end after its beginning.
fn between<'a>(text: &'a str, beginning: &str, end: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(beginning).skip(1).filter_map(move |rest| Some(rest.split_once(end)?.0))
}

/// What the page, or whoever added a kind, has forgotten and no compiler sees.
fn forgotten(project: &Project) -> Vec<String> {
    let mut all = not_modules(project);
    all.extend(without_a_row(project));
    all.extend(without_names(project));
    all.extend(without_privileges(project));
    all
}

/// Files of kinds that are no modules.
fn not_modules(project: &Project) -> Vec<String> {
    let is_module = |path: &str| {
        let (folder, name) =
            path.strip_suffix("/mod.rs").unwrap_or(path.trim_end_matches(".rs")).rsplit_once('/').unwrap();
        project.file(&format!("{folder}/mod.rs")).lines().any(|line| line.trim().ends_with(&format!("mod {name};")))
    };
    let files = project.kinds().filter(|(path, _)| *path != format!("{OBJECTS}mod.rs"));
    files.filter(|(path, _)| !is_module(path)).map(|(path, _)| format!("{path} is no module")).collect()
}

/// Kinds of entries that pgformat's table does not have.
fn without_a_row(project: &Project) -> Vec<String> {
    let table = project.file("pgformat/src/kinds.rs");
    let mut missing = Vec::new();
    for (path, text) in project.kinds() {
        let calls = [
            "NewEntry::of(object, render, \"",
            "NewEntry::about(object, \"",
            ".define(render, object, \"",
            ".entry(object, \"",
        ];
        for desc in calls.iter().flat_map(|call| between(text, call, "\"")) {
            if !table.contains(&format!("kind(\"{desc}\",")) {
                missing.push(format!("{path} writes entries {desc}, which pgformat's table does not have"));
            }
        }
    }
    missing
}

/// Catalogs of which a restore does not know how their objects are called in archives.
fn without_names(project: &Project) -> Vec<String> {
    /// Those of the cluster, of large objects and of privileges, of which nothing goes along with what a restore drops; and
    /// subscriptions, which nothing takes along.
    const NOT_DROPPED_ALONG: [&str; 10] = [
        "pg_auth_members",
        "pg_authid",
        "pg_database",
        "pg_enum",
        "pg_largeobject",
        "pg_largeobject_metadata",
        "pg_parameter_acl",
        "pg_subscription",
        "pg_tablespace",
        "pg_default_acl",
    ];
    let catalogs = project.file("src/postgres/catalogs.rs");
    let catalogs =
        catalogs.lines().filter_map(|line| line.strip_prefix("    ")?.split_once(" \"")?.1.strip_suffix("\","));
    let names = project.file(NAMES);
    let named: BTreeSet<&str> = names.split(|c: char| c != '_' && !c.is_alphanumeric()).collect();
    let is_named = |name: &&str| named.contains(name);
    let missing = catalogs.filter(|name| !is_named(name) && !NOT_DROPPED_ALONG.contains(name));
    missing.map(|name| format!("{NAMES} does not say what the objects in {name} are called")).collect()
}

/// Words of GRANT for which no privileges are known.
fn without_privileges(project: &Project) -> Vec<String> {
    let known = project.file("src/postgres/privileges/words.rs");
    let is_known = |words: &str| known.contains(&format!("\"{words}\""));
    let mut missing = Vec::new();
    for (path, text) in project.kinds().filter(|(_, text)| text.contains("out.privileges")) {
        let words: Vec<&str> = between(text, "Subject { words: \"", "\"").collect();
        if !words.is_empty() && !words.iter().any(|words| is_known(words)) {
            missing.push(format!("{path} writes privileges on {}, of which none are known", words.join(", ")));
        }
    }
    missing
}

/// Whether the kind has a directory of cases that is in the list, and is called by names that hurt.
fn has_cases(project: &Project) -> bool {
    let directory = format!("tests/objects/{KIND}/");
    let lists = project.file("tests/objects/mod.rs").lines().any(|line| line.trim() == KIND);
    let create = format!("\nCREATE {} :\"x\"", KIND.to_uppercase());
    let every_kind = project.file("tests/objects/names/every_kind.inc");
    lists && project.0.keys().any(|path| path.starts_with(&directory)) && every_kind.contains(&create)
}

#[test]
fn nothing_is_forgotten_of_the_kinds_that_there_are() {
    assert_eq!(forgotten(&Project::here()), [""; 0]);
}

#[test]
fn what_the_page_forgets_and_no_compiler_sees_is_found() {
    let edits = edits();
    let here = Project::here();
    assert_eq!(forgotten(&here.clone().with(&edits)), [""; 0]);
    let seen = |left_out: &Edit| {
        let mut project = here.clone();
        let is_left_out = |edit: &Edit| edit.path == left_out.path && edit.text == left_out.text;
        edits.iter().filter(|edit| !is_left_out(edit)).for_each(|edit| project.make(edit));
        !forgotten(&project).is_empty() || !has_cases(&project)
    };
    // The rest is the compiler's: every list of the catalogs, the list of kinds, and whatever is called and not there.
    let unseen: Vec<&str> = edits.iter().filter(|edit| !seen(edit)).map(|edit| edit.path.as_str()).collect();
    for path in ["pgformat/src/kinds.rs", "src/postgres/privileges/words.rs"] {
        assert!(edits.iter().any(|edit| edit.path == path && seen(edit)), "{path}: {unseen:?}");
    }
    for edit in edits.iter().filter(|edit| edit.path.starts_with("tests/") || edit.text == format!("mod {KIND};\n")) {
        assert!(seen(edit), "{}: {unseen:?}", edit.path);
    }
}

/// Costs what checking the library costs, for its dependencies are where this test was built.
#[test]
fn a_kind_that_is_added_to_the_letter_compiles() {
    let project = Project::here().with(&edits());
    assert!(has_cases(&project));
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("adding_a_kind");
    project.write(&copy);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["check", "--lib", "--offline", "--locked", "--target-dir"]).arg(target).current_dir(&copy);
    let output = cargo.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !said.contains("warning:"), "{said}");
}
