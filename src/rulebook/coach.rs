//! Going on after being told why not: what somebody continues past, and for what else that holds.
//!
//! It is as narrow as it can be while a page still works: for one person, one platform (a host, where there is none), the
//! activities that were refused, and the policies that refused them. What other rules refuse, or the same rules elsewhere,
//! is told anew. Reading a page is more than one request, so it covers what is read there and what a page does by itself.
//! Where nothing is read what was refused is the connection, and whoever continues past that was told of nothing else.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Rulebook;
use super::judgement::Judgement;
use crate::facts::{
    Activity, Channel, Coach, Continued, Grant, GrantTerms, Observation, Person, PolicyId, PurposeId, Reading,
};

/// The group of what somebody reads.
const READ: &str = "read";
/// The group of what a page does without being asked.
const BY_ITSELF: &str = "passive";

impl Rulebook {
    /// What the person would hold who continues past this refusal for so long, and how it was stated; none where they may
    /// not, or did already.
    pub fn past(
        &self,
        seen: &Observation,
        refused: &Judgement,
        (lasts, channel): (Duration, Channel),
    ) -> Option<GrantTerms> {
        let person = seen.person.as_deref()?;
        if refused.coach() != Some(Coach::Offered) {
            return None;
        }
        let place = refused.place();
        Some(GrantTerms {
            subject: person.id.clone(),
            purpose: PurposeId::new(PurposeId::CONTINUED),
            platforms: place.platform.iter().cloned().collect(),
            covers: self.with_its_page(refused.reading()),
            statement: String::new(),
            ticket: None,
            channel,
            declared_at: seen.at,
            not_before: seen.at,
            expires: seen.at.plus(lasts),
            answers: Vec::new(),
            idle: None,
            parent: None,
            emergency: None,
            continued: Some(Continued {
                host: place.platform.is_none().then(|| place.host.clone()),
                past: policies(refused),
            }),
            delegated: None,
        })
    }

    /// Whether whoever holds `grant` was told of this refusal.
    pub(super) fn is_past(&self, grant: &Grant, refused: &Judgement) -> bool {
        let Some(continued) = &grant.continued else {
            return false;
        };
        let place = refused.place();
        let here = match &place.platform {
            Some(platform) => grant.platforms.contains(platform),
            None => continued.host.as_ref() == Some(&place.host),
        };
        let policies = policies(refused);
        // that no rule permits is another refusal than one by a rule
        let told = policies.is_empty() == continued.past.is_empty() && policies.is_subset(&continued.past);
        here && told && self.covers(grant, refused.reading())
    }

    fn covers(&self, grant: &Grant, reading: Option<&Reading>) -> bool {
        let covers = |activity: &Activity| {
            let known = self.policy.vocabulary().activities().get(activity);
            let by_group = known.is_some_and(|groups| groups.iter().any(|group| grant.covers.contains(group)));
            by_group || grant.covers.contains(activity.as_str())
        };
        // who was told of what they do was not told of a tunnel in which nobody sees what they do
        reading.map_or_else(
            || grant.covers.is_empty(),
            |reading| reading.activities.iter().all(covers),
        )
    }

    fn with_its_page(&self, reading: Option<&Reading>) -> BTreeSet<String> {
        let words = self.policy.vocabulary();
        let activities = reading.into_iter().flat_map(|reading| &reading.activities);
        let mut covers = BTreeSet::new();
        for activity in activities {
            if words.is_in(activity, READ) {
                covers.extend([READ, BY_ITSELF].map(str::to_owned));
            } else {
                covers.insert(activity.as_str().to_owned());
            }
        }
        covers
    }
}

/// What the person was told and continued past, of all that holds now.
pub(super) fn continued_by<'a>(seen: &'a Observation, person: &Person) -> Vec<&'a Grant> {
    let counts = |grant: &&Grant| grant.continued.is_some() && grant.is_live(seen.at) && grant.subject == person.id;
    seen.standing.grants().iter().filter(counts).collect()
}

