//! Subscriptions of servers before 16: pg_dump 18 writes options for them that these servers do not know, so its archive can
//! be restored only to newer ones. lifeboat's goes back to where it came from.

use crate::support::Server;

#[test]
fn subscription_goes_back_to_the_server_that_it_came_from() {
    for server in Server::all() {
        let database = server.database("subscription");
        let options = "connect = false, slot_name = NONE, synchronous_commit = on";
        database.sql(&format!(
            "CREATE SUBSCRIPTION \"s WITH (, streaming = off)\" CONNECTION 'host=nowhere.invalid' PUBLICATION p WITH ({options})"
        ));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("archive");
        database.backup(&path, &[]);
        let restored = server.database("subscription");
        restored.restore(&path, &[]);
        let sql = "SELECT subname, subconninfo, subpublications, subsynccommit, subenabled FROM pg_subscription \
            WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(restored.sql(sql), database.sql(sql));
        assert!(restored.sql(sql).contains("streaming"));
    }
}
