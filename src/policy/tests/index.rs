//! The index answers as the whole set does: same decision, same determining rules, same errors.

use cedar_policy::{Authorizer, PolicySet, Response};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::policy::index::Index;
use crate::policy::request::Nouns;
use crate::policy::schema::{Book, read};

pub(super) static BOOK: LazyLock<Book> = LazyLock::new(|| read(&schema()).unwrap());
static NOUNS: LazyLock<Nouns> = LazyLock::new(|| Nouns::new(BOOK.actions.clone()).unwrap());

const PRINCIPALS: &[&str] = &[
    "principal",
    "principal is User",
    "principal == User::\"rita\"",
    "principal == User::\"eve\"",
    "principal in User::\"rita\"",
    "principal == Role::\"recruiter\"",
    "principal in Role::\"recruiter\"",
    "principal in Role::\"staff\"",
    "principal in Department::\"marketing\"",
    "principal is User in Role::\"customer-care\"",
    "principal is User in Department::\"company\"",
];
const ACTIONS: &[&str] = &[
    "action",
    "action == Action::\"connect\"",
    "action == Action::\"post\"",
    "action == Action::\"publish\"",
    "action in Action::\"activity\"",
    "action in Action::\"publish\"",
    "action in Action::\"post\"",
    "action in [Action::\"read\", Action::\"inspect\"]",
    "action in [Action::\"browse\", Action::\"post\", Action::\"publish\"]",
];
const RESOURCES: &[&str] = &[
    "resource",
    "resource is Site",
    "resource is Purpose",
    "resource == Site::\"x.com\"",
    "resource in Site::\"x.com\"",
    "resource == Platform::\"linkedin\"",
    "resource in Platform::\"linkedin\"",
    "resource in Category::\"social-media\"",
    "resource in Category::\"professional\"",
    "resource is Site in Category::\"sensitive\"",
    "resource is Site in Platform::\"x\"",
];
const BODIES: &[&str] = &[
    "",
    "when { context has purpose }",
    "when { context has purpose.ticket }",
    "when { context has purpose && context.purpose.kind == PurposeKind::\"recruiting\" }",
    "unless { context has purpose && resource in context.purpose.platforms }",
    "when { context.local.weekday <= 5 && context.local.time >= duration(\"12h\") }",
    "when { principal.hasTag(\"social-media\") && principal.getTag(\"social-media\") > context.now }",
    "unless { resource.classified }",
    "when { context.request.bytes * 9223372036854775807 > 3 }",
    "when { context.request.method == \"POST\" }",
    "when { principal.nothing == 1 }",
    "when { principal.employment == Employment::\"intern\" }",
    "when { context.client.ip.isInRange(ip(\"10.0.0.0/8\")) }",
    "when { resource.host like \"*.com\" }",
];

fn rule() -> impl Strategy<Value = String> {
    (
        select(vec!["permit", "forbid"]),
        select(PRINCIPALS),
        select(ACTIONS),
        select(RESOURCES),
        select(BODIES),
    )
        .prop_map(|(effect, principal, action, resource, body)| {
            format!("{effect} ({principal}, {action}, {resource}) {body};")
        })
}

fn any_flow() -> impl Strategy<Value = Flow> {
    let people = select(vec!["rita", "mark", "cara", "ivan", "vera", "eve"]);
    let hosts = select(vec![
        "www.linkedin.com",
        "x.com",
        "www.facebook.com",
        "tinder.com",
        "bank.example",
        "news.example",
    ]);
    let purposes = select(vec![None, Some("recruiting"), Some("market-research")]);
    let roles = subsequence(vec!["recruiter", "customer-care", "nobody"], 0..=3);
    (people, hosts, purposes, roles, 0_i64..86_400).prop_map(|(who, host, purpose, roles, seconds)| {
        let mut flow = flow(who, host);
        flow.person.roles.extend(roles.into_iter().map(str::to_owned));
        flow.at = flow.at.plus(Duration::from_secs(seconds.unsigned_abs()));
        match purpose {
            Some(purpose) => flow.purpose(purpose),
            None => flow,
        }
    })
}

fn told(response: &Response) -> (bool, BTreeSet<String>, BTreeSet<String>) {
    let reasons = response.diagnostics().reason().map(ToString::to_string).collect();
    let errors = response.diagnostics().errors().map(ToString::to_string).collect();
    (response.decision() == cedar_policy::Decision::Allow, reasons, errors)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_as_the_whole_set_does(
        rules in prop::collection::vec(rule(), 0..24),
        flows in prop::collection::vec(any_flow(), 1..5),
    ) {
        let whole: PolicySet = rules.concat().parse().unwrap();
        let index = Index::new(whole.policies().cloned().collect(), &BOOK.schema, &BOOK.actions);
        let authorizer = Authorizer::new();
        for flow in flows {
            let asked = NOUNS
                .about_site(&flow.question(&["connect", "inspect", "browse", "post", "advertise", "embed"]), &BOOK.words, None)
                .unwrap();
            for request in &asked.requests {
                let numbers = index.candidates(&asked.principal, request.action().unwrap(), &asked.resource).unwrap();
                let narrowed = index.set(numbers).unwrap();
                let expected = told(&authorizer.is_authorized(request, &whole, &asked.entities));
                prop_assert_eq!(told(&authorizer.is_authorized(request, &narrowed, &asked.entities)), expected);
            }
        }
    }
}

