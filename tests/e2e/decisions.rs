//! What was decided about others: found and watched by whom the rules let, and recorded that they did.

use std::time::Duration;

use futures_util::StreamExt;
use http::{Request, StatusCode, header};
use http_body_util::{BodyStream, Full};
use serde_json::Value;
use wayleave::facts::{AccessAct, Act};

use crate::approvals::without_cases;
use crate::harness::client::{Answer, Client, Sender};
use crate::harness::house::PORTAL;
use crate::harness::{Plan, World};

const FEED: &str = "https://www.linkedin.com/feed/";
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";

async fn listed(world: &World, user: &str, query: &str) -> Answer {
    world.client(user).get(&format!("{PORTAL}/v1/decisions{query}")).await
}

async fn page(world: &World, user: &str, path: &str) -> Answer {
    world.client(user).navigate(&format!("{PORTAL}{path}")).await
}

/// Who did what, with which outcome, the newest first.
fn told(answer: &Answer) -> Vec<[String; 3]> {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let body = answer.json();
    let decisions = body["decisions"].as_array().unwrap().iter();
    let word = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
    decisions
        .map(|one| ["user", "activity", "outcome"].map(|key| word(one, key)))
        .collect()
}

/// Who looked how at what.
async fn looks(world: &World) -> Vec<(String, AccessAct, Vec<(String, String)>)> {
    world
        .acts(|record| match &record.act {
            Act::Access { act, access, by, .. } => {
                let wanted = access.wanted.clone().into_iter().collect();
                Some((by.to_string(), *act, wanted))
            }
            _ => None,
        })
        .await
}

