//! The walks that people take most: with the mouse, from a desk and from a phone.

use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, End, GrantAct};

use super::driver::{DESKTOP, Driver, PHONE};
use super::scene::{ADMIN, FEED, TWEET, declares, refusal};
use crate::harness::World;
use crate::harness::house::PORTAL;
use crate::purposes::socket_under_a_grant;
use crate::value::{PEOPLE, used_by};

#[tokio::test(flavor = "multi_thread")]
async fn from_a_refusal_to_a_purpose_to_the_site_and_back_home() {
    let world = World::open().await;
    let ada = Driver::start(&world, "ada", "en").await;
    ada.look(DESKTOP, "light").await;
    let asked = ada.open(FEED).await;
    assert!(asked.starts_with(&format!("{PORTAL}/d/")), "{asked}");
    ada.says(&[
        "This needs a purpose",
        "LinkedIn",
        "Recruiting",
        "Signed in as Ada Mertens",
    ])
    .await;
    ada.picture("walk-declare-1-refused").await;
    ada.state("recruiting", "Backend engineers for the Lyon team").await;
    ada.arrive(FEED).await;
    ada.picture("walk-declare-2-site").await;
    ada.open(PORTAL).await;
    ada.says(&["Recruiting", "8 hours left"]).await;
    ada.picture("walk-declare-3-mine").await;
    ada.click("form[action$=\"/end\"] button").await;
    ada.arrive(&format!("{PORTAL}/?ended=")).await;
    ada.picture("walk-declare-4-ended").await;
    let again = ada.open(FEED).await;
    assert!(again.starts_with(PORTAL), "{again}");
    ada.close().await;
    world.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_at_a_desk_is_approved_in_a_phone_and_opens_the_site() {
    let world = World::open().await;
    let ben = Driver::start(&world, "ben", "en").await;
    ben.look(DESKTOP, "light").await;
    ben.open(ADMIN).await;
    ben.says(&["This needs an approval", "Mia Castellano (mia) must approve it"])
        .await;
    ben.picture("walk-approval-1-refused").await;
    ben.state("brand-publishing", "Launch of the new bicycle").await;
    ben.arrive(&format!("{PORTAL}/refusals/")).await;
    ben.says(&["Mia Castellano (mia) was asked"]).await;
    ben.picture("walk-approval-2-asked").await;

    let mia = Driver::start(&world, "mia", "en").await;
    mia.look(PHONE, "light").await;
    mia.open(PORTAL).await;
    mia.picture("walk-approval-3-phone-mine").await;
    mia.click("a[href=\"/approvals\"]").await;
    mia.arrive(&format!("{PORTAL}/approvals")).await;
    mia.click("a[href^=\"/sign-in\"]").await;
    mia.picture("walk-approval-4-phone-sign-in").await;
    mia.sign_in().await;
    mia.arrive(&format!("{PORTAL}/approvals")).await;
    mia.says(&[
        "Ben Okafor asks for “Publishing for the brand”",
        "Launch of the new bicycle",
    ])
    .await;
    assert_eq!(
        mia.run("return document.cookie").await,
        "",
        "no script can read the session"
    );
    mia.picture("walk-approval-5-phone-inbox").await;
    mia.click("form[action$=\"/approve\"] button").await;
    mia.arrive(&format!("{PORTAL}/approvals?answered=")).await;
    mia.says(&[
        "You approved “Publishing for the brand” for Ben Okafor",
        "Nothing waits for you.",
    ])
    .await;
    mia.picture("walk-approval-6-phone-answered").await;
    mia.close().await;

    ben.click("a.main-action").await;
    ben.arrive(ADMIN).await;
    ben.open(PORTAL).await;
    ben.says(&["Mia Castellano (mia) approved it"]).await;
    ben.picture("walk-approval-7-mine").await;
    ben.close().await;
    world.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_on_a_page_cuts_a_socket_that_is_open() {
    let world = World::open().await;
    let (grant, socket) = socket_under_a_grant(&world).await;
    let mut socket = socket.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));

    let sol = Driver::start(&world, "sol", "en").await;
    sol.look(DESKTOP, "light").await;
    sol.open(&format!("{PORTAL}/grants")).await;
    sol.picture("walk-revoke-1-in-force").await;
    // it is found while it is open, and leads to the grant that it rests on
    sol.open(&format!("{PORTAL}/open?grant={}", grant.id)).await;
    sol.picture("walk-revoke-1-open").await;
    sol.look(PHONE, "dark").await;
    sol.picture("walk-revoke-1-open-phone").await;
    sol.look(DESKTOP, "light").await;
    sol.click(&format!("td a[href=\"/grants/{}\"]", grant.id)).await;
    sol.arrive(&format!("{PORTAL}/grants/")).await;
    sol.picture("walk-revoke-1-grant").await;
    sol.click("a.button[href^=\"/grants/revoke?grant=\"]").await;
    sol.arrive(&format!("{PORTAL}/grants/revoke")).await;
    sol.picture("walk-revoke-2-sure").await;
    sol.click("a[href^=\"/sign-in\"]").await;
    sol.sign_in().await;
    sol.arrive(&format!("{PORTAL}/grants/revoke")).await;
    sol.fill("#why", "A stolen laptop").await;
    sol.picture("walk-revoke-3-why").await;
    sol.click("form[action=\"/grants/revoke\"] button").await;
    sol.arrive(&format!("{PORTAL}/grants?revoked=")).await;
    sol.picture("walk-revoke-4-revoked").await;
    sol.close().await;

    let end = tokio::time::timeout(Duration::from_mins(1), socket.next())
        .await
        .unwrap();
    assert!(
        !matches!(end, Some(Ok(Message::Text(_) | Message::Binary(_)))),
        "{end:?}"
    );
    let records = world.close_uncounted().await;
    let cut = records.iter().any(|record| {
        matches!(&record.act, Act::Closing { ended, .. } if matches!(&ended.end, End::Cut(why) if why.contains("grant")))
    });
    assert!(cut, "the socket was cut, and the book says so");
    let revoked = records
        .iter()
        .any(|record| matches!(&record.act, Act::Grant { act: GrantAct::Revoked, grant: of, .. } if of.id == grant.id));
    assert!(revoked);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_glass_is_broken_on_the_page_of_a_refusal_and_reviewed_by_somebody_else() {
    let world = World::open().await;
    let record = refusal(&world.client("pia"), TWEET).await;
    let pia = Driver::start(&world, "pia", "en").await;
    pia.look(PHONE, "dark").await;
    pia.open(&format!("{PORTAL}/refusals/{record}")).await;
    pia.picture("walk-glass-1-refused").await;
    pia.click("details:has(form[action=\"/break-glass\"]) > summary").await;
    pia.fill("#glass-statement", "The plant is on fire").await;
    pia.fill("#glass-ticket", "INC-7").await;
    let chosen = pia.run("return document.querySelector('form[action=\"/break-glass\"] input:checked') !== null");
    if chosen.await != true {
        pia.click("form[action=\"/break-glass\"] input[value=crisis-response]")
            .await;
    }
    pia.picture("walk-glass-2-filled-in").await;
    pia.click("form[action=\"/break-glass\"] button").await;
    pia.arrive(&format!("{PORTAL}/refusals/{record}/granted")).await;
    pia.picture("walk-glass-3-granted").await;
    assert_eq!(
        world.client("pia").post(TWEET, "application/json", "{}").await.status,
        http::StatusCode::OK
    );
    let nora = Driver::start(&world, "nora", "en").await;
    nora.look(DESKTOP, "dark").await;
    nora.open(&format!("{PORTAL}/approvals")).await;
    nora.says(&["Pia Keller (pia) broke the glass for “Crisis response”"])
        .await;
    nora.click("a[href^=\"/sign-in\"]").await;
    nora.sign_in().await;
    nora.arrive(&format!("{PORTAL}/approvals")).await;
    nora.click("input[name=accepted][value=no]").await;
    nora.fill("textarea[name=note]", "It was a barbecue").await;
    nora.picture("walk-glass-4-review").await;
    nora.click("form[action$=\"/review\"] button").await;
    nora.arrive(&format!("{PORTAL}/approvals?reviewed=")).await;
    nora.picture("walk-glass-5-reviewed").await;
    nora.close().await;
    pia.open(PORTAL).await;
    pia.says(&["It was a barbecue"]).await;
    pia.picture("walk-glass-6-mine").await;
    pia.close().await;
    world.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_made_used_and_revoked() {
    let world = World::open().await;
    let ada = Driver::start(&world, "ada", "en").await;
    ada.look(DESKTOP, "dark").await;
    ada.open(PORTAL).await;
    ada.click("a[href=\"/tokens\"]").await;
    ada.arrive(&format!("{PORTAL}/sign-in")).await;
    ada.sign_in().await;
    ada.arrive(&format!("{PORTAL}/tokens")).await;
    ada.fill("#name", "nightly export").await;
    ada.click("input[name=scope-read]").await;
    ada.picture("walk-token-1-form").await;
    ada.click("form[action=\"/tokens\"] button").await;
    ada.until("the token", async |ada| ada.words().await.contains("wl_"))
        .await;
    ada.picture("walk-token-2-made").await;
    let text = ada.run("return document.querySelector('pre').innerText").await;
    let tool = crate::tokens::tool(&world, "ada", text.as_str().unwrap().trim());
    let listed = async || tool.get(&format!("{PORTAL}/v1/grants")).await.status;
    assert_eq!(listed().await, http::StatusCode::OK);
    ada.click("a.main-action").await;
    ada.arrive(&format!("{PORTAL}/#tokens")).await;
    ada.says(&["nightly export"]).await;
    ada.picture("walk-token-3-mine").await;
    ada.click("form[action^=\"/tokens/\"] button").await;
    ada.arrive(&format!("{PORTAL}/?token=revoked")).await;
    ada.picture("walk-token-4-revoked").await;
    let refused = tool.tunnel("wayleave.internal:443").await;
    assert!(refused.is_err(), "nobody is let in with it");
    ada.close().await;
    world.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_lets_another_answer_and_takes_it_back() {
    let world = World::open().await;
    let mia = Driver::start(&world, "mia", "en").await;
    mia.look(PHONE, "light").await;
    mia.open(&format!("{PORTAL}/delegations")).await;
    mia.click("a[href^=\"/sign-in\"]").await;
    mia.sign_in().await;
    mia.arrive(&format!("{PORTAL}/delegations")).await;
    mia.fill("#to", "nora").await;
    // as a browser's own calendar would
    mia.run("document.getElementById('until').value = '2026-12-01'").await;
    mia.picture("walk-delegation-1-form").await;
    mia.click("form[action=\"/delegations\"] button").await;
    mia.until("the delegation", async |mia| mia.words().await.contains("Nora Byrne"))
        .await;
    mia.picture("walk-delegation-2-given").await;

    crate::delegations::asks(&world, "ben").await;
    let nora = Driver::start(&world, "nora", "en").await;
    nora.look(DESKTOP, "light").await;
    nora.open(&format!("{PORTAL}/delegations")).await;
    nora.says(&["Mia Castellano"]).await;
    nora.picture("walk-delegation-3-received").await;
    nora.open(&format!("{PORTAL}/approvals")).await;
    nora.says(&["Ben Okafor asks for", "Mia Castellano"]).await;
    nora.picture("walk-delegation-4-inbox").await;

    mia.click("form[action$=\"/end\"] button").await;
    mia.until("it has ended", async |mia| {
        mia.run("return document.querySelector('form[action$=\"/end\"]') === null")
            .await
            == true
    })
    .await;
    mia.picture("walk-delegation-5-taken-back").await;
    mia.close().await;
    nora.open(&format!("{PORTAL}/approvals")).await;
    nora.says(&["Nothing waits for you."]).await;
    nora.close().await;
    world.close_uncounted().await;
}

/// Whether the library has drawn every chart, and says which week it speaks of.
const DRAWN: &str = "const plots = [...document.querySelectorAll('[data-plot]')];
const drawn = plot => {
    const canvas = plot.querySelector('canvas');
    const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    return dots.some(dot => dot !== 0) && plot.querySelector('.u-legend').textContent.includes('2026');
};
return plots.length > 0 && plots.every(drawn)";

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_it_is_said_and_the_value_is_seen_by_purpose() {
    let world = World::open().await;
    used_by(&world, &PEOPLE, 4).await;
    world.clock.advance(Duration::from_hours(14 * 24));
    world.gate().add_up().await;
    let client = world.client("ada");
    declares(&client, "PT1H").await;
    assert_eq!(
        client.get("https://www.linkedin.com/feed/").await.status,
        http::StatusCode::OK
    );
    world.clock.advance(Duration::from_hours(2));

    let ada = Driver::start(&world, "ada", "en").await;
    ada.look(PHONE, "light").await;
    ada.open(PORTAL).await;
    ada.says(&["What came of it?", "Candidates contacted"]).await;
    ada.picture("walk-value-1-asked").await;
    ada.fill("input[name=amount]", "12").await;
    ada.fill("textarea[name=note]", "Two of them come for an interview")
        .await;
    ada.click("form[action$=\"/outcome\"] button").await;
    ada.arrive(&format!("{PORTAL}/?reported=")).await;
    ada.says(&["Candidates contacted: 12"]).await;
    ada.picture("walk-value-2-said").await;
    ada.close().await;

    let mia = Driver::start(&world, "mia", "en").await;
    mia.look(DESKTOP, "light").await;
    mia.open(PORTAL).await;
    mia.click("a[href=\"/value\"]").await;
    mia.arrive(&format!("{PORTAL}/value")).await;
    mia.picture("walk-value-3-all").await;
    mia.click("a[href=\"/value/competitor-research\"]").await;
    mia.arrive(&format!("{PORTAL}/value/competitor-research")).await;
    mia.picture("walk-value-4-purpose").await;
    let drawn = mia.run(DRAWN).await;
    assert_eq!(drawn, true, "the charts are not drawn: {}", mia.words().await);
    mia.click("summary").await;
    mia.says(&["LinkedIn"]).await;
    mia.look(PHONE, "dark").await;
    mia.picture("walk-value-5-phone").await;
    mia.close().await;
    world.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_appear_as_they_are_made_and_none_is_lost_while_nobody_follows() {
    let world = World::open().await;
    let ben = world.client("ben");
    let sol = Driver::start(&world, "sol", "en").await;
    sol.look(DESKTOP, "light").await;
    ben.get(FEED).await;
    sol.open(&format!("{PORTAL}/decisions?user=ben")).await;
    let rows = async |sol: &Driver, count: u64| {
        let script =
            "return new Set([...document.querySelectorAll('#decisions tbody a')].map((link) => link.href)).size";
        sol.until(&format!("{count} decisions"), async |sol| {
            sol.run(script).await == count
        })
        .await;
    };
    rows(&sol, 1).await;
    // between the page and the live view
    ben.get(FEED).await;
    sol.click("#follow").await;
    rows(&sol, 2).await;
    for count in 3..=5 {
        ben.get(FEED).await;
        rows(&sol, count).await;
    }
    sol.click("#follow").await;
    ben.get(FEED).await;
    sol.click("#follow").await;
    rows(&sol, 6).await;
    sol.picture("walk-decisions-live").await;
    sol.click("#decisions tbody tr:first-child a").await;
    sol.arrive(&format!("{PORTAL}/decisions/")).await;
    sol.says(&["Ben", "LinkedIn"]).await;
    sol.close().await;
    world.close_uncounted().await;
}
