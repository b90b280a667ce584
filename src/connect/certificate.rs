//! What is needed of an X.509 certificate beyond what webpki tells: the hash for SCRAM's channel binding, and what libpq
//! accepts and webpki does not look at. That is a self-signed server certificate that is itself the root, a common name
//! in place of alternative names, and certificates of version 1, which is what the commands in PostgreSQL's manual make.

use rustls::pki_types::SignatureVerificationAlgorithm;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

/// The parts of a certificate that are looked at.
pub(super) struct Certificate<'a> {
    der: &'a [u8],
    /// What is signed, and by which algorithm: its identifier, and the OID and the parameters in it.
    signed: &'a [u8],
    algorithm: &'a [u8],
    signature_algorithm: &'a [u8],
    signature_parameters: &'a [u8],
    signature: &'a [u8],
    is_version_1: bool,
    issuer: &'a [u8],
    subject: &'a [u8],
    key_algorithm: &'a [u8],
    key: &'a [u8],
    not_before: i64,
    not_after: i64,
    common_name: Option<&'a [u8]>,
    has_alternative_names: bool,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT: u8 = 0x06;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 0x11];
/// What the OIDs of PKCS #1, of ECDSA with SHA-2 and of NIST's hashes begin with.
const PKCS1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
const NIST_HASH: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];

/// A reader of DER's tag, length, value.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (len, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
                (len.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, value))
    }

    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        self.any().filter(|(tag, _)| *tag == wanted).map(|(_, value)| value)
    }

    /// A string of whole bytes.
    fn bits(&mut self) -> Option<&'a [u8]> {
        self.take(BIT_STRING)?.strip_prefix(&[0])
    }

    fn next_is(&self, tag: u8) -> bool {
        self.0.first() == Some(&tag)
    }
}

impl<'a> Certificate<'a> {
    /// Reads a certificate; `None` if it is none.
    pub(super) fn parse(der: &'a [u8]) -> Option<Self> {
        let mut certificate = Der(Der(der).take(SEQUENCE)?);
        let whole = certificate.0;
        let mut tbs = Der(certificate.take(SEQUENCE)?);
        let signed = &whole[..whole.len() - certificate.0.len()];
        let algorithm = certificate.take(SEQUENCE)?;
        let signature = certificate.bits()?;
        let is_version_1 = !tbs.next_is(0xa0);
        if !is_version_1 {
            tbs.any()?;
        }
        tbs.any()?; // serial number
        if tbs.take(SEQUENCE)? != algorithm {
            return None;
        }
        let issuer = tbs.take(SEQUENCE)?;
        let mut validity = Der(tbs.take(SEQUENCE)?);
        let subject = tbs.take(SEQUENCE)?;
        let mut key = Der(tbs.take(SEQUENCE)?);
        let mut has_alternative_names = false;
        while !tbs.0.is_empty() {
            let (tag, value) = tbs.any()?;
            if tag == 0xa3 {
                let mut extensions = Der(Der(value).take(SEQUENCE)?);
                while !extensions.0.is_empty() {
                    has_alternative_names |= Der(extensions.take(SEQUENCE)?).take(OBJECT)? == ALTERNATIVE_NAMES;
                }
            }
        }
        let mut parameters = Der(algorithm);
        Some(Self {
            der,
            signed,
            algorithm,
            signature_algorithm: parameters.take(OBJECT)?,
            signature_parameters: parameters.0,
            signature,
            is_version_1,
            issuer,
            subject,
            key_algorithm: key.take(SEQUENCE)?,
            key: key.bits()?,
            not_before: time(validity.any()?)?,
            not_after: time(validity.any()?)?,
            common_name: common_name(subject),
            has_alternative_names,
        })
    }

