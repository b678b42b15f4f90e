//! Talks to the portal's API the way an employee's tools do: through the proxy, with the proxy's credentials.
#![expect(
    clippy::disallowed_methods,
    reason = "door: a client of the gateway, run by its user"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Collected, Empty, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use miette::{IntoDiagnostic, Report, WrapErr, miette};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::stop::Stop;
use super::way::{Proxy, Way};
use crate::clock::Clock;
use crate::facts::Secret;

const PATIENCE: Duration = Duration::from_secs(30);
/// What ends or lists what everybody holds may have to wait for others who do, and to write a record of each.
const LONG: Duration = Duration::from_mins(10);
/// In bytes: of what somebody says who has not proved that they are the gateway, no more is read.
const LONGEST_REFUSAL: usize = 64 * 1024;
/// Where the API revokes.
pub const REVOCATIONS: &str = "/v1/revocations";
/// What to ask oneself when nobody answers.
const THERE: &str = "is the gateway running there? `--proxy` or HTTPS_PROXY says where";

/// An answer of the API.
pub struct Said {
    /// The status.
    pub status: StatusCode,
    /// The document; null where there is none.
    pub json: Value,
}

/// A question to the API.
struct Question<'a> {
    method: Method,
    path: &'a str,
    body: Option<&'a Value>,
    /// What is shown to the portal itself: an answer to a request takes more than what the way there proves.
    proof: Option<&'a Secret>,
    /// What the portal is to know the call by, so that it can be sent again: it is done once.
    key: String,
}

/// What went wrong on the way.
enum Trouble {
    /// Before anything was asked.
    Before(Report),
    /// Afterwards: whether it was done is not known.
    Unanswered(Report),
}

impl Trouble {
    fn told(self) -> Report {
        match self {
            Self::Before(why) | Self::Unanswered(why) => why,
        }
    }
}

impl From<Report> for Trouble {
    fn from(report: Report) -> Self {
        Self::Before(report)
    }
}

impl Question<'_> {
    /// Whether it does no harm to ask it twice.
    fn can_be_repeated(&self) -> bool {
        let is_keyed =
            matches!(self.path, "/v1/grants" | "/v1/break-glass" | REVOCATIONS) || self.path.ends_with("/renew");
        self.method == Method::GET || (self.method == Method::POST && is_keyed)
    }
}

