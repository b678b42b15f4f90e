//! Would these rules have decided a recorded flow in the same way?
//!
//! A record keeps what its own rules looked at, and no more. Rules that would look at more (read a flow that was not read,
//! look at the start of a body that was let through unseen) get no answer from it: [`Replay::NotEnough`]. What other
//! signatures of a changed catalogue would have seen in fields that were not kept cannot be told from a record at all.

mod again;
mod tally;

pub use again::Replayer;
pub use tally::{Change, Example, Group, Loose, Sums, Tally};

use super::Rulebook;
use crate::facts::{
    Act, Ask, Coach, DecisionNote, GrantId, Help, Mode, Observation, Outcome, PolicyId, Record, WouldBe,
};

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
        /// In which ways they differ beside outcome and rules, in words that name nobody and no place.
        ways: Vec<String>,
    },
    /// These rules would look at what the record does not hold.
    NotEnough,
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
            Act::Closing { decided: None, .. }
            | Act::Stray { .. }
            | Act::Grant { .. }
            | Act::Token { .. }
            | Act::Access { .. }
            | Act::Gateway { .. } => {
                return Replay::NotJudged;
            }
        };
        self.replay_judged(seen, from)
    }

    /// Judges again what was judged once.
    pub fn replay_judged(&self, seen: &Observation, from: &DecisionNote) -> Replay {
        let to = self.judge_like(seen, from);
        if self.lacks(seen, from, &to) {
            return Replay::NotEnough;
        }
        let ways = self.ways(from, &to);
        if ways.is_empty() && from.outcome == to.outcome && !names_others(from, &to) {
            return Replay::Same;
        }
        Replay::Changed {
            from: Box::new(from.clone()),
            to: Box::new(to),
            ways,
        }
    }

    /// In which ways two decisions differ beside outcome and rules.
    fn ways(&self, from: &DecisionNote, to: &DecisionNote) -> Vec<String> {
        let mut ways = Vec::new();
        ways.extend(self.on_probation(from, to));
        ways.extend(coached(from.coach.as_ref(), to.coach.as_ref()).map(str::to_owned));
        let (read, unread) = ("newly read by the gateway", "no longer read by the gateway");
        for (differs, way) in [
            (from.activity != to.activity, "recognised as another activity"),
            (from.inspect != to.inspect, if to.inspect { read } else { unread }),
            (from.platform != to.platform, "counted to another platform"),
            (
                from.grant != to.grant,
                now_under(from.grant.as_ref(), to.grant.as_ref()),
            ),
        ] {
            ways.extend(differs.then(|| way.to_owned()));
        }
        ways
    }

    /// What rules on probation make of it, where that is something else than it was.
    fn on_probation(&self, from: &DecisionNote, to: &DecisionNote) -> Option<String> {
        let be = |note: &DecisionNote| note.would.as_ref().map(|would| would.be);
        if be(from) == be(to) {
            return None;
        }
        let Some(would) = &to.would else {
            return Some("no rule on probation would decide otherwise any more".to_owned());
        };
        let observes = |id: &&PolicyId| self.policy.rule(id).is_some_and(|rule| rule.mode == Mode::Observe);
        let named = would.policies.iter().chain(&would.errors).filter(observes);
        let named: Vec<String> = named.map(|id| format!("`{id}`")).collect();
        let by = if named.is_empty() {
            "a rule on probation".to_owned()
        } else {
            named.join(", ")
        };
        let passes = to.outcome == Outcome::Allow || to.let_pass;
        let now = if passes { "let pass" } else { "refused" };
        Some(match would.be {
            WouldBe::Denied => format!("{now}, {by} would refuse it"),
            WouldBe::Allowed if passes => format!("{now}, {by} would have it read otherwise"),
            WouldBe::Allowed => format!("{now}, {by} would let it pass"),
        })
    }

    /// Whether `to` was judged on something that the record does not hold.
    fn lacks(&self, seen: &Observation, from: &DecisionNote, to: &DecisionNote) -> bool {
        if from.rulebook == self.id {
            return false;
        }
        let reads_more = to.inspect && !from.inspect;
        // an old record does not tell a refusal that nothing helps with from one that nobody waited for
        let may_help = from.outcome == Outcome::Deny && from.help.is_none() && !to.offered.is_empty();
        match &seen.ask {
            // a tunnel that may not even be reached is refused whatever is in it
            Ask::Connect(_) => may_help || (reads_more && to.outcome == Outcome::Allow),
            Ask::Request(..) => may_help || reads_more || self.wants_body(seen),
        }
    }

    /// Judges again, in the mode of that gateway. What would help is looked for only where a person waits for it: here
    /// where it was looked for then, where that is not known, and where something passed then.
    fn judge_like(&self, seen: &Observation, from: &DecisionNote) -> DecisionNote {
        let judgement = self.judge(seen);
        let is_sought = match from.help {
            Some(Help::Sought) => true,
            Some(Help::NotSought) => false,
            // an older record, or one of what passed; of the same rules the answer is the one that it has
            None => from.outcome != Outcome::Deny || from.rulebook != self.id,
        };
        if judgement.is_allowed() || !is_sought {
            return judgement.note_in(from.mode, None);
        }
        judgement.note_in(from.mode, Some(&self.remedy_judged(seen, &judgement)))
    }
}