    /// The channel binding data `tls-server-end-point` (RFC 5929): the certificate's hash by the hash of its own
    /// signature, SHA-256 in place of MD5 and SHA-1. `None` where the signature has no hash of that kind.
    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        let hash = match self.signature_algorithm.split_last()? {
            (0x04 | 0x05, PKCS1) => 1,
            (0x0a, PKCS1) => pss_hash(self.signature_parameters)?,
            (0x0b, PKCS1) => 1,
            (0x0c, PKCS1) => 2,
            (0x0d, PKCS1) => 3,
            (0x0e, PKCS1) => 4,
            (0x01, ECDSA) => 1,
            (last, rest) if rest.strip_prefix(ECDSA) == Some(&[3]) => match last {
                1 => 4,
                2 => 1,
                3 => 2,
                4 => 3,
                _ => return None,
            },
            _ => return None,
        };
        Some(match hash {
            1 => Sha256::digest(self.der).to_vec(),
            2 => Sha384::digest(self.der).to_vec(),
            3 => Sha512::digest(self.der).to_vec(),
            4 => Sha224::digest(self.der).to_vec(),
            _ => return None,
        })
    }

    /// Whether the certificate is of the version without extensions, which webpki does not look at.
    pub(super) fn is_version_1(&self) -> bool {
        self.is_version_1
    }

    /// Whether the owner of `issuer` signed this certificate.
    pub(super) fn is_signed_by(&self, issuer: &Self, known: &[&dyn SignatureVerificationAlgorithm]) -> bool {
        self.issuer == issuer.subject
            && known.iter().any(|a| {
                a.signature_alg_id().as_ref() == self.algorithm && issuer.has_signed(*a, self.signed, self.signature)
            })
    }

    /// Whether `signature` is one of `message` by this certificate's key.
    pub(super) fn has_signed(
        &self,
        algorithm: &dyn SignatureVerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        algorithm.public_key_alg_id().as_ref() == self.key_algorithm
            && algorithm.verify_signature(self.key, message, signature).is_ok()
    }

    /// Whether `now`, in seconds since 1970, lies in the time that the certificate is for.
    pub(super) fn is_valid_at(&self, now: i64) -> bool {
        (self.not_before..=self.not_after).contains(&now)
    }

    /// The common name, for messages.
    pub(super) fn common_name(&self) -> Option<String> {
        self.common_name.map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Whether the common name stands for `host`. It counts only where there are no alternative names at all.
    pub(super) fn common_name_is(&self, host: &str) -> bool {
        let Some(name) = self.common_name.filter(|_| !self.has_alternative_names) else { return false };
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

/// The hash of an RSASSA-PSS signature: its parameters name it, or leave SHA-1, for which SHA-256 is used.
fn pss_hash(parameters: &[u8]) -> Option<u8> {
    let mut parameters = Der(Der(parameters).take(SEQUENCE)?);
    if !parameters.next_is(0xa0) {
        return Some(1);
    }
    let hash = Der(Der(parameters.take(0xa0)?).take(SEQUENCE)?).take(OBJECT)?;
    match hash.strip_prefix(NIST_HASH) {
        Some(&[hash @ 1..=4]) => Some(hash),
        Some(_) => None,
        None => Some(1),
    }
}

fn common_name(subject: &[u8]) -> Option<&[u8]> {
    let mut parts = Der(subject);
    let mut found = None;
    while !parts.0.is_empty() {
        let mut attributes = Der(parts.take(SET)?);
        while !attributes.0.is_empty() {
            let mut attribute = Der(attributes.take(SEQUENCE)?);
            if attribute.take(OBJECT)? == COMMON_NAME {
                let (_, name) = attribute.any()?;
                found = Some(name).filter(|n| !n.contains(&0));
            }
        }
    }
    found
}

/// Seconds since 1970 of a time in one of the two forms of certificates.
fn time((tag, text): (u8, &[u8])) -> Option<i64> {
    let digits = text.strip_suffix(b"Z").filter(|t| t.iter().all(u8::is_ascii_digit))?;
    let number = |from: usize, len: usize| {
        digits.get(from..from + len).map(|d| d.iter().fold(0i64, |n, d| n * 10 + i64::from(d - b'0')))
    };
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => (number(0, 2).map(|y| if y < 50 { 2000 + y } else { 1900 + y })?, 2),
        (GENERALIZED_TIME, 14) => (number(0, 4)?, 4),
        _ => return None,
    };
    let (month, day) = (number(rest, 2)?, number(rest + 2, 2)?);
    // Days of the civil calendar, counted from a year that begins in March so that leap days come last.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days =
        365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + number(rest + 4, 2)? * 3600 + number(rest + 6, 2)? * 60 + number(rest + 8, 2)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_become_seconds() {
        assert_eq!(time((UTC_TIME, b"700101000000Z")), Some(0));
        assert_eq!(time((GENERALIZED_TIME, b"20000229123456Z")), Some(951_827_696));
        assert_eq!(time((UTC_TIME, b"491231235959Z")), Some(2_524_607_999));
        assert_eq!(time((UTC_TIME, b"49123123595Z")), None);
    }

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
                let _ = (certificate.end_point(), certificate.common_name_is("x"), certificate.is_valid_at(0));
            }
        }
    }
}
