//! A company of any size with rules of any number: 60 roles in 8 families, 30 departments in 4 divisions, 400 hosts on 40
//! platforms in 12 categories, and rules as companies write them. The same numbers give the same world.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use wayleave::clock::Timestamp;
use wayleave::facts::{
    Arrival, Authority, Category, Channel, Door, Employment, Grant, GrantId, GrantState, Host, MethodName, NetworkName,
    Person, Place, PlatformId, PurposeId, SiteRole, SourceText, Subject, SubjectId,
};
use wayleave::policy::{Owners, PlatformFacts, Policy, Question, RequestFacts, World};

const PURPOSES: [&str; 20] = [
    "advertising-campaign",
    "brand-publishing",
    "community-management",
    "competitor-research",
    "crisis-response",
    "customer-support",
    "event-coverage",
    "executive-communication",
    "fraud-investigation",
    "influencer-outreach",
    "investor-relations",
    "legal-discovery",
    "market-research",
    "partner-relations",
    "personal-break",
    "press-monitoring",
    "recruiting",
    "security-research",
    "social-listening",
    "training-delivery",
];
const ACTIVITIES: [&str; 10] = [
    "browse",
    "search",
    "view-media",
    "post",
    "comment",
    "react",
    "upload",
    "message",
    "follow",
    "advertise",
];
const GROUPS: [&str; 4] = ["read", "engage", "publish", "administer"];
pub(crate) const ROLES: usize = 60;
pub(crate) const DEPARTMENTS: usize = 30;
pub(crate) const PLATFORMS: usize = 40;
pub(crate) const HOSTS: usize = 400;
pub(crate) const CATEGORIES: usize = 12;

/// Numbers that look random and are the same every time (xorshift64*, Vigna 2016).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16;
        usize::try_from(number).unwrap_or_default() % most
    }

    fn percent(&mut self, of: usize) -> bool {
        self.below(100) < of
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let number = self.below(from.len());
        from.get(number).copied().unwrap_or_default()
    }
}

/// So many of the rules, the first ones, concern everybody.
pub(crate) const FOR_EVERYBODY: usize = 5;

/// The rules: some that concern everybody, and the rest by role, platform, purpose, department, hours and person.
pub(crate) fn rules(count: usize) -> SourceText {
    let everybody: [&str; FOR_EVERYBODY] = [
        r#"forbid (principal, action in Action::"publish", resource) when { context.client.ip.isInRange(ip("10.66.0.0/16")) };"#,
        r#"forbid (principal, action in Action::"publish", resource in Category::"social-media") unless { principal.hasTag("social-media") && principal.getTag("social-media") > context.now };"#,
        r#"forbid (principal, action in [Action::"publish", Action::"administer"], resource) when { principal.employment == Employment::"intern" };"#,
        r#"forbid (principal, action in Action::"activity", resource) when { context has purpose && context.purpose.expiresAt <= context.now };"#,
        r#"permit (principal in Role::"staff", action in Action::"read", resource in Category::"social-media") when { context.local.weekday <= 5 && context.local.time >= duration("12h") && context.local.time < duration("14h") };"#,
    ];
    let mut dice = Dice(7);
    let mut text = String::new();
    for number in 0..count {
        let rule = everybody
            .get(number)
            .map_or_else(|| rule(&mut dice), |rule| (*rule).to_owned());
        let _ = writeln!(
            text,
            "@id(\"r{number}\") @reason(\"Rule {number}.\") @owner(\"IT\")\n{rule}"
        );
    }
    SourceText::new("rules/bench.cedar", text)
}

