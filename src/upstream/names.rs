//! For which names does an origin hold a certificate? Asks it in a handshake that goes no further.
//!
//! A tunnel that is not read must not carry a managed site. HTTP/2 lets a client send requests for every name on the
//! certificate over one connection (RFC 9113 §9.1.1), so those names tell what the tunnel could carry. Whether the
//! certificate is genuine is for the tunnel's client to verify: this room trusts nothing in it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme, SupportedCipherSuite};
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

use super::dial::Dialer;
use super::faults;
use crate::facts::{Authority, Blame, Fault, FaultCode, Stage};

/// How many bytes of names are remembered: those of some 20,000 ordinary certificates. Bytes, because an origin chooses
/// how many names it shows, and to how many hosts: a certificate of 64 KiB, the most a handshake carries, holds 8,000.
const REMEMBERED: u64 = 16 * 1024 * 1024;
/// What one origin takes beside its names.
const OVERHEAD: usize = 256;

/// The names on certificates, remembered for a while.
pub(super) struct Names(moka::future::Cache<Asked, Arc<[String]>>);

/// What decides which certificate a server shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    /// The origin.
    pub(super) to: Authority,
    /// The address where it is asked: others with the same name may show something else.
    pub(super) at: SocketAddr,
    /// Whether its name is sent as SNI, where it is a name.
    pub(super) sends_name: bool,
}

impl Names {
    pub(super) fn new(kept: Duration) -> Self {
        let cache = moka::future::Cache::builder()
            .max_capacity(REMEMBERED)
            .weigher(weight)
            .time_to_live(kept);
        Self(cache.build())
    }

    /// The `dNSName`s on the certificates that are shown to those who ask like this; those who ask at the same time ask
    /// once.
    pub(super) async fn of(
        &self,
        dialer: &Dialer,
        provider: &Arc<CryptoProvider>,
        asked: Asked,
    ) -> Result<Arc<[String]>, Fault> {
        let asking = ask(dialer, provider, asked.clone());
        self.0
            .try_get_with(asked, asking)
            .await
            .map_err(|fault| faults::again(&fault))
    }
}

/// Roughly how much memory an origin's names take.
fn weight(asked: &Asked, names: &Arc<[String]>) -> u32 {
    let held = |name: &String| name.capacity() + size_of::<String>();
    let bytes = OVERHEAD + asked.to.host.as_str().len() + names.iter().map(held).sum::<usize>();
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// What a client offers to sign and be signed with. An origin may hold a certificate for each kind of key, of which it shows
/// the one that fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Everything, as most clients do.
    Any,
    Elliptic,
    Rsa,
}

impl Kind {
    /// Whether it offers this, which is also what whoever issued the certificate may have signed with (RFC 5246 §7.4.2): an
    /// elliptic key is often certified by an RSA one. TLS 1.3 never lets a key sign a handshake with PKCS #1 (RFC 8446 §4.2.3),
    /// and in TLS 1.2 the suites tell the key, so offering that for the issuer's sake gets nobody the other certificate.
    fn signs(self, scheme: SignatureScheme) -> bool {
        let is_pkcs1 = matches!(
            scheme,
            SignatureScheme::RSA_PKCS1_SHA1
                | SignatureScheme::RSA_PKCS1_SHA256
                | SignatureScheme::RSA_PKCS1_SHA384
                | SignatureScheme::RSA_PKCS1_SHA512
        );
        match self {
            Self::Any => true,
            Self::Elliptic => is_pkcs1 || !is_rsa(scheme),
            Self::Rsa => is_rsa(scheme),
        }
    }

    /// What it offers. In TLS 1.2 the suites say it as well, and some servers go by them.
    fn offered(self, provider: &CryptoProvider) -> CryptoProvider {
        let mut offered = provider.clone();
        let fits = |scheme: &SignatureScheme| match self {
            Self::Any => true,
            Self::Elliptic => !is_rsa(*scheme),
            Self::Rsa => is_rsa(*scheme),
        };
        offered.cipher_suites.retain(|suite| match suite {
            SupportedCipherSuite::Tls12(suite) => suite.sign.iter().any(fits),
            SupportedCipherSuite::Tls13(_) => true,
        });
        offered
    }
}

fn is_rsa(scheme: SignatureScheme) -> bool {
    matches!(
        scheme,
        SignatureScheme::RSA_PKCS1_SHA1
            | SignatureScheme::RSA_PKCS1_SHA256
            | SignatureScheme::RSA_PKCS1_SHA384
            | SignatureScheme::RSA_PKCS1_SHA512
            | SignatureScheme::RSA_PSS_SHA256
            | SignatureScheme::RSA_PSS_SHA384
            | SignatureScheme::RSA_PSS_SHA512
    )
}

