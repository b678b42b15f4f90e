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
//! | `sharepoint` | an item of a list | Microsoft Graph v1.0, "Create a new item in a list" (`POST /sites/{site-id}/lists/{list-id}/items` of `{"fields": {…}}`) |
//! | `igloo` | title and content of an article, as a form | Igloo, "Different ways to pass data in your API calls" (`POST /.api/api.svc/wikiarticles/{id}/update`) |
//!
//! Many read what stands there, so nothing is in it that people wrote in their own words: a ticket only where the purpose says how
//! one looks. An address is as good as a password:
//! it is neither logged nor shown. What has to be fetched before something is posted, [`session`] fetches and [`server`] reads.

mod forms;
mod server;
mod session;
mod sign;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::Full;

use self::session::Session;
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

/// How long each call of a delivery may take. Of these there are four at most, where what has to be fetched first is so twice,
/// and one that somebody else made is waited for before each: less than a letter by mail takes.
const PATIENCE: Duration = Duration::from_secs(30);
const _: () = assert!(6 * PATIENCE.as_secs() < super::mail::LONGEST.as_secs());

/// As whom it is posted, and what it is.
const AGENT: &str = concat!("wayleave/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// One address to which it is posted.
pub(super) struct Hook {
    settings: Webhook,
    to: Authority,
    secure: bool,
    /// Path and query, which hold what only we and the other side know.
    target: Secret,
    proof: Option<Secret>,
    signer: Option<Signer>,
    session: Option<Session>,
    errands: Errands,
}

/// Something on the web.
struct Place {
    to: Authority,
    secure: bool,
    /// Path and query.
    target: String,
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
        let place = Place::of(url.reveal());
        let place = place.ok_or_else(|| bad("no address of the web", "write `https://HOST/PATH`"))?;
        if let Some(help) = amiss(settings.kind, &place.target) {
            return Err(bad("no address of a call that is known there", help));
        }
        let session = Session::of(settings, (&place.to, place.secure), &errands);
        let session = session.map_err(|(why, help)| bad(&why, help))?;
        let proof = if session.is_some() { None } else { proof(settings) };
        let proof = proof.transpose().map_err(|why| bad(&why, "check `password_file`"))?;
        let signer = settings.secret_file.as_ref().map(|path| {
            let text = read(path).map_err(|why| bad(&why, "check `secret_file`"))?;
            let help = "write `whsec_` and at least 24 bytes in base64, e.g. of `openssl rand -base64 32`";
            Signer::of(&text).ok_or_else(|| bad("no secret to sign with", help))
        });
        Ok(Self {
            settings: settings.clone(),
            to: place.to,
            secure: place.secure,
            target: secret(&place.target),
            proof,
            signer: signer.transpose()?,
            session,
            errands,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    pub(super) fn kind(&self) -> &'static str {
        self.settings.kind.as_str()
    }

    /// Why nothing is posted there; none where it is.
    pub(super) fn trouble(&self) -> Option<String> {
        self.session.as_ref()?.trouble()
    }

    /// Nothing waits to be posted any more.
    pub(super) fn forget_trouble(&self) {
        self.session.iter().for_each(Session::forget);
    }

    /// Posts something.
    pub(super) async fn send(&self, told: (&Notice, &Letter), view: &View<'_>, at: Timestamp) -> Went {
        let Some(request) = self.request(told, view, at) else {
            return Went::Never("the request cannot be written".to_owned());
        };
        match &self.session {
            Some(session) => self.send_with(session, &request, at).await,
            None => went(self.post(request).await, at),
        }
    }

    async fn post(&self, request: Request<Full<Bytes>>) -> Result<Answer, Fault> {
        self.errands.send((&self.to, self.secure), request, PATIENCE).await
    }

    /// Posts with what is fetched first, and once more with what is fetched anew where that has ended before its time.
    async fn send_with(&self, session: &Session, request: &Request<Full<Bytes>>, at: Timestamp) -> Went {
        let mut is_anew = false;
        loop {
            let key = match session.key(at).await {
                Ok(key) => key,
                Err(went) => return went,
            };
            let Some((name, shown)) = session.header(&key) else {
                return Went::Never("what was fetched cannot be written".to_owned());
            };
            let mut request = request.clone();
            request.headers_mut().insert(name, shown);
            let answered = self.post(request).await;
            match answered.as_ref().ok().map(|answer| answer.status) {
                Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) if !is_anew => session.over(&key).await,
                Some(status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)) => {
                    return session.shut_out(&key, &answered_with(status), at).await;
                }
                Some(status) if status.is_success() || status.is_client_error() => {
                    session.let_in().await;
                    return unless_elsewhere(answered, at);
                }
                Some(_) | None => return went(answered, at),
            }
            is_anew = true;
        }
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
            Kind::Sharepoint => forms::sharepoint(&said, self.settings.column.as_deref()),
            Kind::Igloo => {
                let request = self.posting(FORM).header(ACCEPT, JSON);
                return request.body(form(forms::igloo(&said))).ok();
            }
        };
        let body = body.to_string();
        let mut request = self.posting("application/json; charset=UTF-8");
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

    /// The head of what is posted.
    fn posting(&self, kind: &str) -> http::request::Builder {
        Request::builder()
            .method(Method::POST)
            .uri(self.target.reveal())
            .header(HOST, host_of(&self.to, self.secure))
            .header(USER_AGENT, AGENT)
            .header(CONTENT_TYPE, kind)
    }
}

