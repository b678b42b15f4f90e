//! What would help: the same question again, with each purpose that the person may declare.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Rulebook;
use super::judge::{actions, flow};
use super::judgement::{Judgement, Lenience};
use super::weigh::Visitor;
use crate::clock::Timestamp;
use crate::facts::{
    Answer, Channel, Emergency, Grant, GrantId, GrantState, Later, Observation, Offer, Person, PlatformId, PurposeId,
    Reading, Remedy, Standing, SubjectId, Wording,
};
use crate::policy::{Hearing, RuleSet};
use crate::purpose::{GROUPS, Purpose};

/// A purpose that would help, and how it is offered.
type Helping<'a> = (Offer, &'a Purpose);

impl Rulebook {
    /// What would help with a refused flow, by the rules as they are. Nothing, if it may pass, or if not the rules refused it.
    pub fn remedy(&self, seen: &Observation) -> Remedy {
        self.remedy_as(seen, None)
    }

    pub(super) fn remedy_as(&self, seen: &Observation, reading: Option<&Reading>) -> Remedy {
        self.remedy_judged(seen, &self.judge_as(seen, reading))
    }

    /// What would help with a flow that was already judged.
    pub fn remedy_judged(&self, seen: &Observation, refused: &Judgement) -> Remedy {
        let (Some(subject), Some(person)) = (&seen.subject, &seen.person) else {
            return Remedy::default();
        };
        if !refused.is_refused_by_rules() {
            return Remedy::default();
        }
        let path = seen
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(refused.place(), &head.path));
        let path = path.unwrap_or_default();
        let hearing = self.policy.hear(&flow(seen, subject, person, (refused.place(), &path)));
        let not_now = not_now(&hearing, &self.counting(seen, person), refused);
        let mut helping: Vec<Helping<'_>> = match &refused.place().platform {
            None => Vec::new(),
            Some(platform) => {
                let visitor = Visitor {
                    person,
                    subject,
                    arrival: &seen.arrival,
                };
                let search = Search {
                    rules: self,
                    seen,
                    visitor,
                    platform,
                    refused,
                    hearing,
                    // what coaching alone would still keep out is no reason not to state a purpose
                    set: match refused.lenience() {
                        Lenience::Part => RuleSet::Continued,
                        Lenience::None | Lenience::Whole => RuleSet::InEffect,
                    },
                };
                search.offers()
            }
        };
        helping.sort_by(|(a, one), (b, other)| {
            let width = |offer: &Offer, purpose: &Purpose| (offer.needs_approval, purpose.platforms.len());
            width(a, one)
                .cmp(&width(b, other))
                .then_with(|| a.purpose.cmp(&b.purpose))
        });
        let fixes: BTreeSet<String> = refused
            .reasons()
            .iter()
            .filter_map(|reason| reason.fix.as_deref())
            .filter(|fix| self.would_help(fix, (seen, person), refused.reading(), &helping))
            .map(str::to_owned)
            .chain(self.selecting_less(seen, refused.reading(), &helping))
            .collect();
        Remedy {
            alternative: helping.iter().find_map(|(_, purpose)| purpose.alternative.clone()),
            offers: helping.into_iter().map(|(offer, _)| offer).collect(),
            fixes: fixes.into_iter().collect(),
            not_now,
        }
    }

    /// The purposes that whoever was refused could take in an emergency and that would open it then, each with what it would
    /// have to cover.
    pub fn emergencies(&self, seen: &Observation) -> Vec<(PurposeId, BTreeSet<String>)> {
        let refused = self.judge(seen);
        let (Some(subject), Some(person), Some(platform)) = (&seen.subject, &seen.person, &refused.place().platform)
        else {
            return Vec::new();
        };
        if !refused.is_refused_by_rules() {
            return Vec::new();
        }
        let path = seen
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(refused.place(), &head.path));
        let path = path.unwrap_or_default();
        let search = Search {
            rules: self,
            seen,
            visitor: Visitor {
                person,
                subject,
                arrival: &seen.arrival,
            },
            platform,
            refused: &refused,
            hearing: self.policy.hear(&flow(seen, subject, person, (refused.place(), &path))),
            set: RuleSet::InEffect,
        };
        search.emergencies()
    }

    /// `selection:PURPOSE`, where the selection of a purpose is what keeps others from helping.
    fn selecting_less(&self, seen: &Observation, reading: Option<&Reading>, known: &[Helping<'_>]) -> Option<String> {
        let selected = seen.selected.as_ref()?;
        let free = Observation {
            selected: None,
            ..seen.clone()
        };
        self.would_open(&free, reading, known)
            .then(|| Remedy::another_selection_than(selected))
    }

    /// Whether the flow would pass, or could with a purpose that would not do as things stand.
    fn would_open(&self, seen: &Observation, reading: Option<&Reading>, known: &[Helping<'_>]) -> bool {
        let judged = self.judge_as(seen, reading);
        let is_new = |offer: &Offer| !known.iter().any(|(known, _)| known.purpose == offer.purpose);
        !judged.is_refused_by_rules() || self.remedy_judged(seen, &judged).offers.iter().any(is_new)
    }

    /// Whether anything would open once the fix is made: nobody is sent to a training that changes nothing. What cannot
    /// be tried out is believed.
    fn would_help(
        &self,
        fix: &str,
        (seen, person): (&Observation, &Person),
        reading: Option<&Reading>,
        known: &[Helping<'_>],
    ) -> bool {
        let Some(course) = fix.strip_prefix("training:") else {
            return true;
        };
        let mut trained = person.clone();
        let valid = seen.at.plus(Duration::from_hours(24));
        if trained
            .training
            .insert(course.to_owned(), valid)
            .is_some_and(|until| until >= valid)
        {
            return false; // it is valid already
        }
        let seen = Observation {
            person: Some(Arc::new(trained)),
            ..seen.clone()
        };
        self.would_open(&seen, reading, known)
    }

    /// The groups of activities that the reading asks for and a grant can cover.
    fn groups_of(&self, judgement: &Judgement) -> BTreeSet<String> {
        let activities = judgement.reading().into_iter().flat_map(|reading| &reading.activities);
        let groups = activities.filter_map(|activity| self.policy.vocabulary().activities().get(activity));
        let asked: BTreeSet<&String> = groups.flatten().collect();
        asked
            .into_iter()
            .filter(|group| GROUPS.contains(&group.as_str()))
            .cloned()
            .collect()
    }
}

/// What keeps the grants that are held from helping, where no rule forbids it: the rules for their purposes do not hold
/// now.
fn not_now(hearing: &Hearing<'_>, held: &[&Grant], refused: &Judgement) -> Vec<Wording> {
    let actions = actions(refused.reading());
    let mut said: Vec<Wording> = Vec::new();
    for grant in held {
        for reason in hearing.waiting(&actions, grant) {
            if !said.contains(&reason.text) {
                said.push(reason.text.clone());
            }
        }
    }
    said
}

/// Whom the terms name to approve it once it has waited for some time.
fn later(purpose: &Purpose, (who, manager): (&SubjectId, Option<&SubjectId>)) -> Option<Later> {
    let later = Later {
        after: purpose.alternates.as_ref()?.after,
        approvers: purpose.named_later(who, manager),
    };
    (!later.approvers.is_empty()).then_some(later)
}

/// How a grant that is tried out was come by.
#[derive(Clone, Copy, Debug)]
pub(super) enum By<'a> {
    /// Declaring it.
    Declaring,
    /// Somebody's approval.
    Approval(&'a SubjectId),
    /// Breaking the glass.
    Emergency,
}

/// A search for grants that would help one refused flow.
struct Search<'a> {
    rules: &'a Rulebook,
    seen: &'a Observation,
    visitor: Visitor<'a>,
    platform: &'a PlatformId,
    refused: &'a Judgement,
    hearing: Hearing<'a>,
    set: RuleSet,
}

impl<'a> Search<'a> {
    fn offers(&self) -> Vec<Helping<'a>> {
        let asked = actions(self.refused.reading());
        let opens = self.hearing.openings(&asked);
        let purposes = self.rules.purposes.iter().filter(|one| opens(&one.id));
        purposes.filter_map(|one| Some((self.offer(one)?, one))).collect()
    }

    fn offer(&self, purpose: &Purpose) -> Option<Offer> {
        let person = self.visitor.person;
        let selected = self.seen.selected.as_ref();
        let fits = purpose.platforms.contains(self.platform)
            && purpose.is_open_to(person, self.seen.at)
            && selected.is_none_or(|selected| purpose.id == *selected);
        if !fits {
            return None;
        }
        let (who, manager) = (&person.id, person.manager.as_ref());
        let unapproved = (!purpose.approval.is_needed())
            .then(|| self.narrowest(purpose, By::Declaring))
            .flatten();
        let needs_approval = unapproved.is_none();
        let approver = purpose.supposed_approver(who, manager);
        let covers = unapproved.or_else(|| self.narrowest(purpose, By::Approval(approver.as_ref()?)))?;
        let by = (Channel::Portal, self.seen.at);
        let longest_for = self.rules.may_declare_for(self.visitor, purpose, &covers, by)?;
        Some(Offer {
            purpose: purpose.id.clone(),
            title: purpose.title.clone(),
            needs_approval,
            approvers: if needs_approval {
                purpose.named_in_words(who, manager)
            } else {
                Vec::new()
            },
            later: later(purpose, (who, manager)).filter(|_| needs_approval),
            needed: if needs_approval {
                purpose.answering().how_many()
            } else {
                0
            },
            // the rules do not know what people did
            answered_within: None,
            default_for: purpose.default_for(&covers),
            idle: purpose.idle_for(&covers),
            longest_for,
            covers,
            ticket_pattern: purpose.ticket.as_ref().map(|rule| rule.shown.clone()),
        })
    }

    fn emergencies(&self) -> Vec<(PurposeId, BTreeSet<String>)> {
        let asked = actions(self.refused.reading());
        let opens = self.hearing.openings(&asked);
        let purposes = self.rules.purposes.iter().filter(|one| opens(&one.id));
        let there = purposes.filter(|purpose| purpose.platforms.contains(self.platform));
        let taken = there.filter_map(|purpose| {
            let covers = self.narrowest(purpose, By::Emergency)?;
            let may = self.rules.may_break_glass(self.visitor, purpose, &covers, self.seen.at);
            may.then(|| (purpose.id.clone(), covers))
        });
        taken.collect()
    }

    /// The groups that a grant needs to cover: the fewest under which the request passes, with what the request itself
    /// does, and with reading where that does no harm, since nobody wants only to post.
    fn narrowest(&self, purpose: &Purpose, on: By<'_>) -> Option<BTreeSet<String>> {
        let passes = |covers: &BTreeSet<String>| !covers.is_empty() && self.passes(purpose, covers, on);
        let asked = self.rules.groups_of(self.refused);
        let mut useful: BTreeSet<String> = asked.intersection(&purpose.covers).cloned().collect();
        useful.extend(purpose.covers.get("read").cloned());
        if passes(&useful) {
            return Some(useful);
        }
        let mut covers = purpose.covers.clone();
        if covers == useful || !passes(&covers) {
            return None;
        }
        for group in GROUPS.iter().rev() {
            let mut fewer = covers.clone();
            fewer.remove(*group);
            if passes(&fewer) {
                covers = fewer;
            }
        }
        Some(covers)
    }

    /// Whether the flow would pass under a grant of `purpose` for this platform.
    fn passes(&self, purpose: &Purpose, covers: &BTreeSet<String>, on: By<'_>) -> bool {
        let who = (&self.visitor.person.id, self.seen.at);
        self.would_pass(&hypothetical(purpose, who, covers, on, [self.platform]))
    }

    /// Whether the flow would pass if its sender also held `grant`; the same answer as [`Rulebook::judge`] gives, for
    /// less: where the flow is read, only the new grant is still to be asked, for all else is known to refuse.
    fn would_pass(&self, grant: &Grant) -> bool {
        if let (Some(reading), true) = (self.refused.reading(), self.refused.inspect()) {
            let decision = self.hearing.decide_by(self.set, &actions(Some(reading)), Some(grant));
            return decision.is_allowed();
        }
        let supposed = Observation {
            standing: Standing::new([grant.clone()], self.seen.at),
            ..self.seen.clone()
        };
        let judged = self.rules.judge_as(&supposed, self.refused.reading());
        judged.is_allowed() || (self.set == RuleSet::Continued && judged.lenience() == Lenience::Whole)
    }
}

