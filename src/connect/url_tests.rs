//! What URLs mean.

use super::{Form, parse};

/// Parses, and shows what was understood in a form that is easy to compare.
fn understood(url: &str, form: Form) -> String {
    let settings = match parse(url.as_bytes(), form) {
        Ok(settings) => settings,
        Err(error) => return error.to_string(),
    };
    ["user", "password", "host", "port", "dbname", "sslmode", "connect_timeout", "options", "application_name"]
        .iter()
        .filter_map(|name| settings.get(name).map(|value| format!("{name}={value}")))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn the_forms_of_libpq() {
    for (url, meaning) in [
        ("", ""),
        ("localhost", "host=localhost"),
        ("localhost:5433", "host=localhost port=5433"),
        ("localhost/mydb", "host=localhost dbname=mydb"),
        ("user@localhost", "user=user host=localhost"),
        ("user:secret@localhost", "user=user password=secret host=localhost"),
        (
            "other@localhost/otherdb?connect_timeout=10&application_name=myapp",
            "user=other host=localhost dbname=otherdb connect_timeout=10 application_name=myapp",
        ),
        ("host1:123,host2:456/somedb", "host=host1,host2 port=123,456 dbname=somedb"),
        ("host1,host2:456/somedb", "host=host1,host2 port=,456 dbname=somedb"),
        ("/mydb?host=localhost&port=5433", "host=localhost port=5433 dbname=mydb"),
        ("[2001:db8::1234]/database", "host=2001:db8::1234 dbname=database"),
        ("[::1]:5433/", "host=::1 port=5433"),
        ("/dbname?host=/var/lib/postgresql", "host=/var/lib/postgresql dbname=dbname"),
        ("%2Fvar%2Flib%2Fpostgresql/dbname", "host=/var/lib/postgresql dbname=dbname"),
        ("us%40er:p%3A%2F%40%25w@h/d%20b", "user=us@er password=p:/@%w host=h dbname=d b"),
        ("h/d?options=-c%20geqo%3Doff", "host=h dbname=d options=-c geqo=off"),
        ("h/d?options=a+b", "host=h dbname=d options=a+b"),
        ("h/d?user=a@b", "user=a@b host=h dbname=d"),
        ("h:1/d?user=a@b", "user=a@b host=h port=1 dbname=d"),
        ("h?sslmode=require", "host=h sslmode=require"),
        ("h?ssl=true", "host=h sslmode=require"),
        ("u:p@ss@h/d", "user=u password=p@ss host=h dbname=d"),
    ] {
        assert_eq!(understood(url, Form::Libpq), meaning, "{url:?}");
    }
}

#[test]
fn the_forms_of_sqlalchemy() {
    for (url, meaning) in [
        ("z4j:pw@db:5432/z4j?ssl=require", "user=z4j password=pw host=db port=5432 dbname=z4j sslmode=require"),
        ("u:p@h/d?ssl=False", "user=u password=p host=h dbname=d sslmode=disable"),
        ("u:p@h/d?ssl=verify-full", "user=u password=p host=h dbname=d sslmode=verify-full"),
        ("u:p/w@h/d", "user=u password=p/w host=h dbname=d"),
        ("u:p?w@h:7/d", "user=u password=p?w host=h port=7 dbname=d"),
        ("u:p@/d?host=/run/postgresql", "user=u password=p host=/run/postgresql dbname=d"),
        ("u:p@/d?host=h:7", "user=u password=p host=h port=7 dbname=d"),
        ("h/d?options=a+b", "host=h dbname=d options=a b"),
        ("h/d?prepared_statement_cache_size=0&timeout=5", "host=h dbname=d connect_timeout=5"),
    ] {
        assert_eq!(understood(url, Form::SqlAlchemy), meaning, "{url:?}");
    }
}

#[test]
fn what_is_wrong_is_said_without_showing_secrets() {
    for (url, said) in [
        ("u:gehe%im@h/d", "percent sign"),
        ("u:geheim@h/d?nonsense=1", "\"nonsense\""),
        ("u:geheim@[::1/d", "closing bracket"),
        ("u:geheim@[::1]x/d", "follows an IPv6 address"),
        ("u:geheim@h/d?ssl=maybe", "\"ssl\""),
        ("u:geheim@h/d?sslmode", "no value"),
        ("u:geheim@h/d%00", "%00"),
        ("u:geheim@h/d?prepared_statement_cache_size=0", "\"prepared_statement_cache_size\""),
        ("u:geheim@h/d?gssencmode=require", "\"gssencmode\""),
    ] {
        let error = understood(url, Form::Libpq);
        assert!(error.contains(said) && !error.contains("gehe"), "{url:?}: {error}");
    }
}

#[test]
fn what_is_the_applications_own_is_noted() {
    let noted = |url: &str, form| parse(url.as_bytes(), form).unwrap().notes().to_vec();
    assert_eq!(noted("h/d?sslmode=require", Form::Libpq), [""; 0]);
    let notes = noted("h/d?schema=public&connection_limit=5&pgbouncer=true", Form::Libpq);
    assert_eq!(notes.len(), 3, "{notes:?}");
    assert!(notes[0].contains("\"schema\"") && notes[2].contains("\"pgbouncer\""), "{notes:?}");
    // pgjdbc verifies by default, and Prisma where it is told to.
    assert_eq!(
        understood("h/d?ssl=true&ApplicationName=a", Form::Jdbc),
        "host=h dbname=d sslmode=verify-full application_name=a"
    );
    let error = understood("h/d?sslaccept=strict", Form::Libpq);
    assert!(error.contains("sslaccept"), "{error}");
}

#[test]
fn ssl_does_not_weaken_what_sslmode_says() {
    for (url, mode) in [
        ("h/d?ssl=true", "sslmode=require"),
        ("h/d?sslmode=verify-full&ssl=true", "sslmode=verify-full"),
        ("h/d?ssl=true&sslmode=verify-full", "sslmode=verify-full"),
        ("h/d?ssl=no-verify", "sslmode=no-verify"),
        ("h/d?ssl=false&sslmode=disable", "sslmode=disable"),
    ] {
        assert_eq!(understood(url, Form::Libpq), format!("host=h dbname=d {mode}"), "{url}");
    }
    for url in [
        "h/d?sslmode=verify-full&ssl=false",
        "h/d?ssl=false&sslmode=require",
        "h/d?ssl=true&sslmode=prefer",
        "h/d?ssl=verify-full&sslmode=require",
        "h/d?ssl=require&sslmode=no-verify",
    ] {
        assert!(understood(url, Form::Jdbc).contains("contradicts sslmode"), "{url}");
    }
}

#[test]
fn what_is_no_name_is_not_shown() {
    let error = understood("h/d?u:geheim@h=1", Form::Libpq);
    assert!(error.contains("other characters") && !error.contains("geheim"), "{error}");
}
