//! Programs that call pg_dump, pg_restore and psql, as they come from where their users get them: they find lifeboat by those names.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Face;
use crate::support::callers::{self, Ruby};
use crate::support::installation::needed;
use crate::support::needs::Needed;
use crate::support::process::isolate;
use crate::support::{Database, Server, run};

const MAJOR: u32 = 18;

/// A folder on the PATH with lifeboat by the names of the tools, and PostgreSQL's psql.
struct Bench {
    face: Face,
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Needed<Self> {
        let face = Face::new(MAJOR);
        let psql = needed(MAJOR)?.tool("psql").unwrap();
        let mut script = "#!/bin/sh\n".to_owned();
        for (name, value) in psql.get_envs() {
            match value {
                Some(value) => script.push_str(&format!("export {}='{}'\n", name.display(), value.display())),
                None => script.push_str(&format!("unset {}\n", name.display())),
            }
        }
        script.push_str(&format!("exec '{}' \"$@\"\n", psql.get_program().display()));
        let path = face.bin().join("psql");
        // Made by another process: no child of this one holds it open for writing when it is run.
        run(Command::new("sh").arg("-c").arg("printf %s \"$1\" > \"$2\"").arg("sh").arg(script).arg(&path));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Ok(Self { face, folder: tempfile::tempdir().unwrap() })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command that finds lifeboat's tools before all others, in a folder of the test's.
    fn command(&self, program: impl AsRef<std::ffi::OsStr>, more: Option<&Path>) -> Command {
        let mut command = Command::new(program);
        isolate(&mut command);
        let bin = self.face.bin();
        let folders = [Some(bin.as_path()), more, Some(Path::new("/usr/bin")), Some(Path::new("/bin"))];
        let path = std::env::join_paths(folders.into_iter().flatten()).unwrap();
        command.env("PATH", path).env("HOME", self.folder.path()).current_dir(self.folder.path());
        command
    }
}

const SETTINGS: &str = "
import os
SECRET_KEY = 'x'
INSTALLED_APPS = ['django.contrib.contenttypes', 'django.contrib.auth', 'dbbackup']
DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': os.environ['TEST_DB'],
                         'USER': 'postgres', 'HOST': '127.0.0.1', 'PORT': os.environ['TEST_PORT']}}
LOCAL = {'BACKEND': 'django.core.files.storage.FileSystemStorage'}
STORAGES = {'default': LOCAL, 'staticfiles': LOCAL,
            'dbbackup': {**LOCAL, 'OPTIONS': {'location': os.environ['TEST_BACKUPS']}}}
DBBACKUP_CONNECTORS = {'default': {'CONNECTOR': 'dbbackup.db.postgresql.' + os.environ['TEST_CONNECTOR']}}
";

#[test]
fn django_dbbackup_backs_up_and_restores() {
    let packages = needed!(callers::django());
    let server = needed!(Server::get(MAJOR));
    let bench = needed!(Bench::new());
    fs::write(bench.path("settings.py"), SETTINGS).unwrap();
    for connector in ["PgDumpConnector", "PgDumpBinaryConnector"] {
        let database = server.database("django");
        let backups = bench.path(connector);
        fs::create_dir(&backups).unwrap();
        let django = |arguments: &[&str]| {
            let mut command = bench.command("python3", None);
            command
                .env("PATH", with_front(&bench.face.bin()))
                .env("PYTHONPATH", std::env::join_paths([&packages, &bench.folder.path().to_owned()]).unwrap())
                .env("DJANGO_SETTINGS_MODULE", "settings")
                .env("TEST_DB", database.name())
                .env("TEST_PORT", server.port().to_string())
                .env("TEST_BACKUPS", &backups)
                .env("TEST_CONNECTOR", connector);
            run(command.args(["-m", "django"]).args(arguments))
        };
        django(&["migrate", "--verbosity", "0"]);
        database.sql("INSERT INTO auth_group (name) VALUES ('rowers'), (E'a\\tb\\nc')");
        let before = database.sql("SELECT string_agg(id || name, ',' ORDER BY id) FROM auth_group");
        django(&["dbbackup", "--noinput"]);
        database.sql("DELETE FROM auth_group; ALTER TABLE auth_user ADD COLUMN odd integer");
        django(&["dbrestore", "--noinput"]);
        assert_eq!(database.sql("SELECT string_agg(id || name, ',' ORDER BY id) FROM auth_group"), before);
        let odd = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'auth_user'::regclass AND attname = 'odd'";
        assert_eq!(database.sql(odd).trim(), "0", "{connector}");
    }
}

