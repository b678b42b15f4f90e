//! May somebody declare or approve a grant? The terms of the purpose and the rules are both asked.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Rulebook;
use super::vain::InVain;
use crate::clock::Timestamp;
use crate::facts::{Arrival, Channel, Emergency, Grant, GrantTerms, Person, PurposeId, Reason, Subject, SubjectId};
use crate::policy::{Answering, Decision, GrantQuestion, NamedAs, Power};
use crate::purpose::{
    ALTERNATE, Approval, Approver, Declaration, LONGEST_EMERGENCY, Purpose, Terms, Unfit, Weighed,
    one_working_day_after,
};

/// A person at the counter, as identified.
#[derive(Clone, Copy, Debug)]
pub struct Visitor<'a> {
    /// What the directory knows of them.
    pub person: &'a Person,
    /// What a method proved.
    pub subject: &'a Subject,
    /// How they came in.
    pub arrival: &'a Arrival,
}

/// What becomes of a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Weighing {
    /// It may be granted.
    Granted {
        /// On these terms.
        terms: GrantTerms,
        /// The policies that let it be declared.
        reasons: Vec<Reason>,
    },
    /// It may be granted once somebody has approved it.
    NeedsApproval {
        /// What would be granted.
        terms: GrantTerms,
        /// Whom its terms name for that; whether they are there and the rules let them, [`Rulebook::who_may_answer`] says.
        approvers: Vec<SubjectId>,
        /// For how long it waits for that.
        within: Duration,
        /// The policies that let it be declared.
        reasons: Vec<Reason>,
    },
    /// It does not fit the terms of its purpose: everything that is wrong with it.
    Unfit(Vec<Unfit>),
    /// The rules refuse it.
    Refused(NotDeclared),
}

/// Why the rules do not let somebody declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotDeclared {
    /// No rule lets them.
    Unpermitted,
    /// A rule could not be evaluated: any doubt denies.
    Failed,
    /// These policies forbid it.
    Forbidden(Vec<Reason>),
}

impl Rulebook {
    /// Weighs a declaration: first by the terms of its purpose, then by the rules.
    pub fn weigh(&self, who: Visitor<'_>, declaration: &Declaration, channel: Channel, at: Timestamp) -> Weighing {
        let weighed = self.weigh_briefly(who, declaration, channel, at);
        weighed.unwrap_or_else(|in_vain| Weighing::Unfit(self.why_vain(who, &in_vain, at)))
    }

