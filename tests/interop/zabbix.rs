//! Zabbix's database: 170 tables with data, thousands of rows, and a schema that nobody made for these tests.

use std::path::Path;

use super::every_option::{Subject, same_under_its_sets};
use crate::restore::scripts;
use crate::support::archive::Rows;
use crate::support::fixtures::Zabbix;
use crate::support::needs::Needed;
use crate::support::{Database, REFERENCE, Scene, Server, archive};

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

/// Fails the test unless `database` holds what the original held: every definition, every row of every table.
fn assert_original(scene: &Scene, what: &str, database: &Database<'_>) {
    let now = scene.path("now");
    database.pg_dump(REFERENCE, &[], &now);
    archive::assert_same(what, &scene.archive(), &now, Rows::AnyOrder);
    archive::assert_same_independently(what, &scene.archive(), &now, Rows::AnyOrder);
}

fn restore(database: &Database<'_>, path: &Path) {
    let out = database.restore(path, &[]);
    assert_eq!(out.stderr(), "", "{out}");
}

fn loaded(major: u32) -> Needed<Database<'static>> {
    let (server, zabbix) = (Server::get(major)?, Zabbix::get()?);
    let database = zabbix.database(server)?;
    assert!(database.sql("SELECT count(*) FROM items").parse::<u32>().unwrap() > 1000);
    Ok(database)
}

fn is_rescued(major: u32) {
    let origin = needed!(loaded(major));
    let server = origin.server();
    let scene = Scene::of(&origin, &[]);

    // The archive is pg_dump's, entry by entry and byte by byte.
    let (full, plain) = (scene.path("full"), scene.path("plain"));
    origin.backup(&full, &["--owner", "--acl", "--archive-version", "1.16"]);
    archive::assert_same("lifeboat's archive", &scene.archive(), &full, Rows::InOrder);
    archive::assert_same_independently("lifeboat's archive", &scene.archive(), &full, Rows::InOrder);
    if major == REFERENCE {
        scripts::same_under_all_options(&scene.archive());
    }
    // There is no pg_dump of 13.
    if major > 13 {
        same_under_its_sets(Subject::Zabbix, "Zabbix's database", &origin);
    }

    // Real pg_restore has nothing to say about an archive as lifeboat makes it by default.
    origin.backup(&plain, &[]);
    let restored = server.database("zabbix");
    let out = restored.pg_restore(major.max(14), &["--exit-on-error"], &plain);
    assert!(out.success() && out.stderr.is_empty(), "{out}");
    assert_original(&scene, "the database after pg_restore", &restored);
    drop(restored);

    // Over a damaged copy; what the archive knows nothing of stays.
    let name = origin.name();
    let damaged = server.database_from("zabbix", name);
    let script = scene.path("damage.sql");
    std::fs::write(&script, DAMAGE).unwrap();
    damaged.load_file(&script);
    let out = damaged.try_restore(&plain, &[]);
    assert!(out.code() == 4 && out.stderr().contains("replaced: COLUMN public.hosts intruder\n"), "{out}");
    damaged.sql("ALTER TABLE hosts DROP COLUMN intruder");
    restore(&damaged, &plain);
    assert_eq!(damaged.sql("SELECT a FROM not_zabbix_s"), "1");
    damaged.sql("DROP TABLE not_zabbix_s");
    assert_original(&scene, "the damaged database after our restore", &damaged);
    restore(&damaged, &plain);
    assert_original(&scene, "the database after our second restore", &damaged);
    drop(damaged);

    // Real pg_dump's archive, into an empty database.
    let theirs = scene.path("theirs");
    origin.pg_dump(major.max(14), &[], &theirs);
    let restored = server.database("zabbix");
    restore(&restored, &theirs);
    assert_original(&scene, "the database after our restore of pg_dump's archive", &restored);
}

tests! { is_rescued:
    is_rescued_on_13(13)
    is_rescued_on_15(15)
    is_rescued_on_18(18)
}

fn plain_output_is_pg_dump_s(major: u32) {
    let origin = needed!(loaded(major));
    same_under_its_sets(Subject::Zabbix, "Zabbix's database", &origin);
}

// On 15 and 18 it is a part of the tests above.
tests! { plain_output_is_pg_dump_s:
    plain_output_is_pg_dump_s_on_14(14)
    plain_output_is_pg_dump_s_on_16(16)
    plain_output_is_pg_dump_s_on_17(17)
}
