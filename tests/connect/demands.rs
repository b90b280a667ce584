//! What a connection has to be, so that it is made at all: how the server may have one log in, whose it is, certificates that were
//! taken back, keys with passwords; and what the environment says of its session.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use lifeboat::connect::{Database, Environment, recognise};

use super::tls::{openssl, use_certificate};
use super::{connect, encoded, refusal};
use crate::support::server::PASSWORD;
use crate::support::wait::wait_until;
use crate::support::{Options, Server, lifeboat, output, run};

/// A server with TLS, whose users log in each in a way of their own.
fn server(major: u32) -> crate::support::needs::Needed<Server> {
    let hba = "hostssl all by_md5 127.0.0.1/32 md5\nhostssl all by_certificate 127.0.0.1/32 cert clientname=CN\n\
               hostssl all alice 127.0.0.1/32 scram-sha-256\nhost all by_trust 127.0.0.1/32 trust\n\
               host all by_password 127.0.0.1/32 password";
    let server = Server::with(major, &Options { tls: true, hba: hba.to_owned(), ..Options::default() })?;
    let password = PASSWORD.replace('\'', "''");
    server.sql(
        "postgres",
        &format!(
            "SET password_encryption = 'md5'; CREATE ROLE by_md5 LOGIN PASSWORD '{password}';
            CREATE ROLE by_certificate LOGIN; CREATE ROLE by_trust LOGIN; CREATE ROLE by_password LOGIN PASSWORD '{password}'"
        ),
    );
    Ok(server)
}

/// Has the server judge clients' certificates by its own authority.
fn judge(server: &Server) {
    server.sql("postgres", &format!("ALTER SYSTEM SET ssl_ca_file = '{}'", server.ca().display()));
    server.sql("postgres", "SELECT pg_reload_conf()");
    wait_until("the authority's certificate", || !server.sql("postgres", "SHOW ssl_ca_file").is_empty());
}

fn url(server: &Server, user: &str, parameters: &str) -> String {
    format!("postgresql://{user}:{}@localhost:{}/postgres?{parameters}", encoded(PASSWORD), server.port())
}

#[test]
fn a_server_may_ask_only_for_methods_that_are_allowed() {
    let server = needed!(crate::support::server::newest(server));
    for (user, methods, goes) in [
        ("alice", "scram-sha-256", true),
        ("alice", "!password,!none", true),
        ("alice", "md5,password", false),
        ("by_md5", "md5", true),
        // A server that makes do with less gets nothing.
        ("by_md5", "scram-sha-256", false),
        ("by_password", "scram-sha-256,md5", false),
        ("by_trust", "scram-sha-256", false),
        ("by_trust", "none", true),
        ("by_trust", "!none", false),
        ("alice", "none", false),
    ] {
        let url = url(&server, user, &format!("require_auth={}", encoded(methods)));
        if goes {
            connect(&url);
        } else {
            let why = refusal(&url);
            assert!(why.contains("not among those that are allowed"), "{user} {methods}: {why}");
        }
    }
    assert!(server.log().lines().all(|line| !line.contains("password authentication failed")), "{}", server.log());
}

#[test]
fn the_server_has_to_be_of_the_user_that_is_named() {
    let server = needed!(Server::newest());
    let of = |user: &str| {
        let (folder, port) = (server.socket_dir().display(), server.port());
        format!("host={folder} port={port} user=postgres dbname=postgres requirepeer={user}")
    };
    use std::os::unix::fs::MetadataExt;
    let owner = fs::metadata(server.socket_dir().join("data")).unwrap().uid().to_string();
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let name = users.lines().find(|line| line.split(':').nth(2) == Some(&owner)).unwrap().split(':').next().unwrap();
    connect(&of(name));
    let why = refusal(&of("daemon"));
    assert!(why.contains("\"daemon\"") && why.contains(&format!("\"{name}\"")), "{why}");
    // Over TCP there is nobody to ask, and nothing is asked.
    connect(&format!("host=127.0.0.1 port={} user=postgres dbname=postgres requirepeer=daemon", server.port()));
}

#[test]
fn several_hosts_are_tried_in_any_order() {
    let (first, second) = (needed!(Server::get(17)), needed!(Server::get(18)));
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", first.port(), second.port());
    let majors = |parameters: &str| {
        let url = format!("postgresql://postgres@{hosts}/postgres?{parameters}");
        let mut majors: Vec<i32> = (0..40).map(|_| connect(&url).server_version() / 10_000).collect();
        majors.sort_unstable();
        majors.dedup();
        majors
    };
    assert_eq!(majors(""), [17]);
    // That one of them comes first forty times has a chance of one to half a billion billions.
    assert_eq!(majors("load_balance_hosts=random"), [17, 18]);
}

