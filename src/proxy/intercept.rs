//! The inside of a tunnel that may be read: the first bytes decide, TLS is terminated, and requests are served as on
//! any other hop. The origin is not contacted before one of them is permitted.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;

use super::Proxy;
use super::connect::Knock;
use super::longlived::STOPPING;
use super::plan;
use crate::audit::Closing;
use crate::facts::{Ask, Blame, End, Fault, FaultCode, Stage};
use crate::ingress::{self, ClientHello, Opening, Rewound};

impl Proxy {
    /// Serves the inside of an intercepted tunnel to its end, then closes the tunnel's record.
    pub(super) async fn serve_inside<S>(self: Arc<Self>, knock: Knock, io: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let opened = self.unless_stopping(ingress::open(io, &self.house.ingress)).await;
        let Some((opening, io)) = opened else {
            return knock.entry.close(Closing {
                end: End::Cut(STOPPING.to_owned()),
                status: Some(200),
                decrypted: false,
            });
        };
        let ended = match opening {
            Opening::Tls(hello) => self.serve_tls(&knock, &hello, io).await,
            Opening::Http(_) => self.serve_clear(&knock, io).await,
            Opening::Ended => Err(gone()),
            Opening::Other | Opening::Malformed(_) => Err(Fault::new(
                Blame::Client,
                Stage::Intercept,
                FaultCode::ProtocolUnreadable,
                "rules ask to read this flow, and it is neither TLS nor HTTP",
            )),
            Opening::Silent => Err(silent()),
        };
        match ended {
            Ok(()) => knock.entry.close(Closing {
                end: End::Completed,
                status: Some(200),
                decrypted: true,
            }),
            Err(fault) => knock.entry.close(Closing {
                end: failed(&fault),
                status: Some(200),
                decrypted: false,
            }),
        }
    }

    async fn serve_tls<S>(self: &Arc<Self>, knock: &Knock, hello: &ClientHello, io: Rewound<S>) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ask::Connect(promised) = &knock.seen.ask else {
            return Err(Fault::internal(Stage::Intercept, "a tunnel without CONNECT"));
        };
        plan::on_hello(promised, hello)?;
        let config = self.house.mint.server_config(&promised.host).await.map_err(|problem| {
            Fault::new(
                Blame::House,
                Stage::Intercept,
                FaultCode::MintFailed,
                problem.to_string(),
            )
        })?;
        let client_tls = |why: String| Fault::new(Blame::Client, Stage::Intercept, FaultCode::ClientTls, why);
        let handshake = tokio::time::timeout(self.handshake_timeout(), TlsAcceptor::from(config).accept(io));
        let stream = self
            .unless_stopping(handshake)
            .await
            .ok_or_else(|| client_tls(STOPPING.to_owned()))?
            .map_err(|_| client_tls("no TLS handshake in time".to_owned()))?
            .map_err(|error| client_tls(error.to_string()))?;
        let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let hop = knock
            .inside(true)
            .ok_or_else(|| Fault::internal(Stage::Intercept, "a tunnel without CONNECT"))?;
        self.clone().serve_http(stream, Arc::new(hop), h2).await;
        Ok(())
    }

    /// Waits for `something`, unless the gateway stops first.
    pub(super) async fn unless_stopping<F: Future>(&self, something: F) -> Option<F::Output> {
        self.house.tasks.stopping().run_until_cancelled(something).await
    }

    async fn serve_clear<S>(self: &Arc<Self>, knock: &Knock, io: Rewound<S>) -> Result<(), Fault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let hop = knock
            .inside(false)
            .ok_or_else(|| Fault::internal(Stage::Intercept, "a tunnel without CONNECT"))?;
        self.clone().serve_http(io, Arc::new(hop), false).await;
        Ok(())
    }
}

fn gone() -> Fault {
    let why = "the tunnel was opened and nothing was ever sent";
    Fault::new(Blame::Client, Stage::Intercept, FaultCode::ClientGone, why)
}

pub(super) fn silent() -> Fault {
    Fault::new(
        Blame::Client,
        Stage::Intercept,
        FaultCode::ClientTimeout,
        "the tunnel was opened and nothing was sent",
    )
}

pub(super) fn failed(fault: &Fault) -> End {
    End::Failed {
        blame: fault.blame,
        stage: fault.stage,
        code: fault.code,
    }
}
