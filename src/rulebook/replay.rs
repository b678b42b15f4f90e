//! Would these rules have decided a recorded flow in the same way?

use super::Rulebook;
use crate::facts::{Act, DecisionNote, Observation, Outcome, Record};

/// What became of a recorded flow under a rulebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The same.
    Same,
    /// Something else.
    Changed {
        /// What was decided then.
        from: Box<DecisionNote>,
        /// What these rules decide.
        to: Box<DecisionNote>,
        /// What differs, in words.
        why: String,
    },
    /// The record holds no judgement.
    NotJudged,
}

impl Rulebook {
    /// Judges a recorded flow again.
    pub fn replay(&self, record: &Record) -> Replay {
        let (seen, from) = match &record.act {
            Act::Opening { seen, decided }
            | Act::Closing {
                seen,
                decided: Some(decided),
                ..
            } => (seen, decided),
            Act::Closing { decided: None, .. } | Act::Stray { .. } | Act::Grant { .. } | Act::Gateway { .. } => {
                return Replay::NotJudged;
            }
        };
        let to = self.judge_like(seen, from);
        let why = differences(from, &to);
        if why.is_empty() {
            return Replay::Same;
        }
        Replay::Changed {
            from: from.clone(),
            to: Box::new(to),
            why: why.join("; "),
        }
    }

    /// Judges again, in the mode of that gateway. What would help is computed only for what a person waited for, so a refusal is recorded with
    /// or without it: it is asked for here where it was asked for then.
    fn judge_like(&self, seen: &Observation, from: &DecisionNote) -> DecisionNote {
        let judgement = self.judge(seen);
        let unhelped = judgement.note_in(from.mode, None);
        if judgement.is_allowed() || (from.outcome == Outcome::Deny && from.offered.is_empty()) {
            return unhelped;
        }
        judgement.note_in(from.mode, Some(&self.remedy(seen)))
    }
}

/// What differs, in words; what names the deciding rules counts only where the rules are the same.
fn differences(from: &DecisionNote, to: &DecisionNote) -> Vec<String> {
    let mut why = Vec::new();
    let mut differ = |what: &str, a: String, b: String| {
        if a != b {
            why.push(format!("{what}: {a} -> {b}"));
        }
    };
    let shown = |id: Option<&str>| id.unwrap_or("none").to_owned();
    differ("outcome", from.outcome.as_str().into(), to.outcome.as_str().into());
    differ("activity", from.activity.to_string(), to.activity.to_string());
    let would = |note: &DecisionNote| shown(note.would.as_ref().map(|would| would.be.as_str()));
    differ("with the rules on probation", would(from), would(to));
    differ("read", from.inspect.to_string(), to.inspect.to_string());
    differ(
        "platform",
        shown(from.platform.as_ref().map(crate::facts::PlatformId::as_str)),
        shown(to.platform.as_ref().map(crate::facts::PlatformId::as_str)),
    );
    differ(
        "grant",
        shown(from.grant.as_ref().map(crate::facts::GrantId::as_str)),
        shown(to.grant.as_ref().map(crate::facts::GrantId::as_str)),
    );
    if from.rulebook == to.rulebook && why.is_empty() && from != to {
        why.push("the same rules name other reasons".to_owned());
    }
    why
}
