//! The inside of a tunnel that may be read: the first bytes decide, TLS is terminated, and requests are served as on
//! any other hop. The origin is not contacted before one of them is permitted.

use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::Proxy;
use super::connect::{ESTABLISHED, Knock};
use super::connection::Served;
use super::longlived::STOPPING;
use super::plan;
use super::stopped::{Ear, Stop};
use crate::audit::{Closing, Lasting};
use crate::facts::{Blame, End, Fault, FaultCode, Stage};
use crate::ingress::{self, ClientHello, Opening, Rewound};

/// Why a flow cannot be read.
const NEITHER: &str = "rules ask to read this flow, and it is neither TLS nor HTTP";

impl Proxy {
    /// Serves the inside of an intercepted tunnel to its end, then closes the tunnel's record.
    pub(super) async fn serve_inside<S>(self: Arc<Self>, mut knock: Knock, io: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        match self.inside(&mut knock, io).await {
            Ok(served) => {
                let (end, decrypted) = self.ended_inside(&served);
                knock.entry.close(Closing {
                    end,
                    status: Some(ESTABLISHED.as_u16()),
                    decrypted,
                });
            }
            Err(stop) => self.end_tunnel(&knock.seen, knock.entry, stop).await,
        }
    }

    async fn inside<S>(self: &Arc<Self>, knock: &mut Knock, io: S) -> Result<Served, Stop<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let opened = self.unless_stopping(ingress::open(io, &self.house.ingress)).await;
        let (opening, io) = opened.ok_or_else(|| Stop::Ended(stopping()))?;
        let fault = match opening {
            Opening::Tls(hello) => return self.serve_tls(knock, &hello, io).await,
            Opening::Http(_) => return Ok(self.read(knock, io, false, false).await),
            Opening::Ended => gone(),
            Opening::Other => return Err(Stop::Refused(plan::unreadable(NEITHER), None)),
            Opening::Malformed(like, why) => {
                return Err(Stop::Refused(plan::unreadable(why), Some((Ear::like(like), io))));
            }
            Opening::Silent => silent(),
        };
        Err(Stop::Ended(End::from(&fault)))
    }

    async fn serve_tls<S>(
        self: &Arc<Self>,
        knock: &mut Knock,
        hello: &ClientHello,
        io: Rewound<S>,
    ) -> Result<Served, Stop<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let promised = knock.seen.ask.authority();
        let config = match plan::on_hello(promised, hello) {
            Ok(()) => self.house.mint.server_config(&promised.host).await.map_err(|problem| {
                let why = problem.to_string();
                Fault::new(Blame::House, Stage::Intercept, FaultCode::MintFailed, why)
            }),
            Err(fault) => Err(fault),
        };
        match config {
            Ok(config) => self.shake_hands(knock, config, io).await,
            Err(fault) => Err(Stop::Refused(fault, Some((Ear::Tls, io)))),
        }
    }

    async fn shake_hands<S>(
        self: &Arc<Self>,
        knock: &mut Knock,
        config: Arc<ServerConfig>,
        io: Rewound<S>,
    ) -> Result<Served, Stop<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let handshake = tokio::time::timeout(self.handshake_timeout(), TlsAcceptor::from(config).accept(io));
        let shaken = self.unless_stopping(handshake).await;
        let stream = match shaken.ok_or_else(|| Stop::Ended(stopping()))? {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let now = self.house.clock.now();
                let learned = self.distrust.learn(knock.program.as_ref(), &error, now).await;
                let ended = || Stop::Ended(client_tls(&error.to_string()));
                return Err(learned.map_or_else(ended, |fault| Stop::Refused(fault, None)));
            }
            Err(_) => return Err(Stop::Ended(client_tls("no TLS handshake in time"))),
        };
        self.distrust.forgive(knock.program.as_ref()).await;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok(self.read(knock, stream, true, h2).await)
    }

    /// Reads the requests of the tunnel.
    async fn read<S>(self: &Arc<Self>, knock: &mut Knock, io: S, secure: bool, h2: bool) -> Served
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        knock.entry.lasts(Lasting::Read);
        self.clone().serve_http(io, knock.inside(secure), h2).await
    }

    /// How the tunnel ended whose inside was served, and whether anything was read. What became of its requests is for
    /// their own records to say.
    fn ended_inside(&self, served: &Served) -> (End, bool) {
        match &served.broke {
            Some(fault) if served.requests == 0 || served.is_head_broken() => (End::from(fault), served.requests > 0),
            None if served.requests == 0 && self.house.tasks.stopping().is_cancelled() => (stopping(), false),
            None if served.requests == 0 => (End::from(&gone()), false),
            Some(_) | None => (End::Completed, true),
        }
    }

    /// Waits for `something`, unless the gateway stops first.
    pub(super) async fn unless_stopping<F: Future>(&self, something: F) -> Option<F::Output> {
        self.house.tasks.stopping().run_until_cancelled(something).await
    }
}

fn stopping() -> End {
    End::Cut(STOPPING.to_owned())
}

fn client_tls(why: &str) -> End {
    End::from(&Fault::new(Blame::Client, Stage::Intercept, FaultCode::ClientTls, why))
}

fn gone() -> Fault {
    let why = "the tunnel was opened and nothing was ever asked";
    Fault::new(Blame::Client, Stage::Intercept, FaultCode::ClientGone, why)
}

fn silent() -> Fault {
    Fault::new(
        Blame::Client,
        Stage::Intercept,
        FaultCode::ClientTimeout,
        "the tunnel was opened and nothing was sent",
    )
}
