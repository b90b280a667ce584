//! Databases of real applications: Zabbix's, with 170 tables.

use super::{forced, restore_all, restore_from_pipe};
use crate::support::fixtures::Zabbix;
use crate::support::{REFERENCE, Server};

/// The archive of the server's own pg_dump goes into an empty database, and then over a copy that was damaged.
fn zabbix(major: u32) {
    let server = needed!(Server::get(major));
    let zabbix = needed!(Zabbix::get());
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    let (original, archive) = (file("original"), file("archive"));
    let origin = needed!(zabbix.database(server));
    origin.pg_dump(REFERENCE, &[], &original);
    origin.pg_dump(major.max(14), &[], &archive);
    let rows: u64 = origin
        .sql("SELECT sum((xpath('/row/n/text()', query_to_xml(format('SELECT count(*) AS n FROM %I', relname), false, true, '')))[1]::text::bigint) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        .parse()
        .unwrap();
    assert!(rows > 10_000);

    let target = server.database("target");
    assert_eq!(restore_all(&target, &archive, &forced()).rows, rows);
    target.assert_is("Zabbix's database, restored", &original);

    target.sql(
        "DROP TABLE hosts CASCADE; UPDATE items SET name = 'damaged' WHERE itemid % 2 = 0; ALTER TABLE users RENAME name TO nome;
         CREATE TABLE more (a integer); DROP TABLE history; TRUNCATE images CASCADE",
    );
    let summary = restore_from_pipe(&target, &archive, &forced()).unwrap();
    assert!(summary.is_complete(), "{summary:#?}");
    assert_eq!(summary.rows, rows);
    target.sql("DROP TABLE more");
    target.assert_is("Zabbix's database, restored over a damaged copy", &original);
}

tests! { zabbix:
    zabbix_on_13(13)
    zabbix_on_15(15)
    zabbix_on_18(18)
}
