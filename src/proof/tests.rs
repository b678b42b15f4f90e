//! Many rules: what is asked of a solver stays little, and the answers stay the same.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::solver::crew;
use super::{About, Check, Comparison, Effort, Outcome, Shelf, Theory, Way, Work};
use crate::facts::SourceText;
use crate::rulebook::{Assembled, Rulebook, Sources};

/// More rules than a solver is asked about at once, by far.
const MANY: usize = 500;

fn sources(rules: &str) -> (Sources, Assembled) {
    let mut sources = Sources::embedded();
    sources.rules.push(SourceText::new("rules/60-many.cedar", rules));
    let assembled = Rulebook::assemble(&sources).unwrap();
    (sources, assembled)
}

/// A rule for a host each.
fn hosts(many: usize) -> String {
    let mut text = String::new();
    for number in 0..many {
        let notes = format!("@id(\"h{number}\") @reason(\"R.\") @owner(\"IT\") @untested(\"t\")");
        let scope = format!("principal, action == Action::\"connect\", resource == Site::\"host{number}.example\"");
        writeln!(text, "{notes}\nforbid ({scope});").unwrap();
    }
    text
}

/// Permits by role, platform and purpose, and now and then one that says nothing new.
fn permits(many: usize) -> String {
    let mut text = String::new();
    for number in 0..many {
        let role = ["recruiter", "engineer", "finance", "legal"][number % 4];
        let platform = ["linkedin", "x", "xing", "instagram", "youtube"][number % 5];
        let purpose = ["recruiting", "event-coverage", "brand-publishing"][number % 3];
        let notes = format!("@id(\"p{number}\") @reason(\"R.\") @owner(\"IT\") @untested(\"t\")");
        let scope =
            format!("principal in Role::\"{role}\", action == Action::\"share\", resource in Platform::\"{platform}\"");
        let when = format!("context has purpose && context.purpose.kind == PurposeKind::\"{purpose}\"");
        writeln!(text, "{notes}\npermit ({scope}) when {{ {when} }};").unwrap();
    }
    text
}

fn theory((sources, assembled): &(Sources, Assembled), named: &[cedar_policy::Policy]) -> Theory {
    Theory::new(sources, &assembled.rulebook, &assembled.directory, named).unwrap()
}

fn effort() -> Arc<Effort> {
    Arc::new(Effort::new(Duration::from_mins(10), Duration::MAX))
}

/// What two sets of rules answer differently, and what was asked for it.
fn compared(old: &str, new: &str) -> (super::Difference, Arc<Effort>) {
    let effort = effort();
    let old = theory(&sources(old), &[]);
    let named: Vec<_> = old.every().map(|rule| rule.policy().clone()).collect();
    let new = theory(&sources(new), &named);
    (Comparison::of(&old, &new).settle(&effort, &|| {}).unwrap(), effort)
}

#[test]
fn one_rule_that_changed_among_many_is_a_few_small_questions() {
    let old = hosts(MANY);
    let (difference, effort) = compared(&old, &old.replace("host7.example", "other.example"));
    assert!(difference.doubts.is_empty(), "{:?}", difference.doubts);
    let ways: Vec<(Way, &[String])> = difference
        .statements
        .iter()
        .map(|statement| (statement.way, statement.rules.as_slice()))
        .collect();
    let rule = ["h7".to_owned()];
    // who may go there may do anything unread there
    let [allowed, denied] = [Way::Allowed, Way::Denied].map(|way| (way, &rule[..]));
    assert_eq!(ways, [allowed, allowed, denied, denied]);
    assert!(effort.asked() <= 80, "{effort:?}");
    assert!(effort.largest() <= 100, "{effort:?}");
}

#[test]
fn rules_that_both_have_whatever_they_are_called_there_are_not_asked_about() {
    let old = hosts(MANY);
    let (difference, effort) = compared(&old, &old.replace("@id(\"h", "@id(\"g").replace("R.", "Q."));
    assert!(difference.statements.is_empty() && difference.doubts.is_empty());
    assert_eq!(effort.asked(), 0);
}

