//! A client certificate on the TLS door. The handshake has verified it (chain, dates, purpose, possession of the key);
//! what is left is whose it is: the URI `wayleave:user:NAME` of its subject alternative names, else its common name.

use http::HeaderValue;
use percent_encoding::percent_decode_str;
use rustls::pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use super::credentials::{Credentials, basic_token};
use super::{Asking, Built, Method};
use crate::facts::{Arrival, MethodName, Subject, SubjectId};
use crate::identity::selection::readings;
use crate::identity::{Evidence, Identification, MaySend, Settings, SignIn, WhyRejected};

/// What the URI of a user starts with.
const USER_URI: &str = "wayleave:user:";

struct Certificate;

#[expect(
    clippy::unnecessary_wraps,
    reason = "the table holds one type of builder, and others can fail"
)]
pub(super) fn build(_: &Settings, _: &MaySend) -> Built {
    Ok(Box::new(Certificate))
}

impl Method for Certificate {
    fn name(&self) -> &'static str {
        MethodName::Certificate.as_str()
    }

    fn identify<'a>(&'a self, evidence: &'a Evidence<'_>) -> Asking<'a> {
        let answer = match evidence.client_certificate {
            None => Identification::Silent,
            Some(der) => match whose(der) {
                Some(id) => known(id, evidence),
                None => Identification::Rejected(WhyRejected::CertificateUnclear, None),
            },
        };
        Box::pin(std::future::ready(answer))
    }

    fn challenge(&self, _: &Arrival) -> Option<HeaderValue> {
        None // TLS asks for it; HTTP has no words for that.
    }
}

/// Whoever the certificate names, with the purpose that the user name in Basic credentials beside it selects. The password
/// there is not looked at, since nothing rests on it. A name that is another's is refused, and not passed over: its sender
/// means to be somebody else, or to select what would not be heard.
fn known(id: SubjectId, evidence: &Evidence<'_>) -> Identification {
    let beside = evidence.proxy_authorization.and_then(basic_token);
    let selects = match beside.and_then(Credentials::parse) {
        None => None,
        Some(Credentials { name, .. }) => match readings(&name).into_iter().find(|meant| meant.user == id) {
            Some(meant) => meant.selects,
            None => return Identification::Rejected(WhyRejected::AnotherName, Some(id)),
        },
    };
    Identification::Known {
        subject: Subject {
            id,
            method: MethodName::Certificate,
        },
        selects,
        // The handshake proved it, and the directory says who may still come.
        sign_in: SignIn::default(),
        token: None,
    }
}

/// The one user that the certificate names; none if it names nobody or two.
fn whose(der: &CertificateDer<'_>) -> Option<SubjectId> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let names = match certificate.subject_alternative_name().ok()? {
        Some(extension) => extension.value.general_names.as_slice(),
        None => &[],
    };
    let mut uris = names.iter().filter_map(|name| {
        if let GeneralName::URI(uri) = name {
            uri.strip_prefix(USER_URI)
        } else {
            None
        }
    });
    match (uris.next(), uris.next()) {
        (Some(user), None) => SubjectId::parse(&percent_decode_str(user).decode_utf8().ok()?).ok(),
        (Some(_), Some(_)) => None,
        (None, _) => {
            let mut common = certificate.subject().iter_common_name();
            match (common.next(), common.next()) {
                (Some(name), None) => SubjectId::parse(name.as_str().ok()?).ok(),
                _ => None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    fn certificate(common: &[&str], uris: &[&str]) -> CertificateDer<'static> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for name in common {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        params.subject_alt_names = uris
            .iter()
            .map(|uri| SanType::URI((*uri).try_into().unwrap()))
            .collect();
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().into()
    }

    fn user(common: &[&str], uris: &[&str]) -> Option<String> {
        whose(&certificate(common, uris)).map(|id| id.as_str().to_owned())
    }

    #[test]
    fn the_user_is_the_uri_or_else_the_common_name() {
        assert_eq!(user(&["Ada Lovelace"], &["wayleave:user:ada"]).as_deref(), Some("ada"));
        assert_eq!(user(&["ada"], &[]).as_deref(), Some("ada"));
        assert_eq!(user(&["ada"], &["spiffe://corp/ada"]).as_deref(), Some("ada"));
        assert_eq!(user(&[], &["wayleave:user:j%C3%BCrgen"]).as_deref(), Some("jürgen"));
    }

    #[test]
    fn a_certificate_that_names_nobody_or_two_is_rejected() {
        assert_eq!(user(&[], &[]), None);
        assert_eq!(
            user(&["Ada Lovelace"], &[]),
            None,
            "a name with a space is no user name"
        );
        assert_eq!(user(&["ada"], &["wayleave:user:ada", "wayleave:user:bob"]), None);
        assert_eq!(
            user(&["ada"], &["wayleave:user:"]),
            None,
            "an empty URI does not fall back"
        );
        assert_eq!(whose(&CertificateDer::from(vec![0x30, 0x03])), None);
    }
}
