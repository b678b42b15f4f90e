//! Without a mouse: every step by Tab, Enter, Space and the arrows, in the order in which things are read, and always seen where
//! one is.

use serde_json::Value;

use super::driver::{DESKTOP, DOWN, Driver, ENTER, SPACE, TAB};
use super::scene::{ADMIN, FEED};
use crate::harness::house::PORTAL;
use crate::harness::{PASSWORD, World};

/// What has the focus: what it is, how it shows that, and where it stands in the order of the document.
const FOCUS: &str = "
    document.getAnimations().forEach(change => change.finish());
    const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
    return {
        is: e.matches('body') ? 'nothing' : e.tagName.toLowerCase(),
        name: e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || e.value || '',
        skips: e.matches('a.skip'),
        button: e.matches('button, a.button'),
        value: e.value ?? '', field: e.name ?? '',
        outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
        colour: style.outlineColor,
        inside: box.width > 0 && box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth,
        place: [...document.querySelectorAll('*')].indexOf(e),
        tabindex: e.tabIndex,
    };";

/// Goes on to the next thing; it must be visible, and marked.
async fn next(browser: &Driver) -> Value {
    browser.press(&TAB.to_string()).await;
    let focus = browser.run(FOCUS).await;
    if focus["is"] == "nothing" {
        return focus;
    }
    assert!(
        focus["outline"].as_f64().unwrap() >= 2.0,
        "one does not see where one is: {focus:#}"
    );
    assert!(focus["colour"] != "rgba(0, 0, 0, 0)", "{focus:#}");
    assert_eq!(focus["inside"], true, "it is out of sight: {focus:#}");
    assert_eq!(focus["tabindex"], 0, "the order is that of the document: {focus:#}");
    focus
}

/// Goes on until `wanted` has the focus; fails where the page has ended before.
async fn reach(browser: &Driver, what: &str, wanted: impl Fn(&Value) -> bool) {
    let mut passed = Vec::new();
    for _ in 0..80 {
        let focus = next(browser).await;
        if wanted(&focus) {
            return;
        }
        assert_ne!(focus["is"], "nothing", "the page ends before {what}: {passed:#?}");
        passed.push(format!("{} {}", focus["is"], focus["name"]));
    }
    panic!("{what} is nowhere: {passed:#?}");
}

/// Everything on the page that can have the focus, from its beginning, in the order in which it does.
async fn all_stops(browser: &Driver) -> Vec<Value> {
    let mut stops = Vec::new();
    loop {
        let focus = next(browser).await;
        if focus["is"] == "nothing" || stops.contains(&focus) {
            return stops;
        }
        stops.push(focus);
        assert!(stops.len() < 200, "it never ends");
    }
}

fn in_order(stops: &[Value]) {
    let places: Vec<u64> = stops.iter().map(|stop| stop["place"].as_u64().unwrap()).collect();
    assert!(places.is_sorted(), "{stops:#?}");
    assert_eq!(
        stops[0]["skips"], true,
        "the first one skips what every page begins with: {stops:#?}"
    );
    for stop in stops {
        assert!(
            !stop["name"].as_str().unwrap().trim().is_empty(),
            "it has no name: {stop:#}"
        );
    }
}

