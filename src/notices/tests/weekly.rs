//! What is said of a week, and to whom.

use super::*;
use crate::ledger::{Brought, Figure, Measure, Part, Sums, Week};

/// The last week that is settled on the Tuesday at which people look.
fn week() -> Week {
    Week::of(at("07:00")).before(2)
}

fn figure(purpose: &str, week: Week, (measure, people, count): (Measure, u64, u64)) -> Figure {
    Figure {
        purpose: PurposeId::new(purpose),
        week,
        measure,
        part: Part::Whole,
        people: Some(people),
        sums: Sums {
            count,
            ..Sums::default()
        },
    }
}

/// What is told: of recruiting all, also of the week before; of market research that it was used; of press monitoring that it
/// was, the week before.
fn brought() -> Brought {
    let (now, before) = (week(), week().before(1));
    let figures = vec![
        figure("recruiting", before, (Measure::Grants, 7, 10)),
        figure("recruiting", before, (Measure::Flows, 7, 2_000)),
        figure("press-monitoring", before, (Measure::Flows, 9, 900)),
        figure("market-research", now, (Measure::Flows, 5, 40)),
        figure("recruiting", now, (Measure::Grants, 8, 12)),
        figure("recruiting", now, (Measure::Flows, 8, 1_234)),
        figure("recruiting", now, (Measure::Value, 6, 31)),
    ];
    Brought { week: now, figures }
}

pub(in crate::notices) fn digest(way: &str, to: &str) -> Notice {
    Notice {
        about: About::Week(brought()),
        letter: Some(Letter {
            way: way.to_owned(),
            to: to.to_owned(),
        }),
        since: at("07:00"),
        tries: 0,
    }
}

fn settings(digest: &str) -> Settings {
    let text = format!(
        "[smtp]\nhost = \"mail.example.org\"\nfrom = \"gate@example.org\"\n[digest]\n{digest}\n\
         [[webhooks]]\nname = \"quiet\"\nkind = \"slack\"\nurl = \"https://a.example.org/\"\n\
         [[webhooks]]\nname = \"board\"\nkind = \"slack\"\nurl = \"https://b.example.org/\"\nevents = [\"digest\"]\n"
    );
    toml::from_str(&text).unwrap()
}

/// Who is told of which purposes.
fn readers(house: &InForce, settings: &Settings) -> Vec<(String, Vec<String>)> {
    let letters = digest::letters(&brought(), house, settings, at("07:00")).into_iter();
    let told = letters.map(|letter| {
        let told = digest::told(&brought(), &letter, (house, settings), at("07:00")).unwrap();
        let of: BTreeSet<String> = told.figures.iter().map(|figure| figure.purpose.to_string()).collect();
        let to = if letter.to.is_empty() { letter.way } else { letter.to };
        (to, of.into_iter().collect())
    });
    told.collect()
}

fn told(to: &str, purposes: &[&str]) -> (String, Vec<String>) {
    (to.to_owned(), purposes.iter().map(ToString::to_string).collect())
}

const ALL: [&str; 3] = ["market-research", "press-monitoring", "recruiting"];

