//! What a certificate says, as far as the house asks. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::X509Certificate;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use super::problem::TlsProblem;
use super::reach::Constraints;
use crate::clock::Timestamp;

/// From when until when a certificate is valid, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Timestamp,
    /// The last moment.
    pub until: Timestamp,
}

impl Validity {
    /// Whether `at` lies inside.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.until
    }

    /// The time in which both are valid.
    #[must_use]
    pub fn narrowed(&self, other: &Self) -> Self {
        Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        }
    }
}

/// A certificate that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its bytes.
    pub der: CertificateDer<'static>,
    /// The subject, for people.
    pub subject: String,
    /// The organisation in the subject, if it names one.
    pub(super) organisation: Option<String>,
    /// The subject's bytes, which are what issuers are found by.
    pub(super) subject_der: Vec<u8>,
    /// The issuer's bytes.
    pub(super) issuer_der: Vec<u8>,
    /// The subject key identifier, if there is one.
    pub(super) key_id: Option<Vec<u8>>,
    /// The public key's bits.
    pub(super) public_key: Vec<u8>,
    /// The public key with its algorithm, DER.
    spki: Vec<u8>,
    /// From when until when.
    pub validity: Validity,
    /// Whether its key is RSA: slow to sign with.
    pub is_rsa: bool,
    /// Whether it may sign certificates (basic constraints and key usage).
    pub may_sign: Result<(), String>,
    /// How many authorities may stand between it and a leaf, if it says.
    pub(super) path_length: Option<u32>,
    /// Whom it may sign for, if it says.
    pub constraints: Option<Constraints>,
}

impl Certificate {
    /// Reads one from DER; the error says why not.
    pub fn read(der: &CertificateDer<'static>) -> Result<Self, String> {
        let (rest, x509) = x509_parser::parse_x509_certificate(der).map_err(|why| why.to_string())?;
        if !rest.is_empty() {
            return Err("bytes follow the certificate".to_owned());
        }
        let tbs = &x509.tbs_certificate;
        let key = x509.public_key();
        let key_id = x509.extensions().iter().find_map(|extension| {
            if let ParsedExtension::SubjectKeyIdentifier(id) = extension.parsed_extension() {
                Some(id.0.to_vec())
            } else {
                None
            }
        });
        let constraints = x509.name_constraints().map_err(|why| why.to_string())?;
        Ok(Self {
            der: der.clone(),
            subject: x509.subject().to_string(),
            organisation: x509
                .subject()
                .iter_organization()
                .find_map(|name| name.as_str().ok().map(str::to_owned)),
            subject_der: tbs.subject.as_raw().to_vec(),
            issuer_der: tbs.issuer.as_raw().to_vec(),
            key_id,
            spki: key.raw.to_vec(),
            public_key: key.subject_public_key.data.to_vec(),
            validity: Validity {
                from: Timestamp::from_millis(x509.validity().not_before.timestamp().saturating_mul(1000)),
                until: Timestamp::from_millis(x509.validity().not_after.timestamp().saturating_mul(1000)),
            },
            is_rsa: matches!(key.parsed(), Ok(PublicKey::RSA(_))),
            may_sign: may_sign(&x509),
            path_length: x509
                .basic_constraints()
                .ok()
                .flatten()
                .and_then(|basic| basic.value.path_len_constraint),
            constraints: constraints.map(|extension| Constraints::read(extension.value)),
        })
    }

    /// Whether it names itself as its issuer: a root.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// SHA-256 of its bytes, as browsers show it.
    pub fn fingerprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der);
        let bytes: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        bytes.join(":")
    }

    /// SHA-256 of its public key in base64, the form in which a browser can be told to accept that key (RFC 7469 §2.4).
    pub fn key_pin(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.spki);
        STANDARD.encode(digest)
    }

    /// The certificate in PEM.
    pub fn pem(&self) -> String {
        super::der::pem("CERTIFICATE", &self.der)
    }
}

fn may_sign(x509: &X509Certificate<'_>) -> Result<(), String> {
    let basic = x509.basic_constraints().map_err(|why| why.to_string())?;
    if !basic.is_some_and(|basic| basic.value.ca) {
        return Err("it is not a CA certificate (basic constraints, `CA:TRUE`)".to_owned());
    }
    match x509.key_usage().map_err(|why| why.to_string())? {
        Some(usage) if !usage.value.key_cert_sign() => {
            Err("its key usage leaves out the signing of certificates (`keyCertSign`)".to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

/// A moment as the certificate library wants it; whole seconds.
pub(super) fn asn1_time(at: Timestamp) -> Result<ASN1Time, TlsProblem> {
    ASN1Time::from_timestamp(at.as_millis().div_euclid(1000)).map_err(|why| TlsProblem::Crypto(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn two_validities_narrow_to_what_both_hold() {
        let long = Validity {
            from: moment("2026-01-01T00:00:00Z"),
            until: moment("2036-01-01T00:00:00Z"),
        };
        let late = Validity {
            from: moment("2035-06-01T00:00:00Z"),
            until: moment("2037-01-01T00:00:00Z"),
        };
        let both = long.narrowed(&late);
        assert_eq!((both.from, both.until), (late.from, long.until));
        assert!(both.holds(late.from) && both.holds(long.until));
        assert!(!both.holds(moment("2035-05-31T23:59:59Z")));
    }

    #[test]
    fn a_certificate_that_is_cut_short_or_followed_by_more_is_refused() {
        let made = rcgen::generate_simple_self_signed(vec!["x.example".to_owned()]).unwrap();
        let whole = made.cert.der().to_vec();
        assert!(Certificate::read(&CertificateDer::from(whole.clone())).is_ok());
        for wrong in [
            whole[..whole.len() - 1].to_vec(),
            [whole.clone(), vec![0]].concat(),
            Vec::new(),
        ] {
            assert!(Certificate::read(&CertificateDer::from(wrong)).is_err());
        }
    }

    #[test]
    fn a_certificate_of_a_site_may_not_sign() {
        let made = rcgen::generate_simple_self_signed(vec!["x.example".to_owned()]).unwrap();
        let read = Certificate::read(made.cert.der()).unwrap();
        assert!(read.may_sign.unwrap_err().contains("not a CA"));
    }
}
