//! The way out, against real sockets: origins that behave, and origins that do not.
#![expect(clippy::disallowed_methods, reason = "the origins of the tests listen")]

mod again;
mod certificates;
mod exchanges;
mod kept;
mod origin;
mod shared;

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Empty, Full};
use rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::facts::{Blame, FaultCode, Stage};

/// A way out that may reach loopback, where every host of the internet lives at `origin`.
fn way_to(origin: SocketAddr, roots: &[rustls::pki_types::CertificateDer<'static>]) -> Upstream {
    way(origin, roots, |_| {})
}

fn way(
    origin: SocketAddr,
    roots: &[rustls::pki_types::CertificateDer<'static>],
    change: impl FnOnce(&mut Settings),
) -> Upstream {
    let mut settings = Settings {
        allow: vec!["127.0.0.0/8".parse().unwrap()],
        map: [("*".to_owned(), origin.to_string())].into(),
        ..Settings::default()
    };
    change(&mut settings);
    Upstream::new(&settings, tls(roots), &[]).unwrap()
}

fn tls(roots: &[rustls::pki_types::CertificateDer<'static>]) -> Tls {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).unwrap();
    }
    let store = Arc::new(store);
    let offering = |protocols: &[&str]| {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(Arc::clone(&store))
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    };
    Tls {
        h2_and_h1: offering(&["h2", "http/1.1"]),
        h1: offering(&["http/1.1"]),
    }
}

/// Nobody looks how far a body is.
const STILL: fn() -> Sent = Sent::default;

fn permit(to: &str) -> Permit {
    Permit::for_test(Authority::parse(to, None).unwrap(), "ada")
}

fn get(target: &str) -> http::Request<Body> {
    http::Request::get(target)
        .body(Empty::new().map_err(|never| match never {}).boxed())
        .unwrap()
}

fn post(target: &str, body: impl Into<Bytes>) -> http::Request<Body> {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed();
    http::Request::post(target).body(body).unwrap()
}

async fn text(response: http::Response<ResponseBody>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}
