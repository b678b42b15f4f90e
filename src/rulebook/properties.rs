//! What must hold for everything that could be seen, on the shipped rules.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::clock::Timestamp;
use crate::facts::{
    Act, Answer, Arrival, Ask, Channel, DecisionNote, Door, End, Ending, Grant, GrantId, GrantState, MethodName,
    NetworkName, Observation, Outcome, PlatformId, PurposeId, Record, RecordId, Remedy, Standing, Subject, SubjectId,
};
use crate::purpose::{Declaration, GROUPS};

fn shipped() -> &'static Assembled {
    static SHIPPED: OnceLock<Assembled> = OnceLock::new();
    SHIPPED.get_or_init(|| Rulebook::assemble(&Sources::embedded()).unwrap())
}

fn rules() -> &'static Rulebook {
    &shipped().rulebook
}

const PLACES: &[(&str, &str)] = &[
    ("GET", "https://www.linkedin.com/feed/"),
    (
        "POST",
        "https://www.linkedin.com/voyager/api/contentcreation/normShares",
    ),
    (
        "POST",
        "https://www.linkedin.com/voyager/api/graphql?queryId=voyagerContentcreationDashShares.1&q=secret",
    ),
    (
        "POST",
        "https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.1&queryId=other",
    ),
    ("GET", "https://x.com/home"),
    ("POST", "https://x.com/i/api/graphql/AbC/CreateTweet"),
    ("POST", "https://x.com/i/api/graphql/AbC/Whatever?variables=%7B%7D"),
    ("POST", "https://www.facebook.com/api/graphql/"),
    ("GET", "https://www.facebook.com/tr/?id=1&ev=PageView"),
    ("POST", "https://graph.facebook.com/v20.0/act_12/campaigns"),
    ("GET", "https://www.youtube.com/watch?v=1"),
    ("POST", "https://upload.youtube.com/upload/studio"),
    ("POST", "https://www.reddit.com/svc/shreddit/graphql"),
    ("GET", "https://www.reddit.com/r/rust/?utm=1"),
    ("GET", "http://www.ing.com/accounts?iban=secret"),
    ("GET", "http://intranet.example.org/a?b=c"),
    ("GET", "https://tinder.com/app"),
    ("GET", "https://app.slack.com/client"),
    ("PUT", "https://www.linkedin.com/dms-uploads/x"),
    ("BREW", "https://x.com/"),
];

const BODIES: &[&str] = &[
    "fb_api_req_friendly_name=ComposerStoryCreateMutation&doc_id=1",
    "fb_api_req_friendly_name=FooRefetchQuery",
    "fb_api_req_friendly_name=FooQuery&fb_api_req_friendly_name=BarMutation",
    "{\"operation\": \"UpdatePostVoteState\"}",
    "{\"operation\": \"a\", \"operation\": \"b\"}",
    "not json",
    "",
];

fn some_ask() -> impl Strategy<Value = Ask> {
    let header = select(vec![
        ("content-type", "application/x-www-form-urlencoded"),
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-dest", "image"),
        ("referer", "https://shop.example/basket?id=1"),
        ("origin", "https://www.facebook.com"),
        ("x-fb-friendly-name", "CometUFIFeedbackReactMutation"),
        ("x-http-method-override", "DELETE"),
        ("upgrade", "websocket"),
    ]);
    let headers = prop::collection::vec(header, 0..4);
    let body = prop::option::of(select(BODIES));
    (select(PLACES), headers, body, prop::bool::weighted(0.15)).prop_map(|((method, url), headers, body, tunnel)| {
        let described = Described {
            to: url.to_owned(),
            method: Some(method.to_owned()),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.filter(|_| method != "GET").map(str::to_owned),
        };
        let ask = rules().ask_of(&described).unwrap();
        if tunnel {
            Ask::Connect(ask.authority().clone())
        } else {
            ask
        }
    })
}

fn some_grant() -> impl Strategy<Value = Grant> {
    let known = rules().purposes().iter().map(|purpose| purpose.id.clone());
    // a grant may outlive its purpose
    let purposes: Vec<_> = known.chain([PurposeId::new("gone")]).collect();
    let people: Vec<SubjectId> = shipped().directory.people().map(|person| person.id.clone()).collect();
    let platforms = subsequence(vec!["linkedin", "x", "facebook", "youtube", "reddit", "tinder"], 1..4);
    let covers = subsequence(GROUPS.to_vec(), 1..=4);
    let approver = prop::option::of(select(people.clone()));
    let life = (-2_i64..2, 1_i64..3);
    (
        select(purposes),
        select(people),
        platforms,
        covers,
        approver,
        life,
        ".{0,20}",
    )
        .prop_map(
            |(purpose, subject, platforms, covers, approved_by, (from, lasts), statement)| Grant {
                id: GrantId::new(format!("g-{purpose}-{from}-{lasts}-{}", platforms.len())),
                subject,
                purpose,
                platforms: Arc::new(platforms.into_iter().map(PlatformId::new).collect()),
                covers: Arc::new(covers.into_iter().map(str::to_owned).collect()),
                statement,
                ticket: None,
                channel: Channel::Portal,
                declared_at: hour(from),
                not_before: hour(from),
                expires: hour(from + lasts),
                answer_by: None,
                answers: approved_by
                    .map(|by| Answer::approval(by, hour(from)))
                    .into_iter()
                    .collect(),
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
            },
        )
}

