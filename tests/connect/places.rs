//! Where the server is: sockets, several hosts, servers of the kind that is wanted.

use std::net::TcpListener;

use super::{connect, refusal, target};
use crate::support::Server;

#[test]
fn a_socket_can_be_named_in_every_form() {
    let server = needed!(Server::newest());
    let (dir, port) = (server.socket_dir().display().to_string(), server.port());
    for text in [
        format!("host={dir} port={port} user=postgres dbname=postgres"),
        format!("postgresql://postgres@{}:{port}/postgres", dir.replace('/', "%2F")),
        format!("postgresql:///postgres?host={dir}&port={port}&user=postgres"),
        format!("postgresql+asyncpg://postgres@/postgres?host={dir}&port={port}"),
    ] {
        assert!(!connect(&text).is_tls(), "{text}");
    }
    let nothing = target(&format!("host={dir} port=1 user=postgres")).connect().unwrap_err();
    assert!(nothing.to_string().contains(".s.PGSQL.1") && nothing.hint_text().is_some(), "{nothing}");
}

#[test]
fn hosts_are_tried_in_order() {
    let server = needed!(Server::newest());
    // A port that nobody listens on.
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let live = server.port();
    connect(&format!("postgresql://postgres@127.0.0.1:{dead},127.0.0.1:{live}/postgres"));
    connect(&format!("postgresql://postgres@no-such-host.invalid,127.0.0.1/postgres?port={live}"));
    connect(&format!("postgresql://postgres@localhost:{live}/postgres"));
    connect(&format!("host=nonsense.invalid hostaddr=127.0.0.1 port={live} user=postgres dbname=postgres"));
    let all = refusal(&format!("postgresql://postgres@127.0.0.1:{dead},localhost:{dead}/postgres"));
    assert!(all.matches("refused").count() >= 2 && all.contains(&format!("127.0.0.1:{dead}")), "{all}");
    // A host that answers and says no ends the search.
    let no =
        target(&format!("postgresql://nonsense@127.0.0.1:{live},127.0.0.1:{dead}/postgres")).connect().unwrap_err();
    assert!(no.server().is_some_and(|s| s.is("28000")), "{no}");
}

#[test]
fn a_server_of_the_wrong_kind_is_passed_over() {
    let server = needed!(Server::newest());
    let database = server.database("kind");
    let of = |kind: &str| format!("{}?target_session_attrs={kind}", database.url());
    for kind in ["any", "read-write", "primary", "prefer-standby"] {
        connect(&of(kind));
    }
    assert!(refusal(&of("standby")).contains("not a standby"));
    assert!(refusal(&of("read-only")).contains("not read-only"));
    database.sql(&format!("ALTER DATABASE \"{}\" SET default_transaction_read_only = on", database.name()));
    assert!(refusal(&of("read-write")).contains("read-only"));
    connect(&of("read-only"));
    connect(&of("primary"));
}

#[test]
fn another_database_of_the_same_server_is_one_step_away() {
    let server = needed!(Server::newest());
    let database = server.database("other \"one\"/%");
    let mut c = target(&server.database("first").url()).with_database(database.name()).connect().unwrap();
    let rows = c.query("SELECT current_database() AS d", &[]).unwrap();
    assert_eq!(rows.one().unwrap().text("d").unwrap(), database.name());
}
