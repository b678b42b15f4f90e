//! All that there is to say of one flow, recorded or described: one explanation with its conditions, and what else would
//! change the outcome. The command line and the portal say the same.

use serde::Serialize;

use super::{Because, Directory, Explanation, Replay, Rulebook, WhatIf};
use crate::clock::Timestamp;
use crate::facts::{Act, DecisionNote, Observation, Record, RecordId};

/// An explanation, with what is said of the conditions.
#[derive(Clone, Debug, Serialize)]
pub struct Told {
    /// The record that is explained, where one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Recorded>,
    /// The judgement.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The conditions behind it.
    pub because: Because,
    /// What else would change the outcome.
    pub what_if: Vec<WhatIf>,
}

/// A record that is explained.
#[derive(Clone, Debug, Serialize)]
pub struct Recorded {
    /// Its name.
    pub record: RecordId,
    /// When it began.
    pub at: Timestamp,
    /// What was decided.
    pub decided: Box<DecisionNote>,
    /// Whether these rules come to the decision that was recorded.
    pub same: bool,
    /// Whether these rules would look at more than the record holds.
    #[serde(skip)]
    pub lacks: bool,
}

impl Rulebook {
    /// Says all of what was seen.
    pub fn tell(&self, directory: &Directory, seen: &Observation, recorded: Option<Recorded>) -> Told {
        let judgement = self.judge(seen);
        Told {
            recorded,
            explanation: self.explain(seen, &judgement),
            because: self.because(seen, &judgement),
            what_if: self.what_if(seen, &judgement, directory),
        }
    }

    /// The same of a record: by the rules of its day, in the mode in which they ruled.
    pub fn tell_recorded(&self, directory: &Directory, (id, at): (RecordId, Timestamp), judged: Judged) -> Told {
        let Judged { seen, decided } = judged;
        let replay = self.replay_judged(&seen, &decided);
        let recorded = Recorded {
            record: id,
            at,
            same: replay == Replay::Same,
            lacks: replay == Replay::NotEnough,
            decided,
        };
        self.tell(directory, &seen, Some(recorded))
    }
}

/// What a record holds of a judgement.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What was seen.
    pub seen: Box<Observation>,
    /// What was decided.
    pub decided: Box<DecisionNote>,
}

impl Judged {
    /// The last judgement among the records of one flow, and when that began.
    pub fn last(records: Vec<Record>) -> Option<(Timestamp, Self)> {
        records.into_iter().rev().find_map(|record| match record.act {
            Act::Opening { seen, decided }
            | Act::Closing {
                seen,
                decided: Some(decided),
                ..
            } => Some((record.at, Self { seen, decided })),
            Act::Closing { decided: None, .. }
            | Act::Stray { .. }
            | Act::Grant { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => None,
        })
    }
}

impl Told {
    /// As people read it, line by line.
    pub fn lines(&self) -> Vec<String> {
        let recorded = self.recorded.as_ref().map(|recorded| {
            let (id, outcome) = (recorded.record.as_str(), recorded.decided.outcome.as_str());
            let same = if recorded.same {
                "as these rules do"
            } else {
                "unlike these rules"
            };
            format!("record {id} of {}: {outcome} was decided, {same}", recorded.at)
        });
        let mut lines: Vec<String> = recorded.into_iter().collect();
        lines.extend(self.explanation.lines());
        lines.extend(self.because.lines());
        if !self.what_if.is_empty() {
            lines.push("\nwhat else would change the outcome".to_owned());
            let others = self.what_if.iter();
            lines.extend(others.map(|WhatIf { change, outcome }| format!("  {change}: {}", outcome.as_str())));
        }
        lines
    }
}
