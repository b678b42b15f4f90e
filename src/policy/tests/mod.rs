//! The people, places and flows that the tests of this room speak of.

mod deep;
mod index;
mod lint;
mod portal;
mod reading;
mod shipped;
mod total;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use super::{Decision, GrantQuestion, PlatformFacts, Policy, Power, Question, RequestFacts, World};
use crate::clock::Timestamp;
use crate::facts::{
    Answer, Arrival, Authority, Category, Channel, Door, Effect, Employment, Grant, GrantId, GrantState, MethodName,
    NetworkName, Person, Place, PlatformId, Problem, PurposeId, SiteRole, SourceText, Subject, SubjectId,
};

/// Tuesday, 11:15 in Paris.
const NOW: &str = "2026-11-24T10:15:00Z";

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

pub(super) fn schema() -> SourceText {
    SourceText::new(
        "wayleave.cedarschema",
        include_str!("../../../policies/wayleave.cedarschema"),
    )
}

fn shipped_rules() -> Vec<SourceText> {
    [
        (
            "rules/10-reach.cedar",
            include_str!("../../../policies/rules/10-reach.cedar"),
        ),
        (
            "rules/20-purposes.cedar",
            include_str!("../../../policies/rules/20-purposes.cedar"),
        ),
        (
            "rules/30-guardrails.cedar",
            include_str!("../../../policies/rules/30-guardrails.cedar"),
        ),
        (
            "rules/40-portal.cedar",
            include_str!("../../../policies/rules/40-portal.cedar"),
        ),
        (
            "rules/60-value.cedar",
            include_str!("../../../policies/rules/60-value.cedar"),
        ),
        (
            "rules/70-decisions.cedar",
            include_str!("../../../policies/rules/70-decisions.cedar"),
        ),
    ]
    .map(|(name, text)| SourceText::new(name, text))
    .to_vec()
}

const SOCIAL: [&str; 14] = [
    "social-media",
    "social",
    "professional",
    "microblog",
    "video",
    "messaging",
    "forum",
    "blog",
    "media",
    "fediverse",
    "audio",
    "docs",
    "dating",
    "adult-social",
];
const PLATFORMS: [(&str, &str); 5] = [
    ("linkedin", "professional"),
    ("x", "microblog"),
    ("facebook", "social"),
    ("instagram", "social"),
    ("tinder", "dating"),
];

const ROLES: [&str; 12] = [
    "staff",
    "recruiter",
    "hr-staff",
    "marketer",
    "customer-care",
    "manager",
    "executive",
    "communications",
    "legal",
    "finance",
    "tool",
    "security",
];

pub(super) fn world() -> World {
    let category =
        |name: &str, above: &[&str]| (Category::new(name), above.iter().map(|c| Category::new(*c)).collect());
    let social = SOCIAL.iter().map(|name| category(name, &["social-media"]));
    let other = ["internal-collaboration", "sensitive", "evasion"]
        .into_iter()
        .map(|name| category(name, &[]));
    World {
        platforms: PLATFORMS
            .map(|(id, kind)| PlatformFacts {
                id: PlatformId::new(id),
                categories: BTreeSet::from([Category::new(kind), Category::new("social-media")]),
            })
            .to_vec(),
        categories: social
            .chain(other)
            .chain([category("banking", &["sensitive"])])
            .collect(),
        purposes: index::BOOK.words.purposes().clone(),
        roles: names(&ROLES),
        departments: names(&["marketing", "company"]),
        owners: Some(
            crate::policy::Owners::parse(
                &SourceText::new("owners.toml", "[owners]\nrules = \"IT\"\n"),
                &["rules/a.cedar"],
            )
            .unwrap(),
        ),
        ..World::default()
    }
}

fn parsed(rules: &[SourceText]) -> Policy {
    let (policy, warnings) =
        Policy::parse(&schema(), rules, &world()).unwrap_or_else(|unfit| panic!("{:#?}", unfit.problems));
    assert_eq!(warnings, []);
    policy
}

fn shipped() -> &'static Policy {
    static SHIPPED: LazyLock<Policy> = LazyLock::new(|| parsed(&shipped_rules()));
    &SHIPPED
}

/// The problems of a rulebook with the shipped schema and these rules.
fn problems(rules: &str) -> Vec<Problem> {
    match Policy::parse(&schema(), &[SourceText::new("rules/test.cedar", rules)], &world()) {
        Ok((_, warnings)) => warnings,
        Err(unfit) => unfit.problems,
    }
}

fn person(id: &str, roles: &[&str], departments: &[&str], employment: Employment) -> Person {
    Person {
        id: SubjectId::parse(id).unwrap(),
        name: id.to_owned(),
        roles: names(roles),
        departments: names(departments),
        employment,
        region: "eu-west".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        manager: Some(SubjectId::parse("grace").unwrap()),
        on_legal_hold: false,
        training: BTreeMap::from([("social-media".to_owned(), time("2027-06-30T00:00:00Z"))]),
    }
}

/// The cast, by name.
fn cast(id: &str) -> Person {
    let all = |roles: &[&str], departments: &[&str], employment| person(id, roles, departments, employment);
    match id {
        "rita" => all(&["staff", "recruiter"], &["company"], Employment::Employee),
        "mark" => all(&["staff"], &["company", "marketing"], Employment::Employee),
        "cara" => all(&["staff", "customer-care"], &["company"], Employment::Employee),
        "ivan" => all(
            &["staff", "recruiter", "customer-care"],
            &["company", "marketing"],
            Employment::Intern,
        ),
        "vera" => all(&[], &[], Employment::Vendor),
        "bot" => all(&["staff", "tool"], &["company"], Employment::Vendor),
        "seth" => all(&["staff", "security"], &["company"], Employment::Employee),
        _ => all(&["staff"], &["company"], Employment::Employee),
    }
}