/// The names on all certificates that it shows: the hello of the tunnel's client may get it another one than one of ours would.
async fn ask(dialer: &Dialer, provider: &Arc<CryptoProvider>, asked: Asked) -> Result<Arc<[String]>, Fault> {
    let (any, elliptic, rsa) = tokio::join!(
        ask_for(Kind::Any, dialer, provider, &asked),
        ask_for(Kind::Elliptic, dialer, provider, &asked),
        ask_for(Kind::Rsa, dialer, provider, &asked),
    );
    let (mut names, mut broken_off) = (BTreeSet::new(), None);
    let mut has_shown = false;
    for shown in [any?, elliptic?, rsa?] {
        match shown {
            Ok(more) => {
                has_shown = true;
                names.extend(more);
            }
            Err(fault) => broken_off = broken_off.or(Some(fault)),
        }
    }
    match broken_off {
        Some(fault) if !has_shown => Err(fault),
        Some(_) | None => Ok(names.into_iter().collect()),
    }
}

/// What an origin shows to who asks for one kind; a fault inside says that it broke the handshake off instead, as one does
/// that has no certificate of the kind: by an alert or, as some do, by closing.
///
/// INVARIANT: an origin that does not answer, or is not reached, has not said so: what it shows to others stays unknown. Nor
/// has one that breaks off every kind.
type Shown = Result<Vec<String>, Fault>;

async fn ask_for(kind: Kind, dialer: &Dialer, provider: &Arc<CryptoProvider>, asked: &Asked) -> Result<Shown, Fault> {
    let Asked { to, at, sends_name } = asked;
    let offered = Arc::new(kind.offered(provider));
    let onlooker = Arc::new(Onlooker {
        seen: OnceLock::new(),
        kind,
        provider: Arc::clone(&offered),
    });
    let mut config = ClientConfig::builder_with_provider(offered)
        .with_safe_default_protocol_versions()
        .map_err(|error| Fault::internal(Stage::Dial, error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&onlooker) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    config.resumption = Resumption::disabled(); // a resumed session shows no certificate
    config.enable_sni = *sends_name;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = dialer.at(to, *at).await?;
    let handshake = dialer.shaken(to, stream, &Arc::new(config)).await?;
    match (onlooker.seen.get(), handshake) {
        (Some(certificate), _) => names(to, certificate).map(Ok),
        (None, Err(error)) => Ok(Err(faults::of_handshake(to, &error))),
        (None, Ok(_)) => Err(Fault::internal(Stage::Dial, "a handshake ended without a certificate")),
    }
}

/// The `dNSName`s of a certificate, in lower case.
fn names(to: &Authority, certificate: &[u8]) -> Result<Vec<String>, Fault> {
    let bad = |what: String| {
        let detail = format!("the certificate of `{to}` cannot be read: {what}");
        Fault::new(Blame::Origin, Stage::Dial, FaultCode::CertificateBad, detail)
    };
    let (_, parsed) = parse_x509_certificate(certificate).map_err(|error| bad(error.to_string()))?;
    let alternatives = parsed
        .subject_alternative_name()
        .map_err(|error| bad(error.to_string()))?;
    let general = alternatives.map(|extension| extension.value.general_names.as_slice());
    Ok(general.unwrap_or_default().iter().filter_map(dns_name).collect())
}

fn dns_name(name: &GeneralName<'_>) -> Option<String> {
    if let GeneralName::DNSName(name) = name {
        Some(name.to_ascii_lowercase())
    } else {
        None
    }
}

/// Looks at the certificate and breaks the handshake off.
#[derive(Debug)]
struct Onlooker {
    seen: OnceLock<Vec<u8>>,
    kind: Kind,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Onlooker {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.seen.get_or_init(|| certificate.to_vec());
        // INVARIANT: a handshake with this verifier never succeeds, so nothing can be sent on it.
        Err(Error::General("the certificate has been seen".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("nothing is verified here".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("nothing is verified here".to_owned()))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let all = self.provider.signature_verification_algorithms.supported_schemes();
        all.into_iter().filter(|scheme| self.kind.signs(*scheme)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn remembered(origins: usize, names: &Arc<[String]>) -> u64 {
        let cache = Names::new(Duration::from_hours(1)).0;
        for n in 0..origins {
            let asked = Asked {
                to: Authority::parse(&format!("n{n}.sink.example:443"), None).unwrap(),
                at: SocketAddr::from(([192, 0, 2, 1], 443)),
                sends_name: true,
            };
            cache.insert(asked, Arc::clone(names)).await;
        }
        cache.run_pending_tasks().await;
        cache.entry_count()
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded_by_its_size_whatever_origins_show() {
        let certificate = |names: usize| (0..names).map(|n| format!("{n}.sink.example")).collect();
        let full = remembered(400, &certificate(8_500)).await;
        let each = 8_500 * size_of::<String>() as u64;
        assert!(full > 0 && full * each < REMEMBERED, "{full}");
        assert_eq!(remembered(10_000, &certificate(20)).await, 10_000);
    }
}
