//! Several gateways behind a load balancer: a person comes to any of them with each request, and finds what another began;
//! and what is over at one is over at all.

use std::time::Duration;

use http::{Request, StatusCode, header};
use wayleave::facts::Secret;
use wayleave::identity::users;

use crate::crashes::eventually;
use crate::database::Server;
use crate::gateways::shared;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, hidden};
use crate::harness::{PASSWORD, World};
use crate::inbox::{asks_at, buttons, cookie, opens, own_form, session, signs_in};

const FEED: &str = "https://www.linkedin.com/feed/?filter=people";
const WHY: &str = "Looking for a Rust engineer in Lyon";

/// Two gateways of one ledger.
pub async fn two(server: &Server) -> (World, World) {
    let url = server.database("ledger");
    let gateway = async |name: &str| World::planned(|plan| plan.settings.ledger = shared(&url, name)).await;
    (gateway("east").await, gateway("west").await)
}

/// The same person at each.
pub fn both(worlds: (&World, &World), user: &str) -> (Client, Client) {
    (worlds.0.client(user), worlds.1.client(user))
}

/// Where a redirect leads.
pub fn onward(answer: &Answer) -> String {
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let to = answer.header("location");
    if to.starts_with('/') {
        format!("{PORTAL}{to}")
    } else {
        to.to_owned()
    }
}

pub fn recruiting<'a>(refusal: &'a str, token: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("refusal", refusal),
        ("token", token),
        ("purpose", "recruiting"),
        ("statement", WHY),
    ]
}

