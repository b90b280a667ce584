//! The settings that a session of ours must not take from the server's configuration, the database or the role: those that
//! change what is read or written, or that would end the work. docs/SETTINGS.md shows them, and which are left alone.
//!
//! Some more depend on what is asked for, and are set where that is known: the encoding, row security, the role, how long a
//! lock is waited for, which relations may be read. The search path and the limits of time for statements and locks are set
//! by [`Connection`](crate::wire::Connection) itself, before anything else.

use super::version::ServerVersion;
use crate::wire::{Begin, Connection, SessionSettings};

/// The limits that a role or a database may bring, and that [`Connection`](crate::wire::Connection) takes away with a 0: they
/// could end what follows. The shorter a time is, the sooner it must be gone.
pub fn time_limits(server: i32) -> &'static [&'static str] {
    const ALL: &[&str] = &[
        "transaction_timeout",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "lock_timeout",
        "exit_on_error",
    ];
    if ServerVersion::new(server).transaction_timeout() { ALL } else { &ALL[1..] }
}

/// A setting, and what it has to be.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Its value, as `SET` takes it.
    pub value: &'static str,
    /// For what it is set.
    pub of: Direction,
    /// Which servers have it.
    pub known_to: fn(ServerVersion) -> bool,
    /// Why it is not left alone.
    #[cfg_attr(not(test), expect(dead_code, reason = "a test holds docs/SETTINGS.md against it"))]
    pub why: &'static str,
}

/// What a session does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// It backs up.
    Read,
    /// It restores.
    Write,
    /// It does either.
    Both,
}

use Direction::{Both, Read, Write};

const fn any(_: ServerVersion) -> bool {
    true
}

const fn setting(name: &'static str, value: &'static str, of: Direction, why: &'static str) -> Setting {
    Setting { name, value, of, known_to: any, why }
}

impl Setting {
    const fn known_to(self, known_to: fn(ServerVersion) -> bool) -> Self {
        Self { known_to, ..self }
    }
}

/// All of them.
pub const SETTINGS: &[Setting] = &[
    setting(
        "idle_session_timeout",
        "0",
        Write,
        "would end a session that has nothing to do while others build indexes",
    )
    .known_to(ServerVersion::idle_session_timeout),
    setting(
        "default_transaction_read_only",
        "off",
        Write,
        "would refuse to write; blocks of a backup say by themselves that they read",
    ),
    setting("default_transaction_isolation", "read committed", Write, "serializable transactions fail beside others"),
    setting("default_transaction_deferrable", "off", Write, "would wait for others"),
    setting(
        "client_min_messages",
        "warning",
        Both,
        "more is as much as the data themselves, less hides what the server warns of",
    ),
    setting("array_nulls", "on", Both, "off makes of NULL in an array the word"),
    setting("transform_null_equals", "off", Both, "on makes of \"= NULL\" in a check or a rule \"IS NULL\""),
    setting("gin_fuzzy_search_limit", "0", Both, "would leave out rows that an index finds"),
    setting(
        "max_parallel_workers_per_gather",
        "0",
        Read,
        "workers before 16 do not know of the transaction that it only reads, which is read back",
    ),
    setting("synchronize_seqscans", "off", Read, "rows come in the order in which they lie"),
    setting("DateStyle", "ISO", Both, "dates in other forms can be read in two ways"),
    setting("IntervalStyle", "postgres", Both, "intervals in other forms can be read in two ways"),
    setting("extra_float_digits", "3", Read, "less loses digits"),
    setting(
        "extra_float_digits",
        "1",
        Write,
        "what is computed of numbers while they are loaded, as in indexes, has all digits",
    ),
    setting("bytea_output", "hex", Write, "what is computed of values while they are loaded does not depend on it"),
    setting("xmlbinary", "base64", Write, "as bytea_output"),
    setting("xmloption", "content", Write, "document refuses pieces of XML"),
    setting("backslash_quote", "safe_encoding", Write, "off refuses literals that older archives may have"),
    setting("check_function_bodies", "off", Write, "functions come before the tables that they use"),
    setting("restrict_nonsystem_relation_kind", "", Write, "would keep materialized views from being filled")
        .known_to(ServerVersion::restricts_relation_kinds),
    setting("icu_validation_level", "warning", Write, "error refuses collations that a backup found")
        .known_to(ServerVersion::icu_validation_level),
];

/// Triggers and foreign keys are obeyed while rows are loaded. Only superusers may say so, and whoever gives it with the
/// connection (`options=-c session_replication_role=replica`) means it.
pub const TRIGGERS: (&str, &str) = ("session_replication_role", "origin");

/// Those of `direction` that `server` has.
pub fn of(direction: Direction, server: ServerVersion) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |s| (s.of == direction || s.of == Both) && (s.known_to)(server))
}

/// A block in which a backup reads.
#[must_use]
pub fn reading(begin: Begin, server: ServerVersion) -> Begin {
    of(Read, server).fold(begin, |begin, setting| begin.set(setting.name, setting.value))
}

/// What a session is set up with that restores.
pub fn writing(connection: &Connection) -> SessionSettings {
    let mut settings = SessionSettings::default();
    for setting in of(Write, ServerVersion::new(connection.server_version())) {
        settings.set(setting.name, setting.value);
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_in_the_documentation_with_its_value() {
        let page = include_str!("../../docs/SETTINGS.md");
        for setting in SETTINGS {
            let of = match setting.of {
                Both => "both",
                Read => "backup",
                Write => "restore",
            };
            let value = if setting.value.is_empty() { "''" } else { setting.value };
            let line = format!("| `{}` | `{value}` | {of} | {}", setting.name, setting.why);
            assert!(page.contains(&line), "docs/SETTINGS.md lacks\n{line}");
        }
    }

    #[test]
    fn none_is_set_twice_in_one_direction() {
        for direction in [Read, Write] {
            let mut names: Vec<_> = of(direction, ServerVersion::new(180_000)).map(|setting| setting.name).collect();
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{direction:?}");
        }
    }
}