/// So many hours after a Tuesday's noon in Paris.
fn hour(number: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-24T11:00:00Z".parse().unwrap();
    Timestamp::from_millis(noon.as_millis() + number * 3_600_000)
}

fn some_observation() -> impl Strategy<Value = Observation> {
    let people: Vec<_> = shipped().directory.people().cloned().collect();
    let network = select(vec!["office", "vpn", "guest", "unknown"]);
    let method = select(vec![MethodName::Basic, MethodName::Certificate]);
    // The observer's own grants are made theirs more often than not, else hardly any would count.
    let grants = prop::collection::vec((some_grant(), prop::bool::weighted(0.8)), 0..4);
    let selected = prop::option::weighted(0.2, select(vec!["recruiting", "market-research", "gone"]));
    let asked = (some_ask(), selected.prop_map(|purpose| purpose.map(PurposeId::new)));
    (select(people), network, method, asked, grants, -1_i64..30).prop_map(
        |(person, network, method, (ask, selected), grants, at)| {
            let own = |(grant, own): (Grant, bool)| {
                let subject = if own { person.id.clone() } else { grant.subject };
                Grant { subject, ..grant }
            };
            Observation {
                arrival: Arrival {
                    door: Door::Plain,
                    client: SocketAddr::from((Ipv4Addr::new(10, 0, 0, 7), 40_000)),
                    network: NetworkName::new(network),
                },
                subject: Some(Subject {
                    id: person.id.clone(),
                    method,
                }),
                standing: Standing::new(grants.into_iter().map(own), hour(at)),
                person: Some(person),
                ask,
                selected,
                at: hour(at),
            }
        },
    )
}

/// What is recorded, as it comes back from the file.
fn recorded(seen: &Observation, decided: DecisionNote) -> Record {
    let record = Record {
        id: RecordId::new("r"),
        at: seen.at,
        people: Vec::new(),
        act: Act::Closing {
            seen: Box::new(rules().redact(seen)),
            decided: Some(Box::new(decided)),
            ended: Ending {
                end: End::Refused,
                status: Some(403),
                bytes_up: 0,
                bytes_down: 0,
                decrypted: true,
                duration_ms: 1,
                judged_us: 1,
            },
        },
    };
    serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap()
}

