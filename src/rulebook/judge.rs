//! The one question: may this flow pass, and may it be read?

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Rulebook;
use super::coach::continued_by;
use super::judgement::{Cause, Judgement, Lenience};
use crate::catalog::media_type;
use crate::facts::{
    Activity, Grant, Head, Observation, Peek, Person, Place, PlatformId, PolicyId, Reading, Reason, Subject,
};
use crate::policy::{Decision, Hearing, Question, RequestFacts, RuleSet, Trials};

impl Rulebook {
    /// Judges what was seen: pure, total, and the same every time.
    pub fn judge(&self, seen: &Observation) -> Judgement {
        self.judge_as(seen, None)
    }

    /// Judges what was seen, as if the catalogue had read the request as `reading`.
    pub(super) fn judge_as(&self, seen: &Observation, reading: Option<&Reading>) -> Judgement {
        let place = self.catalog.place_of(&seen.ask);
        let mut judgement = Judgement::closed(place.clone(), self.id.clone()).in_mode(self.policy.mode());
        let path = seen
            .ask
            .head()
            .map(|head| self.catalog.path_for_rules(&place, &head.path));
        let path = path.unwrap_or_default();
        match self.counter(seen, (&place, &path)) {
            Ok(counter) => counter.judge(&mut judgement, seen.ask.head(), reading),
            Err(cause) => judgement.because(cause),
        }
        judgement
    }

    /// Asks for these actions and no others, under the grants that count: for cases about single rules. Nothing passes by
    /// it.
    pub(super) fn judge_alone<'s>(&self, seen: &'s Observation, actions: &[&str]) -> Part<'s> {
        let place = self.catalog.place_of(&seen.ask);
        let head = seen.ask.head();
        let path = head.map(|head| self.catalog.path_for_rules(&place, &head.path));
        match self.counter(seen, (&place, &path.unwrap_or_default())) {
            Ok(counter) => counter.ask(RuleSet::InEffect, actions).into_part(),
            Err(_) => Part::default(),
        }
    }

    /// Whether only its body says what a request does, and the rules let the gateway look into it.
    pub fn wants_body(&self, seen: &Observation) -> bool {
        let Some(head) = seen.ask.head().filter(|head| head.peek == Peek::NotTaken) else {
            return false;
        };
        let place = self.catalog.place_of(&seen.ask);
        self.catalog.wants_body(&place, head)
            && self
                .counter(seen, (&place, ""))
                .is_ok_and(|counter| counter.may_be_read())
    }

    fn counter<'a, 's: 'a>(
        &'a self,
        seen: &'s Observation,
        at: (&'a Place, &'a str),
    ) -> Result<Counter<'a, 's>, Cause> {
        let (subject, person) = proven(seen)?;
        Ok(Counter {
            rules: self,
            hearing: self.policy.hear(&flow(seen, subject, person, at)),
            grants: self.counting(seen, person),
            platform: at.0.platform.as_ref(),
            continued: continued_by(seen, person),
        })
    }

    /// What was seen, there, before the rules, whatever its sender holds; or why nobody knows who that is.
    pub(super) fn heard<'a>(&'a self, seen: &'a Observation, at: (&'a Place, &'a str)) -> Result<Hearing<'a>, Cause> {
        let (subject, person) = proven(seen)?;
        Ok(self.policy.hear(&flow(seen, subject, person, at)))
    }

    /// The grants that count, narrowest first: live, held by this person, for the selected purpose. One whose purpose
    /// has left the catalogue opens nothing any more; it must not close anything either.
    pub(super) fn counting<'a>(&self, seen: &'a Observation, person: &Person) -> Vec<&'a Grant> {
        let purposes = self.policy.vocabulary().purposes();
        let counts = |grant: &&Grant| {
            let selected = seen.selected.as_ref().is_none_or(|purpose| grant.purpose == *purpose);
            selected && grant.is_live(seen.at) && grant.subject == person.id && purposes.contains(&grant.purpose)
        };
        seen.standing.grants().iter().filter(counts).collect()
    }
}

/// Who it is.
///
/// INVARIANT: what the directory knows counts only for the person whom a method proved.
fn proven(seen: &Observation) -> Result<(&Subject, &Arc<Person>), Cause> {
    let subject = seen.subject.as_ref().ok_or(Cause::NoIdentity)?;
    let person = seen.person.as_ref().filter(|person| person.id == subject.id);
    Ok((subject, person.ok_or(Cause::UnknownPerson)?))
}

