//! What `wayleave prove` found, written down, and held against the rules in force: a finding counts for the very rules,
//! catalogue, purposes and property that it is about, by their digests, and for no others.
//!
//! Whoever can write the file of findings can say what is proved, as whoever can write the rules can say what is permitted:
//! it belongs to the same hands. A gateway proves nothing by itself.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, watch};

use super::claim::About;
use super::{Check, Outcome, Property, Work};
use crate::clock::Timestamp;
use crate::facts::{Problem, RulebookId};
use crate::rulebook::InForce;

/// The form of the file: raised with every change that an older wayleave would misread.
const FORM: u32 = 1;

/// What was found of one property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds of every request.
    Proved,
    /// It does not.
    Fails,
    /// Nobody knows: the time was up, or the solver gave up.
    Undecided,
}

impl Verdict {
    /// The word for it, as files and the API spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Fails => "fails",
            Self::Undecided => "undecided",
        }
    }
}

/// One property, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name.
    pub name: String,
    /// A digest of all that the finding rests on.
    pub digest: String,
    /// What was found.
    pub outcome: Verdict,
}

/// What a run of `wayleave prove` found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    form: u32,
    /// Of which rules, catalogue and purposes.
    pub rulebook: RulebookId,
    /// When.
    pub at: Timestamp,
    /// By whom, as whoever ran it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// By which wayleave.
    pub program: String,
    /// With which solver, as it calls itself.
    pub solver: String,
    /// What was found.
    pub properties: Vec<Finding>,
}

/// Who proved something, and when.
#[derive(Clone, Debug)]
pub struct Prover {
    /// By whom, if they say.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
    /// With which solver.
    pub solver: String,
}

impl Findings {
    /// What came of `work`, which is about these rules.
    pub fn of(work: &Work, outcomes: &[Outcome], rulebook: &RulebookId, prover: Prover) -> Self {
        let spoken = |name: &str| {
            let both = work.checks.iter().zip(outcomes);
            let mut spoken =
                both.filter(|(check, _)| matches!(check.about, About::Spoken(_)) && check.about.name() == name);
            spoken.next().map(|(_, outcome)| outcome)
        };
        let all = work.checks.iter().zip(outcomes).zip(&work.digests);
        let properties = all.filter_map(|((check, outcome), digest)| {
            let About::Property(property) = &check.about else {
                return None;
            };
            Some(Finding {
                name: property.name.clone(),
                digest: digest.clone(),
                outcome: verdict(outcome, spoken(&property.name)),
            })
        });
        Self {
            form: FORM,
            rulebook: rulebook.clone(),
            at: prover.at,
            by: prover.by,
            program: format!("wayleave {}", env!("CARGO_PKG_VERSION")),
            solver: prover.solver,
            properties: properties.collect(),
        }
    }

    /// The findings that a text holds; an error is a sentence for whoever runs the gateway.
    pub fn parse(text: &str) -> Result<Self, String> {
        let read: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if read.form == FORM {
            Ok(read)
        } else {
            Err(format!("it has the form {}, and this wayleave reads {FORM}", read.form))
        }
    }

    /// The text to keep.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What was found of a promise; none where nothing was, or of other rules, or when it said something else.
    pub fn of_promise(&self, promise: &Promise, rulebook: &RulebookId) -> Option<Verdict> {
        let is_it = |finding: &&Finding| finding.name == promise.property.name && finding.digest == promise.digest;
        let found = self.properties.iter().find(is_it)?;
        (self.rulebook == *rulebook).then_some(found.outcome)
    }
}

/// A property of which no request speaks is true of nothing, and nothing to rely on.
fn verdict(outcome: &Outcome, spoken: Option<&Outcome>) -> Verdict {
    match (outcome, spoken) {
        (Outcome::Failed(_), _) | (_, Some(Outcome::Failed(_))) => Verdict::Fails,
        (Outcome::Proved, Some(Outcome::Proved)) => Verdict::Proved,
        (Outcome::Undecided(_), _) | (Outcome::Proved, Some(Outcome::Undecided(_)) | None) => Verdict::Undecided,
    }
}

