//! Tokens for tools: good for what they say, for as long as they say, for their own person, and for nothing once revoked.

use std::time::Duration;

use base64::Engine as _;
use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, End, MethodName, RevokedFor, Secret, TokenAct};
use wayleave::identity::users;

use crate::crashes::declaration;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden};
use crate::harness::{PASSWORD, World};
use crate::inbox::{opens, own_form, session};
use crate::purposes::socket_under_a_grant;
use crate::revocations::revokes;

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

/// Makes a token as `who`, and returns its id and its text.
pub async fn make(world: &World, who: &str, scope: &[&str]) -> (String, String) {
    let wanted = json!({ "name": "nightly", "scope": scope, "expires": "30d" });
    let made = wants(world, who, &wanted).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let json = made.json();
    (
        json["id"].as_str().unwrap().to_owned(),
        json["token"].as_str().unwrap().to_owned(),
    )
}

async fn wants(world: &World, who: &str, wanted: &Value) -> Answer {
    let request = Request::post(format!("{PORTAL}/v1/tokens"))
        .header("content-type", "application/json")
        .header("authorization", Client::basic(who, PASSWORD));
    world.client(who).send_with(request, wanted.to_string()).await
}

/// A tool that shows a token in the place of its person's password.
pub fn tool(world: &World, name: &str, token: &str) -> Client {
    Client {
        authorization: Some(Client::basic(name, token)),
        ..world.client("nobody")
    }
}

