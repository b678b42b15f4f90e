//! A tunnel that passes unread: bytes both ways, and nothing of them is parsed beyond the first handshake message.

use std::io;
use std::pin::pin;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::future::maybe_done;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::Proxy;
use super::connect::{Knock, Passage};
use super::greeting::Greeting;
use super::longlived::Covers;
use super::plan;
use super::stopped::{Ear, Stop};
use crate::audit::{Counters, Lasting};
use crate::facts::{Blame, End, Fault, FaultCode, Host, Observation, Stage};
use crate::ingress::{self, AnotherName, Opening, Rewound, SameName};
use crate::upstream::{RelayEnd, Side, Way, relay};

/// Why a flow is cut in which nothing moves.
const IDLE: &str = "nothing was sent for too long";
/// Where servers speak TLS from the first byte on.
const HTTPS: u16 = 443;

impl Proxy {
    /// Carries a tunnel to its end, then closes its record.
    pub(super) async fn carry_unread<S>(&self, knock: Knock, passage: Passage, io: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let _alive = self.house.metrics.tunnel();
        let Knock {
            seen,
            mut entry,
            visitor,
            stream: _stream,
            ..
        } = knock;
        entry.lasts(Lasting::Tunnel);
        let counters = entry.counters();
        let covers = Covers::default();
        self.uses(&passage.permit);
        let mut must_end = pin!(self.until_it_must_end(seen.clone(), &visitor.sign_in, (&covers, &counters)));
        let opened = tokio::select! {
            biased;
            why = &mut must_end => Err(Stop::Ended(End::Cut(why))),
            opened = self.opened(passage, &seen, io, (&counters, &covers)) => opened,
        };
        let ended = match opened {
            Ok((io, origin)) => match self.relay(io, origin, &counters, must_end).await {
                Ok(end) => Stop::Ended(end),
                // a second hello for another host: by now the origin has answered, and nothing more can be said
                Err(fault) if fault.code == FaultCode::SniMismatch => Stop::Refused(fault, None),
                Err(fault) => Stop::Ended(End::from(&fault)),
            },
            Err(stop) => stop,
        };
        self.end_tunnel(&seen, entry, ended).await;
    }

