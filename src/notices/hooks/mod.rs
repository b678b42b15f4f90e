//! Letters to the platforms on which a company talks already: each in the form that its platform documents.
//!
//! | kind | what is posted | as documented in |
//! |---|---|---|
//! | `teams` | a message with an Adaptive Card, to the address of a workflow | Microsoft, "Create incoming webhooks with Workflows for Microsoft Teams" and the Adaptive Cards schema 1.4 |
//! | `slack` | text and Block Kit blocks, to an incoming webhook | Slack, "Sending messages using incoming webhooks", "Blocks" |
//! | `generic` | what happened as JSON, signed | [Standard Webhooks](https://www.standardwebhooks.com/) |
//! | `connections` | an event for the activity stream | HCL (IBM) Connections API, on new events of the stream (`…/opensocial/basic/rest/activitystreams/@me/@all`) |
//! | `socialtext` | a signal | Socialtext REST, "/data/signals" (`POST` of `{"signal": …}`, as in its Python client, `SignalManager.create`) |
//! | `jive` | an update or a discussion | Jive REST API v3, "Content Service" (`POST /api/core/v3/contents`) |
//!
//! Many read what stands there, so nothing is in it that people wrote in their own words: a ticket only where the purpose says how
//! one looks. An address is as good as a password:
//! it is neither logged nor shown.

mod forms;
mod sign;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;

use self::sign::Signer;
use super::Went;
use super::mail::name;
use super::secrets::{read, secret};
use super::settings::{BadSetting, Kind, Webhook};
use super::words::{self, View};
use crate::clock::Timestamp;
use crate::facts::{Authority, Fault, Host, Secret};
use crate::ledger::{Letter, Notice};
use crate::upstream::{Answer, Errands};

/// How long all of a delivery may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One address to which it is posted.
pub(super) struct Hook {
    settings: Webhook,
    to: Authority,
    secure: bool,
    /// Path and query, which hold what only we and the other side know.
    target: Secret,
    proof: Option<Secret>,
    signer: Option<Signer>,
    errands: Errands,
}