impl Way {
    /// Asks the API one question.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Said, Stop> {
        let question = Question {
            method,
            path,
            body,
            proof: None,
            key: key(),
        };
        self.put(&self.proxy()?, &question).await
    }

    /// Asks for a list of `what`, to its last page; or hears why not.
    pub async fn list(&self, path: &str, what: &str) -> Result<Said, Stop> {
        let mut all: Vec<Value> = Vec::new();
        let mut next = path.to_owned();
        loop {
            let mut said = self.ask(Method::GET, &next, None).await?;
            if !said.status.is_success() {
                return Ok(said);
            }
            let items = said.json.get_mut(what).map(Value::take);
            all.extend(items.as_ref().and_then(Value::as_array).into_iter().flatten().cloned());
            let Some(after) = said.json.get("next").and_then(Value::as_str) else {
                said.json = json!({ what: all });
                return Ok(said);
            };
            let mut query = form_urlencoded::Serializer::new(String::new());
            query.append_pair("after", after);
            let mark = if path.contains('?') { '&' } else { '?' };
            next = format!("{path}{mark}{}", query.finish());
        }
    }

    /// Sends the API what takes one's password with the call itself: the same that the proxy gets; or, where a certificate
    /// brings one there, that of the person to whom it belongs.
    pub async fn post_proven(&self, path: &str, body: &Value) -> Result<Said, Stop> {
        let proxy = self.proxy()?;
        let question = Question {
            method: Method::POST,
            path,
            body: Some(body),
            proof: proxy.authorization.as_ref(),
            key: key(),
        };
        let said = self.put(&proxy, &question).await?;
        let user = said.json.get("user").and_then(Value::as_str);
        match user.filter(|_| said.status == StatusCode::UNAUTHORIZED && question.proof.is_none()) {
            None => Ok(said),
            Some(user) => {
                let proof = self.proof(user)?;
                let proof = Some(&proof);
                self.put(&proxy, &Question { proof, ..question }).await
            }
        }
    }

    async fn put(&self, proxy: &Proxy, question: &Question<'_>) -> Result<Said, Stop> {
        let patience = if question.path == REVOCATIONS { LONG } else { PATIENCE };
        let said = tokio::time::timeout(patience, self.converse_on(proxy, question)).await;
        Ok(said.map_err(|_| miette!(help = THERE, "the proxy did not answer in time"))??)
    }

    /// Asks once more where the connection was lost before the answer, and that does no harm.
    async fn converse_on(&self, proxy: &Proxy, question: &Question<'_>) -> Result<Said, Report> {
        match self.converse(proxy, question).await {
            Err(Trouble::Unanswered(_)) if question.can_be_repeated() => {
                let again = self.converse(proxy, question).await;
                again.map_err(Trouble::told)
            }
            said => said.map_err(Trouble::told),
        }
    }

    async fn converse(&self, proxy: &Proxy, question: &Question<'_>) -> Result<Said, Trouble> {
        let (door, counter) = (self.tls(true)?, self.tls(false)?);
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
            let connected = door.connect(name, stream).await;
            let stream = connected.map_err(|why| self.no_door(proxy, &why))?;
            self.tunnel(proxy, TokioIo::new(stream)).await?
        } else {
            self.tunnel(proxy, TokioIo::new(stream)).await?
        };
        let stream = counter
            .connect(server_name(self.portal.as_str())?, TokioIo::new(tunnel))
            .await
            .map_err(|why| self.unproven(self.portal.as_str(), &why))?;
        self.exchange(TokioIo::new(stream), question)
            .await
            .map_err(Trouble::Unanswered)
    }

    fn unproven(&self, host: &str, why: &std::io::Error) -> Report {
        miette!(
            help = "name the root of this gateway with `--ca`; there, `wayleave ca show --pem` prints it",
            "`{host}` did not prove itself with the root in `{}`: {why}",
            self.ca.display()
        )
    }

    /// A TLS door that did not open: either it is none, or it is another gateway's.
    fn no_door(&self, proxy: &Proxy, why: &std::io::Error) -> Report {
        let inner = why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        match inner {
            Some(rustls::Error::InvalidCertificate(_)) => self.unproven(&proxy.host, why),
            Some(rustls::Error::AlertReceived(alert)) => miette!(
                help = "show another one with `--cert` and `--key`, made by `wayleave ca client` of this gateway",
                "the proxy at `{}:{}` refused the client certificate: {alert:?}",
                proxy.host,
                proxy.port
            ),
            Some(_) | None => miette!(
                help = "write `http://…` for the plain door (3128 by default), or name the port of the TLS door (3129)",
                "`{}:{}` does not speak TLS",
                proxy.host,
                proxy.port
            ),
        }
    }

    /// Something that does not speak HTTP as a proxy does where no TLS was wanted.
    fn no_proxy(proxy: &Proxy, what: impl std::fmt::Display) -> Report {
        let help = if proxy.secure {
            "name the port of the TLS door, 3129 by default"
        } else {
            "name the port of the plain door, 3128 by default; for the TLS door (3129) write `https://…`"
        };
        miette!(
            help = help,
            "`{}:{}` does not answer as a proxy: {what}",
            proxy.host,
            proxy.port
        )
    }

    async fn tunnel<I>(&self, proxy: &Proxy, io: I) -> Result<hyper::upgrade::Upgraded, Report>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.into_diagnostic()?;
        tokio::spawn(connection.with_upgrades());
        let target = format!("{}:443", self.portal);
        let mut request = Request::builder()
            .method(Method::CONNECT)
            .uri(&target)
            .header(header::HOST, &target)
            .header(header::ACCEPT, "application/json")
            // what a terminal shows is English
            .header(header::ACCEPT_LANGUAGE, "en");
        if let Some(authorization) = &proxy.authorization {
            request = request.header(header::PROXY_AUTHORIZATION, sensitive(authorization)?);
        }
        let request = request.body(Empty::<Bytes>::new()).into_diagnostic()?;
        let answer = sender.send_request(request).await;
        let answer = answer.map_err(|why| {
            if why.is_parse() {
                Self::no_proxy(proxy, "it speaks something else than HTTP")
            } else {
                Self::no_proxy(proxy, why)
            }
        })?;
        match answer.status() {
            StatusCode::OK => hyper::upgrade::on(answer).await.into_diagnostic(),
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => Err(miette!(
                help = "name yourself with `--user` or in the proxy's URL; the password comes from WAYLEAVE_PASSWORD, from \
                        `--password-file`, or is asked for",
                "the proxy does not know you"
            )),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => {
                Err(Self::no_proxy(proxy, format_args!("{} to CONNECT", answer.status())))
            }
            _ => Err(self.no_way(answer).await),
        }
    }

    /// Why the proxy refused the way to the portal, as far as it says so.
    async fn no_way(&self, answer: Response<Incoming>) -> Report {
        let status = answer.status();
        let again = answer.headers().get(header::RETRY_AFTER);
        let again = again.and_then(|seconds| seconds.to_str().ok()?.parse::<u64>().ok());
        // an answer that ends early says no more than its status
        let said = Limited::new(answer.into_body(), LONGEST_REFUSAL).collect().await;
        let json = serde_json::from_slice(&said.map(Collected::to_bytes).unwrap_or_default()).unwrap_or_default();
        // nobody has proved yet that they are the gateway: what they say does nothing to a terminal
        let why = problem(&Said { status, json }).replace(char::is_control, "\u{fffd}");
        let why = format!("the proxy refused the way to `{}` ({status}): {why}", self.portal);
        match again {
            Some(seconds) => miette!(help = format!("try again in {seconds} seconds"), "{why}"),
            None => miette!("{why}"),
        }
    }

    async fn exchange<I>(&self, io: I, question: &Question<'_>) -> Result<Said, Report>
    where
        I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.into_diagnostic()?;
        tokio::spawn(connection);
        let body = question.body.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(question.method.clone())
            .uri(question.path)
            .header(header::HOST, self.portal.as_str())
            .header(header::USER_AGENT, concat!("wayleave/", env!("CARGO_PKG_VERSION")))
            .header(header::ACCEPT, "application/json")
            // what a terminal shows is English, also where it repeats what the portal says
            .header(header::ACCEPT_LANGUAGE, "en");
        if question.method == Method::POST {
            request = request.header("Idempotency-Key", format!("\"{}\"", question.key));
        }
        if question.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        if let Some(proof) = question.proof {
            request = request.header(header::AUTHORIZATION, sensitive(proof)?);
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

    /// How to verify the gateway; the `door` is also shown who we are, if there is a certificate for that.
    fn tls(&self, door: bool) -> Result<TlsConnector, Report> {
        let mut roots = rustls::RootCertStore::empty();
        let unreadable = || format!("cannot read the root certificate in `{}`", self.ca.display());
        for certificate in CertificateDer::pem_file_iter(&self.ca)
            .map_err(unsaid)
            .wrap_err_with(unreadable)?
        {
            roots
                .add(certificate.map_err(unsaid).wrap_err_with(unreadable)?)
                .into_diagnostic()?;
        }
        if roots.is_empty() {
            let help = "name the root of this gateway: there, `wayleave ca show --pem` prints it";
            return Err(miette!(
                help = help,
                "there is no certificate in `{}`",
                self.ca.display()
            ));
        }
        let builder = rustls::ClientConfig::builder().with_root_certificates(roots);
        let mut config = match (&self.cert, &self.key) {
            (Some(certificate), Some(key)) if door => {
                let unreadable = |file: &std::path::Path| format!("cannot read `{}`", file.display());
                let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
                let chain: Vec<_> = chain.map_err(unsaid).wrap_err_with(|| unreadable(certificate))?;
                let key = PrivateKeyDer::from_pem_file(key)
                    .map_err(unsaid)
                    .wrap_err_with(|| unreadable(key))?;
                builder.with_client_auth_cert(chain, key).into_diagnostic()?
            }
            _ => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// A name that no other call has.
fn key() -> String {
    Clock::system().now().fresh_name()
}

fn sensitive(credentials: &Secret) -> Result<HeaderValue, Report> {
    let mut value = HeaderValue::from_str(credentials.reveal()).into_diagnostic()?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why a PEM file cannot be used, in words of ours.
fn unsaid(why: rustls::pki_types::pem::Error) -> Report {
    use rustls::pki_types::pem::Error;
    if let Error::Io(why) = why {
        miette!("{why}")
    } else if matches!(why, Error::NoItemsFound) {
        miette!("it holds nothing in PEM")
    } else {
        miette!("{why}")
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