fn policies(refused: &Judgement) -> BTreeSet<PolicyId> {
    refused.reasons().iter().map(|reason| reason.policy.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{GrantId, Mode, Outcome, Record, RecordId, SourceText, Standing};
    use crate::rulebook::explain_conditions::tests::seen;
    use crate::rulebook::{Assembled, Change, Replay, Replayer, Sources};

    fn rules(more: &str, mode: Mode) -> Assembled {
        let mut sources = Sources::embedded();
        sources.rules.push(SourceText::new("rules/99-test.cedar", more));
        let assembled = Rulebook::assemble(&sources).unwrap();
        Assembled {
            rulebook: assembled.rulebook.in_mode(mode),
            ..assembled
        }
    }

    /// What somebody asks who continued past `told`, where that may be: whether it passes.
    fn past(then: &Assembled, seen: &mut Observation, told: &Observation) -> bool {
        let rules = &then.rulebook;
        let terms = rules.past(told, &rules.judge(told), (Duration::from_hours(1), Channel::Portal));
        let held = seen.standing.grants().iter().cloned();
        let grants = held.chain(terms.map(|terms| terms.named(GrantId::new("told"))));
        seen.standing = Standing::new(grants, seen.at);
        rules.judge(seen).permit().is_ok()
    }

    const FEED: &str = "https://www.linkedin.com/feed/";

    #[test]
    fn what_somebody_continues_past_is_this_platform_these_activities_and_these_rules() {
        let closed = r#"@id("closed") @reason("R.") @owner("IT")
            forbid (principal, action in Action::"activity", resource) when { context.request.path like "/in/closed*" };"#;
        let then = rules(closed, Mode::Coach);
        let told = seen(&then, "ada", FEED);
        for (to, passes) in [
            (FEED, true),
            ("https://www.linkedin.com/in/somebody/", true),
            // a page of the same platform on another host, and what it tells by itself
            ("https://www.linkedin.com/li/track", true),
            // a rule refuses it beside, of which nobody told
            ("https://www.linkedin.com/in/closed/", false),
            ("https://www.linkedin.com/shareArticle", false),
            ("https://www.xing.com/", false),
        ] {
            let mut asked = seen(&then, "ada", to);
            assert!(then.rulebook.judge(&asked).permit().is_err(), "{to}");
            assert_eq!(past(&then, &mut asked, &told), passes, "{to}");
        }
        // told of the rule, which is another refusal than that of the rest
        let told = seen(&then, "ada", "https://www.linkedin.com/in/closed/");
        assert!(past(&then, &mut told.clone(), &told));
        assert!(!past(&then, &mut seen(&then, "ada", FEED), &told));
    }

    /// A rule that coaches, over what recruiters may do for their purpose.
    const COACHED: &str = r#"@id("soft") @reason("R.") @owner("IT") @mode("coach")
        forbid (principal, action == Action::"browse", resource in Platform::"linkedin");"#;

    #[test]
    fn whoever_needs_a_purpose_beside_is_offered_one_first() {
        let then = rules(COACHED, Mode::Enforce);
        let rules = &then.rulebook;
        let told = seen(&then, "ada", FEED);
        let judgement = rules.judge(&told);
        let remedy = rules.remedy_judged(&told, &judgement);
        assert_eq!((judgement.coach(), remedy.outcome()), (None, Outcome::Declare));
        let purpose = rules.purposes().get(&remedy.offers[0].purpose).unwrap();
        let grant = rules.suppose(purpose, &told, None);
        let mut told = told;
        told.standing = Standing::new(grant, told.at);
        let judgement = rules.judge(&told);
        assert_eq!(judgement.coach(), Some(Coach::Offered));
        assert!(
            rules.remedy_judged(&told, &judgement).offers.is_empty(),
            "no purpose would do more"
        );
        let mut passing = told.clone();
        assert!(past(&then, &mut passing, &told));
        let note = rules.judge(&passing).note(None);
        assert_eq!(note.coach, Some(Coach::Continued(GrantId::new("told"))));
        assert_eq!((note.outcome, note.let_pass), (Outcome::Deny, true));
        assert_eq!(note.grant.unwrap().as_str(), "supposed");
    }

    #[test]
    fn what_a_permit_that_coaches_opens_is_refused_until_its_sender_continues() {
        let permit = r#"@id("soft") @reason("R.") @owner("IT") @mode("coach")
            permit (principal, action == Action::"browse", resource in Platform::"linkedin");"#;
        let then = rules(permit, Mode::Enforce);
        let told = seen(&then, "ada", FEED);
        let judgement = then.rulebook.judge(&told);
        assert_eq!(
            (judgement.is_allowed(), judgement.coach()),
            (false, Some(Coach::Offered))
        );
        assert!(past(&then, &mut told.clone(), &told));
    }

    #[test]
    fn a_replay_tells_apart_what_a_rule_newly_coaches() {
        let now = rules("", Mode::Enforce);
        let passes = "https://crates.io/";
        let closed = |mode: &str| {
            let rule = r#"@id("soft") @reason("R.") @owner("IT") @mode("MODE")
                forbid (principal, action == Action::"connect", resource) when { resource.host == "crates.io" };"#;
            rules(&rule.replace("MODE", mode), Mode::Enforce).rulebook
        };
        let seen = seen(&now, "ada", passes);
        let line = serde_json::to_vec(&Record {
            id: RecordId::new("1"),
            at: seen.at,
            people: Vec::new(),
            act: crate::facts::Act::Opening {
                seen: Box::new(now.rulebook.redact(&seen)),
                decided: Box::new(now.rulebook.judge(&seen).note(None)),
            },
        });
        let line = line.unwrap();
        for (mode, change) in [("coach", Change::NewlyCoached), ("enforce", Change::NewlyRefused)] {
            let rules = closed(mode);
            let mut replayer = Replayer::new(&rules);
            replayer.add(&line, None).unwrap();
            assert_eq!(replayer.into_tally().sums(&now.directory).changes, [(change, 1)].into());
        }
    }

    #[test]
    fn a_record_says_the_same_again_in_the_mode_of_its_gateway() {
        let then = rules(COACHED, Mode::Coach);
        let enforcing = rules(COACHED, Mode::Enforce).rulebook;
        let told = seen(&then, "ada", FEED);
        let mut passing = told.clone();
        assert!(past(&then, &mut passing, &told));
        for seen in [told, passing] {
            let judgement = then.rulebook.judge(&seen);
            let note = judgement.note(Some(&then.rulebook.remedy_judged(&seen, &judgement)));
            assert!(note.coach.is_some());
            let record = Record {
                id: RecordId::new("1"),
                at: seen.at,
                people: Vec::new(),
                act: crate::facts::Act::Opening {
                    seen: Box::new(then.rulebook.redact(&seen)),
                    decided: Box::new(note),
                },
            };
            assert_eq!(enforcing.replay(&record), Replay::Same);
        }
    }
}
