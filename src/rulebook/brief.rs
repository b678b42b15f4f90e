//! What opens and what stays shut, without why: for whoever asks about much at once. What one answer has in common with the
//! next is asked once: whether a host is reached and may be read, under each grant, and what each activity comes to without one.
//!
//! INVARIANT: it comes out as [`Rulebook::judge`] has it. Whatever is out of the ordinary, a rule that fails for one, is left to
//! that.

use std::collections::BTreeSet;

use super::Rulebook;
use super::judgement::Judgement;
use crate::facts::{Activity, Mode, Observation, Place, Reading};
use crate::policy::{Briefly, Claim, Hearing, RuleSet};
use crate::purpose::Purpose;

/// A judgement without why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Brief {
    pub(super) passage: Passage,
    /// Whether it may be read.
    pub(super) inspect: bool,
}

/// Whether something may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// It may.
    Open,
    /// Whoever is told why not and continues may.
    Coached,
    /// It may not.
    Shut,
}

impl Passage {
    /// Whether more passes so than otherwise.
    pub(super) fn is_wider_than(self, other: Self) -> bool {
        match self {
            Self::Open => other != Self::Open,
            Self::Coached => other == Self::Shut,
            Self::Shut => false,
        }
    }
}

/// One flow, to be asked about under one grant and another, whatever it does.
pub(super) struct Sitting<'a> {
    rules: &'a Rulebook,
    hearing: Hearing<'a>,
    free: Stand<'a>,
}

/// The flow under a grant, or without one.
pub(super) struct Stand<'a> {
    seen: &'a Observation,
    under: Under,
    inspect: Said,
    connect: Said,
}

/// One flow that does one thing.
pub(super) struct Doing<'s> {
    sitting: &'s Sitting<'s>,
    /// None: it is a tunnel.
    activity: Option<&'s Activity>,
    /// What that comes to without a grant.
    free: Said,
}

/// What the rules say to one action; none where only a judgement can tell.
type Said = Option<Briefly>;

enum Under {
    /// No grant that counts.
    Nothing,
    /// A grant.
    Claim(Claim),
    /// A grant that is left to a judgement.
    Unclear,
}

impl From<&Judgement> for Brief {
    fn from(judgement: &Judgement) -> Self {
        let passage = if judgement.is_allowed() {
            Passage::Open
        } else if judgement.coach().is_some() {
            Passage::Coached
        } else {
            Passage::Shut
        };
        Self {
            passage,
            inspect: judgement.inspect(),
        }
    }
}

impl Rulebook {
    /// What was seen, there, ready to be asked about; none where nobody knows who it is.
    pub(super) fn sitting<'a>(&'a self, seen: &'a Observation, at: (&'a Place, &'a str)) -> Option<Sitting<'a>> {
        let hearing = self.heard(seen, at).ok()?;
        Some(Sitting {
            rules: self,
            free: Stand::of(&hearing, seen, Under::Nothing),
            hearing,
        })
    }
}

impl<'a> Sitting<'a> {
    /// The same flow with what its sender would hold there.
    pub(super) fn holding(&self, seen: &'a Observation) -> Stand<'a> {
        let person = seen.person.as_deref();
        let counting = person.map_or_else(Vec::new, |person| self.rules.counting(seen, person));
        let under = match counting[..] {
            [] => Under::Nothing,
            [grant] => self.hearing.claim_of(grant).map_or(Under::Unclear, Under::Claim),
            [..] => Under::Unclear,
        };
        Stand::of(&self.hearing, seen, under)
    }

    /// The flow where it does this; none: where it is a tunnel.
    pub(super) fn doing<'s>(&'s self, activity: Option<&'s Activity>) -> Doing<'s> {
        let mut doing = Doing {
            sitting: self,
            activity,
            free: None,
        };
        doing.free = doing.does(RuleSet::InEffect, &self.free);
        doing
    }
}

impl<'a> Stand<'a> {
    fn of(hearing: &Hearing<'_>, seen: &'a Observation, under: Under) -> Self {
        let mut stand = Self {
            seen,
            under,
            inspect: None,
            connect: None,
        };
        stand.inspect = stand.said(hearing, RuleSet::InEffect, "inspect");
        stand.connect = stand.said(hearing, RuleSet::InEffect, "connect");
        stand
    }

