//! What is said, and to whom.

mod sessions;
pub(super) mod weekly;
mod wire;

use std::collections::BTreeSet;

use super::words::{Said, View, say, say_to_many};
use super::*;
use crate::clock::Timestamp;
use crate::facts::{
    Answer, Arrival, Came, Channel, Door, Emergency, Ended, Grant, GrantId, GrantState, GrantTerms, MethodName, Mode,
    NetworkName, NoticeEvent, PlatformId, PurposeId, SourceText, SubjectId, Verdict,
};
use crate::rulebook::{InForce, Rulebook, Sources};

fn at(hour: &str) -> Timestamp {
    format!("2026-11-24T{hour}:00Z").parse().unwrap()
}

fn who(name: &str) -> SubjectId {
    SubjectId::parse(name).unwrap()
}

/// What Ben asks for.
fn terms() -> GrantTerms {
    GrantTerms {
        subject: who("ben"),
        purpose: PurposeId::new("brand-publishing"),
        platforms: [PlatformId::new("linkedin")].into(),
        covers: ["read".to_owned(), "publish".to_owned()].into(),
        statement: "The autumn\ncampaign".to_owned(),
        ticket: Some("MKT-7".to_owned()),
        channel: Channel::Portal,
        declared_at: at("09:00"),
        not_before: at("09:00"),
        expires: at("13:00"),
        answers: Vec::new(),
        idle: None,
        parent: None,
        emergency: None,
        continued: None,
        delegated: None,
    }
}

/// The same as it is after this has happened.
fn grant(event: NoticeEvent) -> Grant {
    let asked = Grant {
        came: Some(Box::new(Came {
            arrival: Arrival {
                door: Door::Tls,
                client: "192.0.2.7:50000".parse().unwrap(),
                network: NetworkName::new("office"),
            },
            method: MethodName::Certificate,
        })),
        ..terms().asked(GrantId::new("g1"), at("17:00"))
    };
    let answered = |verdict, state, note: &str| Grant {
        state,
        answers: vec![Answer {
            by: who("mia"),
            at: at("10:00"),
            verdict,
            note: note.to_owned(),
            seats: BTreeSet::new(),
            behalf: None,
            missing: 0,
        }],
        ..asked.clone()
    };
    match event {
        NoticeEvent::Waits | NoticeEvent::AlternatesMay => asked,
        NoticeEvent::PartlyApproved => partly(asked),
        NoticeEvent::Approved | NoticeEvent::CameOfIt => answered(Verdict::Approved, GrantState::Active, ""),
        NoticeEvent::Declined => answered(Verdict::Declined, GrantState::Declined, "Not this week.\n\nSorry"),
        NoticeEvent::Lapsed => Grant {
            state: GrantState::Lapsed,
            ..asked
        },
        NoticeEvent::Revoked => Grant {
            state: GrantState::Revoked,
            ended: Some(Ended {
                by: who("sol"),
                why: "An incident".to_owned(),
            }),
            ended_at: Some(at("11:00")),
            ..asked
        },
        NoticeEvent::BrokeGlass | NoticeEvent::ReviewOverdue => Grant {
            emergency: Some(Emergency {
                review_by: at("18:00"),
                review: None,
            }),
            ..terms().named(GrantId::new("g1"))
        },
    }
}

/// What Ben asks for once Nora has approved it, as one of two.
fn partly(asked: Grant) -> Grant {
    let answer = Answer {
        missing: 1,
        ..Answer::approval(who("nora"), at("09:30"))
    };
    Grant {
        answers: vec![answer],
        ..asked
    }
}

pub(super) fn notice(event: NoticeEvent, to: &str) -> Notice {
    Notice {
        about: About::Grant(Box::new(grant(event)), event),
        letter: Some(Letter {
            way: "email".to_owned(),
            to: to.to_owned(),
        }),
        since: at("09:00"),
        tries: 0,
    }
}

/// The shipped rules, with addresses for these people.
pub(super) fn house(written: &[&str]) -> InForce {
    house_with(written, &Sources::embedded().purposes.text)
}

fn house_with(written: &[&str], terms: &str) -> InForce {
    let mut sources = addressed(written);
    sources.purposes.text = terms.into();
    Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce)
}