impl Hook {
    /// The one that the settings describe. Reads what they name as files.
    pub(super) fn of(settings: &Webhook, at: usize, errands: Errands) -> Result<Self, BadSetting> {
        let bad = |message: &str, help| BadSetting {
            field: format!("webhooks[{at}]"),
            message: format!("`{}`: {message}", settings.name),
            help,
        };
        let url = match (&settings.url, &settings.url_file) {
            (Some(url), None) => secret(url.reveal()),
            (None, Some(path)) => read(path).map_err(|why| bad(&why, "check `url_file`"))?,
            (Some(_), Some(_)) | (None, None) => return Err(bad("no one address", "set `url_file` or `url`")),
        };
        let parsed = parsed(url.reveal());
        let (secure, to, target) = parsed.ok_or_else(|| bad("no address of the web", "write `https://HOST/PATH`"))?;
        let password = settings.password_file.as_ref().map(|path| read(path)).transpose();
        let password = password.map_err(|why| bad(&why, "check `password_file`"))?;
        let proof = settings.user.as_ref().zip(password).map(|(user, password)| {
            let pair = secret(&format!("{user}:{}", password.reveal()));
            Secret::new(format!("Basic {}", STANDARD.encode(pair.reveal())))
        });
        let signer = settings.secret_file.as_ref().map(|path| {
            let text = read(path).map_err(|why| bad(&why, "check `secret_file`"))?;
            let help = "write `whsec_` and at least 24 bytes in base64, e.g. of `openssl rand -base64 32`";
            Signer::of(&text).ok_or_else(|| bad("no secret to sign with", help))
        });
        Ok(Self {
            settings: settings.clone(),
            to,
            secure,
            target: secret(&target),
            proof,
            signer: signer.transpose()?,
            errands,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn kind(&self) -> &'static str {
        self.settings.kind.as_str()
    }

    /// Posts something.
    pub(super) async fn send(&self, (notice, letter): (&Notice, &Letter), view: &View<'_>, at: Timestamp) -> Went {
        let Some(request) = self.request((notice, letter), view, at) else {
            return Went::Never("the request cannot be written".to_owned());
        };
        went(self.errands.send((&self.to, self.secure), request, PATIENCE).await, at)
    }

    fn request(
        &self,
        (notice, letter): (&Notice, &Letter),
        view: &View<'_>,
        at: Timestamp,
    ) -> Option<Request<Full<Bytes>>> {
        let language = self.settings.language.unwrap_or(view.language);
        let said = words::say_to_many(notice, &View { language, ..*view }, None);
        let id = name(notice, letter);
        let body = match self.settings.kind {
            Kind::Teams => forms::teams(&said),
            Kind::Slack => forms::slack(&said),
            Kind::Generic => forms::generic(notice, &said, words::ticket(notice, view.in_force)),
            Kind::Connections => forms::connections(&said, (&id, view.origin, notice.since)),
            Kind::Jive => forms::jive(&said),
            Kind::Socialtext => forms::socialtext(&said),
        };
        let body = body.to_string();
        let host = if self.to.port == if self.secure { 443 } else { 80 } {
            self.to.host.to_string()
        } else {
            self.to.to_string()
        };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.target.reveal())
            .header(HOST, host)
            .header(USER_AGENT, concat!("wayleave/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json; charset=UTF-8");
        if let Some(proof) = &self.proof {
            request = request.header(AUTHORIZATION, proof.reveal());
        }
        if self.settings.kind == Kind::Generic {
            let seconds = (at.as_millis() / 1000).to_string();
            request = request.header("webhook-id", &id).header("webhook-timestamp", &seconds);
            if let Some(signer) = &self.signer {
                request = request.header("webhook-signature", signer.signature(&id, &seconds, &body));
            }
        }
        request.body(Full::new(Bytes::from(body))).ok()
    }
}

/// Host, and whatever else there is, of an address of the web; encrypted unless it leads to this machine.
fn parsed(url: &str) -> Option<(bool, Authority, String)> {
    let uri: http::Uri = url.parse().ok()?;
    let secure = match uri.scheme_str()? {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let host = Host::parse(authority.host()).ok()?;
    let is_here = host.as_ip().is_some_and(|ip| ip.is_loopback());
    let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let target = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    (secure || is_here).then(|| (secure, Authority { host, port }, target.to_owned()))
}

/// What an answer means: whatever the other side may think better of is tried again.
fn went(answered: Result<Answer, Fault>, at: Timestamp) -> Went {
    let answer = match answered {
        Ok(answer) => answer,
        Err(fault) => return Went::Later(fault.to_string(), None),
    };
    let why = format!("it was answered with {}", answer.status);
    match answer.status {
        status if status.is_success() => Went::Sent,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Went::Later(why, asked(&answer.headers, at)),
        // whoever runs the gateway can mend that it is not let in: a password that ran out
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Went::Later(format!("{why}: check `user`, `password_file` and the address"), None)
        }
        StatusCode::GONE => Went::Never("the address is gone (410): take it out of the settings".to_owned()),
        status if status.is_client_error() => Went::Never(why),
        _ => Went::Later(why, asked(&answer.headers, at)),
    }
}

/// How long the other side wants to be left alone (RFC 9110 §10.2.3).
fn asked(headers: &HeaderMap, at: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp::from(until.timestamp()).since(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, retry: Option<&'static str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert(RETRY_AFTER, http::HeaderValue::from_static(retry));
        }
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, headers }
    }

    #[test]
    fn what_may_come_right_is_tried_again_and_what_will_not_is_given_up() {
        let at: Timestamp = "2026-11-24T11:30:00Z".parse().unwrap();
        let go = |status, retry| went(Ok(answer(status, retry)), at);
        for status in [200, 202, 204] {
            assert_eq!(go(status, None), Went::Sent);
        }
        for (status, retry, asked) in [
            (429, Some("120"), Some(120)),
            (503, Some("Tue, 24 Nov 2026 11:31:00 GMT"), Some(60)),
            (503, Some("Tue, 24 Nov 2026 11:29:00 GMT"), Some(0)),
            (500, Some("soon"), None),
            (408, None, None),
            (302, None, None),
            (401, None, None),
            (403, None, None),
            (407, None, None),
        ] {
            let Went::Later(_, found) = go(status, retry) else {
                panic!("{status}")
            };
            assert_eq!(found, asked.map(Duration::from_secs), "{status}");
        }
        for status in [400, 404, 410, 422] {
            assert!(matches!(go(status, None), Went::Never(why) if (status == 410) == why.contains("gone")));
        }
    }

    #[test]
    fn addresses_are_encrypted_unless_they_lead_to_this_machine() {
        let whole = |url| parsed(url).map(|(secure, to, target)| (secure, to.to_string(), target));
        let some = |secure, to: &str, target: &str| Some((secure, to.to_owned(), target.to_owned()));
        assert_eq!(
            whole("https://hooks.example.org/a/b?c=d"),
            some(true, "hooks.example.org:443", "/a/b?c=d")
        );
        assert_eq!(whole("http://127.0.0.1:8080"), some(false, "127.0.0.1:8080", "/"));
        for bad in [
            "http://hooks.example.org/",
            "ftp://a.example.org/",
            "https://me:pw@a.example.org/",
            "hooks",
            "",
        ] {
            assert_eq!(whole(bad), None, "{bad}");
        }
    }
}
