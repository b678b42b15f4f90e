//! Platforms where something is fetched before anything is posted, played by a server that writes down what it is asked.
#![expect(
    clippy::disallowed_methods,
    reason = "listens on loopback, and writes secrets into files"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const SECRET: &str = "s3cret+of the=application";
const PASSWORD: &str = "p4ss&word";

/// What the server is asked.
#[derive(Clone, Debug)]
struct Asked {
    path: String,
    fields: BTreeMap<String, String>,
    body: String,
}

impl Asked {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn form(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    fn is_fetch(&self) -> bool {
        self.path.ends_with("/token") || self.path.ends_with("/session/create")
    }
}

/// The server: it gives what is fetched, takes what is posted, or answers what is in its plan, by path, first.
struct Platform {
    listener: TcpListener,
    files: TempDir,
    asked: Mutex<Vec<Asked>>,
    plan: Mutex<Vec<(&'static str, String)>>,
}

impl Platform {
    async fn new() -> Self {
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("application"), format!("{SECRET}\n")).unwrap();
        std::fs::write(files.path().join("member"), format!("{PASSWORD}\n")).unwrap();
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            files,
            asked: Mutex::default(),
            plan: Mutex::default(),
        }
    }

    fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.local_addr().unwrap().port())
    }

    /// Answers the next call whose path ends so with this status, these fields and this body.
    fn plans(&self, end: &'static str, head: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        self.plan.lock().unwrap().push((end, answer));
    }

    /// What was asked, and is looked at once: what was fetched, and what was posted.
    fn looks(&self) -> (Vec<Asked>, Vec<Asked>) {
        let asked = std::mem::take(&mut *self.asked.lock().unwrap());
        asked.into_iter().partition(Asked::is_fetch)
    }

    /// How much was fetched, and posted, since that was looked at last.
    fn counts(&self) -> (usize, usize) {
        let (fetched, posted) = self.looks();
        (fetched.len(), posted.len())
    }

    fn hook(&self, more: &str) -> Hook {
        let hook = hook_of(&self.origin(), self.files.path(), more);
        hook.unwrap_or_else(|bad| panic!("{bad}"))
    }

    fn sharepoint(&self) -> Hook {
        self.hook(&sharepoint(&self.origin()))
    }

    fn igloo(&self) -> Hook {
        self.hook(IGLOO)
    }

    /// Plays the server while something happens.
    async fn during<T>(&self, happens: impl Future<Output = T>) -> T {
        tokio::select! {
            () = self.serves() => unreachable!(),
            came = happens => came,
        }
    }

    async fn serves(&self) {
        let mut nth = 0;
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            let asked = heard(&mut stream).await;
            let planned = {
                let mut plan = self.plan.lock().unwrap();
                let at = plan.iter().position(|(end, _)| asked.path.ends_with(end));
                at.map(|at| plan.remove(at).1)
            };
            nth += usize::from(asked.is_fetch());
            let given = if asked.path.ends_with("/token") {
                json!({"token_type": "Bearer", "expires_in": 3599, "access_token": format!("token-{nth}.x_y~z+/=")})
            } else {
                json!({"response": {"sessionKey": format!("cc2ba556-{nth}"), "userId": "x"}})
            };
            let given = given.to_string();
            let usual = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{given}", given.len());
            self.asked.lock().unwrap().push(asked);
            stream.write_all(planned.unwrap_or(usual).as_bytes()).await.unwrap();
        }
    }
}

/// One request, whole.
async fn heard(stream: &mut TcpStream) -> Asked {
    let mut heard = Vec::new();
    loop {
        let mut piece = vec![0; 8192];
        let read = stream.read(&mut piece).await.unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&heard));
        heard.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&heard);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let mut lines = head.lines();
        let path = lines.next().unwrap().strip_prefix("POST ").unwrap();
        let fields = lines.filter_map(|line| line.split_once(": "));
        let fields: BTreeMap<_, _> = fields
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        if fields["content-length"].parse() == Ok(body.len()) {
            return Asked {
                path: path.strip_suffix(" HTTP/1.1").unwrap().to_owned(),
                fields,
                body: body.to_owned(),
            };
        }
    }
}