/// A host with what the catalogue makes of it.
fn place(host: &str) -> Place {
    let (platform, categories, roles): (Option<&str>, &[&str], &[SiteRole]) = match host {
        "www.linkedin.com" => (Some("linkedin"), &["professional", "social-media"], &[SiteRole::Site]),
        "x.com" => (
            Some("x"),
            &["microblog", "social-media"],
            &[SiteRole::Site, SiteRole::Api],
        ),
        "www.facebook.com" => (Some("facebook"), &["social", "social-media"], &[SiteRole::Site]),
        "scontent.fbcdn.net" => (
            Some("facebook"),
            &["social", "social-media"],
            &[SiteRole::Cdn, SiteRole::Media],
        ),
        "www.instagram.com" => (Some("instagram"), &["social", "social-media"], &[SiteRole::Site]),
        "tinder.com" => (Some("tinder"), &["dating", "social-media"], &[SiteRole::Site]),
        "teams.example" => (Some("teams"), &["internal-collaboration"], &[SiteRole::Site]),
        "bank.example" => (None, &["banking", "sensitive"], &[]),
        "webproxy.example" => (None, &["evasion"], &[]),
        _ => (None, &[], &[]),
    };
    Place {
        host: crate::facts::Host::parse(host).unwrap(),
        platform: platform.map(PlatformId::new),
        categories: Arc::new(categories.iter().map(|id| Category::new(*id)).collect()),
        roles: Arc::new(roles.iter().copied().collect()),
    }
}

/// One flow, ready to be asked about.
#[derive(Clone, Debug)]
struct Flow {
    person: Arc<Person>,
    subject: Subject,
    arrival: Arrival,
    place: Place,
    authority: Authority,
    grant: Option<Grant>,
    at: Timestamp,
}

fn flow(who: &str, host: &str) -> Flow {
    let person = Arc::new(cast(who));
    let place = place(host);
    Flow {
        subject: Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        },
        arrival: Arrival {
            door: Door::Plain,
            client: "10.1.2.3:4711".parse().unwrap(),
            network: NetworkName::new("office"),
        },
        authority: Authority {
            host: place.host.clone(),
            port: 443,
        },
        person,
        place,
        grant: None,
        at: time(NOW),
    }
}

impl Flow {
    /// Under a grant for the platform of the place, which covers everything.
    fn purpose(mut self, purpose: &str) -> Self {
        let day = Duration::from_hours(24);
        self.grant = Some(Grant {
            id: GrantId::new("g-1"),
            subject: self.person.id.clone(),
            purpose: PurposeId::new(purpose),
            platforms: Arc::new(self.place.platform.iter().cloned().collect()),
            covers: names(&["read", "engage", "publish", "administer"]).into(),
            statement: String::new(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: self.at,
            not_before: Timestamp::from_millis(0),
            expires: self.at.plus(day),
            answer_by: None,
            answers: Vec::new(),
            idle: None,
            used_at: None,
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
            state: GrantState::Active,
            ended_at: None,
            ended: None,
            report: None,
            came: None,
        });
        self
    }

    fn grant(mut self, change: impl FnOnce(&mut Grant)) -> Self {
        change(self.grant.as_mut().unwrap());
        self
    }

    fn approved_by(self, who: &str) -> Self {
        let approver = SubjectId::parse(who).unwrap();
        self.grant(|grant| grant.answers = vec![Answer::approval(approver, grant.declared_at)])
    }

    fn covers(self, groups: &[&str]) -> Self {
        self.grant(|grant| grant.covers = names(groups).into())
    }

    fn for_platforms(self, ids: &[&str]) -> Self {
        self.grant(|grant| grant.platforms = Arc::new(ids.iter().map(|id| PlatformId::new(*id)).collect()))
    }

    fn at(mut self, text: &str) -> Self {
        self.at = time(text);
        self
    }

    fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut Arc::make_mut(&mut self.person).time_zone);
        self
    }

    fn network(mut self, name: &str) -> Self {
        self.arrival.network = NetworkName::new(name);
        self
    }

    fn trained_until(mut self, until: Option<&str>) -> Self {
        Arc::make_mut(&mut self.person).training = until
            .map(|text| ("social-media".to_owned(), time(text)))
            .into_iter()
            .collect();
        self
    }

    fn question<'a>(&'a self, actions: &'a [&'a str]) -> Question<'a> {
        Question {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
            place: &self.place,
            authority: &self.authority,
            actions,
            request: Some(RequestFacts {
                method: "POST",
                host: &self.authority.host,
                path: "/some/path",
                bytes: 12,
                content_type: Some("application/json"),
            }),
            grant: self.grant.as_ref(),
            at: self.at,
        }
    }

    fn ask(&self, policy: &Policy, actions: &[&str]) -> Decision {
        policy.decide(&self.question(actions))
    }
}

/// `allow recruiting.publish`, `deny`, `deny guard.training`, `error wayleave::time-zone`.
fn verdict(decision: &Decision) -> String {
    let errors: Vec<&str> = decision.errors().iter().map(super::PolicyId::as_str).collect();
    if !errors.is_empty() {
        assert!(!decision.is_allowed());
        return format!("error {}", errors.join(" "));
    }
    let effect = if decision.is_allowed() {
        Effect::Permit
    } else {
        Effect::Forbid
    };
    assert!(decision.reasons().iter().all(|reason| reason.effect == effect));
    let word = if decision.is_allowed() { "allow" } else { "deny" };
    let reasons = decision.reasons().iter().map(|reason| reason.policy.as_str());
    std::iter::once(word).chain(reasons).collect::<Vec<_>>().join(" ")
}
