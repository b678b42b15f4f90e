//! The main job, with a real browser: a site, the page that asks for the purpose, the site again.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::browser::{Browser, SignIn};
use crate::commands::check_metrics;
use crate::gate::Demo;
use crate::people::declare;

const LINKEDIN: &str = "https://www.linkedin.com/";
const PORTAL: &str = "https://wayleave.internal/";

pub fn sign_in(demo: &Demo, user: &str) -> SignIn {
    let somebody = demo.ready.people.iter().find(|one| one.user == user).unwrap();
    SignIn {
        user: somebody.user.clone(),
        password: somebody.password.clone(),
    }
}

/// A browser that finds its way by the PAC file.
pub async fn browser(demo: &Demo, user: &str) -> Browser {
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
pub async fn state(browser: &mut Browser, purpose: &str, statement: &str) {
    browser
        .click(&format!("document.querySelector('input[value={purpose}]')"))
        .await;
    browser.click("document.getElementById('statement')").await;
    browser.type_text(statement).await;
    browser.click("document.querySelector('button[type=submit]')").await;
}

/// Ada opens the site, states what she needs it for, reads; then she posts.
async fn recruits(demo: &Demo) {
    let mut ada = browser(demo, "ada").await;
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
        "Signed in as Ada Mertens",
        "If there is one, such as HR-123.",
        "Market research",
    ] {
        assert!(words.contains(told), "{told}: {words}");
    }
    state(&mut ada, "recruiting", "Backend engineers for the Lyon team").await;
    ada.arrive(LINKEDIN).await;
    assert!(ada.words().await.contains("This is a stand-in for LinkedIn"));
    let read = press(&mut ada, "Read the feed").await;
    assert!(read.contains("200: GET /voyager/api/graphql"), "{read}");

    // what she stated opens reading, for long; to post she is asked once more, and that lasts shorter
    let refused = press(&mut ada, "Post").await;
    let told = "403: A purpose is needed to post on LinkedIn: declare recruiting.";
    assert!(refused.contains(told), "{refused}");
    ada.open(PORTAL).await;
    ada.click("document.querySelector('a[href^=\"/refusals/\"]')").await;
    ada.arrive(&format!("{PORTAL}refusals/")).await;
    state(&mut ada, "recruiting", "The opening for a backend engineer").await;
    ada.arrive(PORTAL).await;
    ada.open(LINKEDIN).await;
    let posted = press(&mut ada, "Post").await;
    assert!(posted.contains("200: POST /voyager/api/graphql took"), "{posted}");
    ada.close().await;
}

/// Eve, an intern, may read; why she may not post she is told on the spot and on her own page.
async fn listens(demo: &Demo) {
    let mut eve = browser(demo, "eve").await;
    eve.open(LINKEDIN).await;
    state(&mut eve, "social-listening", "What is said about our brand").await;
    eve.arrive(LINKEDIN).await;
    let read = press(&mut eve, "Read the feed").await;
    assert!(read.contains("200: GET"), "{read}");
    let posted = press(&mut eve, "Post").await;
    let told = "403: No purpose allows you to post on LinkedIn.";
    assert!(posted.contains(told), "{posted}");
    eve.open(PORTAL).await;
    let words = eve.words().await;
    let told = "Interns do not publish on social media.";
    assert!(words.contains(told), "her page remembers: {words}");
    eve.close().await;
}

