//! Zabbix's database: 170 tables with data, thousands of rows, and a schema that nobody made for these tests.

use std::path::{Path, PathBuf};

use crate::restore::scripts;
use crate::support::archive::Rows;
use crate::support::fixtures::Zabbix;
use crate::support::{Database, REFERENCE, Server, archive, lifeboat, output, run};

/// What a running system must never have done to it, and what a restore has to put right.
const DAMAGE: &str = "
    DELETE FROM trends;
    DELETE FROM profiles;
    UPDATE items SET name = 'overwritten', delay = '0';
    DELETE FROM images WHERE imageid % 2 = 0;
    DROP TABLE history, history_text, problem CASCADE;
    DROP TABLE users CASCADE;
    ALTER TABLE hosts ALTER COLUMN ipmi_username TYPE text, DROP COLUMN description, ADD COLUMN intruder integer;
    DROP INDEX items_1;
    ALTER TABLE functions DROP CONSTRAINT functions_pkey CASCADE;
    CREATE TABLE not_zabbix_s (a integer);
    INSERT INTO not_zabbix_s VALUES (1);
    DROP FUNCTION hosts_name_upper_upper CASCADE;
";

struct Scene {
    dir: tempfile::TempDir,
    reference: PathBuf,
}

impl Scene {
    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Fails the test unless `database` holds what the original held: every definition, every row of every table.
    fn assert_original(&self, what: &str, database: &Database<'_>) {
        let now = self.file("now");
        database.pg_dump(REFERENCE, &[], &now);
        archive::assert_same(what, &self.reference, &now, Rows::AnyOrder);
        archive::assert_same_independently(what, &self.reference, &now, Rows::AnyOrder);
    }
}

fn backup(database: &Database<'_>, path: &Path, more: &[&str]) {
    run(lifeboat().args(["backup", "--url", &database.url(), "--output"]).arg(path).args(more));
}

fn restore(database: &Database<'_>, path: &Path) {
    let out = run(lifeboat().args(["restore", "--force", "--url", &database.url()]).arg(path));
    assert_eq!(out.stderr(), "", "{out}");
}

fn is_rescued(major: u32) {
    let server = needed!(Server::get(major));
    let zabbix = needed!(Zabbix::get());
    let dir = tempfile::tempdir().unwrap();
    let scene = Scene { reference: dir.path().join("reference"), dir };
    let origin = server.database("zabbix");
    zabbix.load(&origin);
    assert!(origin.psql("SELECT count(*) FROM items").parse::<u32>().unwrap() > 1000);
    origin.pg_dump(REFERENCE, &[], &scene.reference);

    // The archive is pg_dump's, entry by entry and byte by byte.
    let (full, plain) = (scene.file("full"), scene.file("plain"));
    backup(&origin, &full, &["--owner", "--acl", "--archive-version", "1.16"]);
    archive::assert_same("lifeboat's archive", &scene.reference, &full, Rows::InOrder);
    archive::assert_same_independently("lifeboat's archive", &scene.reference, &full, Rows::InOrder);
    if major == REFERENCE {
        scripts::same_under_all_options(&scene.reference);
    }

    // Real pg_restore has nothing to say about an archive as lifeboat makes it by default.
    backup(&origin, &plain, &[]);
    let restored = server.database("zabbix");
    let out = restored.pg_restore(major.max(14), &["--exit-on-error"], &plain);
    assert!(out.success() && out.stderr.is_empty(), "{out}");
    scene.assert_original("the database after pg_restore", &restored);
    drop(restored);

    // Over a damaged copy; what the archive knows nothing of stays.
    let name = origin.name();
    let damaged = server.database_from("zabbix", name);
    let script = scene.file("damage.sql");
    std::fs::write(&script, DAMAGE).unwrap();
    damaged.load_file(&script);
    let out = output(lifeboat().args(["restore", "--force", "--url", &damaged.url()]).arg(&plain));
    assert!(out.code() == 4 && out.stderr().contains("replaced: COLUMN public.hosts intruder\n"), "{out}");
    damaged.psql("ALTER TABLE hosts DROP COLUMN intruder");
    restore(&damaged, &plain);
    assert_eq!(damaged.psql("SELECT a FROM not_zabbix_s"), "1");
    damaged.psql("DROP TABLE not_zabbix_s");
    scene.assert_original("the damaged database after our restore", &damaged);
    restore(&damaged, &plain);
    scene.assert_original("the database after our second restore", &damaged);
    drop(damaged);

    // Real pg_dump's archive, into an empty database.
    let theirs = scene.file("theirs");
    origin.pg_dump(major.max(14), &[], &theirs);
    let restored = server.database("zabbix");
    restore(&restored, &theirs);
    scene.assert_original("the database after our restore of pg_dump's archive", &restored);
}

#[test]
fn is_rescued_on_13() {
    is_rescued(13);
}

#[test]
fn is_rescued_on_15() {
    is_rescued(15);
}

#[test]
fn is_rescued_on_18() {
    is_rescued(18);
}
