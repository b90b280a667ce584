//! Dropping a subscription touches nothing on its publisher, and needs none.

use std::fs;

use crate::support::{Options, Scene, Server, lifeboat, output};

#[test]
fn a_subscription_is_replaced_without_its_publisher() {
    for major in [13, 18] {
        let config = "wal_level = logical".to_owned();
        let Ok(server) = Server::with(major, &Options { config, ..Options::default() }) else { continue };
        let (publisher, subscriber) = (server.database("publisher"), server.database("subscriber"));
        publisher.sql("CREATE TABLE t (n integer); CREATE PUBLICATION p FOR TABLE t");
        publisher.sql("SELECT pg_create_logical_replication_slot('in_use', 'pgoutput')");
        subscriber.sql("CREATE TABLE t (n integer)");
        subscriber.sql(&format!(
            "CREATE SUBSCRIPTION \"s 1\" CONNECTION 'host=127.0.0.1 port={} user=postgres dbname={}' PUBLICATION p
             WITH (create_slot = false, slot_name = in_use, copy_data = false)",
            server.port(),
            publisher.name()
        ));
        let scene = Scene::of(&subscriber, &[]);
        let slot = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'in_use'";
        let there = "SELECT subname, subslotname FROM pg_subscription WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
        // Options that 18's archive has are not known to 13; lifeboat leaves out what it can.
        for options in [&[][..], &["-1"], &["-e"], &["--transaction-size", "2"], &["--jobs", "2"]] {
            let out = scene.restore(&subscriber.url(), options);
            assert_eq!(out.code(), 0, "{major} {options:?}: {out}");
            let told = out.stderr();
            assert!(told.contains("SUBSCRIPTION s 1: it was dropped here alone"), "{out}");
            assert!(told.contains("replication slot \"in_use\" stays on the publisher"), "{out}");
            assert_eq!(publisher.sql(slot), "1", "{options:?}");
            assert_eq!(subscriber.sql(there), "s 1|in_use", "{options:?}");
        }
        // The publisher is gone.
        subscriber.sql("ALTER SUBSCRIPTION \"s 1\" CONNECTION 'host=127.0.0.1 port=1 connect_timeout=2'");
        for options in [&[][..], &["-1"]] {
            let out = scene.restore(&subscriber.url(), options);
            assert_eq!(out.code(), 0, "{major} {options:?}: {out}");
            assert_eq!(publisher.sql(slot), "1");
            subscriber.sql("ALTER SUBSCRIPTION \"s 1\" CONNECTION 'host=127.0.0.1 port=1 connect_timeout=2'");
        }
        // What is rolled back was not dropped, and nothing is said of its slot.
        subscriber.sql("CREATE VIEW mine AS SELECT * FROM t");
        let out = scene.restore(&subscriber.url(), &["-1"]);
        assert_eq!(out.code(), 1, "{out}");
        assert!(!out.stderr().contains("dropped here alone"), "{out}");
        assert_eq!(subscriber.sql(there), "s 1|in_use");
        // In a script it is what pg_restore writes.
        let script = scene.path("script");
        let out = output(lifeboat().arg("restore").arg(scene.archive()).arg("--script").arg(&script));
        assert_eq!(out.code(), 0, "{out}");
        let text = fs::read_to_string(&script).unwrap();
        assert!(text.contains("\nDROP SUBSCRIPTION IF EXISTS \"s 1\";\n"), "{text}");
        assert!(!text.contains("slot_name = NONE);"), "{text}");
        subscriber.sql(
            "DROP VIEW mine; ALTER SUBSCRIPTION \"s 1\" DISABLE; ALTER SUBSCRIPTION \"s 1\" SET (slot_name = NONE)",
        );
        subscriber.sql("DROP SUBSCRIPTION \"s 1\"");
        publisher.sql("SELECT pg_drop_replication_slot('in_use')");
    }
}
