//! Connections and the protocol on them, against real servers and against servers that misbehave.

mod broken_servers;
mod copy;
mod demands;
mod login;
mod places;
mod queries;
mod slow_servers;
mod tls;
mod values;

use lifeboat::connect::{Database, Environment, Target, recognise};
use lifeboat::wire::{Connection, Foreign, SessionSettings};

use crate::support::Server;

/// Nothing of the environment that the tests run in.
fn nowhere() -> Environment {
    Environment::empty().with_user("nobody")
}

fn target(text: &str) -> Target {
    match recognise(text.as_bytes(), &nowhere()) {
        Ok(Database::Postgres(target)) => *target,
        other => panic!("{text:?} is {other:?}"),
    }
}

fn connect(text: &str) -> Connection {
    target(text).connect().unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

/// The way for statements as they are.
fn raw(c: &mut Connection) -> Foreign<'_> {
    if c.foreign().is_err() {
        c.set_up(&SessionSettings::default()).unwrap();
    }
    c.foreign().unwrap()
}

/// Why the connection is not made.
fn refusal(text: &str) -> String {
    match target(text).connect() {
        Ok(_) => panic!("{text:?} connects"),
        Err(error) => error.to_string(),
    }
}

/// A session in the database `postgres` of a shared server.
fn session(server: &Server) -> Connection {
    connect(&format!("host={} port={} user=postgres dbname=postgres", server.socket_dir().display(), server.port()))
}

/// `text` in percent-encoding.
fn encoded(text: &str) -> String {
    text.bytes().map(|b| format!("%{b:02X}")).collect()
}
