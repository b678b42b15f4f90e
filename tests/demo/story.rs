//! The main job, with a real browser: a site, the page that asks for the purpose, the site again.

use crate::browser::{Browser, SignIn};
use crate::commands::check_metrics;
use crate::gate::Demo;
use crate::people::declare;

const LINKEDIN: &str = "https://www.linkedin.com/";
const PORTAL: &str = "https://wayleave.internal/";

fn sign_in(demo: &Demo, user: &str) -> SignIn {
    let somebody = demo.ready.people.iter().find(|one| one.user == user).unwrap();
    SignIn {
        user: somebody.user.clone(),
        password: somebody.password.clone(),
    }
}

/// A browser that finds its way by the PAC file.
async fn browser(demo: &Demo, user: &str) -> Browser {
    let pac = format!("--proxy-pac-url={}/proxy.pac", demo.ready.admin);
    Browser::start(&demo.ready.ca, &pac, sign_in(demo, user)).await
}

/// Presses one of the stand-in's buttons, and gives what the page then says.
async fn press(browser: &mut Browser, label: &str) -> String {
    let watch = "window.next = new Promise(done => { const said = document.getElementById('said'); \
                 new MutationObserver(() => done(said.textContent)).observe(said, { childList: true }); }); ''";
    browser.value(watch).await;
    browser
        .click(&format!(
            "[...document.querySelectorAll('button')].find(b => b.textContent === '{label}')"
        ))
        .await;
    browser.text("window.next").await
}

/// Chooses a purpose on the page that asks for it, says what for, and sends the form.
async fn state(browser: &mut Browser, purpose: &str, statement: &str) {
    browser
        .click(&format!("document.querySelector('input[value={purpose}]')"))
        .await;
    browser.click("document.getElementById('statement')").await;
    browser.type_text(statement).await;
    browser.click("document.querySelector('button[type=submit]')").await;
}

#[tokio::test]
async fn a_recruiter_opens_linkedin_states_her_purpose_and_posts_and_an_intern_learns_why_not() {
    let demo = Demo::start().await;
    let mut ada = browser(&demo, "ada").await;
    let asked = ada.open(LINKEDIN).await;
    assert!(asked.starts_with(PORTAL), "the portal asks: {asked}");
    assert!(
        !asked.contains("linkedin") && !asked.contains("ada"),
        "the address tells nothing: {asked}"
    );
    assert!(ada.challenges > 0, "the proxy asked who she is");
    let words = ada.words().await;
    for told in [
        "This needs a purpose",
        "LinkedIn",
        "Recruiting",
        "Ada Mertens",
        "Market research",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }

    state(&mut ada, "recruiting", "Backend engineers for the Lyon team").await;
    ada.arrive(LINKEDIN).await;
    assert!(ada.words().await.contains("This is a stand-in for LinkedIn"));
    let posted = press(&mut ada, "Post").await;
    assert!(posted.contains("200: POST /voyager/api/graphql took"), "{posted}");
    let read = press(&mut ada, "Read the feed").await;
    assert!(read.contains("200: GET /voyager/api/graphql"), "{read}");
    ada.close().await;

    let mut eve = browser(&demo, "eve").await;
    eve.open(LINKEDIN).await;
    state(&mut eve, "social-listening", "What is said about our brand").await;
    eve.arrive(LINKEDIN).await;
    let read = press(&mut eve, "Read the feed").await;
    assert!(read.contains("200: GET"), "{read}");
    let posted = press(&mut eve, "Post").await;
    assert!(
        posted.contains("403: No purpose allows anybody in your role to post on LinkedIn."),
        "{posted}"
    );
    eve.open(PORTAL).await;
    let words = eve.words().await;
    assert!(
        words.contains("Interns do not publish on social media."),
        "her page remembers: {words}"
    );
    eve.close().await;

    let book = demo.records(&["list"]).await.ends_with(0);
    for told in [
        "declare  ada browse GET www.linkedin.com/",
        "granted  ada recruiting on linkedin",
        "allow    ada post POST www.linkedin.com/voyager/api/graphql for recruiting",
        "granted  eve social-listening on linkedin",
        "deny     eve post POST www.linkedin.com/voyager/api/graphql",
    ] {
        assert!(book.contains(told), "{told}: {book}");
    }
    assert!(
        demo.records(&["verify"])
            .await
            .ends_with(0)
            .contains("the records hold")
    );
    let metrics = check_metrics(&demo).await;
    for (outcome, activity) in [("allow", "post"), ("deny", "post"), ("declare", "browse")] {
        let counted = metrics.lines().any(|line| {
            line.starts_with("wayleave_decisions_total{")
                && line.contains(&format!("outcome=\"{outcome}\""))
                && line.contains(&format!("activity=\"{activity}\""))
                && line.contains("platform=\"linkedin\"")
                && !line.ends_with(" 0")
        });
        assert!(counted, "{outcome} {activity} was not counted:\n{metrics}");
    }
    demo.stop().await;
}

