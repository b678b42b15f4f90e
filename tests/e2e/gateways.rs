//! Several gateways on one database: what one grants the other lets pass, and neither a lost database nor a killed gateway
//! loses anything that was granted.

use futures_util::{SinkExt as _, StreamExt as _};
use http::StatusCode;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, End, FaultCode, GrantAct, Record};
use wayleave::ledger::{Kept, Settings};

use crate::chains;
use crate::crashes::{Site, declaration, eventually};
use crate::database::Server;
use crate::delegations;
use crate::harness::client::Answer;
use crate::harness::house::{PORTAL, admin, sample};
use crate::harness::{World, now};
use crate::purposes::socket_under_a_grant;
use crate::revocations::revokes;

const FEED: &str = "https://www.linkedin.com/feed/";
const SHARE: &str = "https://www.linkedin.com/voyager/api/contentcreation/normShares";

pub fn shared(url: &str, gateway: &str) -> Settings {
    Settings {
        store: Kept::Postgresql,
        url: Some(url.to_owned()),
        gateway: Some(gateway.to_owned()),
        ..Settings::default()
    }
}

async fn gateway(ledger: Settings) -> World {
    World::planned(|plan| plan.settings.ledger = ledger).await
}

fn kind(answer: &Answer) -> String {
    let kind = answer.json()["type"].as_str().unwrap_or_default().to_owned();
    kind.trim_start_matches("https://wayleave.example/problems/").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_declared_at_one_gateway_passes_at_the_other_and_what_is_revoked_there_is_cut_here() {
    let server = Server::start();
    let url = server.database("ledger");
    let east = gateway(shared(&url, "east")).await;
    let west = gateway(shared(&url, "west")).await;
    assert_eq!(west.client("ada").get(FEED).await.status, StatusCode::FORBIDDEN);
    let granted = east.client("ada").declare(&declaration()).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
    west.until("the other gateway knows", async |west| {
        west.client("ada").get(FEED).await.status == StatusCode::OK
    })
    .await;

    let (grant, socket) = socket_under_a_grant(&east).await;
    let mut socket = socket.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    west.until("the other gateway knows", async |west| {
        west.gate().ledger().get(&grant.id).is_some()
    })
    .await;
    let revoked = revokes(&west, "sol", &json!({"grant": grant.id, "reason": "A stolen laptop"})).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
    assert!(
        !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
        "the socket is cut"
    );
    let closing = east.closed("x.com", "/live").await;
    let End::Cut(reason) = &closing.ended().end else {
        panic!("{:?}", closing.ended());
    };
    assert!(reason.contains("was revoked"), "{reason}");
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_database_a_gateway_serves_what_it_knows_for_a_while_grants_nothing_and_catches_up() {
    let mut server = Server::start();
    let url = server.database("ledger");
    let impatient = Settings {
        publish_patience_s: 0,
        grant_patience_s: 0,
        ..shared(&url, "east")
    };
    let patient = Settings {
        publish_patience_s: 0,
        grant_patience_s: 3_600,
        ..shared(&url, "west")
    };
    let (east, west) = (gateway(impatient).await, gateway(patient).await);
    let granted = east.client("ada").declare(&declaration()).await;
    assert_eq!(granted.status, StatusCode::CREATED, "{}", granted.text());
    west.until("the other gateway knows", async |west| {
        west.client("ada").get(FEED).await.status == StatusCode::OK
    })
    .await;
    let (_, socket) = socket_under_a_grant(&east).await;
    let mut socket = socket.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    let (_, token) = crate::tokens::make(&west, "ada", &["read"]).await;
    let [by_token_east, by_token_west] = [&east, &west].map(|world| crate::tokens::tool(world, "ada", &token));
    let grants = format!("{PORTAL}/v1/grants");
    east.until("the other gateway knows the token", async |_| {
        by_token_east.get(&grants).await.status == StatusCode::OK
    })
    .await;

    server.stop();
    for world in [&east, &west] {
        world
            .until("the gateway says so", async |world| {
                world.admin("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE
            })
            .await;
        let ready = world.admin("/readyz").await.text();
        assert!(
            ready.contains("the database that holds the ledger is out of reach"),
            "{ready}"
        );
        assert_eq!(world.metric("wayleave_ledger_in_touch").await, Some(0.0));
        let declared = world.client("ada").declare(&declaration()).await;
        assert_eq!(declared.status, StatusCode::SERVICE_UNAVAILABLE, "{}", declared.text());
        let needs_none = world.client("ada").get("http://www.example.org/").await;
        assert_eq!(needs_none.status, StatusCode::OK, "{}", needs_none.text());
        let published = world.client("ada").post(SHARE, "application/json", "{}").await;
        assert_eq!(
            published.status,
            StatusCode::SERVICE_UNAVAILABLE,
            "{}",
            published.text()
        );
        assert_eq!(kind(&published), "grants-unknown");
    }
    assert_eq!(
        west.client("ada").get(FEED).await.status,
        StatusCode::OK,
        "it is patient"
    );
    assert_eq!(
        by_token_west.get(&grants).await.status,
        StatusCode::OK,
        "with tokens, too"
    );
    assert_eq!(
        by_token_east.get(&grants).await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "whether it was revoked is not known"
    );
    let read = east.client("ada").get(FEED).await;
    assert_eq!(
        (read.status, kind(&read).as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "grants-unknown")
    );
    assert_eq!(
        east.closed("www.linkedin.com", "/feed/").await.code(),
        Some(FaultCode::GrantsUnknown)
    );
    assert!(
        !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
        "the socket is cut"
    );
    let closing = east.closed("x.com", "/live").await;
    let End::Cut(reason) = &closing.ended().end else {
        panic!("{:?}", closing.ended());
    };
    assert!(reason.contains("out of reach"), "{reason}");

    server.again();
    for world in [&east, &west] {
        world
            .until("the database is back", async |world| {
                world.admin("/readyz").await.status == StatusCode::OK
            })
            .await;
        assert_eq!(world.metric("wayleave_ledger_in_touch").await, Some(1.0));
        assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::OK);
        let published = world.client("ada").post(SHARE, "application/json", "{}").await;
        assert_eq!(published.status, StatusCode::OK, "{}", published.text());
    }
    assert_eq!(by_token_east.get(&grants).await.status, StatusCode::OK);
    let declared = west.client("ada").declare(&declaration()).await;
    assert_eq!(declared.status, StatusCode::CREATED, "{}", declared.text());
    east.close().await;
    west.close().await;
}

/// Holds up whoever writes a grant of ada's, until the database gives up on it.
const HOLD_UP: &str = "\
    CREATE FUNCTION hold_up() RETURNS trigger LANGUAGE plpgsql AS \
    'BEGIN IF NEW.subject = ''ada'' THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END'; \
    CREATE TRIGGER hold_up BEFORE INSERT ON grants FOR EACH ROW EXECUTE FUNCTION hold_up()";

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_is_killed_in_the_middle_of_granting_leaves_nothing_lost_and_nothing_half_done() {
    let server = Server::start();
    let url = server.database("ledger");
    let east = Site::planned(|settings| {
        settings.ledger = shared(&url, "east");
        settings.clock.fixed_at = Some(now());
    })
    .await;
    let west = gateway(shared(&url, "west")).await;
    let mut running = east.start().await;
    let kept = east.client(&running, "ada").declare(&declaration()).await;
    assert_eq!(kept.status, StatusCode::CREATED, "{}", kept.text());

    server.says("ledger", HOLD_UP);
    let ada = east.client(&running, "ada");
    // the client of the tests panics when its gateway dies: in a thread of its own, where no world minds
    let granting = std::thread::spawn(move || {
        let alone = tokio::runtime::Builder::new_current_thread().enable_all().build();
        alone.unwrap().block_on(ada.declare(&declaration()))
    });
    eventually("the book says that it is granted", async || granted(&east.book()) == 2).await;
    assert_eq!(server.says("ledger", "SELECT gateway FROM promises"), "east");
    running.child.start_kill().unwrap();
    running.child.wait().await.unwrap();
    assert!(granting.join().is_err(), "nobody was told of it");

    // the other one goes on, once the database has given up what the killed one held
    server.says("ledger", "DROP TRIGGER hold_up ON grants");
    west.until("the other gateway grants", async |west| {
        west.client("ada").declare(&declaration()).await.status == StatusCode::CREATED
    })
    .await;
    assert_eq!(
        west.client("ada").get(FEED).await.status,
        StatusCode::OK,
        "what was granted counts"
    );
    let left = server.says("ledger", "SELECT count(*) FROM promises WHERE gateway = 'east'");
    assert_eq!(left, "1", "it is left to the one that made it");

    let running = east.start().await;
    eventually("the promise is settled", async || {
        server.says("ledger", "SELECT count(*) FROM promises") == "0"
    })
    .await;
    let book = east.book();
    assert_eq!(
        (granted(&book), void(&book)),
        (2, 1),
        "what was never kept never counted"
    );
    let ada = east.client(&running, "ada");
    let grants = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    let grants = grants["grants"].as_array().unwrap().clone();
    assert_eq!(
        grants.len(),
        2,
        "the one from before, and the one that the other gateway gave"
    );
    assert!(grants.iter().any(|grant| grant["id"] == kept.json()["id"]));
    assert_eq!(ada.declare(&declaration()).await.status, StatusCode::CREATED);
    let exposition = admin(running.admin, "/metrics").await.text();
    assert_eq!(sample(&exposition, "wayleave_ledger_in_touch"), Some(1.0));
    running.stop().await;
    west.close().await;
}

fn granted(book: &[Record]) -> usize {
    count(book, GrantAct::Granted)
}

fn void(book: &[Record]) -> usize {
    count(book, GrantAct::Void)
}

fn count(book: &[Record], what: GrantAct) -> usize {
    let is = |record: &&Record| matches!(&record.act, Act::Grant { act, .. } if *act == what);
    book.iter().filter(is).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_whose_database_is_out_of_reach_at_the_start_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = format!(
        "postgresql://wayleave@{}/x",
        folder.path().to_str().unwrap().replace('/', "%2F")
    );
    let east = Site::planned(|settings| settings.ledger = shared(&nowhere, "east")).await;
    let said = east.fails_to_start().await;
    assert!(
        said.contains("the ledger cannot be opened in `postgresql://wayleave@"),
        "{said}"
    );
    assert!(said.contains("check that it runs"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_approve_at_the_same_instant_at_two_gateways_give_it_once() {
    let server = Server::start();
    let url = server.database("ledger");
    let east = gateway(shared(&url, "east")).await;
    let west = gateway(shared(&url, "west")).await;
    let id = chains::asked(&east).await;
    west.until("the other gateway knows", async |west| {
        chains::shown(west, "pia", &id).await["state"] == "requested"
    })
    .await;
    let (one, other) = tokio::join!(
        chains::answers(&east, "nora", (&id, "approve"), json!({})),
        chains::answers(&west, "lea", (&id, "approve"), json!({})),
    );
    assert_eq!(
        (one.status, other.status),
        (StatusCode::OK, StatusCode::OK),
        "{} {}",
        one.text(),
        other.text()
    );
    for world in [&east, &west] {
        world
            .until("both know", async |world| {
                let given = chains::shown(world, "pia", &id).await;
                given["state"] == "active" && given["answers"].as_array().unwrap().len() == 2
            })
            .await;
    }
    let (here, there) = (east.records().await, west.records().await);
    let steps = [chains::steps(&here), chains::steps(&there)].concat();
    let of = |act: GrantAct| steps.iter().filter(|step| step.0 == act).count();
    assert_eq!(
        [GrantAct::PartlyApproved, GrantAct::Approved, GrantAct::Void].map(of),
        [1, 1, 0]
    );
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_good_and_a_key_is_known_at_the_other_gateway_and_what_is_revoked_there_is_over_here() {
    let server = Server::start();
    let url = server.database("ledger");
    let east = gateway(shared(&url, "east")).await;
    let west = gateway(shared(&url, "west")).await;
    let (id, token) = crate::tokens::make(&east, "ada", &["read"]).await;
    let tool = crate::tokens::tool(&west, "ada", &token);
    let grants = format!("{PORTAL}/v1/grants");
    west.until("the other gateway knows the token", async |_| {
        tool.get(&grants).await.status == StatusCode::OK
    })
    .await;
    let declares = ("/v1/grants", &declaration());
    let first = crate::repeated::keyed(&east.client("ada"), "ada", declares, "one").await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
    // whether or not it has heard of the grant by now
    let again = crate::repeated::keyed(&west.client("ada"), "ada", declares, "one").await;
    assert_eq!(
        (again.status, &again.json()["id"]),
        (StatusCode::CREATED, &first.json()["id"]),
        "{}",
        again.text()
    );
    let revoked = east.client("ada").delete(&format!("{PORTAL}/v1/tokens/{id}")).await;
    assert_eq!(revoked.status, StatusCode::OK, "{}", revoked.text());
    west.until("the other gateway knows that it is over", async |_| {
        tool.get(&grants).await.status == StatusCode::PROXY_AUTHENTICATION_REQUIRED
    })
    .await;
    east.close().await;
    west.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_answers_for_whom_is_known_at_the_other_gateway_and_over_there_as_soon_as_it_is_here() {
    let server = Server::start();
    let url = server.database("ledger");
    let east = gateway(shared(&url, "east")).await;
    let west = gateway(shared(&url, "west")).await;
    let request = delegations::asks(&east, "ben").await;
    let week = json!({"to": "nora", "until": "2026-12-01"});
    let id = delegations::delegates(&east, "mia", week).await;
    west.until("the other gateway knows", async |west| {
        let seen = west.client("nora").get(&format!("{PORTAL}/v1/approvals")).await.json();
        seen["approvals"][0]["for"] == json!("mia")
    })
    .await;
    let given = chains::answers(&west, "nora", (&request, "approve"), json!({})).await;
    assert_eq!(
        (given.status, &given.json()["answers"][0]["for"]["delegation"]),
        (StatusCode::OK, &json!(id)),
        "{}",
        given.text()
    );
    east.until("the first one knows", async |east| {
        chains::shown(east, "ben", &request).await["state"] == json!("active")
    })
    .await;
    let more = delegations::asks(&west, "ben").await;
    east.until("the first one knows", async |east| {
        chains::shown(east, "ben", &more).await["state"] == json!("requested")
    })
    .await;
    let over = delegations::takes_back(&west, "mia", &id).await;
    assert_eq!(over.status, StatusCode::OK, "{}", over.text());
    // whether or not it has heard of that by now
    let late = chains::answers(&east, "nora", (&more, "approve"), json!({})).await;
    assert_eq!(late.status, StatusCode::NOT_FOUND, "{}", late.text());
    east.close().await;
    west.close().await;
}