/// What must be permitted: reaching the host, and everything that the request may do.
pub(super) fn actions(reading: Option<&Reading>) -> Vec<&str> {
    let activities = reading.into_iter().flat_map(|reading| &reading.activities);
    std::iter::once("connect")
        .chain(activities.map(Activity::as_str))
        .collect()
}

/// What the rules may know of a flow before they are asked anything.
pub(super) fn flow<'a>(
    seen: &'a Observation,
    subject: &'a Subject,
    person: &'a Arc<Person>,
    (place, path): (&'a Place, &'a str),
) -> Question<'a> {
    let request = |head: &'a Head| RequestFacts {
        method: &head.method,
        host: &place.host,
        path,
        // a rule about large bodies must not be passed by a body that hides its length
        bytes: head
            .hints
            .content_length
            .unwrap_or(if head.hints.has_body { u64::MAX } else { 0 }),
        content_type: head.hints.content_type.as_deref().map(media_type),
    };
    Question {
        person,
        subject,
        arrival: &seen.arrival,
        place,
        authority: seen.ask.authority(),
        actions: &[],
        // Only activities may look at the request: `connect` and `inspect` are asked without it.
        request: seen.ask.head().map(request),
        grant: None,
        at: seen.at,
    }
}

/// One person's flow before the rules, with the grants that count.
struct Counter<'a, 's> {
    rules: &'a Rulebook,
    hearing: Hearing<'a>,
    grants: Vec<&'s Grant>,
    /// Where it goes.
    platform: Option<&'a PlatformId>,
    /// What the person was told and continued past.
    continued: Vec<&'s Grant>,
}

/// What became of one question under every grant that was tried.
struct Verdict<'s> {
    passed: Option<(Decision, Option<&'s Grant>)>,
    reasons: Vec<Reason>,
    /// Those of the refusing policies that refuse it under a grant, and not without one.
    of_grants: BTreeSet<PolicyId>,
    /// Those that refuse it only under grants for other platforms, where one for this platform is held.
    elsewhere: BTreeSet<PolicyId>,
    errors: BTreeSet<PolicyId>,
    troubles: Vec<String>,
    /// The rules of other modes that may apply.
    trials: Trials,
}

