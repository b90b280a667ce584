//! Zabbix's database: 170 tables with data, thousands of rows, and a schema that nobody made for these tests.

use crate::support::archive::Rows;
use crate::support::fixtures::Zabbix;
use crate::support::roundtrip::pg_restore;
use crate::support::{REFERENCE, Server, archive, report};

fn zabbix() -> Option<Zabbix> {
    Zabbix::get().inspect_err(|why| report::not_run("zabbix", why)).ok()
}

fn goes_round_with_the_reference_tools(major: u32) {
    let Some(server) = Server::get(major) else { return };
    let Some(zabbix) = zabbix() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (dir.path().join("first"), dir.path().join("second"));
    let origin = server.database("zabbix");
    zabbix.load(&origin);
    assert!(origin.psql("SELECT count(*) FROM items").parse::<u32>().unwrap() > 1000);
    origin.pg_dump(REFERENCE, &[], &first);
    let restored = server.database("zabbix");
    pg_restore(&restored, &first).unwrap();
    restored.pg_dump(REFERENCE, &[], &second);
    archive::assert_same("Zabbix's database after pg_restore", &first, &second, Rows::AnyOrder);
    match archive::independent_diff(&first, &second, Rows::AnyOrder) {
        Some(out) => assert!(out.success(), "archive_diff.py sees a difference: {out}"),
        None => report::say("NOT RUN: archive_diff.py on Zabbix's database: it is not beside this checkout"),
    }
}

#[test]
fn fixture_is_sound_on_13() {
    goes_round_with_the_reference_tools(13);
}

#[test]
fn fixture_is_sound_on_15() {
    goes_round_with_the_reference_tools(15);
}

#[test]
fn fixture_is_sound_on_18() {
    goes_round_with_the_reference_tools(18);
}