#[test]
fn of_one_rule_among_many_little_is_asked() {
    let (sources, assembled) = sources(&hosts(MANY));
    let work = Work::of(&sources, &assembled).unwrap();
    let work = work.only(|check| ["h7", "connect.open-web", "dating-stays-closed"].contains(&check.about.name()));
    let effort = effort();
    let outcomes = work.prove(&Shelf::default(), &effort, &|| ()).unwrap();
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Outcome::Proved)),
        "{outcomes:?}"
    );
    assert!(effort.asked() <= 4 * outcomes.len(), "{effort:?}");
    assert!(effort.largest() <= 100, "{effort:?}");
}

/// Rules of which some fail, some contradict themselves, and some say what others say.
fn mixed() -> String {
    let rule =
        |id: &str, text: &str| format!("@id(\"{id}\") @reason(\"R.\") @owner(\"IT\") @untested(\"t\")\n{text}\n");
    let host = |name: &str| format!("forbid (principal, action == Action::\"connect\", resource == Site::\"{name}\");");
    let upload = |when: &str| format!("permit (principal, action == Action::\"upload\", resource) when {{ {when} }};");
    [
        rule("twin", &host("twin.example")),
        rule("other-twin", &host("twin.example")),
        rule("apart", &host("apart.example")),
        rule("overflow", &upload("context.request.bytes * 8 < 1000")),
        rule(
            "never",
            &upload("context.local.weekday > 5 && context.local.weekday < 3"),
        ),
    ]
    .concat()
}

/// What becomes of all that is to be proved, by what it is about.
fn verdicts(rules: &str) -> (std::collections::BTreeMap<String, &'static str>, Arc<Effort>) {
    let (sources, assembled) = sources(rules);
    let work = Work::of(&sources, &assembled).unwrap();
    // of the properties, one of each claim; of the shipped rules, some
    let asked = |about: &About| match about {
        About::Property(_) | About::Spoken(_) => {
            ["dating-stays-closed", "the-open-web-stays-open"].contains(&about.name())
        }
        About::Sound(_) | About::Needed(_) | About::Alive(_) | About::Behind(..) => {
            !about.name().contains('.') || about.name().starts_with("connect.")
        }
    };
    let work = work.only(|check| asked(&check.about));
    let effort = effort();
    let outcomes = work.prove(&Shelf::default(), &effort, &|| ()).unwrap();
    let verdict = |outcome: &Outcome| match outcome {
        Outcome::Proved => "proved",
        Outcome::Failed(_) => "failed",
        Outcome::Undecided(_) => "undecided",
    };
    let about = |about: &About| {
        let text = format!("{about:?}");
        format!("{} {}", text.split('(').next().unwrap_or_default(), about.name())
    };
    let both = work.checks.iter().zip(&outcomes);
    (
        both.map(|(check, outcome)| (about(&check.about), verdict(outcome)))
            .collect(),
        effort,
    )
}

#[test]
fn a_folder_of_many_rules_comes_to_its_end_with_the_verdicts_of_a_small_one() {
    let (few, _) = verdicts(&mixed());
    let failed: Vec<&str> = few
        .iter()
        .filter(|(_, verdict)| **verdict != "proved")
        .map(|(about, _)| about.as_str())
        .collect();
    assert_eq!(
        failed,
        [
            "Needed never",
            "Needed other-twin",
            "Needed twin",
            "Property the-open-web-stays-open",
            "Sound overflow"
        ]
    );
    let (many, effort) = verdicts(&format!("{}{}", mixed(), hosts(MANY)));
    for (about, verdict) in &few {
        assert_eq!(many.get(about), Some(verdict), "{about}");
    }
    let (known, new) = (few.len(), many.iter().filter(|(about, _)| !few.contains_key(*about)));
    assert!(new.clone().all(|(_, verdict)| *verdict == "proved"));
    assert_eq!(new.count(), 2 * MANY);
    // what was found for the first of them serves the others
    assert!(effort.asked() < 8 * known, "{effort:?}, {known}");
    assert!(effort.largest() <= 100, "{effort:?}");
}

