//! What the shipped rules say, as a table of sentences.

use super::*;

/// Each line: a sentence, the flow, the actions asked, the verdict.
fn check(table: &str) {
    let mut wrong = Vec::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let [sentence, described, actions, expected]: [&str; 4] =
            line.split('|').map(str::trim).collect::<Vec<_>>().try_into().unwrap();
        let actions: Vec<&str> = actions.split_whitespace().collect();
        let decision = described_flow(described).ask(shipped(), &actions);
        let got = verdict(&decision);
        if got != expected {
            wrong.push(format!(
                "{sentence}: expected `{expected}`, got `{got}` {:?}",
                decision.troubles()
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `rita www.linkedin.com for=recruiting net=guest`
fn described_flow(text: &str) -> Flow {
    let mut words = text.split_whitespace();
    let mut flow = flow(words.next().unwrap(), words.next().unwrap());
    for word in words {
        let (what, value) = word.split_once('=').unwrap();
        let list: Vec<&str> = value.split(',').collect();
        flow = match what {
            "for" => flow.purpose(value),
            "approved" => flow.approved_by(value),
            "covers" => flow.covers(&list),
            "on" => flow.for_platforms(&list),
            "at" => flow.at(value),
            "zone" => flow.zone(value),
            "net" => flow.network(value),
            "trained" => flow.trained_until(match value {
                "never" => None,
                "now" => Some(NOW),
                moment => Some(moment),
            }),
            unknown => panic!("{unknown}"),
        };
    }
    flow
}

#[test]
fn who_may_reach_what() {
    check(
        "
        an engineer opens an unknown site | eve news.example | connect | allow connect.open-web
        a vendor opens an unknown site | vera news.example | connect | allow connect.open-web
        an unknown site is not read | eve news.example | inspect | deny
        what is done on an unknown site is nobody's business | eve news.example | post | allow activity.open-web
        an engineer reaches LinkedIn | eve www.linkedin.com | connect | allow connect.social
        LinkedIn is read | eve www.linkedin.com | inspect | allow inspect.social
        a vendor does not reach LinkedIn | vera www.linkedin.com | connect | deny
        dating is closed | eve tinder.com | connect | deny connect.not-at-work
        dating is closed with any purpose | rita tinder.com for=recruiting | connect | deny connect.not-at-work
        the refusal of dating can be explained | eve tinder.com | inspect | allow inspect.social
        a widget of a dating site does not pass either | eve tinder.com | connect embed | deny connect.not-at-work
        a bank is reached | vera bank.example | connect | allow connect.sensitive
        a bank is never read | eve bank.example | inspect | deny inspect.never
        collaboration is open to staff | eve teams.example | connect | allow connect.collaboration
        collaboration is not read | eve teams.example | inspect | deny
        a web proxy is closed | eve webproxy.example | connect | deny connect.no-evasion
        a widget passes without a purpose | eve x.com | connect embed | allow connect.social passive.embeds
        telemetry passes without a purpose | eve x.com | telemetry | allow passive.embeds
        a vendor's page shows no widgets of managed platforms | vera x.com | connect embed | deny
        ",
    );
}

#[test]
fn what_a_purpose_opens() {
    check(
        "
        a recruiter does not read LinkedIn without a purpose | rita www.linkedin.com | connect browse | deny
        a recruiter reads LinkedIn to recruit | rita www.linkedin.com for=recruiting | connect browse | allow connect.social recruiting.read
        a recruiter posts on LinkedIn to recruit | rita www.linkedin.com for=recruiting | connect post | allow connect.social recruiting.publish
        a recruiter messages on LinkedIn to recruit | rita www.linkedin.com for=recruiting | message | allow recruiting.publish
        recruiting does not open writes of unknown meaning | rita www.linkedin.com for=recruiting | unknown-write | deny
        recruiting does not open X | rita x.com for=recruiting | browse | deny
        recruiting opens nothing to an engineer | eve www.linkedin.com for=recruiting | browse | deny
        a recruiter signs in to recruit | rita www.linkedin.com for=recruiting | login | allow any.account
        nobody signs in without a purpose | rita www.linkedin.com | login | deny
        a purpose opens its sign-in | eve www.linkedin.com for=crisis-response | login | allow any.account
        and nothing behind it to whom it is not for | eve www.linkedin.com for=crisis-response approved=grace | browse | deny
        a site's live updates follow the purpose | rita www.linkedin.com for=recruiting | realtime | allow any.account
        research reads | eve x.com for=market-research | search | allow research.read
        research does not react | eve x.com for=market-research | react | deny
        research does not post | eve x.com for=market-research | post | deny
        care answers | cara x.com for=customer-support | comment | allow care.answer
        care does not speak first | cara x.com for=customer-support | post | deny
        the brand does not speak without approval | mark x.com for=brand-publishing | post | deny
        the brand speaks with approval | mark x.com for=brand-publishing approved=grace | post | allow brand.publish
        own approval is none | mark x.com for=brand-publishing approved=mark | post | deny
        approval does not make an engineer the brand | eve x.com for=brand-publishing approved=grace | post | deny
        the brand advertises with approval | mark x.com for=advertising-campaign approved=grace | advertise | allow brand.publish
        all of a request must be permitted | rita www.linkedin.com for=recruiting | connect browse share | deny
        ",
    );
}

#[test]
fn what_the_guardrails_stop() {
    check(
        "
        an intern reads | ivan www.linkedin.com for=recruiting | browse | allow recruiting.read
        an intern never posts | ivan www.linkedin.com for=recruiting | post | deny guard.interns-never-publish
        an intern never speaks for the brand | ivan x.com for=brand-publishing approved=grace | post | deny guard.interns-never-publish
        who was never trained does not post | rita www.linkedin.com for=recruiting trained=never | post | deny guard.training
        training that has expired is none | rita www.linkedin.com for=recruiting trained=2026-11-24T10:14:59Z | post | deny guard.training
        training that ends this moment is none | rita www.linkedin.com for=recruiting trained=now | post | deny guard.training
        training that ends in a second counts | rita www.linkedin.com for=recruiting trained=2026-11-24T10:15:01Z | post | allow recruiting.publish
        reading needs no training | rita www.linkedin.com for=recruiting trained=never | browse | allow recruiting.read
        nobody posts from the guest network | rita www.linkedin.com for=recruiting net=guest | post | deny guard.guest-network
        one may read from the guest network | rita www.linkedin.com for=recruiting net=guest | browse | allow recruiting.read
        every guard that forbids is named, in the order of the file | ivan www.linkedin.com for=recruiting trained=never net=guest | post | deny guard.training guard.interns-never-publish guard.guest-network
        a grant for X does not open LinkedIn | rita www.linkedin.com for=recruiting on=x | browse | deny guard.scope
        a grant for several platforms opens each | rita www.linkedin.com for=recruiting on=x,linkedin | browse | allow recruiting.read
        a grant for reading does not post | rita www.linkedin.com for=recruiting covers=read | post | deny guard.scope-publish
        a grant for publishing alone does not read | rita www.linkedin.com for=recruiting covers=publish | browse | deny guard.scope-read
        a grant for reading does not react | rita www.linkedin.com for=recruiting covers=read | react | deny guard.scope-engage
        a grant that does not administer does not advertise | mark x.com for=advertising-campaign approved=grace covers=read,publish | advertise | deny guard.scope-administer
        Instagram's pictures come from Facebook's hosts | eve scontent.fbcdn.net for=market-research on=instagram | view-media | allow research.read
        Facebook's pages do not follow | eve www.facebook.com for=market-research on=instagram | browse | deny guard.scope
        nor do media on its pages | eve www.facebook.com for=market-research on=instagram | view-media | deny guard.scope
        nothing is written to media hosts of another platform | mark scontent.fbcdn.net for=brand-publishing approved=grace on=instagram | upload | deny guard.scope
        ",
    );
}

#[test]
fn the_lunch_break_is_where_the_person_is() {
    check(
        "
        noon in Paris, in winter | eve x.com at=2026-11-24T11:00:00Z zone=Europe/Paris for=personal-break | browse | allow personal.break
        a moment before noon | eve x.com at=2026-11-24T10:59:59.999Z zone=Europe/Paris for=personal-break | browse | deny
        a moment before two | eve x.com at=2026-11-24T12:59:59.999Z zone=Europe/Paris for=personal-break | browse | allow personal.break
        two o'clock | eve x.com at=2026-11-24T13:00:00Z zone=Europe/Paris for=personal-break | browse | deny
        noon in Paris, in summer | eve x.com at=2026-07-14T10:00:00Z zone=Europe/Paris for=personal-break | browse | allow personal.break
        the hour that is noon only in winter | eve x.com at=2026-07-14T12:30:00Z zone=Europe/Paris for=personal-break | browse | deny
        noon in Tokyo | eve x.com at=2026-11-24T03:30:00Z zone=Asia/Tokyo for=personal-break | browse | allow personal.break
        noon in Paris is not noon in New York | eve x.com at=2026-11-24T11:30:00Z zone=America/New_York for=personal-break | browse | deny
        Sunday | eve x.com at=2026-11-22T11:30:00Z zone=Europe/Paris for=personal-break | browse | deny
        Saturday | eve x.com at=2026-11-28T11:30:00Z zone=Europe/Paris for=personal-break | browse | deny
        Friday | eve x.com at=2026-11-27T11:30:00Z zone=Europe/Paris for=personal-break | browse | allow personal.break
        Monday in Auckland is Sunday in Paris | eve x.com at=2026-11-22T23:30:00Z zone=Pacific/Auckland for=personal-break | browse | allow personal.break
        noon on a day that lost its first hour | eve x.com at=2026-04-24T09:00:00Z zone=Africa/Cairo for=personal-break | browse | allow personal.break
        eleven on that day | eve x.com at=2026-04-24T08:59:59Z zone=Africa/Cairo for=personal-break | browse | deny
        the break is for reading | eve x.com at=2026-11-24T11:00:00Z zone=Europe/Paris for=personal-break | post | deny
        the break needs its purpose | eve x.com at=2026-11-24T11:00:00Z | browse | deny
        nobody knows when it is noon on Mars | eve x.com at=2026-11-24T11:00:00Z zone=Mars/Olympus for=personal-break | browse | error wayleave::time-zone
        ",
    );
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
        &*reason.text,
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

#[test]
fn every_shipped_rule_about_sites_is_translated() {
    let policy = shipped();
    let rules = policy.rules().enumerate();
    for (number, rule) in rules.filter(|(_, rule)| rule.file != "rules/40-portal.cedar") {
        assert!(policy.engine.is_translated(number), "{}", rule.id);
    }
}

#[test]
fn what_a_purpose_could_open_is_read_once_by_the_shipped_rules() {
    assert!(
        shipped().more_is_better(),
        "a grant for all opens what one for less does"
    );
    assert!(!shipped().heeds_tickets());
}
