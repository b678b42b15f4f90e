//! A tunnel that passes unread: bytes both ways, and nothing of them is parsed beyond the first handshake message.

use std::pin::pin;
use std::sync::atomic::Ordering;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Proxy;
use super::connect::{Knock, Passage};
use super::intercept::failed;
use super::plan;
use crate::audit::{Closing, Counters};
use crate::facts::{Blame, End, Fault, FaultCode, Host, Observation, Stage};
use crate::ingress::{self, ClientHello, Opening, Rewound};
use crate::upstream::{RelayEnd, Side, Way, relay};

/// Why a flow is cut in which nothing moves.
const IDLE: &str = "nothing was sent for too long";

impl Proxy {
    /// Carries a tunnel to its end, then closes its record.
    pub(super) async fn carry_unread<S>(&self, knock: Knock, passage: Passage, io: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let _alive = self.house.metrics.tunnel();
        let Knock {
            seen, entry, changes, ..
        } = knock;
        let counters = entry.counters();
        let mut must_end = pin!(self.until_it_must_end(seen.clone(), changes));
        let opened = tokio::select! {
            biased;
            why = &mut must_end => Err(End::Cut(why)),
            opened = self.opened(passage, &seen, io, &counters) => opened,
        };
        let end = match opened {
            Ok((io, origin)) => self.relay(io, origin, &counters, must_end).await,
            Err(end) => end,
        };
        entry.close(Closing {
            end,
            status: Some(200),
            decrypted: false,
        });
    }

    /// Both sides of the tunnel once its first bytes have shown that it may stay unread.
    async fn opened<S>(
        &self,
        passage: Passage,
        seen: &Observation,
        io: S,
        down: &Counters,
    ) -> Result<(Rewound<S>, TcpStream), End>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (opening, io) = self.first_words(io, &passage.origin, down).await;
        // INVARIANT: silence is not an opening. Bytes that come after it must be looked at like those before.
        if opening == Opening::Silent {
            return Err(End::Cut(IDLE.to_owned()));
        }
        match self.may_stay_unread(&passage, seen, &opening).await {
            Ok(()) => Ok((io, passage.origin)),
            Err(fault) => Err(failed(&fault)),
        }
    }

    /// Carries bytes both ways until both sides are done, or it `must_end`.
    pub(super) async fn relay<A, B>(
        &self,
        client: A,
        origin: B,
        counters: &Counters,
        must_end: impl Future<Output = String>,
    ) -> End
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

    /// Looks at the client's first bytes. A server that speaks first (SSH, SMTP) is heard meanwhile, or both sides
    /// would wait for each other.
    async fn first_words<S>(&self, io: S, origin: &TcpStream, down: &Counters) -> (Opening, Rewound<S>)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (from_client, mut to_client) = tokio::io::split(io);
        let opening = ingress::open_unread(from_client, &self.house.ingress, self.house.upstream_idle);
        tokio::pin!(opening);
        let mut speaks = true;
        let (opening, rewound) = loop {
            tokio::select! {
                biased;
                opened = &mut opening => break opened,
                ready = origin.readable(), if speaks => {
                    // nothing is read before the branch is taken, so nothing is lost when it is not
                    speaks = ready.is_ok() && greet(origin, &mut to_client, down).await;
                }
            }
        };
        let (first, from_client) = rewound.into_parts();
        (opening, Rewound::new(first, from_client.unsplit(to_client)))
    }

    /// A flow that nobody reads must be what its CONNECT said, and must not be able to carry what rules read or
    /// refuse: an origin whose certificate also covers that would answer for it (RFC 9110 §7.4, RFC 9113 §9.1.1).
    async fn may_stay_unread(&self, passage: &Passage, seen: &Observation, opening: &Opening) -> Result<(), Fault> {
        match opening {
            Opening::Tls(hello) => {
                plan::on_hello(seen.ask.authority(), hello)?;
                self.refuse_shared_certificate(passage, seen, hello).await
            }
            Opening::Http(named) => plan::on_first_request(seen.ask.authority(), named.as_ref()),
            Opening::Other | Opening::Silent | Opening::Ended => Ok(()),
            Opening::Malformed(why) => Err(Fault::new(
                Blame::Client,
                Stage::Intercept,
                FaultCode::ProtocolUnreadable,
                *why,
            )),
        }
    }

    async fn refuse_shared_certificate(
        &self,
        passage: &Passage,
        seen: &Observation,
        hello: &ClientHello,
    ) -> Result<(), Fault> {
        let sends_name = hello.sni.is_some();
        let names = self
            .house
            .upstream
            .names_on_certificate(&passage.permit, sends_name)
            .await?;
        match plan::on_certificate(&passage.rules, &self.house.portal_host, seen, &names) {
            None => Ok(()),
            Some(other) => Err(covers(seen.ask.host(), &other)),
        }
    }
}

/// Passes on what the origin says unasked; false once it has no more to say.
async fn greet<W: AsyncWrite + Unpin>(origin: &TcpStream, to_client: &mut W, counters: &Counters) -> bool {
    let mut words = [0; 2048];
    match origin.try_read(&mut words) {
        Ok(0) => false,
        Ok(said) => {
            counters.down.fetch_add(said as u64, Ordering::Relaxed);
            let said = words.get(..said).unwrap_or_default();
            to_client.write_all(said).await.is_ok() && to_client.flush().await.is_ok()
        }
        Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
    }
}

fn covers(host: &Host, other: &Host) -> Fault {
    Fault::new(
        Blame::House,
        Stage::Intercept,
        FaultCode::CoversManagedPlatform,
        format!("the certificate of `{host}` also covers `{other}`, so the flow may not pass unread"),
    )
}

fn ending(end: RelayEnd<String>) -> End {
    match end {
        RelayEnd::Completed => End::Completed,
        RelayEnd::Idle => End::Cut(IDLE.to_owned()),
        RelayEnd::Cut(reason) => End::Cut(reason),
        RelayEnd::Broken(Side::Client, why) => failed(&Fault::new(
            Blame::Client,
            Stage::Forward,
            FaultCode::ClientGone,
            why.to_string(),
        )),
        RelayEnd::Broken(Side::Origin, why) => failed(&Fault::new(
            Blame::Origin,
            Stage::Forward,
            FaultCode::OriginGone,
            why.to_string(),
        )),
    }
}
