//! Telling people what they wait for, by a real mail server: in time, encrypted, once, and again where it was in vain.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use socket2::Socket;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdout, Command};
use wayleave::config::File;
use wayleave::facts::{Mailbox, NoticeEvent};
use wayleave::notices::{Kind, Security, Webhook};

use crate::crashes::Site;
use crate::harness::client::Client;
use crate::harness::house::PORTAL;
use crate::harness::origin::{Authority, Papers, where_nobody_listens};
use crate::harness::{PASSWORD, World, copy, shipped_policies};

const HOST: &str = "mail.example.org";

/// A mail server, what it is to be like, and where.
pub struct Post {
    folder: TempDir,
    pub port: u16,
    /// Keeps the port from everybody else while the server is down.
    _reserved: Socket,
    plan: Value,
    running: Option<(Child, Lines<BufReader<ChildStdout>>)>,
}

impl Post {
    /// One that is down, at a port of its own.
    pub fn down() -> Self {
        let (address, reserved) = where_nobody_listens();
        Self {
            folder: TempDir::new().unwrap(),
            port: address.port(),
            _reserved: reserved,
            plan: json!({"refused": [], "grey": [], "user": null, "password": null, "implicit": false}),
            running: None,
        }
    }

    /// Has the gateway write to it.
    pub fn is_set(&self, settings: &mut File) {
        let smtp = &mut settings.notices.smtp;
        smtp.host = Some(HOST.parse_host());
        smtp.from = Some(Mailbox::parse("gate@example.org").unwrap());
        let to = format!("127.0.0.1:{}", self.port);
        settings.upstream.map.insert(HOST.to_owned(), to);
    }

    /// The same once it is up, with papers of this authority.
    pub async fn up(&mut self, papers: &Authority) {
        let (chain, key) = papers.papers(HOST, Papers::Good);
        let file = |name: &str, label: &str, der: &[u8]| {
            let path = self.folder.path().join(name);
            let text = STANDARD.encode(der);
            let lines = text
                .as_bytes()
                .chunks(64)
                .map(|line| std::str::from_utf8(line).unwrap());
            let lines: Vec<&str> = lines.collect();
            let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
            std::fs::write(&path, pem).unwrap();
            path
        };
        self.plan["certificate"] = json!(file("mail.pem", "CERTIFICATE", &chain[0]));
        self.plan["key"] = json!(file("mail.key", "PRIVATE KEY", key.secret_der()));
        self.plan["port"] = json!(self.port);
        // the system's own Python, for which Debian packages the server
        let mut child = Command::new("/usr/bin/python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/mail_server.py"))
            .arg(self.plan.to_string())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap();
        let first = first.expect("the mail server runs (install it with: apt-get install python3-aiosmtpd)");
        assert_eq!(serde_json::from_str::<Value>(&first).unwrap()["port"], self.port);
        self.running = Some((child, lines));
    }

    /// What it tells next.
    async fn tells(&mut self) -> Value {
        let (_, lines) = self.running.as_mut().unwrap();
        let line = tokio::time::timeout(Duration::from_mins(1), lines.next_line()).await;
        let line = line.expect("nothing came").unwrap().expect("the mail server ended");
        serde_json::from_str(&line).unwrap()
    }

    pub async fn letter(&mut self) -> Letter {
        Letter(self.tells().await)
    }

    /// Takes it down, and waits until its port is let go; what it got and nobody has looked at.
    pub async fn stop(&mut self) -> Vec<Value> {
        let (mut child, mut lines) = self.running.take().unwrap();
        child.kill().await.unwrap();
        let mut rest = Vec::new();
        while let Some(line) = lines.next_line().await.unwrap() {
            rest.push(serde_json::from_str(&line).unwrap());
        }
        rest
    }
}

trait ParseHost {
    fn parse_host(&self) -> wayleave::facts::Host;
}

impl ParseHost for str {
    fn parse_host(&self) -> wayleave::facts::Host {
        wayleave::facts::Host::parse(self).unwrap()
    }
}

/// A letter as the server got it.
pub struct Letter(Value);

