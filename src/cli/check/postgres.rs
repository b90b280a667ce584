//! A PostgreSQL database and its server.

use bstr::{BStr, BString, ByteSlice};

use super::collected::Collected;
use super::finding::{Finding, Findings, Level};
use super::sqlite;
use crate::cli::amounts::{counted, human};
use crate::cli::progress::Console;
use crate::connect::{CertificateCheck, Target};
use crate::postgres::check::{
    self, ConnectionFacts, Holder, LockHolder, Obstacles, Planned, ServerFacts, Unreadable, Why, is_locked_out,
};
use crate::postgres::dump::DumpOptions;
use crate::printable;
use crate::{Error, ErrorKind, Result};

/// How many of a kind are told one by one.
const TOLD: usize = 100;

/// Looks at the database as a backup with these options would meet it. Gives its size.
pub(super) fn check(
    target: &Target,
    options: &DumpOptions,
    console: &Console,
    findings: &mut Findings,
) -> Result<Option<u64>> {
    let collected = Collected::new(console);
    let examined = match check::examine(&|| target.connect(), options, &collected) {
        Ok(examined) => examined,
        Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
        Err(error) => {
            let what = if error.kind() == ErrorKind::Connection { "connection" } else { "server" };
            findings.add(Finding::of_error(Level::Failed, what, &error));
            return Ok(None);
        }
    };
    connection(target, &examined.connection, findings);
    server(&examined.server, findings);
    let is_locked = match &examined.obstacles {
        Ok(obstacles) => {
            self::obstacles(obstacles, &examined.server, options, findings);
            !obstacles.locks.is_empty()
        }
        Err(error) => {
            refuse_interrupted(error)?;
            findings.add(Finding::of_error(Level::Failed, "privileges", error));
            false
        }
    };
    planned(&examined.planned, is_locked, findings)?;
    for (level, text) in collected.take() {
        let level = if level == crate::Level::Error { Level::Failed } else { Level::Warning };
        findings.add(Finding::new(level, "catalog", text));
    }
    match &examined.revisions {
        Ok(revisions) => sqlite::revisions(revisions, findings),
        Err(error) => {
            refuse_interrupted(error)?;
            findings.add(Finding::of_error(Level::Warning, "revision", error));
        }
    }
    Ok(examined.server.database_bytes)
}

fn refuse_interrupted(error: &Error) -> Result<()> {
    match error.kind() {
        ErrorKind::Interrupted => Err(Error::new(ErrorKind::Interrupted, "go on").why(error.to_string())),
        _ => Ok(()),
    }
}

fn connection(target: &Target, facts: &ConnectionFacts, findings: &mut Findings) {
    let peer = facts.peer.clone().unwrap_or_else(|| "a local socket".to_owned());
    findings.add(Finding::new(Level::Ok, "connection", format!("to {peer}")).fact("address", peer));
    let Some((version, cipher)) = facts.tls else {
        // What does not leave the machine needs none.
        let is_local = facts.peer.as_ref().is_none_or(|peer| peer.starts_with('/') || is_loopback(peer));
        let finding = match is_local {
            true => Finding::new(Level::Ok, "tls", "none, on this machine"),
            false => Finding::new(Level::Warning, "tls", "none: the password's proof and all rows pass in the clear")
                .hint("sslmode=verify-full asks for it"),
        };
        return findings.add(finding.fact("version", serde_json::Value::Null));
    };
    let check = target.certificate_check();
    let (level, checked, word) = match check {
        CertificateCheck::ChainAndName => {
            (Level::Ok, "the server's certificate and name were checked", "certificate and name")
        }
        CertificateCheck::Chain => {
            (Level::Note, "the server's certificate was checked, but not its name", "certificate")
        }
        CertificateCheck::Nothing => (Level::Warning, "the server's certificate was not checked", "nothing"),
    };
    let finding = Finding::new(level, "tls", format!("{version}, {cipher}; {checked}"))
        .fact("version", version)
        .fact("cipher", cipher)
        .fact("checked", word);
    findings.add(match check {
        CertificateCheck::ChainAndName => finding,
        _ => finding.hint("sslmode=verify-full with sslrootcert makes sure which server it is"),
    });
}

fn is_loopback(peer: &str) -> bool {
    peer.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_loopback())
}

