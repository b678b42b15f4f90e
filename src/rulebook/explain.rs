//! Why, in words: one explanation for the command line, the portal and the refusal page.

use serde::Serialize;

use super::Rulebook;
use super::judgement::Judgement;
use crate::facts::{
    Activity, Ask, Effect, GrantId, Host, Observation, Offer, Outcome, PlatformId, PolicyId, PurposeId, Reading,
    Reason, Remedy, RulebookId, SignatureId, SubjectId,
};
use crate::purpose::show_duration;

/// Everything that there is to say about one judgement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Which of the four outcomes.
    pub outcome: Outcome,
    /// Who asked, if that is known.
    pub who: Option<SubjectId>,
    /// The host.
    pub host: Host,
    /// The platform it belongs to.
    pub platform: Option<PlatformId>,
    /// The categories it is in.
    pub categories: Vec<String>,
    /// What it does: the strictest activity, or `connect`.
    pub activity: Activity,
    /// Everything that it may do.
    pub activities: Vec<Activity>,
    /// The signatures that recognised it.
    pub signatures: Vec<SignatureId>,
    /// Whether the gateway may read the flow.
    pub inspected: bool,
    /// The grant it passes under.
    pub grant: Option<GrantId>,
    /// The purpose of that grant.
    pub purpose: Option<PurposeId>,
    /// The policies that decided whether it may pass.
    pub policies: Vec<ExplainedPolicy>,
    /// The policies that decided whether it may be read.
    pub inspection: Vec<ExplainedPolicy>,
    /// What went wrong with policies that failed to evaluate.
    pub troubles: Vec<String>,
    /// What would help.
    pub remedy: Remedy,
    /// The rules that decided.
    pub rulebook: RulebookId,
}

/// A policy with its words and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExplainedPolicy {
    /// `@id`
    pub id: PolicyId,
    /// Permit or forbid.
    pub effect: Effect,
    /// `@title`
    pub title: Option<String>,
    /// `@reason`
    pub reason: String,
    /// `@fix`
    pub fix: Option<String>,
    /// The file it stands in.
    pub file: String,
    /// The line it begins on.
    pub line: usize,
    /// The whole policy as written.
    pub text: String,
}

impl Rulebook {
    /// Explains a judgement of `seen`; what would help is computed where it was refused.
    pub fn explain(&self, seen: &Observation, judgement: &Judgement) -> Explanation {
        let remedy = self.remedy(seen);
        let reading = judgement.reading();
        let policies = |reasons: &[Reason]| reasons.iter().map(|reason| self.explained(reason)).collect();
        Explanation {
            outcome: judgement.outcome_if(&remedy),
            who: seen.subject.as_ref().map(|subject| subject.id.clone()),
            host: judgement.place().host.clone(),
            platform: judgement.place().platform.clone(),
            categories: judgement
                .place()
                .categories
                .iter()
                .map(|one| one.as_str().to_owned())
                .collect(),
            activity: judgement.activity(),
            activities: reading
                .map(|reading| reading.activities.iter().cloned().collect())
                .unwrap_or_default(),
            signatures: reading
                .map(|reading| reading.signatures.iter().cloned().collect())
                .unwrap_or_default(),
            inspected: judgement.inspect(),
            grant: judgement.grant().map(|grant| grant.id.clone()),
            purpose: judgement.grant().map(|grant| grant.purpose.clone()),
            policies: policies(judgement.reasons()),
            inspection: policies(judgement.inspect_reasons()),
            troubles: judgement.troubles().to_vec(),
            remedy,
            rulebook: self.id.clone(),
        }
    }

    fn explained(&self, reason: &Reason) -> ExplainedPolicy {
        let rule = self.policy.rule(&reason.policy);
        ExplainedPolicy {
            id: reason.policy.clone(),
            effect: reason.effect,
            title: rule.and_then(|rule| rule.title.clone()),
            reason: reason.text.clone(),
            fix: reason.fix.clone(),
            file: rule.map(|rule| rule.file.clone()).unwrap_or_default(),
            line: rule.map(|rule| rule.line).unwrap_or_default(),
            text: rule.map(|rule| rule.text.clone()).unwrap_or_default(),
        }
    }
}