/// The grant that an offer speaks of, as the ledger would hold it.
fn granted(seen: &Observation, offer: &crate::facts::Offer) -> Grant {
    let person = seen.person.as_ref().unwrap();
    let purpose = rules().purposes().get(&offer.purpose).unwrap();
    let declaration = Declaration {
        purpose: offer.purpose.clone(),
        platforms: rules().catalog().place_of(&seen.ask).platform.into_iter().collect(),
        covers: Some(offer.covers.clone()),
        statement: "A reason that says something".to_owned(),
        ticket: purpose.ticket.as_ref().map(|rule| rule.example.clone()),
        duration: None,
    };
    let visitor = Visitor {
        person,
        subject: seen.subject.as_ref().unwrap(),
        arrival: &seen.arrival,
    };
    let terms = match rules().weigh(visitor, &declaration, Channel::Portal, seen.at) {
        Weighing::Granted { terms, .. } => {
            assert!(!offer.needs_approval, "{offer:?}");
            terms
        }
        Weighing::NeedsApproval { terms, approvers, .. } => {
            assert!(offer.needs_approval, "{offer:?}");
            let names: Vec<String> = approvers.iter().map(ToString::to_string).collect();
            assert!(offer.approvers.starts_with(&names), "{offer:?}");
            crate::facts::GrantTerms {
                answers: approvers
                    .into_iter()
                    .map(|by| Answer::approval(by, seen.at))
                    .take(1)
                    .collect(),
                continued: None,
                delegated: None,
                ..terms
            }
        }
        refused @ (Weighing::Unfit(_) | Weighing::Refused(_)) => panic!("{offer:?} is offered, but {refused:?}"),
    };
    terms.named(GrantId::new("new"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn redaction_never_changes_the_judgement(seen in some_observation()) {
        let redacted = rules().redact(&seen);
        let (before, after) = (rules().judge(&seen), rules().judge(&redacted));
        prop_assert_eq!(before.note(None), after.note(None));
        prop_assert_eq!(before.reasons(), after.reasons());
        prop_assert_eq!(before.permit(), after.permit());
        prop_assert_eq!(&rules().redact(&redacted), &redacted);
    }

    #[test]
    fn redaction_keeps_no_statement_and_no_path_of_a_flow_that_is_not_read(seen in some_observation()) {
        let redacted = rules().redact(&seen);
        prop_assert!(redacted.standing.grants().iter().all(|grant| grant.statement.is_empty()));
        if let (Some(head), None) = (redacted.ask.head(), rules().judge(&seen).reading()) {
            prop_assert_eq!(head.path.as_str(), "");
            prop_assert!(head.query.is_empty());
        }
    }

    #[test]
    fn the_same_flow_is_judged_the_same(seen in some_observation()) {
        prop_assert_eq!(rules().judge(&seen), rules().judge(&seen.clone()));
    }

    #[test]
    fn nobody_passes_unproven_or_unknown_or_as_somebody_else(seen in some_observation()) {
        let unproven = Observation { subject: None, ..seen.clone() };
        prop_assert!(rules().judge(&unproven).permit().is_err());
        prop_assert!(rules().judge(&unproven).needs_identity());
        let unknown = Observation { person: None, ..seen.clone() };
        prop_assert!(rules().judge(&unknown).permit().unwrap_err().unknown_person);
        let id = SubjectId::parse("somebody-else").unwrap();
        let other = Observation { subject: Some(Subject { id, method: MethodName::Basic }), ..seen };
        prop_assert!(rules().judge(&other).permit().is_err());
        prop_assert_eq!(rules().remedy(&other), Remedy::default());
    }

    #[test]
    fn grants_of_others_and_dead_grants_do_not_count(seen in some_observation()) {
        let person = seen.person.clone().unwrap();
        let own = seen.standing.grants().iter().filter(|grant| grant.subject == person.id).cloned();
        let narrowed = Observation { standing: Standing::new(own, seen.at), ..seen.clone() };
        prop_assert_eq!(rules().judge(&seen), rules().judge(&narrowed));
    }

    #[test]
    fn a_grant_whose_purpose_is_gone_changes_nothing(seen in some_observation()) {
        let known = |grant: &&Grant| rules().purposes().get(&grant.purpose).is_some();
        let without = seen.standing.grants().iter().filter(known).cloned();
        let without = Observation { standing: Standing::new(without, seen.at), ..seen.clone() };
        prop_assert_eq!(rules().judge(&seen), rules().judge(&without));
        prop_assert_eq!(rules().remedy(&seen), rules().remedy(&without));
    }

    #[test]
    fn a_selection_that_keeps_others_from_helping_is_named(seen in some_observation()) {
        let free = Observation { selected: None, ..seen.clone() };
        let (remedy, freed) = (rules().remedy(&seen), rules().remedy(&free));
        let known = |offer: &crate::facts::Offer| remedy.offers.iter().any(|known| known.purpose == offer.purpose);
        let opens = rules().judge(&free).is_allowed() || !freed.offers.iter().all(known);
        let refused = !rules().judge(&seen).is_allowed();
        let named = seen.selected.iter().any(|selected| remedy.fixes.contains(&format!("selection:{selected}")));
        prop_assert_eq!(named, refused && opens && seen.selected.is_some());
    }

    #[test]
    fn a_record_replays_to_the_same_decision_after_being_written_and_read(seen in some_observation()) {
        let judgement = rules().judge(&seen);
        let bare = recorded(&seen, judgement.note(None));
        prop_assert_eq!(rules().replay(&bare), Replay::Same);
        let helped = recorded(&seen, judgement.note(Some(&rules().remedy(&seen))));
        prop_assert_eq!(rules().replay(&helped), Replay::Same);
    }

    #[test]
    fn what_is_offered_works(seen in some_observation()) {
        let judgement = rules().judge(&seen);
        let remedy = rules().remedy(&seen);
        prop_assert!(!judgement.is_allowed() || remedy.offers.is_empty());
        for offer in &remedy.offers {
            let grant = granted(&seen, offer);
            let all = seen.standing.grants().iter().cloned().chain([grant]);
            let then = Observation { standing: Standing::new(all, seen.at), ..seen.clone() };
            prop_assert!(rules().judge(&then).is_allowed(), "{:?}", offer);
        }
    }

    #[test]
    fn what_is_not_offered_would_not_work(seen in some_observation()) {
        let judgement = rules().judge(&seen);
        let Some(platform) = judgement.place().platform.clone() else { return Ok(()) };
        let remedy = rules().remedy(&seen);
        if judgement.is_allowed() || remedy.outcome() != Outcome::Deny {
            return Ok(());
        }
        let visitor = Visitor {
            person: seen.person.as_ref().unwrap(),
            subject: seen.subject.as_ref().unwrap(),
            arrival: &seen.arrival,
        };
        for purpose in rules().purposes().iter() {
            let declaration = Declaration {
                purpose: purpose.id.clone(),
                platforms: BTreeSet::from([platform.clone()]),
                covers: None,
                statement: "A reason that says something".to_owned(),
                ticket: purpose.ticket.as_ref().map(|rule| rule.example.clone()),
                duration: None,
            };
            if let Weighing::Granted { terms, .. } = rules().weigh(visitor, &declaration, Channel::Portal, seen.at) {
                let standing = Standing::new([terms.named(GrantId::new("new"))], seen.at);
                let then = Observation { standing, ..seen.clone() };
                prop_assert!(!rules().judge(&then).is_allowed(), "{}", purpose.id);
            }
        }
    }
}
