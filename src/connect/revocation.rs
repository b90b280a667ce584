//! Certificates that their authority has taken back (`sslcrl`, `sslcrldir`).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, SignatureVerificationAlgorithm, UnixTime};
use rustls::{CertificateError, OtherError, RootCertStore};
use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, OwnedCertRevocationList, RevocationOptionsBuilder,
};

use crate::{Context, Error, ErrorKind, Result};

/// Where lists are.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    pub(super) file: Option<PathBuf>,
    pub(super) folder: Option<PathBuf>,
}

/// The lists that were read; without any, nothing is looked up.
#[derive(Debug, Default)]
pub(super) struct Revocation(Vec<CertRevocationList<'static>>);

impl Lists {
    /// Reads them.
    ///
    /// # Errors
    /// One cannot be read, or there is none where they are said to be.
    pub(super) fn load(&self) -> Result<Revocation> {
        let mut lists = Vec::new();
        if let Some(file) = &self.file {
            read(file, &mut lists)?;
        }
        if let Some(folder) = &self.folder {
            let doing = || format!("read the lists of revoked certificates in {}", folder.display());
            let before = lists.len();
            for entry in fs::read_dir(folder).context(ErrorKind::Io, doing)? {
                let path = entry.context(ErrorKind::Io, doing)?.path();
                if is_list(&path) {
                    read(&path, &mut lists)?;
                }
            }
            if lists.len() == before {
                return Err(Error::new(ErrorKind::Usage, doing())
                    .why("there are none")
                    .hint("openssl rehash gives them the names that are looked for: eight digits, and .r0"));
            }
        }
        Ok(Revocation(lists))
    }
}

/// Whether a file has the name that OpenSSL looks for: the hash of who signed it, and `.r` with a number.
fn is_list(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once(".r"));
    name.is_some_and(|(hash, number)| {
        hash.len() == 8
            && hash.bytes().all(|b| b.is_ascii_hexdigit())
            && !number.is_empty()
            && number.bytes().all(|b| b.is_ascii_digit())
    })
}

fn read(path: &Path, lists: &mut Vec<CertRevocationList<'static>>) -> Result<()> {
    let doing = || format!("read the list of revoked certificates {}", path.display());
    let before = lists.len();
    for list in CertificateRevocationListDer::pem_file_iter(path).context(ErrorKind::Io, doing)? {
        let list =
            OwnedCertRevocationList::from_der(&list.context(ErrorKind::Io, doing)?).context(ErrorKind::Io, doing)?;
        lists.push(list.into());
    }
    if lists.len() == before {
        return Err(Error::new(ErrorKind::Io, doing()).why("there is none in it"));
    }
    Ok(())
}

impl Revocation {
    /// Whether there is nothing to look up in.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Checks that no certificate on the way from the server's to a root, which was found to be sound otherwise, has been taken back.
    ///
    /// # Errors
    /// One has; or its authority's list is not there, or is out of date.
    pub(super) fn check(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        roots: &RootCertStore,
        now: UnixTime,
        algorithms: &[&dyn SignatureVerificationAlgorithm],
    ) -> Result<(), rustls::Error> {
        let other = |error: webpki::Error| {
            rustls::Error::from(match error {
                webpki::Error::CertRevoked => CertificateError::Revoked,
                webpki::Error::UnknownRevocationStatus => CertificateError::UnknownRevocationStatus,
                error => CertificateError::Other(OtherError(Arc::new(error))),
            })
        };
        let lists: Vec<_> = self.0.iter().collect();
        let Ok(options) = RevocationOptionsBuilder::new(&lists) else { return Ok(()) };
        let options = options.with_expiration_policy(ExpirationPolicy::Enforce).build();
        let certificate = EndEntityCert::try_from(certificate).map_err(other)?;
        let usage = KeyUsage::server_auth();
        certificate
            .verify_for_usage(algorithms, &roots.roots, intermediates, now, usage, Some(options), None)
            .map(|_| ())
            .map_err(other)
    }
}
