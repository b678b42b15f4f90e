//! What was proved, and what not, in words; each counterexample is put to the engine that judges traffic. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::kept::{Folder, case_of};
use crate::facts::PolicyId;
use crate::proof::{About, CaseFiles, Check, Claim, Example, Idle, Outcome, Property, Theory, Told, Work};
use crate::rulebook::Assembled;

/// Of more rules that nobody decided about in one way, only the first few are named.
const NAMED: usize = 10;

/// What is to be told.
pub(super) struct Report {
    lines: Vec<String>,
    /// How much does not hold.
    pub(super) failed: usize,
    /// How much nobody knows.
    pub(super) undecided: usize,
    /// The rules of which nobody knows something, by why: what, and of which.
    open: BTreeMap<String, Vec<(PolicyId, &'static str)>>,
}

impl Report {
    pub(super) fn new(work: &Work, outcomes: &[Outcome], idle: &BTreeMap<PolicyId, Idle>, folder: Folder<'_>) -> Self {
        let (Work { theory, checks, .. }, assembled) = (work, folder.assembled);
        let mut report = Self {
            lines: Vec::new(),
            failed: 0,
            undecided: 0,
            open: BTreeMap::new(),
        };
        // of each rule, whether it is proved to evaluate, and to make a difference
        let mut rules: BTreeMap<&PolicyId, (bool, bool)> = BTreeMap::new();
        let spoken = spoken(checks, outcomes);
        for (check, outcome) in checks.iter().zip(outcomes) {
            match (&check.about, outcome) {
                (About::Spoken(_), _) => {}
                (About::Property(property), _) => {
                    let spoken = spoken.get(property.name.as_str()).copied();
                    report.property((property, check), outcome, spoken, (theory, folder));
                }
                (About::Needed(id), Outcome::Failed(_)) => report.idle(id, idle.get(id), assembled),
                (About::Sound(id), Outcome::Proved) => rules.entry(id).or_default().0 = true,
                (About::Needed(id), Outcome::Proved) => rules.entry(id).or_default().1 = true,
                (about, _) => report.rule((about, check), outcome, assembled),
            }
        }
        report.of_rules(&rules);
        report.left_open();
        let proved = outcomes.len() - spoken.len() - report.failed - report.undecided;
        report.lines.push(format!(
            "{proved} proved, {} failed, {} undecided",
            report.failed, report.undecided
        ));
        report
    }

