//! TLS: what each sslmode accepts, certificates of all kinds, channel binding.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;
use std::time::Duration;

use super::{connect, encoded, refusal, target};
use crate::support::needs::Needed;
use crate::support::server::PASSWORD;
use crate::support::wait::wait_until;
use crate::support::{Options, Server, debian, run};

fn server(major: u32, hba: &str) -> Needed<Server> {
    Server::with(major, &Options { tls: true, hba: hba.to_owned(), ..Options::default() })
}

fn newest(hba: &str) -> Needed<Server> {
    crate::support::server::newest(|major| server(major, hba))
}

fn url(server: &Server, host: &str, parameters: &str) -> String {
    format!("postgresql://alice:{}@{host}:{}/postgres?{parameters}", encoded(PASSWORD), server.port())
}

pub(super) fn openssl(dir: &Path, args: &str) {
    run(debian::required("openssl").args(args.split(' ')).current_dir(dir));
}

/// Makes the server use other files of its directory as its certificate and key.
pub(super) fn use_certificate(server: &Server, name: &str) {
    let dir = server.socket_dir();
    let owner = fs::metadata(server.ca()).unwrap();
    for file in [format!("{name}.crt"), format!("{name}.key")] {
        let path = dir.join(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
    }
    for (setting, ending) in [("ssl_cert_file", "crt"), ("ssl_key_file", "key")] {
        server.sql(
            "postgres",
            &format!("ALTER SYSTEM SET {setting} = '{}'", dir.join(format!("{name}.{ending}")).display()),
        );
    }
    server.sql("postgres", "SELECT pg_reload_conf()");
    let wanted = dir.join(format!("{name}.key")).display().to_string();
    wait_until("the new certificate", || server.sql("postgres", "SHOW ssl_key_file") == wanted);
}

#[test]
fn each_sslmode_accepts_what_it_says() {
    for major in [13, 16, 18] {
        let Ok(tls_only) = server(major, "hostssl all all 127.0.0.1/32 scram-sha-256") else { continue };
        let root = format!("&sslrootcert={}", tls_only.ca().display());
        for (mode, root) in [
            ("allow", ""),
            ("prefer", ""),
            ("require", ""),
            ("require", &*root),
            ("verify-ca", &*root),
            ("verify-full", &*root),
        ] {
            let mut c = connect(&url(&tls_only, "localhost", &format!("sslmode={mode}{root}")));
            assert!(c.is_tls(), "{mode}");
            let rows = c.query("SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).unwrap();
            assert!(rows.one().unwrap().bool("ssl").unwrap());
        }
        connect(&url(&tls_only, "127.0.0.1", &format!("sslmode=verify-full{root}")));
        connect(&url(&tls_only, "localhost", "ssl=true"));
        let plain = target(&url(&tls_only, "localhost", "sslmode=disable")).connect().unwrap_err();
        assert!(plain.server().is_some_and(|s| s.is("28000")), "{plain}");
        let rootless = target(&url(&tls_only, "localhost", "sslmode=verify-full")).connect().unwrap_err();
        assert!(rootless.hint_text().is_some_and(|h| h.contains("sslrootcert")), "{rootless}");
    }
}

#[test]
fn a_connection_falls_back_to_plain_only_where_it_may() {
    let server = needed!(newest("hostnossl all all 127.0.0.1/32 scram-sha-256"));
    for mode in ["disable", "allow", "prefer"] {
        assert!(!connect(&url(&server, "localhost", &format!("sslmode={mode}"))).is_tls(), "{mode}");
    }
    assert!(refusal(&url(&server, "localhost", "sslmode=require")).contains("28000"));

    let without = needed!(Server::newest());
    for mode in ["disable", "allow", "prefer"] {
        assert!(!connect(&url(without, "localhost", &format!("sslmode={mode}"))).is_tls(), "{mode}");
    }
    let refused = refusal(&url(without, "localhost", "sslmode=require"));
    assert!(refused.contains("does not offer TLS"), "{refused}");
}

#[test]
fn a_password_refused_through_tls_is_not_sent_again_in_the_clear() {
    let hba = "hostssl all all 127.0.0.1/32 password\nhostnossl all all 127.0.0.1/32 password";
    let server = needed!(newest(hba));
    let url = format!("postgresql://postgres:geheim@localhost:{}/postgres", server.port());
    assert!(target(&url).connect().unwrap_err().server().is_some_and(|s| s.is("28P01")));
    assert_eq!(server.log().matches("password authentication failed").count(), 1, "{}", server.log());
}

#[test]
fn certificates_of_strangers_and_for_others_are_refused() {
    let server = needed!(newest("hostssl all all 127.0.0.1/32 scram-sha-256"));
    let dir = server.socket_dir();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(dir, &format!("req -x509 {key} -keyout stranger.key -out stranger.crt -days 9 -subj /CN=stranger"));
    for mode in ["require", "verify-ca", "verify-full"] {
        let root = dir.join("stranger.crt");
        let refused = refusal(&url(&server, "localhost", &format!("sslmode={mode}&sslrootcert={}", root.display())));
        assert!(refused.contains("TLS failed") && refused.contains("certificate"), "{mode}: {refused}");
    }
    fs::write(dir.join("names"), "subjectAltName=DNS:elsewhere.example\nbasicConstraints=CA:FALSE\n").unwrap();
    openssl(dir, &format!("req {key} -keyout other.key -out other.csr -subj /CN=localhost"));
    openssl(
        dir,
        "x509 -req -in other.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -extfile names -out other.crt",
    );
    use_certificate(&server, "other");
    let with =
        |mode: &str, root: &Path| url(&server, "localhost", &format!("sslmode={mode}&sslrootcert={}", root.display()));
    assert!(connect(&with("verify-ca", &server.ca())).is_tls());
    // That the common name fits does not count where there are alternative names.
    let refused = refusal(&with("verify-full", &server.ca()));
    assert!(refused.contains("name"), "{refused}");
    let missing = refusal(&with("verify-full", &dir.join("missing.crt")));
    assert!(missing.contains("missing.crt"), "{missing}");
    let empty = refusal(&with("verify-full", &dir.join("names")));
    assert!(empty.contains("there are none in it"), "{empty}");
}

#[test]
fn a_self_signed_certificate_is_its_own_root() {
    let server = needed!(newest("hostssl all all 127.0.0.1/32 scram-sha-256"));
    let dir = server.socket_dir();
    let key = "-newkey rsa:2048 -nodes";
    // The kind of certificate that PostgreSQL's manual has people make: an authority's, with a common name alone.
    // Its serial number is longer than RFC 5280 allows, which OpenSSL does not mind.
    let serial = "-set_serial -0x112233445566778899aabbccddeeff112233445566778899";
    openssl(dir, &format!("req -x509 {key} -keyout self.key -out self.crt -days 9 -subj /O=x/CN=localhost {serial}"));
    openssl(dir, &format!("req -x509 {key} -keyout star.key -out star.crt -days 9 -subj /CN=*.example"));
    openssl(dir, &format!("req {key} -keyout old.key -out old.csr -subj /CN=localhost"));
    openssl(dir, "x509 -req -in old.csr -signkey old.key -days -1 -out old.crt");
    let with = |mode: &str, name: &str| {
        let root = dir.join(format!("{name}.crt"));
        url(&server, "localhost", &format!("sslmode={mode}&sslrootcert={}", root.display()))
    };
    // The server changes the files' owner, so the roots are kept as they were.
    for name in ["self", "star", "old"] {
        fs::copy(dir.join(format!("{name}.crt")), dir.join(format!("{name}-root.crt"))).unwrap();
    }
    use_certificate(&server, "self");
    for mode in ["verify-ca", "verify-full"] {
        assert!(connect(&with(mode, "self-root")).is_tls());
    }
    assert!(refusal(&with("verify-full", "star-root")).contains("TLS failed"));
    use_certificate(&server, "star");
    assert!(connect(&with("verify-ca", "star-root")).is_tls());
    assert!(refusal(&with("verify-full", "star-root")).contains("name"));
    use_certificate(&server, "old");
    let expired = refusal(&with("verify-ca", "old-root"));
    assert!(expired.contains("xpired"), "{expired}");
    assert!(connect(&url(&server, "localhost", "sslmode=require")).is_tls());
}

#[test]
fn certificates_of_version_1_are_verified_too() {
    let server = needed!(newest("hostssl all all 127.0.0.1/32 scram-sha-256"));
    let dir = server.socket_dir();
    openssl(dir, "req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 9 -subj /CN=root");
    openssl(dir, "req -x509 -newkey rsa:2048 -nodes -keyout fake.key -out fake.crt -days 9 -subj /CN=root");
    for (name, key, days) in [
        ("rsa", "rsa:2048", "9"),
        ("ec", "ec -pkeyopt ec_paramgen_curve:P-256", "9"),
        ("ec384", "ec -pkeyopt ec_paramgen_curve:P-384", "9"),
        ("late", "rsa:2048", "-1"),
    ] {
        openssl(dir, &format!("req -newkey {key} -nodes -keyout {name}.key -out {name}.csr -subj /CN=localhost"));
        let sign = format!("x509 -req -in {name}.csr -CA root.crt -CAkey root.key -CAcreateserial -days {days}");
        openssl(dir, &format!("{sign} -out {name}.crt"));
        use_certificate(&server, name);
        for version in ["TLSv1.2", "TLSv1.3"] {
            let of = |host: &str, mode: &str, root: &str| {
                let versions = format!("ssl_min_protocol_version={version}&ssl_max_protocol_version={version}");
                let root = dir.join(root);
                url(
                    &server,
                    host,
                    &format!("channel_binding=require&sslmode={mode}&sslrootcert={}&{versions}", root.display()),
                )
            };
            if days == "-1" {
                let late = refusal(&of("localhost", "verify-ca", "root.crt"));
                assert!(late.contains("xpired"), "{late}");
                continue;
            }
            assert!(connect(&of("localhost", "verify-full", "root.crt")).is_tls(), "{name}");
            assert!(connect(&of("127.0.0.1", "verify-ca", "root.crt")).is_tls(), "{name}");
            let other = refusal(&of("127.0.0.1", "verify-full", "root.crt"));
            assert!(other.contains("name"), "{other}");
            // A root of the same name with another key.
            let fake = refusal(&of("localhost", "verify-ca", "fake.crt"));
            assert!(fake.contains("UnknownIssuer"), "{fake}");
        }
    }
}

#[test]
fn scram_is_tied_to_certificates_of_every_signature() {
    for major in [13, 16, 18] {
        let Ok(server) = server(major, "hostssl all all 127.0.0.1/32 scram-sha-256") else { continue };
        let dir = server.socket_dir();
        let mut kinds = vec![
            ("ec256", "ec -pkeyopt ec_paramgen_curve:P-256 -sha256"),
            ("ec384", "ec -pkeyopt ec_paramgen_curve:P-384 -sha384"),
            ("ec512", "ec -pkeyopt ec_paramgen_curve:P-256 -sha512"),
            ("rsa1", "rsa:2048 -sha1"),
            ("rsa256", "rsa:2048 -sha256"),
            ("rsa512", "rsa:2048 -sha512"),
        ];
        if major >= 16 {
            // Older servers cannot tell which hash such a signature is made with.
            kinds.push(("pss", "rsa:2048 -sha384 -sigopt rsa_padding_mode:pss"));
        }
        for (name, how) in kinds {
            openssl(
                dir,
                &format!(
                    "req -x509 -newkey {how} -nodes -keyout {name}.key -out {name}.crt -days 9 -subj /CN=localhost"
                ),
            );
            use_certificate(&server, name);
            for version in ["TLSv1.2", "TLSv1.3"] {
                let parameters = format!(
                    "channel_binding=require&ssl_min_protocol_version={version}&ssl_max_protocol_version={version}"
                );
                assert!(connect(&url(&server, "localhost", &parameters)).is_tls(), "{name}");
            }
            assert!(connect(&url(&server, "localhost", "channel_binding=disable")).is_tls(), "{name}");
        }
    }
}

#[test]
fn a_client_certificate_logs_in() {
    let server = needed!(newest("hostssl all all 127.0.0.1/32 cert"));
    let dir = server.socket_dir();
    server.sql("postgres", &format!("ALTER SYSTEM SET ssl_ca_file = '{}'", server.ca().display()));
    server.sql("postgres", "SELECT pg_reload_conf()");
    wait_until("the authority's certificate", || !server.sql("postgres", "SHOW ssl_ca_file").is_empty());
    for (name, key) in [("ec", "ec -pkeyopt ec_paramgen_curve:P-256"), ("rsa", "rsa:2048")] {
        openssl(dir, &format!("req -newkey {key} -nodes -keyout client-{name}.key -out client.csr -subj /CN=alice"));
        openssl(
            dir,
            &format!(
                "x509 -req -in client.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out client-{name}.crt"
            ),
        );
        let key = dir.join(format!("client-{name}.key"));
        let of = |user: &str| {
            let certificate = dir.join(format!("client-{name}.crt"));
            format!(
                "host=localhost port={} user={user} dbname=postgres sslmode=require sslcert={} sslkey={}",
                server.port(),
                certificate.display(),
                key.display()
            )
        };
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(connect(&of("alice")).is_tls());
        assert!(refusal(&of("bob")).contains("28000"));
        let mixed = refusal(
            &of("alice")
                .replace(&format!("sslkey={}", key.display()), &format!("sslkey={}", dir.join("ca.key").display())),
        );
        assert!(mixed.contains("not the certificate's") || mixed.contains("alert"), "{mixed}");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refusal(&of("alice")).contains("others than its owner"));
    }
    let refused = refusal(&format!("host=localhost port={} user=alice dbname=postgres sslmode=require", server.port()));
    assert!(refused.contains("certificate"), "{refused}");
}

#[test]
fn a_statement_is_cancelled_through_tls() {
    let server = needed!(newest("hostssl all all 127.0.0.1/32 scram-sha-256"));
    let mut c = connect(&url(&server, "localhost", "sslmode=require"));
    let handle = c.cancel_handle();
    let canceller = std::thread::spawn(move || {
        // A cancel that comes before the statement has begun has no effect, so it is sent until it has had one.
        let (done, wait) = std::sync::mpsc::channel::<()>();
        let worker = std::thread::spawn(move || {
            while wait.recv_timeout(Duration::from_millis(50)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                handle.cancel().unwrap();
            }
        });
        (done, worker)
    });
    let (done, worker) = canceller.join().unwrap();
    let error = c.execute(b"SELECT pg_sleep(600)").unwrap_err();
    drop(done);
    worker.join().unwrap();
    assert!(error.server().is_some_and(|s| s.is("57014")), "{error}");
}
