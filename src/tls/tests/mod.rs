//! Authority, mint and doors together, held against OpenSSL. Needs the program `openssl` (Debian: `apt install openssl`).
#![expect(clippy::disallowed_methods, reason = "tests call openssl and write what it reads")]

mod authority;
mod counterpart;
mod door;
mod import;
mod mint;
mod verify;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::founding::{self, Founding};
use super::*;
use crate::clock::Timestamp;

/// The moment at which most tests happen.
fn noon() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn host(name: &str) -> Host {
    Host::parse(name).unwrap()
}

fn clock() -> Clock {
    Clock::fixed(noon())
}

/// A mint on an authority for any host.
fn mint(clock: &Clock) -> Mint {
    Mint::new(Issuer::temporary(clock).unwrap(), clock.clone(), &Settings::default()).unwrap()
}

/// An authority in `folder` for these names only.
fn constrained(folder: &Path, names: &[&str]) -> Issuer {
    let only: Vec<Host> = names.iter().map(|name| host(name)).collect();
    let wanted = Founding {
        organisation: "Ünit, Test",
        only: Some(&only),
        force: false,
    };
    founding::init(folder, &wanted, noon()).unwrap()
}

/// A client that trusts `root` and offers `alpn`.
fn trusting(root: &Certificate, clock: &Clock, alpn: &[&str]) -> ClientConfig {
    let mut config = ClientConfig::builder_with_details(provider(), Arc::new(ClockTime(clock.clone())))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(root))
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

fn roots(root: &Certificate) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add(root.der.clone()).unwrap();
    roots
}

type Ends = (
    Result<client::TlsStream<DuplexStream>, rustls::Error>,
    Result<server::TlsStream<DuplexStream>, rustls::Error>,
);

/// Both ends of a handshake, and a byte each way so that tickets arrive.
async fn shake(server: Arc<ServerConfig>, client: Arc<ClientConfig>, name: &str) -> Ends {
    let (near, far) = tokio::io::duplex(64 * 1024);
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let (near, far) = tokio::join!(
        async {
            let mut stream = TlsConnector::from(client).connect(name, near).await?;
            stream.write_all(b"?").await?;
            stream.read_exact(&mut [0]).await?;
            Ok(stream)
        },
        async {
            let mut stream = TlsAcceptor::from(server).accept(far).await?;
            stream.read_exact(&mut [0]).await?;
            stream.write_all(b"!").await?;
            Ok(stream)
        }
    );
    (near.map_err(tls_error), far.map_err(tls_error))
}

fn tls_error(error: std::io::Error) -> rustls::Error {
    let said = error.to_string();
    let inner = error
        .into_inner()
        .and_then(|inner| inner.downcast::<rustls::Error>().ok());
    inner.map_or(rustls::Error::General(said), |error| *error)
}

/// The leaf as x509-parser reads it.
fn leaf_of(certified: &rustls::sign::CertifiedKey) -> Certificate {
    Certificate::read(certified.cert.first().unwrap()).unwrap()
}

fn pem_of(chain: &[CertificateDer<'static>]) -> String {
    chain.iter().map(|der| Certificate::read(der).unwrap().pem()).collect()
}

/// Runs openssl in `folder`; what it said, and whether it was content.
fn openssl(folder: &Path, line: &str) -> (bool, String) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(line.split(' '))
        .output()
        .expect("openssl is installed (Debian: apt install openssl)");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// The same, where nothing may go wrong.
fn openssl_does(folder: &Path, line: &str) -> String {
    let (content, said) = openssl(folder, line);
    assert!(content, "openssl {line}: {said}");
    said
}