impl<'s> Counter<'_, 's> {
    /// Whether a grant is for other platforms, where one for this platform is held.
    fn is_beside(&self, grant: &Grant) -> bool {
        self.platform.is_some_and(|here| {
            let is_for = |grant: &Grant| grant.platforms.contains(here);
            !is_for(grant) && self.grants.iter().any(|grant| is_for(grant))
        })
    }

    fn may_be_read(&self) -> bool {
        self.ask(RuleSet::InEffect, &["inspect"]).is_clean()
    }

    /// Judges by the rules that count and, where one on probation may apply, once more as if all did: what comes of
    /// that is told beside, and changes nothing.
    fn judge(&self, judgement: &mut Judgement, head: Option<&Head>, given: Option<&Reading>) {
        let trials = self.judge_by(RuleSet::InEffect, judgement, head, given);
        if judgement.is_refused_by_rules() {
            self.leniently(judgement, trials.coached);
        }
        if trials.observed {
            let mut trial = Judgement::closed(judgement.place().clone(), self.rules.id.clone());
            self.judge_by(RuleSet::WithObserved, &mut trial, head, given);
            judgement.beside(trial);
        }
    }

    /// How firm a refusal is, and the permit of one that is not: because the gateway only observes, or because the person
    /// was told and continued.
    fn leniently(&self, refused: &mut Judgement, coached: bool) {
        let actions = actions(refused.reading());
        let softly = coached.then(|| self.ask(RuleSet::Continued, &actions));
        let (lenience, held) = match softly {
            None => (Lenience::None, None),
            Some(verdict) if verdict.is_clean() => (Lenience::Whole, verdict.into_part().grant),
            Some(_) => (Lenience::Part, None),
        };
        let mut past = self.continued.iter().copied();
        let continued = past.find(|grant| self.rules.is_past(grant, refused));
        let let_pass = self.hearing.let_pass(&actions, held, continued);
        let continued = continued.map(|grant| grant.id.clone());
        refused.leniently(lenience, held, continued, let_pass);
    }

    fn judge_by(&self, set: RuleSet, blank: &mut Judgement, head: Option<&Head>, given: Option<&Reading>) -> Trials {
        let inspect = self.ask(set, &["inspect"]);
        let readable = inspect.is_clean();
        // A flow that may not be read is judged by its host alone, so nothing of the request is looked at.
        let reading = match (given, head) {
            (Some(given), _) => Some(given.clone()),
            (None, Some(head)) if readable => Some(self.rules.catalog.read(blank.place(), head)),
            (None, _) => None,
        };
        let verdict = self.ask(set, &actions(reading.as_ref()));
        let publishes = reading.iter().flat_map(|reading| &reading.activities);
        let publishes = publishes
            .into_iter()
            .any(|one| self.rules.policy.vocabulary().publishes(one));
        let mut trials = inspect.trials;
        trials |= verdict.trials;
        blank.fill(reading, publishes, inspect.into_part(), verdict.into_part());
        trials
    }

    /// Asks without a grant, then under each, and stops at the first that permits. What failed to evaluate on the way
    /// is kept: any of it denies.
    fn ask(&self, set: RuleSet, actions: &[&str]) -> Verdict<'s> {
        let mut verdict = Verdict {
            passed: None,
            reasons: Vec::new(),
            of_grants: BTreeSet::new(),
            elsewhere: BTreeSet::new(),
            errors: BTreeSet::new(),
            troubles: Vec::new(),
            trials: Trials::default(),
        };
        let grants = self.grants.iter().copied().map(Some);
        for grant in std::iter::once(None).chain(grants) {
            let decision = self.hearing.decide_by(set, actions, grant);
            verdict.trials |= decision.trials();
            verdict.errors.extend(decision.errors().iter().cloned());
            verdict.troubles.extend(decision.troubles().iter().cloned());
            if decision.is_allowed() {
                verdict.reasons = decision.reasons().to_vec();
                verdict.of_grants.clear();
                verdict.elsewhere.clear();
                verdict.passed = Some((decision, grant));
                break;
            }
            let unknown = |reason: &&Reason| !verdict.reasons.iter().any(|known| known.policy == reason.policy);
            let new: Vec<Reason> = decision.reasons().iter().filter(unknown).cloned().collect();
            if grant.is_some_and(|grant| self.is_beside(grant)) {
                verdict.elsewhere.extend(new.iter().map(|reason| reason.policy.clone()));
            } else {
                for reason in decision.reasons() {
                    verdict.elsewhere.remove(&reason.policy);
                }
            }
            // where a grant would open it but for these, they are why not, whatever they are under another
            let is_in_question = |reason: &Reason| verdict.of_grants.contains(&reason.policy);
            if grant.is_some() && (!new.is_empty() || decision.reasons().iter().any(is_in_question)) {
                if self.hearing.decide_by(RuleSet::Permits, actions, grant).is_allowed() {
                    for reason in decision.reasons() {
                        verdict.of_grants.remove(&reason.policy);
                    }
                } else {
                    verdict.of_grants.extend(new.iter().map(|reason| reason.policy.clone()));
                }
            }
            verdict.reasons.extend(new);
            // most hosts are nobody's business: what is denied there is denied under every grant alike
            if grant.is_none() && !self.grants.is_empty() && !self.hearing.heeds_grants(actions) {
                break;
            }
        }
        verdict
    }
}

/// One half of a judgement: what was decided, and why.
#[derive(Default)]
pub(super) struct Part<'s> {
    pub(super) decision: Option<Decision>,
    pub(super) grant: Option<&'s Grant>,
    pub(super) reasons: Vec<Reason>,
    pub(super) of_grants: BTreeSet<PolicyId>,
    pub(super) elsewhere: BTreeSet<PolicyId>,
    pub(super) errors: BTreeSet<PolicyId>,
    pub(super) troubles: Vec<String>,
}

impl<'s> Verdict<'s> {
    /// Whether it passed and nothing failed on the way.
    fn is_clean(&self) -> bool {
        self.passed.is_some() && self.errors.is_empty()
    }