fn server(facts: &ServerFacts, findings: &mut Findings) {
    let kind = if facts.is_standby { "standby" } else { "primary" };
    let version = printable::name(facts.version.as_bstr());
    let size = facts.database_bytes.map(|bytes| format!(", the database has {}", human(bytes))).unwrap_or_default();
    let level = if facts.is_known { Level::Ok } else { Level::Warning };
    let news = if facts.is_known { "" } else { ", newer than this lifeboat knows" };
    let mut finding = Finding::new(level, "server", format!("PostgreSQL {version}, a {kind}{size}{news}"))
        .fact("version", version)
        .fact("standby", facts.is_standby);
    if let Some(bytes) = facts.database_bytes {
        finding = finding.fact("database_bytes", bytes);
    }
    findings.add(finding);
    if facts.is_standby {
        findings.note(
            "standby",
            "a change that replay must take over may cancel a long backup; rows of unlogged tables are not there",
        );
    }
    if facts.is_pooled {
        findings.add(
            Finding::new(Level::Note, "pooler", "a connection pooler stands in between: a backup works through it, a restore needs a session of its own")
                .hint("for restores and --jobs, connect to the server itself"),
        );
    }
    let role = printable::name(facts.role.as_bstr());
    let more = if facts.is_superuser { "a superuser, who may read everything" } else { "no superuser" };
    findings.add(
        Finding::new(Level::Ok, "role", format!("\"{role}\", {more}"))
            .fact("role", role)
            .fact("superuser", facts.is_superuser),
    );
}

fn obstacles(obstacles: &Obstacles, server: &ServerFacts, options: &DumpOptions, findings: &mut Findings) {
    let role = printable::name(server.role.as_bstr());
    for (is_sequence, check, word) in [(false, "tables", "table"), (true, "sequences", "sequence")] {
        let of_kind = obstacles.relations.iter().filter(|relation| relation.is_sequence == is_sequence);
        let (hidden, forbidden): (Vec<_>, Vec<_>) = of_kind.partition(|relation| relation.why == Why::RowSecurity);
        if forbidden.is_empty() && !is_sequence {
            let tables = counted(obstacles.tables as u64, "table", "tables");
            findings.add(
                Finding::new(Level::Ok, check, format!("\"{role}\" may read all {tables}"))
                    .fact("tables", obstacles.tables),
            );
        }
        each(&forbidden, findings, check, word, |relation| forbidden_relation(relation, word, &role));
        each(&hidden, findings, "row_security", word, |relation| hidden_rows(relation, &role, options));
    }
    if let Some((number, first)) = obstacles.large_objects {
        let text =
            format!("\"{role}\" may not read {}, such as {first}", counted(number, "large object", "large objects"));
        let hint = "GRANT SELECT ON LARGE OBJECT ... TO the role, back up as their owner or a superuser, or use --no-large-objects";
        findings.add(Finding::new(Level::Failed, "large_objects", text).hint(hint).fact("number", number));
    }
    each(&obstacles.subscriptions, findings, "subscriptions", "subscription", |name: &BString| {
        let name = printable::name(name.as_bstr());
        Finding::new(Level::Failed, "subscriptions", format!("how \"{name}\" connects, only superusers may read"))
            .hint("back up as a superuser, or use --no-subscriptions")
            .fact("subscription", name)
    });
    each(&obstacles.user_mappings, findings, "user_mappings", "user mapping", |(user, server): &(BString, BString)| {
        let (user, server) = (printable::name(user.as_bstr()), printable::name(server.as_bstr()));
        let text = format!(
            "\"{role}\" may not read the options of the mapping for \"{user}\" on the foreign server \"{server}\""
        );
        Finding::new(Level::Failed, "user_mappings", text)
            .hint("back up as a superuser, or use --no-user-mappings")
            .fact("user", user)
            .fact("server", server)
    });
    if obstacles.locks.is_empty() {
        findings.ok("locks", "nobody holds a lock that a backup would wait for");
    }
    each(&obstacles.locks, findings, "locks", "lock", lock);
}