#[test]
fn tls_begins_at_once_where_that_is_asked_for() {
    let (new, old) = (needed!(server(18)), needed!(server(16)));
    let root = format!("sslmode=verify-full&sslrootcert={}", new.ca().display());
    let mut c = connect(&url(&new, "alice", &format!("{root}&sslnegotiation=direct&channel_binding=require")));
    assert!(c.is_tls());
    // Cancelled in the same way.
    let handle = c.cancel_handle();
    handle.cancel().unwrap();
    c.query("SELECT 1 AS one", &[]).ok();
    let why = refusal(&url(&old, "alice", "sslmode=require&sslnegotiation=direct"));
    assert!(why.contains("TLS failed") || why.contains("closed"), "{why}");
    connect(&url(&old, "alice", "sslmode=require&sslnegotiation=postgres"));
}

#[test]
fn certificates_that_were_taken_back_are_refused() {
    let server = needed!(crate::support::server::newest(server));
    let dir = server.socket_dir();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    fs::write(
        dir.join("authority.conf"),
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ncrlnumber=number\ndefault_md=sha256\ndefault_crl_days=9\n",
    )
    .unwrap();
    fs::write(dir.join("index.txt"), "").unwrap();
    fs::write(dir.join("number"), "01\n").unwrap();
    let list = |name: &str| {
        openssl(dir, &format!("ca -config authority.conf -gencrl -keyfile ca.key -cert ca.crt -out {name}"))
    };
    list("none.crl");
    openssl(dir, &format!("req {key} -keyout taken.key -out taken.csr -subj /CN=localhost"));
    openssl(
        dir,
        "x509 -req -in taken.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -extfile names -out taken.crt",
    );
    openssl(dir, "ca -config authority.conf -revoke taken.crt -keyfile ca.key -cert ca.crt");
    list("one.crl");
    openssl(dir, &format!("req -x509 {key} -keyout other.key -out other.crt -days 9 -subj /CN=other"));
    openssl(dir, "ca -config authority.conf -gencrl -keyfile other.key -cert other.crt -out other.crl");
    openssl(dir, "ca -config authority.conf -gencrl -crlsec 1 -keyfile ca.key -cert ca.crt -out short.crl");
    let with = |mode: &str, list: &str| {
        let (root, list) = (server.ca(), dir.join(list));
        url(&server, "alice", &format!("sslmode={mode}&sslrootcert={}&sslcrl={}", root.display(), list.display()))
    };
    connect(&with("verify-full", "none.crl"));
    connect(&with("verify-full", "one.crl"));
    use_certificate(&server, "taken");
    connect(&with("verify-full", "none.crl"));
    for mode in ["require", "verify-ca", "verify-full"] {
        let why = refusal(&with(mode, "one.crl"));
        assert!(why.contains("Revoked"), "{mode}: {why}");
    }
    // Nobody verifies anything.
    connect(&url(&server, "alice", &format!("sslmode=require&sslcrl={}", dir.join("one.crl").display())));
    let why = refusal(&with("verify-full", "other.crl"));
    assert!(why.contains("UnknownRevocationStatus"), "{why}");
    wait_until("the list's end", || refusal_of(&with("verify-full", "short.crl")).contains("CrlExpired"));
    let why = refusal(&with("verify-full", "missing.crl"));
    assert!(why.contains("missing.crl"), "{why}");
    // In a folder, as `openssl rehash` leaves it.
    let folder = dir.join("lists");
    fs::create_dir(&folder).unwrap();
    let of_folder = url(
        &server,
        "alice",
        &format!("sslmode=verify-full&sslrootcert={}&sslcrldir={}", server.ca().display(), folder.display()),
    );
    let why = refusal(&of_folder);
    assert!(why.contains("there are none"), "{why}");
    fs::copy(dir.join("one.crl"), folder.join("0123abcd.r0")).unwrap();
    assert!(refusal(&of_folder).contains("Revoked"));
}