/// A property of the rules in force.
#[derive(Clone, Debug)]
pub struct Promise {
    /// What it says.
    pub property: Property,
    /// A digest of all that a proof of it rests on.
    digest: String,
}

impl Promise {
    /// Whether it is about what is read of people, kept of them, or shown to others: their privacy, rather than what they
    /// may do.
    pub fn is_of_privacy(&self) -> bool {
        const PRIVATE: [&str; 6] = ["inspect", "archive", "see-value", "see-decisions", "reveal", "export"];
        self.property
            .actions
            .iter()
            .any(|action| PRIVATE.contains(&action.as_str()))
    }
}

/// The properties of the rules in force, and what is known of them.
#[derive(Clone, Debug)]
pub struct Promises {
    /// Of which rules.
    pub rulebook: RulebookId,
    /// What they promise, those about privacy first; or what is wrong with how it is written.
    pub all: Result<Vec<Promise>, Vec<Problem>>,
    /// What was found of them last, whatever rules that was about.
    pub findings: Option<Arc<Findings>>,
}

impl Promises {
    /// What is promised of these rules; none of rules that nobody tried, whose texts are not known.
    pub fn of(in_force: &InForce, findings: Option<Arc<Findings>>) -> Option<Self> {
        let sources = in_force.texts()?;
        let claimed = Work::claimed(sources, &in_force.rulebook, &in_force.directory);
        let all = claimed.map(|(theory, checks)| {
            let promise = |check: &Check| {
                let About::Property(property) = &check.about else {
                    return None;
                };
                Some(Promise {
                    property: Property::clone(property),
                    digest: check.digest(&theory, sources),
                })
            };
            let mut all: Vec<Promise> = checks.iter().filter_map(promise).collect();
            all.sort_by_key(|promise| !promise.is_of_privacy());
            all
        });
        Some(Self {
            rulebook: in_force.rulebook.id().clone(),
            all,
            findings,
        })
    }

    /// What was found of one of these.
    pub fn verdict(&self, promise: &Promise) -> Option<Verdict> {
        self.findings.as_ref()?.of_promise(promise, &self.rulebook)
    }

    /// The findings that are about the rules in force.
    pub fn valid(&self) -> Option<&Findings> {
        self.findings.as_deref().filter(|found| found.rulebook == self.rulebook)
    }
}

/// How long somebody who wants to know what was found waits for it to be compared.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where whoever compares findings with rules leaves what came of it, and whoever tells people finds it. It is compared once
/// somebody wants to know: rules and people change more often.
#[derive(Debug, Default)]
pub struct Board {
    known: watch::Sender<Option<Arc<Promises>>>,
    wanted: Notify,
}

impl Board {
    /// Leaves what is known now.
    pub fn put(&self, promises: Promises) {
        self.known.send_replace(Some(Arc::new(promises)));
    }

    /// What was left is no longer so: rules, people or findings are others.
    pub fn clear(&self) {
        self.known.send_replace(None);
    }

    /// Whether nothing is known.
    pub fn is_clear(&self) -> bool {
        self.known.borrow().is_none()
    }

    /// Returns once somebody wants to know what is not known.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// What is known of these rules, compared now if need be; none where that takes long, or other rules are in force by now.
    pub async fn of(&self, rulebook: &RulebookId) -> Option<Arc<Promises>> {
        let mut known = self.known.subscribe();
        let is_known = known.wait_for(|known| {
            if known.is_none() {
                self.wanted.notify_one();
            }
            known.is_some()
        });
        let known = tokio::time::timeout(PATIENCE, is_known).await;
        let known = known.ok()?.ok()?.clone();
        known.filter(|known| known.rulebook == *rulebook)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Mode, SourceText};
    use crate::rulebook::{Rulebook, Sources};

    fn with(more: &str) -> (Sources, InForce) {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", more));
        let in_force = Rulebook::tried_after(None, &sources).unwrap().in_mode(Mode::Enforce);
        (sources, in_force)
    }