fn sharepoint(authority: &str) -> String {
    format!(
        "kind = \"sharepoint\"\nurl = \"ORIGIN/v1.0/sites/a.example,1,2/lists/3/items\"\nauthority = \"{authority}\"\n\
         tenant = \"example.onmicrosoft.com\"\napplication = \"app-1\"\napplication_secret_file = \"FILES/application\"\n\
         column = \"Details\""
    )
}

const IGLOO: &str = "kind = \"igloo\"\nurl = \"ORIGIN/.api/api.svc/wikiarticles/a1/update\"\nuser = \"gate@example.org\"\n\
                     password_file = \"FILES/member\"\napplication = \"app-1\"\n\
                     application_secret_file = \"FILES/application\"";

fn hook_of(origin: &str, files: &Path, more: &str) -> Result<Hook, BadSetting> {
    crate::tls::install_default();
    let tls = rustls::ClientConfig::builder()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let more = more
        .replace("ORIGIN", origin)
        .replace("FILES", &files.display().to_string());
    let settings: Settings = toml::from_str(&format!("[[webhooks]]\nname = \"intranet\"\n{more}")).unwrap();
    assert_eq!(settings.problems(), []);
    let loopback = ["127.0.0.0/8".parse().unwrap()];
    let errands = Errands::new(&crate::upstream::Settings::default(), &loopback, &tls, &[]).unwrap();
    Hook::of(&settings.webhooks[0], 0, errands)
}

/// Posts that Ben waits, at that moment.
fn sends(hook: &Hook, now: Timestamp) -> BoxFuture<'_, Went> {
    let sends = async move {
        let house = house(&[]);
        let told = Notice {
            letter: Some(Letter {
                way: "webhook:intranet".to_owned(),
                to: String::new(),
            }),
            ..notice(NoticeEvent::Waits, "")
        };
        let letter = told.letter.as_ref().unwrap();
        hook.send((&told, letter), &view(&house, Language::En), now).await
    };
    Box::pin(sends)
}

