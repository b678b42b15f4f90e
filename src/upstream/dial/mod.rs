//! The only `connect()` towards origins: no permit, no packet. Dials exactly the addresses that the guard looked at.
#![expect(clippy::disallowed_methods, reason = "door: dials origins")]

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::faults::Step;
use super::guard::{Guard, Guarded};
use super::resolve::{Resolve, chosen, not_found};
use super::stand_in::StandIns;
use super::{Settings, UpstreamError, faults};
use crate::facts::{Authority, Blame, Fault, FaultCode, Stage, SubjectId};
use crate::policy::Permit;

/// RFC 8305 §8: how long one attempt has the field to itself.
const STAGGER: Duration = Duration::from_millis(250);
/// More addresses than this are not worth trying for one request.
const MOST_ADDRESSES: usize = 8;

/// Where to dial, in the order of trying. INVARIANT: every address passed the guard.
pub(super) struct Targets(Vec<SocketAddr>);

/// Connects to origins.
pub(super) struct Dialer {
    guard: Guard,
    stand_ins: StandIns,
    resolver: Box<dyn Resolve>,
    limits: Settings,
}

impl Dialer {
    pub(super) fn new(settings: &Settings) -> Result<Self, UpstreamError> {
        Ok(Self {
            guard: Guard::new(&settings.allow),
            stand_ins: StandIns::parse(&settings.map)?,
            resolver: chosen(settings)?,
            limits: settings.clone(),
        })
    }

    /// Asks `resolver` instead of the one of the settings.
    #[cfg(test)]
    pub(super) fn asking(self, resolver: Box<dyn Resolve>) -> Self {
        Self { resolver, ..self }
    }

    /// Never dials `doors`.
    pub(super) fn never(&mut self, doors: &[SocketAddr]) {
        self.guard.never(doors);
    }

    /// Finds out where the permit's authority is reached.
    pub(super) async fn find(&self, permit: &Permit) -> Result<Targets, Fault> {
        let until = Instant::now() + Duration::from_secs(self.limits.resolve_timeout_s);
        let targets = self.targets(permit.authority(), permit.holder(), until).await?;
        Ok(Targets(targets))
    }

    /// Finds out where an errand of the house itself leads.
    pub(super) async fn find_for_the_house(&self, to: &Authority) -> Result<Targets, Fault> {
        let until = Instant::now() + Duration::from_secs(self.limits.resolve_timeout_s);
        let targets = self.targets(to, &SubjectId::nobody(), until).await?;
        Ok(Targets(targets))
    }

    /// A TCP connection to `to`, which was found at these addresses.
    pub(super) async fn tcp(&self, to: &Authority, targets: Targets) -> Result<TcpStream, Fault> {
        let seconds = self.limits.connect_timeout_s;
        timeout(
            Duration::from_secs(seconds),
            race(targets.0, |target| self.attempt(to, target)),
        )
        .await
        .map_err(|_| faults::too_late(to, Step::Connecting, seconds))?
    }

    /// A TCP connection to one address at which `to` was reached before.
    pub(super) async fn at(&self, to: &Authority, address: SocketAddr) -> Result<TcpStream, Fault> {
        let target = self.guard.check(address).map_err(|guarded| of_guard(to, &guarded))?;
        self.attempt(to, target).await
    }

