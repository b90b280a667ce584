//! What is reported of how far the work has come: it is told while data is read, and it comes to what was said beforehand,
//! whatever happens on the way.

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use bstr::BStr;
use lifeboat::postgres::archive::{self, Archive, Sections};
use lifeboat::postgres::dump::{self, DumpOptions, Sink};
use lifeboat::postgres::restore::{self, RestoreOptions, RestoreSummary};
use lifeboat::postgres::script::{self, RestrictKey, Style};
use lifeboat::postgres::verify::verify;
use lifeboat::sqlite;
use lifeboat::{Message, Phase, Reporter, Total, Unit};
use pgformat::{DumpId, Entry, Reader};

use crate::restore::connection;
use crate::support::{Database, REFERENCE, Server, run};

/// A phase, and what was told of it.
#[derive(Debug)]
struct Told {
    name: String,
    unit: Unit,
    total: Total,
    besides: u64,
    advanced: Vec<u64>,
    beside: Vec<u64>,
    expected: Option<u64>,
}

impl Told {
    fn done(&self) -> u64 {
        self.advanced.iter().sum()
    }

    /// Fails unless the phase had a total, which it came to.
    fn is_complete(&self, what: &str) -> &Self {
        let done = (Total::Exactly(self.done()), self.beside.iter().sum::<u64>());
        assert_eq!(done, (self.total, self.besides), "{what}: {}", self.name);
        self
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Recorder(Mutex<Vec<Told>>);

impl Recorder {
    fn last(&self, take: impl FnOnce(&mut Told)) {
        take(self.0.lock().unwrap().last_mut().expect("a phase has begun"));
    }

    /// What was told of the only phase of that name; it is taken away.
    fn phase(&self, name: &str) -> Told {
        let mut all = self.0.lock().unwrap();
        let of_name: Vec<usize> = (0..all.len()).filter(|n| all[*n].name == name).collect();
        assert_eq!(of_name.len(), 1, "phases {name}");
        all.remove(of_name[0])
    }
}

impl Reporter for Recorder {
    fn message(&self, _: Message) {}

    fn phase(&self, Phase { name, unit, total, besides, .. }: Phase<'_>) {
        let (name, advanced, beside) = (name.to_owned(), Vec::new(), Vec::new());
        self.0.lock().unwrap().push(Told { name, unit, total, besides, advanced, beside, expected: None });
    }

    fn advance(&self, amount: u64) {
        self.last(|told| told.advanced.push(amount));
    }

    fn beside(&self, amount: u64) {
        self.last(|told| told.beside.push(amount));
    }

    fn expect(&self, total: u64) {
        self.last(|told| told.expected = Some(total));
    }

    fn current(&self, _: &str) {}
}

fn forced() -> RestoreOptions {
    RestoreOptions::default().force(true)
}

/// A database with most sorts of objects, and a table that is large beside the others.
fn origin(server: &Server) -> Database<'_> {
    let database = server.database("progress");
    database.sql(
        "CREATE TABLE large (id integer PRIMARY KEY, text text);
         INSERT INTO large SELECT n, md5(n::text) || md5((-n)::text) FROM generate_series(1, 50000) n;
         CREATE INDEX ON large (text);
         CREATE MATERIALIZED VIEW digest AS SELECT left(text, 1) AS a, count(*) AS n FROM large GROUP BY 1;
         ANALYZE",
    );
    // It has an event trigger that lets nobody make a table any more.
    database.load("tests/restore/sample.sql");
    database
}

/// pg_dump's archive of it in this format.
fn dump(origin: &Database<'_>, format: &str, path: PathBuf) -> PathBuf {
    run(origin.tool(REFERENCE, "pg_dump").arg(format).arg("-f").arg(&path));
    path
}

/// Restores over one connection or several, and gives what was told of it.
fn restore(url: &str, path: &Path, options: &RestoreOptions) -> (RestoreSummary, Recorder) {
    let recorder = Recorder::default();
    let mut archive: Archive = archive::open(path, "restore").unwrap();
    let again = |_: &BStr| Ok(connection(url));
    let mut connection = connection(url);
    let summary = restore::restore_through(&mut connection, &again, &mut archive, options, &recorder).unwrap();
    (summary, recorder)
}

#[test]
fn restore_comes_to_what_was_said_beforehand() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let origin = origin(server);
    let [custom, directory, tar] = [("-Fc", "custom"), ("-Fd", "directory"), ("-Ft", "tar")]
        .map(|(format, name)| dump(&origin, format, file(name)));
    // An archive that does not say where its data is.
    let unset = file("unset");
    let out = run(origin.tool(REFERENCE, "pg_dump").arg("-Fc"));
    fs::write(&unset, &out.stdout).unwrap();
    let data = Sections::default().pre_data(false).post_data(false);
    let sets: &[(&str, &Path, RestoreOptions)] = &[
        ("custom", &custom, forced()),
        ("over itself", &custom, forced()),
        ("four connections", &custom, forced().jobs(4)),
        ("one transaction", &custom, forced().single_transaction(true)),
        ("transactions", &custom, forced().transaction_size(Some(5))),
        ("definitions", &custom, forced().data(false)),
        ("data", &custom, forced().schema(false).clean(false).disable_triggers(true)),
        ("definitions again", &custom, forced().data(false)),
        ("section", &custom, forced().sections(data).clean(false).disable_triggers(true)),
        ("directory", &directory, forced()),
        ("tar", &tar, forced()),
        ("tar, four connections", &tar, forced().jobs(4)),
        ("no offsets", &unset, forced()),
        ("no offsets, two connections", &unset, forced().jobs(2)),
    ];
    let target = server.database("progress");
    for (what, path, options) in sets {
        let (summary, recorder) = restore(&target.url(), path, options);
        // Without drops, it meets what is there already.
        assert_eq!(summary.is_complete(), options.clean, "{what}: {summary:#?}");
        for told in recorder.0.lock().unwrap().iter() {
            told.is_complete(what);
        }
        // What is to be read is read through before, and that is told by itself.
        let checked = recorder.phase("verify").done();
        let told = recorder.phase("restore");
        let has_data = options.data;
        assert_eq!(checked, told.done(), "{what}");
        assert_eq!((told.unit, told.done() > 1 << 20), (Unit::Bytes, has_data), "{what}");
        assert!(told.besides > 0 && told.beside.len() > 10, "{what}: {told:?}");
        // The large table moved it many times.
        let largest = told.advanced.iter().max().unwrap_or(&0);
        assert!(!has_data || (told.advanced.len() > 20 && *largest < told.done() / 5), "{what}: {told:?}");
    }
}

