//! What the rules answered. The fields are private: only this module decides.

use std::ops::Deref;
use std::sync::Arc;

use super::permit::Permit;
use super::rule::Trials;
use crate::facts::{PolicyId, Reason};

/// The answer to one question.
///
/// It cannot be made by hand, and so neither can the [`Permit`] it holds:
///
/// ```compile_fail,E0451
/// use wayleave::policy::Decision;
///
/// let forged = Decision { allowed: true, trials: Default::default(), reasons: Default::default(), errors: vec![], troubles: vec![], permit: None };
/// ```
///
/// ```compile_fail,E0599
/// let forged = wayleave::policy::Decision::default();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    allowed: bool,
    trials: Trials,
    reasons: Reasons,
    errors: Vec<PolicyId>,
    troubles: Vec<String>,
    permit: Option<Permit>,
}

/// Up to so many reasons are each held by the decision itself.
pub(super) const FEW: usize = 8;

/// What a decision rests on. Most rest on one rule or two; of many, the same list is shared by all decisions that rest on
/// the same rules.
#[derive(Clone, Debug)]
pub(super) enum Reasons {
    Few(smallvec::SmallVec<[Reason; FEW]>),
    Many(Arc<Vec<Reason>>),
}

impl Reasons {
    pub(super) fn new() -> Self {
        Self::Few(smallvec::SmallVec::new())
    }
}

impl Deref for Reasons {
    type Target = [Reason];

    fn deref(&self) -> &[Reason] {
        match self {
            Self::Few(reasons) => reasons,
            Self::Many(reasons) => reasons,
        }
    }
}

impl PartialEq for Reasons {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Reasons {}

/// Something that kept the rules from answering. It denies, in every mode.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trouble {
    /// The policy that failed to evaluate, or a name that starts with `wayleave::` where the question itself is at
    /// fault (`lint` lets no rule be called so).
    pub(super) policy: PolicyId,
    /// What went wrong, for the operator.
    pub(super) message: String,
}

impl Trouble {
    /// The question itself cannot be put to the rules.
    pub(super) fn with_question(what: &str, message: impl Into<String>) -> Self {
        Self {
            policy: PolicyId::new(format!("wayleave::{what}")),
            message: message.into(),
        }
    }
}

impl Decision {
    /// Everything asked is permitted by `reasons`, and nothing went wrong.
    pub(super) fn allow(reasons: Reasons, permit: Option<Permit>) -> Self {
        Self {
            allowed: true,
            trials: Trials::default(),
            reasons,
            errors: Vec::new(),
            troubles: Vec::new(),
            permit,
        }
    }

    /// Something asked is not permitted; `reasons` are the forbids that say so, none where no rule permits.
    pub(super) fn deny(reasons: Reasons, troubles: Vec<Trouble>) -> Self {
        let (errors, troubles) = if troubles.is_empty() {
            (Vec::new(), Vec::new())
        } else {
            troubles.into_iter().map(|t| (t.policy, t.message)).unzip()
        };
        Self {
            allowed: false,
            trials: Trials::default(),
            reasons,
            errors,
            troubles,
            permit: None,
        }
    }

    /// The same, told which rules of other modes may apply.
    pub(super) fn with(self, trials: Trials) -> Self {
        Self { trials, ..self }
    }

    /// Which rules of other modes than `enforce` may apply here: only with them could it come out otherwise by another
    /// [`RuleSet`](super::RuleSet).
    pub fn trials(&self) -> Trials {
        self.trials
    }

    /// Whether everything asked is permitted.
    pub fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// The determining policies, in the order of the rule files: the permits that allow or the forbids that deny;
    /// empty where it is denied because no rule permits it.
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// What failed to evaluate: ids of policies, or names that start with `wayleave::` where the question itself
    /// could not be put (`wayleave::time-zone`). Anything here means that the answer is a denial.
    pub fn errors(&self) -> &[PolicyId] {
        &self.errors
    }

    /// What went wrong with each of [`Decision::errors`], for the operator.
    pub fn troubles(&self) -> &[String] {
        &self.troubles
    }

    /// The proof that the flow may leave: only where `connect` was among the actions asked, and all are permitted.
    pub fn permit(&self) -> Option<Permit> {
        self.permit.clone()
    }
}