    /// The same, but of what is declared in vain it does not look for why.
    pub(super) fn weigh_briefly(
        &self,
        who: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
        at: Timestamp,
    ) -> Result<Weighing, Box<InVain<'_>>> {
        let known = self.purposes.get(&declaration.purpose);
        if let Some(idle) = known.filter(|purpose| !self.policy.opens(&purpose.id)) {
            return Ok(Weighing::Unfit(vec![Unfit::opens_nothing(idle)]));
        }
        let weighed = self.purposes.weigh(declaration, who.person, at);
        let (terms, approvers) = match weighed {
            Weighed::Fit(terms) => (terms, None),
            Weighed::NeedsApproval { terms, by } => (terms, Some(by)),
            Weighed::Unfit(unfit) => return Ok(Weighing::Unfit(unfit)),
        };
        let Some(purpose) = known else {
            return Ok(Weighing::Refused(NotDeclared::Unpermitted));
        };
        let lasts = terms.expires.since(terms.not_before);
        let decision = self.may(Power::Declare, who, purpose, lasts, channel, at);
        if !decision.is_allowed() {
            return Ok(Weighing::Refused(NotDeclared::by(&decision)));
        }
        let approver = approvers
            .as_ref()
            .and_then(|_| purpose.supposed_approver(&who.person.id, who.person.manager.as_ref()));
        // where nobody could approve it, that is what it is refused for
        if approvers.is_none() || approver.is_some() {
            self.not_in_vain(who.person, (purpose, &terms), approver, at)?;
        }
        let terms = granted(terms, who, channel, at);
        let reasons = decision.reasons().to_vec();
        Ok(match approvers {
            None => Weighing::Granted { terms, reasons },
            Some(approvers) => Weighing::NeedsApproval {
                terms,
                approvers,
                within: purpose.answer_within,
                reasons,
            },
        })
    }

    /// Weighs a declaration in an emergency: by the terms of its purpose but for its audience and approval, then by the rules
    /// on breaking the glass. It is never asked for: it is given, and reviewed.
    pub fn weigh_emergency(
        &self,
        who: Visitor<'_>,
        declaration: &Declaration,
        channel: Channel,
        at: Timestamp,
    ) -> Weighing {
        let Some(purpose) = self.purposes.get(&declaration.purpose) else {
            // says what was meant
            let weighed = self.purposes.weigh(declaration, who.person, at);
            return match weighed {
                Weighed::Unfit(unfit) => Weighing::Unfit(unfit),
                Weighed::Fit(_) | Weighed::NeedsApproval { .. } => Weighing::Refused(NotDeclared::Unpermitted),
            };
        };
        if !self.policy.opens(&purpose.id) {
            return Weighing::Unfit(vec![Unfit::opens_nothing(purpose)]);
        }
        let terms = match purpose.weigh_emergency(declaration, at) {
            Ok(terms) => terms,
            Err(unfit) => return Weighing::Unfit(unfit),
        };
        let lasts = terms.expires.since(terms.not_before);
        let decision = self.may(Power::BreakGlass, who, purpose, lasts, channel, at);
        if !decision.is_allowed() {
            return Weighing::Refused(NotDeclared::by(&decision));
        }
        // nobody is kept waiting in an emergency by what only seems to open nothing
        let mut terms = granted(terms, who, channel, at);
        terms.emergency = Some(Emergency {
            review_by: one_working_day_after(at, &who.person.time_zone),
            review: None,
        });
        Weighing::Granted {
            terms,
            reasons: decision.reasons().to_vec(),
        }
    }

    /// Whether the rules let somebody take `purpose` in an emergency, to cover `covers`, for as long as that can be.
    pub fn may_break_glass(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        covers: &BTreeSet<String>,
        at: Timestamp,
    ) -> bool {
        let lasts = purpose.longest_for(covers).min(LONGEST_EMERGENCY);
        self.may(Power::BreakGlass, who, purpose, lasts, Channel::Portal, at)
            .is_allowed()
    }

    /// Whether the rules let somebody declare `purpose` at all, through this channel.
    pub fn may_declare(&self, who: Visitor<'_>, purpose: &PurposeId, channel: Channel, at: Timestamp) -> bool {
        let purpose = self.purposes.get(purpose);
        purpose.is_some_and(|purpose| {
            self.may_declare_for(who, purpose, &purpose.covers, (channel, at))
                .is_some()
        })
    }

    /// How long somebody may declare `purpose` for at most, to cover `covers`: as long as it can last, or else, where rules
    /// do not let them, as long as it does unless asked otherwise.
    pub(super) fn may_declare_for(
        &self,
        who: Visitor<'_>,
        purpose: &Purpose,
        covers: &BTreeSet<String>,
        (channel, at): (Channel, Timestamp),
    ) -> Option<Duration> {
        let lasting = [purpose.longest_for(covers), purpose.default_for(covers)];
        let may = |lasts: &Duration| self.may(Power::Declare, who, purpose, *lasts, channel, at).is_allowed();
        lasting.into_iter().find(may)
    }

    /// The purposes that somebody may declare, as far as it hangs on who they are, and that open something.
    pub fn open_to<'a>(&'a self, who: Visitor<'a>, at: Timestamp) -> impl Iterator<Item = &'a Purpose> {
        let may = move |purpose: &Purpose| self.may_declare(who, &purpose.id, Channel::Portal, at);
        let open = move |purpose: &&Purpose| purpose.is_open_to(who.person, at) && self.policy.opens(&purpose.id);
        self.purposes.iter().filter(open).filter(move |purpose| may(purpose))
    }

    /// As what somebody answers a request at `at`, of those whom the terms of its purpose name; nothing where they do not name
    /// them. `holder` is what the directory knows of whoever asks.
    pub fn seats(&self, person: &Person, grant: &Grant, holder: Option<&Person>, at: Timestamp) -> BTreeSet<String> {
        let (by, manager) = (&grant.subject, holder.and_then(|holder| holder.manager.as_ref()));
        // of what was taken in an emergency nobody was asked, so nobody is late
        let waited = grant.answer_by.map_or(Duration::ZERO, |_| at.since(grant.declared_at));
        match self.purposes.get(&grant.purpose) {
            Some(purpose) => purpose.seating((by, manager), waited).seats(person),
            // nobody owns a purpose that is gone, and somebody must be able to decline
            None if person.id != *by && manager == Some(&person.id) => BTreeSet::from([Approver::Manager.to_string()]),
            None => BTreeSet::new(),
        }
    }

    /// Whose approvals a request takes: what the terms of its purpose say now.
    pub fn chain(&self, purpose: &PurposeId) -> Approval {
        let purpose = self.purposes.get(purpose);
        purpose.map_or_else(Approval::by_manager, |purpose| purpose.answering().into_owned())
    }

    /// Whether the rules let somebody approve a grant, or decline; none where it is no business of theirs: they are not
    /// among those who could, going by the terms of its purpose, and did not ask for it themselves.
    pub fn may_answer(
        &self,
        who: Visitor<'_>,
        grant: &Grant,
        holder: Option<&Person>,
        channel: Channel,
        at: Timestamp,
    ) -> Option<Decision> {
        let own = grant.subject == who.person.id;
        let seats = self.seats(who.person, grant, holder, at);
        if !own && seats.is_empty() {
            return None;
        }
        let answering = Answering {
            named_as: named_as(&seats),
            behalf_of: None,
        };
        Some(self.decide_answer(who, (grant, holder), answering, (channel, at)))
    }

    /// Whether the rules let somebody answer a request so.
    pub(super) fn decide_answer(
        &self,
        who: Visitor<'_>,
        (grant, holder): (&Grant, Option<&Person>),
        answering: Answering<'_>,
        (channel, at): (Channel, Timestamp),
    ) -> Decision {
        let owner = self.purposes.get(&grant.purpose);
        let owner = owner.map_or(&grant.subject, |purpose| &purpose.business_owner);
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power: Power::Approve,
            purpose: &grant.purpose,
            declarer: &grant.subject,
            declarer_person: holder,
            business_owner: owner,
            longest_for: grant.expires.since(grant.not_before),
            channel,
            answering,
            at,
        })
    }

    /// Asks the rules about the person's own declaration of `purpose`.
    pub(super) fn may(
        &self,
        power: Power,
        who: Visitor<'_>,
        purpose: &Purpose,
        lasts: Duration,
        channel: Channel,
        at: Timestamp,
    ) -> Decision {
        self.policy.decide_on_grant(&GrantQuestion {
            person: who.person,
            subject: who.subject,
            arrival: who.arrival,
            power,
            purpose: &purpose.id,
            declarer: &who.person.id,
            declarer_person: Some(who.person),
            business_owner: &purpose.business_owner,
            longest_for: lasts,
            channel,
            answering: Answering::default(),
            at,
        })
    }
}

