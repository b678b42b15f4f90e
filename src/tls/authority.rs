//! The authority that signs for sites: an issuing certificate, its key, and the chain to the root. Reads, never makes.

use std::path::Path;

use rcgen::{
    CertificateParams, DistinguishedName, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    PublicKeyData, SanType, SerialNumber, SignatureAlgorithm, SigningKey,
};
use rustls::pki_types::CertificateDer;

use super::certificate::{Certificate, Validity, asn1_time};
use super::der;
use super::files;
use super::founding;
use super::problem::{MintError, TlsProblem};
use crate::clock::{Clock, Timestamp};
use crate::facts::Host;

/// A certificate authority that is ready to sign leaves.
pub struct Issuer {
    /// The issuing certificate first, then what leads to the root, without the root.
    chain: Vec<Certificate>,
    /// What is trusted: the root, or the highest certificate that we were given.
    root: Certificate,
    signer: Signer,
}

/// A key with the name it signs under, byte for byte.
pub(super) struct Signer {
    key: KeyPair,
    name: Vec<u8>,
    key_id: Option<Vec<u8>>,
}

impl Issuer {
    /// Loads the authority that `wayleave ca init` or `wayleave ca import` put into `folder`.
    pub fn load(folder: &Path) -> Result<Self, TlsProblem> {
        let (issuing, key) = (folder.join(files::ISSUING), folder.join(files::ISSUING_KEY));
        if !files::exists(&issuing) && !files::exists(&key) {
            return Err(TlsProblem::NoAuthority {
                folder: folder.to_owned(),
            });
        }
        let chain = files::certificates(&issuing)?;
        let (pair, _) = files::key(&key)?;
        let root = folder.join(files::ROOT);
        let root = if files::exists(&root) {
            files::certificates(&root)?.into_iter().next()
        } else {
            None
        };
        if chain
            .first()
            .is_none_or(|first| first.public_key != pair.public_key_raw())
        {
            return Err(TlsProblem::KeyMismatch {
                certificate: issuing,
                key,
            });
        }
        Self::assemble(chain, root, pair)
    }

    /// A new authority for any host, only in memory: for the demo and for tests.
    pub fn temporary(clock: &Clock) -> Result<Self, TlsProblem> {
        founding::temporary(clock.now(), None)
    }

    /// Puts an authority together; the first certificate of `chain` must be the key's.
    pub(super) fn assemble(
        chain: Vec<Certificate>,
        root: Option<Certificate>,
        key: KeyPair,
    ) -> Result<Self, TlsProblem> {
        let root = root
            .or_else(|| chain.last().cloned())
            .ok_or_else(|| TlsProblem::Crypto("the chain is empty".to_owned()))?;
        let first = chain.first().unwrap_or(&root);
        if let Err(why) = &first.may_sign {
            return Err(TlsProblem::NotAnAuthority {
                subject: first.subject.clone(),
                why: why.clone(),
            });
        }
        let signer = Signer::new(first, key);
        Ok(Self { chain, root, signer })
    }

    /// The certificate to install on every machine, in PEM.
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// The certificate to install on every machine.
    pub fn root(&self) -> &Certificate {
        &self.root
    }

    /// The certificate that signs leaves.
    pub fn issuing(&self) -> &Certificate {
        self.chain.first().unwrap_or(&self.root)
    }

    /// When everything from the issuing certificate to the root is valid.
    pub fn validity(&self) -> Validity {
        self.line()
            .fold(self.root.validity, |all, next| all.narrowed(&next.validity))
    }

    /// Whether the name constraints of the whole chain let it speak for `host`.
    pub fn permits(&self, host: &Host) -> bool {
        self.line()
            .filter_map(|certificate| certificate.constraints.as_ref())
            .all(|constraints| constraints.permit(host))
    }

    /// Whether a signature takes so long (RSA, about a millisecond) that it should not block a worker.
    pub fn is_slow(&self) -> bool {
        self.issuing().is_rsa
    }

    /// The issuing certificate, what leads to the root, and the root.
    fn line(&self) -> impl Iterator<Item = &Certificate> {
        self.chain.iter().chain(std::iter::once(&self.root))
    }