#[test]
fn what_is_remembered_is_not_asked_again_until_a_rule_of_its_kind_changes() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().to_owned());
    let asked = |rules: &str| {
        let (sources, assembled) = sources(rules);
        let work = Work::of(&sources, &assembled).unwrap();
        let effort = effort();
        let work = work.only(|check| check.about.name() == "h7");
        let outcomes = work.prove(&shelf, &effort, &|| ()).unwrap();
        assert!(
            outcomes.iter().all(|outcome| matches!(outcome, Outcome::Proved)),
            "{outcomes:?}"
        );
        effort.asked()
    };
    let rules = hosts(MANY);
    assert_ne!(asked(&rules), 0);
    assert_eq!(asked(&rules), 0);
    assert_eq!(asked(&rules.replace("R.", "Q.")), 0);
    assert_eq!(asked(&format!("{rules}{}", permits(1))), 0);
    assert_ne!(asked(&rules.replace("host8.example", "other.example")), 0);
}

#[test]
fn where_the_time_for_all_is_up_nothing_is_asked_and_each_is_undecided() {
    let (sources, assembled) = sources(&hosts(MANY));
    let work = Work::of(&sources, &assembled).unwrap();
    let effort = Arc::new(Effort::new(Duration::from_mins(1), Duration::ZERO));
    let outcomes = work.prove(&Shelf::default(), &effort, &|| ()).unwrap();
    let is_undecided = |outcome: &Outcome| matches!(outcome, Outcome::Undecided(why) if why.contains("for all of it"));
    assert!(outcomes.len() > 2 * MANY && outcomes.iter().all(is_undecided));
    assert_eq!(effort.asked(), 0);
    assert!(effort.over().is_some());
}

#[test]
fn what_is_asked_a_few_rules_at_a_time_is_answered_as_all_at_once() {
    // the last says what the first says
    let again = permits(1).replace("\"p0\"", "\"again\"");
    let (sources, assembled) = sources(&format!("{}{}{again}", permits(14), hosts(2)));
    let work = Work::of(&sources, &assembled).unwrap();
    let wanted = [
        "p1",
        "again",
        "h1",
        "connect.open-web",
        "connect.no-evasion",
        "the-open-web-stays-open",
    ];
    let work = work.only(|check| wanted.contains(&check.about.name()));
    let (theory, checks) = (&work.theory, &work.checks);
    let tasks: Vec<_> = checks
        .iter()
        .flat_map(|check| {
            check
                .envs
                .iter()
                .take(1)
                .map(move |env| (check, &theory.language.envs[*env]))
        })
        .collect();
    let both = std::sync::Mutex::new((0, 0));
    crew(&theory.language.schema, &effort(), tasks.len(), &|solver, number| {
        let (check, env) = tasks[number];
        // the evaluation of each rule by itself is put the same way
        for question in check.questions(theory, env).take(2) {
            let whole = question
                .clone()
                .in_portions(usize::MAX, 1)
                .put(solver, Duration::MAX)
                .outcome;
            let portions = question.clone().in_portions(0, 4).put(solver, Duration::MAX).outcome;
            match (&whole, &portions) {
                (Outcome::Proved, Outcome::Proved) => both.lock().unwrap().0 += 1,
                (Outcome::Failed(_), Outcome::Failed(Some(example))) => {
                    both.lock().unwrap().1 += 1;
                    let is_shown = question.is_shown_by(&question.impossible(), example);
                    assert!(is_shown || matches!(check.about, About::Sound(_)), "{:?}", check.about);
                }
                _ => panic!("{:?}: {whole:?}, {portions:?}", check.about),
            }
        }
    })
    .unwrap();
    let (proved, failed) = both.into_inner().unwrap();
    assert!(proved > 4 && failed > 4, "{proved} {failed}");
}

#[test]
fn what_took_too_long_comes_last_the_next_time_and_what_nobody_came_to_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::at(folder.path().to_owned());
    let (sources, assembled) = sources(&hosts(3));
    let mine = |check: &Check| ["h0", "h1", "h2"].contains(&check.about.name());
    let work = || Work::of(&sources, &assembled).unwrap().only(mine);
    let one = |name: &str, limit: Duration, all: Duration| {
        let effort = Arc::new(Effort::new(limit, all));
        let work = work().only(|check| check.about.name() == name);
        work.prove(&shelf, &effort, &|| ()).unwrap();
    };
    one("h0", Duration::ZERO, Duration::from_mins(10));
    one("h1", Duration::from_mins(1), Duration::ZERO);
    let work = work();
    let order: Vec<&str> = work
        .open(&shelf)
        .into_iter()
        .map(|number| work.checks[number].about.name())
        .collect();
    assert_eq!(order, ["h1", "h1", "h2", "h2", "h0", "h0"]);
}