    pub(super) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// A property; `spoken` is whether there are requests that it speaks of.
    fn property(
        &mut self,
        of: (&Property, &Check),
        outcome: &Outcome,
        spoken: Option<&Outcome>,
        known: (&Theory, Folder<'_>),
    ) {
        let (property, _) = of;
        let aside = property.unread.iter().map(|why| format!(" {why}")).collect::<String>();
        let head = format!("{}: {}{aside}", property.name, property.sentence);
        let example = match (outcome, spoken) {
            (_, Some(Outcome::Failed(_))) => None,
            (Outcome::Proved, Some(doubt @ Outcome::Undecided(_))) => {
                return self.undecided(&format!("{} speaks of some request", property.name), doubt);
            }
            (Outcome::Proved, _) => return self.lines.push(format!("proved     {head}")),
            (Outcome::Undecided(_), _) => return self.undecided(&head, outcome),
            (Outcome::Failed(example), _) => example.as_ref(),
        };
        self.failed += 1;
        self.lines.push(format!(
            "FAILED     {head} ({}:{}, {})",
            property.file, property.line, property.owner
        ));
        if let Some(Outcome::Failed(_)) = spoken {
            self.lines.push(
                "  it speaks of no request that there can be: correct its `when`, or name other actions".to_owned(),
            );
        }
        if let Some(example) = example {
            self.example(example, of, known);
        }
    }

    fn rule(&mut self, (about, check): (&About, &Check), outcome: &Outcome, assembled: &Assembled) {
        let (id, what) = match about {
            About::Sound(id) => (id, "always evaluates without an error"),
            About::Needed(id) => (id, "makes a difference"),
            About::Property(_) | About::Spoken(_) | About::Alive(_) | About::Behind(..) => return,
        };
        let Outcome::Failed(example) = outcome else {
            self.undecided += 1;
            let open = self.open.entry(why(outcome).to_owned()).or_default();
            return open.push((id.clone(), what));
        };
        self.failed(
            &format!("rule `{id}` {what}"),
            id,
            "a rule that fails to evaluate denies",
            assembled,
        );
        if let Some(example) = example {
            self.told(&Told::among(example, &assembled.directory), &check.policy.reads());
            let (_, answer) = example.put_to(assembled.rulebook.policy());
            self.lines.push(format!("  the engine: {answer}"));
        }
    }

    /// A rule without which every request is answered the same.
    fn idle(&mut self, id: &PolicyId, idle: Option<&Idle>, assembled: &Assembled) {
        let why = match idle {
            Some(Idle::Contradiction) => "no request can meet its conditions: correct them, or remove it".to_owned(),
            Some(Idle::Behind(others)) => {
                let policy = assembled.rulebook.policy();
                let others: Vec<String> = others.iter().map(|other| policy.located(other)).collect();
                format!(
                    "{} decides all that it decides: remove it, or narrow the other",
                    others.join(", and so does ")
                )
            }
            Some(Idle::Together) | None => "the other rules together decide all that it decides: remove it".to_owned(),
        };
        self.failed(&format!("rule `{id}` makes a difference"), id, &why, assembled);
    }

    fn failed(&mut self, head: &str, id: &PolicyId, why: &str, assembled: &Assembled) {
        self.failed += 1;
        let rule = assembled.rulebook.policy().rule(id);
        let place = rule.map_or_else(String::new, |rule| format!(" ({}:{})", rule.file, rule.line));
        self.lines.push(format!("FAILED     {head}{place}"));
        self.lines.push(format!("  {why}"));
    }

    fn undecided(&mut self, head: &str, outcome: &Outcome) {
        self.undecided += 1;
        self.lines.push(format!("UNDECIDED  {head}: {}", why(outcome)));
    }

    /// What is proved of rules, each rule in one line.
    fn of_rules(&mut self, rules: &BTreeMap<&PolicyId, (bool, bool)>) {
        for (proved, what, proofs) in [
            ((true, true), "evaluates without an error and makes a difference", 2),
            ((true, false), "evaluates without an error", 1),
            ((false, true), "makes a difference", 1),
        ] {
            let many = rules.values().filter(|known| **known == proved).count();
            if many > 0 {
                let who = if many == 1 { "rule: it" } else { "rules: each" };
                let line = format!(
                    "proved     of {many} {who} {what} ({} {})",
                    many * proofs,
                    if many * proofs == 1 { "proof" } else { "proofs" }
                );
                self.lines.push(line);
            }
        }
    }

    /// What nobody knows of rules: each by itself, or of many together.
    fn left_open(&mut self) {
        for (why, open) in std::mem::take(&mut self.open) {
            let rules: BTreeSet<&PolicyId> = open.iter().map(|(id, _)| id).collect();
            if rules.len() <= NAMED {
                let each = open.iter();
                let lines = each.map(|(id, what)| format!("UNDECIDED  rule `{id}` {what}: {why}"));
                self.lines.extend(lines);
                continue;
            }
            let first: Vec<String> = rules.iter().take(NAMED).map(|id| format!("`{id}`")).collect();
            self.lines.push(format!(
                "UNDECIDED  of {} rules, whether each evaluates without an error and makes a difference ({} proofs): {why}\n  \
                 they are {} and {} more",
                rules.len(),
                open.len(),
                first.join(", "),
                rules.len() - first.len()
            ));
        }
    }

    /// What a counterexample tells, with all that was `read` of it.
    fn told(&mut self, told: &Told, read: &BTreeSet<String>) {
        let lines = [told.lines(), told.lines_of(read)].concat();
        self.lines.extend(lines.iter().map(|line| format!("  {line}")));
    }

    fn example(
        &mut self,
        example: &Example,
        (property, check): (&Property, &Check),
        (theory, folder): (&Theory, Folder<'_>),
    ) {
        let policy = folder.assembled.rulebook.policy();
        let told = Told::among(example, &folder.assembled.directory);
        let deciding = example.decided_by(policy);
        let deciding = deciding.iter().filter_map(|id| theory.rule(id.as_str()));
        let looking = deciding.chain([&check.policy]);
        let read: BTreeSet<String> = looking.flat_map(|rule| rule.reads()).collect();
        self.told(&told, &read);
        let (_, answer) = example.put_to(policy);
        let word = match property.claim {
            Claim::Always => "allowed",
            Claim::Never if example.is_unread() => "not reached, or read",
            Claim::Never => "denied",
        };
        let (file, line) = (&property.file, property.line);
        self.lines
            .push(format!("  the property: {word} by `{}` ({file}:{line})", property.name));
        self.lines.push(format!("  the engine: {answer}"));
        match case_of(&told, (property, check), &read, folder) {
            Ok(CaseFiles { person, case }) => {
                let files = [("people/somebody.toml", person), ("cases/somebody.toml", Some(case))];
                self.lines
                    .push("  as a case, which `wayleave test` fails today:".to_owned());
                for (file, text) in files.iter().filter_map(|(file, text)| Some((file, text.as_ref()?))) {
                    self.lines.push(format!("    # {file}"));
                    self.lines.extend(text.lines().map(|line| format!("    {line}")));
                }
            }
            Err(why) => self.lines.push(format!("  no case could be made of it: {why}")),
        }
    }
}

/// Why nobody knows.
fn why(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Undecided(why) => why,
        Outcome::Proved | Outcome::Failed(_) => "",
    }
}

/// Of each property, by its name, whether there are requests that it speaks of.
fn spoken<'a>(checks: &'a [Check], outcomes: &'a [Outcome]) -> BTreeMap<&'a str, &'a Outcome> {
    let both = checks.iter().zip(outcomes);
    let spoken = both.filter(|(check, _)| matches!(check.about, About::Spoken(_)));
    spoken.map(|(check, outcome)| (check.about.name(), outcome)).collect()
}