fn later(went: &Went) -> (&str, Option<Duration>) {
    let Went::Later(why, asked) = went else {
        panic!("{went:?}")
    };
    for hidden in ["s3cret", "p4ss", "token-", "cc2ba556", "Trace ID"] {
        assert!(!why.contains(hidden), "{why}");
    }
    (why, *asked)
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[tokio::test]
async fn sharepoint_is_asked_for_a_token_and_then_for_an_item_field_by_field() {
    let platform = Platform::new().await;
    let hook = platform.sharepoint();
    assert_eq!(platform.during(sends(&hook, at("10:00"))).await, Went::Sent);
    let (fetched, posted) = platform.looks();
    let ([fetched], [posted]) = (fetched.as_slice(), posted.as_slice()) else {
        panic!("{fetched:?} {posted:?}")
    };
    assert_eq!(fetched.path, "/example.onmicrosoft.com/oauth2/v2.0/token");
    assert_eq!(fetched.field("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(fetched.field("accept"), Some("application/json"));
    assert_eq!(fetched.field("authorization"), None);
    assert_eq!(
        fetched.form(),
        pairs([
            ("client_id", "app-1"),
            ("client_secret", SECRET),
            ("grant_type", "client_credentials"),
            ("scope", "https://127.0.0.1/.default"),
        ])
    );
    assert_eq!(posted.path, "/v1.0/sites/a.example,1,2/lists/3/items");
    assert_eq!(posted.field("authorization"), Some("Bearer token-1.x_y~z+/="));
    assert_eq!(posted.field("content-type"), Some("application/json; charset=UTF-8"));
    let item = posted.json();
    assert_eq!(item.as_object().unwrap().len(), 1, "{item}");
    assert_eq!(item["fields"].as_object().unwrap().len(), 2, "{item}");
    assert_eq!(
        item["fields"]["Title"],
        "Ben Okafor asks for “Publishing for the brand”"
    );
    let details = item["fields"]["Details"].as_str().unwrap();
    for line in [
        "Who: Ben Okafor\n",
        "Where: LinkedIn\n",
        "Answer: https://wayleave.internal/approvals\n",
    ] {
        assert!(details.contains(line), "{details}");
    }
    assert!(details.ends_with("Reference: g1"), "{details}");
    assert!(!details.contains("campaign"), "nothing that people wrote: {details}");
}

#[tokio::test]
async fn igloo_opens_a_session_and_then_takes_an_article_field_by_field() {
    let platform = Platform::new().await;
    let hook = platform.igloo();
    assert_eq!(platform.during(sends(&hook, at("10:00"))).await, Went::Sent);
    let (fetched, posted) = platform.looks();
    let ([fetched], [posted]) = (fetched.as_slice(), posted.as_slice()) else {
        panic!("{fetched:?} {posted:?}")
    };
    assert_eq!(fetched.path, "/.api/api.svc/session/create");
    assert_eq!(fetched.field("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(fetched.field("accept"), Some("application/json"));
    assert_eq!(fetched.field("cookie"), None);
    assert_eq!(
        fetched.form(),
        pairs([
            ("apiversion", "1"),
            ("appId", "app-1"),
            ("appPass", SECRET),
            ("community", "127.0.0.1"),
            ("password", PASSWORD),
            ("username", "gate@example.org"),
        ])
    );
    assert_eq!(posted.path, "/.api/api.svc/wikiarticles/a1/update");
    assert_eq!(posted.field("cookie"), Some("iglooauth=cc2ba556-1"));
    assert_eq!(
        posted.field("authorization"),
        None,
        "the member's password goes nowhere else"
    );
    assert_eq!(posted.field("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(posted.field("accept"), Some("application/json"));
    let form = posted.form();
    assert_eq!(form.keys().collect::<Vec<_>>(), ["content", "title"]);
    assert_eq!(form["title"], "Ben Okafor asks for “Publishing for the brand”");
    let content = &form["content"];
    assert!(content.starts_with("<ul><li>Who: Ben Okafor</li>"), "{content}");
    let link = "<p><a href=\"https://wayleave.internal/approvals\">Answer</a></p>";
    assert!(
        content.contains(link) && content.ends_with("Reference: g1</p>"),
        "{content}"
    );
    assert!(!content.contains("campaign"), "nothing that people wrote: {content}");
}

#[tokio::test]
async fn what_is_fetched_is_so_once_for_all_that_is_posted_until_shortly_before_its_end() {
    let platform = Platform::new().await;
    let hook = platform.sharepoint();
    let four = async {
        let now = at("10:00");
        tokio::join!(
            sends(&hook, now),
            sends(&hook, now),
            sends(&hook, now),
            sends(&hook, now)
        )
    };
    let went = platform.during(four).await;
    assert_eq!(went, (Went::Sent, Went::Sent, Went::Sent, Went::Sent));
    assert_eq!(platform.counts(), (1, 4));
    // good for an hour but a second; used for five minutes less
    let good = at("10:00").plus(Duration::from_secs(3598 - 300));
    for (now, fetches) in [(good, 0), (good.plus(Duration::from_secs(1)), 1)] {
        assert_eq!(platform.during(sends(&hook, now)).await, Went::Sent);
        assert_eq!(platform.counts(), (fetches, 1));
    }
}

#[tokio::test]
async fn what_ended_before_its_time_is_fetched_anew_once_and_it_is_posted_with_that() {
    let platform = Platform::new().await;
    for (hook, end, field, shown) in [
        (
            platform.sharepoint(),
            "/items",
            "authorization",
            "Bearer token-2.x_y~z+/=",
        ),
        (platform.igloo(), "/update", "cookie", "iglooauth=cc2ba556-2"),
    ] {
        let twice = async {
            assert_eq!(sends(&hook, at("10:00")).await, Went::Sent);
            platform.plans(end, "401 Unauthorized", "");
            sends(&hook, at("10:01")).await
        };
        assert_eq!(platform.during(twice).await, Went::Sent);
        let (fetched, posted) = platform.looks();
        assert_eq!((fetched.len(), posted.len()), (2, 3));
        assert_eq!(posted[2].field(field), Some(shown));
        assert_eq!(posted[1].body, posted[2].body);
        assert_eq!(hook.trouble(), None);
    }
}

#[tokio::test]
async fn whoever_is_not_let_in_with_what_is_fresh_waits_longer_and_longer_and_is_told_of() {
    let platform = Platform::new().await;
    let hook = platform.sharepoint();
    let mut now = at("10:00");
    for (nth, minutes) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        let pause = Duration::from_mins(minutes);
        platform.plans("/items", "403 Forbidden", "");
        platform.plans("/items", "403 Forbidden", "");
        let went = platform.during(sends(&hook, now)).await;
        let (why, asked) = later(&went);
        assert_eq!(asked, Some(pause), "{nth}");
        assert!(why.contains("403") && why.contains("Sites.Selected"), "{why}");
        assert_eq!(hook.trouble().as_deref(), Some(why));
        assert_eq!(platform.counts(), (2, 2));
        // others wait as well, and nobody is asked
        let half = platform.during(sends(&hook, now.plus(pause / 2))).await;
        assert_eq!(later(&half), (why, Some(pause / 2)));
        assert_eq!(platform.counts(), (0, 0));
        now = now.plus(pause);
    }
    assert_eq!(platform.during(sends(&hook, now)).await, Went::Sent);
    assert_eq!(platform.counts(), (1, 1));
    assert_eq!(hook.trouble(), None);
    platform.plans("/items", "401 Unauthorized", "");
    platform.plans("/items", "401 Unauthorized", "");
    let anew = platform.during(sends(&hook, now)).await;
    assert_eq!(later(&anew).1, Some(Duration::from_mins(1)), "it begins anew");
}

#[tokio::test]
async fn a_credential_that_is_refused_is_told_and_not_tried_at_a_high_rate() {
    let platform = Platform::new().await;
    let error = json!({
        "error": "invalid_client", "error_codes": [7_000_215],
        "error_description": "AADSTS7000215: Invalid client secret s3cret provided. Trace ID: 1",
    });
    let (entra, igloo) = (platform.sharepoint(), platform.igloo());
    for (hook, end, says, settings) in [
        (
            &entra,
            "/token",
            "401 Unauthorized, invalid_client (AADSTS7000215)",
            "`tenant`",
        ),
        (&igloo, "/session/create", "401 Unauthorized", "`password_file`"),
    ] {
        platform.plans(end, "401 Unauthorized", &error.to_string());
        let four = async {
            let now = at("10:00");
            [
                sends(hook, now).await,
                sends(hook, now).await,
                sends(hook, now).await,
                sends(hook, now).await,
            ]
        };
        for went in platform.during(four).await {
            let (why, asked) = later(&went);
            assert_eq!(asked, Some(Duration::from_mins(1)));
            assert!(why.contains(says) && why.contains(settings), "{why}");
        }
        assert_eq!(platform.counts(), (1, 0));
        assert!(hook.trouble().unwrap().contains(says));
        // a minute later it is so again: two minutes
        platform.plans(end, "400 Bad Request", "{}");
        let again = platform.during(sends(hook, at("10:01"))).await;
        assert_eq!(later(&again).1, Some(Duration::from_mins(2)));
        assert_eq!(platform.during(sends(hook, at("10:03"))).await, Went::Sent);
        assert_eq!((platform.counts(), hook.trouble()), ((2, 1), None));
    }
}

#[tokio::test]
async fn whoever_gives_nothing_that_opens_a_door_is_not_believed() {
    let platform = Platform::new().await;
    for (hook, end, name) in [
        (platform.sharepoint(), "/token", "access_token"),
        (platform.igloo(), "/session/create", "sessionKey"),
    ] {
        let mut now = at("10:00");
        for body in [
            "<html>Sign in</html>",
            "{}",
            "{\"access_token\":\"\",\"response\":{\"sessionKey\":\"\"}}",
            "{\"access_token\":\"a\\r\\nx: y\",\"response\":{\"sessionKey\":\"a; b=c\"}}",
            "{\"access_token\":7,\"response\":{\"sessionKey\":null}}",
        ] {
            platform.plans(end, "200 OK", body);
            let went = platform.during(sends(&hook, now)).await;
            let (why, asked) = later(&went);
            assert!(why.contains(&format!("without a `{name}`")), "{body}: {why}");
            assert_eq!(platform.counts(), (1, 0), "{body}");
            now = now.plus(asked.unwrap());
        }
    }
}

#[tokio::test]
async fn what_could_not_be_fetched_now_is_put_off_as_long_as_is_asked() {
    let platform = Platform::new().await;
    let hook = platform.sharepoint();
    let mut now = at("10:00");
    for (head, seconds) in [
        ("503 Service Unavailable\r\nretry-after: 120", 120),
        ("429 Too Many Requests\r\nretry-after: 45", 45),
        ("500 Internal Server Error", 30),
        ("302 Found\r\nlocation: /", 30),
        ("503 Service Unavailable\r\nretry-after: 99999999999", 24 * 3600),
    ] {
        platform.plans("/token", head, "");
        let went = platform.during(sends(&hook, now)).await;
        let (why, asked) = later(&went);
        assert_eq!(asked, Some(Duration::from_secs(seconds)), "{head}: {why}");
        let meanwhile = platform.during(sends(&hook, now.plus(Duration::from_secs(1)))).await;
        assert_eq!(later(&meanwhile).1, Some(Duration::from_secs(seconds - 1)));
        assert_eq!((platform.counts(), hook.trouble()), ((1, 0), None), "{head}");
        now = now.plus(Duration::from_secs(seconds));
    }
    assert_eq!(platform.during(sends(&hook, now)).await, Went::Sent);
}

#[tokio::test]
async fn what_is_posted_in_vain_costs_neither_the_token_nor_what_can_be_mended() {
    let platform = Platform::new().await;
    let hook = platform.sharepoint();
    assert_eq!(platform.during(sends(&hook, at("10:00"))).await, Went::Sent);
    for (head, asked) in [
        ("429 Too Many Requests\r\nretry-after: 17", Some(17)),
        ("503 Service Unavailable\r\nretry-after: 18", Some(18)),
        ("400 Bad Request", None),
        ("404 Not Found", None),
    ] {
        platform.plans("/items", head, "");
        let went = platform.during(sends(&hook, at("10:01"))).await;
        assert_eq!(later(&went).1, asked.map(Duration::from_secs), "{head}");
    }
    platform.plans("/items", "410 Gone", "");
    let gone = platform.during(sends(&hook, at("10:01"))).await;
    assert!(matches!(gone, Went::Refused(_)), "{gone:?}");
    assert_eq!((platform.counts(), hook.trouble()), ((1, 6), None));
}

#[tokio::test]
async fn what_cannot_be_fetched_by_these_settings_is_told_at_the_start() {
    let platform = Platform::new().await;
    let origin = platform.origin();
    std::fs::write(platform.files.path().join("empty"), "\n").unwrap();
    let whole = sharepoint(&origin);
    let told = |more: &str| {
        let hook = hook_of(&origin, platform.files.path(), more);
        hook.err().map(|bad| bad.to_string()).unwrap_or_default()
    };
    assert_eq!(told(&whole), "");
    for (from, to, says) in [
        ("/items", "", "lists/LIST-ID/items"),
        (
            "/v1.0/sites/a.example,1,2/lists/3/items",
            "/sites/a/lists/b/items",
            "lists/LIST-ID/items",
        ),
        (origin.as_str(), "https://login.example.org/tenant", "`authority`"),
        (origin.as_str(), "http://login.example.org", "`authority`"),
        ("FILES/application", "FILES/nothing", "`application_secret_file`"),
        ("FILES/application", "FILES/empty", "is empty"),
    ] {
        let told = told(&whole.replace(from, to));
        assert!(told.contains(says) && told.contains("`intranet`"), "{to}: {told}");
    }
    for (from, to, says) in [
        ("/.api/api.svc/", "/", "wikiarticles/ARTICLE-ID/update"),
        ("FILES/member", "FILES/nothing", "`password_file`"),
    ] {
        let told = told(&IGLOO.replace(from, to));
        assert!(told.contains(says), "{to}: {told}");
    }
}

/// What is written into the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_secret_is_logged_whatever_becomes_of_it() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // where there is one alone, what another thread would log first is asked of that thread, which has none
    let _other = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let _logged = tracing::subscriber::set_default(subscriber);
    let platform = Platform::new().await;
    for (hook, fetch, post) in [
        (platform.sharepoint(), "/token", "/items"),
        (platform.igloo(), "/session/create", "/update"),
    ] {
        platform.plans(fetch, "401 Unauthorized", &format!("{{\"error\":\"{SECRET}\"}}"));
        platform.plans(post, "401 Unauthorized", "");
        platform.plans(post, "401 Unauthorized", "");
        for hour in ["10:00", "10:30", "12:00"] {
            platform.during(sends(&hook, at(hour))).await;
        }
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert_eq!(log.matches("a hook is not let in").count(), 4, "{log}");
    assert_eq!(log.matches("let in again").count(), 2, "{log}");
    for hidden in ["s3cret", "p4ss", "token-", "cc2ba556", "Bearer", "iglooauth"] {
        assert!(!log.contains(hidden), "{hidden}: {log}");
    }
}