    fn into_part(self) -> Part<'s> {
        let (decision, grant) = self.passed.unzip();
        Part {
            decision,
            grant: grant.flatten(),
            reasons: self.reasons,
            of_grants: self.of_grants,
            elsewhere: self.elsewhere,
            errors: self.errors,
            troubles: self.troubles,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::facts::{Arrival, Ask, Door, MethodName, NetworkName, SourceText, Standing, SubjectId};
    use crate::rulebook::{Assembled, Described, Sources};

    /// What `who` would be seen to ask, by the shipped rules and one more.
    fn asked(rule: &str, who: &str, to: &str, change: impl FnOnce(&mut Head)) -> Judgement {
        let mut sources = Sources::embedded();
        let text = format!("@id(\"test\") @reason(\"R.\") @owner(\"IT\")\n{rule}");
        sources.rules.push(SourceText::new("rules/99-test.cedar", text));
        let Assembled {
            rulebook, directory, ..
        } = Rulebook::assemble(&sources).unwrap();
        let id = SubjectId::parse(who).unwrap();
        let described = Described {
            to: to.to_owned(),
            method: None,
            headers: Vec::new(),
            body: None,
        };
        let mut ask = rulebook.ask_of(&described).unwrap();
        if let Ask::Request(_, head) = &mut ask {
            change(head);
        }
        rulebook.judge(&Observation {
            arrival: Arrival {
                door: Door::Plain,
                client: SocketAddr::from(([10, 0, 0, 7], 40_000)),
                network: NetworkName::new("office"),
            },
            person: directory.person(&id),
            subject: Some(Subject {
                id,
                method: MethodName::Basic,
            }),
            ask,
            standing: Standing::default(),
            selected: None,
            at: "2026-11-24T11:30:00Z".parse().unwrap(),
        })
    }

    #[test]
    fn a_rule_about_a_path_holds_for_every_way_to_write_it() {
        let rule = r#"
            permit (principal, action, resource is Site) when { resource.host == "www.facebook.com" };
            @id("closed") @reason("R.") @owner("IT")
            forbid (principal, action in Action::"activity", resource)
            when { context.request.path like "/closed/*" };
        "#;
        let passes = |path: &str| {
            let judgement = asked(rule, "ada", &format!("https://www.facebook.com{path}"), |_| {});
            assert!(judgement.inspect(), "{path}");
            judgement.is_allowed()
        };
        assert!(passes("/open/closed/x"));
        for path in [
            "/closed/x",
            "/%63losed/x",
            "//closed/x",
            "/a/../closed/x",
            "/./closed/x",
            "/closed%2Fx",
            "/closed;a=b/x",
        ] {
            assert!(!passes(path), "{path}");
        }
    }

    #[test]
    fn what_a_rule_on_probation_would_change_is_told_beside() {
        let open = "permit (principal, action, resource is Site) when { resource.host == \"www.facebook.com\" };";
        let observe =
            |rule: &str| format!("{open} @id(\"new\") @reason(\"R.\") @owner(\"IT\") @mode(\"observe\") {rule}");
        let come_of = |rule: &str, to: &str| {
            let judgement = asked(rule, "ada", to, |_| {});
            let would = judgement.note(None).would.map(|would| {
                let ids = would.policies.iter().chain(&would.errors).map(PolicyId::as_str);
                let ids = ids.collect::<Vec<_>>().join(" ");
                format!("{} {} {ids}", would.be.as_str(), would.inspect)
            });
            (judgement.is_allowed(), judgement.inspect(), would.unwrap_or_default())
        };
        let page = "https://www.facebook.com/groups/1";
        for (rule, would) in [
            (
                "forbid (principal, action in Action::\"activity\", resource);",
                "denied true new",
            ),
            (
                "forbid (principal, action == Action::\"connect\", resource);",
                "denied true new",
            ),
            (
                "forbid (principal, action == Action::\"inspect\", resource);",
                "allowed false connect.social new test",
            ),
            ("permit (principal, action in Action::\"activity\", resource);", ""),
            (
                "forbid (principal, action in Action::\"activity\", resource)
                 when { (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };",
                "denied false new",
            ),
        ] {
            let rule = observe(rule);
            assert_eq!(come_of(&rule, page), (true, true, would.to_owned()), "{rule}");
        }
        let permit = observe("permit (principal, action, resource is Site) when { resource.host == \"x.com\" };");
        let (allowed, _, would) = come_of(&permit, "https://x.com/home");
        assert_eq!((allowed, would.as_str()), (false, "allowed true connect.social new"));
    }

    #[test]
    fn a_body_that_hides_its_length_counts_as_large() {
        let rule = r#"
            permit (principal, action, resource is Site) when { resource.host == "www.facebook.com" };
            @id("large") @reason("R.") @owner("IT")
            forbid (principal, action in Action::"activity", resource) when { context.request.bytes > 1000 };
        "#;
        let passes = |has_body, length| {
            let change = |head: &mut Head| {
                "POST".clone_into(&mut head.method);
                head.hints.has_body = has_body;
                head.hints.content_length = length;
            };
            asked(rule, "ada", "https://www.facebook.com/x", change).is_allowed()
        };
        assert!(passes(true, Some(1000)));
        assert!(passes(false, None));
        assert!(!passes(true, Some(1001)));
        assert!(!passes(true, None));
    }
}