/// Ada reads under a purpose, Ben and Eve are refused.
async fn some_decisions(world: &World) {
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::OK);
    world.clock.advance(Duration::from_hours(1));
    assert_eq!(world.client("ben").get(FEED).await.status, StatusCode::FORBIDDEN);
    world.clock.advance(Duration::from_hours(1));
    let post = world.client("eve").post(SHARE, "application/json", "{}").await;
    assert_eq!(post.status, StatusCode::FORBIDDEN);
    world.settled().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_security_team_finds_decisions_by_what_they_are_about_and_that_is_recorded() {
    let world = World::open().await;
    some_decisions(&world).await;
    let all = [
        ["eve", "post", "deny"],
        ["ben", "browse", "declare"],
        ["ada", "browse", "allow"],
    ];
    assert_eq!(told(&listed(&world, "sol", "?all").await), all);
    for (query, expected) in [
        ("?user=eve", &all[..1]),
        ("?outcome=declare", &all[1..2]),
        ("?outcome=except-allow", &all[..2]),
        ("?platform=any&outcome=except-allow&user=ben", &all[1..2]),
        ("?purpose=recruiting", &all[2..]),
        ("?activity=browse", &all[1..]),
        ("?platform=linkedin&since=90m", &all[..2]),
        ("?until=90m", &all[2..]),
        ("?platform=x", &[]),
        ("?host=linkedin.com", &all[..]),
        ("?host=www.linkedin.com&user=ben", &all[1..2]),
        ("?host=x.com", &[]),
        ("?client=127.0.0.0/8", &all[..]),
        ("?client=127.0.0.1&user=eve", &all[..1]),
        ("?client=192.0.2.7", &[]),
        ("?policy=guard.interns-never-publish", &all[..1]),
        ("?let_pass=any", &[]),
    ] {
        assert_eq!(told(&listed(&world, "sol", query).await), expected, "{query}");
    }
    let ada = listed(&world, "sol", "?user=ada").await.json();
    let grant = ada["decisions"][0]["grant"].as_str().unwrap().to_owned();
    let under = listed(&world, "sol", &format!("?grant={grant}")).await;
    assert_eq!(told(&under), all[2..]);
    let whose = |record: &wayleave::facts::Record| match &record.act {
        Act::Access { access, .. } => access.whose.clone(),
        _ => None,
    };
    let whose = world.acts(whose).await;
    assert_eq!(whose.len(), 1);
    assert_eq!(
        whose[0].as_str(),
        "ada",
        "whoever asks the book who looked for her is told"
    );
    for written in [grant.to_uppercase(), grant.replace('-', ""), format!("%7B{grant}%7D")] {
        let under = listed(&world, "sol", &format!("?grant={written}")).await;
        assert_eq!(told(&under), all[2..], "{written}");
    }
    let connects = listed(&world, "sol", "?activity=connect&user=ada").await;
    assert_eq!(
        told(&connects),
        [["ada", "connect", "allow"]],
        "tunnels are told to whoever asks for them"
    );

    let first = listed(&world, "sol", "?all&limit=2").await;
    assert_eq!(told(&first), all[..2]);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(
        first.header("link").contains(&format!("after={next}")),
        "{}",
        first.header("link")
    );
    assert_eq!(
        told(&listed(&world, "sol", &format!("?all&limit=2&after={next}")).await),
        all[2..]
    );

    let looked = looks(&world).await;
    assert!(
        looked
            .iter()
            .all(|(by, act, _)| by == "sol" && *act == AccessAct::Searched)
    );
    let wanted = vec![
        ("platform".to_owned(), "linkedin".to_owned()),
        ("since".to_owned(), "90m".to_owned()),
    ];
    assert!(looked.iter().any(|(_, _, said)| *said == wanted), "{looked:?}");
    // and can be found as any other record
    let of_eve = looked
        .iter()
        .filter(|(_, _, said)| said.contains(&("user".to_owned(), "eve".to_owned())));
    assert_eq!(of_eve.count(), 2);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_reads_what_was_decided_about_others() {
    let world = World::planned(without_cases).await;
    some_decisions(&world).await;
    for who in ["ada", "mia", "hana", "nora"] {
        for path in ["/decisions", "/decisions?user=eve", "/decisions/live"] {
            assert_eq!(
                page(&world, who, path).await.status,
                StatusCode::NOT_FOUND,
                "{who} {path}"
            );
        }
        for query in ["?all", "?user=eve", "?user=eve&host=linkedin.com"] {
            assert_eq!(
                listed(&world, who, query).await.status,
                StatusCode::NOT_FOUND,
                "{who} {query}"
            );
        }
        assert!(!page(&world, who, "/").await.text().contains("/decisions\""), "{who}");
    }
    // one's own refusals are one's own, as ever, and all that one looks through
    for (query, found) in [
        ("", 1),
        ("?user=eve", 1),
        ("?outcome=deny&host=linkedin.com&activity=post", 1),
        ("?client=127.0.0.1&policy=guard.interns-never-publish", 1),
        ("?outcome=declare", 0),
        ("?outcome=except-allow&platform=any", 1),
        ("?host=x.com", 0),
        ("?since=1h", 1),
        ("?until=1h", 0),
    ] {
        let own = listed(&world, "eve", query).await.json();
        assert_eq!(own["decisions"].as_array().unwrap().len(), found, "{query}: {own}");
    }
    assert!(looks(&world).await.is_empty());

    // the rules say about whom: what they forbid is as if it were not there
    let apart = r#"@id("test.apart") @title("Apart") @reason("Apart.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource) when { resource in Department::"marketing" };
@id("test.dan") @title("Dan") @reason("Dan.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource == User::"dan");
"#;
    world.edit_rules("rules/90-test.cedar", apart).await;
    assert_eq!(told(&listed(&world, "sol", "?all").await), [["ada", "browse", "allow"]]);
    let errors = async |name: &str| {
        let answer = listed(&world, "sol", &format!("?user={name}")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
        answer.text().replace(name, "NAME")
    };
    assert_eq!(errors("eve").await, errors("nobody-at-all").await);
    // nor is it told by what is suggested: of those who are like it, the most alike of whom they may read
    let suggested = errors("dana").await;
    assert!(suggested.contains("Did you mean “hana”?"), "{suggested}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_wrongly_is_said_with_what_would_be_right() {
    let world = World::open().await;
    some_decisions(&world).await;
    let long = "a".repeat(200);
    let [long_policy, long_platform] = ["policy", "platform"].map(|filter| format!("?{filter}={long}"));
    // who asks, for what, and what they are told of which field
    for (who, query, field, right) in [
        ("sol", "?since=1h&until=2h", "until", "nothing lies between"),
        ("sol", long_policy.as_str(), "policy", "longer than any name"),
        ("eve", long_platform.as_str(), "platform", "longer than any name"),
        ("sol", "?since=soon", "since", "how long ago"),
        ("sol", "?outcome=perhaps", "outcome", "allow, declare, request and deny"),
        ("sol", "?all&after=one", "after", "as it was given"),
        ("sol", "?all&limit=0", "limit", "from 1 to 100"),
        ("sol", "?hots=www.linkedin.com", "hots", "Did you mean “host”?"),
        ("sol", "?all&colour=red", "colour", "There are user, host, client"),
        ("sol", "?user=ada&user=ben", "user", "Give it once"),
        ("sol", "?host=%20https://x.com/home", "host", "www.linkedin.com"),
        ("sol", "?client=office", "client", "192.0.2.0/24"),
        ("sol", "?grant=recruiting", "grant", "01a2059d-"),
        ("sol", "?let_pass=yes", "let_pass", "any, observe and coach"),
        ("sol", "?platform=linkdin", "platform", "Did you mean “linkedin”?"),
        ("sol", "?activity=pst", "activity", "Did you mean “post”?"),
        ("sol", "?purpose=recruting", "purpose", "Did you mean “recruiting”?"),
        (
            "sol",
            "?policy=guard.interns-never-publsh",
            "policy",
            "Did you mean “guard.interns-never-publish”?",
        ),
        ("sol", "?user=benn", "user", "Did you mean “ben”?"),
        ("sol", "?user=dan%20whitfield", "user", "Did you mean “dan”?"),
        ("sol", "?user=nobody-at-all", "user", "whose decisions you may read"),
        ("eve", "?hots=www.linkedin.com", "hots", "Did you mean “host”?"),
        ("eve", "?outcome=perhaps", "outcome", "allow, declare, request and deny"),
        ("eve", "?platform=linkdin", "platform", "Did you mean “linkedin”?"),
        (
            "eve",
            "?policy=guard.interns-never-publsh",
            "policy",
            "Did you mean “guard.interns-never-publish”?",
        ),
        (
            "ben",
            "?policy=guard.interns-never-publish",
            "policy",
            "No rule in force",
        ),
        ("eve", "?purpose=recruiting", "purpose", "Leave it out"),
    ] {
        let answer = listed(&world, who, query).await;
        let body = answer.json();
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{who} {query}: {body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(body["type"], "https://wayleave.example/problems/query-unfit");
        let wrong = &body["errors"][0];
        assert_eq!(wrong["field"], field, "{who} {query}: {body}");
        assert!(
            wrong["detail"].as_str().unwrap().contains(right),
            "{who} {query}: {body}"
        );
    }
    let many: String = (0..500).map(|number| format!("&colour{number}=red")).collect();
    let told = listed(&world, "sol", &format!("?all{many}")).await.json();
    assert_eq!(told["errors"].as_array().unwrap().len(), 16, "{told}");
    for (query, right) in [
        ("since=soon", "how long ago"),
        ("platform=linkdin", "Did you mean “linkedin”?"),
        ("hots=x.com", "Did you mean “host”?"),
    ] {
        for path in ["/decisions", "/decisions/live"] {
            let shown = page(&world, "sol", &format!("{path}?{query}")).await;
            assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {query}");
            assert!(shown.text().contains(right), "{path} {query}: {}", shown.text());
        }
    }
    // an account that the directory does not know can be somebody's: whoever may read of such follows it
    let shown = page(&world, "sol", "/decisions?user=nobody-at-all").await;
    assert_eq!(shown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        shown.text().contains("whose decisions you may read"),
        "{}",
        shown.text()
    );
    assert!(
        shown.text().contains("data-from=\"/decisions/live?user=nobody-at-all"),
        "{}",
        shown.text()
    );
    let sol = world.client("sol");
    let mut watch = Watch::open(&world, &sol, "?user=nobody-at-all").await;
    watch.until("retry: 2000").await.unwrap();
    drop(watch);
    let shown = page(&world, "sol", "/decisions?since=soon&lang=fr").await;
    assert_eq!(
        shown.status,
        StatusCode::SEE_OTHER,
        "the choice of a language is no filter"
    );
    let shown = page(&world, "sol", "/decisions?since=soon&host=linkedin.com")
        .await
        .text();
    assert!(
        shown.contains("role=\"alert\"")
            && shown.contains("value=\"soon\"")
            && shown.contains("value=\"linkedin.com\""),
        "{shown}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_bore_a_name_that_is_gone_is_found_by_it_all_the_same() {
    let world = World::planned(without_cases).await;
    let closed = r#"@id("test.closed") @title("Closed") @reason("This corner is closed.") @owner("IT")
forbid (principal, action in Action::"activity", resource) when { context.request.path like "/corner/*" };
"#;
    world.edit_rules("rules/90-test.cedar", closed).await;
    let corner = world.client("ben").get("https://www.linkedin.com/corner/one").await;
    assert_eq!(corner.status, StatusCode::FORBIDDEN);
    world.settled().await;
    world.edit_rules("rules/90-test.cedar", "// nothing\n").await;
    let found = listed(&world, "sol", "?policy=test.closed").await;
    assert_eq!(told(&found).len(), 1, "{}", found.text());
    let shown = page(&world, "sol", "/decisions?policy=test.closed").await.text();
    assert!(shown.contains("Ben Okafor"), "{shown}");
    assert!(!shown.contains("data-from"), "nothing new will ever bear it: {shown}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_leads_to_its_grant_and_to_what_else_passed_under_it() {
    let world = World::open().await;
    some_decisions(&world).await;
    let found = listed(&world, "sol", "?user=ada").await.json();
    let one = &found["decisions"][0];
    let (id, grant) = (one["id"].as_str().unwrap(), one["grant"].as_str().unwrap());
    let shown = page(&world, "sol", &format!("/decisions/{id}")).await.text();
    for link in [
        format!("href=\"/grants/{grant}\""),
        format!("href=\"/decisions?grant={grant}\""),
        "href=\"/decisions?user=ada\"".to_owned(),
        "href=\"/grants?user=ada\"".to_owned(),
    ] {
        assert!(shown.contains(&link), "{link}: {shown}");
    }
    let held = page(&world, "sol", &format!("/grants/{grant}")).await;
    assert_eq!(held.status, StatusCode::OK);
    let text = held.text();
    let decisions = format!("/decisions?grant={grant}");
    for part in ["Ada Mertens", decisions.as_str()] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("/grants/revoke"), "it has run out: {text}");
    let live = world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let text = page(&world, "sol", &format!("/grants/{}", live.id)).await.text();
    assert!(text.contains(&format!("/grants/revoke?grant={}", live.id)), "{text}");
    let own = page(&world, "ada", &format!("/grants/{grant}")).await.text();
    assert!(!own.contains("/grants/revoke") && !own.contains(&decisions), "{own}");
    for who in ["ben", "eve"] {
        let other = page(&world, who, &format!("/grants/{grant}")).await;
        assert_eq!(other.status, StatusCode::NOT_FOUND, "{who}");
    }
    let refused = of_eve(&world).await;
    let shown = page(&world, "sol", &format!("/decisions/{refused}")).await.text();
    assert!(!shown.contains("href=\"/grants/"), "nothing was held: {shown}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_the_newest_without_a_script_and_leads_on() {
    let world = World::open().await;
    some_decisions(&world).await;
    let own = page(&world, "sol", "/").await.text();
    assert!(own.contains("href=\"/decisions\""), "{own}");
    let shown = page(&world, "sol", "/decisions?user=eve").await;
    let text = shown.text();
    assert_eq!(shown.status, StatusCode::OK);
    for part in ["Eve Tanaka", "Denied", "LinkedIn", "refused, 403", "value=\"eve\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // its link knows where it is in the records
    let (_, link) = text.split_once("href=\"/decisions/").unwrap();
    let (link, _) = link.split_once('"').unwrap();
    assert!(link.contains("?line=1-"), "{link}");
    let one = page(&world, "sol", &format!("/decisions/{link}")).await;
    assert_eq!(one.status, StatusCode::OK);
    assert!(one.text().contains("Denied: Eve Tanaka"), "{}", one.text());
    assert!(!text.contains("Ben Okafor"), "{text}");
    let policy = shown.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"),
        "{policy}"
    );
    assert!(
        !text.contains("http-equiv"),
        "nothing reloads by itself unless that was chosen"
    );
    let reloading = page(&world, "sol", "/decisions?reload").await.text();
    assert!(
        reloading.contains("<meta http-equiv=\"refresh\" content=\"30\">"),
        "{reloading}"
    );
    // what a client sent is text and nothing else
    let odd = page(&world, "sol", "/decisions?user=%22%3E%3Cscript%3E").await.text();
    assert!(odd.contains("value=\"&#34;&#62;&#60;script&#62;\""), "{odd}");
    world.close().await;
}

/// The events of a stream as they come.
struct Watch {
    events: std::pin::Pin<Box<dyn futures_util::Stream<Item = String> + Send>>,
    text: String,
    // the connection ends with it
    _sender: Sender<Full<hyper::body::Bytes>>,
}

impl Watch {
    async fn open(world: &World, client: &Client, query: &str) -> Self {
        let inside = client.offering(&[b"http/1.1"]).inside("wayleave.internal").await;
        world.sends(1);
        let mut sender = Sender::on(inside, false).await;
        let request = Request::get(format!("/decisions/live{query}"))
            .header(header::HOST, "wayleave.internal")
            .header("sec-fetch-site", "same-origin")
            .header(header::ACCEPT, "text/event-stream");
        let response = sender.send(request.body(Full::default()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        let frames = BodyStream::new(response.into_body());
        let texts = frames.filter_map(async |frame| {
            let data = frame.ok()?.into_data().ok()?;
            Some(String::from_utf8_lossy(&data).into_owned())
        });
        Self {
            events: Box::pin(texts),
            text: String::new(),
            _sender: sender,
        }
    }

    /// Reads on until `part` has come; none where the stream ended before.
    async fn until(&mut self, part: &str) -> Option<()> {
        let mut found = self.text.contains(part);
        while !found {
            // what came before was looked at, but for what may go on in what comes
            let seen = self.text.len().saturating_sub(part.len());
            let more = self.events.next().await?;
            self.text.push_str(&more);
            let new = self.text.as_bytes().get(seen..).unwrap_or_default();
            found = String::from_utf8_lossy(new).contains(part);
        }
        Some(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_watches_sees_decisions_once_they_are_on_disk_and_until_the_rules_change() {
    let world = World::planned(without_cases).await;
    let sol = world.client("sol");
    let mut watch = Watch::open(&world, &sol, "?platform=linkedin").await;
    watch.until("retry: 2000").await.unwrap();
    assert_eq!(
        world.client("ben").get("https://x.com/home").await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(world.client("ben").get(FEED).await.status, StatusCode::FORBIDDEN);
    watch.until("event: decision").await.unwrap();
    watch.until("\n\n").await.unwrap();
    // how far it has come may be told before
    let mut data = watch.text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data = data.find(|data| data.contains("\"who\"")).unwrap();
    let told: Value = serde_json::from_str(data).unwrap();
    let said = ["who", "place", "kind", "outcome"].map(|key| told[key].as_str().unwrap());
    assert_eq!(said, ["Ben Okafor", "LinkedIn", "declare", "Needs a purpose"]);
    assert!(
        world
            .records_text()
            .await
            .contains(told["href"].as_str().unwrap().rsplit('/').next().unwrap())
    );
    assert!(
        watch.text.contains("\nid: ") || watch.text.starts_with("id: "),
        "{}",
        watch.text
    );
    let wanted = vec![("platform".to_owned(), "linkedin".to_owned())];
    assert_eq!(looks(&world).await, [("sol".to_owned(), AccessAct::Watched, wanted)]);

    // whoever may no longer is not told any more
    let closed = r#"@id("test.closed") @title("Closed") @reason("Closed.") @owner("IT")
forbid (principal, action == Action::"see-decisions", resource);
"#;
    world.edit_rules("rules/90-test.cedar", closed).await;
    assert!(watch.until("never").await.is_none(), "{}", watch.text);
    assert_eq!(
        page(&world, "sol", "/decisions/live").await.status,
        StatusCode::NOT_FOUND
    );
    world.close().await;
}

/// So many refusals, each told with so long a name, are more than sockets hold on the way to somebody.
const REFUSALS: usize = 200;
const LONG: usize = 40_000;

/// Ben has a long name, which each decision about him is told with, twice.
fn with_a_long_name(plan: &mut Plan) {
    let people = plan.folder.join("policies/people/people.toml");
    let text = std::fs::read_to_string(&people).unwrap();
    let long = format!("\"Ben {}\"", "o".repeat(LONG));
    assert!(text.contains("\"Ben Okafor\""));
    std::fs::write(&people, text.replace("\"Ben Okafor\"", &long)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_reads_no_more_holds_up_neither_traffic_nor_the_records_nor_the_stop() {
    let world = World::planned(with_a_long_name).await;
    let sol = world.client("sol");
    let mut watch = Watch::open(&world, &sol, "").await;
    watch.until("retry").await.unwrap();
    // it is open, and nobody reads it
    let traffic = async {
        let ben = world.client("ben");
        for _ in 0..REFUSALS {
            assert_eq!(ben.get(FEED).await.status, StatusCode::FORBIDDEN);
        }
        world.gate().book().flush().await.unwrap();
    };
    let passed = tokio::time::timeout(Duration::from_mins(2), traffic).await;
    assert!(
        passed.is_ok(),
        "whoever does not read holds up what others do, or its record"
    );
    assert_eq!(world.admin("/readyz").await.status, StatusCode::OK);
    let stopped = tokio::time::timeout(Duration::from_mins(2), world.close()).await;
    assert!(stopped.is_ok(), "whoever does not read holds up the stop");
    // what was on its way is less than all: so it was held up itself
    while let Some(more) = watch.events.next().await {
        watch.text.push_str(&more);
    }
    let told = watch.text.matches("event: decision").count();
    assert!(told < REFUSALS, "{told} of {REFUSALS} fitted into the sockets");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_between_the_page_and_the_live_view_is_not_lost_and_what_fits_nothing_is_not_missed() {
    let world = World::open().await;
    let sol = world.client("sol");
    let shown = page(&world, "sol", "/decisions?platform=linkedin").await.text();
    let (_, from) = shown.split_once("data-from=\"/decisions/live?").unwrap();
    let (query, _) = from.split_once('"').unwrap();
    let query = query.replace("&#38;", "&");
    assert!(query.starts_with("platform=linkedin&after="), "{query}");
    // after the page was made, and before anybody follows
    assert_eq!(world.client("ben").get(FEED).await.status, StatusCode::FORBIDDEN);
    world.settled().await;
    let mut watch = Watch::open(&world, &sol, &format!("?{query}")).await;
    watch.until("Ben Okafor").await.unwrap();
    assert!(!watch.text.contains("event: missed"), "{}", watch.text);

    // what does not fit is told as far as that it was looked at
    assert_eq!(
        world.client("ben").get("https://x.com/home").await.status,
        StatusCode::FORBIDDEN
    );
    let before = std::mem::take(&mut watch.text);
    watch.until("event: looked").await.unwrap();
    watch.until("\n\n").await.unwrap();
    let last = |text: &str| -> u64 {
        let mut ids = text.lines().filter_map(|line| line.strip_prefix("id: "));
        ids.next_back().unwrap().parse().unwrap()
    };
    assert!(last(&watch.text) > last(&before), "{before}{}", watch.text);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_somebody_else_fills_in_what_to_look_for_and_looks_for_nothing() {
    let world = World::open().await;
    some_decisions(&world).await;
    let sol = world.client("sol");
    let led = |path: &str, site: &str| {
        Request::get(format!("{PORTAL}{path}"))
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", site)
            .header(header::ACCEPT, "text/html,*/*;q=0.8")
    };
    for site in ["cross-site", "same-site"] {
        let shown = sol.send(led("/decisions?user=eve&reload", site)).await;
        assert_eq!(shown.status, StatusCode::OK);
        let text = shown.text();
        assert!(
            text.contains("A link led you here") && text.contains("value=\"eve\""),
            "{text}"
        );
        assert!(
            !text.contains("Eve Tanaka") && !text.contains("http-equiv") && !text.contains("data-from"),
            "{text}"
        );
        let live = sol.send(led("/decisions/live?user=eve", site)).await;
        assert_eq!(live.status, StatusCode::NOT_FOUND);
    }
    assert!(looks(&world).await.is_empty());
    let shown = sol.send(led("/decisions?user=eve", "same-origin")).await.text();
    assert!(
        shown.contains("Eve Tanaka") && !shown.contains("A link led you here"),
        "{shown}"
    );
    assert_eq!(looks(&world).await.len(), 1);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_of_somebody_else_to_a_decision_shows_it_once_that_is_asked_for() {
    let world = World::open().await;
    some_decisions(&world).await;
    let id = of_eve(&world).await;
    let none = "01a2059d-b664-7ced-a00f-becb38361f7b";
    let before = looks(&world).await.len();
    let led = |who: &str, path: String, site: &str, language: &str| {
        let request = Request::get(format!("{PORTAL}{path}"))
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-site", site)
            .header(header::ACCEPT, "text/html,*/*;q=0.8")
            .header(header::ACCEPT_LANGUAGE, language);
        let client = world.client(who);
        async move { client.send(request).await }
    };
    for site in ["cross-site", "same-site"] {
        for path in [format!("/decisions/{id}?line=1-0"), format!("/decisions/{none}")] {
            let shown = led("sol", path.clone(), site, "en").await;
            assert_eq!(shown.status, StatusCode::OK);
            let text = shown.text();
            assert!(
                text.contains("A link led you here") && text.contains(&format!("href=\"{path}\"")),
                "{text}"
            );
            assert!(!text.contains("Eve Tanaka"), "{text}");
        }
        let french = led("sol", format!("/decisions/{id}"), site, "fr").await.text();
        assert!(french.contains("Afficher la décision"), "{french}");
        // and whoever may not read it is told no more than ever
        let theirs = led("ada", format!("/decisions/{id}"), site, "en").await;
        assert_eq!(theirs.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(looks(&world).await.len(), before, "nothing was recorded");
    let shown = led("sol", format!("/decisions/{id}"), "same-origin", "en").await.text();
    assert!(shown.contains("Denied: Eve Tanaka"), "{shown}");
    let last = looks(&world).await.pop().unwrap();
    assert_eq!((last.0.as_str(), last.1), ("sol", AccessAct::Explained));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_site_watches_or_reads() {
    let world = World::open().await;
    let foreign = |path: &str| {
        Request::get(format!("{PORTAL}{path}"))
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty")
    };
    let sol = world.client("sol");
    for path in ["/decisions/live", "/decisions", "/v1/decisions?all"] {
        let answer = sol.send(foreign(path)).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(looks(&world).await.is_empty());
    world.close().await;
}

/// The record of the flow that Eve's post was.
async fn of_eve(world: &World) -> String {
    let found = listed(world, "sol", "?user=eve").await.json();
    found["decisions"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_is_explained_in_full_under_the_rules_of_its_day_and_that_is_recorded() {
    let world = World::planned(without_cases).await;
    some_decisions(&world).await;
    let id = of_eve(&world).await;
    let ruled = world.gate().live().load().rulebook.id().to_string();
    let shown = page(&world, "sol", &format!("/decisions/{id}")).await;
    assert_eq!(shown.status, StatusCode::OK);
    let text = shown.text();
    for part in [
        "Denied: Eve Tanaka",
        "it comes out as it was recorded",
        "Interns do not publish on social media.",
        "guard.interns-never-publish",
        "rules/30-guardrails.cedar:",
        "principal.employment = Employment::",
        "POST www.linkedin.com:443/voyager/api/contentcreation/normShares",
        &format!("/rulebook/{ruled}"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("<script"), "{text}");
    let explained = |record: &wayleave::facts::Record| match &record.act {
        Act::Access {
            act: AccessAct::Explained,
            access,
            by,
            ..
        } => {
            let whose = access.whose.as_ref().map(ToString::to_string);
            Some((by.to_string(), whose, access.record.as_ref().map(ToString::to_string)))
        }
        _ => None,
    };
    let looked = ("sol".to_owned(), Some("eve".to_owned()), Some(id.clone()));
    assert_eq!(world.acts(explained).await, [looked]);

    // other rules are in force by now, and do not change what was
    let open = r#"@id("test.closed") @title("Closed") @reason("All is closed.") @owner("IT")
forbid (principal, action in Action::"activity", resource);
"#;
    world.edit_rules("rules/90-test.cedar", open).await;
    let told = world.client("sol").get(&format!("{PORTAL}/v1/decisions/{id}")).await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text());
    let told = told.json();
    assert_eq!(told["same"], true);
    assert_eq!(told["policy_revision"], ruled);
    assert_eq!(told["explanation"]["policies"][0]["id"], "guard.interns-never-publish");
    assert!(!told.to_string().contains("All is closed."), "{told}");
    // what else would change it is said in the reader's language, as all else is
    let french = Request::get(format!("{PORTAL}/decisions/{id}"))
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("sec-fetch-site", "same-origin")
        .header(header::ACCEPT, "text/html,*/*;q=0.8")
        .header(header::ACCEPT_LANGUAGE, "fr");
    let french = world.client("sol").send(french).await.text();
    let (_, french) = french.split_once("<h2 id=\"what-if\">").unwrap();
    let (french, _) = french.split_once("</section>").unwrap();
    let others = told["what_if"].as_array().unwrap();
    assert!(!others.is_empty(), "{told}");
    for other in others {
        let change = other["change"].as_str().unwrap();
        let shown = change.split('`').enumerate().fold(String::new(), |said, (at, part)| {
            let mark = ["", "\u{201c}", "\u{201d}"][if at == 0 { 0 } else { 2 - at % 2 }];
            said + mark + part
        });
        assert!(text.contains(&shown) || change.starts_with("from "), "{shown}: {text}");
        assert!(!french.contains(change), "{change}: {french}");
    }
    assert!(!french.contains("lang=\"en\""), "{french}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_is_not_theirs_to_read_looks_alike() {
    let world = World::open().await;
    some_decisions(&world).await;
    let id = of_eve(&world).await;
    let nothing = "01a2059d-b664-7ced-a00f-becb38361f7b";
    for who in ["ada", "mia", "hana"] {
        let [theirs, none] = [id.as_str(), nothing].map(|id| format!("/decisions/{id}"));
        let (theirs_page, none_page) = (page(&world, who, &theirs).await, page(&world, who, &none).await);
        assert_eq!([theirs_page.status, none_page.status], [StatusCode::NOT_FOUND; 2]);
        let call = async |path: &str| world.client(who).get(&format!("{PORTAL}/v1{path}")).await;
        let (theirs_told, none_told) = (call(&theirs).await, call(&none).await);
        assert_eq!([theirs_told.status, none_told.status], [StatusCode::NOT_FOUND; 2]);
        assert_eq!(theirs_told.text(), none_told.text(), "{who}");
        for path in ["/rulebook", "/health", "/rulebook/sha256:0"] {
            assert_eq!(
                page(&world, who, path).await.status,
                StatusCode::NOT_FOUND,
                "{who} {path}"
            );
        }
    }
    for odd in [nothing, "one", "..%2f..%2fetc", "%00"] {
        let answer = page(&world, "sol", &format!("/decisions/{odd}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{odd}");
        let answer = page(&world, "sol", &format!("/rulebook/{odd}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{odd}");
    }
    let own = world.client("eve").get(&format!("{PORTAL}/v1/decisions/{id}")).await;
    assert_eq!(own.status, StatusCode::OK, "one's own refusal is one's own");
    let looked = looks(&world).await;
    assert!(
        looked.iter().all(|(_, act, _)| *act != AccessAct::Explained),
        "{looked:?}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_in_force_are_shown_with_what_became_of_those_before_and_of_those_refused() {
    let world = World::planned(without_cases).await;
    let first = world.gate().live().load().rulebook.id().to_string();
    world.clock.advance(Duration::from_hours(1));
    let closed = r#"@id("test.closed") @title("Closed") @reason("This corner is closed.") @owner("marketing")
forbid (principal, action in Action::"activity", resource in Category::"social-media") when { context.request.path like "/corner/*" };
"#;
    world.edit_rules("rules/90-test.cedar", closed).await;
    let second = world.gate().live().load().rulebook.id().to_string();
    let shown = page(&world, "sol", "/rulebook").await;
    assert_eq!(shown.status, StatusCode::OK);
    let text = shown.text();
    for part in [
        second.as_str(),
        "They have ruled since",
        "Mode: It enforces",
        "rules/90-test.cedar",
        "<h3>Closed</h3><p>This corner is closed.</p>",
        "new rules took effect",
        "the gateway started",
        "The security team may read what was decided about others",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let past = page(&world, "sol", &format!("/rulebook/{first}")).await;
    assert_eq!(past.status, StatusCode::OK);
    assert!(past.text().contains("Rules that were in force") && !past.text().contains("This corner is closed."));

    world.write_policy(
        "rules/90-test.cedar",
        "permit (principal, action == Action::\"brwse\", resource);\n",
    );
    world
        .until("the mistake is refused, and recorded", async |world| {
            let ready = world.admin("/readyz").await.json();
            let is_refused = !ready["problems"].as_array().unwrap().is_empty();
            is_refused && world.records_text().await.contains("rulebook-refused")
        })
        .await;
    let text = page(&world, "sol", "/rulebook").await.text();
    assert!(
        text.contains("Newer rules were refused") && text.contains("rules/90-test.cedar:1:"),
        "{text}"
    );
    world
        .until("it is known what was proved", async |world| {
            let health = page(world, "sol", "/health").await.text();
            health.contains("Nothing was proved of any rules")
        })
        .await;
    let health = page(&world, "sol", "/health").await.text();
    let version = format!("wayleave {}, started", env!("CARGO_PKG_VERSION"));
    for part in [
        "traffic may come",
        "rules/90-test.cedar:1:",
        "They can be kept",
        "The authority can sign until",
        "Rules in force <span class=\"tag deny\">look here</span>",
        "what stands in the folder has been refused since",
        "It enforces: what the rules refuse does not pass.",
        "Nothing was proved of any rules",
        "The TLS door shows none before the next client comes",
        "Wrong proofs of identity: 0 in the last hour",
        "it has run for 1 hour",
        version.as_str(),
    ] {
        assert!(health.contains(part), "{part}: {health}");
    }

    // a guess, a client at the TLS door, and rules that are good again
    let guess = Client::basic("ben", "a guess");
    let guess = world
        .stranger()
        .with_hop_field("proxy-authorization", &guess)
        .get(FEED)
        .await;
    assert_eq!(guess.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    world.edit_rules("rules/90-test.cedar", "// nothing\n").await;
    world
        .until("nothing is refused any more", async |world| {
            world.admin("/readyz").await.json()["problems"] == Value::Array(Vec::new())
        })
        .await;
    let door = world.client_on_tls_door("sol", b"h2");
    let health = door.navigate(&format!("{PORTAL}/health")).await.text();
    for part in [
        "rule, as the folder has them.",
        "The one that the TLS door shows ends on",
        "Wrong proofs of identity: 1 in the last hour, 1 since the start.",
    ] {
        assert!(health.contains(part), "{part}: {health}");
    }
    assert!(!health.contains("look here"), "{health}");
    world.close().await;
}