/// What became of the grant that a flow passed under, where it is not the same.
fn now_under(from: Option<&GrantId>, to: Option<&GrantId>) -> &'static str {
    match (from, to) {
        (_, None) => "under no grant",
        (None, Some(_)) => "under a grant",
        (Some(_), Some(_)) => "under another grant",
    }
}

/// What coaching makes of it, where that is something else than it was.
fn coached(from: Option<&Coach>, to: Option<&Coach>) -> Option<&'static str> {
    match (from, to) {
        (None | Some(Coach::Continued(_)), Some(Coach::Offered)) => {
            Some("coached: its sender is told why not, and may continue")
        }
        (None | Some(Coach::Offered), Some(Coach::Continued(_))) => Some("its sender continued past it"),
        (Some(_), None) => Some("no longer coached"),
        (None, None)
        | (Some(Coach::Offered), Some(Coach::Offered))
        | (Some(Coach::Continued(_)), Some(Coach::Continued(_))) => None,
    }
}

/// Whether the same rules say something else of themselves than they did.
fn names_others(from: &DecisionNote, to: &DecisionNote) -> bool {
    // older records do not say whether help was sought
    let to = &DecisionNote {
        help: from.help,
        ..to.clone()
    };
    from.rulebook == to.rulebook && from != to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SourceText;
    use crate::rulebook::explain_conditions::tests::seen;
    use crate::rulebook::{Assembled, Sources};

    fn rules(more: &str) -> Assembled {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", more));
        Rulebook::assemble(&sources).unwrap()
    }

    const READ: &str = r#"@id("inspect.more") @reason("R.") @owner("IT")
        permit (principal, action == Action::"inspect", resource) unless { resource.classified };"#;
    const CLOSE: &str = r#"@id("close") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"connect", resource) when { resource.host == "www.example.org" };"#;

    #[test]
    fn what_was_not_read_cannot_answer_for_rules_that_would_read_it() {
        let then = rules("");
        let reading = rules(READ).rulebook;
        for to in ["https://www.example.org/x", "www.example.org:443"] {
            let seen = seen(&then, "ada", to);
            let judged = then.rulebook.judge(&seen).note(None);
            let kept = then.rulebook.redact(&seen);
            assert_eq!(then.rulebook.replay_judged(&kept, &judged), Replay::Same);
            assert_eq!(reading.replay_judged(&kept, &judged), Replay::NotEnough, "{to}");
        }
    }

    /// The shipped rules without the one called `id`.
    fn without(id: &str) -> Assembled {
        let mut sources = Sources::embedded();
        let text = rules("").rulebook.policy.rule(&PolicyId::new(id)).unwrap().text.clone();
        for file in &mut sources.rules {
            file.text = file.text.replace(&text, "").into();
        }
        Rulebook::assemble(&sources).unwrap()
    }

    /// What eve, an intern, is told when she posts on X: that is refused, whatever she states.
    fn refused(then: &Assembled) -> (Observation, DecisionNote) {
        let mut seen = seen(then, "eve", "https://x.com/i/api/graphql/a/CreateTweet");
        if let Ask::Request(_, head) = &mut seen.ask {
            head.method = "POST".to_owned();
        }
        let judgement = then.rulebook.judge(&seen);
        let remedy = then.rulebook.remedy_judged(&seen, &judgement);
        let noted = judgement.note(Some(&remedy));
        assert_eq!((noted.outcome, noted.offered.len()), (Outcome::Deny, 0));
        (then.rulebook.redact_judged(&seen, &judgement), noted)
    }

    #[test]
    fn a_purpose_that_helps_now_changes_what_none_helped_with() {
        let then = rules("");
        let now = without("guard.interns-never-publish").rulebook;
        let (seen, noted) = refused(&then);
        let written: DecisionNote = serde_json::from_value(serde_json::to_value(&noted).unwrap()).unwrap();
        assert_eq!(then.rulebook.replay_judged(&seen, &written), Replay::Same);
        let replay = now.replay_judged(&seen, &written);
        let Replay::Changed { from, to, .. } = replay else {
            panic!("{replay:?}")
        };
        assert_eq!((from.outcome, to.outcome), (Outcome::Deny, Outcome::Request));
    }

    #[test]
    fn an_old_record_does_not_say_whether_help_was_looked_for() {
        let then = rules("");
        let now = without("guard.interns-never-publish").rulebook;
        let (seen, noted) = refused(&then);
        let mut old = serde_json::to_value(&noted).unwrap();
        old.as_object_mut().unwrap().remove("help");
        let old: DecisionNote = serde_json::from_value(old).unwrap();
        assert_eq!(then.rulebook.replay_judged(&seen, &old), Replay::Same);
        assert_eq!(now.replay_judged(&seen, &old), Replay::NotEnough);
        // where nothing helps now, it does not matter
        assert_eq!(rules(READ).rulebook.replay_judged(&seen, &old), Replay::Same);
    }

    #[test]
    fn a_tunnel_that_is_not_reached_any_more_changes_whatever_is_in_it() {
        let then = rules("");
        let closing = rules(&format!("{READ}\n{CLOSE}")).rulebook;
        let seen = seen(&then, "ada", "www.example.org:443");
        let judged = then.rulebook.judge(&seen).note(None);
        let replay = closing.replay_judged(&then.rulebook.redact(&seen), &judged);
        assert!(matches!(replay, Replay::Changed { .. }), "{replay:?}");
    }
}