#[tokio::test]
async fn a_purpose_is_ended_on_the_persons_own_page_and_the_site_asks_again() {
    let demo = Demo::start().await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    let mut ada = browser(&demo, "ada").await;
    assert_eq!(ada.open(LINKEDIN).await, LINKEDIN);
    ada.open(PORTAL).await;
    assert!(ada.words().await.contains("Recruiting"));
    ada.click("document.querySelector('form[action^=\"/grants/\"] button')")
        .await;
    ada.arrive(PORTAL).await;
    let again = ada.open(LINKEDIN).await;
    assert!(again.starts_with(PORTAL), "{again}");
    ada.close().await;
    demo.stop().await;
}

#[tokio::test]
async fn a_statement_that_is_too_short_is_refused_before_and_after_it_is_sent() {
    let demo = Demo::start().await;
    let mut ada = browser(&demo, "ada").await;
    let asked = ada.open(LINKEDIN).await;
    state(&mut ada, "recruiting", "jobs").await;
    assert_eq!(ada.text("location.href").await, asked, "the browser keeps the form");
    assert_eq!(ada.value("document.querySelector('form').checkValidity()").await, false);
    // a tool would send it all the same
    ada.value("document.querySelector('form').noValidate = true; ''").await;
    ada.click("document.querySelector('button[type=submit]')").await;
    ada.arrive(PORTAL).await;
    assert_eq!(
        ada.text("document.getElementById('statement').getAttribute('aria-invalid')")
            .await,
        "true"
    );
    assert_eq!(
        ada.text("document.getElementById('statement').value").await,
        "jobs",
        "nothing is lost"
    );
    ada.close().await;
    demo.stop().await;
}

#[tokio::test]
async fn a_browser_finds_its_way_through_the_tls_door_too() {
    let demo = Demo::start().await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    let way = format!("--proxy-server={}", demo.ready.proxy_tls);
    let mut ada = Browser::start(&demo.ready.ca, &way, sign_in(&demo, "ada")).await;
    assert_eq!(ada.open(LINKEDIN).await, LINKEDIN);
    let posted = press(&mut ada, "Post").await;
    assert!(posted.contains("200: POST"), "{posted}");
    ada.close().await;
    demo.stop().await;
}

/// The browser line of the tour, by ada, who has stated her purpose by then; nothing was imported anywhere.
pub async fn the_printed_line_opens_the_site(line: &str, password: &str) {
    // the address is opened once somebody is there to answer the proxy's question
    let (line, url) = line.rsplit_once(' ').unwrap();
    assert_eq!(url, LINKEDIN);
    let sign_in = SignIn {
        user: "ada".to_owned(),
        password: password.to_owned(),
    };
    let mut ada = Browser::line(&format!("{line} about:blank"), sign_in).await;
    assert_eq!(ada.open(url).await, url);
    assert!(ada.words().await.contains("This is a stand-in for LinkedIn"));
    ada.close().await;
}