#[tokio::test]
async fn a_recruiter_states_her_purpose_and_posts_an_intern_learns_why_not_and_all_of_it_is_recorded() {
    let demo = Demo::start().await;
    recruits(&demo).await;
    listens(&demo).await;

    let book = demo.records(&["list"]).await.ends_with(0);
    for told in [
        "declare  ada browse GET www.linkedin.com/",
        "granted  ada recruiting on linkedin",
        "declare  ada post POST www.linkedin.com/voyager/api/graphql",
        "allow    ada post POST www.linkedin.com/voyager/api/graphql for recruiting",
        "granted  eve social-listening on linkedin",
        "deny     eve post POST www.linkedin.com/voyager/api/graphql",
    ] {
        assert!(book.contains(told), "{told}: {book}");
    }
    let proof = demo.records(&["verify"]).await.ends_with(0);
    assert!(proof.contains("the records hold"), "{proof}");
    let metrics = check_metrics(&demo).await;
    for (outcome, activity) in [("allow", "post"), ("deny", "post"), ("declare", "browse")] {
        let labels = [
            format!("outcome=\"{outcome}\""),
            format!("activity=\"{activity}\""),
            "platform=\"linkedin\"".to_owned(),
        ];
        let counted = metrics.lines().any(|line| {
            line.starts_with("wayleave_decisions_total{")
                && labels.iter().all(|label| line.contains(label))
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
    // not at noon, when the break asks for no statement
    let demo = Demo::with(&["--port-base", "0", "--at", "2026-11-24T09:30:00Z"]).await;
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
    let chosen = ada.text("document.querySelector('input:checked').value").await;
    assert_eq!(chosen, "recruiting", "nor is the choice");
    assert_eq!(
        ada.text("document.getElementById('statement').value").await,
        "jobs",
        "nothing is lost"
    );
    ada.close().await;
    demo.stop().await;
}

#[tokio::test]
async fn a_browser_is_led_to_the_tls_door_by_its_pac_file_too() {
    let demo = Demo::start().await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    let door = demo.ready.proxy_tls.strip_prefix("https://").unwrap();
    let script = demo
        .wayleave(&["pac", "--proxy", &format!("HTTPS {door}")])
        .await
        .ends_with(0);
    let way = format!(
        "--proxy-pac-url=data:application/x-ns-proxy-autoconfig;base64,{}",
        STANDARD.encode(script)
    );
    let mut ada = Browser::start(&demo.ready.ca, &way, sign_in(&demo, "ada")).await;
    assert_eq!(ada.open(LINKEDIN).await, LINKEDIN);
    let posted = press(&mut ada, "Post").await;
    assert!(posted.contains("200: POST"), "{posted}");
    ada.close().await;
    let book = demo.records(&["list", "--format", "json"]).await.ends_with(0);
    let visits: Vec<&str> = book
        .lines()
        .filter(|line| line.contains("\"www.linkedin.com\""))
        .collect();
    assert!(visits.len() >= 3, "{book}");
    assert!(
        visits.iter().all(|line| line.contains("\"door\":\"tls\"")),
        "{visits:#?}"
    );
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

/// What on a page cannot be read well (WCAG 2.2: text against what is behind it 4.5:1, and 3:1 where it is large; the edges
/// of fields 3:1), and whether its paper is light or dark.
const FAINT: &str = r"(() => {
  document.getAnimations().forEach(change => change.finish());
  const parts = colour => {
    const [r, g, b, a] = colour.match(/[\d.]+/g).map(Number);
    return { rgb: [r, g, b], alpha: a ?? 1 };
  };
  const over = (front, back) => front.rgb.map((part, at) => part * front.alpha + back[at] * (1 - front.alpha));
  const behind = element => {
    if (!element) return matchMedia('(prefers-color-scheme: dark)').matches ? [0, 0, 0] : [255, 255, 255];
    const own = parts(getComputedStyle(element).backgroundColor);
    return own.alpha === 1 ? own.rgb : over(own, behind(element.parentElement));
  };
  const light = rgb => {
    const [r, g, b] = rgb.map(part => part / 255).map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + .05) / (dark + .05);
  };
  const faint = [];
  const look = (element, colour, back, least) => {
    const found = contrast(over(parts(colour), back), back);
    if (found < least) faint.push(`${found.toFixed(2)}: ${element.outerHTML.slice(0, 120)}`);
  };
  for (const element of document.body.querySelectorAll('*')) {
    const style = getComputedStyle(element), back = behind(element);
    if (!element.getClientRects().length) continue;
    if ([...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) {
      const size = parseFloat(style.fontSize);
      look(element, style.color, back, size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5);
    }
    if (element.matches('input[type=text], textarea')) {
      look(element, style.color, back, 4.5);
      look(element, style.borderTopColor, behind(element.parentElement), 3);
    }
  }
  return { texts: faint, paper: light(behind(document.body)) > .5 ? 'light' : 'dark' };
})()";

/// Looks at the page that is open in light, dark and on a phone: nothing runs over the edge, and it says what it is.
pub async fn looks(browser: &mut Browser, name: &str) {
    for (width, scheme) in [(1100, "light"), (1100, "dark"), (360, "light"), (320, "dark")] {
        browser.look(width, scheme).await;
        browser.picture(&format!("{name}-{width}-{scheme}")).await;
        let over = browser.value("document.documentElement.scrollWidth - innerWidth").await;
        assert!(over.as_i64().unwrap() <= 0, "{name} is {over} too wide for {width}");
        let faint = browser.value(FAINT).await;
        assert_eq!(faint["texts"], serde_json::json!([]), "{name} {scheme}: {faint:#}");
        assert_eq!(faint["paper"], scheme, "{name}: {faint:#}");
    }
    let facts = browser
        .value(
            "({ lang: document.documentElement.lang, title: document.title, heads: document.querySelectorAll('h1').length, \
             main: document.querySelectorAll('main').length, foreign: performance.getEntriesByType('resource').length, \
             mute: [...document.querySelectorAll('input:not([type=hidden]), textarea, button')] \
                 .filter(e => !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).map(e => e.outerHTML) })",
        )
        .await;
    assert_eq!(facts["lang"], "en", "{name}");
    assert!(
        facts["title"].as_str().unwrap().ends_with("wayleave"),
        "{name}: {facts:#}"
    );
    assert_eq!((&facts["heads"], &facts["main"]), (&1.into(), &1.into()), "{name}");
    assert_eq!(facts["foreign"], 0, "{name} loads nothing");
    assert_eq!(facts["mute"], serde_json::json!([]), "{name}: every control has a name");
}

#[tokio::test]
async fn the_pages_read_well_in_light_and_dark_and_on_a_phone() {
    let demo = Demo::start().await;
    let mut ada = browser(&demo, "ada").await;
    ada.open(LINKEDIN).await;
    looks(&mut ada, "declare").await;
    ada.value("document.querySelector('form').noValidate = true; ''").await;
    state(&mut ada, "recruiting", "jobs").await;
    ada.arrive(PORTAL).await;
    looks(&mut ada, "declare-again").await;
    ada.click("document.getElementById('statement')").await;
    ada.type_text(" for backend engineers").await;
    ada.click("document.querySelector('button[type=submit]')").await;
    ada.arrive(LINKEDIN).await;
    press(&mut ada, "Post").await;
    ada.open(PORTAL).await;
    looks(&mut ada, "mine").await;
    ada.click("document.querySelector('a[href^=\"/refusals/\"]')").await;
    ada.arrive(&format!("{PORTAL}refusals/")).await;
    state(&mut ada, "recruiting", "The opening for a backend engineer").await;
    ada.arrive(PORTAL).await;
    looks(&mut ada, "granted").await;
    ada.open("https://x.com/").await;
    looks(&mut ada, "declare-research").await;
    ada.close().await;

    let mut ben = browser(&demo, "ben").await;
    declare(&demo, "ben", "market-research", &["x"]).await;
    ben.open("https://x.com/").await;
    // a form of the site is refused in place: nothing that a person wrote is sent anywhere else
    let form = "const f = document.createElement('form'); f.method = 'post'; f.action = '/i/api/graphql/AbC/CreateTweet'; \
                document.body.append(f); f.submit(); ''";
    ben.value(form).await;
    ben.arrive("https://x.com/i/").await;
    looks(&mut ben, "refusal").await;
    ben.close().await;
    demo.stop().await;
}