async fn skips_to_the_content(browser: &Driver) {
    let first = next(browser).await;
    assert_eq!(first["skips"], true, "{first:#}");
    browser.press(&ENTER.to_string()).await;
    let inside = "return document.querySelector('main').contains(document.activeElement) || location.hash === '#main'";
    assert_eq!(browser.run(inside).await, true);
    let focus = next(browser).await;
    assert_eq!(
        browser
            .run("return document.querySelector('main').contains(document.activeElement)")
            .await,
        true,
        "{focus:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn from_a_refusal_to_the_site_with_the_keyboard_only() {
    let world = World::open().await;
    let ada = Driver::start(&world, "ada", "en").await;
    ada.look(DESKTOP, "light").await;
    ada.open(FEED).await;
    in_order(&all_stops(&ada).await);

    ada.open(FEED).await;
    skips_to_the_content(&ada).await;
    // the first purpose has the focus; Space chooses it, and the arrows go through the others
    ada.press(&SPACE.to_string()).await;
    for _ in 0..20 {
        if ada.run(FOCUS).await["value"] == "recruiting" {
            break;
        }
        ada.press(&DOWN.to_string()).await;
    }
    assert_eq!(
        ada.run("return document.querySelector('input[name=purpose]:checked').value")
            .await,
        "recruiting"
    );
    ada.picture("walk-keyboard-1-chosen").await;
    reach(&ada, "the statement", |focus| focus["field"] == "statement").await;
    ada.press("Backend engineers for the Lyon team").await;
    reach(&ada, "the button", |focus| focus["button"] == true).await;
    ada.picture("walk-keyboard-2-button").await;
    ada.press(&ENTER.to_string()).await;
    ada.arrive(FEED).await;

    // her own page, and the end of it
    ada.open(PORTAL).await;
    in_order(&all_stops(&ada).await);
    ada.open(PORTAL).await;
    reach(&ada, "the end", |focus| {
        focus["name"].as_str().unwrap().starts_with("End")
    })
    .await;
    ada.press(&SPACE.to_string()).await;
    ada.arrive(&format!("{PORTAL}/?ended=")).await;
    ada.close().await;
    world.close_uncounted().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_declined_and_another_approved_with_the_keyboard_only() {
    let world = World::open().await;
    let ben = Driver::start(&world, "ben", "en").await;
    ben.look(DESKTOP, "dark").await;
    ben.open(ADMIN).await;
    reach(&ben, "the purpose", |focus| focus["field"] == "purpose").await;
    ben.press(&SPACE.to_string()).await;
    for _ in 0..20 {
        if ben.run(FOCUS).await["value"] == "brand-publishing" {
            break;
        }
        ben.press(&DOWN.to_string()).await;
    }
    reach(&ben, "the statement", |focus| focus["field"] == "statement").await;
    ben.press("Launch of the new bicycle").await;
    reach(&ben, "the button", |focus| focus["button"] == true).await;
    ben.press(&ENTER.to_string()).await;
    ben.arrive(&format!("{PORTAL}/refusals/")).await;
    crate::delegations::asks(&world, "ben").await;

    let mia = Driver::start(&world, "mia", "en").await;
    mia.look(DESKTOP, "dark").await;
    mia.open(PORTAL).await;
    reach(&mia, "what waits", |focus| focus["button"] == true).await;
    mia.press(&ENTER.to_string()).await;
    mia.arrive(&format!("{PORTAL}/approvals")).await;
    reach(&mia, "signing in", |focus| focus["button"] == true).await;
    mia.press(&ENTER.to_string()).await;
    mia.arrive(&format!("{PORTAL}/sign-in")).await;
    reach(&mia, "the password", |focus| focus["field"] == "password").await;
    // Enter in the field sends the form
    mia.press(&format!("{PASSWORD}{ENTER}")).await;
    mia.arrive(&format!("{PORTAL}/approvals")).await;
    in_order(&all_stops(&mia).await);

    mia.open(&format!("{PORTAL}/approvals")).await;
    reach(&mia, "declining", |focus| focus["is"] == "summary").await;
    mia.press(&ENTER.to_string()).await;
    reach(&mia, "why", |focus| focus["field"] == "note").await;
    mia.press("Not before the fair").await;
    reach(&mia, "the button", |focus| focus["is"] == "button").await;
    mia.picture("walk-keyboard-3-decline").await;
    mia.press(&SPACE.to_string()).await;
    mia.arrive(&format!("{PORTAL}/approvals?answered=")).await;
    mia.says(&["You declined"]).await;
    reach(&mia, "approving", |focus| {
        focus["name"].as_str().unwrap().starts_with("Approve")
    })
    .await;
    mia.press(&ENTER.to_string()).await;
    mia.until("it is approved", async |mia| mia.words().await.contains("You approved"))
        .await;
    mia.picture("walk-keyboard-4-approved").await;
    mia.close().await;
    ben.close().await;
    world.close_uncounted().await;
}
