//! Who gives what is to be fetched before something is posted: asked in what form, answered in what form, shown as what.
//! Pure, but for the secrets that it reads.
//!
//! | kind | what is fetched | as documented in |
//! |---|---|---|
//! | `sharepoint` | an access token, by the client credentials grant of the Microsoft identity platform | Microsoft, "Microsoft identity platform and the OAuth 2.0 client credentials flow"; RFC 6749 §4.4; "Microsoft Graph national cloud deployments" |
//! | `igloo` | a session's key: `POST /.api/api.svc/session/create`, taken back as the cookie `iglooauth` | Igloo, "Who Are You? – Authenticating To Igloo" and "Initiate a Session" of its collection of calls; the published clients `xkahn/pyigloo` and `redhat-community-ai-tools/igloo-mcp` |

use std::path::Path;
use std::time::Duration;

use http::StatusCode;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use serde_json::Value;

use super::{Place, asked};
use crate::clock::Timestamp;
use crate::facts::{Authority, Host, Secret};
use crate::notices::secrets::{read, secret};
use crate::notices::settings::{Kind, Webhook};
use crate::upstream::Answer;

/// How long before its end a token is no longer used, and how long at most one is.
const MARGIN: u64 = 300;
const MOST: u64 = 24 * 3600;
/// How long a token is good whose server does not say so.
const USUAL: u64 = 3600;
/// How long the key of a session is used. Igloo does not say how long it is good; a client of it says twelve hours.
const SESSION: Duration = Duration::from_hours(1);
/// The longest key that is believed to be one.
const LONGEST: usize = 16 * 1024;

/// What is wrong with a setting, and what to do.
pub(super) type Bad = (String, &'static str);

/// Who is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    /// The Microsoft identity platform.
    Entra,
    /// An Igloo digital workplace.
    Igloo,
}

/// Why nothing was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfetched {
    /// What was answered.
    pub(super) why: String,
    /// How long the other side asked to be left alone.
    pub(super) asked: Option<Duration>,
    /// Whether somebody has to mend it.
    pub(super) is_refused: bool,
}

impl Unfetched {
    /// It may come right by itself.
    pub(super) const fn in_vain(why: String, asked: Option<Duration>) -> Self {
        Self {
            why,
            asked,
            is_refused: false,
        }
    }

    /// Somebody has to mend it.
    pub(super) const fn refused(why: String) -> Self {
        Self {
            why,
            asked: None,
            is_refused: true,
        }
    }
}

impl Server {
    /// Whom one has to ask before something is posted there; none where nobody.
    pub(super) const fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Sharepoint => Some(Self::Entra),
            Kind::Igloo => Some(Self::Igloo),
            Kind::Generic | Kind::Teams | Kind::Slack | Kind::Connections | Kind::Jive | Kind::Socialtext => None,
        }
    }

    /// Where it is asked, and with what, by a hook that posts to this host. Reads what its settings name as files.
    pub(super) fn asked(self, settings: &Webhook, (to, secure): (&Authority, bool)) -> Result<(Place, Secret), Bad> {
        let path = settings.application_secret_file.as_ref();
        let path = path.ok_or_else(|| {
            (
                "no secret of an application".to_owned(),
                "set `application_secret_file`",
            )
        })?;
        let theirs = kept(path, "check `application_secret_file`")?;
        let application = settings.application.as_deref().unwrap_or_default();
        match self {
            Self::Entra => Ok((
                token_place(settings, &to.host)?,
                of_entra(application, &theirs, &to.host),
            )),
            Self::Igloo => {
                let place = Place {
                    to: to.clone(),
                    secure,
                    target: "/.api/api.svc/session/create".to_owned(),
                };
                Ok((place, of_igloo((application, &theirs), &member(settings)?, &to.host)))
            }
        }
    }

    /// As what the key is shown.
    pub(super) fn shown(self, key: &Secret) -> Option<(HeaderName, HeaderValue)> {
        let text = key.reveal();
        let (name, shown) = match self {
            Self::Entra => (AUTHORIZATION, secret(&format!("Bearer {text}"))),
            Self::Igloo => (COOKIE, secret(&format!("iglooauth={text}"))),
        };
        let mut shown = HeaderValue::from_str(shown.reveal()).ok()?;
        shown.set_sensitive(true);
        Some((name, shown))
    }

    /// The settings on which it hangs that it gives one.
    pub(super) const fn settings(self) -> &'static str {
        match self {
            Self::Entra => "`tenant`, `application` and `application_secret_file`",
            Self::Igloo => "`application`, `application_secret_file`, `user` and `password_file`",
        }
    }

    /// On what it hangs that what it gives opens the door.
    pub(super) const fn rights(self) -> &'static str {
        match self {
            Self::Entra => {
                "let the application write there (`Lists.SelectedOperations.Selected` or `Sites.Selected` for that list or site, or `Sites.ReadWrite.All`, with an administrator's consent)"
            }
            Self::Igloo => "let the member write there",
        }
    }

    /// What was given, and for how long it is good.
    pub(super) fn given(self, answer: &Answer, body: &[u8], at: Timestamp) -> Result<(Secret, Duration), Unfetched> {
        let told: Option<Value> = serde_json::from_slice(body).ok();
        let told = told.as_ref();
        let in_vain = |status| Unfetched::in_vain(format!("gives nothing now: {status}"), asked(&answer.headers, at));
        match answer.status {
            status if status.is_success() => {}
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => return Err(in_vain(answer.status)),
            status if status.is_client_error() => {
                let reason = told.and_then(reason).unwrap_or_default();
                return Err(Unfetched::refused(format!("refuses: {status}{reason}")));
            }
            status => return Err(in_vain(status)),
        }
        let (name, key, lasts) = match self {
            Self::Entra => {
                let key = told.and_then(|told| told.get("access_token"));
                let lasts = told.and_then(|told| told.get("expires_in")?.as_u64());
                ("access_token", key, used(lasts.unwrap_or(USUAL).min(MOST)))
            }
            Self::Igloo => {
                let key = told.and_then(|told| told.get("response")?.get("sessionKey"));
                ("sessionKey", key, SESSION)
            }
        };
        let key = key.and_then(Value::as_str).filter(|key| is_key(key));
        let key = key.ok_or_else(|| Unfetched::refused(format!("answers without a `{name}`")))?;
        Ok((secret(key), lasts))
    }
}

