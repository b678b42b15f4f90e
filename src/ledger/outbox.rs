//! What people are to be told of: noted with the change of which it speaks, in one transaction, and kept until somebody says
//! that it was told.
//!
//! ```text
//!  put / end ── owed ──> a notice ── claimed ──> addressed: a letter for each way and recipient ── claimed ──> done
//!    (one change)          to nobody yet            (one change)                  └── again, later ──┘
//! ```
//!
//! INVARIANT: a notice is there exactly if the change is, and until it is done. Whoever is to send it claims it for a while:
//! so one gateway of several does, and another where that one does not live to say how it went. A gateway that starts has
//! claimed nothing.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Ledger;
use super::digest::Brought;
use super::error::LedgerError;
use super::store::{Change, Store};
use super::usage::Week;
use super::writer::{Job, Keeper, Writer};
use crate::clock::Timestamp;
use crate::facts::{Grant, GrantState, NoticeEvent, Occasion};

/// Something of which somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What that is.
    pub about: About,
    /// Whom to tell, and how; none until somebody has found that out.
    pub letter: Option<Letter>,
    /// Since when it is to be told.
    pub since: Timestamp,
    /// How often that was tried.
    pub tries: u32,
}

/// Of what somebody is to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// This happened to a grant, which is as it is by now.
    Grant(Box<Grant>, NoticeEvent),
    /// A week is over, and all that is told of it is settled.
    Week(Brought),
}

/// One way to tell somebody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Letter {
    /// The way; never empty.
    pub way: String,
    /// Who is told on it.
    pub to: String,
}

/// What becomes of a notice that was claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is these letters from now on, and later something else is to be told of the grant.
    Addressed(Vec<Letter>, Option<(NoticeEvent, Timestamp)>),
    /// It was told, or never will be.
    Done,
    /// It is to be tried again then.
    Again(Timestamp),
    /// Nobody tried: it is anybody's.
    Untried,
}

/// What was found to be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// How much there is, that which is due later included; but for what is asked of each grant once it expires.
    pub waiting: u64,
    /// What is due, and claimed.
    pub notices: Vec<Notice>,
}

/// What is asked of the outbox. A way is that of a [`Letter`]; what is addressed to nobody yet has the empty one.
#[derive(Clone, Debug)]
pub struct Claim {
    /// What is due now is claimed …
    pub now: Timestamp,
    /// … until then …
    pub until: Timestamp,
    /// … and this much of it at most.
    pub most: u32,
    /// The ways on which whoever asks can tell people. What is to go another way is left to those who know that …
    pub known: Vec<String>,
    /// … unless it is to be told since before then: nobody does.
    pub forsaken: Timestamp,
    /// The ways of which nothing more is wanted now.
    pub busy: Vec<String>,
}

/// For how long what cannot be read is put off: a wayleave that can may come back, or somebody may mend it.
pub(super) const PUT_OFF: Duration = Duration::from_hours(1);

/// What somebody is to be told of a change, and from when on. Pure.
pub(super) fn owed(was: Option<&Grant>, is: &Grant) -> Vec<(NoticeEvent, Timestamp)> {
    // what states no purpose, nobody waits to hear of
    if is.continued.is_some() || is.delegated.is_some() {
        return Vec::new();
    }
    if let Some(was) = was.filter(|was| was.state == is.state) {
        let more = is.answers.get(was.answers.len()..).and_then(<[_]>::last);
        let partly = more.filter(|_| is.state == GrantState::Requested);
        return partly
            .map(|answer| (NoticeEvent::PartlyApproved, answer.at))
            .into_iter()
            .collect();
    }
    let ended = is.until();
    // whether that is counted, the rules say then
    let asked = (NoticeEvent::CameOfIt, is.expires);
    match (is.state, &is.emergency) {
        (GrantState::Requested, _) => vec![(NoticeEvent::Waits, is.declared_at)],
        (GrantState::Active, Some(emergency)) => vec![
            (NoticeEvent::BrokeGlass, is.not_before),
            (NoticeEvent::ReviewOverdue, emergency.review_by),
            asked,
        ],
        (GrantState::Active, None) if was.is_some() => vec![(NoticeEvent::Approved, is.not_before), asked],
        (GrantState::Active, None) => vec![asked],
        (GrantState::Declined, _) => vec![(NoticeEvent::Declined, ended)],
        (GrantState::Lapsed, _) => vec![(NoticeEvent::Lapsed, ended)],
        (GrantState::Revoked, _) if is.ended.is_some() => vec![(NoticeEvent::Revoked, ended)],
        (GrantState::Revoked | GrantState::Withdrawn, _) => Vec::new(),
    }
}

