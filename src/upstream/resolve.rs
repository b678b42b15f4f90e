//! Turns names into addresses. What comes out is not believed: the guard looks at every address.
#![expect(clippy::disallowed_methods, reason = "door: resolves names")]

use std::io;
use std::net::IpAddr;
use std::pin::Pin;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;

use super::{Resolver, UpstreamError};
use crate::facts::{Blame, Fault, FaultCode, Host, Stage};

/// An answer that is being waited for.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Fault>> + Send + 'a>>;

/// A way to turn names into addresses, in the order in which they should be tried.
pub(super) trait Resolve: Send + Sync {
    /// The addresses of `host`.
    fn resolve<'a>(&'a self, host: &'a Host) -> Answer<'a>;
}

/// The way that the settings choose.
pub(super) fn chosen(settings: &super::Settings) -> Result<Box<dyn Resolve>, UpstreamError> {
    match (settings.resolver, settings.name_servers.as_slice()) {
        (choice, []) => resolver(choice),
        (Resolver::Hickory, servers) => asking(servers),
        (Resolver::System, _) => Err(UpstreamError::NameServers),
    }
}

/// Asks these name servers, and no others.
fn asking(servers: &[std::net::SocketAddr]) -> Result<Box<dyn Resolve>, UpstreamError> {
    use hickory_resolver::config::{NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;

    let server = |at: &std::net::SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(at.ip());
        server.connections.iter_mut().for_each(|way| way.port = at.port());
        server
    };
    let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .map(|resolver| Box::new(Hickory(resolver)) as Box<dyn Resolve>)
        .map_err(|cause| UpstreamError::Resolver(cause.to_string()))
}

fn resolver(choice: Resolver) -> Result<Box<dyn Resolve>, UpstreamError> {
    match choice {
        Resolver::System => Ok(Box::new(System)),
        Resolver::Hickory => TokioResolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map(|resolver| Box::new(Hickory(resolver)) as Box<dyn Resolve>)
            .map_err(|cause| UpstreamError::Resolver(cause.to_string())),
    }
}

/// `getaddrinfo` on a thread of its own.
struct System;

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a Host) -> Answer<'a> {
        Box::pin(async move {
            match tokio::net::lookup_host((host.as_str(), 0)).await {
                Ok(found) => Ok(found.map(|address| address.ip()).collect()),
                Err(cause) if is_unknown(&cause) => Err(not_found(host)),
                Err(cause) => Err(failed(host, &cause)),
            }
        })
    }
}

/// The standard library does not tell `EAI_NONAME` and `EAI_NODATA` apart from other failures but in words.
fn is_unknown(error: &io::Error) -> bool {
    let words = error.to_string();
    [
        "Name or service not known",
        "No address associated with hostname",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| words.contains(known))
}

/// Our own client, with a cache.
struct Hickory(TokioResolver);

impl Resolve for Hickory {
    fn resolve<'a>(&'a self, host: &'a Host) -> Answer<'a> {
        Box::pin(async move {
            // The final dot keeps search domains out: `www.x.com` is never `www.x.com.corp.example`.
            match self.0.lookup_ip(format!("{host}.")).await {
                Ok(found) => Ok(found.iter().collect()),
                Err(cause) if is_absent(&cause) => Err(not_found(host)),
                Err(cause) => Err(failed(host, &cause)),
            }
        })
    }
}

fn is_absent(error: &NetError) -> bool {
    error.is_nx_domain() || error.is_no_records_found()
}

/// The name has no address.
pub(super) fn not_found(host: &Host) -> Fault {
    let detail = format!("`{host}` has no address");
    Fault::new(Blame::Origin, Stage::Resolve, FaultCode::NameNotFound, detail)
}

fn failed(host: &Host, cause: &dyn std::error::Error) -> Fault {
    let detail = format!("`{host}` could not be resolved: {cause}");
    Fault::new(Blame::House, Stage::Resolve, FaultCode::ResolveFailed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_system_knows_itself() {
        let found = System.resolve(&Host::parse("localhost").unwrap()).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[test]
    fn a_name_that_nobody_has_is_told_from_a_server_that_does_not_answer() {
        let said = |words: &str| {
            is_unknown(&io::Error::other(format!(
                "failed to lookup address information: {words}"
            )))
        };
        assert!(said("Name or service not known"));
        assert!(said("No address associated with hostname"));
        assert!(!said("Temporary failure in name resolution"));
    }
}