/// How long a token is used that is good for so many seconds.
fn used(lasts: u64) -> Duration {
    Duration::from_secs(lasts.saturating_sub(MARGIN.min(lasts / 2)))
}

/// What an error says that is safe to be told: its code, and Microsoft's number of it (RFC 6749 §5.2).
fn reason(told: &Value) -> Option<String> {
    let is_code = |code: &&str| code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let code = told.get("error")?.as_str().filter(is_code)?;
    let number = told.get("error_codes").and_then(|codes| codes.get(0)?.as_u64());
    Some(number.map_or_else(|| format!(", {code}"), |number| format!(", {code} (AADSTS{number})")))
}

/// Whether this can stand in a header: what tokens are made of (RFC 6750 §2.1).
fn is_key(text: &str) -> bool {
    let is_of_it = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(is_of_it)
}

fn form(fields: &[(&str, &str)]) -> Secret {
    Secret::new(
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish(),
    )
}

/// What Microsoft Entra is asked with.
fn of_entra(application: &str, theirs: &Secret, graph: &Host) -> Secret {
    form(&[
        ("client_id", application),
        ("client_secret", theirs.reveal()),
        ("scope", &format!("https://{graph}/.default")),
        ("grant_type", "client_credentials"),
    ])
}

/// What Igloo is asked with. The community is named by its domain alone.
fn of_igloo((application, theirs): (&str, &Secret), (user, password): &(String, Secret), community: &Host) -> Secret {
    form(&[
        ("appId", application),
        ("appPass", theirs.reveal()),
        ("apiversion", "1"),
        ("community", community.as_str()),
        ("username", user),
        ("password", password.reveal()),
    ])
}

fn member(settings: &Webhook) -> Result<(String, Secret), Bad> {
    let (Some(user), Some(path)) = (&settings.user, &settings.password_file) else {
        return Err(("no member".to_owned(), "set `user` and `password_file`"));
    };
    Ok((user.clone(), kept(path, "check `password_file`")?))
}

/// A secret that is one.
fn kept(path: &Path, help: &'static str) -> Result<Secret, Bad> {
    let text = read(path).map_err(|why| (why, help))?;
    if text.reveal().is_empty() {
        return Err((format!("`{}` is empty", path.display()), help));
    }
    Ok(text)
}

/// Where Microsoft Entra gives tokens.
fn token_place(settings: &Webhook, graph: &Host) -> Result<Place, Bad> {
    let authority = settings.authority.as_deref().unwrap_or_else(|| cloud(graph));
    let place = Place::of(authority).filter(|place| place.target == "/");
    let place = place.ok_or_else(|| {
        (
            "no place where a tenant signs in".to_owned(),
            "write `https://HOST`, e.g. `https://login.microsoftonline.us`, into `authority`",
        )
    })?;
    let tenant = settings.tenant.as_deref().unwrap_or_default();
    Ok(Place {
        target: format!("/{tenant}/oauth2/v2.0/token"),
        ..place
    })
}

/// Where the cloud signs in to which this address of Microsoft Graph belongs.
fn cloud(graph: &Host) -> &'static str {
    match graph.as_str() {
        "graph.microsoft.us" | "dod-graph.microsoft.us" => "https://login.microsoftonline.us",
        "microsoftgraph.chinacloudapi.cn" => "https://login.chinacloudapi.cn",
        _ => "https://login.microsoftonline.com",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_cloud_signs_in_where_it_does() {
        let signs_in = |graph: &str| {
            let place = token_place(&Webhook::default(), &Host::parse(graph).unwrap()).unwrap();
            assert!(place.secure);
            place.to.to_string()
        };
        for (graph, host) in [
            ("graph.microsoft.com", "login.microsoftonline.com:443"),
            ("graph.microsoft.us", "login.microsoftonline.us:443"),
            ("DOD-graph.microsoft.us", "login.microsoftonline.us:443"),
            ("microsoftgraph.chinacloudapi.cn", "login.chinacloudapi.cn:443"),
        ] {
            assert_eq!(signs_in(graph), host);
        }
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        for (lasts, seconds) in [(0, 0), (1, 1), (60, 30), (599, 300), (3599, 3299), (MOST, MOST - 300)] {
            assert_eq!(used(lasts), Duration::from_secs(seconds), "{lasts}");
        }
    }

    #[test]
    fn of_an_error_its_code_is_told_and_nothing_else() {
        let told = |error: Value| reason(&error).unwrap_or_default();
        assert_eq!(told(json!({"error": "invalid_scope"})), ", invalid_scope");
        assert_eq!(
            told(json!({"error": "invalid_client", "error_codes": [7_000_222, 1], "error_description": "s3cret"})),
            ", invalid_client (AADSTS7000222)"
        );
        for error in [
            json!({"error": "a secret"}),
            json!({"error": "x".repeat(41)}),
            json!({"error": {"code": 1}}),
            json!([]),
        ] {
            assert_eq!(told(error), "");
        }
    }
}