impl<S: Store> Keeper<S> {
    /// Notes with a change what it owes to people, if they are told at all: of each grant, what it was and is.
    pub(super) fn owe<'a>(
        tells: bool,
        change: &mut impl Change,
        grants: impl IntoIterator<Item = (Option<&'a Grant>, &'a Grant)>,
    ) -> Result<(), LedgerError> {
        if !tells {
            return Ok(());
        }
        let each = grants.into_iter().flat_map(|(was, is)| {
            let owed = owed(was, is).into_iter();
            owed.map(|(event, due)| (&is.id, event, due))
        });
        change.owe_each(&each.collect::<Vec<_>>())
    }

    /// Claims what is due. Where nothing is, nothing is changed.
    pub(super) fn claim(&mut self, claim: &Claim) -> Result<Due, LedgerError> {
        self.clear_doubts()?;
        let (waiting, is_due) = self.store.outlook(claim)?;
        if !is_due {
            let notices = Vec::new();
            return Ok(Due { waiting, notices });
        }
        let mut change = self.store.begin()?;
        let notices = change.claim(claim)?;
        change.commit()?;
        Ok(Due { waiting, notices })
    }

    /// Notes what became of what was claimed, in one change.
    pub(super) fn fare(&mut self, fates: &[(Notice, Fate)]) -> Result<(), LedgerError> {
        self.clear_doubts()?;
        let mut change = self.store.begin()?;
        for (notice, fate) in fates {
            match fate {
                Fate::Addressed(letters, later) => {
                    letters.iter().try_for_each(|letter| change.address(notice, letter))?;
                    if let (Some((event, due)), About::Grant(grant, _)) = (later, &notice.about) {
                        change.owe_each(&[(&grant.id, *event, *due)])?;
                    }
                    change.done(notice)?;
                }
                Fate::Done => change.done(notice)?,
                Fate::Again(due) => change.again(notice, *due)?,
                Fate::Untried => change.release(notice)?,
            }
        }
        change.commit()
    }
}

impl Writer {
    /// Claims what people are to be told.
    pub(super) async fn due(&self, claim: Claim) -> Result<Due, LedgerError> {
        self.submit(|reply| Job::Due(claim, reply)).await
    }

    /// Notes what became of it.
    pub(super) async fn fare(&self, fates: Vec<(Notice, Fate)>) -> Result<(), LedgerError> {
        self.submit(|reply| Job::Fare(fates, reply)).await
    }
}

/// Says of a notice that cannot be read that nobody is told of it.
pub(super) fn unreadable(id: &str, event: &str, why: &impl fmt::Display) {
    let hours = PUT_OFF.as_secs() / 3600;
    tracing::error!(of = id, event, %why, hours, "what people are to be told cannot be read: it is put off");
}

/// The week of which a digest tells, as stores name it beside grants, of which none is called so.
pub(super) fn week_named(id: &str) -> Result<Week, String> {
    let number = id.parse().map_err(|_| format!("`{id}` is no week"))?;
    Ok(Week::numbered(number))
}

/// The same, to write it down.
pub(super) fn name_of(week: Week) -> String {
    week.number().to_string()
}

impl About {
    /// On what it is told.
    pub fn occasion(&self) -> Occasion {
        match self {
            Self::Grant(_, event) => Occasion::Grant(*event),
            Self::Week(_) => Occasion::Digest,
        }
    }
}

/// The grant's id, or the week's Monday: a reference for people.
impl fmt::Display for About {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grant(grant, _) => fmt::Display::fmt(&grant.id, out),
            Self::Week(brought) => fmt::Display::fmt(&brought.week, out),
        }
    }
}

impl Notice {
    /// Of what it tells, on what occasion, on which way and whom, as stores write it.
    pub(super) fn place(&self) -> [String; 4] {
        let id = match &self.about {
            About::Grant(grant, _) => grant.id.to_string(),
            About::Week(brought) => name_of(brought.week),
        };
        let letter = self.letter.as_ref();
        let [way, to] = letter.map_or_else(Default::default, |letter| [letter.way.clone(), letter.to.clone()]);
        [id, self.about.occasion().as_str().to_owned(), way, to]
    }
}

impl Letter {
    /// A letter as stores read it; none where it is addressed to nobody yet.
    pub(super) fn read([way, to]: [String; 2]) -> Option<Self> {
        (!way.is_empty()).then_some(Self { way, to })
    }
}

impl Ledger {
    /// From now on people are told of what changes: it is noted among what is due ([`Ledger::due`]).
    pub fn tells(&self) {
        self.tells.store(true, Ordering::Relaxed);
    }

    /// What is due, as far as nobody else has claimed it: it is claimed, and comes.
    pub async fn due(&self, claim: Claim) -> Result<Due, LedgerError> {
        self.writer.due(claim).await
    }

    /// Notes, durably, what became of what was claimed. What is noted twice is as if it was noted once.
    pub async fn fare(&self, fates: Vec<(Notice, Fate)>) -> Result<(), LedgerError> {
        self.writer.fare(fates).await
    }
}