#[test]
fn what_fails_or_is_left_out_counts_all_the_same() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let few = server.database("progress");
    few.sql(
        "CREATE TYPE kind AS ENUM ('a'); CREATE TABLE untyped (kind kind, text text);
         INSERT INTO untyped SELECT 'a', md5(n::text) FROM generate_series(1, 20000) n; CREATE INDEX ON untyped (text);
         CREATE TABLE refused (text text);
         INSERT INTO refused SELECT md5(n::text) FROM generate_series(1, 50000) n;
         CREATE TABLE fine (n integer PRIMARY KEY); INSERT INTO fine SELECT generate_series(1, 1000);
         CREATE VIEW beyond AS SELECT n FROM fine",
    );
    let path = dump(&few, "-Fc", dir.path().join("archive"));
    // All but the type, and the table whose rows are to be refused.
    let opened = archive::open(&path, "list").unwrap();
    let is = |entry: &Entry, desc: &str, tag: &str| {
        entry.desc.as_ref().is_some_and(|of| of == desc) && entry.tag.as_ref().is_some_and(|of| of == tag)
    };
    let entries = opened.entries().iter();
    let entries = entries.filter(|entry| !is(entry, "TYPE", "kind") && !is(entry, "TABLE", "refused"));
    let list: Vec<DumpId> = entries.map(|entry| entry.dump_id).collect();
    for jobs in [1, 4] {
        let target = server.database("progress");
        // Not the column's type, and so refused in the first row; a view that something hangs on, so that a drop fails.
        target.sql(
            "CREATE TABLE refused (text integer); CREATE TABLE fine (n integer PRIMARY KEY);
             CREATE VIEW beyond AS SELECT n FROM fine; CREATE VIEW hanging AS SELECT n FROM beyond",
        );
        let options = forced().jobs(jobs).list(Some(list.clone()));
        let (summary, recorder) = restore(&target.url(), &path, &options);
        let what = format!("{jobs} jobs");
        assert!(summary.errors.iter().any(|error| error.entry.tag == "refused"), "{summary:#?}");
        assert!(summary.skipped.iter().any(|entry| entry.tag == "untyped"), "{summary:#?}");
        for told in recorder.0.lock().unwrap().iter() {
            told.is_complete(&what);
        }
        assert!(recorder.phase("restore").done() > 500_000);
    }
    // What is reserved for superusers, and what needs it.
    let path = dump(&origin(server), "-Fc", dir.path().join("reserved"));
    for jobs in [1, 4] {
        let target = server.database_with("progress", "OWNER carol");
        let (summary, recorder) = restore(&target.url_as("carol"), &path, &forced().jobs(jobs));
        assert!(!summary.left.is_empty(), "{summary:#?}");
        for told in recorder.0.lock().unwrap().iter() {
            told.is_complete(&format!("{jobs} jobs by carol"));
        }
    }
}