fn rule(dice: &mut Dice) -> String {
    let (role, department, platform) = (dice.below(ROLES), dice.below(DEPARTMENTS), dice.below(PLATFORMS));
    let (host, category, family) = (dice.below(HOSTS), dice.below(CATEGORIES), dice.below(8));
    let (group, activity) = (dice.pick(&GROUPS[..3]), dice.pick(&ACTIVITIES));
    let (purpose, other) = (dice.pick(&PURPOSES), dice.pick(&PURPOSES));
    let (day, hour, course) = (1 + dice.below(28), 6 + dice.below(8), dice.below(6));
    match dice.below(100) {
        0..=46 => format!(
            r#"permit (principal in Role::"role-{role}", action in Action::"{group}", resource in Platform::"platform-{platform}") when {{ context has purpose && context.purpose.kind == PurposeKind::"{purpose}" && context.purpose.expiresAt > context.now }};"#
        ),
        47..=57 => format!(
            r#"permit (principal in Role::"role-{role}", action in [Action::"browse", Action::"search"], resource in Platform::"platform-{platform}");"#
        ),
        58..=68 => format!(
            r#"permit (principal in Department::"dept-{department}", action == Action::"{activity}", resource in Category::"cat-{category}") when {{ context.local.weekday <= 5 && context.local.time >= duration("{hour}h") && context.local.time < duration("{}h") }};"#,
            hour + 8
        ),
        69..=78 => format!(
            r#"forbid (principal in Role::"role-{role}", action in [Action::"upload", Action::"message"], resource in Category::"cat-{category}") unless {{ principal.hasTag("course-{course}") && principal.getTag("course-{course}") > context.now }};"#
        ),
        79..=86 => format!(
            r#"permit (principal in Role::"family-{family}", action in Action::"{group}", resource in Platform::"platform-{platform}") when {{ context.now >= datetime("2026-11-{day:02}") && context.now < datetime("2026-12-{day:02}") && context has purpose && [PurposeKind::"{purpose}", PurposeKind::"{other}"].contains(context.purpose.kind) }};"#
        ),
        87..=92 => format!(
            r#"permit (principal == User::"user-{}", action in Action::"activity", resource == Site::"www.{host}.example") when {{ context.now < datetime("2026-12-{day:02}") && context.proof.strong }};"#,
            dice.below(1000)
        ),
        93..=96 => format!(
            r#"forbid (principal in Department::"dept-{department}", action in Action::"{group}", resource == Site::"www.{host}.example") when {{ !context.proof.strong || context.client.network == "guest" }};"#
        ),
        _ => format!(
            r#"permit (principal is User in Role::"role-{role}", action == Action::"{activity}", resource is Site in Platform::"platform-{platform}") when {{ context.request.bytes < {} && context.request.host like "*.{platform}.example" }};"#,
            1000 * day
        ),
    }
}

/// What the rules may name.
pub(crate) fn world() -> World {
    let names = |kind: &str, count: usize| (0..count).map(|number| format!("{kind}-{number}")).collect::<Vec<_>>();
    let social = BTreeSet::from([Category::new("social-media")]);
    let categories = names("cat", CATEGORIES)
        .into_iter()
        .map(|name| (Category::new(name), social.clone()));
    World {
        platforms: (0..PLATFORMS)
            .map(|number| PlatformFacts {
                id: PlatformId::new(format!("platform-{number}")),
                categories: categories_of(number),
            })
            .collect(),
        categories: categories
            .chain([(Category::new("social-media"), BTreeSet::new())])
            .collect(),
        purposes: PURPOSES.iter().map(|purpose| PurposeId::new(*purpose)).collect(),
        roles: names("role", ROLES)
            .into_iter()
            .chain(names("family", 8))
            .chain(["staff".to_owned()])
            .collect(),
        owners: Some(Owners::default()),
        departments: names("dept", DEPARTMENTS)
            .into_iter()
            .chain(names("division", 4))
            .chain(["company".to_owned()])
            .collect(),
        ..World::default()
    }
}

fn categories_of(platform: usize) -> BTreeSet<Category> {
    [format!("cat-{}", platform % CATEGORIES), "social-media".to_owned()]
        .map(Category::new)
        .into()
}

/// The company's people.
pub(crate) fn people(count: usize) -> Vec<Arc<Person>> {
    (0..count).map(|number| Arc::new(person(number))).collect()
}

fn person(number: usize) -> Person {
    let mut dice = Dice(0x9E37_79B9_7F4A_7C15 ^ (number as u64 + 1).wrapping_mul(7919));
    dice.below(2);
    let employment = match dice.below(100) {
        0..=4 => Employment::Intern,
        5..=14 => Employment::Contractor,
        _ => Employment::Employee,
    };
    let until = |text: &str| text.parse::<Timestamp>().unwrap();
    let mut training = BTreeMap::new();
    if dice.percent(85) {
        let valid = if dice.percent(90) {
            "2027-06-30T00:00:00Z"
        } else {
            "2026-01-31T00:00:00Z"
        };
        training.insert("social-media".to_owned(), until(valid));
    }
    for course in 0..6 {
        if dice.percent(40) {
            training.insert(format!("course-{course}"), until("2027-03-01T00:00:00Z"));
        }
    }
    let mut roles = BTreeSet::from(["staff".to_owned()]);
    for role in [dice.below(ROLES), dice.below(ROLES)] {
        roles.extend([format!("role-{role}"), format!("family-{}", role % 8)]);
    }
    let department = dice.below(DEPARTMENTS);
    Person {
        id: SubjectId::parse(&format!("user-{number}")).unwrap(),
        name: format!("User {number}"),
        roles,
        departments: BTreeSet::from([
            format!("dept-{department}"),
            format!("division-{}", department % 4),
            "company".to_owned(),
        ]),
        employment,
        region: "eu-west".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        manager: dice
            .percent(80)
            .then(|| SubjectId::parse(&format!("user-{}", number / 10)).unwrap()),
        on_legal_hold: dice.percent(2),
        training,
    }
}