    /// What is sent after a leaf: everything up to the root, without it.
    pub(super) fn sent_chain(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        let root = &self.root;
        self.chain
            .iter()
            .filter(move |certificate| certificate.der != root.der || !certificate.is_self_issued())
            .map(|certificate| certificate.der.clone())
    }

    /// Signs a leaf for `hosts` over `key`, valid for `time`.
    pub(super) fn sign(
        &self,
        hosts: &[Host],
        key: &impl PublicKeyData,
        time: Validity,
    ) -> Result<CertificateDer<'static>, MintError> {
        let failed = |why: String| MintError::Signing(why);
        let mut leaf = blank(time).map_err(|why| failed(why.to_string()))?;
        // The subject stays empty: a common name ends at 64 characters and nobody looks at it (RFC 9525 §2).
        leaf.subject_alt_names = hosts.iter().map(alternative_name).collect::<Result<_, _>>()?;
        leaf.is_ca = IsCa::ExplicitNoCa;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.signer.certify(leaf, key).map_err(|why| failed(why.to_string()))
    }
}

impl Signer {
    /// Signs as the subject of `certificate`, whose key this must be.
    pub(super) fn new(certificate: &Certificate, key: KeyPair) -> Self {
        Self {
            key,
            name: certificate.subject_der.clone(),
            key_id: certificate.key_id.clone(),
        }
    }

    /// Signs what `wanted` says about `key`.
    pub(super) fn certify(
        &self,
        mut wanted: CertificateParams,
        key: &impl PublicKeyData,
    ) -> Result<CertificateDer<'static>, TlsProblem> {
        let mut issuer = CertificateParams::default();
        if let Some(id) = &self.key_id {
            issuer.key_identifier_method = KeyIdMethod::PreSpecified(id.clone());
            wanted.use_authority_key_identifier_extension = true;
        }
        let signed = wanted.signed_by(key, &rcgen::Issuer::from_params(&issuer, self))?;
        der::certificate_with_issuer(signed.der(), &self.name)
            .map(CertificateDer::from)
            .ok_or_else(|| TlsProblem::Crypto("the certificate came out malformed".to_owned()))
    }
}

impl PublicKeyData for Signer {
    fn der_bytes(&self) -> &[u8] {
        self.key.der_bytes()
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        self.key.algorithm()
    }
}

impl SigningKey for Signer {
    fn sign(&self, tbs: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        let named = der::with_issuer(tbs, &self.name).ok_or(rcgen::Error::CouldNotParseCertificate)?;
        self.key.sign(&named)
    }
}

/// A certificate to fill in: no name, a random serial number, valid for `time`.
pub(super) fn blank(time: Validity) -> Result<CertificateParams, TlsProblem> {
    // 01 first, then 128 random bits: neither negative nor shortened (X.690 §8.3.2)
    let mut serial = [1_u8; 17];
    let (_, random) = serial.split_at_mut(1);
    aws_lc_rs::rand::fill(random).map_err(|why| TlsProblem::Crypto(why.to_string()))?;
    let mut blank = CertificateParams::default();
    blank.distinguished_name = DistinguishedName::new();
    blank.serial_number = Some(SerialNumber::from_slice(&serial));
    blank.not_before = asn1_time(time.from)?.to_datetime();
    blank.not_after = asn1_time(time.until)?.to_datetime();
    Ok(blank)
}

/// The host as a subject alternative name. The library takes any text for a name, so it is checked here.
fn alternative_name(host: &Host) -> Result<SanType, MintError> {
    if let Some(address) = host.as_ip() {
        return Ok(SanType::IpAddress(address));
    }
    let bad = || MintError::BadName(host.clone());
    let name = rustls::pki_types::DnsName::try_from(host.as_str()).map_err(|_| bad())?;
    let name = name.as_ref().try_into().map_err(|_| bad())?;
    Ok(SanType::DnsName(name))
}

/// The moment `span` before `at`.
pub(super) fn before(at: Timestamp, span: std::time::Duration) -> Timestamp {
    let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(at.as_millis().saturating_sub(millis))
}