    /// Both sides of the tunnel once its first bytes have shown that it may stay unread.
    async fn opened<S>(
        &self,
        passage: Passage,
        seen: &Observation,
        io: S,
        (down, covers): (&Counters, &Covers),
    ) -> Result<(SameName<Rewound<S>>, Rewound<TcpStream>), Stop<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let address = passage.origin.peer_addr();
        let at = address.map_err(|error| Stop::Ended(End::from(&broken(Side::Origin, &error))))?;
        let upstream = &self.house.upstream;
        // boxed: it is gone when the relay begins, which should not carry its size for hours
        let mut early = Box::pin(maybe_done(upstream.names_on_certificate(&passage.permit, at, true)));
        let words = self.first_words(io, &passage.origin, down);
        // what is likely to speak TLS is asked for its certificate while the client still thinks of its hello
        let heard = if passage.permit.authority().port == HTTPS {
            meanwhile(early.as_mut(), words).await
        } else {
            words.await
        };
        // INVARIANT: silence is not an opening. Bytes that come after it must be looked at like those before.
        let FirstWords { opening, client, said } = heard.map_err(Stop::Ended)?;
        let may_stay = async {
            let Some(hello) = plan::on_opening(seen.ask.authority(), &opening)? else {
                return Ok(());
            };
            let names = if hello.sni.is_some() {
                early.as_mut().await;
                early.as_mut().take_output()
            } else {
                Some(upstream.names_on_certificate(&passage.permit, at, false).await)
            };
            let twice = || Err(Fault::internal(Stage::Dial, "a certificate was asked for twice"));
            let names = names.unwrap_or_else(twice)?;
            // by the rules of this moment: a client may have waited long with its hello
            let in_force = self.house.live.load();
            let seen = self.renewed(&in_force, seen);
            match plan::on_certificate(&in_force.rulebook, &self.house.portal_host, &seen, &names) {
                None => {
                    covers.get_or_init(|| names);
                    Ok(())
                }
                Some(other) => Err(covers_managed(seen.ask.host(), &other)),
            }
        };
        match may_stay.await {
            Ok(()) => {
                let client = match opening {
                    Opening::Tls(hello) => SameName::after_hello(client, hello.sni),
                    Opening::Http(_) | Opening::Other | Opening::Malformed(..) | Opening::Silent | Opening::Ended => {
                        SameName::unchecked(client)
                    }
                };
                Ok((client, Rewound::new(said, passage.origin)))
            }
            Err(fault) => {
                // what the origin has said already is not to be mixed with words of ours
                let untold = down.down.load(Ordering::Relaxed) == 0;
                let ear = Ear::of(&opening).filter(|_| untold).map(|ear| (ear, client));
                Err(Stop::Refused(fault, ear))
            }
        }
    }

    /// Carries bytes both ways until both sides are done, or it `must_end`.
    pub(super) async fn relay<A, B>(
        &self,
        client: A,
        origin: B,
        counters: &Counters,
        must_end: impl Future<Output = String>,
    ) -> Result<End, Fault>
    where
        A: AsyncRead + AsyncWrite + Unpin,
        B: AsyncRead + AsyncWrite + Unpin,
    {
        let count = |way, bytes| {
            let counter = match way {
                Way::Up => &counters.up,
                Way::Down => &counters.down,
            };
            counter.fetch_add(bytes, Ordering::Relaxed);
        };
        let idle = self.house.upstream_idle;
        ending(relay(client, origin, count, must_end, idle).await)
    }

    /// Looks at the client's first bytes, unless nothing moves for too long or a side breaks. A server that speaks first
    /// (SSH, SMTP), or hangs up, is heard meanwhile, or both sides would wait for each other.
    async fn first_words<S>(&self, io: S, origin: &TcpStream, down: &Counters) -> Result<FirstWords<S>, End>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (from_client, mut to_client) = tokio::io::split(io);
        let mut opening = pin!(ingress::open_unread(from_client, &self.house.ingress));
        let mut greeting = Greeting::default();
        let mut idle = pin!(tokio::time::sleep(self.house.upstream_idle));
        let (opening, rewound) = loop {
            tokio::select! {
                biased;
                opened = &mut opening => break opened,
                moved = greeting.step(origin, &mut to_client, down), if greeting.goes_on() => {
                    moved.map_err(|(side, error)| End::from(&broken(side, &error)))?;
                    idle.set(tokio::time::sleep(self.house.upstream_idle));
                }
                () = &mut idle => return Err(End::Cut(IDLE.to_owned())),
            }
        };
        let (first, from_client) = rewound.into_parts();
        let client = Rewound::new(first, from_client.unsplit(to_client));
        Ok(FirstWords {
            opening,
            client: if greeting.goes_on() { client } else { client.shut() },
            said: greeting.rest(),
        })
    }
}

/// How a tunnel begins.
struct FirstWords<S> {
    opening: Opening,
    client: Rewound<S>,
    /// What the origin said that the client has not been told yet.
    said: Bytes,
}

/// Waits for `main`, and lets `early` go on meanwhile.
async fn meanwhile<T>(mut early: impl Future<Output = ()> + Unpin, main: impl Future<Output = T>) -> T {
    let mut main = pin!(main);
    tokio::select! {
        biased;
        done = &mut main => done,
        () = &mut early => main.await,
    }
}

fn covers_managed(host: &Host, other: &Host) -> Fault {
    Fault::new(
        Blame::House,
        Stage::Intercept,
        FaultCode::CoversManagedPlatform,
        format!("the certificate of `{host}` also covers `{other}`, so the flow may not pass unread"),
    )
}

fn ending(end: RelayEnd<String>) -> Result<End, Fault> {
    match end {
        RelayEnd::Completed => Ok(End::Completed),
        RelayEnd::Idle => Ok(End::Cut(IDLE.to_owned())),
        RelayEnd::Cut(reason) => Ok(End::Cut(reason)),
        RelayEnd::Broken(side, why) => Err(broken(side, &why)),
    }
}

fn broken(side: Side, why: &io::Error) -> Fault {
    let another = why.get_ref().and_then(|inner| inner.downcast_ref::<AnotherName>());
    if another.is_some() {
        return Fault::new(Blame::Client, Stage::Intercept, FaultCode::SniMismatch, why.to_string());
    }
    let (blame, code) = match side {
        Side::Client => (Blame::Client, FaultCode::ClientGone),
        Side::Origin => (Blame::Origin, FaultCode::OriginGone),
    };
    Fault::new(blame, Stage::Forward, code, why.to_string())
}
