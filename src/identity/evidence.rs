//! What a method may look at. Never the destination: who somebody is does not depend on where they go.

use http::{HeaderMap, HeaderValue, header};
use rustls::pki_types::CertificateDer;

use crate::facts::Arrival;

/// What a connection and a request bring as proof.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// `Proxy-Authorization`, the first one.
    pub proxy_authorization: Option<&'a HeaderValue>,
    /// Whether there is more than one: two readers could believe two different people.
    pub more_than_one: bool,
    /// The certificate that the client showed on the TLS door, already verified there.
    pub client_certificate: Option<&'a CertificateDer<'a>>,
    /// How the connection arrived.
    pub arrival: &'a Arrival,
}

impl<'a> Evidence<'a> {
    /// Gathers what `headers` and the connection bring.
    pub fn gather(
        headers: &'a HeaderMap,
        client_certificate: Option<&'a CertificateDer<'a>>,
        arrival: &'a Arrival,
    ) -> Self {
        let mut proofs = headers.get_all(header::PROXY_AUTHORIZATION).iter();
        Self {
            proxy_authorization: proofs.next(),
            more_than_one: proofs.next().is_some(),
            client_certificate,
            arrival,
        }
    }
}