fn refusal_of(url: &str) -> String {
    super::target(url).connect().err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn a_key_may_have_a_password() {
    let server = needed!(crate::support::server::newest(server));
    judge(&server);
    let dir = server.socket_dir();
    openssl(dir, "req -newkey rsa:2048 -nodes -keyout plain.key -out client.csr -subj /CN=by_certificate");
    openssl(dir, "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out client.crt");
    openssl(dir, "pkcs8 -topk8 -in plain.key -passout pass:s3cret -out aes256.key");
    openssl(dir, "pkcs8 -topk8 -in plain.key -passout pass:s3cret -v2 aes-128-cbc -out aes128.key");
    openssl(dir, "pkcs8 -topk8 -in plain.key -passout pass:s3cret -scrypt -out scrypt.key");
    openssl(dir, "rsa -in plain.key -aes256 -traditional -passout pass:s3cret -out old.key");
    let of = |key: &str, more: &str| {
        let path = dir.join(key);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let certificate = dir.join("client.crt");
        let (certificate, path) = (certificate.display(), path.display());
        url(&server, "by_certificate", &format!("sslmode=require&sslcert={certificate}&sslkey={path}{more}"))
    };
    connect(&of("plain.key", ""));
    for key in ["aes256.key", "aes128.key", "scrypt.key"] {
        connect(&of(key, "&sslpassword=s3cret"));
    }
    for (key, more, said) in [
        ("aes256.key", "", "nothing says its password"),
        ("aes256.key", "&sslpassword=geheim", "cannot be decrypted"),
        ("old.key", "&sslpassword=s3cret", "old form"),
    ] {
        let why = refusal(&of(key, more));
        assert!(why.contains(said) && !why.contains("geheim") && !why.contains("s3cret"), "{key}: {why}");
    }
}

#[test]
fn a_server_may_have_to_want_the_certificate() {
    let server = needed!(crate::support::server::newest(server));
    judge(&server);
    let dir = server.socket_dir();
    openssl(dir, "req -newkey rsa:2048 -nodes -keyout client.key -out client.csr -subj /CN=by_certificate");
    openssl(dir, "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out client.crt");
    fs::set_permissions(dir.join("client.key"), fs::Permissions::from_mode(0o600)).unwrap();
    let of = |server: &Server, user: &str, more: &str| {
        let (certificate, key) = (dir.join("client.crt"), dir.join("client.key"));
        url(server, user, &format!("sslcert={}&sslkey={}&{more}", certificate.display(), key.display()))
    };
    connect(&of(&server, "by_certificate", "sslmode=require&sslcertmode=require"));
    // The server has an authority to judge by, so it wants to see one of everybody.
    connect(&of(&server, "alice", "sslmode=require&sslcertmode=require"));
    let why = refusal(&of(&server, "by_certificate", "sslmode=require&sslcertmode=disable"));
    assert!(why.contains("certificate"), "{why}");
    // Without TLS there is nobody who could.
    let why = refusal(&of(&server, "by_trust", "sslmode=disable&sslcertmode=require"));
    assert!(why.contains("wants to see a client's certificate"), "{why}");
    server.sql("postgres", "ALTER SYSTEM SET ssl_ca_file = ''");
    fs::write(dir.join("hba.conf"), "local all all trust\nhostssl all all 127.0.0.1/32 trust\n").unwrap();
    server.sql("postgres", "SELECT pg_reload_conf()");
    wait_until("no authority", || server.sql("postgres", "SHOW ssl_ca_file").is_empty());
    connect(&of(&server, "alice", "sslmode=require"));
    let why = refusal(&of(&server, "alice", "sslmode=require&sslcertmode=require"));
    assert!(why.contains("wants to see a client's certificate"), "{why}");
}

#[test]
fn the_environment_says_how_a_session_begins() {
    let server = needed!(Server::newest());
    let url = format!("postgresql://postgres@127.0.0.1:{}/postgres", server.port());
    let shown = |variables: &[(&str, &str)]| {
        let environment = variables.iter().fold(Environment::empty(), |env, (name, value)| env.with(name, *value));
        let Ok(Database::Postgres(target)) = recognise(url.as_bytes(), &environment) else { panic!("{url}") };
        let mut c = target.connect().unwrap();
        let rows = c
            .query(
                "SELECT current_setting('TimeZone') || ' ' || current_setting('DateStyle') || ' ' || current_setting('geqo') AS all",
                &[],
            )
            .unwrap();
        rows.one().unwrap().text("all").unwrap().to_string()
    };
    let usual = shown(&[]);
    assert_eq!(shown(&[("PGTZ", "default"), ("PGGEQO", "")]), usual);
    let said = shown(&[("PGTZ", "Asia/Tokyo"), ("PGDATESTYLE", "German, DMY"), ("PGGEQO", "off")]);
    assert_eq!(said, "Asia/Tokyo German, DMY off");
}

#[test]
fn what_is_an_applications_own_is_a_warning() {
    let server = needed!(Server::newest());
    let database = server.database("application");
    database.sql("CREATE TABLE t (a integer)");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("{}?schema=public&connection_limit=1", database.url());
    let of_java =
        format!("jdbc:postgresql://127.0.0.1:{}/{}?user=postgres&currentSchema=x", server.port(), database.name());
    let backup = |url: &str, name: &str| {
        output(lifeboat().args(["backup", "--url", url, "--output"]).arg(folder.path().join(name)))
    };
    for (url, name, noted) in [(&url, "a", "\"connection_limit\""), (&of_java, "b", "\"currentSchema\"")] {
        let out = backup(url, name);
        assert!(out.success() && out.stderr().contains("warning") && out.stderr().contains(noted), "{out}");
    }
    let answer =
        run(lifeboat().args(["backup", "--url", &url, "--json", "--output"]).arg(folder.path().join("e"))).json();
    assert_eq!(answer["warnings"].as_array().map(Vec::len), Some(2), "{answer}");
    assert!(answer["warnings"][0].as_str().is_some_and(|text| text.contains("\"schema\"")), "{answer}");
    let tool = |path: &Path| output(lifeboat().args(["pg_dump", "-d", &url, "-f"]).arg(path));
    let out = tool(&folder.path().join("c"));
    assert!(out.success() && out.stderr().contains("pg_dump: warning: the connection parameter \"schema\""), "{out}");
    let out = backup(&format!("{}?sslmod=require", database.url()), "d");
    assert!(out.code() == 2 && out.stderr().contains("sslmod"), "{out}");
}