/// The policy of these rules, whatever the lint would say of them.
fn unlinted(rules: &[String]) -> Policy {
    let rules = rules.iter().enumerate();
    let text: String = rules
        .map(|(number, rule)| format!("@id(\"r{number}\") @reason(\"R.\") {rule}\n"))
        .collect();
    let written = crate::policy::rule::read(&SourceText::new("rules/test.cedar", text)).unwrap();
    let book = read(&schema()).unwrap();
    let nouns = Nouns::new(book.actions.clone()).unwrap();
    Policy::of(written, Arc::new(book), Arc::new(nouns))
}

/// The same decision by Cedar's public constructors, each question for itself.
fn plainly(policy: &Policy, question: &Question<'_>) -> Decision {
    let asked = policy.nouns.about_site(question, &policy.vocabulary, None);
    let grant = question.grant.map(|grant| (grant.id.clone(), grant.expires));
    let leaves = question.actions.contains(&"connect");
    let passage = leaves.then(|| (question.authority.clone(), grant));
    match asked {
        Ok(asked) => policy.conclude(policy.put(&asked, question.at), passage),
        Err(trouble) => Decision::deny(Vec::new(), vec![trouble]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_hearing_decides_as_each_question_for_itself(
        rules in prop::collection::vec(rule(), 0..24),
        flows in prop::collection::vec((any_flow(), any::<bool>(), any::<bool>()), 1..6),
        asked in prop::collection::vec(
            subsequence(vec!["connect", "inspect", "browse", "post", "advertise", "embed", "archive", "juggle"], 0..4),
            1..5,
        ),
    ) {
        let policy = unlinted(&rules);
        for (flow, has_request, knows_the_time) in &flows {
            let flow = if *knows_the_time { flow.clone() } else { flow.clone().zone("Mars/Olympus") };
            let question = flow.question(&[]);
            let question = Question { request: question.request.filter(|_| *has_request), ..question };
            let hearing = policy.hear(&question);
            for actions in &asked {
                for grant in [None, flow.grant.as_ref()] {
                    let expected = plainly(&policy, &Question { actions, grant, ..question });
                    prop_assert_eq!(hearing.decide(actions, grant), expected);
                }
                if let Some(grant) = flow.grant.as_ref().filter(|_| !hearing.heeds_grants(actions)) {
                    let (with, without) = (hearing.decide(actions, Some(grant)), hearing.decide(actions, None));
                    let told = |decision: &Decision| (decision.reasons().to_vec(), decision.troubles().to_vec());
                    prop_assert_eq!(with.is_allowed(), without.is_allowed());
                    prop_assert_eq!(told(&with), told(&without));
                }
            }
        }
    }
}

#[test]
fn a_person_who_changes_is_judged_by_what_they_are_now() {
    let policy = unlinted(&["permit (principal in Role::\"auditor\", action, resource);".to_owned()]);
    let before = flow("rita", "x.com");
    let mut after = before.clone();
    after.person.roles.insert("auditor".to_owned());
    for (flow, allowed) in [(&before, false), (&after, true), (&before, false)] {
        assert_eq!(flow.ask(&policy, &["connect"]).is_allowed(), allowed);
    }
}

#[test]
fn an_ancestor_named_by_equality_does_not_match_what_is_below_it() {
    let rules: PolicySet = "permit (principal == Role::\"recruiter\", action, resource == Platform::\"linkedin\");"
        .parse()
        .unwrap();
    let index = Index::new(rules.policies().cloned().collect(), &BOOK.schema, &BOOK.actions);
    let rita = flow("rita", "www.linkedin.com");
    let asked = NOUNS
        .about_site(&rita.question(&["connect"]), &BOOK.words, None)
        .unwrap();
    let action = asked.requests[0].action().unwrap();
    assert_eq!(
        index.candidates(&asked.principal, action, &asked.resource),
        Some(vec![])
    );
}

#[test]
fn the_memo_of_sets_does_not_grow_without_bound() {
    let text: String = (0..13).map(|_| "permit (principal, action, resource);\n").collect();
    let rules: PolicySet = text.parse().unwrap();
    let index = Index::new(rules.policies().cloned().collect(), &BOOK.schema, &BOOK.actions);
    for mask in 0_u32..8192 {
        let numbers: Vec<usize> = (0..13).filter(|bit| mask & (1 << bit) != 0).collect();
        assert_eq!(index.set(numbers.clone()).unwrap().num_of_policies(), numbers.len());
        assert!(index.remembered() <= 4096);
    }
}

#[test]
fn what_we_build_satisfies_the_schema_for_every_action() {
    let rita = flow("rita", "www.linkedin.com")
        .purpose("recruiting")
        .approved_by("grace");
    for flow in [rita, flow("vera", "news.example")] {
        for activity in BOOK
            .words
            .activities()
            .keys()
            .map(crate::facts::Activity::as_str)
            .chain(["connect", "inspect", "archive"])
        {
            let asked = NOUNS.about_site(&flow.question(&[activity]), &BOOK.words, Some(&BOOK.schema));
            assert!(asked.is_ok(), "{activity} {asked:?}");
        }
    }
}
