//! Waiting for what will be there soon.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::{Database, Server};

/// What `look` finds, looked for until it is there; two minutes is where hope ends, not what is expected.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(120) {
        if let Some(found) = look() {
            return found;
        }
        sleep(Duration::from_millis(5));
    }
    panic!("waited in vain for {what}");
}

/// Waits until `is_so` says so.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    wait_for(what, || is_so().then_some(()));
}

/// Waits until `sql` gives true.
pub fn wait_for_true(server: &Server, sql: &str) {
    wait_until(sql, || server.sql("postgres", sql) == "t");
}

/// Waits until a session in `database` is as this condition on `pg_stat_activity` says.
pub fn wait_for_session(database: &Database<'_>, condition: &str) {
    let name = database.name();
    let sql = format!("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{name}' AND {condition})");
    wait_for_true(database.server(), &sql);
}

/// Waits until the server runs a statement in `database` that begins as `like` says.
pub fn wait_for_statement(database: &Database<'_>, like: &str) {
    wait_for_session(database, &format!("query LIKE '{like}' AND state = 'active'"));
}

/// Waits until a statement in `database` that is as `like` says waits for a lock: it has its snapshot then, which one that has only
/// just begun need not have.
pub fn wait_for_locked_out(database: &Database<'_>, like: &str) {
    wait_for_session(database, &format!("query LIKE '{like}' AND wait_event_type = 'Lock'"));
}

/// Waits until a session in `database` waits for a lock.
pub fn wait_for_waiting(database: &Database<'_>) {
    wait_for_session(database, "wait_event_type = 'Lock'");
}

/// Waits until nobody is connected to the database.
pub fn wait_until_left(database: &Database<'_>) {
    let sql = format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = '{}')", database.name());
    wait_for_true(database.server(), &sql);
}