/// The shipped rules, with addresses for these people.
fn addressed(written: &[&str]) -> Sources {
    let mut sources = Sources::embedded();
    let people = sources
        .people
        .iter_mut()
        .find(|file| file.name.ends_with("people.toml"))
        .unwrap();
    let mut text = people.text.to_string();
    for name in written {
        let head = format!("id = \"{name}\"\n");
        assert!(text.contains(&head), "{name}");
        text = text.replace(&head, &format!("{head}email = \"{name}@example.org\"\n"));
    }
    *people = SourceText::new(people.name.as_str(), text);
    sources
}

fn settings() -> Settings {
    let text = "security = [\"soc@example.org\"]\n[smtp]\nhost = \"mail.example.org\"\nfrom = \"gate@example.org\"";
    toml::from_str(text).unwrap()
}

fn told(house: &InForce, event: NoticeEvent) -> Vec<String> {
    let letters = whom::letters((&grant(event), event), (house, &[]), &settings(), at("10:00"));
    letters.into_iter().map(|letter| letter.to).collect()
}

fn view(house: &InForce, language: Language) -> View<'_> {
    View {
        asked: &[],
        in_force: house,
        origin: "https://wayleave.internal",
        language,
    }
}

fn read(said: &Said) -> String {
    said.text(Language::En)
}

#[test]
fn those_are_told_whom_it_concerns_and_who_can_do_something() {
    let house = house(&["ben", "mia", "nora", "sol"]);
    assert_eq!(told(&house, NoticeEvent::Waits), ["mia"]);
    for event in [
        NoticeEvent::Approved,
        NoticeEvent::Declined,
        NoticeEvent::Lapsed,
        NoticeEvent::Revoked,
    ] {
        assert_eq!(told(&house, event), ["ben"], "{event:?}");
    }
    assert_eq!(told(&house, NoticeEvent::BrokeGlass), ["mia", "mailto:soc@example.org"]);
    assert_eq!(
        told(&house, NoticeEvent::ReviewOverdue),
        ["ben", "mia", "mailto:soc@example.org"]
    );
    assert_eq!(
        told(&self::house(&[]), NoticeEvent::Waits),
        [""; 0],
        "no address is known"
    );
}

#[test]
fn of_an_emergency_the_owner_is_told_and_everybody_who_is_named_one_by_one_or_by_a_group() {
    let chain = "approval = { of = [\"owner\", \"group:legal\"], needed = \"all\" }";
    let terms = Sources::embedded().purposes.text;
    for approval in [
        chain,
        "approval = { of = [\"group:legal\"] }",
        "approval = { of = [\"lea\"] }",
    ] {
        let house = house_with(&["ben", "lea", "nora"], &terms.replace(chain, approval));
        let mut of_ben = grant(NoticeEvent::BrokeGlass);
        of_ben.purpose = PurposeId::new("executive-communication");
        let happened = (&of_ben, NoticeEvent::BrokeGlass);
        let letters = whom::letters(happened, (&house, &[]), &settings(), at("10:00")).into_iter();
        let to: Vec<String> = letters.map(|letter| letter.to).collect();
        assert_eq!(to, ["lea", "nora", "mailto:soc@example.org"], "{approval}");
    }
}

#[test]
fn what_nobody_needs_to_hear_of_any_more_is_not_told() {
    let moot = |event, grant| whom::is_moot((&grant, event), None, at("10:00"));
    for event in NoticeEvent::ALL {
        assert!(!moot(event, grant(event)), "{event:?}");
    }
    assert!(moot(NoticeEvent::Waits, grant(NoticeEvent::Declined)));
    assert!(moot(NoticeEvent::Approved, grant(NoticeEvent::Revoked)));
    assert!(moot(NoticeEvent::ReviewOverdue, grant(NoticeEvent::Approved)));
    assert!(
        whom::is_moot((&grant(NoticeEvent::Waits), NoticeEvent::Waits), None, at("17:00")),
        "silence has declined it"
    );
    let moot_for = |to: &str| {
        let (event, letter) = (
            NoticeEvent::PartlyApproved,
            notice(NoticeEvent::PartlyApproved, to).letter,
        );
        whom::is_moot((&grant(event), event), letter.as_ref(), at("10:00"))
    };
    assert!(moot_for("nora"), "she approved it");
    assert!(!moot_for("mia"));
}