/// Adds what `finding` makes of each; of very many, the first.
fn each<T>(all: &[T], findings: &mut Findings, check: &'static str, word: &str, finding: impl Fn(&T) -> Finding) {
    for one in all.iter().take(TOLD) {
        findings.add(finding(one));
    }
    if let Some(more @ 1..) = all.len().checked_sub(TOLD) {
        let level = all.first().map_or(Level::Note, |first| finding(first).level);
        let text = format!("the same of {more} more: each {word} is named up to {TOLD} of them");
        findings.add(Finding::new(level, check, text).fact("more", more));
    }
}

fn qualified(schema: &BString, name: &BString) -> String {
    format!("{}.{}", printable::name(schema.as_bstr()), printable::name(name.as_bstr()))
}

fn forbidden_relation(relation: &&Unreadable, word: &str, role: &str) -> Finding {
    let name = qualified(&relation.schema, &relation.name);
    let (text, hint) = match relation.why {
        Why::NoUsage => {
            let schema = printable::name(relation.schema.as_bstr());
            (
                format!("\"{role}\" may not use the schema \"{schema}\", in which the {word} {name} is"),
                "GRANT USAGE ON SCHEMA ... TO the role; pg_read_all_data has it everywhere (14 and later)",
            )
        }
        _ => (
            format!("\"{role}\" may not SELECT from the {word} {name}"),
            "GRANT SELECT ON it TO the role; pg_read_all_data has it everywhere (14 and later)",
        ),
    };
    let check = if relation.is_sequence { "sequences" } else { "tables" };
    Finding::new(Level::Failed, check, text).hint(hint).fact(word, name)
}

fn hidden_rows(relation: &&Unreadable, role: &str, options: &DumpOptions) -> Finding {
    let name = qualified(&relation.schema, &relation.name);
    let text = format!("row security hides rows of the table {name} from \"{role}\"");
    let finding = match options.row_security {
        true => Finding::new(Level::Warning, "row_security", format!("{text}: they are going to be missing")),
        false => Finding::new(Level::Failed, "row_security", text)
            .hint("ALTER ROLE ... BYPASSRLS, back up as the owner, or use --enable-row-security, which saves what the role sees"),
    };
    finding.fact("table", name)
}

fn lock(holder: &LockHolder) -> Finding {
    let table = qualified(&holder.table.0, &holder.table.1);
    let text = |text: &BStr| printable::name(text);
    let who = match &holder.who {
        Holder::Session(session) => session.to_string(),
        Holder::Prepared { name, role, since } => format!(
            "the prepared transaction \"{}\" of {}, since {} UTC",
            text(name.as_bstr()),
            text(role.as_bstr()),
            text(since.as_bstr())
        ),
        Holder::Unknown => "somebody".to_owned(),
    };
    let verb = if holder.is_held { "is locked" } else { "is going to be locked" };
    let message = format!("a backup would wait for the table {table}, which {verb} by {who}");
    let finding = Finding::new(Level::Warning, "locks", message).fact("table", table).fact("held", holder.is_held);
    match &holder.who {
        Holder::Session(session) => finding
            .fact("pid", session.pid)
            .fact("user", session.role().map(text))
            .fact("application", session.application().map(text))
            .fact("since", session.since().map(text)),
        Holder::Prepared { name, role, since } => finding
            .fact("prepared", text(name.as_bstr()))
            .fact("user", text(role.as_bstr()))
            .fact("since", text(since.as_bstr())),
        Holder::Unknown => finding,
    }
}

fn planned(planned: &Result<Planned>, is_locked: bool, findings: &mut Findings) -> Result<()> {
    match planned {
        Ok(planned) => {
            let text = match planned.tables {
                Some(tables) => format!(
                    "everything in the database is understood: {}, {} with rows",
                    counted(planned.entries as u64, "entry", "entries"),
                    counted(tables as u64, "table", "tables")
                ),
                None => "everything else in the database is understood".to_owned(),
            };
            findings
                .add(Finding::new(Level::Ok, "catalog", text).fact("entries", planned.tables.map(|_| planned.entries)));
        }
        Err(error) => {
            refuse_interrupted(error)?;
            let waits = is_locked && is_locked_out(error);
            let level = if waits { Level::Warning } else { Level::Failed };
            let finding = Finding::of_error(level, "catalog", error);
            findings.add(match waits {
                true => finding.hint("check again when the locks that are named above are gone"),
                false => finding,
            });
        }
    }
    Ok(())
}