impl Place {
    /// The one of an address of the web; encrypted unless it leads to this machine.
    fn of(url: &str) -> Option<Self> {
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
        (secure || is_here).then(|| Self {
            to: Authority { host, port },
            secure,
            target: target.to_owned(),
        })
    }
}

/// A host as a request names it.
fn host_of(to: &Authority, secure: bool) -> String {
    if to.port == if secure { 443 } else { 80 } {
        to.host.to_string()
    } else {
        to.to_string()
    }
}

/// What to write in the place of an address that is none of a call that is known there.
fn amiss(kind: Kind, target: &str) -> Option<&'static str> {
    let (is_one, help) = match kind {
        Kind::Sharepoint => {
            let parts: Vec<&str> = target.split('/').collect();
            let is_one = matches!(parts.as_slice(), ["", "v1.0", "sites", _, "lists", _, "items"]);
            (
                is_one,
                "write `https://graph.microsoft.com/v1.0/sites/SITE-ID/lists/LIST-ID/items`",
            )
        }
        Kind::Igloo => {
            let is_one = target.starts_with("/.api/api.svc/");
            (
                is_one,
                "write `https://HOST/.api/api.svc/wikiarticles/ARTICLE-ID/update`",
            )
        }
        Kind::Generic | Kind::Teams | Kind::Slack | Kind::Connections | Kind::Jive | Kind::Socialtext => return None,
    };
    (!is_one).then_some(help)
}

/// What a user and a password prove, where there are any.
fn proof(settings: &Webhook) -> Option<Result<Secret, String>> {
    let (user, path) = settings.user.as_ref().zip(settings.password_file.as_ref())?;
    let proof = read(path).map(|password| {
        let pair = secret(&format!("{user}:{}", password.reveal()));
        Secret::new(format!("Basic {}", STANDARD.encode(pair.reveal())))
    });
    Some(proof)
}

/// The body that a form has.
fn form(fields: Vec<(&'static str, String)>) -> Full<Bytes> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    Full::new(Bytes::from(form.extend_pairs(fields).finish()))
}

/// The same, where an address names something that may not be there: whoever runs the gateway can mend that.
fn unless_elsewhere(answered: Result<Answer, Fault>, at: Timestamp) -> Went {
    match answered.as_ref().ok().map(|answer| answer.status) {
        Some(status @ (StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)) => {
            let why = answered_with(status);
            Went::Later(format!("{why}: check what the address names, and `column`"), None)
        }
        Some(_) | None => went(answered, at),
    }
}

fn answered_with(status: StatusCode) -> String {
    format!("it was answered with {status}")
}

/// What an answer means: whatever the other side may think better of is tried again.
fn went(answered: Result<Answer, Fault>, at: Timestamp) -> Went {
    let answer = match answered {
        Ok(answer) => answer,
        Err(fault) => return Went::Later(fault.to_string(), None),
    };
    let why = answered_with(answer.status);
    match answer.status {
        status if status.is_success() => Went::Sent,
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Went::Later(why, asked(&answer.headers, at)),
        // whoever runs the gateway can mend that it is not let in: a password that ran out
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            Went::Later(format!("{why}: check `user`, `password_file` and the address"), None)
        }
        StatusCode::GONE => Went::Refused("the address is gone (410): take it out of the settings".to_owned()),
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY => Went::Unfit(why),
        status if status.is_client_error() => Went::Refused(why),
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
        for status in [400, 413, 422] {
            assert!(matches!(go(status, None), Went::Unfit(_)), "{status}");
        }
        for status in [404, 410] {
            assert!(matches!(go(status, None), Went::Refused(why) if (status == 410) == why.contains("gone")));
        }
    }

    #[test]
    fn addresses_are_encrypted_unless_they_lead_to_this_machine() {
        let whole = |url| Place::of(url).map(|place| (place.secure, place.to.to_string(), place.target));
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