    /// A TLS connection to `to`, whose certificate `config` verifies for the host of `to` and no other name.
    pub(super) async fn tls(
        &self,
        to: &Authority,
        targets: Targets,
        config: &Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Fault> {
        let stream = self.tcp(to, targets).await?;
        self.handshake(to, stream, config).await
    }

    /// Speaks TLS on `stream`, asking for the host of `to`; an address is not sent as SNI (RFC 6066 §3).
    pub(super) async fn handshake(
        &self,
        to: &Authority,
        stream: TcpStream,
        config: &Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Fault> {
        let shaken = self.shaken(to, stream, config).await?;
        shaken.map_err(|error| faults::of_handshake(to, &error))
    }

    /// The same; inside is what a server that answers made of it.
    pub(super) async fn shaken(
        &self,
        to: &Authority,
        stream: TcpStream,
        config: &Arc<ClientConfig>,
    ) -> Result<io::Result<TlsStream<TcpStream>>, Fault> {
        let name = ServerName::try_from(to.host.as_str().to_owned()).map_err(|_| {
            let detail = format!("no certificate can be for `{}`", to.host);
            Fault::new(Blame::Client, Stage::Dial, FaultCode::CertificateName, detail)
        })?;
        let seconds = self.limits.tls_timeout_s;
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, stream);
        timeout(Duration::from_secs(seconds), handshake)
            .await
            .map_err(|_| faults::too_late(to, Step::Handshaking, seconds))
    }

    /// The addresses to dial, in the order of trying. INVARIANT: every one of them passed the guard.
    async fn targets(&self, to: &Authority, asker: &SubjectId, until: Instant) -> Result<Vec<SocketAddr>, Fault> {
        let found = match (self.stand_ins.of(to), to.host.as_ip()) {
            (Some(stand_in), _) => vec![stand_in],
            (None, Some(ip)) => vec![SocketAddr::new(ip, to.port)],
            (None, None) => {
                let found = self.resolver.resolve(&to.host, asker, until).await?;
                interleave(&found).map(|ip| SocketAddr::new(ip, to.port)).collect()
            }
        };
        let (mut open, mut refused) = (Vec::new(), None);
        for target in found {
            match self.guard.check(target) {
                Ok(target) if open.contains(&target) => {}
                Ok(target) => open.push(target),
                Err(guarded) => refused = Some(guarded),
            }
        }
        open.truncate(MOST_ADDRESSES);
        match (open.is_empty(), refused) {
            (false, _) => Ok(open),
            (true, Some(guarded)) => Err(of_guard(to, &guarded)),
            (true, None) => Err(not_found(&to.host)),
        }
    }

    async fn attempt(&self, to: &Authority, target: SocketAddr) -> Result<TcpStream, Fault> {
        let limit = Duration::from_secs(self.limits.attempt_timeout_s);
        let connected = timeout(limit, TcpStream::connect(target)).await;
        let stream = connected
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| faults::of_connecting(target, &error))?;
        // not `target`: no address at all leads somewhere, too
        if let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) {
            self.guard.met(local, peer).map_err(|guarded| of_guard(to, &guarded))?;
        }
        // Only latency suffers where this fails.
        drop(stream.set_nodelay(true));
        Ok(stream)
    }
}

fn of_guard(to: &Authority, guarded: &Guarded) -> Fault {
    let detail = match to.host.as_ip() {
        Some(_) => guarded.to_string(),
        None => format!("`{}` resolves to an address that is not reached: {guarded}", to.host),
    };
    Fault::new(Blame::Origin, Stage::Resolve, FaultCode::AddressGuarded, detail)
}

/// RFC 8305 §4: the families take turns, beginning with that of the first address.
fn interleave(found: &[IpAddr]) -> impl Iterator<Item = IpAddr> {
    let preferred = found.first().is_some_and(IpAddr::is_ipv6);
    let (first, second): (Vec<IpAddr>, Vec<IpAddr>) = found.iter().partition(|ip| ip.is_ipv6() == preferred);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut turn = false;
    std::iter::from_fn(move || {
        turn = !turn;
        if turn {
            first.next().or_else(|| second.next())
        } else {
            second.next().or_else(|| first.next())
        }
    })
}

/// RFC 8305 §5: tries the next target when the one before has failed or taken too long; the first to connect wins,
/// the others are dropped. Fails with what the last one said.
async fn race<T, A>(targets: Vec<SocketAddr>, attempt: impl Fn(SocketAddr) -> A) -> Result<T, Fault>
where
    A: Future<Output = Result<T, Fault>>,
{
    let mut waiting = targets.into_iter();
    let mut running = FuturesUnordered::new();
    let mut said = Fault::internal(Stage::Dial, "there was no address to dial");
    loop {
        if let Some(target) = waiting.next() {
            running.push(attempt(target));
        } else if running.is_empty() {
            return Err(said);
        }
        let more = waiting.len() > 0;
        tokio::select! {
            biased;
            Some(done) = running.next() => match done {
                Ok(connected) => return Ok(connected),
                Err(fault) => said = fault,
            },
            () = tokio::time::sleep(STAGGER), if more => {}
        }
    }
}

#[cfg(test)]
mod tests;
