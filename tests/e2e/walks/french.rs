//! The main walk in French, for whose browser prefers it, and for whoever chooses it.

use super::driver::{DESKTOP, Driver, PHONE};
use super::scene::{ADMIN, FEED};
use crate::harness::World;
use crate::harness::house::PORTAL;

#[tokio::test(flavor = "multi_thread")]
async fn who_reads_french_is_asked_answered_and_let_through_in_french() {
    let world = World::open().await;
    let ada = Driver::start(&world, "ada", "fr").await;
    ada.look(DESKTOP, "light").await;
    ada.open(FEED).await;
    ada.says(&["Ce site demande un motif", "Recrutement", "Ada Mertens"])
        .await;
    ada.picture("walk-french-1-refused").await;
    ada.state("recruiting", "Un poste ouvert dans l'équipe de Lyon").await;
    ada.arrive(FEED).await;
    ada.open(PORTAL).await;
    ada.says(&["Recrutement"]).await;
    ada.picture("walk-french-2-mine").await;
    ada.close().await;

    let ben = Driver::start(&world, "ben", "fr").await;
    ben.look(PHONE, "dark").await;
    ben.open(ADMIN).await;
    ben.picture("walk-french-3-ask").await;
    ben.state("brand-publishing", "Lancement du nouveau vélo").await;
    ben.arrive(&format!("{PORTAL}/refusals/")).await;
    ben.picture("walk-french-4-asked").await;

    // she chooses it on a page of ours; her browser prefers English
    let mia = Driver::start(&world, "mia", "en").await;
    mia.look(PHONE, "light").await;
    mia.open(&format!("{PORTAL}/approvals")).await;
    mia.click("footer nav a[lang=fr]").await;
    mia.until("French", async |mia| {
        mia.run("return document.documentElement.lang").await == "fr"
    })
    .await;
    mia.click("a[href^=\"/sign-in\"]").await;
    mia.sign_in().await;
    mia.arrive(&format!("{PORTAL}/approvals")).await;
    mia.says(&["Ben Okafor", "Lancement du nouveau vélo"]).await;
    mia.picture("walk-french-5-inbox").await;
    mia.click("form[action$=\"/approve\"] button").await;
    mia.arrive(&format!("{PORTAL}/approvals?answered=")).await;
    assert_eq!(mia.run("return document.documentElement.lang").await, "fr");
    mia.picture("walk-french-6-answered").await;
    mia.close().await;
    ben.click("a.main-action").await;
    ben.arrive(ADMIN).await;
    ben.close().await;
    world.close_uncounted().await;
}