impl Rulebook {
    /// The grant that a person would hold after declaring a purpose, with all it covers, for the platform of a flow:
    /// for trying out what would be.
    pub fn suppose(&self, purpose: &Purpose, seen: &Observation, approver: Option<&SubjectId>) -> Option<Grant> {
        self.supposed(purpose, seen, approver.map_or(By::Declaring, By::Approval))
    }

    /// The same, taken in an emergency.
    pub fn suppose_emergency(&self, purpose: &Purpose, seen: &Observation) -> Option<Grant> {
        self.supposed(purpose, seen, By::Emergency)
    }

    fn supposed(&self, purpose: &Purpose, seen: &Observation, by: By<'_>) -> Option<Grant> {
        let platform = self.catalog.place_of(&seen.ask).platform?;
        let person = seen.person.as_deref()?;
        let who = (&person.id, seen.at);
        Some(hypothetical(purpose, who, &purpose.covers, by, [&platform]))
    }
}

/// The grant that somebody would hold after declaring `purpose` at `at`, for these platforms.
pub(super) fn hypothetical<'p>(
    purpose: &Purpose,
    (who, at): (&SubjectId, Timestamp),
    covers: &BTreeSet<String>,
    on: By<'_>,
    platforms: impl IntoIterator<Item = &'p PlatformId>,
) -> Grant {
    Grant {
        id: GrantId::supposed(),
        subject: who.clone(),
        purpose: purpose.id.clone(),
        platforms: Arc::new(platforms.into_iter().cloned().collect()),
        covers: covers.clone().into(),
        statement: String::new(),
        ticket: purpose.ticket.as_ref().map(|rule| rule.example.clone()),
        channel: Channel::Portal,
        declared_at: at,
        not_before: at,
        expires: at.plus(purpose.default_for(covers)),
        answer_by: None,
        answers: match on {
            By::Approval(by) => vec![Answer::approval(by.clone(), at)],
            By::Declaring | By::Emergency => Vec::new(),
        },
        idle: None,
        used_at: None,
        parent: None,
        emergency: matches!(on, By::Emergency).then_some(Emergency {
            review_by: at,
            review: None,
        }),
        continued: None,
        delegated: None,
        state: GrantState::Active,
        ended_at: None,
        ended: None,
        report: None,
        came: None,
    }
}
