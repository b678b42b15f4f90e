//! Talks to the portal's API the way an employee's tools do: through the proxy, with the proxy's credentials.
#![expect(
    clippy::disallowed_methods,
    reason = "door: a client of the gateway, run by its user"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Full};
use hyper_util::rt::TokioIo;
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stop::Stop;
use crate::facts::Secret;

const PATIENCE: Duration = Duration::from_secs(30);
/// What to ask oneself when nobody answers.
const THERE: &str = "is the gateway running there? `--proxy` or HTTPS_PROXY says where";

/// How to reach the portal.
#[derive(Debug, clap::Args)]
pub struct Way {
    /// The proxy with your credentials: `http://NAME:PASSWORD@HOST:PORT` or `https://…` for the TLS door.
    #[arg(long, env = "HTTPS_PROXY", hide_env_values = true, value_name = "URL")]
    proxy: String,
    /// The root certificate of the gateway, in PEM (`wayleave ca show --pem`).
    #[arg(long, env = "WAYLEAVE_CA", hide_env_values = true, value_name = "FILE")]
    ca: PathBuf,
    /// The portal's reserved name.
    #[arg(long, default_value = "wayleave.internal", value_name = "HOST")]
    portal: String,
}

/// An answer of the API.
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// The document; null where there is none.
    pub json: Value,
}

struct ProxyUrl {
    secure: bool,
    host: String,
    port: u16,
    authorization: Option<Secret>,
}

impl Way {
    /// Asks the API one question.
    pub async fn ask(&self, method: Method, path: &str, question: Option<&Value>) -> Result<Said, Stop> {
        let proxy = ProxyUrl::parse(&self.proxy).map_err(Stop::Misunderstood)?;
        let said = tokio::time::timeout(PATIENCE, self.converse(&proxy, method, path, question)).await;
        Ok(said.map_err(|_| miette!(help = THERE, "the proxy did not answer in time"))??)
    }

    async fn converse(
        &self,
        proxy: &ProxyUrl,
        method: Method,
        path: &str,
        question: Option<&Value>,
    ) -> Result<Said, Report> {
        let tls = self.tls()?;
        let stream = TcpStream::connect((proxy.host.as_str(), proxy.port))
            .await
            .map_err(|why| {
                miette!(
                    help = THERE,
                    "cannot reach the proxy at `{}:{}`: {why}",
                    proxy.host,
                    proxy.port
                )
            })?;
        let tunnel = if proxy.secure {
            let name = server_name(&proxy.host)?;
            let stream = tls
                .connect(name, stream)
                .await
                .map_err(|why| self.unproven(&proxy.host, &why))?;
            self.tunnel(proxy, TokioIo::new(stream)).await?
        } else {
            self.tunnel(proxy, TokioIo::new(stream)).await?
        };
        let stream = tls
            .connect(server_name(&self.portal)?, TokioIo::new(tunnel))
            .await
            .map_err(|why| self.unproven(&self.portal, &why))?;
        self.exchange(TokioIo::new(stream), method, path, question).await
    }

    fn unproven(&self, host: &str, why: &std::io::Error) -> Report {
        miette!(
            help = "name the root of this gateway with `--ca`; there, `wayleave ca show --pem` prints it",
            "`{host}` did not prove itself with the root in `{}`: {why}",
            self.ca.display()
        )
    }

    async fn tunnel<I>(&self, proxy: &ProxyUrl, io: I) -> Result<hyper::upgrade::Upgraded, Report>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.into_diagnostic()?;
        tokio::spawn(connection.with_upgrades());
        let target = format!("{}:443", self.portal);
        let mut request = Request::builder()
            .method(Method::CONNECT)
            .uri(&target)
            .header(header::HOST, &target);
        if let Some(authorization) = &proxy.authorization {
            let mut value = HeaderValue::from_str(authorization.reveal()).into_diagnostic()?;
            value.set_sensitive(true);
            request = request.header(header::PROXY_AUTHORIZATION, value);
        }
        let request = request.body(Empty::<Bytes>::new()).into_diagnostic()?;
        let answer = sender.send_request(request).await.into_diagnostic()?;
        match answer.status() {
            StatusCode::OK => hyper::upgrade::on(answer).await.into_diagnostic(),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(miette!(
                help = "put your name and password into `--proxy http://NAME:PASSWORD@HOST:PORT`",
                "the proxy does not know you"
            )),
            status => Err(miette!("the proxy refused the way to `{}`: {status}", self.portal)),
        }
    }

    async fn exchange<I>(&self, io: I, method: Method, path: &str, question: Option<&Value>) -> Result<Said, Report>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.into_diagnostic()?;
        tokio::spawn(connection);
        let body = question.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, &self.portal)
            .header(header::USER_AGENT, concat!("wayleave/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/json");
        if question.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body))).into_diagnostic()?;
        let answer = sender.send_request(request).await.into_diagnostic()?;
        let status = answer.status();
        let bytes = answer.into_body().collect().await.into_diagnostic()?.to_bytes();
        Ok(Said {
            status,
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        })
    }

    fn tls(&self) -> Result<TlsConnector, Report> {
        let mut roots = rustls::RootCertStore::empty();
        let unreadable = || format!("cannot read the root certificate in `{}`", self.ca.display());
        for certificate in CertificateDer::pem_file_iter(&self.ca)
            .into_diagnostic()
            .wrap_err_with(unreadable)?
        {
            roots
                .add(certificate.into_diagnostic().wrap_err_with(unreadable)?)
                .into_diagnostic()?;
        }
        let mut config = rustls::ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

impl ProxyUrl {
    fn parse(text: &str) -> Result<Self, Report> {
        // The URL itself is not said again: it holds a password.
        let bad = || {
            miette!(
                help = "write `http://NAME:PASSWORD@HOST:PORT`, or `https://…` for the TLS door",
                "the proxy's URL cannot be read"
            )
        };
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let authority = uri.authority().ok_or_else(bad)?.as_str();
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(bad()),
        };
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let authorization = user.map(|user| {
            let decoded = percent_encoding::percent_decode_str(user).collect::<Vec<u8>>();
            Secret::new(format!("Basic {}", BASE64.encode(decoded)))
        });
        let host = uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(if secure { 3129 } else { 3128 });
        Ok(Self {
            secure,
            host,
            port,
            authorization,
        })
    }
}

fn server_name(host: &str) -> Result<ServerName<'static>, Report> {
    ServerName::try_from(host.to_owned())
        .into_diagnostic()
        .wrap_err_with(|| format!("`{host}` is not a host"))
}

/// The words of a problem document (RFC 9457) that the API answered with.
pub fn problem(said: &Said) -> String {
    let word = |key: &str| said.json.get(key).and_then(Value::as_str);
    match (word("title"), word("detail")) {
        (Some(title), Some(detail)) => format!("{title}: {detail}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => format!("the gateway answered {}", said.status),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_the_proxy_url_are_decoded_once() {
        let proxy = ProxyUrl::parse("http://ada%2Brecruiting:p%40ss@127.0.0.1:3128").unwrap();
        let expected = format!("Basic {}", BASE64.encode("ada+recruiting:p@ss"));
        assert_eq!(proxy.authorization.unwrap().reveal(), expected);
        assert_eq!(
            (proxy.host.as_str(), proxy.port, proxy.secure),
            ("127.0.0.1", 3128, false)
        );
    }

    #[test]
    fn a_proxy_url_without_host_is_explained() {
        for wrong in ["/", "", "gate.corp", "gate.corp:3128", "socks5://gate.corp", "http://"] {
            assert!(ProxyUrl::parse(wrong).is_err(), "{wrong}");
        }
    }
}
