//! Two people and two browsers: one asks on the page of a refusal, the other answers on a phone, and the first goes on.

use serde_json::json;

use crate::browser::Browser;
use crate::gate::Demo;
use crate::story::{browser, looks, sign_in, state};

const ADMIN: &str = "https://www.linkedin.com/company/1/admin/";
const PORTAL: &str = "https://wayleave.internal/";

/// A phone held upright.
async fn in_a_phone(browser: &mut Browser) {
    let metrics = json!({ "width": 390, "height": 844, "deviceScaleFactor": 3, "mobile": true });
    browser.call("Emulation.setDeviceMetricsOverride", metrics).await;
}

/// Mia finds what waits for her, signs in once more, and approves.
async fn approves(demo: &Demo) {
    let mut mia = browser(demo, "mia").await;
    in_a_phone(&mut mia).await;
    mia.open(PORTAL).await;
    mia.click("document.querySelector('a[href=\"/approvals\"]')").await;
    mia.arrive(&format!("{PORTAL}approvals")).await;
    mia.picture("inbox-before-phone").await;
    mia.click("document.querySelector('a[href^=\"/sign-in\"]')").await;
    mia.arrive(&format!("{PORTAL}sign-in")).await;
    looks(&mut mia, "sign-in").await;
    in_a_phone(&mut mia).await;
    mia.picture("sign-in-phone").await;
    mia.click("document.getElementById('password')").await;
    mia.type_text(&sign_in(demo, "mia").password).await;
    mia.click("document.querySelector('form[action=\"/sign-in\"] button')")
        .await;
    mia.arrive(&format!("{PORTAL}approvals")).await;
    let words = mia.words().await;
    for told in [
        "Ben Okafor asks for “Publishing for the brand”",
        "for 1 hour from the approval",
        "Launch of the new bicycle",
        "Training “social-media”: valid until",
        "Did not hold this purpose in the last 90 days",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    looks(&mut mia, "inbox").await;
    in_a_phone(&mut mia).await;
    mia.picture("inbox-phone").await;
    let script = "document.cookie";
    assert_eq!(mia.text(script).await, "", "no script can read the session");
    mia.click("document.querySelector('form[action$=\"/approve\"] button')")
        .await;
    mia.arrive(&format!("{PORTAL}approvals?answered=")).await;
    let words = mia.words().await;
    for told in [
        "You approved “Publishing for the brand” for Ben Okafor",
        "Nothing waits for you.",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    mia.close().await;
}

#[tokio::test]
async fn what_is_asked_on_the_page_of_a_refusal_is_approved_on_a_phone_and_opens_the_site() {
    let demo = Demo::start().await;
    let mut ben = browser(&demo, "ben").await;
    let asked = ben.open(ADMIN).await;
    assert!(asked.starts_with(PORTAL), "{asked}");
    let words = ben.words().await;
    for told in [
        "This needs an approval",
        "Mia Castellano (mia) must approve it",
        "Ask for approval",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    looks(&mut ben, "ask").await;
    state(&mut ben, "brand-publishing", "Launch of the new bicycle").await;
    ben.arrive(&format!("{PORTAL}refusals/")).await;
    let words = ben.words().await;
    assert!(words.contains("Mia Castellano (mia) was asked"), "{words}");
    looks(&mut ben, "asked").await;

    approves(&demo).await;

    ben.click("document.querySelector('a.main-action')").await;
    ben.arrive(ADMIN).await;
    ben.open(PORTAL).await;
    let words = ben.words().await;
    assert!(words.contains("Mia Castellano (mia) approved it"), "{words}");
    looks(&mut ben, "mine-answered").await;
    ben.close().await;
    let book = demo.records(&["list"]).await.ends_with(0);
    for told in [
        "asked    ben brand-publishing on linkedin",
        "approved ben brand-publishing on linkedin",
        "by mia, grant",
        "allow    ben manage-page GET www.linkedin.com/company/1/admin/ for brand-publishing",
    ] {
        assert!(book.contains(told), "{told}: {book}");
    }
    demo.stop().await;
}