impl Letter {
    pub fn head(&self, name: &str) -> String {
        let text = self.0["text"].as_str().unwrap().replace("\r\n ", "\n ");
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let value = head
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}: ")))
            .unwrap();
        value.to_owned()
    }

    pub fn subject(&self) -> String {
        let text = self.0["text"].as_str().unwrap();
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        let unfolded = head.replace("\r\n ", " ");
        let line = unfolded
            .lines()
            .find_map(|line| line.strip_prefix("Subject: "))
            .unwrap();
        let words = line.split(' ').map(|word| {
            let encoded = word.strip_prefix("=?utf-8?B?").and_then(|word| word.strip_suffix("?="));
            encoded.map(|encoded| String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap())
        });
        words.collect::<Option<String>>().unwrap_or_else(|| line.to_owned())
    }

    pub fn body(&self) -> String {
        let text = self.0["text"].as_str().unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let text = String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).unwrap()).unwrap();
        text.replace('\u{a0}', " ")
    }

    pub fn to(&self) -> &Value {
        &self.0["to"][0]
    }
}

/// Gives people addresses, and languages.
pub fn write_addresses(policies: &Path) {
    let path = policies.join("people/people.toml");
    let mut text = std::fs::read_to_string(&path).unwrap();
    for (name, language) in [("ben", "en"), ("mia", "fr"), ("nora", "en"), ("pia", "en")] {
        let head = format!("id = \"{name}\"\n");
        assert!(text.contains(&head), "{name}");
        let more = format!("{head}email = \"{name}@example.org\"\nlanguage = \"{language}\"\n");
        text = text.replace(&head, &more);
    }
    std::fs::write(&path, text).unwrap();
}

pub async fn world(post: &Post, differ: impl FnOnce(&mut File)) -> World {
    World::planned(|plan| {
        write_addresses(&plan.folder.join("policies"));
        post.is_set(&mut plan.settings);
        differ(&mut plan.settings);
    })
    .await
}

fn brand(statement: &str) -> Value {
    json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": statement})
}

