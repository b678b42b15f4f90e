//! From asked to answered: who may not answer, what can still be answered, and what a grant is once it is.
//!
//! ```text
//!  Grant ──of──> Pending ──heard_by──> Hearing ──approve──> Approved ──> the ledger gives it
//!    ^              │                     │  └────────────> PartlyApproved: others must as well
//!    └──────────────│─────────────────────│─────────────────────┘
//!                   │                     └─────decline──> Declined
//!                   └── Over: answered, taken back, or silent for too long ──of──> Lapsed
//! ```
//!
//! Each step consumes the one before it, so that nothing is answered twice; and whoever asked never gets a [`Hearing`].

use std::collections::BTreeSet;

use super::chain::Approval;
use crate::clock::Timestamp;
use crate::facts::{Answer, Behalf, Ended, Grant, GrantState, Invisible, Lines, SubjectId, Verdict};

/// How much somebody may write to an answer, in characters.
const MOST_NOTED: usize = 2_000;

/// A grant that waits for an answer.
#[derive(Debug)]
pub struct Pending(Grant);

/// A grant that waits, before somebody who did not ask for it.
#[derive(Debug)]
pub struct Hearing {
    pending: Pending,
    by: SubjectId,
    seats: BTreeSet<String>,
    behalf: Option<Behalf>,
}

/// What an approval makes of a grant.
#[derive(Clone, Debug)]
pub enum Consent {
    /// It was the last one that was missing.
    Given(Approved),
    /// Others must approve as well.
    Partly(PartlyApproved),
}

/// A grant that somebody approved, and others still have to: it waits on.
#[derive(Clone, Debug)]
pub struct PartlyApproved(Grant);

/// A grant that somebody approved: the only kind of request that can come into force.
#[derive(Clone, Debug)]
pub struct Approved(Grant);

/// A grant that somebody declined.
#[derive(Clone, Debug)]
pub struct Declined(Grant);

/// A grant that nobody answered in time.
#[derive(Clone, Debug)]
pub struct Lapsed(Grant);

/// Why a grant cannot be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Nobody answered in time, and silence declines.
    Lapsed,
    /// It was answered or taken back, or never had to be asked for.
    Answered,
}

/// Whoever asked cannot answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Own;

/// The approval makes none of those that are missing superfluous: the person approved already, or somebody else did as what
/// they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Useless;

/// What somebody writes to an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Note(String);

/// What is wrong with what somebody writes to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnfitNote {
    /// More than [`Note::MOST`] characters.
    Long,
    /// A character that nobody sees, and that changes what is read.
    Invisible(Invisible),
}

impl Note {
    /// How many characters it may have.
    pub const MOST: usize = MOST_NOTED;

