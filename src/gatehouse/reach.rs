//! Whom the authority cannot speak for, though the gateway would have to: the TLS door's names, the portal, and hosts
//! of the catalogue that came after the authority was made. Pure.
//!
//! Found out at the start and with every change of rules: a client only sees a handshake that breaks.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::Catalog;
use crate::facts::Host;
use crate::tls::{Door, Mint};

/// Platforms that are named one by one; more are counted.
const NAMED: usize = 5;

/// What signs, and for whom it must be able to.
pub(super) struct Reach {
    pub(super) mint: Arc<Mint>,
    pub(super) door: Arc<Door>,
    pub(super) portal: Host,
}

impl Reach {
    /// Why nobody can come in by the TLS door, if so.
    pub(super) fn door(&self) -> Option<String> {
        let why = self.door.ready().err()?;
        Some(format!("the TLS door lets nobody in: {why}"))
    }

    /// The portal and the platforms of `catalog` whose pages would break, if there are any.
    pub(super) fn hosts(&self, catalog: &Catalog) -> Vec<String> {
        let issuer = self.mint.issuer();
        let portal = (!issuer.permits(&self.portal)).then(|| broken(&format!("the portal (`{}`)", self.portal)));
        let mut silent: BTreeMap<String, Vec<Host>> = BTreeMap::new();
        for host in catalog.domains().into_iter().filter(|host| !issuer.permits(host)) {
            let platform = catalog.place(&host).platform;
            let named = platform.and_then(|id| Some(catalog.platform(&id)?.name.clone()));
            silent.entry(named.unwrap_or_default()).or_default().push(host);
        }
        let platforms = (!silent.is_empty()).then(|| broken(&listed(&silent)));
        portal.into_iter().chain(platforms).collect()
    }
}

fn broken(whom: &str) -> String {
    format!(
        "the certificate authority may not speak for {whom}: what is read there breaks with a warning of the browser; \
         sign a wider one with `wayleave ca renew`, then restart the gateway"
    )
}

fn listed(silent: &BTreeMap<String, Vec<Host>>) -> String {
    let mut words: Vec<String> = silent
        .iter()
        .take(NAMED)
        .map(|(platform, hosts)| match hosts.as_slice() {
            [] => platform.clone(),
            [host] => format!("{platform} (`{host}`)"),
            [host, rest @ ..] => format!("{platform} (`{host}` and {} more)", rest.len()),
        })
        .collect();
    let left = silent.len().saturating_sub(NAMED);
    if left > 0 {
        words.push(format!("{left} more platforms"));
    }
    words.join(", ")
}
