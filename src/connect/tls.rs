//! TLS as sslmode and its companions ask for it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, InconsistentKeys, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};

use super::certificate::Certificate;
use super::client_key;
use super::environment::Environment;
use super::revocation::{Lists, Revocation};
use super::settings::{Settings, bad};
use crate::{Context, Error, ErrorKind, Result};

/// Whether a connection is encrypted, and how far the server has to prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SslMode {
    /// Never encrypted.
    Disable,
    /// Encrypted if the server refuses otherwise.
    Allow,
    /// Encrypted if the server can.
    Prefer,
    /// Always encrypted, with whatever server; with a file of root certificates, as `VerifyCa`.
    Require,
    /// Always encrypted, with a server whose certificate comes from a root that is trusted.
    VerifyCa,
    /// As `VerifyCa`, and the certificate is for the host that was named.
    VerifyFull,
}

/// node-postgres's word for `require` without a look at the certificate, whatever files of roots there are.
pub(super) const UNVERIFIED: &str = "no-verify";

#[derive(Debug, Clone, PartialEq, Eq)]
enum Roots {
    File(PathBuf),
    System,
    /// Those that are part of the program, for where there is no system.
    Bundled,
}

impl Roots {
    /// Whether anyone can have a certificate from one of these, which then proves nothing without the name in it.
    fn are_public(&self) -> bool {
        matches!(self, Roots::System | Roots::Bundled)
    }
}

/// The name of PostgreSQL's protocol among those that may be spoken over TLS.
pub(super) const PROTOCOL: &[u8] = b"postgresql";

/// The certificate by which this side shows who it is.
#[derive(Clone)]
struct OwnCertificate {
    certificate: PathBuf,
    key: PathBuf,
    password: Option<Vec<u8>>,
}

impl std::fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnCertificate")
            .field("certificate", &self.certificate)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// What was asked for of TLS.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) mode: SslMode,
    roots: Option<Roots>,
    revoked: Lists,
    own: Option<OwnCertificate>,
    /// Whether a server that does not want to see the certificate will not do.
    is_own_required: bool,
    /// Whether TLS begins with the first byte, without a word in the clear before it.
    direct: bool,
    sni: bool,
    versions: Vec<&'static SupportedProtocolVersion>,
}