    /// A note of what stands in `text`, without the space around it.
    pub fn parse(text: &str) -> Result<Self, UnfitNote> {
        let text = text.trim();
        if text.chars().count() > Self::MOST {
            return Err(UnfitNote::Long);
        }
        match Invisible::first_in(text, Lines::Many) {
            Some(sign) => Err(UnfitNote::Invisible(sign)),
            None => Ok(Self(text.to_owned())),
        }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A note with something in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why(Note);

impl Why {
    /// None where nothing was written: whoever is declined, or loses what they hold, hears why.
    pub fn of(note: Note) -> Option<Self> {
        (!note.is_empty()).then_some(Self(note))
    }

    /// `by` ends something for this reason.
    pub fn said_by(self, by: SubjectId) -> Ended {
        let Self(Note(why)) = self;
        Ended { by, why }
    }
}

impl Pending {
    /// `grant`, if it can still be answered at `now`.
    pub fn of(grant: Grant, now: Timestamp) -> Result<Self, Over> {
        match grant.state {
            GrantState::Requested if grant.waits(now) => Ok(Self(grant)),
            GrantState::Requested | GrantState::Lapsed => Err(Over::Lapsed),
            GrantState::Active | GrantState::Withdrawn | GrantState::Revoked | GrantState::Declined => {
                Err(Over::Answered)
            }
        }
    }

    /// It comes before `by`, who did not ask for it, and answers as what the terms of the purpose name: the rules say so as
    /// well, and this does not hang on them.
    pub fn heard_by(self, by: &SubjectId, seats: BTreeSet<String>) -> Result<Hearing, Own> {
        self.heard_for(by, seats, None)
    }

    /// The same where `by` may answer for somebody else, who did not ask for it either.
    pub fn heard_for(self, by: &SubjectId, seats: BTreeSet<String>, behalf: Option<Behalf>) -> Result<Hearing, Own> {
        let whom = behalf.as_ref().map(|behalf| &behalf.whom);
        if self.0.subject == *by || Some(&self.0.subject) == whom {
            return Err(Own);
        }
        let by = by.clone();
        Ok(Hearing {
            pending: self,
            by,
            seats,
            behalf,
        })
    }
}

impl Hearing {
    /// The request.
    pub fn grant(&self) -> &Grant {
        &self.pending.0
    }

    /// Yes. Once as many said so as must it begins, and lasts for as long as was asked.
    pub fn approve(self, chain: &Approval, note: Note, at: Timestamp) -> Result<Consent, Useless> {
        let (came, before) = (self.pending.0.came.clone(), chain.missing(&self.pending.0.answers));
        let lasts = self.pending.0.expires.since(self.pending.0.not_before);
        let mut grant = self.answered(Verdict::Approved, note, at);
        let missing = chain.missing(&grant.answers);
        if missing > 0 && missing == before {
            return Err(Useless);
        }
        if let Some(answer) = grant.answers.last_mut() {
            answer.missing = missing;
        }
        Ok(if missing == 0 {
            Consent::Given(Approved(Grant {
                not_before: at,
                expires: at.plus(lasts),
                state: GrantState::Active,
                ..grant
            }))
        } else {
            Consent::Partly(PartlyApproved(Grant { came, ..grant }))
        })
    }

    /// No.
    pub fn decline(self, why: Why, at: Timestamp) -> Declined {
        Declined(Grant {
            state: GrantState::Declined,
            ended_at: Some(at),
            ..self.answered(Verdict::Declined, why.0, at)
        })
    }

    fn answered(self, verdict: Verdict, note: Note, at: Timestamp) -> Grant {
        let Self {
            pending: Pending(mut grant),
            by,
            seats,
            behalf,
        } = self;
        grant.answers.push(Answer {
            by,
            at,
            verdict,
            note: note.0,
            seats,
            behalf,
            missing: 0,
        });
        grant.came = None;
        grant
    }
}

impl Approved {
    /// The grant as it is in force from now on.
    pub fn into_grant(self) -> Grant {
        self.0
    }
}

impl PartlyApproved {
    /// The grant as it waits on.
    pub fn into_grant(self) -> Grant {
        self.0
    }
}

impl Declined {
    /// The grant as it is over.
    pub fn into_grant(self) -> Grant {
        self.0
    }
}

impl Lapsed {
    /// `grant`, if nobody has answered it, and nobody can any more at `now`.
    pub fn of(grant: Grant, now: Timestamp) -> Option<Self> {
        let since = grant.answer_by.unwrap_or(grant.not_before);
        let is_over = grant.state == GrantState::Requested && !grant.waits(now);
        let lapsed = Grant {
            state: GrantState::Lapsed,
            ended_at: Some(since),
            report: None,
            came: None,
            ..grant
        };
        is_over.then_some(Self(lapsed))
    }

    /// The grant as it is over.
    pub fn into_grant(self) -> Grant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::facts::{Channel, GrantId, GrantTerms, PlatformId, PurposeId};
    use crate::purpose::{Approver, Needed};

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_millis(1_000_000).plus(Duration::from_mins(minutes))
    }

    fn who(name: &str) -> SubjectId {
        SubjectId::parse(name).unwrap()
    }

    /// Asked for an hour at minute 0; silence declines at minute 30.
    fn asked() -> Grant {
        let terms = GrantTerms {
            subject: who("ben"),
            purpose: PurposeId::new("brand-publishing"),
            platforms: BTreeSet::from([PlatformId::new("linkedin")]),
            covers: BTreeSet::from(["publish".to_owned()]),
            statement: "The new bicycle".to_owned(),
            ticket: None,
            channel: Channel::Portal,
            declared_at: at(0),
            not_before: at(0),
            expires: at(60),
            answers: Vec::new(),
            idle: None,
            parent: None,
            emergency: None,
            continued: None,
            delegated: None,
        };
        terms.asked(GrantId::new("g"), at(30))
    }

    fn as_owner() -> BTreeSet<String> {
        BTreeSet::from(["owner".to_owned()])
    }

    fn given(hearing: Hearing, note: Note, at: Timestamp) -> Grant {
        match hearing.approve(&Approval::by_owner(), note, at) {
            Ok(Consent::Given(approved)) => approved.into_grant(),
            other => panic!("{other:?}"),
        }
    }

    fn why(text: &str) -> Why {
        Why::of(Note::parse(text).unwrap()).unwrap()
    }

    #[test]
    fn what_is_approved_begins_then_and_lasts_as_long_as_was_asked() {
        let pending = Pending::of(asked(), at(29)).unwrap();
        let hearing = pending.heard_by(&who("mia"), as_owner()).unwrap();
        let given = given(hearing, Note::parse(" fine ").unwrap(), at(29));
        assert_eq!((given.not_before, given.expires), (at(29), at(89)));
        assert_eq!(given.declared_at, at(0));
        assert_eq!(given.approved_by(), Some(&who("mia")));
        assert_eq!(given.answers[0].note, "fine");
        assert!(!given.is_live(at(28)) && given.is_live(at(29)) && !given.is_live(at(89)));
    }

    #[test]
    fn what_two_must_approve_waits_on_after_the_first_and_nobody_is_heard_twice() {
        let two = Approval {
            of: vec![Approver::Owner, Approver::Group("legal".to_owned())],
            needed: Needed::People(2),
        };
        let hear = |grant: Grant, name: &str, seat: &str, minute| {
            let hearing = Pending::of(grant, at(minute)).unwrap();
            let hearing = hearing.heard_by(&who(name), BTreeSet::from([seat.to_owned()])).unwrap();
            hearing.approve(&two, Note::default(), at(minute))
        };
        let Ok(Consent::Partly(partly)) = hear(asked(), "mia", "owner", 3) else {
            panic!("one more is needed");
        };
        let waits = partly.into_grant();
        assert!(waits.waits(at(4)) && !waits.was_given() && waits.approved_by().is_none());
        assert_eq!((waits.expires, waits.answers[0].missing), (at(60), 1));
        assert_eq!(hear(waits.clone(), "mia", "group:legal", 4).err(), Some(Useless));
        let Ok(Consent::Given(given)) = hear(waits.clone(), "lea", "group:legal", 29) else {
            panic!("nobody else is needed");
        };
        let given = given.into_grant();
        assert_eq!((given.not_before, given.expires), (at(29), at(89)));
        assert_eq!(given.approved_by(), Some(&who("lea")));
        let lapsed = Lapsed::of(waits, at(30)).unwrap().into_grant();
        assert!(!lapsed.was_given(), "one of two is none");
    }

    #[test]
    fn what_is_declined_says_by_whom_and_why_and_never_counts() {
        let hearing = Pending::of(asked(), at(1))
            .unwrap()
            .heard_by(&who("mia"), as_owner())
            .unwrap();
        let over = hearing.decline(why("not this week"), at(1)).into_grant();
        assert_eq!(
            (over.state, over.answers[0].note.as_str()),
            (GrantState::Declined, "not this week")
        );
        assert!(over.approved_by().is_none() && !over.is_live(at(1)));
        assert_eq!(over.until(), at(1));
    }

    #[test]
    fn silence_declines_at_the_stated_moment_and_what_is_over_cannot_be_answered() {
        assert!(Pending::of(asked(), at(0)).is_ok());
        assert_eq!(Pending::of(asked(), at(30)).err(), Some(Over::Lapsed));
        for (state, over) in [
            (GrantState::Active, Over::Answered),
            (GrantState::Withdrawn, Over::Answered),
            (GrantState::Revoked, Over::Answered),
            (GrantState::Declined, Over::Answered),
            (GrantState::Lapsed, Over::Lapsed),
        ] {
            let grant = Grant { state, ..asked() };
            assert_eq!(Pending::of(grant, at(1)).err(), Some(over), "{state:?}");
        }
        let endless = Grant {
            answer_by: None,
            ..asked()
        };
        assert!(
            Pending::of(endless, at(1)).is_err(),
            "what never waits cannot be answered"
        );
    }

    #[test]
    fn what_nobody_answered_in_time_lapsed_then_whenever_it_is_noticed() {
        assert!(Lapsed::of(asked(), at(29)).is_none());
        let lapsed = Lapsed::of(asked(), at(45)).unwrap().into_grant();
        assert_eq!((lapsed.state, lapsed.until()), (GrantState::Lapsed, at(30)));
        assert!(Lapsed::of(lapsed, at(46)).is_none(), "once");
        let hearing = Pending::of(asked(), at(1))
            .unwrap()
            .heard_by(&who("mia"), as_owner())
            .unwrap();
        let given = given(hearing, Note::default(), at(1));
        assert!(Lapsed::of(given, at(45)).is_none(), "it was answered");
    }

    #[test]
    fn whoever_asked_cannot_answer() {
        let pending = Pending::of(asked(), at(1)).unwrap();
        assert_eq!(pending.heard_by(&who("ben"), as_owner()).err(), Some(Own));
        let behalf = Behalf {
            whom: who("ben"),
            delegation: GrantId::new("d"),
        };
        let pending = Pending::of(asked(), at(1)).unwrap();
        let heard = pending.heard_for(&who("mia"), as_owner(), Some(behalf));
        assert_eq!(heard.err(), Some(Own), "nor does anybody for them");
    }

    #[test]
    fn a_note_is_bounded_and_a_reason_says_something() {
        assert!(Note::parse(&"é".repeat(Note::MOST)).is_ok());
        assert_eq!(Note::parse(&"é".repeat(Note::MOST + 1)), Err(UnfitNote::Long));
        assert!(matches!(Note::parse("no\u{202e}t"), Err(UnfitNote::Invisible(_))));
        assert_eq!(Why::of(Note::parse(" \n ").unwrap()), None);
    }
}
