//! What the shipped rules say, as a table of sentences.

use super::*;

type Row = (&'static str, Flow, &'static [&'static str], &'static str);

fn check(rows: Vec<Row>) {
    let policy = shipped();
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(sentence, flow, actions, expected)| {
            let decision = flow.ask(policy, actions);
            let got = verdict(&decision);
            (got != *expected).then(|| {
                format!(
                    "{sentence}: expected `{expected}`, got `{got}` {:?}",
                    decision.troubles()
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn who_may_reach_what() {
    check(vec![
        (
            "an engineer opens an unknown site",
            flow("eve", "news.example"),
            &["connect"],
            "allow connect.open-web",
        ),
        (
            "a vendor opens an unknown site",
            flow("vera", "news.example"),
            &["connect"],
            "allow connect.open-web",
        ),
        (
            "an unknown site is not read",
            flow("eve", "news.example"),
            &["inspect"],
            "deny",
        ),
        (
            "what is done on an unknown site is nobody's business",
            flow("eve", "news.example"),
            &["post"],
            "allow activity.open-web",
        ),
        (
            "an engineer reaches LinkedIn",
            flow("eve", "www.linkedin.com"),
            &["connect"],
            "allow connect.social",
        ),
        (
            "LinkedIn is read",
            flow("eve", "www.linkedin.com"),
            &["inspect"],
            "allow inspect.social",
        ),
        (
            "a vendor does not reach LinkedIn",
            flow("vera", "www.linkedin.com"),
            &["connect"],
            "deny",
        ),
        (
            "dating is closed",
            flow("eve", "tinder.com"),
            &["connect"],
            "deny connect.not-at-work",
        ),
        (
            "dating is closed with any purpose",
            flow("rita", "tinder.com").purpose("recruiting"),
            &["connect"],
            "deny connect.not-at-work",
        ),
        (
            "the refusal of dating can be explained",
            flow("eve", "tinder.com"),
            &["inspect"],
            "allow inspect.social",
        ),
        (
            "a widget of a dating site does not pass either",
            flow("eve", "tinder.com"),
            &["connect", "embed"],
            "deny connect.not-at-work",
        ),
        (
            "a bank is reached",
            flow("vera", "bank.example"),
            &["connect"],
            "allow connect.sensitive",
        ),
        (
            "a bank is never read",
            flow("eve", "bank.example"),
            &["inspect"],
            "deny inspect.never",
        ),
        (
            "collaboration is open to staff",
            flow("eve", "teams.example"),
            &["connect"],
            "allow connect.collaboration",
        ),
        (
            "collaboration is not read",
            flow("eve", "teams.example"),
            &["inspect"],
            "deny",
        ),
        (
            "a web proxy is closed",
            flow("eve", "webproxy.example"),
            &["connect"],
            "deny connect.no-evasion",
        ),
        (
            "a widget passes without a purpose",
            flow("eve", "x.com"),
            &["connect", "embed"],
            "allow connect.social passive.embeds",
        ),
        (
            "telemetry passes without a purpose",
            flow("eve", "x.com"),
            &["telemetry"],
            "allow passive.embeds",
        ),
        (
            "a vendor's page shows no widgets of managed platforms",
            flow("vera", "x.com"),
            &["connect", "embed"],
            "deny",
        ),
    ]);
}

#[test]
fn what_a_purpose_opens() {
    let linkedin = "www.linkedin.com";
    check(vec![
        (
            "a recruiter does not read LinkedIn without a purpose",
            flow("rita", linkedin),
            &["connect", "browse"],
            "deny",
        ),
        (
            "a recruiter reads LinkedIn to recruit",
            flow("rita", linkedin).purpose("recruiting"),
            &["connect", "browse"],
            "allow connect.social recruiting.read",
        ),
        (
            "a recruiter posts on LinkedIn to recruit",
            flow("rita", linkedin).purpose("recruiting"),
            &["connect", "post"],
            "allow connect.social recruiting.publish",
        ),
        (
            "a recruiter messages on LinkedIn to recruit",
            flow("rita", linkedin).purpose("recruiting"),
            &["message"],
            "allow recruiting.publish",
        ),
        (
            "recruiting does not open writes of unknown meaning",
            flow("rita", linkedin).purpose("recruiting"),
            &["unknown-write"],
            "deny",
        ),
        (
            "recruiting does not open X",
            flow("rita", "x.com").purpose("recruiting"),
            &["browse"],
            "deny",
        ),
        (
            "recruiting opens nothing to an engineer",
            flow("eve", linkedin).purpose("recruiting"),
            &["browse"],
            "deny",
        ),
        (
            "a recruiter signs in to recruit",
            flow("rita", linkedin).purpose("recruiting"),
            &["login"],
            "allow any.account",
        ),
        (
            "nobody signs in without a purpose",
            flow("rita", linkedin),
            &["login"],
            "deny",
        ),
        (
            "a purpose that opens nothing does not open the sign-in",
            flow("eve", linkedin).purpose("crisis-response"),
            &["login"],
            "deny",
        ),
        (
            "a site's live updates follow the purpose",
            flow("rita", linkedin).purpose("recruiting"),
            &["realtime"],
            "allow any.account",
        ),
        (
            "research reads",
            flow("eve", "x.com").purpose("market-research"),
            &["search"],
            "allow research.read",
        ),
        (
            "research does not react",
            flow("eve", "x.com").purpose("market-research"),
            &["react"],
            "deny",
        ),
        (
            "research does not post",
            flow("eve", "x.com").purpose("market-research"),
            &["post"],
            "deny",
        ),
        (
            "care answers",
            flow("cara", "x.com").purpose("customer-support"),
            &["comment"],
            "allow care.answer",
        ),
        (
            "care does not speak first",
            flow("cara", "x.com").purpose("customer-support"),
            &["post"],
            "deny",
        ),
        (
            "the brand does not speak without approval",
            flow("mark", "x.com").purpose("brand-publishing"),
            &["post"],
            "deny",
        ),
        (
            "the brand speaks with approval",
            flow("mark", "x.com").purpose("brand-publishing").approved_by("grace"),
            &["post"],
            "allow brand.publish",
        ),
        (
            "own approval is none",
            flow("mark", "x.com").purpose("brand-publishing").approved_by("mark"),
            &["post"],
            "deny",
        ),
        (
            "approval does not make an engineer the brand",
            flow("eve", "x.com").purpose("brand-publishing").approved_by("grace"),
            &["post"],
            "deny",
        ),
        (
            "the brand advertises with approval",
            flow("mark", "x.com")
                .purpose("advertising-campaign")
                .approved_by("grace"),
            &["advertise"],
            "allow brand.publish",
        ),
        (
            "all of a request must be permitted",
            flow("rita", linkedin).purpose("recruiting"),
            &["connect", "browse", "share"],
            "deny",
        ),
    ]);
}

#[test]
fn what_the_guardrails_stop() {
    let linkedin = "www.linkedin.com";
    let rita = || flow("rita", linkedin).purpose("recruiting");
    check(vec![
        (
            "an intern reads",
            flow("ivan", linkedin).purpose("recruiting"),
            &["browse"],
            "allow recruiting.read",
        ),
        (
            "an intern never posts",
            flow("ivan", linkedin).purpose("recruiting"),
            &["post"],
            "deny guard.interns-never-publish",
        ),
        (
            "an intern never speaks for the brand",
            flow("ivan", "x.com").purpose("brand-publishing").approved_by("grace"),
            &["post"],
            "deny guard.interns-never-publish",
        ),
        (
            "who was never trained does not post",
            rita().trained_until(None),
            &["post"],
            "deny guard.training",
        ),
        (
            "training that has expired is none",
            rita().trained_until(Some("2026-11-24T10:14:59Z")),
            &["post"],
            "deny guard.training",
        ),
        (
            "training that ends this moment is none",
            rita().trained_until(Some(NOW)),
            &["post"],
            "deny guard.training",
        ),
        (
            "training that ends in a second counts",
            rita().trained_until(Some("2026-11-24T10:15:01Z")),
            &["post"],
            "allow recruiting.publish",
        ),
        (
            "reading needs no training",
            rita().trained_until(None),
            &["browse"],
            "allow recruiting.read",
        ),
        (
            "nobody posts from the guest network",
            rita().network("guest"),
            &["post"],
            "deny guard.guest-network",
        ),
        (
            "one may read from the guest network",
            rita().network("guest"),
            &["browse"],
            "allow recruiting.read",
        ),
        (
            "every guard that forbids is named, in the order of the file",
            flow("ivan", linkedin)
                .purpose("recruiting")
                .trained_until(None)
                .network("guest"),
            &["post"],
            "deny guard.training guard.interns-never-publish guard.guest-network",
        ),
        (
            "a grant for X does not open LinkedIn",
            rita().for_platforms(&["x"]),
            &["browse"],
            "deny guard.scope",
        ),
        (
            "a grant for several platforms opens each",
            rita().for_platforms(&["x", "linkedin"]),
            &["browse"],
            "allow recruiting.read",
        ),
        (
            "a grant for reading does not post",
            rita().covers(&["read"]),
            &["post"],
            "deny guard.scope-publish",
        ),
        (
            "a grant for publishing alone does not read",
            rita().covers(&["publish"]),
            &["browse"],
            "deny guard.scope-read",
        ),
        (
            "a grant for reading does not react",
            rita().covers(&["read"]),
            &["react"],
            "deny guard.scope-engage",
        ),
        (
            "a grant that does not administer does not advertise",
            flow("mark", "x.com")
                .purpose("advertising-campaign")
                .approved_by("grace")
                .covers(&["read", "publish"]),
            &["advertise"],
            "deny guard.scope-administer",
        ),
        (
            "Instagram's pictures come from Facebook's hosts",
            flow("eve", "scontent.fbcdn.net")
                .purpose("market-research")
                .for_platforms(&["instagram"]),
            &["view-media"],
            "allow research.read",
        ),
        (
            "Facebook's pages do not follow",
            flow("eve", "www.facebook.com")
                .purpose("market-research")
                .for_platforms(&["instagram"]),
            &["browse"],
            "deny guard.scope",
        ),
        (
            "nor do media on its pages",
            flow("eve", "www.facebook.com")
                .purpose("market-research")
                .for_platforms(&["instagram"]),
            &["view-media"],
            "deny guard.scope",
        ),
        (
            "nothing is written to media hosts of another platform",
            flow("mark", "scontent.fbcdn.net")
                .purpose("brand-publishing")
                .approved_by("grace")
                .for_platforms(&["instagram"]),
            &["upload"],
            "deny guard.scope",
        ),
    ]);
}

#[test]
fn the_lunch_break_is_where_the_person_is() {
    let eve = || flow("eve", "x.com");
    let lunch = |at: &str, zone: &str| eve().at(at).zone(zone).purpose("personal-break");
    let open = "allow personal.break";
    check(vec![
        (
            "noon in Paris, in winter",
            lunch("2026-11-24T11:00:00Z", "Europe/Paris"),
            &["browse"],
            open,
        ),
        (
            "a moment before noon",
            lunch("2026-11-24T10:59:59.999Z", "Europe/Paris"),
            &["browse"],
            "deny",
        ),
        (
            "a moment before two",
            lunch("2026-11-24T12:59:59.999Z", "Europe/Paris"),
            &["browse"],
            open,
        ),
        (
            "two o'clock",
            lunch("2026-11-24T13:00:00Z", "Europe/Paris"),
            &["browse"],
            "deny",
        ),
        (
            "noon in Paris, in summer",
            lunch("2026-07-14T10:00:00Z", "Europe/Paris"),
            &["browse"],
            open,
        ),
        (
            "the hour that is noon only in winter",
            lunch("2026-07-14T12:30:00Z", "Europe/Paris"),
            &["browse"],
            "deny",
        ),
        (
            "noon in Tokyo",
            lunch("2026-11-24T03:30:00Z", "Asia/Tokyo"),
            &["browse"],
            open,
        ),
        (
            "noon in Paris is not noon in New York",
            lunch("2026-11-24T11:30:00Z", "America/New_York"),
            &["browse"],
            "deny",
        ),
        (
            "Sunday",
            lunch("2026-11-22T11:30:00Z", "Europe/Paris"),
            &["browse"],
            "deny",
        ),
        (
            "Saturday",
            lunch("2026-11-28T11:30:00Z", "Europe/Paris"),
            &["browse"],
            "deny",
        ),
        (
            "Friday",
            lunch("2026-11-27T11:30:00Z", "Europe/Paris"),
            &["browse"],
            open,
        ),
        (
            "Monday in Auckland is Sunday in Paris",
            lunch("2026-11-22T23:30:00Z", "Pacific/Auckland"),
            &["browse"],
            open,
        ),
        // Egypt's clocks jumped on Friday 2026-04-24 at midnight: noon on the wall, eleven hours after the day began.
        (
            "noon on a day that lost its first hour",
            lunch("2026-04-24T09:00:00Z", "Africa/Cairo"),
            &["browse"],
            open,
        ),
        (
            "eleven on that day",
            lunch("2026-04-24T08:59:59Z", "Africa/Cairo"),
            &["browse"],
            "deny",
        ),
        (
            "the break is for reading",
            lunch("2026-11-24T11:00:00Z", "Europe/Paris"),
            &["post"],
            "deny",
        ),
        (
            "the break needs its purpose",
            eve().at("2026-11-24T11:00:00Z"),
            &["browse"],
            "deny",
        ),
        (
            "nobody knows when it is noon on Mars",
            lunch("2026-11-24T11:00:00Z", "Mars/Olympus"),
            &["browse"],
            "error wayleave::time-zone",
        ),
    ]);
}

#[test]
fn a_reason_carries_the_words_and_the_fix_of_its_rule() {
    let decision = flow("rita", "www.linkedin.com")
        .purpose("recruiting")
        .trained_until(None)
        .ask(shipped(), &["post"]);
    let [reason] = decision.reasons() else {
        panic!("{decision:?}")
    };
    assert_eq!(
        reason.text,
        "Your social-media training is missing or has expired. Renew it to publish."
    );
    assert_eq!(reason.fix.as_deref(), Some("training:social-media"));
}

#[test]
fn a_permit_leads_where_it_was_asked_for_and_ends_with_its_grant() {
    let rita = flow("rita", "www.linkedin.com").purpose("recruiting");
    let permit = rita.ask(shipped(), &["connect", "post"]).permit().unwrap();
    assert_eq!(permit.authority().to_string(), "www.linkedin.com:443");
    assert_eq!(permit.grant().unwrap().as_str(), "g-1");
    assert_eq!(permit.until(), Some(rita.at.plus(Duration::from_hours(24))));
    let open = flow("eve", "news.example")
        .ask(shipped(), &["connect"])
        .permit()
        .unwrap();
    assert_eq!((open.grant(), open.until()), (None, None));
}

#[test]
fn only_connect_gives_a_permit() {
    let policy = shipped();
    let rita = flow("rita", "www.linkedin.com").purpose("recruiting");
    for actions in [&["inspect"][..], &["post"], &["browse", "inspect"]] {
        let decision = rita.ask(policy, actions);
        assert!(decision.is_allowed() && decision.permit().is_none(), "{actions:?}");
    }
    assert!(rita.ask(policy, &["connect", "share"]).permit().is_none());
}

#[test]
fn every_shipped_rule_has_owner_and_title() {
    for rule in shipped().rules() {
        assert!(rule.owner.is_some() && rule.title.is_some(), "{}", rule.id);
        assert!(
            rule.text.starts_with("@id(") && rule.text.ends_with(';'),
            "{}",
            rule.text
        );
        assert!(rule.line > 1);
    }
}

#[test]
fn the_vocabulary_tells_groups_purposes_and_what_publishes() {
    let policy = shipped();
    let words = policy.vocabulary();
    let activity = crate::facts::Activity::new;
    assert_eq!(words.activities().len(), 30);
    assert!(words.is_in(&activity("post"), "publish") && !words.is_in(&activity("post"), "read"));
    for (name, publishes) in [
        ("post", true),
        ("unknown-write", true),
        ("advertise", true),
        ("sell", true),
        ("no such activity", true),
        ("browse", false),
        ("react", false),
        ("login", false),
        ("embed", false),
    ] {
        assert_eq!(words.publishes(&activity(name)), publishes, "{name}");
    }
    let groups: Vec<&str> = words.groups().iter().map(String::as_str).collect();
    assert_eq!(
        groups,
        ["account", "administer", "engage", "live", "passive", "publish", "read"]
    );
    assert_eq!(words.purposes().len(), 20);
    for kind in [
        Employment::Employee,
        Employment::Contractor,
        Employment::Intern,
        Employment::Vendor,
    ] {
        assert!(words.employments().contains(kind.as_str()));
    }
    assert_eq!(words.employments().len(), 4);
}
