//! lifeboat in an image of its own that has nothing else, as `packaging/image` makes it, beside a server in another container.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use rusqlite::Connection;
use testcontainers::core::WaitFor;
use testcontainers::runners::SyncRunner;
use testcontainers::{GenericImage, ImageExt};

use crate::support::container::{IMAGE, available};
use crate::support::{Output, empty_root, needs, output, run};

const PASSWORD: &str = "only here";

fn docker(arguments: &[&str]) -> Command {
    let mut command = Command::new("docker");
    command.args(arguments);
    command
}

/// The image and a volume, with names of this run's own; they go with the value.
struct Made {
    image: String,
    volume: String,
}

impl Made {
    fn new() -> needs::Needed<Self> {
        needs::need("docker", available())?;
        let program = empty_root::program()?;
        let name = format!("lifeboat-test-{}", std::process::id());
        let made = Self { image: format!("{name}:empty"), volume: name };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/image");
        run(Command::new(script).args(["--tag", &made.image, "--binary"]).arg(program));
        Ok(made)
    }

    /// A run in a container that can change nothing but what is mounted, and has no right that its user does not need.
    fn lifeboat(&self, options: &[&str], arguments: &[&str]) -> Output {
        let mut command = docker(&["run", "--rm", "--read-only", "--cap-drop", "ALL"]);
        command.args(["--security-opt", "no-new-privileges", "--env", "PGPASSWORD"]).env("PGPASSWORD", PASSWORD);
        command.arg("--volume").arg(format!("{}:/backups", self.volume));
        output(command.args(options).arg(&self.image).args(arguments))
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // What could not be removed is named by docker, and is left.
        let _ = docker(&["volume", "rm", "--force", &self.volume]).output();
        let _ = docker(&["image", "rm", "--force", &self.image]).output();
    }
}

#[test]
fn it_backs_up_its_neighbours() {
    let made = needed!(Made::new());
    let server = GenericImage::new(IMAGE.0, IMAGE.1)
        .with_wait_for(WaitFor::message_on_stderr("database system is ready to accept connections"))
        .with_env_var("POSTGRES_PASSWORD", PASSWORD)
        .with_network(&made.volume)
        .with_startup_timeout(Duration::from_secs(120))
        .start()
        .unwrap();
    let sql = |database: &str, sql: &str| {
        let of_server =
            format!("PGPASSWORD='{PASSWORD}' exec psql -h localhost -U postgres -XqAt -v ON_ERROR_STOP=1 \"$@\"");
        let within = ["exec", server.id(), "sh", "-c", &of_server, "sh", "-d", database, "-c", sql];
        run(&mut docker(&within)).stdout()
    };
    for name in ["origin", "target"] {
        sql("postgres", &format!("CREATE DATABASE {name}"));
    }
    sql("origin", "CREATE TABLE t AS SELECT g AS a, md5(g::text) AS b FROM generate_series(1, 1000) g");

    // By the name that it has in their network, which Docker's own name server knows.
    let host = run(&mut docker(&["inspect", "--format", "{{.Config.Hostname}}", server.id()])).stdout();
    let url = |database: &str| format!("postgresql://postgres@{}/{database}", host.trim());
    let within = ["--network", &made.volume];
    let arguments = ["backup", "--url", &url("origin"), "--output", "/backups/{database}.dump", "--sha256"];
    let out = made.lifeboat(&within, &arguments);
    assert!(out.success() && out.stdout().contains("\noutput: /backups/origin.dump\n"), "{out}");
    let out = made.lifeboat(&within, &["restore", "/backups/origin.dump", "--force", "--url", &url("target")]);
    assert!(out.success() && out.stdout().contains("\nrows: 1000\n"), "{out}");
    let sum = "SELECT count(*), sum(a), md5(string_agg(b, ',' ORDER BY a)) FROM t";
    assert_eq!(sql("origin", sum), sql("target", sum));

    // A SQLite database, as the application's user, in whose folder its -wal lies.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let path = folder.path().join("app.db");
    Connection::open(&path).unwrap().execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (a)").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let mounted = format!("{}:/data", folder.path().display());
    let as_application = ["--user", "1000:1000", "--network", "none", "--volume", &mounted];
    for arguments in [
        &["backup", "--url", "sqlite:////data/app.db", "--output", "/backups/app.db"][..],
        &["verify", "/backups/app.db"],
        &["drill", "--scratch", "/backups"],
    ] {
        let out = made.lifeboat(&as_application, arguments);
        assert!(out.success(), "{out}");
    }
    // Without arguments, it says what it can do.
    let out = made.lifeboat(&[], &[]);
    assert!(out.success() && out.stdout().contains("Usage: lifeboat"), "{out}");
    drop(server);
}
