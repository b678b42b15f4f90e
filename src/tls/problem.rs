//! What can be wrong with keys, certificates and roots, for the operator who must fix it.

use std::io;
use std::path::PathBuf;

use crate::clock::Timestamp;
use crate::facts::Host;

/// Why the authority or the roots cannot be used: what, why, how to fix.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages describe the variants, their names the fields")]
pub enum TlsProblem {
    #[error("`{}` cannot be read: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` cannot be written: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error(
        "there is no certificate authority in `{}`: make one with `wayleave ca init`, or bring your company's \
         with `wayleave ca import`", folder.display()
    )]
    NoAuthority { folder: PathBuf },
    #[error("`{}` exists already: `--force` replaces it, and everybody who relies on it then needs the new one", path.display())]
    Exists { path: PathBuf },
    #[error("`{}` holds no certificate: it needs a `-----BEGIN CERTIFICATE-----` block (PEM)", path.display())]
    NoCertificate { path: PathBuf },
    #[error("a certificate in `{}` cannot be read: {why}", path.display())]
    BadCertificate { path: PathBuf, why: String },
    #[error("`{}` holds no usable private key: {why}; it needs a PKCS#8, SEC1 or PKCS#1 key in PEM", path.display())]
    BadKey { path: PathBuf, why: String },
    #[error(
        "the key in `{0}` is encrypted: convert it with `openssl pkey -in {0} -out plain.key`, import `plain.key`, \
         then remove it", path.display()
    )]
    EncryptedKey { path: PathBuf },
    #[error(
        "the key in `{}` belongs to no certificate in `{}`: bring the pair that was made together",
        key.display(), certificate.display()
    )]
    KeyMismatch { certificate: PathBuf, key: PathBuf },
    #[error("the certificate `{subject}` cannot sign for sites: {why}")]
    NotAnAuthority { subject: String, why: String },
    #[error("the certificate `{subject}` is valid from {from} to {until} only: {help}")]
    NotValidNow {
        subject: String,
        from: Timestamp,
        until: Timestamp,
        help: &'static str,
    },
    #[error(
        "there are no root certificates to verify origins against: install the operating system's (`apt install \
         ca-certificates`), or name PEM files in `tls.extra_roots`"
    )]
    NoRoots,
    #[error("`tls.leaf_days` is `{0}`: it must be between 1 and 90")]
    LeafDays(u16),
    #[error(
        "the authority would be constrained to no name at all: name some, or let it speak for any with `--any-host`"
    )]
    NothingToSpeakFor,
    #[error("`{0}` is too long a name for a certificate: {1} characters fit")]
    NameTooLong(String, usize),
    #[error(
        "the root's key is not at `{}`: fetch it from where it is kept and name it with `--root-key` (an imported \
         intermediate is renewed by importing its successor with `--force`)", path.display()
    )]
    RootKeyAway { path: PathBuf },
    #[error("cryptography failed: {0}")]
    Crypto(String),
}

impl From<rcgen::Error> for TlsProblem {
    fn from(problem: rcgen::Error) -> Self {
        Self::Crypto(problem.to_string())
    }
}

impl From<rustls::Error> for TlsProblem {
    fn from(problem: rustls::Error) -> Self {
        Self::Crypto(problem.to_string())
    }
}

/// Why no certificate could be minted for a host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MintError {
    /// The host is no name that a certificate can carry.
    #[error("`{0}` is not a name that a certificate can carry")]
    BadName(Host),
    /// The authority is constrained to other names.
    #[error(
        "the certificate authority may not speak for `{0}`: its name constraints leave it out; sign a wider one \
         with `wayleave ca renew` (it takes the catalogue's domains and `tls.door_names`; `--also {0}` adds one, \
         `--any-host` all), then restart the gateway"
    )]
    OutsideConstraints(Host),
    /// The authority's own time is over.
    #[error("the certificate authority expired at {0}: sign a new one with `wayleave ca renew`, or import one")]
    IssuerExpired(Timestamp),
    /// The authority's time has not begun.
    #[error("the certificate authority is valid from {0} only: check this machine's clock")]
    IssuerNotYetValid(Timestamp),
    /// The signature could not be made.
    #[error("signing failed: {0}")]
    Signing(String),
}