#[test]
fn an_approver_reads_who_wants_what_for_what_and_how_long() {
    let house = house(&[]);
    let said = say(
        &notice(NoticeEvent::Waits, "mia"),
        &view(&house, Language::En),
        Some("Europe/Paris"),
    );
    insta::assert_snapshot!(read(&said), @"
    Ben Okafor asks for “Publishing for the brand”

    Who: Ben Okafor
    Purpose: Publishing for the brand
    Where: LinkedIn
    For what: read and search; post, comment, message and upload
    For how long: 4h
    Silence declines at: 2026-11-24 18:00 (Europe/Paris)
    Ticket: MKT-7
    In their words: The autumn campaign

    Answer: https://wayleave.internal/approvals

    -- 
    Wayleave sends this by itself; nobody reads replies. Reference: g1
    ");
}

#[test]
fn whoever_asked_reads_who_answered_and_why_in_their_language() {
    let house = house(&[]);
    let view = view(&house, Language::Fr);
    let said = say(&notice(NoticeEvent::Declined, "ben"), &view, Some("Europe/Paris"));
    insta::assert_snapshot!(said.text(Language::Fr).replace(['\u{a0}', '\u{202f}'], " "), @"
    Refusé : « Publication au nom de la marque »

    Qui : Ben Okafor
    Motif : Publication au nom de la marque
    Où : LinkedIn
    Pour quoi : lire et rechercher ; publier, commenter, envoyer des messages et des fichiers
    Par : Mia Castellano
    Ticket : MKT-7
    Pourquoi : Not this week. Sorry

    À voir sur votre page : https://wayleave.internal/

    -- 
    Message automatique de Wayleave ; personne ne lit les réponses. Référence : g1
    ");
    let approved = say(&notice(NoticeEvent::Approved, "ben"), &view, None);
    assert!(
        approved
            .facts
            .contains(&("Jusqu’à".into(), "2026-11-24 13:00 (UTC)".to_owned())),
        "{approved:?}"
    );
}

#[test]
fn nothing_that_people_wrote_is_read_by_many() {
    let house = house(&[]);
    let view = view(&house, Language::En);
    for event in NoticeEvent::ALL {
        let of = |purpose: &str, ticket: &str| {
            let grant = Grant {
                purpose: PurposeId::new(purpose),
                ticket: Some(ticket.to_owned()),
                ..grant(event)
            };
            Notice {
                about: About::Grant(Box::new(grant), event),
                ..notice(event, "")
            }
        };
        let one = of("customer-support", "CARE-7");
        assert!(read(&say_to_many(&one, &view, None)).contains("Ticket: CARE-7"));
        // neither where the purpose says how tickets look, nor where any may be written
        for purpose in ["customer-support", "brand-publishing"] {
            let one = of(purpose, "https://evil.example/x, see <@here>");
            let text = read(&say_to_many(&one, &view, None));
            for written in ["campaign", "Sorry", "incident", "evil", "Ticket"] {
                assert!(!text.contains(written), "{event:?}: {text}");
            }
            assert_eq!(words::ticket(&one, &house), None);
            let told = read(&say(&one, &view, None));
            // whoever is asked what came of it knows what they wrote
            let is_told = told.contains("evil.example") || event == NoticeEvent::CameOfIt;
            assert!(is_told, "whom it concerns may read it: {told}");
        }
    }
}

#[test]
fn each_letter_has_one_name_whenever_it_is_sent() {
    let name = |event, to: &str| {
        let notice = notice(event, to);
        mail::name(&notice, notice.letter.as_ref().unwrap())
    };
    let first = name(NoticeEvent::Waits, "mia");
    assert_eq!(first, name(NoticeEvent::Waits, "mia"));
    assert!(
        first.starts_with("g1.waits.") && first.len() == "g1.waits.".len() + 12,
        "{first}"
    );
    assert_ne!(first, name(NoticeEvent::Waits, "nora"));
    assert_ne!(first, name(NoticeEvent::Lapsed, "mia"));
}