#[test]
fn from_a_pipe_it_is_told_what_was_read() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let origin = origin(server);
    for (format, slack) in [("-Fc", 0), ("-Ft", 64 << 10)] {
        let path = dump(&origin, format, dir.path().join(format));
        let data: u64 = archive::open(&path, "look").unwrap().sizes().unwrap().into_iter().flatten().sum();
        for (tables, schema) in [(Vec::new(), true), (vec!["large".into()], true), (Vec::new(), false)] {
            let target = server.database("progress");
            let mut options = forced().data(schema).clean(false);
            options.only.tables = tables;
            let recorder = Recorder::default();
            let mut archive = Reader::new(File::open(&path).unwrap()).unwrap();
            let summary = restore::restore(&mut connection(&target.url()), &mut archive, &options, &recorder).unwrap();
            assert!(summary.is_complete(), "{summary:#?}");
            let told = recorder.phase("restore");
            if !schema {
                // Where nothing is to be read, all is known.
                assert_eq!(told.is_complete(format).done(), 0);
                continue;
            }
            assert_eq!((told.unit, told.total), (Unit::Bytes, Total::Unknown));
            let is_all = options.only.tables.is_empty();
            let done = told.done();
            assert!(done <= data + slack && done > data / 2, "{format}: {done} of {data}");
            assert!(!is_all || done >= data, "{format}: {done} of {data}");
            assert!(told.advanced.len() > 20, "{told:?}");
        }
    }
}

#[test]
fn verify_and_scripts_come_to_what_was_said_beforehand() {
    let server = needed!(Server::get(REFERENCE));
    let dir = tempfile::tempdir().unwrap();
    let origin = origin(server);
    for format in ["-Fc", "-Fd", "-Ft"] {
        let path = dump(&origin, format, dir.path().join(format));
        let open = || archive::open(&path, "read").unwrap();
        let recorder = Recorder::default();
        assert!(verify(&mut open(), &recorder).is_sound());
        let told = recorder.phase("verify");
        assert!(told.is_complete(format).advanced.len() > 20, "{format}: {told:?}");

        let recorder = Recorder::default();
        let (key, mut script) = (RestrictKey::random().unwrap(), Vec::new());
        script::of_archive(&mut open(), &forced(), &Style::default(), &key, &mut script, &recorder).unwrap();
        let told = recorder.phase("write");
        assert!(told.is_complete(format).advanced.len() > 20, "{format}: {told:?}");
        assert!(told.besides < told.done(), "{format}: {told:?}");
    }
}

#[test]
fn backup_finds_out_how_much_there_is() {
    let server = needed!(Server::get(REFERENCE));
    let origin = server.database("progress");
    // Values of a row of their own, which are not in the table's own pages.
    origin.sql(
        "CREATE TABLE large AS SELECT n, md5(n::text) || md5((-n)::text) AS text FROM generate_series(1, 30000) n;
         CREATE TABLE wide (text text STORAGE EXTERNAL);
         INSERT INTO wide SELECT string_agg(text, '') FROM large GROUP BY n / 1000",
    );
    origin.sql("VACUUM ANALYZE");
    let recorder = Recorder::default();
    let mut archive = Vec::new();
    let connect = || Ok(connection(&origin.url()));
    let summary = dump::backup(&connect, &DumpOptions::default(), Sink::Stream(&mut archive), &recorder).unwrap();
    let told = recorder.phase("copying data");
    let Total::About(expected) = told.total else { panic!("{told:?}") };
    assert!(expected > told.done() * 2 / 3 && expected < told.done() * 2, "{told:?}");
    assert_eq!((told.done(), told.expected), (summary.data.bytes, Some(summary.data.bytes)));
    assert!(told.advanced.len() > 10, "{told:?}");
}

#[test]
fn sqlite_files_come_to_what_was_said_beforehand() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let database = rusqlite::Connection::open(file("app.db")).unwrap();
    let fill = "CREATE TABLE t (b); WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 5000)
                INSERT INTO t SELECT randomblob(2000) FROM n";
    database.execute_batch(fill).unwrap();
    drop(database);
    let recorder = Recorder::default();
    let options = sqlite::BackupOptions::default();
    sqlite::backup(&file("app.db"), &file("backup.db"), &options, &recorder).unwrap();
    let told = recorder.phase("copy");
    assert!(told.is_complete("backup").advanced.len() > 2, "{told:?}");
    let recorder = Recorder::default();
    sqlite::restore(&file("backup.db"), &file("app.db"), &sqlite::RestoreOptions::default().force(true), &recorder)
        .unwrap();
    let told = recorder.phase("copy");
    assert!(told.is_complete("restore").advanced.len() > 2, "{told:?}");
}