/// The PATH with a folder before all others.
fn with_front(folder: &Path) -> std::ffi::OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path))).unwrap()
}

#[test]
fn dbmate_writes_its_schema() {
    let dbmate = needed!(callers::dbmate());
    let server = needed!(Server::get(MAJOR));
    let bench = needed!(Bench::new());
    let database = server.database("dbmate");
    fs::create_dir_all(bench.path("db/migrations")).unwrap();
    let migration = "-- migrate:up\nCREATE TABLE boats (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text UNIQUE);\n\
        COMMENT ON TABLE boats IS 'saved';\n-- migrate:down\nDROP TABLE boats;\n";
    fs::write(bench.path("db/migrations/20260101000000_boats.sql"), migration).unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{}/{}?sslmode=disable", server.port(), database.name());
    let mate = |arguments: &[&str]| run(bench.command(&dbmate, None).env("DATABASE_URL", &url).args(arguments));
    mate(&["up"]);
    let schema = fs::read_to_string(bench.path("db/schema.sql")).unwrap();
    assert!(
        schema.contains("-- Dumped by pg_dump version 18.") && schema.contains("CREATE TABLE public.boats"),
        "{schema}"
    );
    // The same as with PostgreSQL's own.
    let ours = schema;
    let theirs = needed!(needed(MAJOR));
    let name = "pg_dump";
    let tool = theirs.tool(name).unwrap();
    let path = bench.face.bin().join(name);
    fs::remove_file(&path).unwrap();
    let psql = fs::read_to_string(bench.face.bin().join("psql")).unwrap();
    let script = psql.replace("/psql'", "/pg_dump'");
    assert!(script.contains(&tool.get_program().display().to_string()), "{script}");
    run(Command::new("sh")
        .arg("-c")
        .arg("printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"")
        .arg("sh")
        .arg(script)
        .arg(&path));
    mate(&["dump"]);
    assert_eq!(fs::read_to_string(bench.path("db/schema.sql")).unwrap(), ours);
}

const RAILS: &str = "
# There are no specifications of gems here, only the gems.
module Kernel; def gem(*); true; end; end
require 'active_record'
require 'active_record/tasks/database_tasks'
tasks = ActiveRecord::Tasks::DatabaseTasks
conf = { adapter: 'postgresql', host: '127.0.0.1', port: ENV['TEST_PORT'], username: 'postgres', database: ENV['TEST_DB'] }
tasks.db_dir = tasks.root = Dir.pwd
tasks.env = 'test'
db = ActiveRecord::DatabaseConfigurations::HashConfig.new('test', 'primary', conf)
ActiveRecord::Base.establish_connection(conf)
ActiveRecord::Schema.define do
  create_table(:books) { |t| t.string :title, null: false }
  add_index :books, :title, unique: true
end
tasks.structure_dump(db, 'structure.sql')
tasks.purge(db)
tasks.structure_load(db, 'structure.sql')
ActiveRecord::Base.establish_connection(conf)
puts ActiveRecord::Base.connection.indexes('books').map(&:name)
";

#[test]
fn rails_dumps_its_structure_and_loads_it() {
    let Ruby { program, environment } = needed!(callers::active_record());
    let server = needed!(Server::get(MAJOR));
    let bench = needed!(Bench::new());
    let database: Database<'_> = server.database("rails");
    fs::write(bench.path("dump.rb"), RAILS).unwrap();
    let mut command = bench.command(&program, program.parent());
    command.envs(environment).env("TEST_DB", database.name()).env("TEST_PORT", server.port().to_string());
    let out = run(command.arg("dump.rb"));
    assert!(out.stdout().ends_with("index_books_on_title\n"), "{out}");
    let structure = fs::read_to_string(bench.path("structure.sql")).unwrap();
    assert!(structure.contains("CREATE TABLE public.books") && !structure.contains("OWNER TO"), "{structure}");
}