impl Tls {
    /// What the settings ask for; the default files in `~/.postgresql` count where they exist.
    ///
    /// # Errors
    /// A value is none of those that there are; a combination that would be less safe than it looks.
    pub(super) fn new(settings: &Settings, env: &Environment) -> Result<Self> {
        let default = |name: &str| env.home().map(|h| h.join(".postgresql").join(name)).filter(|p| p.exists());
        let path = |name| settings.get(name).map(|p| p.to_path_lossy_bytes());
        let roots = match path("sslrootcert") {
            Some(p) if p.as_os_str() == "system" => Some(Roots::System),
            Some(p) if p.as_os_str() == "bundled" => Some(Roots::Bundled),
            Some(p) => Some(Roots::File(p)),
            None => default("root.crt").map(Roots::File),
        };
        let roots = roots.filter(|_| settings.get("sslmode").is_none_or(|mode| mode != UNVERIFIED));
        let mode = match settings.word("sslmode")? {
            None if roots.as_ref().is_some_and(Roots::are_public) => SslMode::VerifyFull,
            None | Some("prefer") => SslMode::Prefer,
            Some("disable") => SslMode::Disable,
            Some("allow") => SslMode::Allow,
            Some("require" | UNVERIFIED) => SslMode::Require,
            Some("verify-ca") => SslMode::VerifyCa,
            Some("verify-full") => SslMode::VerifyFull,
            Some(_) => {
                return Err(
                    bad("sslmode").why("its value is none of disable, allow, prefer, require, verify-ca, verify-full")
                );
            }
        };
        if roots.as_ref().is_some_and(Roots::are_public) && mode != SslMode::VerifyFull {
            return Err(bad("sslrootcert").why("\"system\" and \"bundled\" go only with sslmode=verify-full"));
        }
        let mode_of_own = settings.word("sslcertmode")?;
        if mode_of_own.is_some_and(|mode| !["disable", "allow", "require"].contains(&mode)) {
            return Err(bad("sslcertmode").why("its value is none of disable, allow, require"));
        }
        let is_own_required = mode_of_own == Some("require");
        let own = match path("sslcert").or_else(|| default("postgresql.crt")).filter(|_| mode_of_own != Some("disable"))
        {
            None if is_own_required => {
                return Err(bad("sslcertmode")
                    .why("a certificate is to be shown to the server, and there is none")
                    .hint("name it with sslcert, or put it at ~/.postgresql/postgresql.crt"));
            }
            None => None,
            Some(certificate) => match path("sslkey").or_else(|| default("postgresql.key")) {
                Some(key) => {
                    Some(OwnCertificate { certificate, key, password: settings.get("sslpassword").map(|p| p.to_vec()) })
                }
                None => {
                    return Err(bad("sslcert")
                        .why(format!("there is a certificate, {}, but no key to it", certificate.display()))
                        .hint("name the key with sslkey"));
                }
            },
        };
        let direct = match settings.word("sslnegotiation")? {
            None | Some("postgres") => false,
            Some("direct") if mode < SslMode::Require => {
                return Err(bad("sslnegotiation").why("\"direct\" goes only with sslmode=require and above"));
            }
            Some("direct") => true,
            Some(_) => return Err(bad("sslnegotiation").why("its value is neither postgres nor direct")),
        };
        let folder = path("sslcrldir");
        // As with libpq, a folder that is named takes the place of the file that is looked for.
        let file = path("sslcrl").or_else(|| default("root.crl").filter(|_| folder.is_none()));
        let revoked = Lists { file, folder };
        let version = |name, default| match settings.word(name)? {
            None => Ok(default),
            Some("TLSv1" | "TLSv1.1") if name == "ssl_min_protocol_version" => Ok(2),
            Some("TLSv1.2") => Ok(2),
            Some("TLSv1.3") => Ok(3),
            Some(_) => Err(bad(name).why("the versions that are supported are TLSv1.2 and TLSv1.3")),
        };
        let (least, most) = (version("ssl_min_protocol_version", 2)?, version("ssl_max_protocol_version", 3)?);
        let versions: Vec<_> = [(2, &rustls::version::TLS12), (3, &rustls::version::TLS13)]
            .into_iter()
            .filter_map(|(n, version)| (least..=most).contains(&n).then_some(version))
            .collect();
        if versions.is_empty() {
            return Err(bad("ssl_min_protocol_version").why("it is above ssl_max_protocol_version"));
        }
        let sni = settings.get("sslsni").is_none_or(|v| v != "0");
        Ok(Self { mode, roots, revoked, own, is_own_required, direct, sni, versions })
    }

    /// What of the server's certificate is checked.
    pub(super) fn check(&self) -> CertificateCheck {
        match (self.mode, &self.roots) {
            // Here even a wrong certificate is as good as no encryption, which would be taken as well.
            (SslMode::Disable | SslMode::Allow | SslMode::Prefer, _) | (SslMode::Require, None) => {
                CertificateCheck::Nothing
            }
            (SslMode::Require | SslMode::VerifyCa, _) => CertificateCheck::Chain,
            (SslMode::VerifyFull, _) => CertificateCheck::ChainAndName,
        }
    }

    /// The configuration for rustls.
    ///
    /// # Errors
    /// A file cannot be read or holds nothing of use; verification is asked for and there is nothing to verify with.
    pub(super) fn config(&self) -> Result<TlsConfig> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let (mut store, mut given) = (RootCertStore::empty(), Vec::new());
        let verify = self.check();
        if verify != CertificateCheck::Nothing {
            let Some(roots) = &self.roots else {
                return Err(Error::new(ErrorKind::Usage, "verify the server's certificate")
                    .why("there is no file of root certificates")
                    .hint("name one with sslrootcert, say sslrootcert=system or sslrootcert=bundled, or put it at ~/.postgresql/root.crt"));
            };
            (store, given) = trusted(roots)?;
        }
        let revoked = if verify == CertificateCheck::Nothing { Revocation::default() } else { self.revoked.load()? };
        let verifier = Verifier { verify, store, given, revoked, provider: Arc::clone(&provider) };
        let signer = provider.key_provider;
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&self.versions)
            .context(ErrorKind::Internal, || "set up TLS")?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut own = None;
        let mut config = match &self.own {
            None => builder.with_no_client_auth(),
            Some(OwnCertificate { certificate, key, password }) => {
                let doing = || format!("use the client certificate {}", certificate.display());
                let key = signer
                    .load_private_key(client_key::load(key, password.as_deref())?)
                    .context(ErrorKind::Usage, doing)?;
                let certified = CertifiedKey::new(load_certificates(certificate)?, key);
                if certified.keys_match() == Err(InconsistentKeys::KeyMismatch.into()) {
                    return Err(Error::new(ErrorKind::Usage, doing()).why("the key is not the certificate's"));
                }
                // rustls would read the certificate first and refuse version 1, of which the server is to judge.
                let certificate = Arc::new(SingleCertAndKey::from(certified));
                own = Some(Arc::clone(&certificate));
                builder.with_client_cert_resolver(certificate)
            }
        };
        config.enable_sni = self.sni;
        if self.direct {
            config.alpn_protocols = vec![PROTOCOL.to_vec()];
        }
        Ok(TlsConfig { config: Arc::new(config), own, direct: self.direct })
    }

    /// Whether a server that does not want to see the certificate will not do.
    pub(super) fn is_own_required(&self) -> bool {
        self.is_own_required
    }
}