/// What the page behind the link of a refusal at one gateway holds at the other: the refusal's name and the form's token.
pub async fn page_at_the_other(one: &Client, other: &Client) -> (String, String) {
    let refused = one.navigate(FEED).await;
    let page = other.follow(&onward(&refused), "cross-site").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    (hidden(&page.text(), "refusal"), hidden(&page.text(), "token"))
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_refusal_to_the_site_each_step_is_taken_at_another_gateway_than_the_one_before() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "ada");
    let link = onward(&here.navigate(FEED).await);
    assert!(link.len() < 150 && !link.contains("linkedin"), "{link}");
    let page = there.follow(&link, "cross-site").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let (refusal, token) = (hidden(&page.text(), "refusal"), hidden(&page.text(), "token"));
    // too short: the form comes back, from a gateway that neither refused nor made it
    let short = [
        ("refusal", refusal.as_str()),
        ("token", &token),
        ("purpose", "recruiting"),
        ("statement", "jobs"),
    ];
    let short = here.own_form("/declare", &short).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", short.text());
    let token = hidden(&short.text(), "token");
    let sent = there.own_form("/declare", &recruiting(&refusal, &token)).await;
    let granted = here.follow(&onward(&sent), "same-origin").await;
    assert_eq!(granted.status, StatusCode::OK, "{}", granted.text());
    let on = "url=https://www.linkedin.com/feed/?filter=people";
    assert!(granted.text().contains(on), "{}", granted.text());
    for client in [&there, &here] {
        eventually("the gateway has heard of the grant", async || {
            client.navigate(FEED).await.status == StatusCode::OK
        })
        .await;
    }
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_and_a_form_are_their_persons_alone_and_a_form_is_good_once_at_whichever_gateway() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "ada");
    let link = onward(&here.navigate(FEED).await);
    for stranger in [east.client("dan"), west.client("dan")] {
        let page = stranger.follow(&link, "cross-site").await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.text());
        assert!(page.text().contains("This link is no longer valid"), "{}", page.text());
    }
    let page = there.follow(&link, "cross-site").await.text();
    let (refusal, token) = (hidden(&page, "refusal"), hidden(&page, "token"));
    // another person at both, with the form of this one
    for stranger in [east.client("dan"), west.client("dan")] {
        let sent = stranger.own_form("/declare", &recruiting(&refusal, &token)).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{}", sent.text());
        let shown = stranger.follow(&format!("{PORTAL}/refusals/{refusal}"), "none").await;
        assert_eq!(shown.status, StatusCode::NOT_FOUND, "{}", shown.text());
    }
    // another refusal of the same person
    let (other, _) = page_at_the_other(&there, &here).await;
    let sent = here.own_form("/declare", &recruiting(&other, &token)).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN, "{}", sent.text());
    // another site's page has the browser send it
    for client in [&here, &there] {
        let foreign = Request::post(format!("{PORTAL}/declare"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ORIGIN, "https://evil.example")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        let body = crate::harness::house::form(&recruiting(&refusal, &token));
        let sent = client.send_with(foreign, body).await;
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{}", sent.text());
    }
    // none of these used it up; at both at once, one takes it
    let fields = recruiting(&refusal, &token);
    let (one, two) = tokio::join!(here.own_form("/declare", &fields), there.own_form("/declare", &fields));
    let mut went = [one.status, two.status];
    went.sort_unstable();
    assert_eq!(went, [StatusCode::SEE_OTHER, StatusCode::FORBIDDEN]);
    for client in [&here, &there] {
        let again = client.own_form("/declare", &fields).await;
        assert_eq!(again.status, StatusCode::FORBIDDEN, "{}", again.text());
        assert!(again.text().contains("was sent already"), "{}", again.text());
    }
    let count = server.says("ledger", "SELECT count(*) FROM grants WHERE subject = 'ada'");
    assert_eq!(count, "1");
    // a link is over with its time, everywhere
    for world in [&east, &west] {
        world.clock.advance(Duration::from_mins(5));
    }
    for client in [&here, &there] {
        assert_eq!(client.follow(&link, "cross-site").await.status, StatusCode::NOT_FOUND);
    }
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_what_somebody_met_can_be_read_in_the_database() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "ada");
    page_at_the_other(&here, &there).await;
    let session = session(&west.client("mia")).await;
    let dump = |table: &str| server.says("ledger", &format!("SELECT * FROM {table}"));
    let envelopes = server.says(
        "ledger",
        "SELECT subject, kind, name, encode(sealed, 'escape') FROM envelopes",
    );
    assert!(envelopes.starts_with("ada|refusal|"), "{envelopes}");
    for open in ["linkedin", "people", "filter", "feed"] {
        assert!(!envelopes.contains(open), "{open}: {envelopes}");
    }
    let (_, id) = session.split_once('=').unwrap();
    let sessions = dump("sessions");
    assert!(sessions.contains("|mia|") && !sessions.contains(id), "{sessions}");
    let logged = "SELECT relpersistence FROM pg_class WHERE relname = 'envelopes'";
    assert_eq!(server.says("ledger", logged), "u", "it stands in no archive of the log");
    // whoever writes to the database cannot make somebody else's of it
    server.says("ledger", "UPDATE envelopes SET subject = 'dan'");
    let dan = west.client("dan").follow(&format!("{PORTAL}/"), "none").await.text();
    assert!(!dan.contains("linkedin") && !dan.contains("LinkedIn to"), "{dan}");
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_page_and_the_api_tell_what_was_met_at_any_gateway() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "ada");
    here.navigate("https://www.linkedin.com/feed/one").await;
    there.navigate("https://x.com/home").await;
    // what a page loads, or a tool asks for, is told by and by
    let problem = here.get("https://www.reddit.com/r/rust/").await;
    let (_, one) = problem.header("link").rsplit_once('<').unwrap();
    let one = one.split_once('>').unwrap().0.to_owned();
    for client in [&here, &there] {
        let decisions = format!("{PORTAL}/v1/decisions");
        eventually("all three are told", async || {
            client.get(&decisions).await.json()["decisions"]
                .as_array()
                .unwrap()
                .len()
                == 3
        })
        .await;
        let own = client.follow(&format!("{PORTAL}/"), "none").await.text();
        for place in ["LinkedIn", "X (Twitter)", "Reddit"] {
            assert!(own.contains(place), "{place}: {own}");
        }
        let others = east.client("dan").get(&decisions).await.json();
        assert_eq!(others["decisions"].as_array().unwrap().len(), 0);
    }
    let explained = there.get(&one).await;
    assert_eq!(explained.status, StatusCode::OK, "{}", explained.text());
    assert!(explained.json()["explanation"].is_object(), "{}", explained.text());
    let dan = west.client("dan").get(&one).await;
    assert_eq!(dan.status, StatusCode::NOT_FOUND, "{}", dan.text());
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signed_in_at_one_gateway_approves_at_the_other_and_who_signs_out_is_out_at_both() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (ben_east, ben_west) = both((&east, &west), "ben");
    let waits = asks_at([&ben_east, &ben_west, &ben_east]).await;
    let (here, there) = both((&east, &west), "mia");
    let mia = session(&here).await;
    let inbox = opens(&there, "/approvals", &mia).await.text();
    let (id, approve, _) = buttons(&inbox);
    let path = format!("/approvals/{id}/approve");
    let fields = [("token", approve.as_str()), ("note", "Fine")];
    // with the session of somebody else nobody does
    let nora = session(&west.client("nora")).await;
    let (_, another, _) = buttons(&opens(&here, "/approvals", &mia).await.text());
    let sent = own_form(&there, &path, &nora, &[("token", another.as_str())]).await;
    assert_eq!(sent.header("location"), "/sign-in?to=/approvals", "{}", sent.text());
    let answered = own_form(&here, &path, &mia, &fields).await;
    assert!(
        answered.header("location").contains("/approvals?answered="),
        "{}",
        answered.text()
    );
    let granted = ben_west.follow(&waits, "same-origin").await;
    assert!(
        granted.text().contains("url=https://www.linkedin.com"),
        "{}",
        granted.text()
    );

    let page = opens(&there, "/approvals", &mia).await.text();
    let (_, form) = page.split_once("action=\"/sign-out\"").unwrap();
    let out = own_form(&here, "/sign-out", &mia, &[("token", &hidden(form, "token"))]).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"), "{:?}", out.headers);
    for client in [&here, &there] {
        let tokens = opens(client, "/tokens", &mia).await;
        assert_eq!(tokens.status, StatusCode::SEE_OTHER, "also for who kept a copy");
    }
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_new_at_each_sign_in_and_ends_with_the_next_at_whichever_gateway() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "mia");
    let is_good = async |client: &Client, cookie: &str| opens(client, "/tokens", cookie).await.status == StatusCode::OK;
    let own = session(&west.client("nora")).await;
    for planted in ["__Host-wayleave-session=cGxhbnRlZC1ieS1ub3Jh", &own] {
        assert!(
            !is_good(&here, planted).await && !is_good(&there, planted).await,
            "before"
        );
        let given = cookie(&signs_in(&here, planted, PASSWORD).await);
        assert_ne!(given, planted);
        assert!(is_good(&there, &given).await);
        assert!(!is_good(&there, planted).await, "after");
        assert!(!is_good(&there, &format!("{planted}; {given}")).await, "two are none");
        assert!(
            !is_good(&west.client("nora"), &given).await,
            "nobody else's hop takes it"
        );
        let next = cookie(&signs_in(&there, &given, PASSWORD).await);
        assert!(!is_good(&here, &given).await && is_good(&here, &next).await);
    }
    let last = session(&here).await;
    west.clock.advance(Duration::from_mins(15));
    assert!(
        is_good(&here, &last).await && !is_good(&there, &last).await,
        "each goes by its clock"
    );
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_that_one_gateway_sees_ends_sign_ins_at_the_other() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "mia");
    let mia = session(&there).await;
    let is_good = async |client: &Client| opens(client, "/tokens", &mia).await.status == StatusCode::OK;
    assert!(is_good(&here).await && is_good(&there).await);
    // the file comes to the east first
    users::change(&east.settings.identity.users, |users| {
        users.passwd("mia", &Secret::new("quite another one"), 1)
    })
    .unwrap();
    eventually("the gateway that did not see it has heard of it", async || {
        !is_good(&there).await
    })
    .await;
    // with the same file at both, the new password signs in at either, and counts at both
    std::fs::copy(&east.settings.identity.users, &west.settings.identity.users).unwrap();
    let basic = Client::basic("mia", "quite another one");
    let anew = |client: &Client| Client {
        authorization: Some(basic.clone()),
        ..client.clone()
    };
    let (here, there) = (anew(&here), anew(&there));
    eventually("both take the new password", async || {
        here.get("http://www.example.org/").await.status == StatusCode::OK
            && there.get("http://www.example.org/").await.status == StatusCode::OK
    })
    .await;
    let signed = cookie(&signs_in(&here, "", "quite another one").await);
    assert_eq!(opens(&there, "/tokens", &signed).await.status, StatusCode::OK);
    east.close_uncounted().await;
    west.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_wrote_while_their_session_ended_is_there_again_at_the_other_gateway() {
    let server = Server::start();
    let (east, west) = two(&server).await;
    let (ben_east, ben_west) = both((&east, &west), "ben");
    asks_at([&ben_east, &ben_west, &ben_east]).await;
    let (here, there) = both((&east, &west), "mia");
    let mia = session(&here).await;
    let (id, _, decline) = buttons(&opens(&there, "/approvals", &mia).await.text());
    let note = "Not before the fair has ended";
    let fields = [("token", decline.as_str()), ("note", note)];
    let sent = own_form(&there, &format!("/approvals/{id}/decline"), "", &fields).await;
    assert_eq!(onward(&sent), format!("{PORTAL}/sign-in?to=/approvals"));
    let mia = session(&there).await;
    let inbox = opens(&here, "/approvals", &mia).await.text();
    assert!(inbox.contains(note), "{inbox}");
    let nora = session(&west.client("nora")).await;
    assert!(
        !opens(&west.client("nora"), "/approvals", &nora)
            .await
            .text()
            .contains(note)
    );
    let (id, _, decline) = buttons(&inbox);
    let fields = [("token", decline.as_str()), ("note", note)];
    let sent = own_form(&there, &format!("/approvals/{id}/decline"), &mia, &fields).await;
    assert!(onward(&sent).contains("answered="), "{}", sent.text());
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_no_form_is_taken_and_nobody_is_signed_in_and_the_page_says_so() {
    let mut server = Server::start();
    let (east, west) = two(&server).await;
    let (here, there) = both((&east, &west), "ada");
    let mia = session(&west.client("mia")).await;
    let (refusal, token) = page_at_the_other(&here, &there).await;
    server.stop();
    for world in [&east, &west] {
        world
            .until("the gateway says so", async |world| {
                world.admin("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE
            })
            .await;
    }
    // what this gateway knows it still tells; what another refused it cannot look up
    let refused = here.navigate(FEED).await;
    let link = onward(&refused);
    let known = here.follow(&link, "cross-site").await;
    assert_eq!(known.status, StatusCode::OK, "{}", known.text());
    let says_so = |answer: &Answer| {
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{}", answer.text());
        assert!(
            answer.text().contains("out of reach at the moment"),
            "{}",
            answer.text()
        );
    };
    says_so(&there.follow(&link, "cross-site").await);
    for client in [&here, &there] {
        says_so(&client.own_form("/declare", &recruiting(&refusal, &token)).await);
    }
    let tokens = opens(&west.client("mia"), "/tokens", &mia).await;
    assert_eq!(tokens.status, StatusCode::SEE_OTHER, "nobody is signed in");
    says_so(&signs_in(&west.client("mia"), "", PASSWORD).await);

    server.again();
    for world in [&east, &west] {
        world
            .until("the database is back", async |world| {
                world.admin("/readyz").await.status == StatusCode::OK
            })
            .await;
    }
    // and what was met in between comes to the others
    eventually("the link leads to the refusal", async || {
        there.follow(&link, "cross-site").await.status == StatusCode::OK
    })
    .await;
    let sent = there.own_form("/declare", &recruiting(&refusal, &token)).await;
    assert_eq!(
        sent.status,
        StatusCode::SEE_OTHER,
        "the form was not used up: {}",
        sent.text()
    );
    assert_eq!(opens(&east.client("mia"), "/tokens", &mia).await.status, StatusCode::OK);
    east.close().await;
    west.close().await;
}