    fn found(sources: &Sources, outcome: &Outcome) -> Findings {
        let assembled = Rulebook::assemble(sources).unwrap();
        let work = Work::of(sources, &assembled).unwrap();
        let outcomes = vec![outcome.clone(); work.checks.len()];
        let prover = Prover {
            by: Some("CI".to_owned()),
            at: "2026-11-24T11:30:00Z".parse().unwrap(),
            solver: "cvc5".to_owned(),
        };
        Findings::of(&work, &outcomes, assembled.rulebook.id(), prover)
    }

    fn verdicts(in_force: &InForce, findings: Findings) -> Vec<Option<Verdict>> {
        let promises = Promises::of(in_force, Some(Arc::new(findings))).unwrap();
        let all = promises.all.as_ref().unwrap();
        all.iter().map(|promise| promises.verdict(promise)).collect()
    }

    #[test]
    fn what_was_found_counts_for_the_very_rules_that_it_is_about() {
        let (sources, in_force) = with("");
        let findings = found(&sources, &Outcome::Proved);
        let read = Findings::parse(&findings.text()).unwrap();
        assert_eq!(read, findings);
        let all = verdicts(&in_force, read.clone());
        assert!(
            all.len() > 20 && all.iter().all(|one| *one == Some(Verdict::Proved)),
            "{all:?}"
        );

        // a rule more, of which none of the properties speaks
        let rule = "@id(\"t\") @reason(\"R.\") @owner(\"IT\") @untested(\"new\")\n\
                    forbid (principal, action == Action::\"share\", resource in Platform::\"tumblr\");";
        let (_, other) = with(rule);
        assert!(verdicts(&other, read.clone()).iter().all(Option::is_none));

        // the same rules, and a property of the same name that says something else
        let mut sources = sources;
        for file in &mut sources.properties {
            file.text = file
                .text
                .replace("'resource in Category::\"sensitive\"'", "'false'")
                .into();
        }
        let weakened = Rulebook::tried_after(None, &sources).unwrap().in_mode(Mode::Enforce);
        assert_eq!(weakened.rulebook.id(), in_force.rulebook.id());
        let weakened = verdicts(&weakened, read);
        let none = weakened.iter().filter(|one| one.is_none()).count();
        // what is never done is proved but for what is never read, so those rest on it as well
        assert!(none > 1 && none < weakened.len() / 2, "{weakened:?}");
    }

    #[test]
    fn what_failed_or_nobody_knows_is_not_proved_and_privacy_comes_first() {
        let (sources, in_force) = with("");
        let all = verdicts(&in_force, found(&sources, &Outcome::Failed(None)));
        assert!(all.iter().all(|one| *one == Some(Verdict::Fails)));
        let all = verdicts(&in_force, found(&sources, &Outcome::Undecided("late".to_owned())));
        assert!(all.iter().all(|one| *one == Some(Verdict::Undecided)));
        let promises = Promises::of(&in_force, None).unwrap().all.unwrap();
        let private: Vec<&str> = promises
            .iter()
            .take_while(|promise| promise.is_of_privacy())
            .map(|promise| promise.property.name.as_str())
            .collect();
        assert_eq!(
            private,
            [
                "only-security-reads-decisions",
                "private-matters-stay-private",
                "works-councils-stay-private",
                "only-owners-and-the-board-see-value"
            ]
        );
        assert_eq!(
            verdict(&Outcome::Proved, Some(&Outcome::Undecided(String::new()))),
            Verdict::Undecided
        );
        assert!(Findings::parse("{}").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_board_tells_of_the_rules_in_force_and_of_no_others() {
        let (_, in_force) = with("");
        let board = Board::default();
        assert!(board.of(in_force.rulebook.id()).await.is_none());
        board.put(Promises::of(&in_force, None).unwrap());
        assert!(board.of(in_force.rulebook.id()).await.unwrap().valid().is_none());
        assert!(board.of(&RulebookId::new("sha256:other")).await.is_none());
    }
}