/// What TLS is begun with.
#[derive(Clone)]
pub(super) struct TlsConfig {
    config: Arc<ClientConfig>,
    own: Option<Arc<SingleCertAndKey>>,
    direct: bool,
}

impl TlsConfig {
    /// The configuration for one more connection, and what tells after its handshake whether the certificate was shown.
    pub(super) fn begin(&self) -> (Arc<ClientConfig>, Arc<AtomicBool>) {
        let shown = Arc::new(AtomicBool::new(false));
        let Some(own) = &self.own else { return (Arc::clone(&self.config), shown) };
        let mut config = ClientConfig::clone(&self.config);
        config.client_auth_cert_resolver = Arc::new(Certified { inner: Arc::clone(own), shown: Arc::clone(&shown) });
        (Arc::new(config), shown)
    }

    /// Whether TLS begins with the first byte.
    pub(super) fn is_direct(&self) -> bool {
        self.direct
    }
}

/// The client's certificate, and whether it was shown to a server.
#[derive(Debug)]
struct Certified {
    inner: Arc<SingleCertAndKey>,
    shown: Arc<AtomicBool>,
}

impl ResolvesClientCert for Certified {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let certificate = self.inner.resolve(hints, schemes)?;
        // rustls sends none if the server takes no signature that the key can make.
        if certificate.key.choose_scheme(schemes).is_some() {
            self.shown.store(true, Ordering::Relaxed);
        }
        Some(certificate)
    }

    fn has_certs(&self) -> bool {
        self.inner.has_certs()
    }
}

trait PathBytes {
    fn to_path_lossy_bytes(&self) -> PathBuf;
}

impl PathBytes for bstr::BStr {
    fn to_path_lossy_bytes(&self) -> PathBuf {
        use std::os::unix::ffi::OsStrExt;
        PathBuf::from(std::ffi::OsStr::from_bytes(self))
    }
}

/// The roots, and those of them that are certificates.
fn trusted(roots: &Roots) -> Result<(RootCertStore, Vec<CertificateDer<'static>>)> {
    let (mut store, given) = (RootCertStore::empty(), load_roots(roots)?);
    for certificate in &given {
        // A bundle may hold roots of kinds that are not understood; they are merely of no use.
        let _ = store.add(certificate.clone());
    }
    if *roots == Roots::Bundled {
        store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    Ok((store, given))
}

fn load_roots(roots: &Roots) -> Result<Vec<CertificateDer<'static>>> {
    match roots {
        Roots::File(path) => load_certificates(path),
        // Those are no certificates, but what is needed of them: a name and a key each.
        Roots::Bundled => Ok(Vec::new()),
        Roots::System => {
            let found = rustls_native_certs::load_native_certs();
            let doing = "read the system's root certificates";
            let hint = "install the package ca-certificates, name a file with SSL_CERT_FILE, or take the roots that \
                        are part of the program: sslrootcert=bundled";
            match found.errors.into_iter().next() {
                Some(error) if found.certs.is_empty() => {
                    Err(error).context(ErrorKind::Io, || doing).map_err(|e| e.hint(hint))
                }
                None if found.certs.is_empty() => {
                    Err(Error::new(ErrorKind::Io, doing).why("there are none").hint(hint))
                }
                _ => Ok(found.certs),
            }
        }
    }
}

fn load_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let doing = || format!("read the certificates in {}", path.display());
    let certificates: Vec<_> = CertificateDer::pem_file_iter(path)
        .context(ErrorKind::Io, doing)?
        .collect::<Result<_, _>>()
        .context(ErrorKind::Io, doing)?;
    if certificates.is_empty() {
        return Err(Error::new(ErrorKind::Io, doing()).why("there are none in it"));
    }
    Ok(certificates)
}