/// One flow, and what is asked about it.
pub(crate) struct Flow {
    person: Arc<Person>,
    subject: Subject,
    arrival: Arrival,
    place: Place,
    authority: Authority,
    actions: [&'static str; 1],
    bytes: u64,
    grant: Option<Grant>,
    at: Timestamp,
}

/// Flows of people to hosts, three of five under a grant.
pub(crate) fn flows(count: usize, people: &[Arc<Person>]) -> Vec<Flow> {
    let mut dice = Dice(99);
    // as the catalogue does: the hosts of a platform share what they are in
    let categories: Vec<_> = (0..PLATFORMS)
        .map(|platform| Arc::new(categories_of(platform)))
        .collect();
    (0..count)
        .map(|number| flow(&mut dice, number, people, &categories))
        .collect()
}

fn flow(dice: &mut Dice, number: usize, people: &[Arc<Person>], categories: &[Arc<BTreeSet<Category>>]) -> Flow {
    // half past ten in Paris on a Tuesday, and the hours around it
    let at: Timestamp = "2026-11-24T04:30:00Z".parse().unwrap();
    let at = at.plus(Duration::from_hours(dice.below(14) as u64));
    let person = Arc::clone(people.get(dice.below(people.len())).unwrap());
    let host = dice.below(HOSTS);
    let platform = PlatformId::new(format!("platform-{}", host % PLATFORMS));
    let place = Place {
        host: Host::parse(&format!("www.{host}.example")).unwrap(),
        platform: Some(platform.clone()),
        categories: categories.get(host % PLATFORMS).cloned().unwrap_or_default(),
        roles: Arc::new([SiteRole::Site].into()),
    };
    let activity = ACTIVITIES
        .get(dice.below(ACTIVITIES.len()))
        .copied()
        .unwrap_or_default();
    let purpose = dice.percent(60).then(|| dice.pick(&PURPOSES));
    Flow {
        subject: Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        },
        arrival: Arrival {
            door: Door::Plain,
            client: format!("10.{}.2.3:4711", 20 + dice.below(50)).parse().unwrap(),
            network: NetworkName::new(if dice.percent(4) { "guest" } else { "office" }),
        },
        authority: Authority {
            host: place.host.clone(),
            port: 443,
        },
        actions: [activity],
        bytes: dice.below(40_000) as u64,
        grant: purpose.map(|purpose| grant(number, &person.id, (purpose, platform), at)),
        person,
        place,
        at,
    }
}

/// What somebody holds for a working day.
fn grant(number: usize, subject: &SubjectId, (purpose, platform): (&str, PlatformId), at: Timestamp) -> Grant {
    Grant {
        id: GrantId::new(format!("g-{number}")),
        subject: subject.clone(),
        purpose: PurposeId::new(purpose),
        platforms: BTreeSet::from([platform]).into(),
        covers: BTreeSet::from(GROUPS.map(str::to_owned)).into(),
        statement: String::new(),
        ticket: None,
        channel: Channel::Portal,
        declared_at: at,
        not_before: at,
        expires: at.plus(Duration::from_hours(8)),
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
    }
}

impl Flow {
    /// The question.
    pub(crate) fn question(&self) -> Question<'_> {
        Question {
            person: &self.person,
            subject: &self.subject,
            arrival: &self.arrival,
            place: &self.place,
            authority: &self.authority,
            actions: &self.actions,
            request: Some(RequestFacts {
                method: "POST",
                host: &self.place.host,
                path: "/in/feed",
                bytes: self.bytes,
                content_type: None,
            }),
            grant: self.grant.as_ref(),
            at: self.at,
        }
    }
}

/// Schema and rules, ready to decide.
pub(crate) fn policy(rules: &SourceText) -> Policy {
    let schema = SourceText::new(
        "wayleave.cedarschema",
        include_str!("../../policies/wayleave.cedarschema"),
    );
    let parsed = Policy::parse(&schema, std::slice::from_ref(rules), &world());
    parsed.unwrap_or_else(|unfit| panic!("{:?}", unfit.problems.first())).0
}