async fn get(client: &Client, path: &str) -> Answer {
    client.get(&format!("{PORTAL}{path}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_for_its_scope_and_for_nothing_else() {
    let world = World::open().await;
    let (_, reads) = make(&world, "ada", &["read"]).await;
    let (_, declares) = make(&world, "ada", &["declare"]).await;
    let (_, passes) = make(&world, "ada", &["proxy"]).await;
    let [reads, declares, passes] = [reads, declares, passes].map(|token| tool(&world, "ada", &token));
    assert_eq!(get(&reads, "/v1/grants").await.status, StatusCode::OK);
    let refused = reads.declare(&declaration()).await;
    assert_eq!(
        (refused.status, kind(&refused).as_str()),
        (StatusCode::FORBIDDEN, "token-scope")
    );
    assert_eq!(declares.declare(&declaration()).await.status, StatusCode::CREATED);
    assert_eq!(get(&declares, "/v1/grants").await.status, StatusCode::FORBIDDEN);
    let site = "https://www.linkedin.com/feed/";
    let shut = reads.get(site).await;
    assert_eq!(
        (shut.status, kind(&shut).as_str()),
        (StatusCode::FORBIDDEN, "token-scope")
    );
    assert_eq!(passes.get(site).await.status, StatusCode::OK);
    assert_eq!(get(&passes, "/v1/grants").await.status, StatusCode::FORBIDDEN);
    let seen = world.closed("www.linkedin.com", "/feed/").await;
    assert_eq!(seen.seen().subject.as_ref().unwrap().method, MethodName::Token);
    // pages are for people, and so is whatever takes a password: with one, too
    assert_eq!(
        reads.navigate(&format!("{PORTAL}/")).await.status,
        StatusCode::FORBIDDEN
    );
    for (path, body) in [
        ("/v1/tokens", json!({ "scope": ["proxy"] })),
        ("/v1/revocations", json!({ "all": true, "reason": "x" })),
        ("/v1/break-glass", declaration()),
        ("/v1/grants/x/approve", json!({})),
        ("/v1/grants/x/decline", json!({ "note": "x" })),
        ("/v1/grants/x/review", json!({ "accepted": true, "note": "x" })),
    ] {
        let request = Request::post(format!("{PORTAL}{path}"))
            .header("content-type", "application/json")
            .header("authorization", Client::basic("ada", PASSWORD));
        let refused = declares.send_with(request, body.to_string()).await;
        assert_eq!(
            (refused.status, kind(&refused).as_str()),
            (StatusCode::FORBIDDEN, "token-scope"),
            "{path}"
        );
    }
    assert_eq!(get(&reads, "/v1/tokens").await.status, StatusCode::FORBIDDEN);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_decided_about_others_takes_a_scope_of_its_own() {
    let world = World::open().await;
    let site = "https://www.linkedin.com/feed/";
    assert_eq!(world.client("ben").get(site).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.client("sol").get(site).await.status, StatusCode::FORBIDDEN);
    world.settled().await;
    let found = get(&world.client("sol"), "/v1/decisions?user=ben").await.json();
    let of_ben = format!("/v1/decisions/{}", found["decisions"][0]["id"].as_str().unwrap());
    let own = get(&world.client("sol"), "/v1/decisions").await.json();
    let own = format!("/v1/decisions/{}", own["decisions"][0]["id"].as_str().unwrap());

    let (_, reads) = make(&world, "sol", &["read"]).await;
    let (_, watches) = make(&world, "sol", &["decisions"]).await;
    let [reads, watches] = [reads, watches].map(|token| tool(&world, "sol", &token));
    for (path, is_about_others) in [
        ("/v1/decisions?all", true),
        ("/v1/decisions?user=ben", true),
        (&of_ben, true),
        ("/v1/decisions", false),
        (&own, false),
    ] {
        let (good, bad, scope) = if is_about_others {
            (&watches, &reads, "decisions")
        } else {
            (&reads, &watches, "read")
        };
        assert_eq!(get(good, path).await.status, StatusCode::OK, "{path}");
        let refused = get(bad, path).await;
        assert_eq!(
            (refused.status, kind(&refused).as_str(), &refused.json()["scope"]),
            (StatusCode::FORBIDDEN, "token-scope", &json!(scope)),
            "{path}"
        );
    }
    // what people stated takes the scope for that as well
    let (_, both) = make(&world, "sol", &["decisions", "read"]).await;
    let both = tool(&world, "sol", &both);
    for path in [
        "/v1/records",
        "/v1/records?kind=grants",
        "/v1/records?kind=grants&format=csv",
    ] {
        assert_eq!(get(&both, path).await.status, StatusCode::OK, "{path}");
        for (token, scope) in [(&watches, "read"), (&reads, "decisions")] {
            let refused = get(token, path).await;
            assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path} {scope}");
            assert_eq!(refused.json()["scope"], scope, "{path}");
        }
    }
    assert_eq!(get(&watches, "/v1/records?kind=flows").await.status, StatusCode::OK);
    // whom the rules let read nothing about others hears no more than that
    let (_, token) = make(&world, "dan", &["read"]).await;
    let dan = tool(&world, "dan", &token);
    assert_eq!(get(&dan, &of_ben).await.status, StatusCode::NOT_FOUND);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_declares_on_the_way_only_where_it_is_good_for_that() {
    let world = World::open().await;
    let site = "https://www.facebook.com/";
    let name = "carebot+customer-support";
    let (_, passes) = make(&world, "carebot", &["proxy"]).await;
    let refused = tool(&world, name, &passes).get(site).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN, "{}", refused.text());
    let held = get(&world.client("carebot"), "/v1/grants").await.json();
    assert_eq!(held["grants"], json!([]));
    let (_, both) = make(&world, "carebot", &["declare", "proxy"]).await;
    let passed = tool(&world, name, &both).get(site).await;
    assert_eq!(passed.status, StatusCode::OK, "{}", passed.text());
    // what is held by now is selected by either
    assert_eq!(tool(&world, name, &passes).get(site).await.status, StatusCode::OK);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_a_wrong_one_and_one_that_is_over_open_nothing() {
    let world = World::open().await;
    let (id, token) = make(&world, "ada", &["read", "proxy", "declare"]).await;
    let before = world.metric("wayleave_sign_in_failures_total").await.unwrap();
    let typo = token.replacen(&token[3..5], "zz", 1);
    let unknown = {
        let (other, theirs) = make(&world, "ben", &["read"]).await;
        assert_eq!(
            get(&tool(&world, "ben", &theirs), "/v1/grants").await.status,
            StatusCode::OK
        );
        let revoked = world.client("ben").delete(&format!("{PORTAL}/v1/tokens/{other}")).await;
        assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
        theirs
    };
    for (name, shown) in [("ben", &token), ("ada", &typo), ("ada", &unknown), ("ben", &unknown)] {
        let answer = get(&tool(&world, name, shown), "/v1/grants").await;
        assert_eq!(
            answer.status,
            StatusCode::PROXY_AUTHENTICATION_REQUIRED,
            "{name} {shown}"
        );
    }
    let after = world.metric("wayleave_sign_in_failures_total").await.unwrap();
    assert!((after - before - 4.0).abs() < 0.1, "wrong ones are counted");
    // with a name that selects a purpose, by itself, and beside what the proxy knows
    assert_eq!(
        get(&tool(&world, "ada+recruiting", &token), "/v1/grants").await.status,
        StatusCode::OK
    );
    let bearer = Client {
        authorization: Some(format!("Bearer {token}")),
        ..world.client("nobody")
    };
    assert_eq!(get(&bearer, "/v1/grants").await.status, StatusCode::OK);
    let beside = |who: &str, token: &str| {
        let request = Request::get(format!("{PORTAL}/v1/grants")).header("authorization", format!("Bearer {token}"));
        let client = world.client(who);
        async move { client.send(request).await }
    };
    assert_eq!(beside("ada", &token).await.status, StatusCode::OK);
    let of_another = beside("ben", &token).await;
    assert_eq!(
        (of_another.status, kind(&of_another).as_str()),
        (StatusCode::UNAUTHORIZED, "token-unfit")
    );
    assert!(of_another.header("www-authenticate").starts_with("Bearer"));
    // who may revoke it
    let by_another = world.client("ben").delete(&format!("{PORTAL}/v1/tokens/{id}")).await;
    assert_eq!(by_another.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&bearer, "/v1/grants").await.status, StatusCode::OK);
    world.clock.advance(Duration::from_hours(30 * 24));
    let expired = get(&bearer, "/v1/grants").await;
    assert_eq!(expired.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_on_a_token_is_cut_once_it_is_revoked() {
    let world = World::open().await;
    let (id, token) = make(&world, "ben", &["proxy"]).await;
    // a grant of his, under which a socket may be opened
    drop(socket_under_a_grant(&world).await);
    let socket = tool(&world, "ben", &token).socket("x.com", "/live").await;
    let mut socket = socket.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let revoked = world.client("ben").delete(&format!("{PORTAL}/v1/tokens/{id}")).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
    assert!(
        !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
        "the socket is cut"
    );
    let closing = world.closed_of(2, "x.com", "/live").await;
    assert!(matches!(&closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    let again = world.client("ben").delete(&format!("{PORTAL}/v1/tokens/{id}")).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
    let after = get(&tool(&world, "ben", &token), "/v1/grants").await;
    assert_eq!(after.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_survives_a_restart_and_its_text_stands_nowhere() {
    let mut world = World::open().await;
    let (id, token) = make(&world, "ada", &["read"]).await;
    assert_eq!(
        get(&tool(&world, "ada", &token), "/v1/grants").await.status,
        StatusCode::OK
    );
    world.reopen().await;
    assert_eq!(
        get(&tool(&world, "ada", &token), "/v1/grants").await.status,
        StatusCode::OK
    );
    let listed = get(&world.client("ada"), "/v1/tokens").await.json();
    assert_eq!(listed["tokens"][0]["id"], json!(id));
    assert_eq!(listed["tokens"][0]["used_on"], json!("2026-11-24"));
    assert_eq!(listed["tokens"][0]["token"], Value::Null);
    let acts = world
        .acts(|record| match &record.act {
            Act::Token { act, token, by, .. } => Some((*act, token.id.to_string(), by.to_string())),
            _ => None,
        })
        .await;
    assert_eq!(acts, [(TokenAct::Made, id, "ada".to_owned())]);
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("ada:{token}"));
    for file in walk(world.folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for secret in [token.as_bytes(), encoded.as_bytes()] {
            let found = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!found, "{}", file.display());
        }
    }
    world.close().await;
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else if path.is_file() {
            files.push(path);
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_takes_a_password_fits_and_is_one_of_sixteen() {
    let world = World::open().await;
    let unproven = world
        .client("ada")
        .post(
            &format!("{PORTAL}/v1/tokens"),
            "application/json",
            json!({ "scope": ["read"] }).to_string(),
        )
        .await;
    assert_eq!(
        (unproven.status, kind(&unproven).as_str()),
        (StatusCode::UNAUTHORIZED, "sign-in-again")
    );
    for bad in [
        json!({}),
        json!({ "scope": [] }),
        json!({ "scope": ["reed"] }),
        json!({ "scope": ["read"], "expires": "91d" }),
        json!({ "scope": ["read"], "expires": "soon" }),
        json!({ "scope": ["read"], "name": "x".repeat(61) }),
        json!({ "scope": ["read"], "nam": "x" }),
    ] {
        let unfit = wants(&world, "ada", &bad).await;
        assert_eq!(
            (unfit.status, kind(&unfit).as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "token-wish-unfit"),
            "{bad}"
        );
    }
    for _ in 0..16 {
        make(&world, "ada", &["read"]).await;
    }
    let one_more = wants(&world, "ada", &json!({ "scope": ["read"] })).await;
    assert_eq!(
        (one_more.status, kind(&one_more).as_str()),
        (StatusCode::CONFLICT, "too-many-tokens")
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_say_who_may_make_a_token() {
    let world = World::planned(|plan| {
        let rules = plan.folder.join("policies/rules/40-portal.cedar");
        let text = std::fs::read_to_string(&rules).unwrap();
        std::fs::write(
            &rules,
            text.replace(
                "context.lasts <= duration(\"90d\")",
                "context.lasts <= duration(\"1d\")",
            ),
        )
        .unwrap();
        std::fs::remove_file(plan.folder.join("policies/cases/portal.toml")).unwrap();
    })
    .await;
    let month = wants(&world, "ada", &json!({ "scope": ["read"], "expires": "30d" })).await;
    assert_eq!(
        (month.status, kind(&month).as_str()),
        (StatusCode::FORBIDDEN, "prohibited")
    );
    let day = wants(&world, "ada", &json!({ "scope": ["read"], "expires": "1d" })).await;
    assert_eq!(day.status, StatusCode::CREATED, "{}", day.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_a_token_is_made_shown_once_listed_and_revoked() {
    let world = World::open().await;
    let ada = world.client("ada");
    let away = ada.navigate(&format!("{PORTAL}/tokens")).await;
    assert_eq!(
        (away.status, away.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?to=/tokens")
    );
    let page = ada.navigate(&format!("{PORTAL}/sign-in?to=/tokens")).await.text();
    let fields = [("token", hidden(&page, "token")), ("to", hidden(&page, "to"))];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let signed_in = ada
        .own_form("/sign-in", &[&fields[..], &[("password", PASSWORD)]].concat())
        .await;
    assert_eq!(
        (signed_in.status, signed_in.header("location")),
        (StatusCode::SEE_OTHER, "/tokens"),
        "{}",
        signed_in.text()
    );
    let cookie = signed_in.header("set-cookie").split(';').next().unwrap().to_owned();
    let browser = |request: http::request::Builder| {
        request
            .header("cookie", &cookie)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("origin", PORTAL)
            .header("content-type", "application/x-www-form-urlencoded")
    };
    let page = ada.send(browser(Request::get(format!("{PORTAL}/tokens")))).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let token = hidden(&page.text(), "token");
    let post = || browser(Request::post(format!("{PORTAL}/tokens")));
    let empty = form(&[("token", &token), ("name", "nightly <b>"), ("days", "30")]);
    let unfit = ada.send_with(post(), empty).await;
    assert_eq!(unfit.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unfit.text().contains("nightly &#60;b&#62;") || unfit.text().contains("nightly &lt;b&gt;"),
        "{}",
        unfit.text()
    );
    let token = hidden(&unfit.text(), "token");
    let filled = form(&[
        ("token", &token),
        ("name", "nightly <b>"),
        ("days", "30"),
        ("scope-read", "yes"),
    ]);
    let made = ada.send_with(post(), filled).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let text = made.text();
    let at = text.find("wl_").unwrap();
    let secret = text[at..at + 75].to_owned();
    assert_eq!(
        get(&tool(&world, "ada", &secret), "/v1/grants").await.status,
        StatusCode::OK
    );

    let mine = ada.navigate(&format!("{PORTAL}/")).await.text();
    assert!(
        !mine.contains(&secret) && mine.contains("Used last on 24 Nov 2026"),
        "{mine}"
    );
    let action = mine.split("action=\"/tokens/").nth(1).unwrap();
    let (id, rest) = action.split_once("/revoke\"").unwrap();
    let revoke = hidden(rest, "token");
    let forged = ada.own_form(&format!("/tokens/{id}/revoke"), &[("token", "x")]).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
    let revoked = ada
        .own_form(&format!("/tokens/{id}/revoke"), &[("token", &revoke)])
        .await;
    assert_eq!(
        (revoked.status, revoked.header("location")),
        (StatusCode::SEE_OTHER, "/?token=revoked")
    );
    let over = get(&tool(&world, "ada", &secret), "/v1/grants").await;
    assert_eq!(over.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let french = Request::get(format!("{PORTAL}/")).header("accept-language", "fr");
    let french = ada.send(browser(french)).await.text();
    assert!(
        french.contains("Jetons pour vos outils") && french.contains("Vous n’avez aucun jeton."),
        "{french}"
    );
    world.close().await;
}

/// Why tokens were revoked, by the book: of whom, and what ended them.
async fn ended(world: &World) -> Vec<(String, String)> {
    world
        .acts(|record| match &record.act {
            Act::Token {
                act: TokenAct::Revoked,
                token,
                by,
                ..
            } => {
                let why = match token.revoked_for.as_ref()? {
                    RevokedFor::PasswordChanged => "password".to_owned(),
                    RevokedFor::AccountRemoved => "account".to_owned(),
                    RevokedFor::Revocation(ended) => format!("{}: {}", ended.by, ended.why),
                };
                assert!(by == &token.subject || why.starts_with(by.as_str()), "{by} {why}");
                Some((token.subject.to_string(), why))
            }
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_and_a_removed_account_end_the_tokens_of_their_person_also_in_tunnels() {
    let world = World::open().await;
    let (_, bens) = make(&world, "ben", &["proxy", "read"]).await;
    let (_, adas) = make(&world, "ada", &["read"]).await;
    let (_, dans) = make(&world, "dan", &["read"]).await;
    drop(socket_under_a_grant(&world).await);
    let mut socket = tool(&world, "ben", &bens).socket("x.com", "/live").await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));

    let accounts = &world.settings.identity.users;
    users::change(accounts, |users| {
        users.passwd("ben", &Secret::new("another horse"), 1)?;
        users.remove("ada")
    })
    .unwrap();
    assert!(
        !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
        "the socket is cut"
    );
    for (who, token) in [("ben", &bens), ("ada", &adas)] {
        world
            .until("the token is over", async |world| {
                let answer = get(&tool(world, who, token), "/v1/grants").await;
                answer.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
            })
            .await;
    }
    assert_eq!(
        get(&tool(&world, "dan", &dans), "/v1/grants").await.status,
        StatusCode::OK
    );
    let told = |who: &str, why: &str| (who.to_owned(), why.to_owned());
    world
        .until("the book says why", async |world| {
            ended(world).await == [told("ada", "account"), told("ben", "password")]
        })
        .await;
    // whoever has an account again finds what was over to be over
    let another = Client {
        authorization: Some(Client::basic("ben", "another horse")),
        ..world.client("nobody")
    };
    let mine = another.navigate(&format!("{PORTAL}/")).await.text();
    assert!(
        mine.contains("you have a new password since") && mine.contains("Token “nightly”"),
        "{mine}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_changes_while_no_gateway_runs_has_no_token_at_the_next_start() {
    let mut world = World::open().await;
    let (_, adas) = make(&world, "ada", &["read"]).await;
    let (_, dans) = make(&world, "dan", &["read"]).await;
    let accounts = world.settings.identity.users.clone();
    world
        .reopen_after(|| {
            let password = Secret::new(PASSWORD);
            users::change(&accounts, |users| users.passwd("ada", &password, 1)).unwrap();
        })
        .await;
    let over = get(&tool(&world, "ada", &adas), "/v1/grants").await;
    assert_eq!(over.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(
        get(&tool(&world, "dan", &dans), "/v1/grants").await.status,
        StatusCode::OK
    );
    assert_eq!(ended(&world).await, [("ada".to_owned(), "password".to_owned())]);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_accounts_file_is_not_there_no_token_is_good_and_none_is_over() {
    let mut world = World::open().await;
    let (_, adas) = make(&world, "ada", &["read"]).await;
    let accounts = world.settings.identity.users.clone();
    let aside = accounts.with_extension("aside");
    let answers = async |world: &World| get(&tool(world, "ada", &adas), "/v1/grants").await.status;
    std::fs::rename(&accounts, &aside).unwrap();
    world
        .until("no token is good", async |world| answers(world).await != StatusCode::OK)
        .await;
    assert_eq!(answers(&world).await, StatusCode::SERVICE_UNAVAILABLE);
    let no_accounts = async |world: &World| {
        let ready = world.admin("/readyz").await.json();
        ready["problems"].to_string().contains("put the accounts file back")
    };
    assert!(no_accounts(&world).await);
    world.reopen().await;
    assert!(no_accounts(&world).await, "a restart has not forgotten them");
    std::fs::rename(&aside, &accounts).unwrap();
    world
        .until("it is good again", async |world| answers(world).await == StatusCode::OK)
        .await;
    assert!(!no_accounts(&world).await);
    assert_eq!(ended(&world).await, []);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_rules_let_revoke_ends_tokens_by_id_by_person_and_all() {
    let world = World::open().await;
    let (one, first) = make(&world, "ada", &["read"]).await;
    let (_, second) = make(&world, "ada", &["read"]).await;
    let (_, bens) = make(&world, "ben", &["read"]).await;
    let (own, _) = make(&world, "sol", &["read"]).await;
    let sol = world.client("sol");
    let listed = get(&sol, "/v1/tokens?user=ada").await.json();
    assert_eq!(listed["tokens"].as_array().unwrap().len(), 2, "{listed}");
    assert_eq!(listed["tokens"][0]["subject"], json!("ada"));
    let of_none = get(&world.client("ben"), "/v1/tokens?user=ada").await.json();
    assert_eq!(
        of_none["tokens"],
        json!([]),
        "whether somebody has one is not for everybody"
    );
    let by_another = revokes(&world, "ben", &json!({ "token": one, "reason": "x" })).await;
    assert_eq!(by_another.status, StatusCode::NOT_FOUND, "{}", by_another.text());

    let dry = revokes(&world, "sol", &json!({ "user": "ada", "dry_run": true }))
        .await
        .json();
    assert_eq!((&dry["count"], &dry["token_count"]), (&json!(0), &json!(2)), "{dry}");
    let by_id = revokes(&world, "sol", &json!({ "token": one, "reason": "Seen on a forum" })).await;
    assert_eq!(by_id.status, StatusCode::OK, "{}", by_id.text());
    let told = &by_id.json()["tokens"][0];
    assert_eq!(
        (&told["id"], &told["revoked_for"]),
        (
            &json!(one),
            &json!({ "cause": "revocation", "by": "sol", "why": "Seen on a forum" })
        )
    );
    let over = get(&tool(&world, "ada", &first), "/v1/grants").await;
    assert_eq!(over.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(
        get(&tool(&world, "ada", &second), "/v1/grants").await.status,
        StatusCode::OK
    );
    let again = revokes(&world, "sol", &json!({ "token": one, "reason": "x" })).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);

    let mine = world.client("ada").navigate(&format!("{PORTAL}/")).await.text();
    assert!(mine.contains("Seen on a forum"), "she reads why: {mine}");
    let keyed = (
        "/v1/revocations",
        &json!({ "user": "ada", "reason": "A stolen laptop" }),
    );
    let by_person = crate::repeated::keyed(&sol, "sol", keyed, "k").await;
    assert_eq!(by_person.json()["token_count"], json!(1), "{}", by_person.text());
    let replayed = crate::repeated::keyed(&sol, "sol", keyed, "k").await;
    assert_eq!(
        (replayed.header("idempotency-replayed"), replayed.json()),
        ("true", by_person.json())
    );
    let over = get(&tool(&world, "ada", &second), "/v1/grants").await;
    assert_eq!(over.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let all = revokes(&world, "sol", &json!({ "all": true, "reason": "An incident" })).await;
    assert_eq!(all.json()["token_count"], json!(2), "{}", all.text());
    let over = get(&tool(&world, "ben", &bens), "/v1/grants").await;
    assert_eq!(over.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    let told = |who: &str, why: &str| (who.to_owned(), format!("sol: {why}"));
    let mut ended = ended(&world).await;
    // what ends together has no order
    ended[2..].sort();
    assert_eq!(
        ended,
        [
            told("ada", "Seen on a forum"),
            told("ada", "A stolen laptop"),
            told("ben", "An incident"),
            told("sol", "An incident"),
        ]
    );
    let gone = world.client("sol").delete(&format!("{PORTAL}/v1/tokens/{own}")).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_browser_the_security_team_finds_the_tokens_of_a_person_and_revokes_one() {
    let world = World::open().await;
    let (id, token) = make(&world, "ada", &["read"]).await;
    let sol = world.client("sol");
    let cookie = session(&sol).await;
    let page = opens(&sol, "/grants?user=ada", &cookie).await.text();
    assert!(page.contains("Tokens for tools") && page.contains("nightly"), "{page}");
    assert!(page.contains(&format!("/grants/revoke?token={id}")), "{page}");
    let sure = opens(&sol, &format!("/grants/revoke?token={id}"), &cookie).await.text();
    assert!(sure.contains("Revoke 1 token?"), "{sure}");
    let fields = [
        ("token", hidden(&sure, "token")),
        ("which-token", hidden(&sure, "which-token")),
    ];
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let fields = [&fields[..], &[("note", "Seen on a forum")]].concat();
    let revoked = own_form(&sol, "/grants/revoke", &cookie, &fields).await;
    assert_eq!(
        (revoked.status, revoked.header("location")),
        (StatusCode::SEE_OTHER, format!("/grants?revoked-token={id}").as_str()),
        "{}",
        revoked.text()
    );
    let told = opens(&sol, &format!("/grants?revoked-token={id}"), &cookie)
        .await
        .text();
    assert!(told.contains("The token is revoked"), "{told}");
    let over = get(&tool(&world, "ada", &token), "/v1/grants").await;
    assert_eq!(over.status, StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    // nobody else learns of it
    let ben = world.client("ben").navigate(&format!("{PORTAL}/grants?user=ada")).await;
    assert!(!ben.text().contains("nightly"), "{}", ben.text());
    world.close().await;
}
