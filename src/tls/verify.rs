//! How origins are verified, and which client certificates are believed.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};

use super::files;
use super::problem::TlsProblem;
use super::{ClockTime, Settings, provider};
use crate::clock::Clock;

/// How to greet origins. One configuration each for the life of the process, since sessions resume within one.
#[derive(Clone, Debug)]
pub struct OriginTls {
    /// Offers `h2`, then `http/1.1`.
    pub h2_and_h1: Arc<ClientConfig>,
    /// Offers `http/1.1` only: for upgrades.
    pub h1: Arc<ClientConfig>,
    /// Offers nothing: for the database that may hold the ledger.
    pub database: ClientConfig,
}

/// Sessions that are remembered; the library keeps up to eight for each origin.
const SESSIONS: usize = 8 * 512;

/// Reads the roots and makes the configurations that verify origins against them.
pub fn origin(settings: &Settings, clock: &Clock) -> Result<OriginTls, TlsProblem> {
    let mut roots = RootCertStore::empty();
    if settings.use_system_roots {
        add_system_roots(&mut roots);
    }
    for path in &settings.extra_roots {
        add_file(&mut roots, path)?;
    }
    if roots.is_empty() {
        return Err(TlsProblem::NoRoots);
    }
    let mut h1 = ClientConfig::builder_with_details(provider(), Arc::new(ClockTime(clock.clone())))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let (mut h2_and_h1, database) = (h1.clone(), h1.clone());
    h1.alpn_protocols = vec![b"http/1.1".to_vec()];
    h1.resumption = Resumption::in_memory_sessions(SESSIONS);
    h2_and_h1.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    h2_and_h1.resumption = Resumption::in_memory_sessions(SESSIONS);
    Ok(OriginTls {
        h2_and_h1: Arc::new(h2_and_h1),
        h1: Arc::new(h1),
        database,
    })
}

/// The authorities whose client certificates the TLS port believes; `None` if it shall not ask or there are none.
pub fn client_roots(settings: &Settings) -> Result<Option<RootCertStore>, TlsProblem> {
    if !settings.client_certificates {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    let own = settings.folder.join(files::CLIENTS);
    if files::exists(&own) {
        add_file(&mut roots, &own)?;
    }
    for path in &settings.client_roots {
        add_file(&mut roots, path)?;
    }
    Ok((!roots.is_empty()).then_some(roots))
}

/// The operating system's store holds what it holds: what cannot be read of it is said and left out.
fn add_system_roots(roots: &mut RootCertStore) {
    let found = rustls_native_certs::load_native_certs();
    for problem in &found.errors {
        tracing::warn!(%problem, "some of the system's root certificates cannot be read (see SSL_CERT_FILE, SSL_CERT_DIR)");
    }
    let (_, unusable) = roots.add_parsable_certificates(found.certs);
    if unusable > 0 {
        tracing::debug!(unusable, "some of the system's root certificates are not usable");
    }
}

/// A file that somebody named must be right, all of it.
fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsProblem> {
    for certificate in files::certificates(path)? {
        roots.add(certificate.der).map_err(|why| TlsProblem::BadCertificate {
            path: path.to_owned(),
            why: why.to_string(),
        })?;
    }
    Ok(())
}
