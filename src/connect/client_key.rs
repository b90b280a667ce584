//! The key of the client's certificate: a file that only its owner may read, perhaps with a password.

use std::path::Path;

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::{Context, Error, ErrorKind, Result};

/// What the password of an encrypted key stands behind, by RFC 7468.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Reads the key; an encrypted one is decrypted with the password.
///
/// # Errors
/// It cannot be read, or others can read it, too; it is encrypted, and the password is not its own, or there is none.
pub(super) fn load(path: &Path, password: Option<&[u8]>) -> Result<PrivateKeyDer<'static>> {
    use std::os::unix::fs::MetadataExt;
    let doing = || format!("read the private key {}", path.display());
    let metadata = std::fs::metadata(path).context(ErrorKind::Io, doing)?;
    // A key of root's may be readable to the group that root gave it to; anybody's own to nobody else.
    let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    if metadata.mode() & forbidden != 0 {
        return Err(Error::new(ErrorKind::Usage, doing())
            .why("others than its owner may read or write it")
            .hint("chmod 0600 it"));
    }
    let text = std::fs::read(path).context(ErrorKind::Io, doing)?;
    let error = match PrivateKeyDer::from_pem_slice(&text) {
        // The old form says in a line of its own that what follows is encrypted, which this reader takes for part of the key.
        Ok(_) if bstr::ByteSlice::contains_str(text.as_slice(), "Proc-Type: 4,ENCRYPTED") => {
            return Err(Error::new(ErrorKind::Usage, doing()).why(OLD_FORM).hint(NEW_FORM));
        }
        Ok(key) => return Ok(key),
        Err(error) => error,
    };
    if bstr::ByteSlice::contains_str(text.as_slice(), "Proc-Type: 4,ENCRYPTED") {
        return Err(Error::new(ErrorKind::Usage, doing()).why(OLD_FORM).hint(NEW_FORM));
    }
    let Some(encrypted) = encrypted(&text) else {
        return Err(match error {
            rustls::pki_types::pem::Error::NoItemsFound => {
                Error::new(ErrorKind::Usage, doing()).why("there is no key in it that can be read")
            }
            error => Error::new(ErrorKind::Io, doing()).source(error),
        });
    };
    let Some(password) = password else {
        return Err(Error::new(ErrorKind::Usage, doing())
            .why("it is encrypted, and nothing says its password")
            .hint("give it with sslpassword in the URL"));
    };
    let refused = |why: String| Error::new(ErrorKind::Usage, doing()).why(why);
    let key = EncryptedPrivateKeyInfoRef::try_from(encrypted.as_bytes())
        .map_err(|e| refused(format!("it is encrypted in a way that is not known: {e}")))?
        .decrypt(password)
        .map_err(|e| refused(format!("it cannot be decrypted with that password: {e}")))?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

const OLD_FORM: &str = "it is encrypted in OpenSSL's old form, which protects it badly and is not read here";
const NEW_FORM: &str = "openssl pkcs8 -topk8 -v2 aes-256-cbc makes the other form of it";

/// The encrypted key in a text, in DER.
fn encrypted(text: &[u8]) -> Option<SecretDocument> {
    let text = std::str::from_utf8(text).ok()?;
    let begin = text.find(&format!("-----BEGIN {ENCRYPTED}-----"))?;
    let last = format!("-----END {ENCRYPTED}-----");
    let end = begin + text[begin..].find(&last)? + last.len();
    let (_, document) = SecretDocument::from_pem(&text[begin..end]).ok()?;
    Some(document)
}
