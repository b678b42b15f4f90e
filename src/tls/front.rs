//! How we greet clients: inside an intercepted tunnel as the site, at the TLS port as ourselves.
//!
//! No early data anywhere: it can be replayed (RFC 8446 §8), and a request is judged once.

use std::sync::{Arc, PoisonError};

use rustls::pki_types::CertificateDer;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, ProducesTickets, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::sync::Mutex;

use super::certificate::Certificate;
use super::mint::Mint;
use super::problem::{MintError, TlsProblem};
use super::{ClockTime, provider};
use crate::clock::{Clock, Timestamp};
use crate::facts::Host;

/// What the configurations of all hosts have in common.
pub(super) struct Stencil {
    config: ServerConfig,
    tickets: Arc<dyn ProducesTickets>,
}

impl Stencil {
    pub(super) fn new(clock: Clock) -> Result<Self, TlsProblem> {
        Ok(Self {
            config: blank(clock, None)?,
            tickets: rustls::crypto::aws_lc_rs::Ticketer::new()?,
        })
    }

    /// The configuration for one host. Cheap: the parts are shared.
    pub(super) fn cut(&self, certified: Arc<CertifiedKey>, host: &Host) -> Arc<ServerConfig> {
        let mut config = self.config.clone();
        config.cert_resolver = Arc::new(Only(certified));
        config.ticketer = Arc::new(TicketsOf {
            host: host.clone(),
            tickets: self.tickets.clone(),
        });
        Arc::new(config)
    }
}

/// TLS 1.2 and 1.3, ALPN `h2` then `http/1.1`; no certificate and no resumption yet.
fn blank(clock: Clock, clients: Option<Arc<dyn ClientCertVerifier>>) -> Result<ServerConfig, TlsProblem> {
    let builder = ServerConfig::builder_with_details(provider(), Arc::new(ClockTime(clock)))
        .with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_cert_resolver(Arc::new(Nothing));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // Resumption by ticket only: a table per host would cost 20 kB each.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

/// The proxy's own TLS port: a certificate for its names, and a look at client certificates.
pub struct Door {
    mint: Arc<Mint>,
    names: Vec<Host>,
    blank: ServerConfig,
    current: Mutex<Option<(Arc<ServerConfig>, Timestamp)>>,
    /// When the certificate ends that it shows, once it has shown one.
    ends: std::sync::Mutex<Option<Timestamp>>,
}

impl Door {
    /// A door that people reach under `names`. With `clients`, it asks for a client certificate: one that verifies is
    /// shown to the guard, none is fine, and one that does not verify ends the handshake.
    pub fn new(mint: Arc<Mint>, names: Vec<Host>, clients: Option<RootCertStore>) -> Result<Self, TlsProblem> {
        let asks = clients.is_some();
        let verifier = clients.map(|roots| {
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
                .allow_unauthenticated()
                .build()
                .map_err(|why| TlsProblem::Crypto(why.to_string()))
        });
        let mut blank = blank(mint.clock().clone(), verifier.transpose()?)?;
        if asks {
            // INVARIANT: a client certificate is verified on every connection. A ticket would carry it past its end.
            blank.send_tls13_tickets = 0;
        } else {
            blank.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        }
        Ok(Self {
            mint,
            names,
            blank,
            current: Mutex::new(None),
            ends: std::sync::Mutex::default(),
        })
    }

    /// When the certificate ends that it shows. None before the first client, nor once it has ended because no client came: it is made
    /// anew for the next one.
    pub fn shows_until(&self) -> Option<Timestamp> {
        let now = self.mint.clock().now();
        let ends = *self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        ends.filter(|until| now < *until)
    }

    /// Whether the next client could be greeted at all.
    pub fn ready(&self) -> Result<(), MintError> {
        self.mint.may_speak_for(&self.names)
    }

    /// How to greet the next client; asked for each connection, so that the certificate is renewed in time.
    pub async fn config(&self) -> Result<Arc<ServerConfig>, MintError> {
        let mut current = self.current.lock().await;
        let now = self.mint.clock().now();
        if let Some((config, _)) = current.as_ref().filter(|(_, renew)| now < *renew) {
            return Ok(config.clone());
        }
        let (certified, renew) = self.mint.for_names(&self.names).await?;
        let shown = certified.cert.first().and_then(|leaf| Certificate::read(leaf).ok());
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = shown.map(|leaf| leaf.validity.until);
        let mut config = self.blank.clone();
        config.cert_resolver = Arc::new(Only(certified));
        let config = Arc::new(config);
        *current = Some((config.clone(), renew));
        Ok(config)
    }
}

/// The client's own certificate, if it showed one and the door verified it.
pub fn client_certificate(connection: &rustls::ServerConnection) -> Option<&CertificateDer<'static>> {
    connection.peer_certificates()?.first()
}

/// Always the same certificate.
#[derive(Debug)]
struct Only(Arc<CertifiedKey>);

impl ResolvesServerCert for Only {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.clone())
    }
}

/// No certificate: the stencil itself greets nobody.
#[derive(Debug)]
struct Nothing;

impl ResolvesServerCert for Nothing {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// Tickets under one shared key that are good for one host only.
///
/// The library compares the SNI of the ticket with that of the connection, but a client may send none (addresses never
/// do), and then a session with one host could be resumed as another. So the host is part of what is sealed.
#[derive(Debug)]
struct TicketsOf {
    host: Host,
    tickets: Arc<dyn ProducesTickets>,
}

impl ProducesTickets for TicketsOf {
    fn enabled(&self) -> bool {
        self.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.tickets.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        // No host holds a zero byte.
        self.tickets
            .encrypt(&[self.host.as_str().as_bytes(), &[0], plain].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let plain = self.tickets.decrypt(ticket)?;
        let rest = plain.strip_prefix(self.host.as_str().as_bytes())?;
        rest.strip_prefix(&[0]).map(<[u8]>::to_vec)
    }
}