/// What of a server's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CertificateCheck {
    /// Nothing: any server will do.
    Nothing,
    /// That it comes from a root that is trusted.
    Chain,
    /// The same, and that it is for the host that was named.
    ChainAndName,
}

/// Verifies as much as sslmode asks for. The server always has to prove that it has its certificate's key: channel
/// binding rests on that.
#[derive(Debug)]
struct Verifier {
    verify: CertificateCheck,
    store: RootCertStore,
    given: Vec<CertificateDer<'static>>,
    revoked: Revocation,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn chain(
        &self,
        certificate: &Certificate<'_>,
        der: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        // Of these two kinds no list can tell.
        let unlisted = || match self.revoked.is_empty() {
            true => timely(certificate, now),
            false => Err(CertificateError::UnknownRevocationStatus.into()),
        };
        // A self-signed certificate that is its own root is what many servers have. webpki refuses it, because by its
        // rules what may sign others cannot stand at the end of a chain.
        if self.given.iter().any(|root| root == der) {
            return unlisted();
        }
        let algorithms = self.provider.signature_verification_algorithms.all;
        if certificate.is_version_1() {
            // Without extensions there is nothing that would allow a chain: a root itself must have signed it.
            let roots = self.given.iter().filter_map(|root| Certificate::parse(root));
            if !roots.into_iter().any(|root| certificate.is_signed_by(&root, algorithms)) {
                return Err(CertificateError::UnknownIssuer.into());
            }
            return unlisted();
        }
        let parsed = ParsedCertificate::try_from(der)?;
        verify_server_cert_signed_by_trust_anchor(&parsed, &self.store, intermediates, now, algorithms)?;
        if self.revoked.is_empty() {
            return Ok(());
        }
        self.revoked.check(der, intermediates, &self.store, now, algorithms)
    }

    fn name(
        &self,
        certificate: &Certificate<'_>,
        der: &CertificateDer<'_>,
        name: &ServerName<'_>,
    ) -> Result<(), rustls::Error> {
        if certificate.common_name_is(&name.to_str()) {
            return Ok(());
        }
        if certificate.is_version_1() {
            let presented = certificate.common_name().into_iter().collect();
            return Err(CertificateError::NotValidForNameContext { expected: name.to_owned(), presented }.into());
        }
        verify_server_name(&ParsedCertificate::try_from(der)?, name)
    }

    /// Verifies that the server has the key of its certificate, be it one that rustls cannot read.
    fn signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
        tls12: bool,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let Some(certificate) = Certificate::parse(cert).filter(Certificate::is_version_1) else {
            return match tls12 {
                true => verify_tls12_signature(message, cert, dss, algorithms),
                false => verify_tls13_signature(message, cert, dss, algorithms),
            };
        };
        let algorithms =
            algorithms.mapping.iter().find(|(scheme, _)| *scheme == dss.scheme).map_or(&[][..], |(_, a)| *a);
        // TLS 1.3 has one algorithm to a scheme, which comes first; in TLS 1.2 the curve is left open.
        let algorithms = if tls12 { algorithms } else { algorithms.get(..1).unwrap_or_default() };
        if algorithms.iter().any(|a| certificate.has_signed(*a, message, dss.signature())) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        Err(CertificateError::BadSignature.into())
    }
}

fn timely(certificate: &Certificate<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    if certificate.is_valid_at(now) {
        return Ok(());
    }
    Err(CertificateError::Expired.into())
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.verify != CertificateCheck::Nothing {
            let certificate = Certificate::parse(end_entity).ok_or(CertificateError::BadEncoding)?;
            self.chain(&certificate, end_entity, intermediates, now)?;
            if self.verify == CertificateCheck::ChainAndName {
                self.name(&certificate, end_entity, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, cert, dss, true)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signature(message, cert, dss, false)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_in_the_program_are_those_of_the_world() {
        let (store, given) = trusted(&Roots::Bundled).unwrap();
        assert!(given.is_empty());
        let named = |name: &str| {
            store.roots.iter().any(|root| root.subject.windows(name.len()).any(|part| part == name.as_bytes()))
        };
        assert!(named("ISRG Root X1") && named("DigiCert Global Root G2") && !named("lifeboat-test-authority"));
    }
}
