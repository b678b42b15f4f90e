//! Whoever decides reads what stands there: characters that nobody sees, and that turn or hide what others read, are taken on
//! no way in.

use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::approvals::proven;
use crate::break_glass::{breaks, reviews};
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, form, hidden};
use crate::harness::{PASSWORD, World};
use crate::inbox::{buttons, opens, session};
use crate::revocations::revokes;

/// Shows what follows from right to left.
const TURNED: &str = "Launch of \u{202e}elcycib wen eht";
/// Wipes the line of a terminal.
const WIPED: &str = "HR-1\u{1b}[2K";

/// A form, sent by a browser that prefers French.
async fn sends(client: &Client, path: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
    let request = Request::post(format!("{PORTAL}{path}"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ORIGIN, PORTAL)
        .header(header::COOKIE, cookie)
        .header(header::ACCEPT_LANGUAGE, "fr")
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document");
    client.send_with(request, form(fields)).await
}

/// The fields that are told to be wrong, and what of each.
fn wrong(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text());
    let told = answer.json();
    let errors = told["errors"].as_array().unwrap_or_else(|| panic!("{told}"));
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    errors
        .iter()
        .map(|error| (text(error, "field"), text(error, "detail")))
        .collect()
}

fn leave_out(field: &str, sign: &str) -> Vec<(String, String)> {
    let said = format!("leave out the character {sign}: nobody sees it, and it can change how the rest reads");
    vec![(field.to_owned(), said)]
}

fn brand(statement: &str) -> Value {
    json!({"purpose": "brand-publishing", "platforms": ["x"], "statement": statement})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_states_answers_reviews_or_revokes_with_what_nobody_sees_is_told_which_and_does_nothing() {
    let world = World::open().await;
    let ben = world.client("ben");
    assert_eq!(
        wrong(&ben.declare(&brand(TURNED)).await),
        leave_out("statement", "U+202E")
    );
    let lines = "Launch of the new bicycle:\r\n\tin Lyon\r\n\tin Nice";
    let asked = ben.declare(&brand(lines)).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "lines are: {}", asked.text());
    let id = asked.json()["id"].as_str().unwrap().to_owned();
    for verb in ["approve", "decline"] {
        let answered = proven(
            &world,
            "mia",
            &format!("/v1/grants/{id}/{verb}"),
            json!({"note": TURNED}),
        )
        .await;
        assert_eq!(wrong(&answered), leave_out("note", "U+202E"), "{verb}");
    }
    let state = ben.get(&format!("{PORTAL}/v1/grants/{id}")).await.json();
    assert_eq!(state["state"], "requested");

    let ticket = json!({"ticket": WIPED, "statement": TURNED});
    let broke = wrong(&breaks(&world, "pia", &ticket).await);
    let fields: Vec<&str> = broke.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["statement", "ticket"]);
    assert!(
        broke[1].1.starts_with("name a ticket without the character U+001B:"),
        "{broke:?}"
    );
    let broke = breaks(&world, "pia", &json!({})).await;
    assert_eq!(broke.status, StatusCode::CREATED, "{}", broke.text());
    let found = json!({"accepted": true, "note": TURNED});
    let reviewed = reviews(&world, "nora", &broke.json()["id"], &found).await;
    assert_eq!(wrong(&reviewed), leave_out("note", "U+202E"));
    let ended = revokes(&world, "sol", &json!({"user": "pia", "reason": TURNED})).await;
    assert_eq!(wrong(&ended), leave_out("reason", "U+202E"));

    let token = Request::post(format!("{PORTAL}/v1/tokens"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, Client::basic("ada", PASSWORD));
    let wanted = json!({"name": TURNED, "scope": ["read"]}).to_string();
    let [(field, said)] = &wrong(&world.client("ada").send_with(token, wanted).await)[..] else {
        panic!("one thing is wrong")
    };
    assert_eq!(field, "name");
    assert!(said.starts_with("Leave out the character U+202E:"), "{said}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_sent_with_what_nobody_sees_comes_back_and_says_so_in_the_readers_words() {
    const SAID: &str = "le caractère U+202E\u{a0}: personne ne le voit, et il peut changer la lecture du reste.";
    let world = World::open().await;
    let (ada, ben) = (world.client("ada"), world.client("ben"));
    let stating = ada
        .follow(&format!("{PORTAL}/purposes/recruiting"), "none")
        .await
        .text();
    let token = hidden(&stating, "token");
    let fields = [
        ("token", token.as_str()),
        ("on.linkedin", "yes"),
        ("statement", TURNED),
        ("ticket", "HR-1\u{202e}"),
    ];
    let stated = sends(&ada, "/purposes/recruiting", "", &fields).await;
    assert_eq!(stated.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = stated.text();
    assert!(
        page.contains(&format!("id=\"statement-wrong\">Retirez {SAID}")),
        "{page}"
    );
    assert!(
        page.contains(&format!("id=\"ticket-wrong\">Indiquez un ticket sans {SAID}")),
        "{page}"
    );
    let held = ada.get(&format!("{PORTAL}/v1/grants")).await.json();
    assert_eq!(held["grants"], json!([]));

    let pia = world.client("pia");
    let urgent = pia.follow(&format!("{PORTAL}/emergency"), "none").await.text();
    let token = hidden(&urgent, "token");
    let fields = [
        ("token", token.as_str()),
        ("purpose", "crisis-response"),
        ("platform", "x"),
        ("statement", TURNED),
        ("ticket", "INC-12"),
    ];
    let taken = sends(&pia, "/emergency", "", &fields).await;
    assert_eq!(taken.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(taken.text().contains(&format!("Retirez {SAID}")), "{}", taken.text());

    let asked = ben.declare(&brand("Launch of the new bicycle")).await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text());
    let mia = world.client("mia");
    let session = session(&mia).await;
    for verb in ["approve", "decline"] {
        let (id, approve, decline) = buttons(&opens(&mia, "/approvals", &session).await.text());
        let token = if verb == "approve" { &approve } else { &decline };
        let fields = [("token", token.as_str()), ("note", TURNED)];
        let answered = sends(&mia, &format!("/approvals/{id}/{verb}"), &session, &fields).await;
        assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{verb}");
        assert!(
            answered.text().contains(&format!("Retirez {SAID}")),
            "{}",
            answered.text()
        );
    }
    world.close().await;
}