/// As what the rules see whoever answers as these.
pub(super) fn named_as(seats: &BTreeSet<String>) -> Option<NamedAs> {
    let is_named = seats.iter().any(|seat| seat != ALTERNATE);
    let named = if is_named {
        NamedAs::Approver
    } else {
        NamedAs::Alternate
    };
    (!seats.is_empty()).then_some(named)
}

impl NotDeclared {
    pub(super) fn by(decision: &Decision) -> Self {
        match (decision.reasons().is_empty(), decision.errors().is_empty()) {
            (false, _) => Self::Forbidden(decision.reasons().to_vec()),
            (true, true) => Self::Unpermitted,
            (true, false) => Self::Failed,
        }
    }

    /// The policies that forbid it.
    pub fn reasons(&self) -> &[Reason] {
        match self {
            Self::Forbidden(reasons) => reasons,
            Self::Unpermitted | Self::Failed => &[],
        }
    }
}

fn granted(terms: Terms, who: Visitor<'_>, channel: Channel, at: Timestamp) -> GrantTerms {
    GrantTerms {
        subject: who.person.id.clone(),
        purpose: terms.purpose,
        platforms: terms.platforms,
        covers: terms.covers,
        statement: terms.statement,
        ticket: terms.ticket,
        channel,
        declared_at: at,
        not_before: terms.not_before,
        expires: terms.expires,
        idle: terms.idle,
        answers: Vec::new(),
        parent: None,
        emergency: None,
        continued: None,
        delegated: None,
    }
}
