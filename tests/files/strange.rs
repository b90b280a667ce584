//! File systems that lack what others have.

use super::Sources;
use crate::support::strange::{Can, on};
use crate::support::{REFERENCE, Server};

/// A script that says which step did not do what it should, and what is in the folder at the end.
fn steps(script: &str) -> String {
    format!(
        r#"
        messages=$(mktemp)
        want() {{
            local code=$1 got; shift
            "$0" "$@" >"$messages" 2>&1; got=$?
            [ $got = $code ] || {{ echo "exit code $got, and not $code: $*"; cat "$messages"; }}
        }}
        {script}
        rm -f "$messages"
        ls -A
        "#
    )
}

#[test]
fn everything_is_made_whatever_a_file_system_lacks() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let (url, sqlite) = (sources.database.url(), sources.sqlite_url());
    let (dump, saved) = (sources.scene.path("source.dump"), sources.scene.path("source.db"));
    let variables =
        [("PG", url.as_str()), ("LITE", &sqlite), ("DUMP", dump.to_str().unwrap()), ("SAVED", saved.to_str().unwrap())];
    for can in [
        Can::RENAME_ONLY,
        Can { hard_links: true, ..Can::RENAME_ONLY },
        Can { rename_new: true, ..Can::RENAME_ONLY },
        Can { tell_case: true, ..Can::RENAME_ONLY },
        Can::ALL,
    ] {
        let script = steps(
            r#"
            want 0 backup --url "$PG" --output a.dump
            want 4 backup --url "$PG" --output a.dump
            want 0 backup --url "$PG" --output a.dump --force
            want 0 verify a.dump
            want 0 restore "$DUMP" --script a.sql
            want 4 restore "$DUMP" --script a.sql
            want 0 restore "$DUMP" --script a.sql --force
            want 0 backup --url "$LITE" --output a.db
            want 4 backup --url "$LITE" --output a.db
            want 0 backup --url "$LITE" --output a.db --force --compact
            want 0 restore "$SAVED" --url sqlite:///b.db --force
            want 0 restore "$SAVED" --url sqlite:///b.db --force
            want 0 verify b.db
            want 0 backup --url sqlite:///b.db --output c.db
            "#,
        );
        let out = needed!(on(can, &script, &variables));
        let names = ["a.db", "a.dump", "a.sql", "b.db", "b.db.pre-restore-bak", "c.db"];
        assert_eq!(out.stdout().lines().collect::<Vec<_>>(), names, "{can:?}: {out}");
    }
}

#[test]
fn names_that_differ_by_capitals_are_the_same_where_they_are() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let (url, saved) = (sources.database.url(), sources.scene.path("source.db"));
    let variables = [("PG", url.as_str()), ("SAVED", saved.to_str().unwrap())];
    let script = steps(
        r#"
        want 0 backup --url "$PG" --output a.dump
        want 4 backup --url "$PG" --output A.DUMP
        want 0 restore "$SAVED" --url sqlite:///b.db --force
        want 2 backup --url sqlite:///b.db --output B.DB --force
        want 2 backup --url sqlite:///b.db --output B.DB-Journal --force
        want 2 backup --url sqlite:///b.db --output b.db-WAL
        "#,
    );
    let out = needed!(on(Can::RENAME_ONLY, &script, &variables));
    assert_eq!(out.stdout(), "a.dump\nb.db\n", "{out}");
    // Elsewhere they are two.
    let script = script.replace("want 4", "want 0").replace("want 2", "want 0");
    let out = needed!(on(Can { tell_case: true, ..Can::RENAME_ONLY }, &script, &variables));
    assert_eq!(out.stdout().lines().count(), 6, "{out}");
}

/// Before there is work that would be lost: nobody answers at the URL.
#[test]
fn where_nothing_can_be_renamed_that_is_said_at_the_beginning() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let sqlite = sources.sqlite_url();
    let script = steps(
        r#"
        want 1 backup --url "$NOBODY" --output a.dump
        grep -o "files cannot be renamed there" "$messages"
        want 1 backup --url "$LITE" --output a.db
        grep -o "files cannot be renamed there" "$messages"
        "#,
    );
    let variables = [("NOBODY", "postgresql://u@127.0.0.1:1/d"), ("LITE", &sqlite)];
    let out = needed!(on(Can { rename: false, ..Can::RENAME_ONLY }, &script, &variables));
    assert_eq!(out.stdout(), "files cannot be renamed there\n".repeat(2), "{out}");
}

#[test]
fn what_a_killed_run_left_under_a_name_is_removed_by_the_next() {
    let server = needed!(Server::get(REFERENCE));
    let sources = Sources::new(server);
    let url = sources.database.url();
    let script = steps(
        r#"
        "$0" backup --url "$PG" --output a.dump >"$messages" 2>&1 & run=$!
        until [ "$(stat -c %s .a.dump.*.part 2>"$messages" | sort -n | tail -n 1)" -gt 0 ] 2>"$messages"; do sleep 0.01; done
        kill -KILL $run; wait $run 2>"$messages"
        ls -A | grep -c '^\.a\.dump\.lifeboat-[0-9]*-.*\.part$'
        want 0 backup --url "$PG" --output a.dump
        grep -c "an unfinished file of a run that was killed; it was removed" "$messages"
        # Of another machine, whose locks may not be seen here.
        >.a.dump.lifeboat-12-9999abcdefgh.part
        want 0 backup --url "$PG" --output a.dump --force
        grep -c "remove it, unless the run that makes it is still on its way" "$messages"
        "#,
    );
    let out = needed!(on(Can::RENAME_ONLY, &script, &[("PG", &url)]));
    assert_eq!(out.stdout(), "1\n1\n1\n.a.dump.lifeboat-12-9999abcdefgh.part\na.dump\n", "{out}");
}
