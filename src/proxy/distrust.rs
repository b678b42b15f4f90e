//! Programs that do not trust our authority: pinned apps, and tools whose own store of roots lacks ours. Each would go on
//! to open tunnels and break off their handshakes. What was learned is kept for some minutes, and the next CONNECT is told
//! in words that the program may understand. Now and then one is let through all the same, so that a program in which that
//! was mended is not told so for long. A person whose browser warns of the certificate breaks off once or twice, and may
//! know what to do: that alone closes nothing.

use std::net::IpAddr;
use std::time::Duration;

use http::HeaderMap;
use http::header::USER_AGENT;
use rustls::{AlertDescription, Error};

use super::visitor::Hop;
use crate::clock::Timestamp;
use crate::facts::{Blame, Fault, FaultCode, Host, Observation, Stage, SubjectId};

/// How many programs are remembered, each for one host.
const REMEMBERED: u64 = 10_000;
/// After so many handshakes that it broke off, none between them having succeeded, a program is taken for one that will go
/// on so.
const ENOUGH: u8 = 3;
/// How often it may try whether that is still so.
pub(super) const TRIES_EVERY: Duration = Duration::from_secs(30);
/// How much of what a program calls itself counts.
const LONGEST_NAME: usize = 200;

/// Who distrusted us, and as which host: one program of one person, so that an app that is pinned does not close the site to
/// the browser beside it. One that does not say what it is called could be any, so nothing is held against it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Program {
    client: IpAddr,
    person: Option<SubjectId>,
    name: Box<[u8]>,
    host: Host,
}

impl Program {
    /// The program that sent the head of a CONNECT, if it says what it is called.
    pub(super) fn of(hop: &Hop, head: &HeaderMap, seen: &Observation) -> Option<Self> {
        let name = head.get(USER_AGENT)?.as_bytes();
        (!name.is_empty()).then(|| Self {
            client: hop.arrival.client.ip(),
            person: seen.subject.as_ref().map(|subject| subject.id.clone()),
            name: name.get(..LONGEST_NAME).unwrap_or(name).into(),
            host: seen.ask.host().clone(),
        })
    }
}

/// How often a program broke off, and when it may have tried last.
#[derive(Clone, Copy)]
struct Broken {
    times: u8,
    tried: Timestamp,
}

/// The programs that distrusted us lately.
pub(super) struct Distrust(moka::future::Cache<Program, Broken>);

impl Distrust {
    /// Remembers each for so long; of nothing, none.
    pub(super) fn new(lasts: Duration) -> Self {
        let most = if lasts.is_zero() { 0 } else { REMEMBERED };
        Self(
            moka::future::Cache::builder()
                .max_capacity(most)
                .time_to_live(lasts)
                .build(),
        )
    }

    /// Why a tunnel is refused before it is open; none where nothing is known against its program, and where it is time
    /// that it tries again.
    pub(super) async fn known(&self, program: Option<&Program>, now: Timestamp) -> Option<Fault> {
        let broken = self.0.get(program?).await?;
        if broken.times < ENOUGH {
            return None;
        }
        if now.since(broken.tried) < TRIES_EVERY {
            return Some(fault("it broke off its last handshakes for this host"));
        }
        let tries = Broken { tried: now, ..broken };
        self.0.insert(program?.clone(), tries).await;
        None
    }

    /// Forgets what was held against a program: it shook hands.
    pub(super) async fn forgive(&self, program: Option<&Program>) {
        if let Some(program) = program
            && self.0.contains_key(program)
        {
            self.0.invalidate(program).await;
        }
    }

    /// What a handshake with us came to, if it failed because the client does not trust the certificate.
    pub(super) async fn learn(
        &self,
        program: Option<&Program>,
        failed: &std::io::Error,
        now: Timestamp,
    ) -> Option<Fault> {
        let alert = distrusting(failed)?;
        if let Some(program) = program {
            let before = self.0.get(program).await.map_or(0, |broken| broken.times);
            let broken = Broken {
                times: before.saturating_add(1),
                tried: now,
            };
            self.0.insert(program.clone(), broken).await;
        }
        Some(fault(&format!("it answered the certificate with the alert {alert:?}")))
    }
}

fn fault(why: &str) -> Fault {
    Fault::new(Blame::Client, Stage::Intercept, FaultCode::ClientDistrusts, why)
}

/// The alert with which a client refuses a certificate (RFC 8446 §6.2).
fn distrusting(failed: &std::io::Error) -> Option<AlertDescription> {
    let Some(Error::AlertReceived(alert)) = failed.get_ref()?.downcast_ref::<Error>() else {
        return None;
    };
    let refused = [
        AlertDescription::BadCertificate,
        AlertDescription::UnsupportedCertificate,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
    ];
    refused.contains(alert).then_some(*alert)
}
