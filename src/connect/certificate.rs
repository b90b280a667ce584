//! What is needed of an X.509 certificate beyond what webpki tells: the hash for SCRAM's channel binding, and what libpq
//! accepts and webpki does not look at. That is a self-signed server certificate that is itself the root, a common name
//! in place of alternative names, and certificates of version 1, which is what the commands in PostgreSQL's manual make.
//!
//! x509-cert reads DER strictly. Of what OpenSSL takes it refuses lengths that are not the shortest, bytes after the
//! end, times before 1970 and impossible ones, UniversalString in names, and OIDs of more than 39 bytes, with an arc of
//! more than 32 bits or in 2.40 and above; servers' certificates have none of these. `Raw` lets any serial number pass.

use std::time::Duration;

use rustls::pki_types::{SignatureVerificationAlgorithm, UnixTime};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_cert::certificate::{CertificateInner, Raw, TbsCertificateInner, Version};
use x509_cert::der::asn1::{ContextSpecific, ObjectIdentifier};
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::oid::db::rfc5912::*;
use x509_cert::der::{Any, AnyRef, Decode, Reader, Result, SliceReader, Tag, TagNumber};
use x509_cert::spki::AlgorithmIdentifierOwned;

const ECDSA_WITH_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");

/// A certificate, and the parts of it of which the very bytes count.
pub(super) struct Certificate<'a> {
    der: &'a [u8],
    signed: &'a [u8],
    read: CertificateInner<Raw>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` if it is none.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let read = CertificateInner::from_der(der).ok()?;
        let signed = AnyRef::from_der(der).and_then(|all| SliceReader::new(all.value())?.tlv_bytes()).ok()?;
        let certificate = Self { der, signed, read };
        (certificate.read.signature_algorithm() == certificate.tbs().signature()).then_some(certificate)
    }

    fn tbs(&self) -> &TbsCertificateInner<Raw> {
        self.read.tbs_certificate()
    }

    /// The channel binding data `tls-server-end-point` (RFC 5929): the certificate's hash by the hash of its own
    /// signature, SHA-256 in place of MD5 and SHA-1. `None` where the signature has no hash of that kind.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        let algorithm = self.read.signature_algorithm();
        let hash = match algorithm.oid {
            ID_RSASSA_PSS => pss_hash(algorithm.parameters.as_ref()?).ok()?,
            other => other,
        };
        Some(match hash {
            ID_MD_5 | MD_5_WITH_RSA_ENCRYPTION | ID_SHA_1 | SHA_1_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_1 => {
                Sha256::digest(self.der).to_vec()
            }
            ID_SHA_224 | SHA_224_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_224 => Sha224::digest(self.der).to_vec(),
            ID_SHA_256 | SHA_256_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_256 => Sha256::digest(self.der).to_vec(),
            ID_SHA_384 | SHA_384_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_384 => Sha384::digest(self.der).to_vec(),
            ID_SHA_512 | SHA_512_WITH_RSA_ENCRYPTION | ECDSA_WITH_SHA_512 => Sha512::digest(self.der).to_vec(),
            _ => return None,
        })
    }

    /// Whether the certificate is of the version without extensions, which webpki does not look at.
    pub(super) fn is_version_1(&self) -> bool {
        self.tbs().version() == Version::V1
    }

    /// Whether the owner of `issuer` signed this certificate.
    pub(super) fn is_signed_by(&self, issuer: &Self, known: &[&dyn SignatureVerificationAlgorithm]) -> bool {
        self.tbs().issuer() == issuer.tbs().subject()
            && self.read.signature().as_bytes().is_some_and(|signature| {
                known.iter().any(|a| {
                    is(self.read.signature_algorithm(), &a.signature_alg_id())
                        && issuer.has_signed(*a, self.signed, signature)
                })
            })
    }

    /// Whether `signature` is one of `message` by this certificate's key.
    pub(super) fn has_signed(
        &self,
        algorithm: &dyn SignatureVerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let key = self.tbs().subject_public_key_info();
        is(&key.algorithm, &algorithm.public_key_alg_id())
            && key
                .subject_public_key
                .as_bytes()
                .is_some_and(|key| algorithm.verify_signature(key, message, signature).is_ok())
    }

    /// Whether `now` lies in the time that the certificate is for.
    pub(super) fn is_valid_at(&self, now: UnixTime) -> bool {
        let validity = self.tbs().validity();
        (validity.not_before.to_unix_duration()..=validity.not_after.to_unix_duration())
            .contains(&Duration::from_secs(now.as_secs()))
    }

    fn common_name_bytes(&self) -> Option<&[u8]> {
        let last = self.tbs().subject().iter().filter(|attribute| attribute.oid == COMMON_NAME).last()?;
        Some(last.value.value()).filter(|name| !name.contains(&0))
    }

    fn has_alternative_names(&self) -> bool {
        self.tbs().extensions().is_some_and(|all| all.iter().any(|e| e.extn_id == ID_CE_SUBJECT_ALT_NAME))
    }

    /// The common name, for messages.
    pub(super) fn common_name(&self) -> Option<String> {
        self.common_name_bytes().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether the common name stands for `host`. It counts only where there are no alternative names at all.
    pub(super) fn common_name_is(&self, host: &str) -> bool {
        let Some(name) = self.common_name_bytes().filter(|_| !self.has_alternative_names()) else { return false };
        let host = host.as_bytes();
        if name.eq_ignore_ascii_case(host) {
            return true;
        }
        // A star stands for one whole label at the front, and not for the labels of an address.
        let Some(domain) = name.strip_prefix(b"*") else { return false };
        let label = host.iter().take_while(|b| **b != b'.').count();
        domain.starts_with(b".")
            && domain.len() > 1
            && label > 0
            && host[label..].eq_ignore_ascii_case(domain)
            && host.parse_ip().is_none()
    }
}

trait ParseIp {
    fn parse_ip(&self) -> Option<std::net::IpAddr>;
}

impl ParseIp for [u8] {
    fn parse_ip(&self) -> Option<std::net::IpAddr> {
        std::str::from_utf8(self).ok()?.parse().ok()
    }
}

/// Whether an algorithm is the one that rustls names by the value of its DER.
fn is(algorithm: &AlgorithmIdentifierOwned, id: &[u8]) -> bool {
    AnyRef::new(Tag::Sequence, id)
        .and_then(|id| id.decode_as::<AlgorithmIdentifierOwned>())
        .is_ok_and(|id| id == *algorithm)
}

/// The hash of an RSASSA-PSS signature: its parameters name it, or leave SHA-1.
fn pss_hash(parameters: &Any) -> Result<ObjectIdentifier> {
    parameters.sequence(|fields| {
        let hash = ContextSpecific::<AlgorithmIdentifierOwned>::decode_explicit(fields, TagNumber(0))?;
        fields.drain(fields.remaining_len())?;
        Ok(hash.map_or(ID_SHA_1, |hash| hash.value.oid))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garbage_is_no_certificate() {
        for der in [&b""[..], b"0", b"\x30\x84\xff\xff\xff\xff", b"\x30\x80\x00\x00", b"\x30\x03\x30\x01\x00"] {
            assert!(Certificate::parse(der).is_none());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(der in proptest::collection::vec(proptest::sample::select(vec![0u8, 1, 2, 3, 6, 0x17, 0x30, 0x31, 0x81, 0x84, 0xa0, 0xa3, 0xff]), 0..60)) {
            if let Some(certificate) = Certificate::parse(&der) {
                let _ = (certificate.end_point(), certificate.common_name_is("x"), certificate.is_valid_at(UnixTime::since_unix_epoch(Duration::ZERO)));
            }
        }
    }
}
