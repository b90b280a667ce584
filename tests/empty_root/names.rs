//! PostgreSQL over TCP, by names that have to be looked up, with TLS. The C library's own lookup takes further libraries from the
//! machine where its configuration says so; here there is neither.

use std::net::UdpSocket;
use std::process::Command;
use std::sync::OnceLock;

use crate::support::empty_root::EmptyRoot;
use crate::support::needs::Needed;
use crate::support::server::{self, PASSWORD, SUPERUSER};
use crate::support::{Options, Output, Scene, Server, machine, output, run};

/// A name that only [`name_server`] knows.
const NAME: &str = "db.backups.test";

fn server() -> Needed<Server> {
    let hba = "hostssl all all 127.0.0.1/32 scram-sha-256".to_owned();
    server::newest(|major| Server::with(major, &Options { tls: true, hba: hba.clone(), ..Options::default() }))
}

fn root(server: &Server) -> Needed<EmptyRoot> {
    let root = EmptyRoot::new()?;
    root.put("data/ca.crt", std::fs::read(server.ca()).unwrap());
    Ok(root)
}

fn lifeboat(root: &EmptyRoot, arguments: &[&str]) -> Output {
    output(root.command().env("PGPASSWORD", PASSWORD).args(arguments))
}

#[test]
fn a_database_goes_there_and_back_with_its_server_certified() {
    let server = needed!(server());
    let root = needed!(root(&server));
    let (origin, target) = (server.database("scratch"), server.database("scratch"));
    origin.sql(
        "CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS what FROM generate_series(1, 2000) i;
         CREATE VIEW first_ones AS SELECT * FROM orders WHERE id < 9",
    );
    let url = |name: &str| {
        let port = server.port();
        format!("postgresql://{SUPERUSER}@localhost:{port}/{name}?sslmode=verify-full&sslrootcert=/data/ca.crt")
    };
    // Without a file that says so, nobody knows who localhost is.
    let out = lifeboat(&root, &["backup", "--url", &url(origin.name()), "--output", "/data/app.dump"]);
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("localhost"), "{out}");
    root.put("etc/hosts", "127.0.0.1 localhost\n");

    let backup = ["backup", "--url", &url(origin.name()), "--output", "/data/app.dump", "--jobs", "2"];
    let out = lifeboat(&root, &backup);
    assert!(out.success(), "{out}");
    root.run(&["verify", "/data/app.dump"]);
    let restore = ["restore", "/data/app.dump", "--url", &url(target.name()), "--force"];
    for _ in 0..2 {
        let out = lifeboat(&root, &restore);
        assert!(out.success(), "{out}");
    }
    target.assert_is("restored", &Scene::of(&origin, &[]).archive());

    let out = lifeboat(&root, &["drill", "--url", &url(origin.name()), "--scratch", "/data"]);
    assert!(out.success() && out.stdout().contains("lifeboat: drill passed"), "{out}");
}

#[test]
fn roots_that_are_bundled_are_asked_for_and_trust_no_other() {
    let server = needed!(server());
    let root = needed!(root(&server));
    root.put("etc/hosts", "127.0.0.1 localhost\n");
    let try_with = |root_certificates: &str| {
        let port = server.port();
        let url = format!("postgresql://{SUPERUSER}@localhost:{port}/postgres?sslrootcert={root_certificates}");
        lifeboat(&root, &["backup", "--url", &url, "--output", "/data/app.dump", "--force"])
    };
    assert!(try_with("/data/ca.crt&sslmode=verify-full").success());
    // There is no system to take roots from.
    let out = try_with("system");
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("root certificates") && out.stderr().contains("sslrootcert=bundled"), "{out}");
    // The test's own authority is not one that the world trusts.
    let out = try_with("bundled");
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("UnknownIssuer"), "{out}");
    let out = try_with("bundled&sslmode=require");
    assert_eq!(out.code(), 2, "{out}");
    // Where the system is given, by the variable that other programs know too, it is taken.
    let port = server.port();
    let url = format!("postgresql://{SUPERUSER}@localhost:{port}/postgres?sslrootcert=system");
    let mut command = root.command();
    command.env("PGPASSWORD", PASSWORD).env("SSL_CERT_FILE", "/data/ca.crt");
    let out = output(command.args(["backup", "--url", &url, "--output", "/data/system.dump"]));
    assert!(out.success(), "{out}");
}

#[test]
fn names_are_asked_of_the_name_server_as_elsewhere() {
    needed!(machine::root());
    let server = needed!(server());
    let root = needed!(root(&server));
    let address = name_server();
    let try_as = |host: &str| {
        let port = server.port();
        let url = format!("postgresql://{SUPERUSER}@{host}:{port}/postgres?sslmode=verify-ca&sslrootcert=/data/ca.crt");
        lifeboat(&root, &["backup", "--url", &url, "--output", "/data/app.dump", "--force"])
    };
    root.put("etc/resolv.conf", format!("nameserver {address}\n"));
    let out = try_as(NAME);
    assert!(out.success(), "{out}");
    let out = try_as("other.backups.test");
    assert_eq!(out.code(), 1, "{out}");
    assert!(out.stderr().contains("other.backups.test"), "{out}");
    // As Kubernetes writes it: names are looked for in the domains of the list first.
    root.put("etc/resolv.conf", format!("nameserver {address}\nsearch none.test backups.test\noptions ndots:5\n"));
    for host in ["db", NAME] {
        let out = try_as(host);
        assert!(out.success(), "{host}: {out}");
    }
    // And where the configuration names what only libraries can do. Those of another system's glibc crash a program that has its own in
    // it, as this one does.
    root.put("etc/nsswitch.conf", "hosts: files mymachines resolve [!UNAVAIL=return] myhostname dns\n");
    let source = root.path("data/crash.c");
    std::fs::write(&source, "__attribute__((constructor)) static void crash(void) { __builtin_trap(); }").unwrap();
    root.put("lib/libnss_resolve.so.2", "");
    let library = root.path("lib/libnss_resolve.so.2");
    run(Command::new("cc").args(["-shared", "-fPIC", "-nostdlib", "-o"]).arg(library).arg(source));
    for host in ["db", NAME] {
        let out = try_as(host);
        assert!(out.success(), "{host}: {out}");
    }
}

/// A name server that knows one name, at an address of this machine's; it answers until the tests end.
fn name_server() -> &'static str {
    static ADDRESS: OnceLock<&str> = OnceLock::new();
    ADDRESS.get_or_init(|| {
        let address = "127.53.53.53";
        let socket = UdpSocket::bind((address, 53)).unwrap();
        std::thread::spawn(move || {
            let mut message = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut message) {
                let _ = socket.send_to(&answer(&message[..length]), from);
            }
        });
        address
    })
}

/// The answer to a question: the address 127.0.0.1 of [`NAME`]; no address of the newer kind; of another name, that there is none.
fn answer(question: &[u8]) -> Vec<u8> {
    const HEADER: usize = 12;
    let mut labels = Vec::new();
    let mut at = HEADER;
    while let Some(length @ 1..) = question.get(at).map(|length| usize::from(*length)) {
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).into_owned());
        at += 1 + length;
    }
    let end = at + 5;
    let is_for_ipv4 = question[at + 1..at + 3] == [0, 1];
    let is_known = labels.join(".").eq_ignore_ascii_case(NAME);
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, if is_known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(is_known && is_for_ipv4), 0, 0, 0, 0]);
    answer.extend(&question[HEADER..end]);
    if is_known && is_for_ipv4 {
        // The name of the question, an address, for one minute, of four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    answer
}