    fn said(&self, hearing: &Hearing<'_>, set: RuleSet, action: &str) -> Said {
        match &self.under {
            Under::Nothing => hearing.briefly(set, action, None),
            Under::Claim(claim) => hearing.briefly(set, action, Some(claim)),
            Under::Unclear => None,
        }
    }
}

impl Doing<'_> {
    /// Those of these purposes that may help: a grant for any other changes nothing of what is said to it.
    pub(super) fn helping<'h, 'p, T>(&self, held: &'h [(&'p Purpose, T)]) -> Vec<&'h (&'p Purpose, T)> {
        let activity = self.activity.map(Activity::as_str);
        let actions: Vec<&str> = ["inspect", "connect"].into_iter().chain(activity).collect();
        let helps = self.sitting.hearing.openings(&actions);
        held.iter().filter(|one| helps(&one.0.id)).collect()
    }

    /// What it comes to without a grant.
    pub(super) fn free(&self) -> Brief {
        self.comes_to(None)
    }

    /// What it comes to under a grant.
    pub(super) fn under(&self, stand: &Stand<'_>) -> Brief {
        self.comes_to(Some(stand))
    }

    fn comes_to(&self, held: Option<&Stand<'_>>) -> Brief {
        self.briefly(held).unwrap_or_else(|| {
            let reading = self.activity.map(|activity| Reading {
                activity: activity.clone(),
                activities: BTreeSet::from([activity.clone()]),
                signatures: BTreeSet::new(),
            });
            let seen = held.unwrap_or(&self.sitting.free).seen;
            Brief::from(&self.sitting.rules.judge_as(seen, reading.as_ref()))
        })
    }

    fn briefly(&self, held: Option<&Stand<'_>>) -> Option<Brief> {
        let free = &self.sitting.free;
        let (inspect, connect, does) = (free.inspect?, free.connect?, self.free?);
        // the same rules may apply whatever is held
        let is_coached = inspect.is_coached || connect.is_coached || does.is_coached;
        let may_read = inspect.is_allowed || held.map_or(Some(false), |held| Some(held.inspect?.is_allowed))?;
        let passage = if self.passes(held)? {
            Passage::Open
        } else {
            match self.sitting.rules.policy.mode() {
                Mode::Coach => Passage::Coached,
                Mode::Enforce if is_coached && self.passes_softly(held)? => Passage::Coached,
                Mode::Observe | Mode::Enforce => Passage::Shut,
            }
        };
        Some(Brief {
            passage,
            inspect: may_read,
        })
    }

    /// Whether it passes without a grant or under this one, as things stand. Where one of two questions fails, it is denied
    /// whatever the other comes to: so both are asked.
    fn passes(&self, held: Option<&Stand<'_>>) -> Option<bool> {
        let free = (self.sitting.free.connect?, self.free?);
        if free.0.is_allowed && free.1.is_allowed {
            return Some(true);
        }
        let Some(held) = held else { return Some(false) };
        let (connect, does) = (held.connect?, self.does(RuleSet::InEffect, held)?);
        Some(connect.is_allowed && does.is_allowed)
    }

    /// The same for whoever continues past what rules in mode `coach` say.
    fn passes_softly(&self, held: Option<&Stand<'_>>) -> Option<bool> {
        let hearing = &self.sitting.hearing;
        for stand in std::iter::once(&self.sitting.free).chain(held) {
            let connect = stand.said(hearing, RuleSet::Continued, "connect")?;
            let does = self.does(RuleSet::Continued, stand)?;
            if connect.is_allowed && does.is_allowed {
                return Some(true);
            }
        }
        Some(false)
    }

    fn does(&self, set: RuleSet, stand: &Stand<'_>) -> Said {
        let hearing = &self.sitting.hearing;
        let activity = self.activity.map(Activity::as_str);
        activity.map_or(Some(Briefly::NOTHING), |activity| stand.said(hearing, set, activity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{SourceText, Standing};
    use crate::rulebook::explain_conditions::tests::seen;
    use crate::rulebook::{Assembled, Sources};

    /// Rules that fail, each where something else is asked, and one that hangs on the request.
    const ODD: &str = r#"
        @id("fails") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"post", resource in Platform::"linkedin")
        when { (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };
        @id("fails-under-a-purpose") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"comment", resource in Platform::"linkedin")
        when { context has purpose && (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };
        @id("fails-softly") @reason("R.") @owner("IT") @mode("coach")
        permit (principal, action == Action::"message", resource in Platform::"linkedin")
        when { (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };
        @id("fails-to-connect") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"connect", resource in Platform::"facebook")
        when { context has purpose && 9223372036854775807 + context.local.weekday > 5 };
        @id("feed") @reason("R.") @owner("IT")
        forbid (principal, action == Action::"react", resource in Platform::"linkedin")
        when { context.request.path like "/feed/*" };
    "#;

    #[test]
    fn each_answer_is_that_of_a_judgement_also_where_rules_fail() {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", ODD));
        let assembled = Rulebook::assemble(&sources).unwrap();
        let mut failed = 0;
        for to in [
            "https://www.linkedin.com/feed/",
            "https://www.facebook.com/",
            "www.linkedin.com:443",
        ] {
            for who in ["ada", "ben", "eve", "vic"] {
                failed += agree(&assembled, &seen(&assembled, who, to));
            }
        }
        assert!(failed > 10, "rules failed as they should, {failed} times");
        let mut nobody = seen(&assembled, "ada", "https://www.linkedin.com/feed/");
        nobody.subject = None;
        let place = assembled.rulebook.catalog.place_of(&nobody.ask);
        assert!(assembled.rulebook.sitting(&nobody, (&place, "")).is_none());
    }

    /// Compares all that can be asked about a flow, and says how often a rule failed.
    fn agree(assembled: &Assembled, bare: &Observation) -> usize {
        let rules = &assembled.rulebook;
        let place = rules.catalog.place_of(&bare.ask);
        let path = bare
            .ask
            .head()
            .map(|head| rules.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        let sitting = rules.sitting(bare, (&place, &path)).unwrap();
        let under = |purpose| Observation {
            standing: Standing::new(rules.suppose(purpose, bare, None), bare.at),
            ..bare.clone()
        };
        let held: Vec<Observation> = rules.purposes().iter().map(under).collect();
        let stands: Vec<Stand<'_>> = held.iter().map(|seen| sitting.holding(seen)).collect();
        let activities = rules.policy.vocabulary().activities().keys().map(Some);
        let mut failed = 0;
        for activity in activities
            .chain([None])
            .filter(|one| one.is_none() == bare.ask.head().is_none())
        {
            let reading = activity.map(|activity| Reading {
                activity: activity.clone(),
                activities: BTreeSet::from([activity.clone()]),
                signatures: BTreeSet::new(),
            });
            let doing = sitting.doing(activity);
            let told = stands.iter().map(|stand| doing.under(stand)).chain([doing.free()]);
            for (told, seen) in told.zip(held.iter().chain([bare])) {
                let judged = rules.judge_as(seen, reading.as_ref());
                failed += usize::from(!judged.troubles().is_empty());
                let grants = seen.standing.grants();
                assert_eq!(
                    told,
                    Brief::from(&judged),
                    "{activity:?} at {} under {grants:?}",
                    place.host
                );
            }
        }
        failed
    }
}