/// Ben asks to publish for the brand on X, which Mia can approve; gives the request.
pub async fn asks(world: &World) -> String {
    let answer = world.client("ben").declare(&brand("Launch of the new bicycle")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn answers(world: &World, id: &str, verb: &str, note: &str) {
    let request = Request::post(format!("{PORTAL}/v1/grants/{id}/{verb}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic("mia", PASSWORD));
    let answer = world
        .client("mia")
        .send_with(request, json!({"note": note}).to_string())
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

async fn counted(world: &World, outcome: &str, count: f64) {
    let series = format!(r#"wayleave_notices_total{{channel="email",outcome="{outcome}"}}"#);
    let what = format!("{count} {outcome}");
    world
        .until(&what, async |world| world.metric(&series).await == Some(count))
        .await;
}

pub async fn nothing_waits(world: &World) {
    waiting(world, 0.0).await;
}

/// So much waits, that which is due later included: what was sent before is noted.
async fn waiting(world: &World, count: f64) {
    let what = format!("{count} wait");
    world
        .until(&what, async |world| {
            world.metric("wayleave_notices_waiting").await == Some(count)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_approve_is_written_to_and_whoever_asked_hears_the_answer_each_in_their_language() {
    let mut post = Post::down();
    post.plan["user"] = json!("gate");
    post.plan["password"] = json!("s3cret of the gate");
    let password = post.folder.path().join("password");
    std::fs::write(&password, "s3cret of the gate\n").unwrap();
    let world = world(&post, |settings| {
        settings.notices.smtp.user = Some("gate".to_owned());
        settings.notices.smtp.password_file = Some(password);
    })
    .await;
    post.up(&world.origins).await;
    let id = asks(&world).await;
    let asked = post.letter().await;
    assert_eq!(asked.to(), "mia@example.org");
    assert_eq!(
        (
            &asked.0["from"],
            &asked.0["encrypted"],
            &asked.0["user"],
            &asked.0["ehlo"]
        ),
        (
            &json!("gate@example.org"),
            &json!(true),
            &json!("gate"),
            &json!("[127.0.0.1]")
        )
    );
    assert_eq!(
        asked.subject(),
        "Ben Okafor demande «\u{a0}Publication au nom de la marque\u{a0}»"
    );
    assert_eq!(asked.head("Content-Language"), "fr");
    let body = asked.body();
    for said in [
        "En ses termes : Launch of the new bicycle",
        "Répondre : https://wayleave.internal/approvals",
        &id,
    ] {
        assert!(body.contains(said), "{said}: {body}");
    }
    answers(&world, &id, "approve", "Good luck").await;
    let approved = post.letter().await;
    assert_eq!(approved.to(), "ben@example.org");
    assert!(approved.subject().starts_with("Approved: "), "{}", approved.subject());
    assert!(
        approved.body().contains("Mia Castellano wrote: Good luck"),
        "{}",
        approved.body()
    );
    assert_ne!(approved.head("Message-ID"), asked.head("Message-ID"));
    counted(&world, "sent", 2.0).await;
    nothing_waits(&world).await;
    world.close().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_must_approve_as_well_is_told_and_alternates_when_their_time_has_come() {
    let mut post = Post::down();
    let mut world = World::planned(|plan| {
        let policies = plan.folder.join("policies");
        write_addresses(&policies);
        let path = policies.join("purposes.toml");
        let terms = std::fs::read_to_string(&path).unwrap();
        let named = "id = \"executive-communication\"";
        assert!(terms.contains(named));
        let others = "alternates = { after = \"15m\", who = [\"mia\"] }";
        std::fs::write(&path, terms.replace(named, &format!("{named}\n{others}"))).unwrap();
        post.is_set(&mut plan.settings);
    })
    .await;
    post.up(&world.origins).await;
    let id = crate::chains::asked(&world).await;
    let asked = post.letter().await;
    assert_eq!(asked.to(), "nora@example.org", "nobody knows where to write to Lea");
    let lea = crate::chains::answers(&world, "lea", (&id, "approve"), json!({})).await;
    assert_eq!(lea.status, StatusCode::OK, "{}", lea.text());
    let more = post.letter().await;
    assert_eq!(more.to(), "nora@example.org");
    assert!(
        more.subject().starts_with("Approved in part: Pia "),
        "{}",
        more.subject()
    );
    assert!(more.body().contains("Approved so far: Lea "), "{}", more.body());
    assert_ne!(more.head("Message-ID"), asked.head("Message-ID"));
    counted(&world, "sent", 2.0).await;
    world.reopen().await;
    world.clock.advance(Duration::from_mins(15));
    let late = post.letter().await;
    assert_eq!(late.to(), "mia@example.org");
    assert!(
        late.subject().contains("les suppléants peuvent maintenant répondre"),
        "{}",
        late.subject()
    );
    nothing_waits(&world).await;
    world.close().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_puts_off_or_refuses_is_heard_and_one_that_is_down_stops_nothing() {
    let mut post = Post::down();
    post.plan["grey"] = json!(["ben@example.org"]);
    post.plan["refused"] = json!(["mia@example.org"]);
    let world = world(&post, |_| ()).await;
    // down: the request is taken all the same
    let id = asks(&world).await;
    counted(&world, "put-off", 1.0).await;
    assert_eq!(world.metric("wayleave_notices_waiting").await, Some(1.0));
    post.up(&world.origins).await;
    world.clock.advance(Duration::from_secs(31));
    counted(&world, "refused", 1.0).await;
    let health = async || world.client("sol").navigate(&format!("{PORTAL}/health")).await.text();
    // one mailbox that is gone is no trouble of e-mail
    assert!(!health().await.contains("the server refuses RCPT TO"));
    answers(&world, &id, "decline", "Not this week").await;
    assert_eq!(post.tells().await["put_off"], "ben@example.org");
    counted(&world, "put-off", 2.0).await;
    world.clock.advance(Duration::from_secs(31));
    let declined = post.letter().await;
    assert!(declined.body().contains("Why: Not this week"), "{}", declined.body());
    counted(&world, "sent", 1.0).await;
    nothing_waits(&world).await;
    assert!(!health().await.contains("has got through"));
    world.close().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_takes_is_given_up_and_what_nobody_waits_for_any_more_is_not_sent() {
    let post = Post::down();
    let world = world(&post, |settings| settings.notices.give_up_after_h = 1).await;
    let health = async || {
        let page = world.client("sol").navigate(&format!("{PORTAL}/health")).await;
        assert_eq!(page.status, StatusCode::OK);
        page.text()
    };
    assert!(health().await.contains("0 wait to be sent."));
    let id = asks(&world).await;
    counted(&world, "put-off", 1.0).await;
    let piled = health().await;
    for part in [
        "Notices to people <span class=\"tag deny\">",
        "Nothing of this gateway has got through by e-mail since",
    ] {
        assert!(piled.contains(part), "{part}: {piled}");
    }
    answers(&world, &id, "decline", "No").await;
    counted(&world, "put-off", 2.0).await;
    world.clock.advance(Duration::from_hours(1));
    counted(&world, "moot", 1.0).await;
    counted(&world, "given-up", 1.0).await;
    nothing_waits(&world).await;
    let lost = health().await;
    assert!(
        lost.contains("has got through by e-mail since"),
        "what was given up was told to nobody: {lost}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_who_it_should_be_is_told_nothing() {
    for security in [Security::Required, Security::Implicit] {
        let mut post = Post::down();
        post.plan["implicit"] = json!(security == Security::Implicit);
        let world = world(&post, |settings| settings.notices.smtp.tls = security).await;
        post.up(&Authority::new()).await;
        asks(&world).await;
        counted(&world, "put-off", 1.0).await;
        assert_eq!(post.stop().await, [Value::Null; 0]);
        post.up(&world.origins).await;
        world.clock.advance(Duration::from_secs(31));
        let letter = post.letter().await;
        assert_eq!(
            (letter.to(), &letter.0["encrypted"]),
            (&json!("mia@example.org"), &json!(true))
        );
        world.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_emergency_is_told_to_owner_and_security_at_once_and_when_its_review_is_overdue() {
    let mut post = Post::down();
    let world = world(&post, |settings| {
        settings.notices.security = vec![Mailbox::parse("soc@example.org").unwrap()];
    })
    .await;
    post.up(&world.origins).await;
    let what = json!({
        "purpose": "crisis-response", "platforms": ["x"], "ticket": "INC-7", "statement": "The plant is on fire",
    });
    let call = Request::post(format!("{PORTAL}/v1/break-glass")).header(header::CONTENT_TYPE, "application/json");
    let broke = world.client("pia").send_with(call, what.to_string()).await;
    assert_eq!(broke.status, StatusCode::CREATED, "{}", broke.text());
    let told = async |post: &mut Post, count: usize| {
        let mut told = Vec::new();
        for _ in 0..count {
            let letter = post.letter().await;
            told.push((letter.to().as_str().unwrap().to_owned(), letter.subject()));
        }
        told.sort();
        told
    };
    let broke = "Pia Keller broke the glass for “Crisis response”".to_owned();
    assert_eq!(
        told(&mut post, 2).await,
        [
            ("nora@example.org".to_owned(), broke.clone()),
            ("soc@example.org".to_owned(), broke)
        ]
    );
    // a day later whoever had not noted yet that a letter was sent would be taken for gone
    waiting(&world, 1.0).await;
    world.clock.advance(Duration::from_hours(24));
    let overdue = told(&mut post, 3).await;
    let to: Vec<&str> = overdue.iter().map(|(to, _)| to.as_str()).collect();
    assert_eq!(to, ["nora@example.org", "pia@example.org", "soc@example.org"]);
    assert!(
        overdue[0].1.starts_with("Nobody reviewed that Pia Keller"),
        "{}",
        overdue[0].1
    );
    nothing_waits(&world).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_tells_after_its_next_start_and_once() {
    let mut post = Post::down();
    // takes connections, and says nothing: the gateway is killed while it waits
    let silent = TcpListener::bind(("127.0.0.1", post.port)).await.unwrap();
    let site = Site::planned(|settings| {
        let policies = settings.audit.folder.parent().unwrap().join("policies");
        copy(&shipped_policies(), &policies);
        write_addresses(&policies);
        settings.policies.folder = policies;
        post.is_set(settings);
    })
    .await;
    let running = site.start().await;
    let ben = site.client(&running, "ben");
    let answer = ben.declare(&brand("Launch of the new bicycle")).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let (connection, _) = silent.accept().await.unwrap();
    let mut running = running;
    running.child.kill().await.unwrap();
    drop((connection, silent));
    post.up(site.origins()).await;
    let running = site.start().await;
    let letter = post.letter().await;
    assert_eq!(letter.to(), "mia@example.org");
    let client = site.client(&running, "ben");
    crate::crashes::eventually("nothing waits", async || {
        let page = crate::harness::house::admin(running.admin, "/metrics").await.text();
        crate::harness::house::sample(&page, "wayleave_notices_waiting") == Some(0.0)
    })
    .await;
    drop(client);
    running.stop().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_posted_as_each_address_wants_it_signed_where_it_is_for_programs_and_once() {
    let files = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let hook = |name: &str, kind, path: &str| Webhook {
        name: name.to_owned(),
        kind,
        url_file: file(name, &format!("https://hooks.example.org{path}\n")),
        ..Webhook::default()
    };
    let world = World::planned(|plan| {
        plan.settings.notices.webhooks = vec![
            Webhook {
                secret_file: file("secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n"),
                ..hook("programs", Kind::Generic, "/programs?key=s3cret")
            },
            Webhook {
                user: Some("gate".to_owned()),
                password_file: file("password", "open\n"),
                ..hook("jive", Kind::Jive, "/api/core/v3/contents")
            },
            Webhook {
                user: Some("gate".to_owned()),
                password_file: file("password", "open\n"),
                ..hook("signals", Kind::Socialtext, "/data/signals")
            },
            Webhook {
                events: vec![NoticeEvent::BrokeGlass.into()],
                ..hook("emergencies", Kind::Slack, "/slack")
            },
        ];
    })
    .await;
    asks(&world).await;
    let sent = |kind: &str| format!(r#"wayleave_notices_total{{channel="{kind}",outcome="sent"}}"#);
    world
        .until("all are posted", async |world| {
            let counted = [
                world.metric(&sent("generic")).await,
                world.metric(&sent("jive")).await,
                world.metric(&sent("socialtext")).await,
            ];
            counted == [Some(1.0); 3]
        })
        .await;
    nothing_waits(&world).await;
    let mut posted = world.origin.received();
    posted.retain(|one| one.host == "hooks.example.org");
    posted.sort_by(|one, other| one.path_and_query.cmp(&other.path_and_query));
    let [jive, signals, programs] = posted.as_slice() else {
        panic!("{posted:#?}")
    };
    assert_eq!(jive.path_and_query, "/api/core/v3/contents");
    assert_eq!(jive.headers[header::AUTHORIZATION], Client::basic("gate", "open"));
    let discussion: Value = serde_json::from_slice(&jive.body).unwrap();
    assert_eq!(discussion["type"], "discussion");
    assert_eq!(signals.path_and_query, "/data/signals");
    assert_eq!(signals.headers[header::AUTHORIZATION], Client::basic("gate", "open"));
    assert_eq!(signals.headers[header::CONTENT_TYPE], "application/json; charset=UTF-8");
    let signal: Value = serde_json::from_slice(&signals.body).unwrap();
    let text = signal["signal"].as_str().unwrap();
    assert!(
        text.starts_with("Ben Okafor ") && text.ends_with("https://wayleave.internal/approvals"),
        "{text}"
    );
    assert_eq!(signal.as_object().unwrap().len(), 1, "{signal}");
    assert_eq!(programs.path_and_query, "/programs?key=s3cret");
    let field = |name: &str| programs.headers[name].to_str().unwrap();
    let body = std::str::from_utf8(&programs.body).unwrap();
    let key = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &key);
    let content = format!("{}.{}.{body}", field("webhook-id"), field("webhook-timestamp"));
    let signature = STANDARD
        .decode(field("webhook-signature").strip_prefix("v1,").unwrap())
        .unwrap();
    assert!(aws_lc_rs::hmac::verify(&key, content.as_bytes(), &signature).is_ok());
    let event: Value = serde_json::from_str(body).unwrap();
    assert_eq!(
        (&event["type"], &event["data"]["grant"]["holder"]),
        (&json!("grant.waits"), &json!("ben"))
    );
    for one in &posted {
        assert!(
            !String::from_utf8_lossy(&one.body).contains("bicycle"),
            "nothing that people wrote"
        );
    }
    world.close().await;
}

/// The gateway posts to `SharePoint` and Igloo, as members of a tenant that the first host signs in for.
async fn with_sessions(files: &TempDir, tenant: &str) -> World {
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let hook = |name: &str, kind, url: &str| Webhook {
        name: name.to_owned(),
        kind,
        url_file: file(name, url),
        application: Some("app-1".to_owned()),
        application_secret_file: file("application", "s3cret\n"),
        ..Webhook::default()
    };
    World::planned(|plan| {
        plan.settings.notices.webhooks = vec![
            Webhook {
                tenant: Some(tenant.to_owned()),
                column: Some("Details".to_owned()),
                ..hook(
                    "list",
                    Kind::Sharepoint,
                    "https://graph.microsoft.us/v1.0/sites/a/lists/b/items",
                )
            },
            Webhook {
                user: Some("gate".to_owned()),
                password_file: file("password", "p4ss\n"),
                ..hook(
                    "article",
                    Kind::Igloo,
                    "https://igloo.example.org/.api/api.svc/wikiarticles/a1/update",
                )
            },
        ];
    })
    .await
}

async fn posted(world: &World, kind: &str, (outcome, count): (&str, f64)) {
    let series = format!(r#"wayleave_notices_total{{channel="{kind}",outcome="{outcome}"}}"#);
    world
        .until(&series, async |world| world.metric(&series).await == Some(count))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sharepoint_and_igloo_get_what_happens_with_what_is_fetched_where_their_cloud_signs_in() {
    let files = TempDir::new().unwrap();
    let world = with_sessions(&files, "example.onmicrosoft.us").await;
    asks(&world).await;
    posted(&world, "sharepoint", ("sent", 1.0)).await;
    posted(&world, "igloo", ("sent", 1.0)).await;
    nothing_waits(&world).await;
    let received = world.origin.received();
    let one = |host: &str, path: &str| {
        let mut found = received
            .iter()
            .filter(|one| one.host == host && one.path_and_query == path);
        let (one, more) = (found.next(), found.next());
        assert!(more.is_none(), "{more:?}");
        one.unwrap_or_else(|| panic!("{host}{path}: {received:#?}"))
    };
    let fetched = one("login.microsoftonline.us", "/example.onmicrosoft.us/oauth2/v2.0/token");
    let form: Vec<(String, String)> = form_urlencoded::parse(&fetched.body).into_owned().collect();
    let scope = ("scope".to_owned(), "https://graph.microsoft.us/.default".to_owned());
    assert!(form.contains(&scope), "{form:?}");
    let item = one("graph.microsoft.us", "/v1.0/sites/a/lists/b/items");
    assert_eq!(item.headers[header::AUTHORIZATION], "Bearer of.the.tests");
    one("igloo.example.org", "/.api/api.svc/session/create");
    let article = one("igloo.example.org", "/.api/api.svc/wikiarticles/a1/update");
    assert_eq!(article.headers[header::COOKIE], "iglooauth=cc2ba556-6d29");
    assert!(!article.headers.contains_key(header::AUTHORIZATION));
    for one in [item, article] {
        assert!(
            !String::from_utf8_lossy(&one.body).contains("bicycle"),
            "nothing that people wrote"
        );
    }
    assert_eq!(world.metric("wayleave_notices_shut_out").await, Some(0.0));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_that_is_not_let_in_is_told_where_operators_look_and_holds_up_no_other() {
    let files = TempDir::new().unwrap();
    let world = with_sessions(&files, "stranger").await;
    let asked = asks(&world).await;
    posted(&world, "sharepoint", ("put-off", 1.0)).await;
    posted(&world, "igloo", ("sent", 1.0)).await;
    assert_eq!(world.metric("wayleave_notices_shut_out").await, Some(1.0));
    let health = world.client("sol").navigate(&format!("{PORTAL}/health")).await.text();
    for part in [
        "Notices to people <span class=\"tag deny\">",
        "Web hooks that are not let in: 1.",
        "Nothing of this gateway has got through by the web hook list since",
    ] {
        assert!(health.contains(part), "{part}: {health}");
    }
    let ready = world.admin("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "traffic may come all the same");
    let said = ready.text();
    for words in [
        "`list` is not let in",
        "invalid_client (AADSTS7000215)",
        "`application_secret_file`",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("s3cret"), "{said}");
    waiting(&world, 1.0).await;
    // whoever mends nothing is not tried again at once
    let fetched = || {
        let received = world.origin.received();
        received
            .iter()
            .filter(|one| one.path_and_query.starts_with("/stranger/"))
            .count()
    };
    assert_eq!(fetched(), 1);
    world.clock.advance(Duration::from_secs(61));
    // what is put off is put off from the hour in which it failed, so that must not have been two hours later
    posted(&world, "sharepoint", ("put-off", 2.0)).await;
    assert_eq!(fetched(), 2);

    // once nobody waits to hear anything, nothing is wrong with how they are told
    let taken_back = world.client("ben").delete(&format!("{PORTAL}/v1/grants/{asked}")).await;
    assert_eq!(taken_back.status, StatusCode::OK, "{}", taken_back.text());
    world.clock.advance(Duration::from_hours(2));
    world
        .until("it is forgotten that the hook was not let in", async |world| {
            world.metric("wayleave_notices_shut_out").await == Some(0.0)
        })
        .await;
    waiting(&world, 0.0).await;
    let said = world.admin("/readyz").await.text();
    assert!(!said.contains("not let in"), "{said}");
    let health = world.client("sol").navigate(&format!("{PORTAL}/health")).await.text();
    assert!(!health.contains("Nothing has got through"), "{health}");
    assert_eq!(fetched(), 2, "and nobody asked again for nothing");
    world.close().await;
}

/// Ada states that she looks for candidates for two hours, and does so or not; gives the grant.
async fn recruits(world: &World, platform: &str, uses: bool) -> String {
    let stated = json!({"purpose": "recruiting", "platforms": [platform], "covers": ["read"], "duration": "PT2H",
                        "statement": "Looking for a tester"});
    let ada = world.client("ada");
    let given = ada.declare(&stated).await;
    assert_eq!(given.status, StatusCode::CREATED, "{}", given.text());
    if uses {
        assert_eq!(ada.get("https://www.linkedin.com/feed/").await.status, StatusCode::OK);
    }
    given.json()["id"].as_str().unwrap().to_owned()
}

/// A world in which Ada reads French, and has an address.
async fn with_ada(post: &Post, differ: impl FnOnce(&mut File)) -> World {
    World::planned(|plan| {
        let path = plan.folder.join("policies/people/people.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let head = "id = \"ada\"\n";
        assert!(text.contains(head));
        let more = format!("{head}email = \"ada@example.org\"\nlanguage = \"fr\"\n");
        std::fs::write(&path, text.replace(head, &more)).unwrap();
        post.is_set(&mut plan.settings);
        differ(&mut plan.settings);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_used_what_expired_is_asked_once_what_came_of_it_and_answers_by_the_link() {
    let mut post = Post::down();
    let mut world = with_ada(&post, |_| ()).await;
    post.up(&world.origins).await;
    // at noon on Tuesday, in Paris
    let used = recruits(&world, "linkedin", true).await;
    let unused = recruits(&world, "xing", false).await;
    nothing_waits(&world).await;
    world.clock.advance(Duration::from_hours(3));
    let own = world.client("ada").navigate(&format!("{PORTAL}/")).await.text();
    assert!(own.contains(&format!("/grants/{used}/outcome")), "{own}");
    assert!(
        !own.contains(&format!("/grants/{unused}/outcome")),
        "nobody is asked about what they never used"
    );
    // a start in between asks neither twice nor never
    world.reopen().await;
    world.clock.advance(Duration::from_hours(20));
    let asked = post.letter().await;
    assert_eq!(
        (asked.to(), asked.head("Content-Language").as_str()),
        (&json!("ada@example.org"), "fr")
    );
    assert_eq!(
        asked.subject(),
        "Qu’est-il ressorti de «\u{a0}Recrutement\u{a0}»\u{a0}?"
    );
    let body = asked.body();
    let link = format!("{PORTAL}/grants/{used}");
    assert!(body.contains(&link) && body.contains("Candidats contactés"), "{body}");
    assert!(!body.contains(&unused), "{body}");
    counted(&world, "sent", 1.0).await;
    // one click from the letter there is the form
    let ada = world.client("ada");
    let page = ada.follow(&link, "none").await.text();
    let path = format!("/grants/{used}/outcome");
    let form = page.split(&path).nth(1).unwrap_or_else(|| panic!("{page}"));
    let token = crate::harness::house::hidden(form, "token");
    let said = ada
        .own_form(&path, &[("token", &token), ("amount", "12"), ("note", "")])
        .await;
    assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text());
    world.clock.advance(Duration::from_hours(48));
    nothing_waits(&world).await;
    world.close().await;
    assert_eq!(post.stop().await, [Value::Null; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_expired_until_a_morning_is_asked_in_one_letter_and_what_was_answered_is_not() {
    let mut post = Post::down();
    let world = with_ada(&post, |_| ()).await;
    post.up(&world.origins).await;
    let first = recruits(&world, "linkedin", true).await;
    world.clock.advance(Duration::from_hours(3));
    let second = recruits(&world, "linkedin", true).await;
    world.clock.advance(Duration::from_hours(3));
    let third = recruits(&world, "linkedin", true).await;
    world.clock.advance(Duration::from_hours(3));
    let answer =
        Request::post(format!("{PORTAL}/v1/grants/{first}/outcome")).header(header::CONTENT_TYPE, "application/json");
    let answer = world
        .client("ada")
        .send_with(answer, json!({"skip": true}).to_string())
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.clock.advance(Duration::from_hours(14));
    let body = post.letter().await.body();
    assert!(body.contains(&second) && body.contains(&third), "{body}");
    assert!(!body.contains(&format!("/grants/{first}")), "{body}");
    counted(&world, "sent", 1.0).await;
    nothing_waits(&world).await;
    world.close().await;
    assert_eq!(post.stop().await, [Value::Null; 0], "one letter a day");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_asked_by_letter_who_answered_before_or_where_that_is_not_wanted() {
    for asks in [true, false] {
        let mut post = Post::down();
        let world = with_ada(&post, |settings| settings.notices.outcomes.ask = asks).await;
        post.up(&world.origins).await;
        let used = recruits(&world, "linkedin", true).await;
        world.clock.advance(Duration::from_hours(3));
        if asks {
            let answer = Request::post(format!("{PORTAL}/v1/grants/{used}/outcome"));
            let answer = answer.header(header::CONTENT_TYPE, "application/json");
            let answer = world
                .client("ada")
                .send_with(answer, json!({"amount": 3}).to_string())
                .await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        }
        world.clock.advance(Duration::from_hours(24));
        nothing_waits(&world).await;
        world.close().await;
        assert_eq!(post.stop().await, [Value::Null; 0], "{asks}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_of_the_morning_that_is_put_off_once_is_sent_all_the_same() {
    let mut post = Post::down();
    post.plan["grey"] = json!(["ada@example.org"]);
    let world = with_ada(&post, |settings| settings.notices.give_up_after_h = 12).await;
    post.up(&world.origins).await;
    recruits(&world, "linkedin", true).await;
    world.clock.advance(Duration::from_hours(3));
    nothing_waits(&world).await;
    world.clock.advance(Duration::from_hours(20));
    assert_eq!(post.tells().await["put_off"], "ada@example.org");
    counted(&world, "put-off", 1.0).await;
    world.clock.advance(Duration::from_secs(31));
    post.letter().await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stated_before_anybody_was_told_of_anything_is_asked_with_what_was_stated_since() {
    let mut post = Post::down();
    let mut world = with_ada(&post, |settings| settings.notices.smtp.host = None).await;
    post.up(&world.origins).await;
    let older = recruits(&world, "linkedin", true).await;
    post.is_set(&mut world.settings);
    world.reopen().await;
    world.clock.advance(Duration::from_hours(3));
    let newer = recruits(&world, "linkedin", true).await;
    world.clock.advance(Duration::from_hours(3));
    nothing_waits(&world).await;
    world.clock.advance(Duration::from_hours(17));
    let body = post.letter().await.body();
    assert!(body.contains(&older) && body.contains(&newer), "{body}");
    world.close().await;
}