#[test]
fn owners_are_told_of_what_they_own_and_who_is_named_of_what_the_rules_and_settings_say() {
    // nora owns press monitoring, of which nothing is told this week
    let house = house(&["hana", "mia", "nora", "otto", "ada"]);
    let board = told("webhook:board", &ALL);
    let (hana, mia) = (told("hana", &["recruiting"]), told("mia", &["market-research"]));
    assert_eq!(
        readers(&house, &settings("")),
        [hana.clone(), mia.clone(), board.clone()]
    );
    // ada may see nothing, whoever names her; the board's members may see everything
    let named =
        "to = [\"otto@example.org\", \"ada@example.org\", \"business@example.org\"]\npurposes = [\"recruiting\"]";
    assert_eq!(
        readers(&house, &settings(named)),
        [
            hana,
            told("mailto:business@example.org", &["recruiting"]),
            mia,
            told("otto", &ALL),
            told("webhook:board", &["recruiting"])
        ]
    );
    let of_nobody = |house: &InForce, settings: &Settings| {
        let all = digest::of_nobody(house, settings).into_iter();
        all.map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(of_nobody(&house, &settings(named)), ["business@example.org"]);
    // of whoever has left the directory nobody knows an address
    let left = settings("to = [\"hana@example.org\", \"nora@example.org\"]");
    assert_eq!(of_nobody(&self::house(&["hana"]), &left), ["nora@example.org"]);
    let nobody = "owners = false\npurposes = [\"customer-support\"]";
    assert_eq!(readers(&house, &settings(nobody)), []);
    assert_eq!(
        readers(&self::house(&[]), &settings("")),
        [board],
        "no address is known"
    );
}

#[test]
fn who_owns_a_purpose_and_may_not_see_what_comes_of_it_is_not_told() {
    let mut sources = Sources::embedded();
    for rule in [
        "forbid (principal, action == Action::\"see-value\", resource == Purpose::\"recruiting\");",
        "forbid (principal, action == Action::\"see-value\", resource) unless { context.client.network == \"office\" };",
        "forbid (principal, action == Action::\"see-value\", resource) unless { context.proof.method == \"certificate\" };",
    ] {
        let text = format!("@id(\"test.closed\") @title(\"Closed\") @reason(\"Closed.\") @owner(\"HR\")\n{rule}");
        let rule = SourceText::new("rules/99-test.cedar", text);
        sources.rules.retain(|file| file.name != rule.name);
        sources.rules.push(rule.clone());
        sources.people = addressed(&["hana", "otto"]).people;
        let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
        let named = settings("to = [\"otto@example.org\"]");
        let readers = readers(&house, &named);
        for (to, of) in &readers {
            assert!(
                to == "webhook:board" || !of.contains(&"recruiting".to_owned()),
                "{to} is told of {of:?} under {}",
                rule.text
            );
        }
    }
}

/// People of whom each has the same address.
fn sharing(people: &[&str]) -> Sources {
    let mut sources = addressed(people);
    let file = sources
        .people
        .iter_mut()
        .find(|file| file.name.ends_with("people.toml"));
    let file = file.unwrap();
    let shared = people.iter().fold(file.text.to_string(), |text, one| {
        text.replace(&format!("{one}@example.org"), "both@example.org")
    });
    *file = SourceText::new(file.name.as_str(), shared);
    sources
}

#[test]
fn whoever_is_named_with_other_capitals_is_told_what_the_rules_say_all_the_same() {
    let house = house(&["ada", "otto"]);
    let named = settings("owners = false\nto = [\"Ada@example.org\", \"OTTO@Example.org\"]");
    let board = told("webhook:board", &ALL);
    assert_eq!(readers(&house, &named), [told("otto", &ALL), board]);
}

#[test]
fn an_owner_who_shares_a_mailbox_reads_there_no_more_than_what_they_own() {
    let mut sources = sharing(&["ada", "otto"]);
    let purposes = &mut sources.purposes;
    let text = purposes.text.replace("\nowner = \"mia\"", "\nowner = \"otto\"");
    assert_ne!(text, *purposes.text);
    *purposes = SourceText::new(purposes.name.as_str(), text);
    let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
    // otto may see everything, and ada, who reads the same mailbox, nothing
    let named = settings("to = [\"both@example.org\"]");
    let board = told("webhook:board", &ALL);
    assert_eq!(readers(&house, &named), [told("otto", &["market-research"]), board]);
}

#[test]
fn two_owners_with_one_address_get_one_letter_with_what_each_owns() {
    let sources = sharing(&["hana", "mia"]);
    let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
    let board = told("webhook:board", &ALL);
    let both = told("mailto:both@example.org", &["market-research", "recruiting"]);
    assert_eq!(readers(&house, &settings("")), [both.clone(), board.clone()]);
    let named = settings("to = [\"BOTH@example.org\"]");
    assert_eq!(
        readers(&house, &named),
        [both, board],
        "named beside that, it is the same letter"
    );
}

#[test]
fn a_mailbox_of_several_people_is_told_what_all_of_them_may_see() {
    let sources = sharing(&["hana", "otto"]);
    let house = Rulebook::assemble(&sources).unwrap().in_mode(Mode::Enforce);
    let named = settings("owners = false\nto = [\"both@example.org\"]");
    assert_eq!(
        readers(&house, &named)[0],
        told("mailto:both@example.org", &["recruiting"])
    );
}

#[test]
fn what_a_later_week_has_overtaken_is_told_to_nobody() {
    let house = house(&["hana"]);
    let next = week().next().next().next().begins();
    let late = digest::letters(&brought(), &house, &settings(""), next);
    assert_eq!(late, []);
    let last = Timestamp::from_millis(next.as_millis() - 1);
    assert_eq!(digest::letters(&brought(), &house, &settings(""), last).len(), 2);
}

#[test]
fn a_reader_sees_what_came_of_each_purpose_and_how_that_was_the_week_before() {
    let house = house(&[]);
    let said = say(
        &digest("email", "hana"),
        &view(&house, Language::En),
        Some("Europe/Paris"),
    );
    insta::assert_snapshot!(read(&said), @"
    What social media brought in the week of 9 Nov 2026

    Market research: People: 5 (not shown); Requests and connections: 40 (not shown)
    Recruiting: Candidates contacted: 31 (not shown), said by 6 people; Grants: 12 (10); People: 8 (7); Requests and connections: 1,234 (2,000)

    See it as charts, with the weeks before: https://wayleave.internal/value

    -- 
    In brackets: the week before. Only groups of 5 people or more are told, and nobody by name. Wayleave sends this by itself; nobody reads replies. Reference: 2026-11-09
    ");
    let said = say(&digest("email", "hana"), &view(&house, Language::Fr), None);
    insta::assert_snapshot!(said.text(Language::Fr).replace(['\u{a0}', '\u{202f}'], " "), @"
    Ce que les réseaux sociaux ont apporté la semaine du 9 novembre 2026

    Étude de marché : Personnes : 5 (non montré) ; Requêtes et connexions : 40 (non montré)
    Recrutement : Candidats contactés : 31 (non montré), selon 6 personnes ; Autorisations : 12 (10) ; Personnes : 8 (7) ; Requêtes et connexions : 1 234 (2 000)

    À voir en graphiques, avec les semaines précédentes : https://wayleave.internal/value

    -- 
    Entre parenthèses : la semaine précédente. Seuls des groupes d’au moins 5 personnes sont montrés, et personne nommément. Message automatique de Wayleave ; personne ne lit les réponses. Référence : 2026-11-09
    ");
}

#[test]
fn many_read_no_more_than_one_does_and_of_many_purposes_the_first() {
    let house = house(&[]);
    let view = view(&house, Language::En);
    let one = digest("webhook:board", "");
    assert_eq!(say_to_many(&one, &view, None), say(&one, &view, None));
    assert_eq!(words::ticket(&one, &house), None);
    let all = Said {
        facts: (0..41).map(|nth| (nth.to_string().into(), "9".to_owned())).collect(),
        ..say(&one, &view, None)
    };
    let told = digest_words::shortened(all.clone(), Language::En).facts;
    assert_eq!((told.len(), &told[..40]), (41, &all.facts[..40]));
    assert_eq!(told[40], ("Others".into(), "more purposes on the page: 1".to_owned()));
}

#[test]
fn each_digest_has_one_name_whenever_it_is_sent() {
    let name = |to: &str| {
        let digest = digest("email", to);
        mail::name(&digest, digest.letter.as_ref().unwrap())
    };
    assert_eq!(name("hana"), name("hana"));
    assert_ne!(name("hana"), name("mia"));
    assert!(name("hana").starts_with("2026-11-09.digest."), "{}", name("hana"));
}
